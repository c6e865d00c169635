package operator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// show prints an expression as a call.
func show(e *model.Expr) string {
	switch e.Kind {
	case model.ColumnExpr:
		return fmt.Sprintf("$%d", e.Column)
	case model.LiteralExpr:
		return fmt.Sprintf("%s'%s'", e.Type, e.Literal)
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = show(a)
	}
	return fmt.Sprintf("%s:%s(%s)", e.Func, e.Type, strings.Join(args, ", "))
}

// checkExprs compares a program with the reference row by row.
func checkExprs(t *testing.T, exprs []*model.Expr, b *stream.Batch) {
	t.Helper()
	prog, err := operator.Compile(exprs, b.Schema)
	if err != nil {
		t.Fatalf("%s: %v", show(exprs[0]), err)
	}
	s := prog.NewScratch()
	for range 2 { // the second time with buffers in use
		out, bad := prog.Eval(s, b.Cols, b.Len)
		count := 0
		for i := range b.Len {
			reason, at := "", 0
			want := make([]stream.Value, len(exprs))
			for k, e := range exprs {
				v, r := reference.Eval(e, b.Row(i))
				if r != "" && reason == "" {
					reason, at = r, k
				}
				want[k] = v
			}
			failed := bad != nil && bad.Rows.Get(i)
			if failed != (reason != "") || failed && bad.Reason(i) != reason {
				got := "no failure"
				if failed {
					got = bad.Reason(i)
				}
				t.Fatalf("row %d of %d: %s\nrow %v\nfails with %q, want %q", i, b.Len, show(exprs[at]), b.Row(i), got, reason)
			}
			if failed {
				count++
				continue
			}
			for k := range exprs {
				if v := out[k].Value(i); !optest.Same(v, want[k]) {
					t.Fatalf("row %d of %d: %s\nrow %v\ngives %v, want %v", i, b.Len, show(exprs[k]), b.Row(i), v, want[k])
				}
			}
		}
		if bad != nil && bad.Count != count {
			t.Fatalf("%d failures counted, %d found", bad.Count, count)
		}
	}
}

// Every function, alone, over columns and constants of every type it takes.
func TestExprEveryFunction(t *testing.T) {
	for _, f := range function.All() {
		t.Run(f.Name, func(t *testing.T) {
			g := optest.NewGen(7, optest.AllTypes())
			rows := 130
			if f.Name == "lpad" || f.Name == "rpad" {
				rows = 20 // texts are filled up to a million characters
			}
			b := g.Batch(rows)
			found := 0
			for range 200 {
				if e := g.CallOf(f.Name, 1); e != nil {
					checkExprs(t, []*model.Expr{e}, b)
					found++
				}
			}
			if found < 50 {
				t.Fatalf("only %d expressions", found)
			}
		})
	}
}

func TestExprRandom(t *testing.T) {
	seeds := 1500
	if testing.Short() {
		seeds = 200
	}
	lengths := []int{0, 1, 2, 63, 64, 65, 127, 200}
	for i := range uint64(seeds) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, optest.AllTypes())
		n := lengths[g.IntN(len(lengths))]
		if seed%100 == 0 {
			n = 1023 + g.IntN(3)
		}
		b := g.Batch(n)
		var exprs []*model.Expr
		for range 1 + g.IntN(3) {
			exprs = append(exprs, g.Expr(g.Type(), 1+g.IntN(4)))
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { checkExprs(t, exprs, b) }) {
			return
		}
	}
}

// holds is WHERE's rule, spelled out.
func holds(conjuncts []*model.Expr, row reference.Row) (bool, string) {
	pass, reason := true, ""
	for _, c := range conjuncts {
		v, r := reference.Eval(c, row)
		switch {
		case r != "":
			if pass = false; reason == "" {
				reason = r
			}
		case !v.Truth():
			return false, ""
		}
	}
	return pass, reason
}

func TestPredicateRandom(t *testing.T) {
	for i := range uint64(400) {
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, optest.AllTypes())
		b := g.Batch(1 + g.IntN(200))
		var conjuncts []*model.Expr
		for range g.IntN(4) {
			conjuncts = append(conjuncts, g.Expr(stream.Boolean, 3))
		}
		p, err := operator.CompilePredicate(conjuncts, b.Schema)
		if err != nil {
			t.Fatal(err)
		}
		sel, bad := p.Eval(p.NewScratch(), b.Cols, b.Len, nil)
		for i := range b.Len {
			pass, reason := holds(conjuncts, b.Row(i))
			got := len(sel) > 0 && int(sel[0]) == i
			if got {
				sel = sel[1:]
			}
			failed := bad != nil && bad.Rows.Get(i)
			if got != pass || failed != (reason != "") || failed && bad.Reason(i) != reason {
				for _, c := range conjuncts {
					v, r := reference.Eval(c, b.Row(i))
					t.Logf("%s = %v %s", show(c), v, r)
				}
				t.Fatalf("seed %d row %d: passes %v, want %v; fails %v, want %q", seed, i, got, pass, failed, reason)
			}
		}
		if len(sel) > 0 {
			t.Fatalf("seed %d: rows %v left over", seed, sel)
		}
	}
}
