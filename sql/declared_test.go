package sql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql"
)

const declarations = `CREATE STREAM rides (
  ts TIMESTAMP, car INT NOT NULL, fee DOUBLE AS_IS, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (connector = 'live')`

func TestDeclared(t *testing.T) {
	const script = `
CREATE STREAM rides (ts TIMESTAMP, car INT NOT NULL, twice AS car * 2, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
  WITH (connector = 'live', 'rows-per-second' = 5);
CREATE VIEW busy AS WITH c AS (SELECT * FROM rides) SELECT c.car, ts FROM c JOIN customers k ON c.car = k.cid;
SHOW TABLES; SHOW CREATE VIEW busy; DESCRIBE rides; DESC SELECT car, COUNT(*) FROM rides [ROWS 5 SLIDE 5] GROUP BY car; SET; SHOW workers`
	r, err := resolve(t, script)
	if err != nil {
		t.Fatal(err)
	}
	var rides, busy *sql.Declared
	for _, d := range r.Declared() {
		switch d.Name {
		case "rides":
			rides = d
		case "busy":
			busy = d
		}
	}
	if got := fmt.Sprint(rides.Columns, rides.Computed, rides.Time, rides.DelayMicros, rides.Connector, rides.Options); !strings.Contains(got, "[  car * 2] 0 5000000live[{rows-per-second 5}]") {
		t.Errorf("rides: %s", got)
	}
	if got := fmt.Sprint(busy.Reads, busy.View, busy.Time, len(busy.Columns)); got != "[rides customers] true 1 2" {
		t.Errorf("busy: %s", got)
	}
	var kinds []sql.ShowKind
	for _, s := range r.Shows {
		kinds = append(kinds, s.Kind)
	}
	if want := []sql.ShowKind{sql.ShowTables, sql.ShowCreate, sql.Describe, sql.Describe, sql.ShowSettings, sql.ShowSettings}; fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("shows %v, want %v", kinds, want)
	}
	if s := r.Shows[1].Relation; !strings.HasPrefix(s.Text, "CREATE VIEW busy AS WITH c") || !strings.HasSuffix(s.Text, "k.cid") {
		t.Errorf("SHOW CREATE: %q", s.Text)
	}
	if s := r.Shows[3].Relation; len(s.Columns) != 2 || r.Shows[5].Name != "workers" {
		t.Errorf("DESCRIBE SELECT: %v, SHOW %s", s.Columns, r.Shows[5].Name)
	}
}

// TestAllMistakes finds the mistakes of all statements, and each once.
func TestAllMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   []string // places
	}{
		"syntax":      {"SELECT car FROM cars WHERE; SELECT car FROM; SELECT nothing FROM cars; DROP x", []string{"1:27", "1:44", "1:77"}},
		"names":       {"SELECT sped FROM cars;\nSELECT car FROM carz; SELECT car FROM cars", []string{"1:8", "2:17"}},
		"declaration": {declarations + "; SELECT * FROM rides; SELECT * FROM rides", []string{"2:46"}},
		"used twice":  {"CREATE STREAM s (a INT, b AS c) WITH (connector = 'live'); SELECT a FROM s; SELECT b FROM s", []string{"1:30"}},
	} {
		_, err := resolve(t, c.script)
		var e *sql.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, e := range append([]*sql.Error{e}, e.More...) {
			got = append(got, fmt.Sprintf("%d:%d", e.Line, e.Column))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: mistakes at %v, want %v", name, got, c.want)
		}
	}
}

func TestStatements(t *testing.T) {
	for script, want := range map[string]string{
		"CREATE OR REPLACE VIEW v AS SELECT 1 FROM s": "declare v view true false",
		"CREATE TABLE IF NOT EXISTS t (a INT)":        "declare t table false true",
		"DROP VIEW IF EXISTS v":                       "drop v view false true",
		"RESET workers":                               "reset workers  false false",
		"RESET ALL":                                   "reset   false false",
		"SET workers = 4":                             "set workers  false false",
		"EXPLAIN SELECT 1 FROM s":                     "query   false false",
	} {
		s, err := sql.Statements(sql.Script{Name: "q", Text: script}, nil)
		if err != nil || len(s) != 1 {
			t.Errorf("%s: %v, %v", script, s, err)
			continue
		}
		verb := map[sql.Verb]string{sql.VerbQuery: "query", sql.VerbDeclare: "declare", sql.VerbDrop: "drop", sql.VerbSet: "set", sql.VerbReset: "reset"}[s[0].Verb]
		if got := fmt.Sprint(verb, " ", s[0].Name, " ", s[0].Kind, " ", s[0].Replace, " ", s[0].Lenient); got != want {
			t.Errorf("%s: %s, want %s", script, got, want)
		}
	}
}
