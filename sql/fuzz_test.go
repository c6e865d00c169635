package sql_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/sql"
)

// FuzzParse resolves any text: it must not panic, an error must lie inside the text,
// and what resolves must be a model that can be run.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/model_*.txt", "testdata/error_*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			for _, c := range readGolden(f, file) {
				f.Add(c.script)
			}
		}
	}
	before := prelude(f)
	f.Fuzz(func(t *testing.T, script string) {
		r, err := sql.Resolve([]sql.Script{before, {Name: "query.sql", Text: script}}, catalog{}, vars)
		if err == nil {
			if len(r.Model.Ops) > 0 {
				if err := model.Verify(r.Model); err != nil {
					t.Fatalf("%v\n%s", err, model.Format(r.Model))
				}
			}
			for _, e := range r.Explain {
				if err := model.Verify(e.Model); err != nil {
					t.Fatalf("%v\n%s", err, model.Format(e.Model))
				}
			}
			return
		}
		var e *sql.Error
		if !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
		checkPosition(t, script, e)
	})
}

func checkPosition(t *testing.T, script string, e *sql.Error) {
	if e.File != "query.sql" {
		return
	}
	lines := strings.Split(script, "\n")
	if e.Line < 1 || e.Line > len(lines) {
		t.Fatalf("line %d of %d: %v", e.Line, len(lines), e)
	}
	width := utf8.RuneCountInString(lines[e.Line-1])
	if e.Column < 1 || e.Column > width+1 || e.Length < 1 || e.Length > max(1, width-e.Column+1) {
		t.Fatalf("column %d, length %d in a line of %d: %v", e.Column, e.Length, width, e)
	}
	if strings.TrimSpace(e.Message) == "" {
		t.Fatal("an error without a message")
	}
}
