package optest

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// Elsewhere makes what computes an operator's offer somewhere else. For a task it sets
// Selected or Grouped, which stay as they are until the next one; redo says why it did not.
// An error refuses the offer.
type Elsewhere func(o operator.Offload) (compute func(t *operator.Task) (redo string, err error), err error)

// Away runs Batch of a function with what it offers computed elsewhere.
type Away struct {
	Make Elsewhere
	// Pairs makes what finds a join's pairs, nil: the reference does. An error refuses them.
	Pairs func(p operator.Pairs) (Finder, error)
	// Jobs counts those whose pairs were found elsewhere.
	Jobs int
	// Tasks counts those computed elsewhere; Redone those that came back, by reason.
	Tasks  int
	Redone map[string]int
	// Refused says why, by input, of inputs that have had a task.
	Refused map[int]string
	fn      operator.Function
	inputs  map[int]func(t *operator.Task) (string, error)
}

// Batch is fn's.
func (a *Away) Batch(fn operator.Function, t *operator.Task, s operator.Scratch) (operator.Partial, error) {
	if fn != a.fn {
		a.fn, a.inputs, a.Refused = fn, map[int]func(*operator.Task) (string, error){}, map[int]string{}
	}
	compute, known := a.inputs[t.Input]
	if !known {
		o, err := fn.(operator.Offloader).Offload(t.Input)
		if err == nil {
			compute, err = a.Make(o)
		}
		if err != nil {
			compute, a.Refused[t.Input] = nil, err.Error()
		}
		a.inputs[t.Input] = compute
	}
	if compute == nil {
		return fn.Batch(t, s)
	}
	sent := *t
	redo, err := compute(&sent)
	switch {
	case err != nil:
		return operator.Partial{}, err
	case redo != "":
		if a.Redone == nil {
			a.Redone = map[string]int{}
		}
		a.Redone[redo]++
		return fn.Batch(t, s)
	}
	a.Tasks++
	return fn.Batch(&sent, s)
}

// finder is what finds the pairs of a join; without one they are left to the join.
func (a *Away) finder(fn operator.Pairer) Finder {
	find, err := FindOnCPU(fn.Pairs()), error(nil)
	if a.Pairs != nil {
		find, err = a.Pairs(fn.Pairs())
	}
	if err != nil {
		return func(*operator.Windows) (*operator.Paired, string, error) { return nil, err.Error(), nil }
	}
	return find
}

// OnCPU computes offers row by row, each as a task of its own, and groups value by value.
func OnCPU(o operator.Offload) (func(t *operator.Task) (string, error), error) {
	w := &away{offer: o}
	side := o.Side
	if o.Aggregate != nil {
		last, err := w.arguments()
		if err != nil {
			return nil, err
		}
		side.Steps, side.Need = append(slices.Clone(side.Steps), last), nil
	}
	if o.Probe != nil {
		last := w.keys()
		side.Steps, side.Need = append(slices.Clone(side.Steps), last), nil
	}
	for _, s := range side.Steps {
		if s.Kind == model.WindowOp {
			w.windowed, w.rows = true, !s.Window.Kind.Spans()
			if w.grid = window.Range(s.Window.Size, s.Window.Slide); w.rows {
				w.grid = window.Rows(s.Window.Size, s.Window.Slide)
			}
		}
	}
	var err error
	if w.chain, err = operator.NewChain(side); err != nil {
		return nil, err
	}
	w.scratch = w.chain.NewScratch()
	if o.Aggregate != nil {
		return w.group, nil
	}
	return w.selectRows, nil
}

// away is an offer and its last result.
type away struct {
	offer    operator.Offload
	chain    *operator.Chain
	scratch  *operator.ChainScratch
	grid     window.Grid
	windowed bool
	rows     bool // .. but not by time
	selected operator.Selected
}

