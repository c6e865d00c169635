package connector

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// messy is a file with everything that could be cut in the middle.
const messy = "\xef\xbb\xbfa,b,c\r\nx,y,1\r\n\"two\nlines\",\"say \"\"hi\"\"\",2\n\n,,\nbad,row\nx,y,three\n\"\",\"\r\n\",4\n5\" pipe,é,5\n\"a\"b,c,6\nlast,one,7"

func sameLines(t *testing.T, what any, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%v:\n%s\nnot\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// However blocks are cut, the rows are the same; and from every border reading goes on
// as if it had not stopped.
func TestBlocksAndPositions(t *testing.T) {
	json := `{"a":"x","c":1}` + "\r\n\n" + `{"a":"\"é\"","b":"{","c":2}` + "\n{bad\n" + `{"c":3}`
	dir := t.TempDir()
	for name, text := range map[string]string{"m.csv": messy, "n.csv": messy + "\n", "j.ndjson": json} {
		plain := filepath.Join(dir, name)
		writeAs(t, plain, []byte(text))
		writeAs(t, plain+".gz", gzipped(t, text))
		writeAs(t, plain+".zst", zstded(t, text))
		want := readAll(t, open(t, testOptions(plain), threeTexts, Env{}), 0, Position{}).lines
		if len(want) < 4 {
			t.Fatal(want)
		}
		for size := 1; size <= len(text)+1; size++ {
			for _, path := range []string{plain, plain + ".gz", plain + ".zst"} {
				if size > 30 && path != plain {
					continue
				}
				src := open(t, testOptions(path), threeTexts, Env{BlockBytes: size})
				got := readAll(t, src, 0, Position{})
				sameLines(t, size, got.lines, want)
				for i, at := range got.positions {
					if size > 20 && size%7 != 0 {
						break
					}
					rest := readAll(t, src, 0, at)
					sameLines(t, at, rest.lines, want[got.before[i]:])
				}
			}
		}
	}
}

func writeAs(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func gzipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write([]byte(text))
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t testing.TB, text string) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll([]byte(text), nil)
}

func TestRandomFilesAtRandomBlockSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for round := range 60 {
		path := writeFile(t, "in.csv", randomCSV(r, 300, 3, round%2 == 0))
		options := testOptions(path, "header", "false")
		want := readAll(t, open(t, options, threeTexts, Env{}), 0, Position{}).lines
		for range 5 {
			src := open(t, options, threeTexts, Env{BlockBytes: 1 + r.IntN(500)})
			got := readAll(t, src, 0, Position{})
			sameLines(t, round, got.lines, want)
			i := r.IntN(len(got.positions))
			sameLines(t, got.positions[i], readAll(t, src, 0, got.positions[i]).lines, want[got.before[i]:])
		}
	}
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	writeAs(t, filepath.Join(dir, "b.csv"), []byte("c,b,a\n2,y,x"))
	writeAs(t, filepath.Join(dir, "a.csv"), []byte("a,b,c\nx,y,1\n"))
	writeAs(t, filepath.Join(dir, "c.csv"), nil)
	writeAs(t, filepath.Join(dir, "d.csv.gz"), gzipped(t, "x,y,3\n"))
	src := open(t, testOptions(filepath.Join(dir, "*.csv")), threeTexts, Env{BlockBytes: 3})
	got := readAll(t, src, 0, Position{})
	want := []string{`{"a":"x","b":"y","c":1} @2 x,y,1`, `{"a":"x","b":"y","c":2} @2 2,y,x`}
	sameLines(t, "glob", got.lines, want)
	sameLines(t, "second file", readAll(t, src, 0, got.positions[0]).lines, want[1:])
	sameLines(t, "end", readAll(t, src, 0, Position{File: 3}).lines, nil)
	list := filepath.Join(dir, "d.csv.gz") + ", " + filepath.Join(dir, "[ab].csv")
	src = open(t, testOptions(list, "partitions", "per-file", "format", "csv"), threeTexts, Env{})
	if src.Partitions() != 3 {
		t.Fatalf("%d partitions", src.Partitions())
	}
	sameLines(t, "list", readAll(t, src, 0, Position{}).lines, []string{`{"a":"x","b":"y","c":3} @1 x,y,3`})
	sameLines(t, "list", readAll(t, src, 1, Position{}).lines, want[:1])
}

