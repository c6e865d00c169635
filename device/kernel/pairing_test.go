//go:build !nogpu

package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// randomPairs is a join of equality, of conditions, or of both, over two relations of the
// generator's schema and the columns of a window. With fails it may have conditions that do.
func randomPairs(g *optest.Gen, fails bool) operator.Pairs {
	width := g.Schema.Len()
	fields := append(append([]stream.Field{}, g.Schema.Fields...), stream.Field{Name: "window_end", Type: stream.Timestamp, NotNull: true, Role: stream.WindowEnd})
	schema := stream.NewSchema(fields...)
	p := operator.Pairs{Schemas: [2]*stream.Schema{schema, schema}, Sizes: [2]int64{1000, 3000}}
	p.Roles = make([]stream.Role, 2*(width+1))
	p.Roles[width], p.Roles[2*width+1] = stream.WindowEnd, stream.WindowStart
	g.NoErr = !fails
	for range g.IntN(3) {
		if c := g.IntN(width); schema.Fields[c].Type != stream.Double || g.IntN(2) == 0 {
			p.Keys[0], p.Keys[1] = append(p.Keys[0], c), append(p.Keys[1], c)
		}
	}
	shift := func(x *model.Expr) *model.Expr {
		return x.Rewrite(func(x *model.Expr) *model.Expr {
			if x.Kind == model.ColumnExpr {
				return model.Col(x.Column+width+1, x.Type)
			}
			return x
		})
	}
	both := stream.NewSchema(append(append([]stream.Field{}, fields...), fields...)...)
	for range g.IntN(3) + 1 - min(len(p.Keys[0]), 1) {
		t := stream.Types[1+g.IntN(4)]
		p.On = append(p.On, model.Call([]string{"lt", "ge", "ne", "distinct"}[g.IntN(4)], stream.Boolean, has(g, t, 1), shift(has(g, t, 0))))
	}
	if fails {
		quotient := model.Call("div", stream.BigInt, model.Lit(stream.Big(100)), has(g, stream.BigInt, 1))
		p.On = append(p.On, model.Call("distinct", stream.Boolean, quotient, shift(has(g, stream.BigInt, 0))))
	}
	if g.IntN(3) == 0 {
		p.On = append(p.On, model.Call("le", stream.Boolean, model.Col(width, stream.Timestamp), model.Call("add", stream.Timestamp,
			model.Col(2*width+1, stream.Timestamp), model.Lit(stream.Duration(int64(3000+g.IntN(2)))))))
	}
	for _, c := range p.On {
		if err := kernel.Refuses(c, both); err != nil {
			panic(err)
		}
	}
	return p
}

// wholeOf is a task of all rows of a batch.
func wholeOf(b *stream.Batch) *operator.Task {
	return &operator.Task{Spans: []stream.Span{{Batch: b, To: b.Len}}, Rows: b.Len}
}

// windowed adds the column of the window, which nobody keeps, to a batch of rows.
func windowed(schema *stream.Schema, rows *stream.Batch) *stream.Batch {
	b := stream.NewBatch(schema, nil)
	for i := range rows.Len {
		b.AppendRow(append(rows.Row(i), stream.Time(0)))
	}
	return b
}

// randomWindows is that many windows that share rows of two batches, which lie in pieces.
func randomWindows(g *optest.Gen, windows int, left, right *stream.Batch) *operator.Windows {
	w := &operator.Windows{}
	for side, b := range []*stream.Batch{left, right} {
		w.Rows[side] = b.Len
		for at := 0; at < b.Len; {
			to := min(b.Len, at+1+g.IntN(b.Len))
			w.Spans[side] = append(w.Spans[side], stream.Span{Batch: b, From: at, To: to})
			at = to
		}
	}
	for i := range windows {
		rows := operator.WindowRows{Number: int64(i) * 1000}
		for side := range rows.From {
			n := w.Rows[side]
			rows.From[side] = int32(i * n / windows)
			rows.To[side] = rows.From[side] + int32(g.IntN(n-int(rows.From[side])+1))
			if windows == 1 {
				rows.From[side], rows.To[side] = 0, int32(n)
			}
		}
		count := rows.To[0] - rows.From[0]
		w.List, w.Left, w.Tests = append(w.List, rows), w.Left+int(count), w.Tests+int64(count)*int64(rows.To[1]-rows.From[1])
	}
	return w
}