func (w *away) arguments() (*model.Operator, error) {
	a := w.offer.Aggregate.Aggregate
	exprs := slices.Clone(a.Keys)
	for _, g := range a.Aggs {
		arg := g.Arg
		if arg == nil {
			arg = model.Lit(stream.Bool(true))
		}
		if g.Filter != nil {
			arg = model.Call("case", arg.Type, g.Filter, arg, model.Lit(stream.NullOf(arg.Type)))
		}
		exprs = append(exprs, arg)
	}
	schema := &stream.Schema{}
	for i, x := range exprs {
		schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", i), Type: x.Type})
	}
	return &model.Operator{ID: w.offer.Aggregate.ID, Kind: model.ProjectOp, Project: exprs, Relation: model.Relation{Schema: schema, Time: -1}}, nil
}

// each runs every row by itself: the rows that come through are taken, those that failed
// returned.
func (w *away) each(t *operator.Task, take func(row int32, c *operator.Chunk)) (failed []int32, err error) {
	row := int32(0)
	for _, s := range t.Spans {
		for at := s.From; at < s.To; at++ {
			one := &operator.Task{Spans: []stream.Span{{Batch: s.Batch, From: at, To: at + 1}}, Rows: 1}
			errors, err := w.chain.Run(one, w.scratch, func(c *operator.Chunk) error {
				take(row, c)
				return nil
			})
			if err != nil {
				return nil, err
			}
			if len(errors) > 0 {
				failed = append(failed, row)
			}
			row++
		}
	}
	return failed, nil
}

func (w *away) selectRows(t *operator.Task) (string, error) {
	out, schema := &w.selected, w.offer.Side.Output().Schema
	out.Len, out.Origin, out.Time = 0, out.Origin[:0], nil
	out.Cols = slices.Grow(out.Cols[:0], schema.Len())[:schema.Len()]
	for i, needed := range w.offer.Side.Need {
		if needed {
			out.Cols[i].Reset(schema.Fields[i].Type)
		}
	}
	var err error
	out.TableRows = out.TableRows[:0]
	take := func(row int32, c *operator.Chunk) {
		for i, needed := range w.offer.Side.Need {
			if needed {
				out.Cols[i].AppendRange(&c.Cols[i], 0, 1, out.Len)
			}
		}
		if w.windowed && !w.rows {
			out.Time = append(out.Time, c.Time[0]+c.Base)
		}
		out.Origin = append(out.Origin, row)
		out.Len++
	}
	out.Failed, err = w.each(t, func(row int32, c *operator.Chunk) {
		if w.offer.Probe == nil {
			take(row, c)
			return
		}
		for _, r := range w.matches(c.Cols[schema.Len():]) {
			take(row, c)
			out.TableRows = append(out.TableRows, r)
		}
	})
	t.Selected = out
	return "", err
}

// keys is the side's output with the probe's keys behind.
func (w *away) keys() *model.Operator {
	p, in := w.offer.Probe, w.offer.Side.Output().Schema
	last := &model.Operator{ID: p.Op, Kind: model.ProjectOp, Relation: model.Relation{Schema: &stream.Schema{}, Time: -1}}
	add := func(name string, x *model.Expr) {
		last.Project = append(last.Project, x)
		last.Relation.Schema.Fields = append(last.Relation.Schema.Fields, stream.Field{Name: name, Type: x.Type})
	}
	for i, f := range in.Fields {
		if add(f.Name, model.Col(i, f.Type)); !w.offer.Side.Need[i] {
			last.Project[i] = model.Lit(stream.NullOf(f.Type)) // which may be absent
		}
	}
	for i, k := range p.Keys {
		add(fmt.Sprint("key", i), k)
	}
	return last
}

// matches returns the rows of the table that have the keys.
func (w *away) matches(keys []stream.Column) (rows []int32) {
	columns, n, ok := w.offer.Probe.Table()
	if ok && w.offer.Probe.Outer {
		defer func() {
			if len(rows) == 0 {
				rows = []int32{int32(n - 1)}
			}
		}()
	}
	for row := 0; ok && row < n; row++ {
		match := true
		for k := range keys {
			a, b := keys[k].Value(0), columns[k].Value(row)
			match = match && !a.Null && !b.Null && a.I == b.I && (a.F == b.F || a.F != a.F && b.F != b.F)
		}
		if match {
			rows = append(rows, int32(row))
		}
	}
	return rows
}

