package connector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"

	"github.com/millrace/millrace/stream"
)

// What goavro writes is read: unions, enums, logical types; values that do not fit are
// error rows, types that do not are refused.
func TestAvroTypes(t *testing.T) {
	const schema = `{"type":"record","name":"r","fields":[
		{"name":"Id","type":"int"}, {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}]},
		{"name":"kind","type":{"type":"enum","name":"k","symbols":["a","b"]}}, {"name":"text","type":["string","null"]},
		{"name":"day","type":{"type":"int","logicalType":"date"}}, {"name":"many","type":{"type":"array","items":"int"}}, {"name":"either","type":["int","string"]}]}`
	path := filepath.Join(t.TempDir(), "a.avro")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := goavro.NewOCFWriter(goavro.OCFConfig{W: f, Schema: schema, CompressionName: "snappy"})
	if err != nil {
		t.Fatal(err)
	}
	record := func(id int, text any, day int) map[string]any {
		return map[string]any{"Id": id, "at": goavro.Union("long.timestamp-millis", int64(id)), "kind": "b", "text": text, "day": day, "many": []int{1}, "either": goavro.Union("int", 1)}
	}
	for i, text := range []any{goavro.Union("string", "x"), nil, goavro.Union("string", "\xff"), goavro.Union("string", "z")} {
		if err := w.Append([]any{record(i+1, text, []int{0, -1, 2, 1 << 30}[i])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	columns := stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "text", Type: stream.Varchar},
		stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "day", Type: stream.Date}, stream.Field{Name: "kind", Type: stream.Varchar})
	got := readAll(t, open(t, testOptions(path), columns, Env{}), 0, Position{})
	for i, line := range got.lines {
		got.lines[i], _, _ = strings.Cut(line, ": {")
	}
	check(t, got.lines, []string{
		`{"id":1,"text":"x","at":"1970-01-01T00:00:00.001Z","day":"1970-01-01","kind":"b"} @1 {"id":1,"text":"x","at":"1970-01-01T00:00:00.001Z","day":"1970-01-01","kind":"b"}`,
		`{"id":2,"text":null,"at":"1970-01-01T00:00:00.002Z","day":"1969-12-31","kind":"b"} @2 {"id":2,"text":null,"at":"1970-01-01T00:00:00.002Z","day":"1969-12-31","kind":"b"}`,
		`error @3 column "text": invalid UTF-8`,
		`error @4 column "day": a value is out of the range of DATE`,
	})
	inferred, err := Infer(path)
	if err != nil || strings.Join(inferred.Left, ", ") != "either (a union of several types)" || len(inferred.Columns) != 6 {
		t.Errorf("%+v %v", inferred, err)
	}
	for column, want := range map[string]string{"many": "it is ARRAY<INTEGER>, which cannot be read as VARCHAR", "wrong": "the file has no such column"} {
		if _, err := CheckSource(testOptions(path), []stream.Field{{Name: column, Type: stream.Varchar}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", column, err)
		}
	}
	avroCut(t, path, columns)
}

// avroCut: a file that is cut off or changed is an error that names it, or gives some of
// its rows; nothing panics.
func avroCut(t *testing.T, path string, columns *stream.Schema) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		bad := append([]byte(nil), whole...)
		bad[at] ^= 0x55
		for _, data := range [][]byte{whole[:at], bad} {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := CheckSource(testOptions(path), columns.Fields); err != nil {
				if !strings.Contains(err.Error(), "a.avro: ") {
					t.Fatalf("byte %d: %v", at, err)
				}
				continue
			}
			r, err := open(t, testOptions(path), columns, Env{}).Reader(t.Context(), 0, Position{})
			if err != nil {
				t.Fatal(err)
			}
			for b, n := (&Block{}), 0; n < 10; n++ {
				if r.Next(t.Context(), b) != nil {
					break
				}
				src := &avroSource{newRecordFiles("s", noComputed, columns, fileLists{})}
				_, _ = src.NewDecoder().Decode(b, stream.NewBatch(columns, nil), nil)
			}
			_ = r.Close()
		}
	}
}