func TestJoinRandom(t *testing.T) {
	d := open(t)
	programs, sizes := 16, [][3]int{{1, 1, 1}, {0, 5, 1}, {5, 0, 1}, {256, 3, 1}, {300, 20, 1}, {20, 300, 1}, {90, 80, 7}, {40, 20, 40}}
	if testing.Short() {
		programs, sizes = 4, [][3]int{{1, 1, 1}, {257, 10, 1}, {40, 35, 9}}
	}
	const rowsMax, leftMax, pairsMax = 300, 3000, 2000
	found, failed, redone := 0, 0, 0
	for i := range uint64(programs) {
		seed := *optest.FirstSeed + i
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := optest.NewGen(seed, fixedTypes())
			pairs := randomPairs(g, i%4 == 3)
			p, err := kernel.NewPairing(pairs)
			if err != nil {
				t.Fatal(err)
			}
			k := compile(t, d, p.Program)
			slot, err := d.NewSlot(p.SizesFor(rowsMax, leftMax, pairsMax))
			if err != nil {
				t.Fatal(err)
			}
			defer slot.Free()
			call := p.NewCall()
			for _, size := range sizes {
				w := randomWindows(g, size[2], windowed(pairs.Schemas[0], g.Batch(size[0])), windowed(pairs.Schemas[1], g.Batch(size[1])))
				var want operator.Paired
				optest.FindPairs(pairs, w, &want)
				if err := p.Load(w, slot, call); err != nil {
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
				if redo := len(want.Left) > pairsMax; redo != (got.Redo != "") {
					t.Fatalf("%d pairs; the windows are to be joined again: %q\n%s", len(want.Left), got.Redo, p.Program.Source)
				} else if redo {
					redone++
					continue
				}
				if !slices.Equal(got.Left, want.Left) || !slices.Equal(got.Right, want.Right) {
					t.Fatalf("%d rows: pairs %d %d\nwant %d %d\n%s", size, got.Left, got.Right, want.Left, want.Right, p.Program.Source)
				}
				found += len(want.Left)
				for _, l := range want.Left {
					failed += int(uint32(l) >> 31)
				}
			}
		}) {
			return
		}
	}
	if found < programs || (redone == 0 || failed == 0) && !testing.Short() {
		t.Errorf("only %d pairs, %d failing ones, and %d windows to be joined again: this compares little", found, failed, redone)
	}
}

// TestPairingRefuses: what cannot be loaded, and why.
func TestPairingRefuses(t *testing.T) {
	d := open(t)
	g := optest.NewGen(1, fixedTypes())
	pairs := randomPairs(g, false)
	p, err := kernel.NewPairing(pairs)
	if err != nil {
		t.Fatal(err)
	}
	slot, err := d.NewSlot(p.SizesFor(10, 20, 30))
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Free()
	rows := windowed(pairs.Schemas[0], g.Batch(10))
	for _, c := range []struct {
		want string
		bend func(w *operator.Windows)
	}{
		{"", func(*operator.Windows) {}},
		{"pairs of rows to look at", func(w *operator.Windows) { w.Tests = kernel.PairTestsMax + 1 }},
		{"more rows than the slot has room for", func(w *operator.Windows) { w.Left = 21 }},
		{"more rows than the slot has room for", func(w *operator.Windows) { w.Spans[1], w.Rows[1] = append(w.Spans[1], w.Spans[1]...), 20 }},
		{"rows that its job does not have", func(w *operator.Windows) { w.List[0].To[1]++ }},
		{"their job says 9", func(w *operator.Windows) { w.Left = 9 }},
	} {
		w := randomWindows(g, 1, rows, rows)
		c.bend(w)
		err := p.Load(w, slot, p.NewCall())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	text := stream.NewSchema(stream.Field{Name: "name", Type: stream.Varchar})
	if _, err := kernel.NewPairing(operator.Pairs{Schemas: [2]*stream.Schema{text, text}, Keys: [2][]int{{0}, {0}}, Roles: make([]stream.Role, 2)}); err == nil || !strings.Contains(err.Error(), "column name is text") {
		t.Errorf("%v, want text to be refused", err)
	}
}

func TestJoinCompilesForCUDA(t *testing.T) {
	for seed := range uint64(4) {
		g := optest.NewGen(seed, fixedTypes())
		p, err := kernel.NewPairing(randomPairs(g, true))
		if err != nil {
			t.Fatal(err)
		}
		compileForCUDA(t, p.Program.Source)
	}
}
