package operator

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// windowForm is how an aggregate finds the windows of its rows.
type windowForm uint8

const (
	wholeInput  windowForm = iota // no window: one result at the end
	rangePanes                    // panes of event time
	rowPanes                      // panes of row indexes
	carriedRuns                   // rows carry their window: runs of equal window columns
)

// aggregate groups the rows of a windowed or bounded relation.
//
// Batch turns a task into a fragment: for every pane that the task touches, the groups
// in order of first appearance with their accumulators. Assemble and Next merge
// fragments into the open windows and put out those that close; see
// aggregate_windows.go. All fields up to the pool are immutable after NewAggregate.
type aggregate struct {
	env    Env
	schema *stream.Schema
	need   []bool
	chain  *Chain
	tables *tableGroups // nil: groups are found by their keys
	form   windowForm
	grid   window.Grid
	// slides: a pane can be in several windows and leave them one by one, so that panes are
	// kept apart. Windows that grow only gather panes, until they begin anew.
	slides bool
	even   bool // every slide is one pane
	timed  bool // results have event time
	keys   int  // the chain's first columns are the keys
	layout keyLayout
	cells  []cell
	// shown is, for a float key, the cell with the form of the value to show; else -1.
	shown []int
	sets  []distinctPlan
	calls []aggCall
	roles []int // columns of the chain that hold carried window columns, by stream.Role; -1: none

	pool struct {
		sync.Mutex
		idle []*fragment
	}

	windowState
	emission
	singleScratch
	op model.OpID

	types   []stream.Type // of the chain's output
	rawTime int           // the side's event-time column, or -1
	local   *localPlan    // nil: notLocal says why
	history localHistory

	notLocal string
	offloads aggregateOffload
	errors   []ErrorRow
	uses     uses
}

// cell is one accumulator: the chain's column it reads (-1 for COUNT(*)) and an empty
// one to copy.
type cell struct {
	column int
	by     int // the column of a second argument, or -1
	empty  accumulator
}

// aggCall is one aggregate of the operator. Its state is cell or, for DISTINCT, set;
// both are -1 if nobody needs it.
type aggCall struct {
	f         model.AggFunc
	agg       *model.Agg
	out       int // output column
	cell, set int
	// checked: the sum of 64-bit numbers or decimals may not fit, which concerns the whole row even
	// if nobody reads the column.
	checked bool
	needed  bool
}

// NewAggregate returns the function of an Aggregate operator over one input. The
// windows come from a WindowOp among the side's steps, else from the window columns
// that the side's output carries, else there is one result when the input ends. need
// tells which output columns are read; nil means all.
func NewAggregate(env Env, side Side, op *model.Operator, need []bool) (Function, error) {
	a := &aggregate{env: env, schema: op.Relation.Schema, need: need, keys: len(op.Aggregate.Keys), timed: op.Relation.Time >= 0}
	if a.need == nil {
		a.need = allOf(a.schema.Len())
	}
	if len(a.need) != a.schema.Len() || a.schema.Len() < a.keys+len(op.Aggregate.Aggs) {
		return nil, fmt.Errorf("%s: aggregate's schema has %d columns for %d keys and %d aggregates", op.Name, a.schema.Len(), a.keys, len(op.Aggregate.Aggs))
	}
	if err := a.findWindow(side); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	a.op = op.ID
	if err := a.compile(side, op); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	a.rawTime = side.Relation.Time
	a.planOffload(side, op)
	switch {
	case env.Force.Windows == "assembled":
		a.notLocal = "forced"
	case env.Devices && a.offloads.refusal == nil:
		a.notLocal = "a device may group a task's rows, which cannot see those of other tasks"
	default:
		if a.local, a.notLocal = planLocal(a, side); a.local != nil {
			a.local.peak = a.local.planPeak(op.Aggregate.Peak)
		}
	}
	a.history.since, a.history.end = math.MinInt64, math.MinInt64
	a.windowState.init(a)
	a.emission.init(a)
	return a, nil
}

