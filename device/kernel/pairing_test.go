//go:build !nogpu

package kernel_test

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// randomJoin is one of equality, of conditions, or of both, over two relations of the
// generator's schema. With fails it may have conditions that do.
func randomJoin(g *optest.Gen, fails bool) *model.Join {
	j := &model.Join{}
	width := g.Schema.Len()
	g.NoErr = !fails
	for range g.IntN(3) {
		t := fixedType(g)
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, has(g, t, g.IntN(2))), append(j.RightKeys, has(g, t, g.IntN(2)))
	}
	both := &stream.Schema{Fields: append(append([]stream.Field{}, g.Schema.Fields...), g.Schema.Fields...)}
	for range g.IntN(2) + 1 - min(len(j.LeftKeys), 1) {
		t := stream.Types[1+g.IntN(4)]
		left, right := has(g, t, 1), has(g, t, 0).Rewrite(func(x *model.Expr) *model.Expr {
			if x.Kind == model.ColumnExpr {
				return model.Col(x.Column+width, x.Type)
			}
			return x
		})
		j.On = append(j.On, model.Call([]string{"lt", "ge", "ne", "distinct"}[g.IntN(4)], stream.Boolean, left, right))
	}
	for _, c := range j.On {
		if err := kernel.Refuses(c, both); err != nil {
			panic(err)
		}
	}
	return j
}

// pairsOnCPU asks the reference about every pair.
func pairsOnCPU(j *model.Join, left, right *stream.Batch) (pairs [][2]int32, failed bool) {
	for l := range left.Len {
		for r := range right.Len {
			holds := true
			test := func(v stream.Value, reason string) {
				failed = failed || reason != ""
				holds = holds && reason == "" && v.Truth()
			}
			for k := range j.LeftKeys {
				a, one := reference.Eval(j.LeftKeys[k], left.Row(l))
				b, other := reference.Eval(j.RightKeys[k], right.Row(r))
				if one+other != "" {
					test(a, one+other)
					continue
				}
				test(reference.Eval(model.Call("eq", stream.Boolean, model.Lit(a), model.Lit(b)), nil))
			}
			for _, c := range j.On {
				test(reference.Eval(c, append(append(reference.Row{}, left.Row(l)...), right.Row(r)...)))
			}
			if holds {
				pairs = append(pairs, [2]int32{int32(l), int32(r)})
			}
		}
	}
	return pairs, failed
}

// wholeOf is a task of all rows of a batch.
func wholeOf(b *stream.Batch) *operator.Task {
	return &operator.Task{Spans: []stream.Span{{Batch: b, To: b.Len}}, Rows: b.Len}
}

func TestJoinRandom(t *testing.T) {
	d := open(t)
	programs, sizes := 16, [][2]int{{1, 1}, {0, 5}, {5, 0}, {256, 3}, {257, 65}, {300, 64}, {64, 300}}
	if testing.Short() {
		programs, sizes = 4, [][2]int{{1, 1}, {257, 20}, {20, 65}}
	}
	const rowsMax, pairsMax = 300, 2000
	found, redone := 0, 0
	for i := range uint64(programs) {
		seed := *optest.FirstSeed + i
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := optest.NewGen(seed, fixedTypes())
			j := randomJoin(g, i%4 == 3)
			p, err := kernel.NewPairing(g.Schema, g.Schema, j)
			if err != nil {
				t.Fatal(err)
			}
			k := compile(t, d, p.Program)
			slot, err := d.NewSlot(p.Sizes(rowsMax, pairsMax))
			if err != nil {
				t.Fatal(err)
			}
			defer slot.Free()
			call := p.NewCall()
			for _, size := range sizes {
				left, right := g.Batch(size[0]), g.Batch(size[1])
				want, failed := pairsOnCPU(j, left, right)
				if err := p.Load(wholeOf(left), wholeOf(right), slot, call); err != nil {
					t.Fatal(err)
				}
				if err := slot.Run(k, call); err != nil {
					t.Fatal(err)
				}
				if _, err := slot.Wait(); err != nil {
					t.Fatal(err)
				}
				var got kernel.Paired
				p.Read(slot, &got)
				if redo := failed || len(want) > pairsMax; redo != (got.Redo != "") {
					t.Fatalf("%d pairs, failures: %v; the window is to be joined again: %q\n%s", len(want), failed, got.Redo, p.Program.Source)
				} else if redo {
					redone++
					continue
				}
				if len(got.Left) != len(want) {
					t.Fatalf("%d by %d rows: %d pairs, want %d\n%s", left.Len, right.Len, len(got.Left), len(want), p.Program.Source)
				}
				for i, w := range want {
					if got.Left[i] != w[0] || got.Right[i] != w[1] {
						t.Fatalf("pair %d is of rows %d and %d, want %v", i, got.Left[i], got.Right[i], w)
					}
				}
				found += len(want)
			}
		}) {
			return
		}
	}
	if found < programs || redone == 0 && !testing.Short() {
		t.Errorf("only %d pairs, and %d windows to be joined again: this compares little", found, redone)
	}
}

func TestJoinCompilesForCUDA(t *testing.T) {
	for seed := range uint64(4) {
		g := optest.NewGen(seed, fixedTypes())
		p, err := kernel.NewPairing(g.Schema, g.Schema, randomJoin(g, true))
		if err != nil {
			t.Fatal(err)
		}
		compileForCUDA(t, p.Program.Source)
	}
}
