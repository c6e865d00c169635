package connector

import (
	"bytes"
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

// testOptions are a file source's options with path set.
func testOptions(path string, pairs ...string) map[string]string {
	options := map[string]string{"connector": "file", "path": path}
	for i := 0; i < len(pairs); i += 2 {
		options[pairs[i]] = pairs[i+1]
	}
	return options
}

func open(t testing.TB, options map[string]string, schema *stream.Schema, env Env) Source {
	t.Helper()
	info, err := CheckSource(options, schema.Fields)
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenSource("s", &model.Source{Connector: info.Connector, Options: info.Options}, schema, Reading{}, env)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// result is everything a source gave: rows as NDJSON lines, with error rows where they
// happened, and the positions between blocks with the number of lines before them.
type result struct {
	lines     []string
	positions []Position
	before    []int
	err       error
}

func readAll(t testing.TB, src Source, partition int, at Position) result {
	t.Helper()
	r, err := src.Reader(context.Background(), partition, at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return drain(t, src, r)
}

func drain(t testing.TB, src Source, r Reader) result {
	t.Helper()
	var out result
	schema := schemaOf(src)
	d := src.NewDecoder()
	var b Block
	for {
		if err := r.Next(context.Background(), &b); err != nil {
			if err != io.EOF {
				out.err = err
			}
			return out
		}
		batch := stream.NewBatch(schema, nil)
		errs, err := d.Decode(&b, batch, append([]RecordError(nil), b.Errors...))
		if err != nil {
			t.Fatal(err)
		}
		row := 0
		upTo := func(n int) {
			for ; row < n; row++ {
				text, line := d.Record(row)
				out.lines = append(out.lines, string(AppendJSONRow(nil, batch, schema.Visible(), row))+
					fmt.Sprintf(" @%d %s", b.Start.Line+line, text))
			}
		}
		for _, e := range errs {
			upTo(e.Before)
			out.lines = append(out.lines, fmt.Sprintf("error @%d %s: %s", b.Start.Line+e.Line, e.Reason, e.Record))
		}
		upTo(batch.Len)
		out.positions, out.before = append(out.positions, b.End), append(out.before, len(out.lines))
	}
}

func schemaOf(src Source) *stream.Schema {
	switch s := src.(type) {
	case *textSource:
		return s.schema
	case *datagenSource:
		return s.schema
	case *avroSource:
		return stream.NewSchema(s.fields...)
	case *arrowSource:
		return stream.NewSchema(s.fields...)
	case *parquetSource:
		return stream.NewSchema(s.fields...)
	}
	panic("unknown source")
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var everyType = stream.NewSchema(
	stream.Field{Name: "b", Type: stream.Boolean}, stream.Field{Name: "i", Type: stream.Integer},
	stream.Field{Name: "l", Type: stream.BigInt}, stream.Field{Name: "f", Type: stream.Real},
	stream.Field{Name: "d", Type: stream.Double}, stream.Field{Name: "s", Type: stream.Varchar},
	stream.Field{Name: "t", Type: stream.Timestamp}, stream.Field{Name: "v", Type: stream.Interval})

func TestFileToOutput(t *testing.T) {
	in := "b,i,l,f,d,s,t,v\ntrue,1,-2,0.5,1e300,\"a,\"\"b\"\"\",2026-01-02 03:04:05.5,1 02:03:04\n,,,,,,,\nf,x,1,1,1,é,2026-01-02,00:00:01\n"
	src := open(t, testOptions(writeFile(t, "a.csv", in)), everyType, Env{})
	got := readAll(t, src, 0, Position{})
	want := []string{
		`{"b":true,"i":1,"l":-2,"f":0.5,"d":1e+300,"s":"a,\"b\"","t":"2026-01-02T03:04:05.500Z","v":"1 02:03:04"} @2 true,1,-2,0.5,1e300,"a,""b""",2026-01-02 03:04:05.5,1 02:03:04`,
		`{"b":null,"i":null,"l":null,"f":null,"d":null,"s":null,"t":null,"v":null} @3 ,,,,,,,`,
		`error @4 column "i": cannot read "x" as INTEGER: f,x,1,1,1,é,2026-01-02,00:00:01`,
	}
	check(t, got.lines, want)
	var out bytes.Buffer
	sink, err := OpenSink(&model.Sink{Connector: "stdout"}, everyType, everyType.Visible(), Env{Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	row := stream.NewBatch(everyType, nil)
	row.AppendRow([]stream.Value{stream.Bool(true), stream.Int(1), stream.Big(2), stream.Float(.25), stream.Dbl(3), stream.Text("x"), stream.Time(0), stream.Duration(0)})
	bytesOut := sink.(ByteSink)
	if err := errors.Join(bytesOut.Write(bytesOut.NewEncoder().Encode(nil, row, 0, 1)), bytesOut.Close()); err != nil {
		t.Fatal(err)
	}
	if want := `{"b":true,"i":1,"l":2,"f":0.25,"d":3,"s":"x","t":"1970-01-01T00:00:00Z","v":"00:00:00"}` + "\n"; out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func check(t testing.TB, got, want []string) {
	t.Helper()
	for i := 0; i < max(len(got), len(want)); i++ {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("line %d\n got %s\nwant %s\nall: %s", i, g, w, strings.Join(got, "\n"))
		}
	}
}

var noComputed = &model.Source{}