func (a *aggregate) findWindow(side Side) error {
	dropped := false
	for _, s := range side.Steps {
		if s.Kind != model.WindowOp {
			dropped = dropped || s.Kind == model.FilterOp || s.Kind == model.LookupOp || model.AnyMayErr(s.Project)
			continue
		}
		w := s.Window
		if w.Size <= 0 || w.Slide <= 0 {
			return fmt.Errorf("window of size %d and slide %d", w.Size, w.Slide)
		}
		switch w.Kind {
		case model.Range, model.Cumulate:
			a.form, a.grid = rangePanes, gridOf(w)
		case model.Rows:
			if dropped {
				return fmt.Errorf("ROWS window behind a step that drops rows: such steps need an operator of their own, which numbers what is left")
			}
			a.form, a.grid = rowPanes, window.Rows(w.Size, w.Slide)
		default:
			return fmt.Errorf("window of kind %s is not one that closes", w.Kind)
		}
		a.slides = a.grid.Overlaps() && !a.grid.Grows
		a.even = a.grid.Size%a.grid.Slide == 0
		return nil
	}
	if out := side.Output(); out.Windowed() {
		a.form = carriedRuns
	}
	return nil
}

// compile makes the chain: the side's steps and one more that computes the keys, the
// arguments, and what is carried of the window. A FILTER becomes part of its
// argument, which is NULL - not counted - where the filter is not TRUE.
func (a *aggregate) compile(side Side, op *model.Operator) error {
	in := side.Output().Schema
	c := columnList{reads: make([]bool, a.keys)}
	c.exprs = append(c.exprs, op.Aggregate.Keys...)
	types := make([]stream.Type, a.keys)
	for i, k := range op.Aggregate.Keys {
		c.reads[i], types[i] = true, k.Type
	}
	a.layout = newKeyLayout(types)
	a.showKeys(types)
	if err := a.compileCalls(op.Aggregate.Aggs, &c); err != nil {
		return err
	}
	if err := a.carry(in, &c); err != nil {
		return err
	}
	schema := &stream.Schema{}
	for i, e := range c.exprs {
		schema.Fields = append(schema.Fields, stream.Field{Name: fmt.Sprint("column", i), Type: e.Type})
		a.types = append(a.types, e.Type)
	}
	last := &model.Operator{ID: op.ID, Name: op.Name, Kind: model.ProjectOp, Project: c.exprs, Relation: model.Relation{Schema: schema, Time: -1}}
	steps := append(append([]*model.Operator(nil), side.Steps...), last)
	chain, err := NewChain(Side{Relation: side.Relation, Steps: steps, Lookups: side.Lookups, Need: c.reads})
	if err != nil {
		return err
	}
	chain.showAggregate(op)
	a.chain = chain
	if a.keys > 0 && a.env.Force.Group == "" {
		if a.tables = findTableGroups(chain, a.keys); a.tables != nil {
			a.tables.findLate(chain, c.exprs, a.keys)
		}
	}
	return nil
}

// showAggregate makes the step that computes an aggregate's keys and arguments show, of
// a row that fails, what those of the aggregate's own expressions read that can fail.
func (c *Chain) showAggregate(op *model.Operator) {
	for i := range c.steps {
		if st := &c.steps[i]; st.id == op.ID {
			st.record.columns = referenced(st.record.schema, fallibleOf(op.Aggregate))
		}
	}
}

// fallibleOf returns the keys, filters and arguments that can fail.
func fallibleOf(g *model.Aggregate) []*model.Expr {
	exprs := slices.Clone(g.Keys)
	for _, agg := range g.Aggs {
		exprs = append(exprs, agg.Exprs()...)
	}
	return fallibleExprs(exprs)
}

// showKeys makes cells for float keys: 0 and -0 are one group, which shows the form
// that came first in the window.
func (a *aggregate) showKeys(types []stream.Type) {
	for j, t := range types {
		switch t {
		case stream.Real:
			a.shown = append(a.shown, len(a.cells))
			a.cells = append(a.cells, cell{j, -1, &extremes[float32]{keep: earliest}})
		case stream.Double:
			a.shown = append(a.shown, len(a.cells))
			a.cells = append(a.cells, cell{j, -1, &extremes[float64]{keep: earliest}})
		default:
			a.shown = append(a.shown, -1)
		}
	}
}

