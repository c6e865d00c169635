package job

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql"
)

var flinkRow = regexp.MustCompile("^\\| `(.*)` \\| (same|different|not yet) \\|")

// Every statement of docs/sql/flink.md is accepted, or refused where it is said to be not
// yet there.
func TestFlinkPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "sql", "flink.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	_, rest, found := strings.Cut(text, "```sql\n")
	prelude, rest, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the page has no tables to try statements on")
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("people.csv", []byte("id,name,city\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join("days", "day=2026-01-01"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("days", "day=2026-01-01", "part-0.csv"), []byte("a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(rest) {
		m := flinkRow.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "| `") {
				t.Errorf("not understood: %s", line)
			}
			continue
		}
		tried++
		statement := html.UnescapeString(m[1])
		if strings.HasPrefix(statement, "CREATE") {
			statement += "; SELECT auction FROM bids"
		}
		_, err := Prepare([]sql.Script{{Name: "page.sql", Text: prelude + statement + ";"}}, Options{Workers: 1})
		switch {
		case m[2] == "not yet" && err == nil:
			t.Errorf("is said to be not yet there, and is accepted: %s", statement)
		case m[2] != "not yet" && err != nil:
			t.Errorf("%s: %s\n%v", m[2], statement, err)
		}
	}
	if tried < 50 {
		t.Errorf("%d statements were tried: the page has more", tried)
	}
}