// entry is a group in a pane.
type entry struct {
	position int64
	values   []stream.Value // keys, then accumulators
	cells    []awayCell
}

// awayCell is an accumulator of one entry.
type awayCell struct {
	n         int32
	low       uint64
	high      int64
	sum, rest float64
	value     stream.Value
}

func (w *away) group(t *operator.Task) (string, error) {
	a := w.offer.Aggregate.Aggregate
	var entries []*entry
	index := map[string]*entry{}
	failed, err := w.each(t, func(row int32, c *operator.Chunk) {
		var at int64
		var pane window.Pane
		if w.windowed {
			if at = t.First + int64(row); !w.rows {
				at = c.Time[0] + c.Base
			}
			pane = w.grid.Pane(at)
		}
		values := make([]stream.Value, len(c.Cols))
		for i := range c.Cols {
			values[i] = c.Cols[i].Value(0)
		}
		id := fmt.Sprint(pane)
		for _, v := range values[:len(a.Keys)] {
			if v.F == 0 {
				v.F = 0 // as -0
			}
			id += fmt.Sprintf(" %v/%d/%v/%q", v.Null, v.I, v.F, v.S)
		}
		e := index[id]
		if e == nil {
			e = &entry{at, values[:len(a.Keys)], make([]awayCell, len(a.Aggs))}
			index[id], entries = e, append(entries, e)
		}
		for i, v := range values[len(a.Keys):] {
			e.cells[i].add(a.Aggs[i].Func, v)
		}
	})
	t.Grouped = w.grouped(entries)
	t.Grouped.Failed = failed
	return "", err
}

func (c *awayCell) add(f model.AggFunc, v stream.Value) {
	if v.Null {
		return
	}
	c.n++
	switch {
	case f == model.Min || f == model.Max:
		if c.n == 1 || beats(f, v, c.value) {
			c.value = v
		}
	case v.Type.IsFloat():
		sum := c.sum + v.F
		b := sum - c.sum
		c.rest += (c.sum - (sum - b)) + (v.F - b)
		c.sum = sum
	default:
		var carry uint64
		c.low, carry = bits.Add64(c.low, uint64(v.I), 0)
		c.high += v.I>>63 + int64(carry)
	}
}

// beats reports whether v takes the place of old: NaN is greatest.
func beats(f model.AggFunc, v, old stream.Value) bool {
	if f == model.Max {
		v, old = old, v
	}
	if !v.Type.IsFloat() {
		return v.I < old.I
	}
	return v.F < old.F || old.F != old.F && v.F == v.F
}

func (w *away) grouped(entries []*entry) *operator.Grouped {
	a := w.offer.Aggregate.Aggregate
	out := &operator.Grouped{Len: len(entries), Keys: make([]stream.Column, len(a.Keys)), Cells: make([]operator.GroupedCell, len(a.Aggs))}
	for i, k := range a.Keys {
		out.Keys[i].Reset(k.Type)
	}
	for i := range a.Aggs {
		g, c := &a.Aggs[i], &out.Cells[i]
		switch {
		case g.Func == model.Count:
			c.Kind = operator.CountCell
		case g.Func == model.Min || g.Func == model.Max:
			if c.Kind = operator.LeastCell; g.Func == model.Max {
				c.Kind = operator.GreatestCell
			}
			t := g.Arg.Type
			if t == stream.Boolean {
				t = stream.Integer
			}
			c.Value.Reset(t)
		case g.Arg.Type.IsFloat():
			c.Kind = operator.FloatSumCell
		default:
			c.Kind = operator.IntSumCell
		}
	}
	for row, e := range entries {
		out.Positions = append(out.Positions, e.position)
		for i, v := range e.values {
			out.Keys[i].AppendValue(v, row)
		}
		for i := range e.cells {
			c, from := &out.Cells[i], &e.cells[i]
			c.N, c.Low, c.High = append(c.N, from.n), append(c.Low, from.low), append(c.High, from.high)
			c.Float, c.Rest = append(c.Float, from.sum), append(c.Rest, from.rest)
			if !c.Value.Absent() {
				v := from.value
				v.Type = c.Value.Type
				c.Value.AppendValue(v, row)
			}
		}
	}
	return out
}
