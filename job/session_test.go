package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/sql"
)

// TestSession runs statements one after the other; each says what the session answers.
func TestSession(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cars.csv")
	if err := os.WriteFile(file, []byte("car,speed\n1,2.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(Options{Workers: 2, Vars: map[string]string{"file": file}})
	if err != nil {
		t.Fatal(err)
	}
	const cars = "CREATE STREAM cars (car INT, speed REAL) WITH (connector = 'file', path = '${file}')"
	for _, c := range []struct{ statement, want string }{
		{"SELECT * FROM cars", `stream "cars" does not exist`},
		{cars, "CREATE STREAM"},
		{"SELECT * FROM cars", "run"},
		{cars, `"cars" is already declared; CREATE OR REPLACE STREAM replaces it, DROP STREAM cars removes it`},
		{strings.Replace(cars, "STREAM", "STREAM IF NOT EXISTS", 1), `warning: "cars" is declared already`},
		{"CREATE VIEW fast AS SELECT car, speed FROM cars WHERE speed > 2", "CREATE VIEW"},
		{"CREATE VIEW faster AS SELECT car FROM fast WHERE speed > 3", "CREATE VIEW"},
		{"SHOW VIEWS", "list 2"},
		{"DROP STREAM cars", `view fast reads "cars"; DROP VIEW fast first`},
		{"DROP TABLE fast", `"fast" is no table; write DROP VIEW fast`},
		{"DROP VIEW fats", `"fats" does not exist; did you mean "fast"?`},
		{"DROP VIEW IF EXISTS fats", "DROP VIEW"},
		{"CREATE OR REPLACE STREAM cars (car INT) WITH (connector = 'file', path = '${file}')", `view fast would be wrong: column "speed" does not exist`},
		{"SELECT speed FROM cars", "run"}, // it is as it was
		{"CREATE OR REPLACE VIEW fast AS SELECT car, speed * 2 AS speed FROM cars", "CREATE VIEW"},
		{"CREATE OR REPLACE VIEW fast AS SELECT car FROM cars", `view faster would be wrong: column "speed" does not exist`},
		{"CREATE OR REPLACE VIEW fast AS SELECT * FROM faster", `uses itself`},
		{"CREATE VIEW broken AS SELECT nothing FROM cars", `column "nothing" does not exist`},
		{"SHOW VIEWS", "list 2"},
		{"EXPLAIN SELECT * FROM fast", "explain"},
		{"DESCRIBE CONNECTOR Filesystem", "list"},
		{"DESCRIBE CONNECTOR fil", `there is no connector "fil"; did you mean "file"?`},
		{"SET workers = 3", "SET"},
		{"SET workers = 4", "SET"},
		{"SET memory = '1KB'", "a memory budget below 64 MiB"},
		{"SHOW workers", "list 1"},
		{"BEGIN STATEMENT SET; CREATE VIEW w AS SELECT 1 AS one FROM cars; END", "run nothing"},
		{"BEGIN STATEMENT SET; DROP VIEW faster; SELECT car FROM cars; END", "a statement set holds INSERT INTO and SET only"},
		{"RESET memory", "RESET"},
		{"DROP VIEW faster", "DROP VIEW"},
		{"DROP VIEW fast", "DROP VIEW"},
		{"DROP TABLE cars", "DROP TABLE"},
		{"-- nothing", "run nothing"},
	} {
		if c.want == "run nothing" && strings.HasPrefix(c.statement, "BEGIN") {
			c.want = "CREATE VIEW" // a set of one statement is that statement
		}
		p, err := s.Prepare(Script{Name: "q", Text: c.statement})
		if got := answer(p, err); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s; want %s", c.statement, got, c.want)
		}
	}
	if o := s.Options(); o.Workers != 4 {
		t.Errorf("%d workers, want those of SET", o.Workers)
	}
	if _, err := s.Prepare(Script{Name: "q", Text: "RESET ALL"}); err != nil || s.Options().Workers != 2 {
		t.Errorf("RESET ALL leaves %d workers, %v; want those of the options", s.Options().Workers, err)
	}
}

// answer is what a session makes of a statement.
func answer(p *Plan, err error) string {
	var request *RequestError
	switch {
	case errors.As(err, &request):
		return err.Error()
	case err != nil:
		return "no RequestError: " + err.Error()
	case len(p.Warnings()) > 0:
		return "warning: " + p.Warnings()[0]
	case p.Done() != "":
		return p.Done()
	case len(p.Listings()) > 0:
		return "list " + string(rune('0'+len(p.Listings()[0].Rows)))
	case len(p.Explained()) > 0:
		return "explain"
	case p.Empty():
		return "run nothing"
	}
	return "run"
}

// TestSettingsOfScripts: an option goes before a script's SET, and what options refuse is
// shown at the value.
func TestSettingsOfScripts(t *testing.T) {
	script := func(text string) []Script { return []Script{{Name: "q", Text: text}} }
	const all = "SET workers = 3; SET task_size = '64KiB'; SET memory = '1GiB'; SET processors = 'sim'; SET scheduler = fcfs; SET format = csv; SET latency_target = '5ms'; SHOW SETTINGS"
	p, err := Prepare(script(all), Options{Processors: Auto, Workers: 5, MemoryBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	o := p.Options()
	if o.Workers != 5 || o.TaskBytes != 64<<10 || o.MemoryBytes != 64<<20 || o.Processors != "sim" || o.Scheduler != "fcfs" || o.Format != "csv" || o.LatencyTarget.Milliseconds() != 5 {
		t.Errorf("%+v", o)
	}
	if p, err = Prepare(script("SHOW SETTINGS"), Options{Processors: Auto, Engine: EngineReference}); err != nil || p.Options().Processors != "cpu" || p.Options().Workers < 1 {
		t.Errorf("%v, %v", p, err)
	}
	_, err = Prepare(script("SHOW SETTINGS;\nSET processors = 'gpu'"), Options{})
	var mistake *sql.Error
	if !errors.As(err, &mistake) || mistake.Line != 2 || mistake.Column != 18 {
		t.Errorf("%v, want it at 2:18", err)
	}
}
