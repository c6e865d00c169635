package operator_test

import (
	"math"
	"testing"

	"github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// conditionOver is a random tree of AND, OR, NOT and IN over comparisons of columns.
func conditionOver(g *optest.Gen, depth int) *model.Expr {
	if depth > 0 && g.IntN(2) == 0 {
		args := []*model.Expr{conditionOver(g, depth-1), conditionOver(g, depth-1)}
		return model.Call([]string{"and", "or"}[g.IntN(2)], stream.Boolean, args...)
	}
	at := g.IntN(g.Schema.Len())
	left := column(g.Schema, at)
	value := func() *model.Expr {
		v := stream.Value{Type: left.Type}
		switch k := g.IntN(8); {
		case k == 0:
			v.Null = true
		case left.Type.IsFloat():
			v.F = []float64{0, 1, -1, math.NaN(), math.Inf(1), 2, 0.5}[k-1]
		case left.Type.IsNested():
			v = g.Value(left.Type, 0)
		case left.Type == stream.Boolean:
			v.I = int64(k & 1)
		case left.Type == stream.Varchar:
			v.S = "ab"[:k&1]
		default:
			v.I = int64(k - 4)
		}
		return model.Lit(v)
	}
	switch g.IntN(7) {
	case 0:
		return model.Call([]string{"is_null", "is_not_null"}[g.IntN(2)], stream.Boolean, left)
	case 1:
		return model.Call("in", stream.Boolean, left, value(), value(), value())
	case 2:
		if left.Type == stream.Boolean {
			return left
		}
		return model.Call("not", stream.Boolean, model.Call("lt", stream.Boolean, left, value()))
	case 3:
		other := g.IntN(g.Schema.Len())
		if g.Schema.Fields[other].Type != left.Type {
			other = at
		}
		return model.Call(comparisons[g.IntN(6)], stream.Boolean, left, column(g.Schema, other))
	case 4:
		return model.Call(comparisons[g.IntN(6)], stream.Boolean, value(), left)
	}
	return model.Call(comparisons[g.IntN(6)], stream.Boolean, left, value())
}

var comparisons = []string{"eq", "ne", "lt", "le", "gt", "ge"}

// Predicates of simple conditions let pass the rows for which the reference says TRUE.
func TestConditionsRandom(t *testing.T) {
	defer vector.Enable(vector.Enabled())
	for seed := range uint64(300) {
		vector.Enable(seed%2 == 0)
		g := optest.NewGen(seed, optest.AllTypes())
		var conjuncts []*model.Expr
		for range 1 + g.IntN(3) {
			conjuncts = append(conjuncts, conditionOver(g, 2))
		}
		p, err := operator.CompilePredicate(conjuncts, g.Schema)
		if err != nil {
			t.Fatal(err)
		}
		s := p.NewScratch()
		for range 3 {
			b := g.Batch(g.IntN(300))
			sel, bad := p.Eval(s, b.Cols, b.Len, nil)
			if bad != nil {
				t.Fatalf("seed %d: rows fail", seed)
			}
			for i := range b.Len {
				want := true
				for _, e := range conjuncts {
					v, _ := reference.Eval(e, b.Row(i))
					want = want && !v.Null && v.I != 0
				}
				got := len(sel) > 0 && sel[0] == int32(i)
				if got {
					sel = sel[1:]
				}
				if got != want {
					t.Fatalf("seed %d row %d %v: passes %v, want %v", seed, i, b.Row(i), got, want)
				}
			}
		}
	}
}
