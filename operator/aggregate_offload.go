package operator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// Groups by pane that were computed elsewhere.
//
// A fragment says nothing of rows, only of groups by pane in order of first appearance; so
// whoever can find these can make one. The groups of a task (Grouped) become the very
// fragment that its rows would have given: same panes, same numbers of keys, same entries.
// Sums of floats are the same to what double-double keeps of them, as wherever tasks are cut.

// aggregateOffload is what is offered, or why nothing is.
type aggregateOffload struct {
	Offload
	refusal error
	calls   []int // of each call of the operator: its number among those of Offload.Aggregate, or -1
}

// planOffload finds the calls whose accumulators somebody needs or whose arguments can fail.
func (a *aggregate) planOffload(side Side, op *model.Operator) {
	o := &a.offloads
	if a.form == carriedRuns || len(a.sets) > 0 || side.Lookups != nil || a.sumsDecimals() || slices.ContainsFunc(a.calls, func(c aggCall) bool { return !c.f.Basic() }) {
		// Sums of DECIMAL, runs of windows in columns, values of which every one counts, and the keys of tables
		// and aggregates beyond COUNT, SUM, AVG, MIN and MAX are found by the CPU, in rows with keys and arguments computed elsewhere.
		o.Offload, o.refusal = a.chain.Offload()
		return
	}
	group := *op.Aggregate
	group.Aggs = nil
	side.Need = make([]bool, side.Output().Schema.Len())
	markColumns(side.Need, group.Keys...)
	for i, c := range a.calls {
		g, at := op.Aggregate.Aggs[i], -1
		if args := arguments(&g); c.cell >= 0 || model.AnyMayErr(args) {
			markColumns(side.Need, args...)
			at = len(group.Aggs)
			group.Aggs = append(group.Aggs, g)
		}
		o.calls = append(o.calls, at)
	}
	if slices.ContainsFunc(group.Aggs, ordersText) {
		o.Offload, o.refusal = a.chain.Offload()
		return
	}
	copied := *op
	copied.Aggregate = &group
	o.Side, o.Aggregate = side, &copied
}

// ordersText: the order of texts is not known where they are grouped elsewhere.
func ordersText(g model.Agg) bool {
	return g.Func != model.Count && g.Arg != nil && g.Arg.Type.Storage() == stream.Varchar
}

// Offload implements Offloader. Windows that tasks compute whole begin with rows of the tasks
// before; Env.Devices makes the function leave that.
func (a *aggregate) Offload(int) (Offload, error) {
	switch {
	case a.offloads.refusal != nil:
		return Offload{}, a.offloads.refusal
	case a.local != nil:
		return Offload{}, errors.New("its tasks compute whole windows, from rows of the tasks before")
	}
	return a.offloads.Offload, nil
}

// fragmentOfGroups makes the fragment of a task whose groups are known.
func (a *aggregate) fragmentOfGroups(t *Task, s *aggregateScratch) (*fragment, []ErrorRow, error) {
	g := t.Grouped
	if err := a.checkGrouped(g); err != nil {
		return nil, nil, err
	}
	if err := a.chain.failAgain(t, s.chain, g.Failed); err != nil {
		return nil, nil, err
	}
	f := a.takeFragment()
	f.entries = g.Len
	if a.keys > 0 && g.Len > 0 {
		s.index.reset()
		f.groups = resizeRaw(f.groups, g.Len)
		s.index.ids(f.keys, &s.coder, g.Keys, g.Len, f.groups)
	}
	a.panesOf(f, g)
	for i, c := range f.cells {
		c.resize(g.Len)
		if err := a.fillCell(i, c, g); err != nil {
			return f, nil, err
		}
	}
	if a.keys == 0 && len(f.panes) != f.entries {
		return f, nil, fmt.Errorf("%d entries in %d panes without keys", f.entries, len(f.panes))
	}
	return f, s.chain.takeErrors(nil), nil
}

