package operator_test

import (
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// randomCall is an aggregate of an expression full of extremes. Sums are exact:
// those of floats that are not exact depend on where panes begin, in the last bit.
func randomCall(g *optest.Gen) model.Agg {
	a := model.Agg{Func: []model.AggFunc{model.Count, model.Min, model.Max, model.Sum, model.Avg}[g.IntN(5)], Distinct: g.IntN(4) == 0}
	switch a.Func {
	case model.Sum, model.Avg:
		a.Arg = g.Expr([]stream.Type{stream.Integer, stream.TinyInt, stream.Decimal(12, 3), stream.Decimal(30, 8)}[g.IntN(4)], 2)
		a.Type, _ = model.AggType(a.Func, a.Arg.Type)
	case model.Count:
		a.Arg, a.Type = g.Expr(g.Type(), 2), stream.BigInt
	default:
		a.Arg = g.Expr(g.Type(), 2)
		a.Type = a.Arg.Type
	}
	if g.IntN(3) == 0 {
		a.Filter = g.Expr(stream.Boolean, 2)
	}
	return a
}

// TestAggregateRandomExpressions groups by random expressions over values that break
// things.
func TestAggregateRandomExpressions(t *testing.T) {
	cases := 100
	if testing.Short() {
		cases = 25
	}
	for i := range uint64(cases) {
		seed := *optest.FirstSeed + i
		schema := stream.NewSchema(append([]stream.Field{{Name: "ts", Type: stream.Timestamp, NotNull: true}}, optest.AllTypes().Fields...)...)
		g := optest.NewGen(seed, schema)
		data := g.Batch(g.IntN(300))
		at := g.Int64N(100) - 50
		for r := range data.Len {
			at += g.Int64N(4) * g.Int64N(3)
			data.Cols[0].I64[r] = at
		}
		b := &build{}
		src := b.source("s", &feed{schema: schema, time: 0})
		size := 1 + g.Int64N(40)
		w := b.window(src, model.Window{Kind: []model.WindowKind{model.Range, model.Rows}[g.IntN(2)], Size: size, Slide: 1 + g.Int64N(size+3)})
		a := &model.Aggregate{}
		for range g.IntN(3) {
			a.Keys = append(a.Keys, g.Expr(g.Type(), 1))
		}
		for range 1 + g.IntN(4) {
			a.Aggs = append(a.Aggs, randomCall(g))
		}
		op := b.aggregate(w, a)
		for c := range op.Relation.Schema.Fields {
			op.Relation.Schema.Fields[c].Hidden = false
		}
		b.sink(op)
		optest.Compare(t, &optest.Case{
			Model: &b.m, Rows: map[model.OpID][]reference.Row{src.ID: rowsOf(data)}, Inputs: []model.OpID{src.ID},
			Make: func(env operator.Env) (operator.Function, error) {
				return operator.NewAggregate(env, operator.Side{Relation: src.Relation, Steps: []*model.Operator{w}}, op, nil)
			},
		}, seed, 3)
	}
}
