package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// wide is a schema of 20 columns: a time and a number that ascend, few words, and noise.
func wide() *stream.Schema {
	s := stream.NewSchema(stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "word", Type: stream.Varchar})
	for len(s.Fields) < 20 {
		s.Fields = append(s.Fields, stream.Field{Name: fmt.Sprintf("noise_%d", len(s.Fields)), Type: stream.Double})
	}
	return s
}

func wideBatch(schema *stream.Schema, first, rows int) *stream.Batch {
	b := stream.NewBatch(schema, nil)
	for i := range rows {
		row := []stream.Value{stream.Time(int64(first+i) * 1000), stream.Big(int64(first + i)), stream.Text([]string{"north", "south", "east", "west"}[(first+i)%4])}
		for c := 3; c < schema.Len(); c++ {
			row = append(row, stream.Dbl(float64((first+i)*c%9973)/7))
		}
		b.AppendRow(row)
	}
	return b
}

func writeWide(t testing.TB, path string, rows int, options map[string]string) {
	t.Helper()
	schema := wide()
	all := map[string]string{"path": path}
	for k, v := range options {
		all[k] = v
	}
	sink, err := OpenSink(&model.Sink{Connector: "file", Options: all}, schema, schema.Visible(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < rows; at += 10_000 {
		if err := sink.(BatchSink).WriteBatch(wideBatch(schema, at, min(10_000, rows-at)), 0, min(10_000, rows-at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
}

// three reads 3 of the 20 columns.
var three = []bool{true, true, true, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false, false}

func idsAbove(n int64) []*model.Expr {
	return []*model.Expr{model.Call("ge", stream.Boolean, model.Col(1, stream.BigInt), model.Lit(stream.Big(n)))}
}

// scan reads a source to its end and counts rows and those with an id of at least n.
func scan(t testing.TB, src Source, need []bool, n int64) (rows, wanted, passed int64) {
	t.Helper()
	schema := wide()
	for p := range src.Partitions() {
		r, err := src.Reader(context.Background(), p, Position{})
		if err != nil {
			t.Fatal(err)
		}
		d, out := src.NewDecoder(), stream.NewBatch(schema, need)
		for b := (&Block{}); ; {
			if err := r.Next(context.Background(), b); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				passed += b.Passed.Rows
				break
			}
			for c := range out.Cols {
				out.Cols[c].Reset(out.Cols[c].Type)
			}
			if errs, err := d.Decode(b, out, nil); err != nil || len(errs) > 0 {
				t.Fatal(errs, err)
			}
			rows, passed = rows+int64(out.Len), passed+b.Passed.Rows
			for _, id := range out.Cols[1].I64[:out.Len] {
				if id >= n {
					wanted++
				}
			}
		}
		_ = r.Close()
	}
	return rows, wanted, passed
}

func openWide(t testing.TB, path string, reading Reading, options ...string) Source {
	t.Helper()
	info, err := CheckSource(testOptions(path, options...), wide().Fields)
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenSource("s", &model.Source{Connector: info.Connector, Options: info.Options}, wide(), reading, Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// Three of twenty columns, and the last tenth of the rows, are far less than a quarter of
// the bytes; row groups and, within a group, pages are passed over.
func TestParquetReadsWhatIsNeeded(t *testing.T) {
	const rows = 100_000
	for _, groupRows := range []string{"10000", "100000"} {
		path := filepath.Join(t.TempDir(), "wide.parquet")
		writeWide(t, path, rows, map[string]string{"row_group_rows": groupRows})
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		src := openWide(t, path, Reading{Need: three, Where: idsAbove(rows * 9 / 10), Time: 0})
		read, wanted, passed := scan(t, src, three, rows*9/10)
		if wanted != rows/10 || read+passed != rows || read > rows/4 {
			t.Errorf("row groups of %s: %d rows, %d of them wanted, %d passed over", groupRows, read, wanted, passed)
		}
		if bytes := src.(Counted).BytesRead(); bytes > info.Size()/20 || bytes == 0 {
			t.Errorf("row groups of %s: %d of %d bytes", groupRows, bytes, info.Size())
		}
		all := openWide(t, path, Reading{})
		if n, _, _ := scan(t, all, nil, 0); n != rows || all.(Counted).BytesRead() < info.Size()*9/10 {
			t.Errorf("all: %d rows, %d bytes", n, all.(Counted).BytesRead())
		}
	}
}

// From the border behind any block, and with any cut, reading goes on as if it had not
// stopped: over row groups, files, and rows that are passed over.
func TestParquetPositions(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a.parquet", "b.parquet"} {
		writeWide(t, filepath.Join(dir, name), 3000+i, map[string]string{"row_group_rows": "700", "compression": "snappy"})
	}
	schema := stream.NewSchema(wide().Fields[:3]...)
	for _, size := range []int{64, 5000, 1 << 20} {
		for _, where := range [][]*model.Expr{nil, idsAbove(2500)} {
			src, err := OpenSource("s", &model.Source{Connector: "file", Options: map[string]string{"path": filepath.Join(dir, "*.parquet"), "format": "parquet"}},
				schema, Reading{Where: where, Time: -1}, Env{BlockBytes: size})
			if err != nil {
				t.Fatal(err)
			}
			want := readAll(t, src, 0, Position{})
			if where == nil && len(want.lines) != 6001 || where != nil && len(want.lines) > 2500 {
				t.Fatalf("%d rows", len(want.lines))
			}
			for i := 0; i < len(want.positions); i += 1 + len(want.positions)/9 {
				rest := readAll(t, src, 0, want.positions[i])
				sameLines(t, want.positions[i], rest.lines, want.lines[want.before[i]:])
			}
			if err := src.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestParquetMistakes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.parquet")
	writeWide(t, path, 100, nil)
	text := filepath.Join(dir, "t.parquet")
	if err := os.WriteFile(text, []byte("a,b,c\n1,2,3\n4,5,6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.parquet")
	if err := os.WriteFile(cut, whole[:len(whole)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, column string
		typ          stream.Type
		options      []string
		want         string
	}{
		{path, "wrod", stream.Varchar, nil, `w.parquet: column "wrod": the file has no such column [did you mean "word"?]`},
		{path, "word", stream.BigInt, nil, `w.parquet: column "word": it is BYTE_ARRAY (STRING), which cannot be read as BIGINT [declare it VARCHAR]`},
		{path, "id", stream.Timestamp, nil, `w.parquet: column "id": it is INT64, which cannot be read as TIMESTAMP [declare it BIGINT]`},
		{text, "a", stream.BigInt, nil, "t.parquet: not a Parquet file: it does not begin with PAR1"},
		{cut, "id", stream.BigInt, nil, "cut.parquet: truncated Parquet file: it does not end with PAR1"},
		{path, "id", stream.BigInt, []string{"follow", "true"}, `connector file has no option "follow" here`},
		{path, "id", stream.BigInt, []string{"header", "true"}, `connector file has no option "header" here`},
	} {
		_, err := CheckSource(testOptions(c.path, c.options...), []stream.Field{{Name: c.column, Type: c.typ}})
		var wrong *model.OptionError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Message+" ["+wrong.Hint+"]", c.want) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

// BenchmarkParquet reads 3 columns of 20, all rows: rows a second on one core.
func BenchmarkParquet(b *testing.B) {
	path := filepath.Join(b.TempDir(), "wide.parquet")
	const rows = 500_000
	writeWide(b, path, rows, map[string]string{"compression": "snappy"})
	b.ResetTimer()
	for range b.N {
		if n, _, _ := scan(b, openWide(b, path, Reading{Need: three}), three, 0); n != rows {
			b.Fatal(n)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
