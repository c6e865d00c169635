//go:build !nogpu

package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// relation is one of the generator's schema.
func relation(s *stream.Schema) model.Relation { return model.Relation{Schema: s, Time: -1} }

// has makes expressions for which there is a kernel.
func has(g *optest.Gen, t stream.Type, depth int) *model.Expr {
	for {
		if e := g.Expr(t, depth); kernel.Refuses(e, g.Schema) == nil {
			return e
		}
	}
}

// fixedType is any type that devices compute with.
func fixedType(g *optest.Gen) stream.Type {
	for {
		if t := g.Type(); t.Storage() != stream.Varchar && !t.IsDecimal() {
			return t
		}
	}
}

// randomSteps are up to three filters and projections over the generator's schema, which
// becomes that of the last projection.
func randomSteps(g *optest.Gen) []*model.Operator {
	var steps []*model.Operator
	for i := range 1 + g.IntN(3) {
		op := &model.Operator{ID: model.OpID(i + 1), Name: fmt.Sprint("step", i)}
		if g.IntN(2) == 0 {
			op.Kind, op.Relation = model.FilterOp, relation(g.Schema)
			for range 1 + g.IntN(2) {
				e := has(g, stream.Boolean, 1+g.IntN(2))
				if g.IntN(2) == 0 { // few rows pass several
					e = model.Call("or", stream.Boolean, e, has(g, stream.Boolean, 1))
				}
				op.Filter = append(op.Filter, e)
			}
		} else {
			op.Kind = model.ProjectOp
			schema := &stream.Schema{}
			for k := range 2 + g.IntN(6) {
				e := has(g, fixedType(g), g.IntN(3))
				if g.IntN(8) > 0 { // too many failures leave nothing to compare
					g.NoErr = true
					e = has(g, fixedType(g), g.IntN(3))
					g.NoErr = false
				}
				op.Project = append(op.Project, e)
				schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", k), Type: e.Type})
			}
			op.Relation = relation(schema)
			seed := g.Uint64()
			*g = *optest.NewGen(seed, schema)
		}
		steps = append(steps, op)
	}
	return steps
}

// spansOf cuts a batch into spans with gaps between them.
func spansOf(g *optest.Gen, b *stream.Batch, rows int) []stream.Span {
	if rows == b.Len {
		return []stream.Span{{Batch: b, To: rows}}
	}
	first := g.IntN(rows + 1)
	gap := b.Len - rows
	return []stream.Span{{Batch: b, From: 0, To: first}, {Batch: b, From: first + gap, To: b.Len}}
}

// chosen is what the CPU makes of a task.
type chosen struct {
	rows   [][]stream.Value
	origin []int32
	errors []operator.ErrorRow
}

