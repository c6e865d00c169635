package sql

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const document = "../docs/sql.md"

// statementExamples are the statements in the fence behind "Every form of statement".
var statementExamples = regexp.MustCompile("(?s)Every form of statement[^`]*```sql\n(.*?)```")

// TestStatementsDocumented: docs/sql.md has an example of every kind of statement, and every
// example is one.
func TestStatementsDocumented(t *testing.T) {
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	m := statementExamples.FindSubmatch(page)
	if m == nil {
		t.Fatalf("%s has no examples of statements", document)
	}
	text, err := expand(Script{Name: "sql.md", Text: string(m[1])}, nil)
	if err != nil {
		t.Fatal(err)
	}
	statements, wrong := parse(text, 0)
	for _, err := range wrong {
		t.Error(err)
	}
	kinds, shows, explains, analyzes := map[statementKind]bool{}, map[ShowKind]bool{}, false, false
	for _, s := range statements {
		kinds[s.kind] = true
		if s.kind == showStatement {
			shows[s.show.kind] = true
		}
		explains, analyzes = explains || s.explain && !s.analyze, analyzes || s.analyze
	}
	for k := createStream; k <= resetStatement; k++ {
		if !kinds[k] {
			t.Errorf("there is no example of statements of kind %d", k)
		}
	}
	for k := ShowStreams; k <= DescribeConnector; k++ {
		if !shows[k] {
			t.Errorf("there is no example of SHOW or DESCRIBE of kind %d", k)
		}
	}
	if !explains || !analyzes {
		t.Error("there is no example of EXPLAIN, or of EXPLAIN ANALYZE")
	}
}

// TestSettingsDocumented: every setting stands in the table of docs/sql.md.
func TestSettingsDocumented(t *testing.T) {
	page, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "### Settings")
	section, _, _ = strings.Cut(section, "\n## ")
	written := regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(section, -1)
	there := map[string]bool{}
	for _, row := range written {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			there[name[1]] = true
		}
	}
	if !found || len(there) != len(AllSettings()) {
		t.Errorf("%s lists %d settings, and there are %d", document, len(there), len(AllSettings()))
	}
	for _, s := range AllSettings() {
		if !there[s.Name] {
			t.Errorf("%s does not list %s", document, s.Name)
		}
	}
}
