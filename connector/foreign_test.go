package connector

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var foreignColumns = stream.NewSchema(
	stream.Field{Name: "d4", Type: stream.Decimal(4, 2)}, stream.Field{Name: "d18", Type: stream.Decimal(18, 3)}, stream.Field{Name: "d38", Type: stream.Decimal(38, 0)},
	stream.Field{Name: "ti", Type: stream.TinyInt}, stream.Field{Name: "sm", Type: stream.SmallInt}, stream.Field{Name: "day", Type: stream.Date},
	stream.Field{Name: "clock", Type: stream.TimeOfDay}, stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "raw", Type: stream.Bytes})

var foreignRows = []string{
	`{"d4":-99.99,"d18":999999999999999.999,"d38":99999999999999999999999999999999999999,"ti":-128,"sm":-32768,"day":"0001-01-01","clock":"00:00:00","at":"0001-01-01T00:00:00Z","raw":""}`,
	`{"d4":0.01,"d18":-999999999999999.999,"d38":-99999999999999999999999999999999999999,"ti":127,"sm":32767,"day":"9999-12-31","clock":"23:59:59.999999","at":"2999-12-31T23:59:59.999999Z","raw":"AP8="}`,
	`{"d4":null,"d18":0.000,"d38":null,"ti":null,"sm":null,"day":null,"clock":null,"at":null,"raw":null}`,
	`{"d4":12.30,"d18":null,"d38":1,"ti":0,"sm":0,"day":"1969-12-31","clock":"03:04:05","at":"1969-12-31T23:59:59Z","raw":"YWJj"}`,
}

// Files that other writers made (testdata/make.py) hold the same rows, and say their types.
func TestForeignFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 7 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		if filepath.Ext(path) == ".py" {
			continue
		}
		got := readAll(t, open(t, testOptions(path), foreignColumns, Env{}), 0, Position{})
		for i, line := range got.lines {
			got.lines[i], _, _ = strings.Cut(line, " @")
		}
		sameLines(t, path, got.lines, foreignRows)
		inferred, err := Infer(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range foreignColumns.Fields {
			want := f.Type
			if want.IsSmall() && filepath.Ext(path) == ".avro" {
				want = stream.Integer // it has no smaller one
			}
			if c := inferred.Columns[i]; c.Name != f.Name || c.Type != want {
				t.Errorf("%s: %s is %s, not %s", path, c.Name, c.Type, want)
			}
		}
	}
}

// A DECIMAL is read as one that holds it, a number that is too large for what its file
// says is an error row, and one that would lose digits is refused.
func TestDecimalsOfFiles(t *testing.T) {
	for _, path := range []string{"testdata/fixed.parquet", "testdata/dictionary.parquet", "testdata/integers.parquet", "testdata/decimals.arrow", "testdata/plain.arrow", "testdata/rows.avro"} {
		wider := stream.NewSchema(stream.Field{Name: "d4", Type: stream.Decimal(38, 36)}, stream.Field{Name: "d18", Type: stream.Decimal(20, 4)})
		got := readAll(t, open(t, testOptions(path), wider, Env{}), 0, Position{})
		want := []string{`{"d4":-99.990000000000000000000000000000000000,"d18":999999999999999.9990}`, `{"d4":0.010000000000000000000000000000000000,"d18":-999999999999999.9990}`,
			`{"d4":null,"d18":0.0000}`, `{"d4":12.300000000000000000000000000000000000,"d18":null}`}
		for i, line := range got.lines {
			got.lines[i], _, _ = strings.Cut(line, " @")
		}
		sameLines(t, path, got.lines, want)
		for _, narrow := range []stream.Type{stream.Decimal(4, 1), stream.Decimal(3, 2), stream.Decimal(4, 3), stream.Double, stream.BigInt} {
			_, err := CheckSource(testOptions(path), []stream.Field{{Name: "d4", Type: narrow}})
			if err == nil || !strings.Contains(err.Error(), "cannot be read as "+narrow.String()) || !strings.Contains(err.Error(), "declare it DECIMAL(4,2)") {
				t.Errorf("%s as %s: %v", path, narrow, err)
			}
		}
	}
}