func (a *aggregate) checkGrouped(g *Grouped) error {
	o := a.offloads
	switch {
	case o.refusal != nil:
		return o.refusal
	case o.Aggregate == nil:
		return errors.New("groups of an aggregate that wants rows")
	case len(g.Keys) != a.keys || len(g.Cells) != len(o.Aggregate.Aggregate.Aggs) || len(g.Positions) < g.Len:
		return fmt.Errorf("a task's groups have %d keys, %d cells and %d positions of %d; the aggregate has %d keys and %d calls",
			len(g.Keys), len(g.Cells), len(g.Positions), g.Len, a.keys, len(o.Aggregate.Aggregate.Aggs))
	}
	for i := range g.Keys {
		if g.Len > 0 && g.Keys[i].Type != a.layout.types[i] {
			return fmt.Errorf("key %d of a task's groups is a %s", i, g.Keys[i].Type)
		}
	}
	return nil
}

// panesOf cuts the entries where panes end.
func (a *aggregate) panesOf(f *fragment, g *Grouped) {
	if a.form == wholeInput {
		if g.Len > 0 {
			f.panes = append(f.panes, paneFragment{})
		}
		return
	}
	gaps := a.grid.Size < a.grid.Slide
	var pane window.Pane
	for i, at := range g.Positions[:g.Len] {
		if i == 0 || at > pane.Last {
			pane = a.grid.Pane(at)
			f.panes = append(f.panes, paneFragment{Pane: pane, from: i, hole: gaps && !a.grid.Holds(at)})
		}
	}
}

// fillCell copies the accumulator of the first call that has it, or the form in which keys
// are shown.
func (a *aggregate) fillCell(i int, cell accumulator, g *Grouped) error {
	for j, at := range a.shown {
		if at == i {
			return fillShown(cell, &g.Keys[j], g.Len)
		}
	}
	for k := range a.calls {
		if a.calls[k].cell == i {
			return fillAccumulator(cell, &g.Cells[a.offloads.calls[k]], g.Len)
		}
	}
	return fmt.Errorf("nothing accumulates cell %d", i)
}

// fillShown takes the forms of a float key.
func fillShown(cell accumulator, key *stream.Column, n int) error {
	switch c := cell.(type) {
	case *extremes[float32]:
		fillForms(c.s[:n], key.F32, key)
	case *extremes[float64]:
		fillForms(c.s[:n], key.F64, key)
	default:
		return fmt.Errorf("a key is shown by %T", cell)
	}
	return nil
}

func fillForms[T float32 | float64](to []extreme[T], v []T, key *stream.Column) {
	for i := range to {
		if !key.IsNull(i) {
			to[i] = extreme[T]{v[i], true}
		}
	}
}

// fillAccumulator makes empty slots what a cell holds.
func fillAccumulator(cell accumulator, from *GroupedCell, n int) error {
	switch c := cell.(type) {
	case *boolExtremes:
		return fillExtremes(&c.extremes, from, n)
	case *extremes[int32]:
		return fillExtremes(c, from, n)
	case *extremes[int64]:
		return fillExtremes(c, from, n)
	case *extremes[float32]:
		return fillExtremes(c, from, n)
	case *extremes[float64]:
		return fillExtremes(c, from, n)
	case *counts:
		if from.Kind == CountCell {
			for i, v := range from.N[:n] {
				c.n[i] = int64(v)
			}
			return nil
		}
	case *intSums:
		if from.Kind == IntSumCell {
			for i := range c.s[:n] {
				c.s[i] = intSum{from.Low[i], from.High[i], int64(from.N[i])}
			}
			return nil
		}
	case *floatSums:
		if from.Kind == FloatSumCell {
			for i := range c.s[:n] {
				c.s[i] = floatSum{from.Float[i], from.Rest[i], int64(from.N[i])}
			}
			return nil
		}
	}
	return mismatch(cell, from)
}

func mismatch(cell accumulator, from *GroupedCell) error {
	return fmt.Errorf("a cell of kind %d for %T", from.Kind, cell)
}

func fillExtremes[T int32 | int64 | float32 | float64](to *extremes[T], from *GroupedCell, n int) error {
	if from.Kind != LeastCell && to.keep == least || from.Kind != GreatestCell && to.keep == greatest {
		return mismatch(to, from)
	}
	v := valuesOf[T](&from.Value)
	for i := range to.s[:n] {
		if from.N[i] > 0 {
			to.s[i] = extreme[T]{v[i], true}
		}
	}
	return nil
}

// sumsDecimals reports whether an accumulator is not among GroupedCell's.
func (a *aggregate) sumsDecimals() bool {
	return slices.ContainsFunc(a.cells, func(c cell) bool {
		_, ok := c.empty.(*decimalSums)
		return ok
	})
}
