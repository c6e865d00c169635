package bind_test

import (
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/optimize"
)

const source = `CREATE STREAM s (ts TIMESTAMP, k INTEGER, x INTEGER, WATERMARK FOR ts AS ts) WITH (connector = 'datagen', number_of_rows = 10);
`

// scripts fan out at every kind of place: what one reader lets fuse, several do not.
var scripts = map[string]string{
	"chain":           "SELECT 7 / x AS y FROM s WHERE k > 1;",
	"filter":          "CREATE VIEW v AS SELECT k, x FROM s WHERE 1 / x = 0; SELECT k FROM v; SELECT x FROM v;",
	"filter errors":   "CREATE VIEW v AS SELECT 7 / x AS y FROM s WHERE 10 / k > 0; SELECT y FROM v; SELECT reason FROM v$errors;",
	"only errors":     "CREATE VIEW v AS SELECT 7 / x AS y FROM s WHERE 10 / k > 0; SELECT reason FROM v$errors;",
	"windowed view":   "CREATE VIEW v AS SELECT k, 7 / x AS y FROM s [ROWS 2 SLIDE 1] WHERE 10 / k > 0; SELECT COUNT(*) FROM v; SELECT y FROM v;",
	"windowed errors": "CREATE VIEW v AS SELECT k, 7 / x AS y FROM s [RANGE 2 SECONDS SLIDE 1 SECOND] WHERE 10 / k > 0; SELECT COUNT(*) FROM v; SELECT reason FROM v$errors;",
	"region errors":   "CREATE VIEW v AS SELECT k, SUM(7 / x) AS y FROM s [ROWS 2] GROUP BY k HAVING 10 / k > 0; SELECT reason FROM v$errors;",
	"having":          "SELECT k, SUM(7 / x) AS y FROM s [ROWS 4 SLIDE 2] GROUP BY k HAVING 10 / k > 0;",
	"having errors":   "CREATE VIEW v AS SELECT k, SUM(7 / x) AS y FROM s [ROWS 4 SLIDE 2] GROUP BY k HAVING 10 / k > 0; SELECT y FROM v; SELECT k FROM v WHERE 1 / y > 0; SELECT reason FROM v$errors;",
	"join":            "CREATE VIEW v AS SELECT p.k, q.x FROM s [ROWS 2 SLIDE 1] AS p JOIN s [ROWS 3 SLIDE 1] AS q ON 1 / p.k = q.k; SELECT k FROM v; SELECT COUNT(*) FROM v; SELECT reason FROM v$errors;",
}

// TestOperatorsRunOnce: in every plan each operator that can fail is in one pipeline
// only - twice means its rows or its error rows are put out twice - and every edge is
// read from the pipeline that its operator is in.
func TestOperatorsRunOnce(t *testing.T) {
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			plan := bound(t, source+script)
			home := map[model.OpID]int{}
			for _, p := range plan.Pipelines {
				for _, op := range operators(t, plan, p) {
					if other, twice := home[op.ID]; twice && op.Properties().MayErr {
						t.Errorf("operator %s runs in the pipelines %d and %d:\n%s", op.Name, other, p.ID, plan)
					}
					home[op.ID] = p.ID
				}
			}
			for _, p := range plan.Pipelines {
				for _, in := range p.Inputs {
					if at, ok := home[in.Edge.Op]; !ok || at != in.From {
						t.Errorf("pipeline %d reads #%d from pipeline %d, it is in %d:\n%s", p.ID, in.Edge.Op, in.From, at, plan)
					}
				}
			}
		})
	}
}

func bound(t *testing.T, script string) *bind.Plan {
	t.Helper()
	prepared, err := millrace.Prepare([]millrace.Script{{Name: "q.sql", Text: script}}, millrace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Parse(prepared.ModelText())
	if err != nil {
		t.Fatal(err)
	}
	better, err := optimize.Run(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := bind.Bind(better.Model, bind.Needs(better.Needed), bind.Fused(better.Fused), func(m *model.Model, emit *model.Operator) ([]model.Edge, error) {
		region, err := operator.FindRegion(m, emit)
		if err != nil {
			return nil, err
		}
		return region.Edges(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// operators are all that a pipeline runs: its own, its inputs' steps, its region.
func operators(t *testing.T, plan *bind.Plan, p *bind.Pipeline) []*model.Operator {
	seen := map[model.OpID]bool{p.Op.ID: true}
	out := []*model.Operator{p.Op}
	add := func(op *model.Operator) {
		if !seen[op.ID] {
			seen[op.ID] = true
			out = append(out, op)
		}
	}
	for _, op := range p.After {
		add(op)
	}
	for _, in := range p.Inputs {
		for _, op := range in.Steps {
			add(op)
		}
	}
	var region func(op *model.Operator)
	region = func(op *model.Operator) {
		for _, e := range op.Inputs {
			if in := plan.Model.Ops[e.Op]; in.Relation.Instant() {
				add(in)
				region(in)
			}
		}
	}
	if p.Form == bind.Instant {
		region(p.Op)
	}
	return out
}