func TestDamagedCompression(t *testing.T) {
	var text strings.Builder
	for i := range 20000 {
		text.WriteString("x,y," + string(rune('0'+i%10)) + "\n")
	}
	for _, c := range []struct{ name, want string }{{"t.csv.gz", "truncated gzip stream"}, {"t.csv.zst", "truncated zstd stream"}} {
		packed := gzipped(t, text.String())
		if strings.HasSuffix(c.name, "zst") {
			packed = zstded(t, text.String())
		}
		path := writeFile(t, c.name, string(packed[:len(packed)-9]))
		out := readAll(t, open(t, testOptions(path, "header", "false"), threeTexts, Env{BlockBytes: 1000}), 0, Position{})
		if out.err == nil || !strings.Contains(out.err.Error(), c.want) || !strings.Contains(out.err.Error(), path) {
			t.Errorf("%s: %v", c.name, out.err)
		}
		if strings.HasSuffix(c.name, "gz") && len(out.lines) < 15000 {
			t.Errorf("%s: only %d rows came before the error", c.name, len(out.lines))
		}
	}
	for _, c := range []struct{ name, text, want string }{{"x.csv.gz", "plain text, not packed\n", "not a gzip stream"}, {"x.csv.zst", "plain\n", "not a zstd stream"}} {
		out := readAll(t, open(t, testOptions(writeFile(t, c.name, c.text)), threeTexts, Env{}), 0, Position{})
		if out.err == nil || !strings.Contains(out.err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, out.err)
		}
	}
	out := readAll(t, open(t, testOptions(writeFile(t, "empty.csv.gz", "")), threeTexts, Env{}), 0, Position{})
	if out.err != nil || len(out.lines) > 0 {
		t.Errorf("empty file: %v", out)
	}
}

func TestLongRecords(t *testing.T) {
	long := strings.Repeat("z", 600)
	for _, c := range []struct{ name, text string }{
		{"csv", "x,y,1\nlong," + long + ",2\nx,y,3\n"},
		{"csv", "x,y,1\nlong,\"" + long + "\",2\nx,y,3"},
		{"ndjson", `{"a":"x","b":"y","c":1}` + "\n" + `{"a":"long` + long + `"}` + "\n" + `{"a":"x","b":"y","c":3}`},
	} {
		for size := 1; size < 500; size += 13 {
			src := open(t, testOptions(writeFile(t, "in."+c.name, c.text), "format", c.name), threeTexts, Env{BlockBytes: size}).(*textSource)
			src.recordBytesMax = 500
			out := readAll(t, src, 0, Position{})
			if len(out.lines) != 3 || !strings.HasPrefix(out.lines[1], "error @2 record longer than 500 bytes: ") ||
				!strings.HasPrefix(out.lines[2], `{"a":"x","b":"y","c":3} @3`) || out.err != nil {
				t.Fatalf("%s at %d: %s", c.name, size, out.lines)
			}
			for i, at := range out.positions {
				sameLines(t, at, readAll(t, src, 0, at).lines, out.lines[out.before[i]:])
			}
		}
	}
	text := "x,y,1\n\"open," + long + "\nx,y,3\n" + strings.Repeat("x,y,4\n", 200)
	src := open(t, testOptions(writeFile(t, "in.csv", text), "header", "false"), threeTexts, Env{BlockBytes: 50}).(*textSource)
	src.recordBytesMax = 700
	if out := readAll(t, src, 0, Position{}); len(out.lines) != 203 || !strings.HasPrefix(out.lines[1], "error @2 quoted field is not closed: \"open,zzz") {
		t.Fatalf("%d: %s", len(out.lines), out.lines)
	}
}

func TestLongRecordMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "long.ndjson")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	piece := bytes.Repeat([]byte("z"), 1<<20)
	f.WriteString("{\"c\":1}\n")
	for range 40 {
		f.Write(piece)
	}
	f.WriteString("\n{\"c\":2}\n")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := readAll(t, open(t, testOptions(path), threeTexts, Env{}), 0, Position{})
	runtime.ReadMemStats(&after)
	if len(out.lines) != 3 || len(out.lines[1]) > ErrorRecordBytesMax+100 || !strings.HasPrefix(out.lines[1], "error @2 record longer than 16 MiB: zzz") {
		t.Fatalf("%d lines", len(out.lines))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 5*RecordBytesMax {
		t.Errorf("%d MiB were allocated on the way", used>>20)
	}
}

