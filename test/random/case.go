package random

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/model"
)

// testCase is a script of one to three queries over generated streams.
type testCase struct {
	seed    uint64
	dir     string
	script  string
	zone    string // the session's; empty: UTC
	queries []*query
	results []int  // of the queries that are bare SELECTs
	fails   bool   // a stream or sink has on_error = 'fail'
	anyFail bool   // which row fails the job first is open: several parts can
	reach   int64  // TestStopAndRestore stops within that many tasks
	drawn   drawn  // counts what runs did; nil: nobody asks
	text    string // of the model
}

// newCase makes the case of a seed, with its files in dir.
func newCase(seed uint64, dir string) (*testCase, error) {
	r := rand.New(rand.NewPCG(seed, 0x6d696c6c72616365))
	g := &generator{r: r}
	var err error
	if g.a, err = generateData(r, dir, "a"); err != nil {
		return nil, err
	}
	if g.b, err = generateData(r, dir, "b"); err != nil {
		return nil, err
	}
	g.t = &data{name: "t", disorder: ordered, nulls: r.IntN(2) == 0, table: true}
	g.t.form(r)
	if err := g.t.write(r, dir, "t"); err != nil {
		return nil, err
	}
	c := &testCase{seed: seed, dir: dir, fails: g.a.fail, reach: 30}
	for n := pickWeighted(r, 5, 2, 1) + 1; n > 0; n-- {
		q := g.next()
		c.queries = append(append(c.queries, q), q.also...)
	}
	if r.IntN(2) == 0 {
		c.queries = append(c.queries, g.formed())
	}
	if r.IntN(40) == 0 {
		c.zone = zones[r.IntN(len(zones))]
		c.queries = append(c.queries, g.zoned())
	}
	c.compose([]*data{g.a, g.b, g.t}, nil)
	return c, c.insertSome(r, []*data{g.a, g.b, g.t})
}

// session is what the script sets.
func (c *testCase) session() string {
	if c.zone == "" {
		return ""
	}
	return fmt.Sprintf("SET TIME ZONE '%s';\n", c.zone)
}

// compose writes the script. tables declares the targets of the queries with a file.
func (c *testCase) compose(streams []*data, tables map[*query]string) {
	var sb strings.Builder
	for _, d := range streams {
		sb.WriteString(d.ddl())
	}
	sb.WriteString(c.session())
	c.results = nil
	for i, q := range c.queries {
		sb.WriteString(q.before)
		if q.file != "" {
			name, _, _ := strings.Cut(q.file, ".")
			sb.WriteString(tables[q] + "INSERT INTO " + name + " ")
		} else {
			c.results = append(c.results, i)
		}
		sb.WriteString(q.sql + ";\n")
	}
	c.script = sb.String()
}

// insertSome turns some of the bare SELECTs into INSERT INTO files.
func (c *testCase) insertSome(r *rand.Rand, streams []*data) error {
	plan, err := millrace.Prepare([]millrace.Script{{Name: "case.sql", Text: c.script}}, millrace.Options{})
	if err != nil {
		return fmt.Errorf("prepare: %w\n%s", err, c.script)
	}
	c.text = plan.ModelText()
	m, err := model.Parse(c.text)
	if err != nil {
		return fmt.Errorf("the model's text cannot be read back: %w\n%s", err, c.script)
	}
	tables := map[*query]string{}
	for _, op := range m.Ops {
		if op.Kind != model.SinkOp || r.IntN(3) != 0 {
			continue
		}
		q := c.queries[op.Sink.Result]
		q.file = fmt.Sprintf("sink%d.%s", op.Sink.Result, []string{"csv", "ndjson"}[r.IntN(2)])
		var columns []string
		for _, f := range op.Relation.Schema.Visible() {
			field := op.Relation.Schema.Fields[f]
			columns = append(columns, fmt.Sprintf("`%s` %s", field.Name, field.Type))
		}
		name, _, _ := strings.Cut(q.file, ".")
		options := ""
		if r.IntN(10) == 0 {
			options = ", on_error = 'fail'"
			c.fails, c.anyFail = true, true
		}
		tables[q] = fmt.Sprintf("CREATE TABLE %s (%s) WITH (connector = 'file', path = '${out}/%s'%s);\n", name, strings.Join(columns, ", "), q.file, options)
	}
	c.compose(streams, tables)
	return nil
}

// outputDir makes a folder for the files that a run writes.
func (c *testCase) outputDir() (string, error) { return os.MkdirTemp(c.dir, "out") }

// output reads what a run wrote.
func (q *query) output(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, q.file))
	return string(text), err
}