// columnList is what the aggregate's step of the chain computes.
type columnList struct {
	exprs []*model.Expr
	reads []bool
}

// add returns the column of an expression, which may be there already behind the keys.
func (c *columnList) add(e *model.Expr, read bool, keys int) int {
	for i := keys; i < len(c.exprs); i++ {
		if c.exprs[i].Equal(e) {
			c.reads[i] = c.reads[i] || read
			return i
		}
	}
	c.exprs, c.reads = append(c.exprs, e), append(c.reads, read)
	return len(c.exprs) - 1
}

func (a *aggregate) compileCalls(aggs []model.Agg, c *columnList) error {
	for i := range aggs {
		g := &aggs[i]
		call := aggCall{f: g.Func, agg: g, out: a.keys + i, cell: -1, set: -1, needed: a.need[a.keys+i]}
		call.checked = g.Bounded()
		columns, t := [2]int{-1, -1}, stream.Invalid
		for k, arg := range arguments(g) {
			if k == 0 {
				t = arg.Type
			}
			columns[k] = c.add(arg, call.needed || call.checked, a.keys)
		}
		if call.needed || call.checked {
			if err := a.place(&call, columns[0], columns[1], t); err != nil {
				return err
			}
		}
		a.calls = append(a.calls, call)
	}
	return nil
}

// place finds or makes the state of a call.
func (a *aggregate) place(call *aggCall, column, by int, t stream.Type) (err error) {
	g := call.agg
	if g.Distinct && g.Func != model.Min && g.Func != model.Max {
		call.set, err = a.placeSet(g, column, t)
		return err
	}
	empty, err := newAccumulator(g, t)
	if err != nil {
		return err
	}
	for i, c := range a.cells {
		if c.column == column && c.by == by && sameKind(c.empty, empty) {
			call.cell = i
			return nil
		}
	}
	call.cell = len(a.cells)
	a.cells = append(a.cells, cell{column, by, empty})
	return nil
}

// arguments returns the expressions of which a call's accumulator takes the values, each
// NULL where the call's filter is not TRUE; none for COUNT(*). Rows where the first is NULL
// do not count: for MIN_BY and MAX_BY that is what they are by.
func arguments(g *model.Agg) (out []*model.Expr) {
	exprs := []*model.Expr{g.Arg, g.By}
	if g.Func == model.MinBy || g.Func == model.MaxBy {
		exprs = []*model.Expr{g.By, g.Arg}
	}
	if g.Arg == nil && g.Filter != nil {
		exprs[0] = model.Lit(stream.Bool(true))
	}
	for _, e := range exprs {
		switch {
		case e == nil:
		case g.Filter == nil:
			out = append(out, e)
		default:
			out = append(out, model.Call("case", e.Type, g.Filter, e, model.Lit(stream.NullOf(e.Type))))
		}
	}
	return out
}

// carry adds the window columns of an input that carries its windows.
func (a *aggregate) carry(in *stream.Schema, c *columnList) error {
	a.roles = []int{-1, -1, -1, -1, -1}
	if a.form != carriedRuns {
		return nil
	}
	found := false
	for r := stream.WindowStart; r <= stream.WindowIndex; r++ {
		if i := in.RoleIndex(r); i >= 0 {
			a.roles[r] = c.add(model.Col(i, in.Fields[i].Type), true, a.keys)
			found = found || r == stream.WindowIndex || r == stream.WindowEnd
		}
	}
	if !found {
		return fmt.Errorf("windowed input without window columns")
	}
	return nil
}

// Wants always holds: an aggregate waits for no other input.
func (a *aggregate) Wants(int) bool { return true }

// TakeErrors returns the groups whose result was out of range.
func (a *aggregate) TakeErrors() []ErrorRow {
	out := a.errors
	a.errors = nil
	return out
}

// Watermark returns the input's: what is still open ends behind it, so its results
// have event times (window_end - 1) at or behind it. Results without event time have
// no watermark before the end.
func (a *aggregate) Watermark() int64 {
	switch {
	case a.ended:
		return stream.MaxTime
	case !a.timed:
		return stream.MinTime
	default:
		return a.mark
	}
}