func onCPU(t *testing.T, side operator.Side, spans []stream.Span) chosen {
	t.Helper()
	chain, err := operator.NewChain(side)
	if err != nil {
		t.Fatal(err)
	}
	var out chosen
	out.errors, err = chain.Run(&operator.Task{Spans: spans}, chain.NewScratch(), func(c *operator.Chunk) error {
		out.origin = append(out.origin, c.Positions()...)
		for i := range c.Len {
			out.rows = append(out.rows, rowOf(c.Cols, i))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func rowOf(cols []stream.Column, i int) []stream.Value {
	row := make([]stream.Value, len(cols))
	for k := range cols {
		if row[k].Null = true; !cols[k].Absent() {
			row[k] = cols[k].Value(i)
		}
	}
	return row
}

// checkSelection compares tasks of several lengths, cut from one batch, with the CPU.
func checkSelection(t *testing.T, d device.Device, g *optest.Gen, side operator.Side, lengths []int) (kept, failed int) {
	t.Helper()
	const rowsMax = 1300
	s, err := kernel.NewSelection(side)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, s, s.Program, rowsMax)
	data := optest.NewGen(g.Uint64(), side.Relation.Schema)
	var got kernel.Selected
	for _, n := range lengths {
		b := data.Batch(n + data.IntN(70))
		spans := spansOf(data, b, n)
		want := onCPU(t, side, spans)
		m.run(b, spans...)
		s.Read(m.slot, &got)
		if redo := len(want.errors) > kernel.ErrorRowsMax; redo != (got.Redo != "") {
			t.Fatalf("%d rows fail on the CPU; the task is to be run again: %q", len(want.errors), got.Redo)
		} else if redo {
			continue
		}
		if !slices.Equal(got.Origin, want.origin) {
			t.Fatalf("%d rows: rows %v stay, want %v\n%s", n, got.Origin, want.origin, s.Program.Source)
		}
		for i, w := range want.rows {
			for k, v := range rowOf(got.Cols, i) {
				if side.Need != nil && !side.Need[k] {
					continue
				}
				if !optest.Same(v, w[k]) {
					t.Fatalf("%d rows: column %d of row %d is %v, want %v\n%s", n, k, i, v, w[k], s.Program.Source)
				}
			}
		}
		checkFailures(t, got.Rejected, want)
		kept, failed = kept+len(want.rows), failed+len(want.errors)
	}
	return kept, failed
}

func checkFailures(t *testing.T, got []kernel.Rejected, want chosen) {
	t.Helper()
	if len(got) != len(want.errors) {
		t.Fatalf("%d rows fail, want %d", len(got), len(want.errors))
	}
	last := -1
	for i, f := range got {
		if f.Row <= last || slices.Contains(want.origin, int32(f.Row)) {
			t.Fatalf("failures %v are not of rows in order", got)
		}
		last = f.Row
		if w := want.errors[i]; f.Op != w.Op || f.Reason != w.Reason {
			t.Fatalf("row %d fails in %d: %s, want %d: %s", f.Row, f.Op, f.Reason, w.Op, w.Reason)
		}
	}
}

func TestSelectionRandom(t *testing.T) {
	d := open(t)
	programs, lengths := 12, []int{1, 0, 63, 64, 65, 255, 256, 257, 512, 1, 1111}
	if testing.Short() {
		programs, lengths = 6, []int{1, 65, 257}
	}
	kept, failed := 0, 0
	for i := range uint64(4 * programs) {
		if i >= uint64(programs) && (failed > 0 || testing.Short()) {
			break // few programs fail for some row
		}
		seed := *optest.FirstSeed + i
		g := optest.NewGen(seed, fixedTypes())
		side := operator.Side{Relation: relation(g.Schema)}
		side.Steps = randomSteps(g)
		if g.IntN(3) == 0 {
			side.Need = make([]bool, g.Schema.Len())
			for k := range side.Need {
				side.Need[k] = g.IntN(2) == 0
			}
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			k, f := checkSelection(t, d, g, side, lengths)
			kept, failed = kept+k, failed+f
		}) {
			return
		}
	}
	if kept < 20*programs || failed == 0 && !testing.Short() {
		t.Errorf("only %d rows stayed and %d failed: this compares nothing", kept, failed)
	}
}

// Event times that are to have something added are moved with it added.
func TestSelectionAddsBase(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "ts", Type: stream.Timestamp, NotNull: true}, stream.Field{Name: "v", Type: stream.Integer})
	side := operator.Side{Relation: model.Relation{Schema: schema}}
	s, err := kernel.NewSelection(side)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, s, s.Program, 10)
	b := stream.NewBatch(schema, nil)
	for i := range 10 {
		b.AppendRow([]stream.Value{stream.Time(int64(i)), stream.Int(int32(i))})
	}
	b.Based, b.Base = 0, 1000
	m.run(b, stream.Span{Batch: b, From: 2, To: 5}, stream.Span{Batch: b, From: 7, To: 9})
	var got kernel.Selected
	s.Read(m.slot, &got)
	if want := []int64{1002, 1003, 1004, 1007, 1008}; !slices.Equal(got.Cols[0].I64, want) || !slices.Equal(got.Cols[1].I32, []int32{2, 3, 4, 7, 8}) {
		t.Errorf("got %v and %v, want times %v", got.Cols[0].I64, got.Cols[1].I32, want)
	}
}

