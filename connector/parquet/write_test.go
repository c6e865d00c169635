package parquet

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

func everyColumn() *stream.Schema {
	s := &stream.Schema{}
	for _, t := range append([]stream.Type{stream.Decimal(4, 2)}, stream.Types...) {
		if t.IsNested() {
			continue // refused
		}
		s.Fields = append(s.Fields, stream.Field{Name: strings.ToLower(t.String()), Type: t}, stream.Field{Name: "not_null_" + strings.ToLower(t.String()), Type: t, NotNull: true})
	}
	return s
}

func randomValue(r *rand.Rand, f stream.Field) stream.Value {
	v := stream.Value{Type: f.Type, I: int64(int32(r.Uint32())), F: float64(float32(r.NormFloat64())), S: strings.Repeat("ä", r.IntN(80)) + fmt.Sprint(r.IntN(1000))}
	switch {
	case !f.NotNull && r.IntN(5) == 0:
		return stream.NullOf(f.Type)
	case f.Type == stream.Boolean:
		v.I &= 1
	case r.IntN(30) == 0:
		v.F = []float64{math.NaN(), 0, math.Copysign(0, -1), math.Inf(1)}[r.IntN(4)]
	}
	if low, high, ok := f.Type.Range(); ok && high-low > 0 {
		v.I = low + (v.I&math.MaxInt32)%(high-low)
	}
	if f.Type.IsDecimal() {
		x := decimal.Int{Hi: int64(r.Uint64()) >> 6, Lo: r.Uint64()}
		if !x.Fits(f.Type.Precision()) {
			x = decimal.Of(v.I % decimal.Power(min(f.Type.Precision(), 18)))
		}
		return stream.DecimalOf(f.Type, x)
	}
	switch f.Type {
	case stream.Real, stream.Double:
		return stream.Value{Type: f.Type, F: v.F}
	case stream.Varchar:
		return stream.Text(v.S)
	case stream.Bytes:
		b := []byte(v.S)
		for i := range b {
			b[i] += byte(v.I)
		}
		return stream.Blob(string(b))
	case stream.JSON:
		return stream.Value{Type: f.Type, S: fmt.Sprintf(`{"a":%d,"b":%q}`, v.I, v.S)}
	}
	return stream.Value{Type: f.Type, I: v.I}
}

// writeRandom writes random rows, in batches of any size, as given row groups.
func writeRandom(t testing.TB, rows int, codec string, groupRows int64) ([]byte, *stream.Schema, [][]stream.Value) {
	t.Helper()
	r, schema := rand.New(rand.NewPCG(9, uint64(rows))), everyColumn()
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, schema.Visible(), codec, groupRows)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]stream.Value
	for len(all) < rows {
		b := stream.NewBatch(schema, nil)
		for range min(1+r.IntN(3000), rows-len(all)) {
			line := make([]stream.Value, schema.Len())
			for i, f := range schema.Fields {
				line[i] = randomValue(r, f)
			}
			b.AppendRow(line)
			all = append(all, line)
		}
		half := b.Len / 2
		if err := w.Write(b, 0, half); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b, half, b.Len); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), schema, all
}

// What is written is read back, by this package and by parquet-go, with every codec.
func TestWrittenFilesAreRead(t *testing.T) {
	for codec := range Codecs {
		for _, rows := range []int{0, 1, 20_000} {
			data, schema, want := writeRandom(t, rows, codec, 7000)
			f := openBytes(t, data, schema)
			sameRows(t, readUnits(t, f, data, schema, 3000), want, schema)
			checkByParquetGo(t, data, want, schema)
			fields, skipped := f.Fields()
			if len(skipped) > 0 || fields[0].Type != stream.Decimal(4, 2) || fields[4].Type != stream.TinyInt || fields[0].NotNull || !fields[1].NotNull {
				t.Errorf("%v %v", fields, skipped)
			}
		}
	}
}

