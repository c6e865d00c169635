package sql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/sql"
)

func resolve(t *testing.T, script string) (*sql.Result, error) {
	t.Helper()
	return sql.Resolve([]sql.Script{prelude(t), {Name: "query.sql", Text: script}}, catalog{}, vars)
}

// Whatever nests must hit a limit, not the end of the stack, and nothing may take time
// that grows faster than the script.
func TestLimits(t *testing.T) {
	const n = 100000
	views := "CREATE VIEW v0 AS SELECT cid FROM customers;\n"
	for i := 1; i < 60; i++ {
		views += fmt.Sprintf("CREATE VIEW v%d AS SELECT a.cid FROM v%d a JOIN v%d b ON a.cid = b.cid;\n", i, i-1, i-1)
	}
	for name, c := range map[string]struct {
		script string
		ok     bool
	}{
		"sum":            {"SELECT car" + strings.Repeat("+1", n) + " FROM cars", false},
		"casts":          {"SELECT car" + strings.Repeat("::int", n) + " FROM cars", false},
		"predicates":     {"SELECT car" + strings.Repeat(" is null", n) + " FROM cars", false},
		"conjunction":    {"SELECT car FROM cars WHERE car = 1" + strings.Repeat(" AND car = 2", 5000), true},
		"conjunctions":   {"SELECT car FROM cars WHERE car = 1" + strings.Repeat(" AND car = 2", n), false},
		"disjunction":    {"SELECT car FROM cars WHERE car = 1" + strings.Repeat(" OR car = 2", n), false},
		"conjunct value": {"SELECT car = 1" + strings.Repeat(" AND car = 2", 5000) + " FROM cars", false},
		"negations":      {"SELECT " + strings.Repeat("NOT ", n) + "TRUE FROM cars", false},
		"signs":          {"SELECT " + strings.Repeat("- ", n) + "car FROM cars", false},
		"parentheses":    {"SELECT " + strings.Repeat("(", n), false},
		"cases":          {"SELECT " + strings.Repeat("CASE WHEN ", n), false},
		"calls":          {"SELECT " + strings.Repeat("ABS(", n), false},
		"sub-queries":    {strings.Repeat("SELECT * FROM (", n), false},
		"joins":          {"SELECT * FROM " + strings.Repeat("(", n), false},
		"queries":        {strings.Repeat("(", n), false},
		"list":           {"SELECT car FROM cars WHERE car IN (1" + strings.Repeat(",2", 10000) + ")", true},
		"views":          {views + "SELECT * FROM v59", true},
		"script":         {"SELECT 1 FROM cars --" + strings.Repeat(" ", 5<<20), false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := resolve(t, c.script)
			if (err == nil) != c.ok {
				t.Fatalf("%.300v", err)
			}
			var e *sql.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
			if err == nil {
				if err := model.Verify(r.Model); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestScriptsOfSeveralFiles(t *testing.T) {
	r, err := sql.Resolve([]sql.Script{{Name: "a.sql", Text: "SELECT x FROM t"}, {Name: "b.sql", Text: "\ufeffCREATE TABLE t (x INT) WITH (connector = 'live');\r\nSELECT x + 1 FROM t"}}, catalog{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.Results); got != "[result result_1]" {
		t.Error(got)
	}
	_, err = sql.Resolve([]sql.Script{{Name: "a.sql", Text: "SELECT x FROM t"}, {Name: "b.sql", Text: "\ufeffCREATE TABLE t (x INT) WITH (connector = 'live');\r\nSELECT y + 1 FROM t\r\n"}}, catalog{}, nil)
	want := "b.sql:2:8: column \"y\" does not exist in stream t\n  2 | SELECT y + 1 FROM t\n    |        ^"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestInvalidText(t *testing.T) {
	_, err := sql.Resolve([]sql.Script{{Name: "a.sql", Text: "SELECT 'a\xffb'"}}, catalog{}, nil)
	var e *sql.Error
	if !errors.As(err, &e) || e.Column != 10 {
		t.Error(err)
	}
	if _, err = sql.Resolve([]sql.Script{{Name: "a.sql", Text: "SELECT ${x} FROM t"}}, catalog{}, map[string]string{"x": "\xff"}); !errors.As(err, &e) {
		t.Error(err)
	}
}