func TestFollow(t *testing.T) {
	path := writeFile(t, "grows.csv", "a,b,c\nx,y,1\nx,y")
	src := open(t, testOptions(path, "follow", "true"), threeTexts, Env{})
	if src.Bounded() || !src.Live() {
		t.Error("a followed file has no end and may pause")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := src.Reader(ctx, 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b Block
	next := func() string {
		t.Helper()
		if err := r.Next(ctx, &b); err != nil {
			t.Fatal(err)
		}
		return string(b.Data)
	}
	if got := next(); got != "x,y,1\n" {
		t.Errorf("got %q", got)
	}
	at := b.End
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	time.AfterFunc(20*time.Millisecond, func() { f.WriteString(",2\nhalf") })
	if got := next(); got != "x,y,2\n" {
		t.Errorf("got %q", got)
	}
	short, stop := context.WithTimeout(ctx, 30*time.Millisecond)
	defer stop()
	if err := r.Next(short, &b); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("half a line: %v", err)
	}
	f.WriteString(",y,3\n")
	if got := next(); got != "half,y,3\n" {
		t.Errorf("after a pause: got %q", got)
	}
	again, err := src.Reader(ctx, 0, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Next(ctx, &b); err != nil || string(b.Data) != "x,y,2\nhalf,y,3\n" || b.Start.Line != 2 {
		t.Errorf("from %v: %q %v", at, b.Data, err)
	}
	again.Close()
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	if err := r.Next(ctx, &b); err == nil || !strings.Contains(err.Error(), "became shorter") {
		t.Errorf("truncated: %v", err)
	}
}

func TestStdin(t *testing.T) {
	open := func(in io.Reader) Source {
		src, err := OpenSource("s", &model.Source{Connector: "stdin", Options: map[string]string{"format": "csv"}}, threeTexts, Reading{}, Env{Stdin: in})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
	sameLines(t, "text", readAll(t, open(strings.NewReader("a,b,c\nx,y,1")), 0, Position{}).lines, []string{`{"a":"x","b":"y","c":1} @2 x,y,1`})
	sameLines(t, "gzip", readAll(t, open(bytes.NewReader(gzipped(t, "x,y,1\n"))), 0, Position{}).lines, []string{`{"a":"x","b":"y","c":1} @1 x,y,1`})
	sameLines(t, "resumed", readAll(t, open(strings.NewReader("a,b,c\nx,y,1\nx,y,2\n")), 0, Position{Offset: 12, Line: 2}).lines, []string{`{"a":"x","b":"y","c":2} @3 x,y,2`})
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	src := open(in)
	if !src.Live() {
		t.Error("a pipe may pause")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	r, err := src.Reader(ctx, 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	out.WriteString("x,y,1\nx,y")
	var b Block
	if err := r.Next(ctx, &b); err != nil || string(b.Data) != "x,y,1\n" {
		t.Fatalf("%q %v", b.Data, err)
	}
	if err := r.Next(ctx, &b); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	out.WriteString(",2")
	out.Close()
	if err := r.Next(context.Background(), &b); err != nil || string(b.Data) != "x,y,2" {
		t.Errorf("%q %v", b.Data, err)
	}
	if err := r.Next(context.Background(), &b); err != io.EOF {
		t.Error(err)
	}
	r.Close()
}

func TestProjection(t *testing.T) {
	for _, c := range []struct{ name, text string }{{"in.csv", "1,2,3\nx,5,6\n\"7\",8,9\n"}, {"in.ndjson", `{"a":1,"b":2,"c":3}` + "\n" + `{"a":"x","b":5,"c":6}` + "\n" + `{"c":9,"b":8}` + "\n"}} {
		schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.BigInt}, stream.Field{Name: "b", Type: stream.BigInt},
			stream.Field{Name: "c", Type: stream.BigInt}, stream.Field{Name: "sum", Type: stream.BigInt})
		computed := &model.Source{Connector: "file", Options: map[string]string{"path": writeFile(t, c.name, c.text), "format": formatByName(c.name)},
			Computed: []*model.Expr{nil, nil, nil, {}}}
		src, err := OpenSource("s", computed, schema, Reading{Need: []bool{false, true, false, true}}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := src.Reader(context.Background(), 0, Position{})
		defer r.Close()
		var b Block
		if err := r.Next(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		out := stream.NewBatch(schema, []bool{false, true, false, true})
		errs, err := src.NewDecoder().Decode(&b, out, nil)
		if err != nil || len(errs) > 0 || out.Len != 3 || !out.Cols[0].Absent() || len(out.Cols[3].I64) != 0 || out.Cols[1].I64[2] != 8 {
			t.Errorf("%s: %v %v %+v", c.name, errs, err, out)
		}
	}
}