func checkByParquetGo(t *testing.T, data []byte, want [][]stream.Value, s *stream.Schema) {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	row, lines := 0, make([]pq.Row, 100)
	for _, g := range f.RowGroups() {
		reader := g.Rows()
		for {
			n, err := reader.ReadRows(lines)
			for _, line := range lines[:n] {
				for i, v := range line {
					if got := fromParquetGo(v, s.Fields[i].Type); got != want[row][i] && !(got.F != got.F && want[row][i].F != want[row][i].F) {
						t.Fatalf("row %d, column %s: parquet-go reads %+v, not %+v", row, s.Fields[i].Name, got, want[row][i])
					}
				}
				row++
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for i, c := range g.ColumnChunks() {
			checkBounds(t, c, s.Fields[i].Name)
		}
		_ = reader.Close()
	}
	if row != len(want) {
		t.Fatalf("parquet-go reads %d rows, not %d", row, len(want))
	}
}

func fromParquetGo(v pq.Value, t stream.Type) stream.Value {
	out := stream.Value{Type: t}
	switch {
	case v.IsNull():
		out.Null = true
	case t == stream.Boolean:
		if v.Boolean() {
			out.I = 1
		}
	case t.IsDecimal() && v.Kind() == pq.FixedLenByteArray:
		x, _ := decimal.FromBigEndian(v.ByteArray())
		return stream.DecimalOf(t, x)
	case t.IsDecimal() && v.Kind() == pq.Int32:
		out.I = int64(v.Int32())
	case t.Storage() == stream.Integer:
		out.I = int64(v.Int32())
	case t == stream.Real:
		out.F = float64(v.Float())
	case t == stream.Double:
		out.F = v.Double()
	case t.Storage() == stream.Varchar:
		out.S = string(v.ByteArray())
	default:
		out.I = v.Int64()
	}
	return out
}

// checkBounds: the values of every page are within the page index.
func checkBounds(t *testing.T, c pq.ColumnChunk, name string) {
	t.Helper()
	index, err := c.ColumnIndex()
	if err != nil {
		t.Fatal(err)
	}
	pages := c.Pages()
	defer pages.Close()
	for n := 0; ; n++ {
		p, err := pages.ReadPage()
		if err == io.EOF {
			if n != index.NumPages() {
				t.Fatalf("%s: %d pages, %d in the index", name, n, index.NumPages())
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		low, high, ok := p.Bounds()
		if strings.Contains(name, "decimal(30") {
			ok = false // parquet-go compares their bytes without signs; TestPruningKeepsWhatIsWanted has them
		}
		if ok && !index.NullPage(n) && (c.Type().Compare(low, index.MinValue(n)) < 0 || c.Type().Compare(high, index.MaxValue(n)) > 0) {
			t.Fatalf("%s, page %d: %v to %v are not within %v to %v", name, n, low, high, index.MinValue(n), index.MaxValue(n))
		}
		if p.NumNulls() != index.NullCount(n) {
			t.Fatalf("%s, page %d: %d NULLs, the index has %d", name, n, p.NumNulls(), index.NullCount(n))
		}
	}
}

// A large dictionary is given up, and pages of both kinds are read.
func TestDictionaryIsGivenUp(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "s", Type: stream.Varchar})
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, []int{0}, "none", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]stream.Value
	for row := range 60_000 {
		text := fmt.Sprintf("%040d", row)
		if row < 20_000 {
			text = fmt.Sprint(row % 10)
		}
		want = append(want, []stream.Value{stream.Text(text)})
	}
	for at := 0; at < len(want); at += 10_000 {
		b := stream.NewBatch(schema, nil)
		for _, line := range want[at : at+10_000] {
			b.AppendRow(line)
		}
		if err := w.Write(b, 0, b.Len); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := openBytes(t, out.Bytes(), schema)
	sameRows(t, readUnits(t, f, out.Bytes(), schema, 9000), want, schema)
	checkByParquetGo(t, out.Bytes(), want, schema)
}