// A task in steady state allocates nothing, from loading to reading.
func TestSelectionDoesNotAllocate(t *testing.T) {
	d := open(t)
	schema := fixedTypes()
	side := operator.Side{Relation: relation(schema), Steps: []*model.Operator{{Kind: model.FilterOp, Relation: relation(schema),
		Filter: []*model.Expr{model.Call("is_not_null", stream.Boolean, model.Col(4, stream.BigInt))}}}}
	s, err := kernel.NewSelection(side)
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, s, s.Program, 500)
	b := optest.NewGen(1, schema).Batch(500)
	task := &operator.Task{Spans: []stream.Span{{Batch: b, To: b.Len}}, Rows: b.Len}
	var got kernel.Selected
	allocations := testing.AllocsPerRun(100, func() {
		if err := s.Load(task, m.slot, m.call); err != nil {
			t.Fatal(err)
		}
		if err := m.slot.Run(m.k, m.call); err != nil {
			t.Fatal(err)
		}
		if _, err := m.slot.Wait(); err != nil {
			t.Fatal(err)
		}
		s.Read(m.slot, &got)
	})
	if allocations > 0 && !raceDetector {
		t.Errorf("%v allocations a task", allocations)
	}
	if got.Len == 0 {
		t.Error("no row came through")
	}
}

// More failures than a device reports send the task back, whole.
func TestSelectionManyFailures(t *testing.T) {
	d := open(t)
	schema := stream.NewSchema(stream.Field{Name: "v", Type: stream.Integer})
	one := model.Lit(stream.Int(1))
	op := &model.Operator{Kind: model.ProjectOp, Relation: relation(schema), Project: []*model.Expr{model.Call("div", stream.Integer, one, model.Col(0, stream.Integer))}}
	s, err := kernel.NewSelection(operator.Side{Relation: relation(schema), Steps: []*model.Operator{op}})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachine(t, d, s, s.Program, 2*kernel.ErrorRowsMax)
	for _, failures := range []int{kernel.ErrorRowsMax, kernel.ErrorRowsMax + 1, 0, 2 * kernel.ErrorRowsMax} {
		b := stream.NewBatch(schema, nil)
		for i := range 2 * kernel.ErrorRowsMax {
			v := int32(1)
			if i < failures {
				v = 0
			}
			b.AppendRow([]stream.Value{stream.Int(v)})
		}
		m.run(b)
		var got kernel.Selected
		s.Read(m.slot, &got)
		if redo := failures > kernel.ErrorRowsMax; (got.Redo != "") != redo || !redo && len(got.Failed) != failures {
			t.Errorf("%d failures: %d reported, %q", failures, len(got.Failed), got.Redo)
		}
	}
}

func TestSelectionRefusals(t *testing.T) {
	text := stream.NewSchema(stream.Field{Name: "name", Type: stream.Varchar}, stream.Field{Name: "x", Type: stream.Double})
	project := func(e *model.Expr) []*model.Operator {
		s := stream.NewSchema(stream.Field{Name: "y", Type: e.Type})
		return []*model.Operator{{Kind: model.ProjectOp, Relation: relation(s), Project: []*model.Expr{e}}}
	}
	name, x := model.Col(0, stream.Varchar), model.Col(1, stream.Double)
	for _, c := range []struct {
		why   string
		steps []*model.Operator
	}{
		{"lt asks for more of text than whether it is equal", project(model.Call("lt", stream.Boolean, name, name))},
		{"ln: processors differ", project(model.Call("ln", stream.Double, x))},
		{"cast makes text", project(model.Call("cast", stream.Varchar, x))},
		{"no kernel for lookup", []*model.Operator{{Kind: model.LookupOp, Relation: relation(text)}}},
	} {
		_, err := kernel.NewSelection(operator.Side{Relation: relation(text), Steps: c.steps})
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("got %v, want it to say %q", err, c.why)
		}
	}
}
