package connector

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var foreignNested = stream.NewSchema(stream.Field{Name: "id", Type: stream.BigInt}, stream.Field{Name: "tags", Type: stream.Array(stream.Varchar)},
	stream.Field{Name: "grid", Type: stream.Array(stream.Array(stream.Integer))},
	stream.Field{Name: "at", Type: stream.RowOf(stream.Member{Name: "lat", Type: stream.Double}, stream.Member{Name: "day", Type: stream.Date}, stream.Member{Name: "price", Type: stream.Decimal(6, 2)})},
	stream.Field{Name: "items", Type: stream.Array(stream.RowOf(stream.Member{Name: "sku", Type: stream.Varchar}, stream.Member{Name: "n", Type: stream.Array(stream.BigInt)}))},
	stream.Field{Name: "pair", Type: stream.Array(stream.Integer)})

// Files with arrays and rows that other writers made (testdata/nested/make.py) hold the
// same rows, say their types, and can be gone on with behind every block.
func TestForeignNestedFiles(t *testing.T) {
	text, err := os.ReadFile("testdata/nested/rows.ndjson")
	files, globbed := filepath.Glob("testdata/nested/*.*")
	if err := errors.Join(err, globbed); err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, path := range files {
		if filepath.Ext(path) == ".py" {
			continue
		}
		for _, env := range []Env{{}, {BlockBytes: 300}} {
			src := open(t, testOptions(path), foreignNested, env)
			got := readAll(t, src, 0, Position{})
			if got.err != nil {
				t.Fatal(path, got.err)
			}
			sameLines(t, path, withoutPlaces(got.lines), want)
			for _, p := range positionsOf(t, src) {
				rest := readAll(t, src, 0, p.at)
				if rest.err != nil {
					t.Fatal(path, rest.err)
				}
				sameLines(t, path, withoutPlaces(rest.lines), want[p.rows:])
			}
		}
		if filepath.Ext(path) == ".ndjson" {
			continue
		}
		inferred, err := Infer(path)
		if err != nil || len(inferred.Left) > 0 {
			t.Fatal(inferred.Left, err)
		}
		for i, f := range foreignNested.Fields {
			if c := inferred.Columns[i]; c.Name != f.Name || c.Type != f.Type {
				t.Errorf("%s: %s is %s, not %s", path, c.Name, c.Type, f.Type)
			}
		}
	}
}

func withoutPlaces(lines []string) []string {
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, " @")
	}
	return lines
}

type position struct {
	at   Position
	rows int
}

// positionsOf are the places behind blocks, and how many rows are before them.
func positionsOf(t *testing.T, src Source) (out []position) {
	t.Helper()
	r, err := src.Reader(context.Background(), 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d, b, rows := src.NewDecoder(), Block{}, 0
	for {
		if err := r.Next(context.Background(), &b); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		batch := stream.NewBatch(foreignNested, nil)
		if _, err := d.Decode(&b, batch, nil); err != nil {
			t.Fatal(err)
		}
		rows += batch.Len
		out = append(out, position{b.End, rows})
	}
}
