package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace"
)

func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"data/a.csv", "data/b.csv", "data/.hidden", "query.sql"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var b buffers
	s, err := newShell(b.terminal(), &runFlags{vars: variables{}, engine: "millrace"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.execute(millrace.Script{Name: "test", Text: `
		CREATE STREAM cars (ts TIMESTAMP, speed REAL, WATERMARK FOR ts AS ts) WITH (connector = 'datagen');
		CREATE STREAM trucks (at TIMESTAMP, speed_limit REAL) WITH (connector = 'datagen');
		CREATE VIEW fast AS SELECT speed AS quick FROM cars;`}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{ // "before|line": words that are offered, and with ! words that are not
		"|":                                  "SELECT CREATE SHOW",
		"|sel":                               "select !SELECT",
		"|SEL":                               "SELECT",
		"SELECT 1;|cr":                       "create",
		"|SELECT spe":                        "speed speed_limit",
		"SELECT 1 FROM cars\n|WHERE spe":     "speed !speed_limit",
		"|SELECT * FROM ":                    "cars cars$late trucks fast !fast$late",
		"|SELECT * FROM cars, tr":            "trucks",
		"|SELECT c.s":                        "!c.speed",
		"|SELECT 1 FROM cars c WHERE c.s":    "c.speed",
		"|SELECT 1 FROM cars AS c WHERE c.s": "c.speed",
		"|SELECT cars.":                      "cars.ts cars.speed",
		"|SELECT 1 FROM fast WHERE q":        "quick",
		"|SELECT coa":                        "coalesce",
		"|SELECT CO":                         "COUNT COALESCE",
		"|INSERT INTO t":                     "trucks",
		"|SHOW C":                            "CONNECTORS CREATE",
		"|SHOW CREATE f":                     "fast",
		"|DROP VIEW f":                       "fast",
		"|DROP ":                             "STREAM VIEW",
		"|DESCRIBE tr":                       "trucks",
		"|DESCRIBE con":                      "connector",
		"|DESCRIBE CONNECTOR d":              "datagen",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'file', header = 'a": "auto",
		"|CREATE STREAM s (n BIGINT) WITH (late = 'd":                       "drop",
		"|SET wor":                              "workers",
		"|RESET f":                              "format",
		"|CREATE STREAM s (n BIGINT) WITH (con": "connector",
		"CREATE STREAM s (n BIGINT)|WITH (connector = 'dat":                   "datagen",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'file', format = 'n":   "ndjson",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'datagen', ":           "rows_per_second late !path",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'file', ":              "path format header !rows_per_second",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'file', path = 'da":    "data/",
		"|CREATE STREAM s (n BIGINT) WITH (connector = 'file', path = 'data/": "data/a.csv data/b.csv !data/.hidden",
		`|\ti`:        "timing",
		`|\i que`:     "query.sql",
		`|\d tru`:     "trucks",
		`|SELECT "sp`: "!speed",
	} {
		before, line, _ := strings.Cut(text, "|")
		head, words, tail := s.complete(before+" ", line, len(line))
		for _, w := range strings.Fields(want) {
			absent, not := strings.CutPrefix(w, "!")
			if slices.Contains(words, absent) == not {
				t.Errorf("%q: offered %q; want %s", text, words, want)
			}
		}
		if tail != "" || len(words) > 0 && !strings.HasPrefix(line, head) {
			t.Errorf("%q: head %q, tail %q", text, head, tail)
		}
	}
}
