package operator_test

import (
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// TestAfterAggregate runs random filters and projections behind an aggregate, all that
// may fail among them, behind its peak perhaps, and compares with the reference.
func TestAfterAggregate(t *testing.T) {
	cases := 80
	if testing.Short() {
		cases = 20
	}
	for i := range uint64(cases) {
		seed := *optest.FirstSeed + i
		schema := stream.NewSchema(append([]stream.Field{{Name: "ts", Type: stream.Timestamp, NotNull: true}}, optest.AllTypes().Fields...)...)
		g := optest.NewGen(seed, schema)
		data := g.Batch(g.IntN(2000))
		at := int64(0)
		for r := range data.Len {
			at += g.Int64N(3)
			data.Cols[0].I64[r] = at
		}
		b := &build{}
		src := b.source("s", &feed{schema: schema, time: 0})
		w := b.window(src, model.Window{Kind: []model.WindowKind{model.Range, model.Rows}[g.IntN(2)], Size: 1 + g.Int64N(30), Slide: 1 + g.Int64N(20)})
		agg := b.aggregate(w, &model.Aggregate{
			Keys: []*model.Expr{g.Expr(g.Type(), 0)},
			Aggs: []model.Agg{randomCall(g), randomCall(g)},
		})
		c := g.IntN(3)
		if model.PeakType(agg.Relation.Schema.Fields[c].Type) && g.IntN(3) > 0 {
			agg.Aggregate.Peak = &model.Peak{Func: []model.AggFunc{model.Max, model.Min}[g.IntN(2)], Column: c}
		}
		last, side, need := agg, operator.Side{Relation: agg.Relation}, []bool(nil)
		if g.IntN(3) > 0 {
			side.Steps = randomSteps(b, optest.NewGen(seed, agg.Relation.Schema), agg)
			last = side.Steps[len(side.Steps)-1]
		}
		b.sink(last)
		optest.Compare(t, &optest.Case{
			Model: &b.m, Rows: map[model.OpID][]reference.Row{src.ID: rowsOf(data)}, Inputs: []model.OpID{src.ID},
			Make: func(env operator.Env) (operator.Function, error) {
				fn, err := operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, agg, operator.PeakNeed(agg, need))
				if err != nil {
					return nil, err
				}
				return operator.NewAfter(env, fn, agg, need, side)
			},
		}, seed, 3)
	}
}

func randomSteps(b *build, g *optest.Gen, in *model.Operator) []*model.Operator {
	var steps []*model.Operator
	for range 1 + g.IntN(2) {
		in = b.filter(in, g.Expr(stream.Boolean, 2))
		steps = append(steps, in)
	}
	in = b.project(in, g.Expr(g.Type(), 2), model.Col(0, in.Relation.Schema.Fields[0].Type), g.Expr(g.Type(), 1))
	in.Relation.Window = nil
	return append(steps, in)
}

// TestAfterRefuses: a window does not stand behind another operator.
func TestAfterRefuses(t *testing.T) {
	b := &build{}
	src := b.source("s", &feed{schema: groupSchema, time: 0})
	agg := b.aggregate(src, &model.Aggregate{Keys: []*model.Expr{model.Col(1, stream.Integer)}})
	fn, err := operator.NewAggregate(operator.Env{}, operator.Side{Relation: src.Relation}, agg, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := b.window(agg, model.Window{Kind: model.Rows, Size: 1, Slide: 1})
	if _, err := operator.NewAfter(operator.Env{}, fn, agg, nil, operator.Side{Relation: agg.Relation, Steps: []*model.Operator{w}}); err == nil {
		t.Error("a window was accepted")
	}
}
