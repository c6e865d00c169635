package sql_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/sql"
	"github.com/millrace/millrace/stream"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files with what the code does now")

// catalog knows the connectors of the tests: "file" is bounded and wants a path,
// "live" is unbounded, "null" is a sink only.
type catalog struct{}

var known = []string{"path", "format", "header", "rows-per-second"}

func (catalog) options(options map[string]string) error {
	for k := range options {
		ok := false
		for _, n := range known {
			ok = ok || n == k
		}
		if !ok {
			return &model.OptionError{Option: k, Message: fmt.Sprintf("option %q does not exist", k), Hint: "there are path, format and header"}
		}
	}
	return nil
}

func (c catalog) Source(connector string, options map[string]string, columns []stream.Field) (sql.Connection, error) {
	if err := c.options(options); err != nil {
		return sql.Connection{}, err
	}
	switch connector {
	case "file", "filesystem":
		if options["path"] == "" {
			return sql.Connection{}, &model.OptionError{Message: "the file connector needs a path", Hint: "add path = '..'"}
		}
		return sql.Connection{Connector: "file", Options: options, Bounded: true}, nil
	case "live":
		return sql.Connection{Connector: "live", Options: options}, nil
	}
	return sql.Connection{}, &model.OptionError{Option: "connector", Message: fmt.Sprintf("connector %q does not exist", connector), Hint: `did you mean "file"?`}
}

func (c catalog) Connectors() []string { return []string{"file", "filesystem", "live"} }

func (c catalog) Sink(connector string, options map[string]string, columns []stream.Field) (sql.Connection, error) {
	if err := c.options(options); err != nil {
		return sql.Connection{}, err
	}
	if connector == "live" {
		return sql.Connection{}, &model.OptionError{Option: "connector", Message: "the live connector cannot be written"}
	}
	return sql.Connection{Connector: connector, Options: options}, nil
}

// golden is one case of a golden file.
type golden struct {
	name, script, want string
}

// readGolden reads "=== name", the script, "---", the result.
func readGolden(t testing.TB, file string) []golden {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []golden
	for _, block := range strings.Split("\n"+string(data), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		script, want, _ := strings.Cut(rest+"\n", "\n---\n")
		out = append(out, golden{name, strings.TrimRight(script, "\n"), strings.TrimRight(want, "\n")})
	}
	return out
}

func checkGolden(t *testing.T, file string, run func(t *testing.T, script string) string) {
	cases := readGolden(t, file)
	var b strings.Builder
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("%s: two cases are called %q", file, c.name)
		}
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			got := strings.TrimRight(run(t, c.script), "\n")
			fmt.Fprintf(&b, "=== %s\n%s\n---\n%s\n\n", c.name, c.script, got)
			if got != c.want && !*rewrite {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.script, got, c.want)
			}
		})
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func prelude(t testing.TB) sql.Script {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "prelude.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return sql.Script{Name: "prelude.sql", Text: string(data)}
}

var vars = map[string]string{"data": "/data/it's", "limit": "40"}

func TestModels(t *testing.T) {
	files, err := filepath.Glob("testdata/model_*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		checkGolden(t, file, func(t *testing.T, script string) string {
			r, err := sql.Resolve([]sql.Script{prelude(t), {Name: "query.sql", Text: script}}, catalog{}, vars)
			if err != nil {
				return "error: " + err.Error()
			}
			var b strings.Builder
			if len(r.Model.Ops) > 0 {
				verify(t, r.Model)
				b.WriteString(model.Format(r.Model))
			}
			for _, e := range r.Explain {
				verify(t, e.Model)
				if b.WriteString("explain"); e.Analyze {
					b.WriteString(" analyze")
				}
				b.WriteString("\n" + model.Format(e.Model))
			}
			for _, w := range r.Warnings {
				if strings.HasPrefix(w, "--set ") {
					continue // most cases mention no variable
				}
				b.WriteString("warning: " + w + "\n")
			}
			return b.String()
		})
	}
}

func verify(t *testing.T, m *model.Model) {
	t.Helper()
	if err := model.Verify(m); err != nil {
		t.Errorf("the model is wrong: %v\n%s", err, model.Format(m))
	}
}

func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/error_*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		checkGolden(t, file, func(t *testing.T, script string) string {
			_, err := sql.Resolve([]sql.Script{prelude(t), {Name: "query.sql", Text: script}}, catalog{}, vars)
			if err == nil {
				t.Error("no error")
				return "no error"
			}
			var e *sql.Error
			if !errors.As(err, &e) {
				t.Errorf("%T is no *sql.Error", err)
			}
			return err.Error()
		})
	}
}

func TestSettings(t *testing.T) {
	for script, want := range map[string]time.Duration{
		"SELECT cid FROM payments":                                       0,
		"SET latency_target = '5ms'; SELECT cid FROM payments":           5 * time.Millisecond,
		"SELECT cid FROM payments; SET 'latency_target' = '1.5 seconds'": 1500 * time.Millisecond,
		"SET LATENCY_TARGET = INTERVAL '20' MILLISECOND":                 20 * time.Millisecond,
		"SET latency_target TO INTERVAL '1' MINUTE":                      time.Minute,
		"SET latency_target = '100000000 days'":                          math.MaxInt64 / 1000 * 1000,
		"EXECUTE STATEMENT SET BEGIN SET latency_target = '1ms'; END":    time.Millisecond,
	} {
		r, err := sql.Resolve([]sql.Script{prelude(t), {Name: "q", Text: script}}, catalog{}, vars)
		if err != nil || r.Settings.LatencyTarget != want {
			t.Errorf("%s: %+v, %v; want %v", script, r, err, want)
		}
	}
}

func TestRequireQuery(t *testing.T) {
	r, err := sql.Resolve([]sql.Script{prelude(t)}, catalog{}, vars)
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(r.RequireQuery(), sql.ErrNoQuery) {
		t.Error("a script without a query was not noticed")
	}
	if r, err = sql.Resolve([]sql.Script{prelude(t), {Name: "q", Text: "SELECT * FROM cars"}}, catalog{}, vars); err != nil || r.RequireQuery() != nil {
		t.Error(err, r.RequireQuery())
	}
}
