package kernel

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// Groups by pane.
//
// Problem: of a task's rows, the accumulators of every group in every pane, in the order in
// which groups first appear, and the same bits whatever order work items run in. Idea: find
// groups with atomics, but sum without.
//
//	decide      which rows stay, their pane, keys and arguments
//	insert      a hash table of rows: each row finds a row with its pane and keys, and the
//	            first row of every group is found by an atomic minimum
//	first, scan the first rows, numbered by prefix sums: an entry's number is its place in
//	            the order of first appearance
//	accumulate  every work group takes a range of rows in tiles, sorts a tile by entry,
//	            joins equal entries by a segmented scan, and adds what comes out to a table
//	            of its own, where each entry has one writer
//	merge       the tables of all work groups, in the order of their rows
//
// Invariants:
//
//  1. What a launch reads of other rows was written by an earlier launch; the table and the
//     first rows, which one launch writes from many rows, only through atomics.
//  2. Values are joined in the order of their rows: the sort's key is entry and row.
//  3. The tables of the work groups lie behind each other, each as long as the task has
//     entries. Where all have no room, fewer work groups share the rows.
//  4. A row that finds no place, and an entry past the last one, are counted as lost, and
//     then the whole task is run again on the CPU.

// Aggregation is a program of filters, projections and an aggregate over panes of windows.
type Aggregation struct {
	Program *device.Program
	layout  *layout
	intake  *intake
	ops     []model.OpID
	grid    window.Grid
	form    model.WindowKind
	cells   []cell
	calls   []int // cell of each aggregate call
	keys    []outputColumn
	errors  int // output buffers
	places  int
	base    int // scalars: position of the task's first row, length of the hash table
	room    int
	entries int
}

const (
	// EntriesMax bounds the groups, counted per pane, of one task. An entry's number and
	// its row's place in a tile are sorted as one i32.
	EntriesMax = 1 << 16

	workGroups = 32      // most that share the rows of a task; each has a table
	tablesRoom = 1 << 19 // entries of the tables of all
	probesMax  = 128     // in a hash table half full rows are found within some 60
)

// placesFor is the length of the hash table for a task: a power of two, and at least twice
// its entries.
func placesFor(rows int) int {
	n := 2
	for n < 2*min(rows, EntriesMax) {
		n *= 2
	}
	return n
}

// perPlace is the size of a buffer with so many bytes for every place of placesFor.
func perPlace(bytes int) extent {
	return extent{fixed: 2 * bytes, each: 4 * bytes, per: 1, most: EntriesMax / 2}
}

// tooManyGroups is the same of all tasks: reasons are counted.
var tooManyGroups = fmt.Sprintf("more than %d groups, counted per pane, or too close in its table", EntriesMax)

// perEntry is the size of a buffer with so many bytes for every entry. A task has no more
// entries than rows.
func perEntry(bytes int) extent { return extent{each: bytes, per: 1, most: EntriesMax} }

// NewAggregation writes the program of a side and the aggregate behind it. An error says
// why there is none.
func NewAggregation(side operator.Side, op *model.Operator) (*Aggregation, error) {
	a := &Aggregation{layout: newLayout(), entries: EntriesMax}
	fmt.Fprintf(&a.layout.source, "#define ENTRIES_MAX %d\n#define PROBES_MAX %d\n"+sharers, EntriesMax, probesMax, tablesRoom/workGroups, tablesRoom, workGroups)
	if err := a.findWindow(side); err != nil {
		return nil, err
	}
	last, need, err := a.arguments(side, op)
	if err != nil {
		return nil, err
	}
	side.Steps = append(slices.Clone(side.Steps), last)
	side.Need = need
	b, err := newRowCode(a.layout, side)
	if err != nil {
		return nil, err
	}
	a.intake, a.ops = b.intake, b.ops
	a.base = a.layout.scalar(device.Int64Arg, "base")
	a.room = a.layout.scalar(device.Int32Arg, "room")
	b.parameters = append(b.parameters, "base")
	a.addBuffers(last.Project[:len(op.Aggregate.Keys)])
	if err := a.addEntries(b, last.Project, len(op.Aggregate.Keys)); err != nil {
		return nil, err
	}
	a.Program = a.layout.program("aggregation")
	return a, nil
}

func (a *Aggregation) findWindow(side operator.Side) error {
	if out := side.Output(); out.Windowed() && !slices.ContainsFunc(side.Steps, func(s *model.Operator) bool { return s.Kind == model.WindowOp }) {
		return refuse("its input carries windows in columns")
	}
	for _, s := range side.Steps {
		if s.Kind != model.WindowOp {
			continue
		}
		w := s.Window
		switch w.Kind {
		case model.Range:
			a.grid = window.Range(w.Size, w.Slide)
		case model.Cumulate:
			a.grid, a.form = window.Cumulate(w.Slide, w.Size), model.Range
			continue
		case model.Rows:
			a.grid = window.Rows(w.Size, w.Slide)
		default:
			return refuse("there is no kernel for windows of kind %s", w.Kind)
		}
		a.form = w.Kind
	}
	return nil
}

// arguments is the projection of keys and arguments, each guarded by its call's filter, and
// finds the cells.
func (a *Aggregation) arguments(side operator.Side, op *model.Operator) (last *model.Operator, need []bool, err error) {
	exprs := slices.Clone(op.Aggregate.Keys)
	for i := range op.Aggregate.Aggs {
		g := &op.Aggregate.Aggs[i]
		arg, t := -1, stream.Invalid
		if x := guarded(g); x != nil {
			t = x.Type
			if arg = slices.IndexFunc(exprs[len(op.Aggregate.Keys):], x.Equal); arg < 0 {
				arg = len(exprs) - len(op.Aggregate.Keys)
				exprs = append(exprs, x)
			}
		}
		c, err := cellOf(g, arg, t)
		if err != nil {
			return nil, nil, err
		}
		at := slices.IndexFunc(a.cells, func(o cell) bool { return o.kind == c.kind && o.arg == c.arg })
		if at < 0 {
			at = len(a.cells)
			a.cells = append(a.cells, c)
		}
		a.calls = append(a.calls, at)
	}
	schema := &stream.Schema{}
	for i, x := range exprs {
		if !SupportsType(x.Type) {
			return nil, nil, refuse("it groups by %s, or aggregates it", x.Type)
		}
		schema.Fields, need = append(schema.Fields, stream.Field{Name: fmt.Sprint("c", i), Type: x.Type}), append(need, true)
	}
	return &model.Operator{ID: op.ID, Kind: model.ProjectOp, Project: exprs, Relation: model.Relation{Schema: schema, Time: -1}}, need, nil
}

// guarded is the argument of a call, NULL where its filter is not TRUE; nil for COUNT(*).
func guarded(g *model.Agg) *model.Expr {
	if g.Filter == nil {
		return g.Arg
	}
	arg := g.Arg
	if arg == nil {
		arg = model.Lit(stream.Bool(true))
	}
	return model.Call("case", arg.Type, g.Filter, arg, model.Lit(stream.NullOf(arg.Type)))
}

// memoryType is the C type in which a value lies in temporary buffers.
func memoryType(t stream.Type) string {
	if t == stream.Boolean {
		return "u8"
	}
	return ctype(t)
}

func (a *Aggregation) addBuffers(keys []*model.Expr) {
	l := a.layout
	l.output("counts", "i32", extent{fixed: 4 * countsLen}, device.Extent{Fixed: 4 * countsLen})
	a.errors = l.output("errors", "i32", extent{fixed: 8 * ErrorRowsMax}, counted(countErrors, perRow(8))).arg.Index
	show := func(name, ctype string) int {
		b := bytesOf(ctype)
		return l.output(name, ctype, perEntry(b), counted(countRows, perRow(b))).arg.Index
	}
	a.places = show("position_of", "i64")
	flags := func(name string) int {
		l.buffer(device.TemporaryArg, name+"_bytes", "u8", perEntry(1))
		return l.output(name, "u64", extent{each: 8, per: 64, most: EntriesMax}, counted(countRows, perWord())).arg.Index
	}
	for i, k := range keys {
		c := outputColumn{t: k.Type}
		if name := fmt.Sprintf("show%d", i); k.Type == stream.Boolean {
			c.values = flags(name)
		} else {
			c.values = show(name, ctype(k.Type))
		}
		c.valid = flags(fmt.Sprintf("show%d_valid", i))
		a.keys = append(a.keys, c)
	}
	for i := range a.cells {
		c := &a.cells[i]
		for k, f := range c.fields {
			at := show(fmt.Sprintf("cell%d_%s", i, f.name), f.ctype)
			if k == 0 {
				c.first = at
			}
			l.buffer(device.TemporaryArg, fmt.Sprintf("table%d_%s", i, f.name), f.ctype, extent{each: workGroups * bytesOf(f.ctype), per: 1, most: tablesRoom / workGroups})
		}
	}
	for _, t := range []struct{ name, ctype string }{{"pane", "i64"}, {"position", "i64"}, {"slot", "i32"}, {"place", "i32"}} {
		l.buffer(device.TemporaryArg, t.name, t.ctype, perRow(bytesOf(t.ctype)))
	}
	l.buffer(device.TemporaryArg, "blocks", "i32", perGroup(4))
	for _, name := range []string{"table", "firsts", "ids"} {
		l.buffer(device.TemporaryArg, name, "i32", perPlace(4))
	}
}

// Sizes are the buffers of a slot for tasks of up to rows rows.
func (a *Aggregation) Sizes(rows int) device.Sizes { return a.layout.sizes(rows) }

// NewCall returns a call with room for what Load enters.
func (a *Aggregation) NewCall() *device.Call {
	return a.layout.call()
}

// Load copies the rows of a task to a slot's input buffers and prepares the call. The error
// is ErrTooManyRows, or a column that is read is absent.
func (a *Aggregation) Load(t *operator.Task, slot device.Slot, call *device.Call) error {
	a.layout.prepare(call)
	call.Scalars[a.base], call.Scalars[a.room] = t.First, int64(placesFor(t.Rows))
	return a.intake.load(t, slot, call)
}

// Grouped is the entries of all panes of a task. It aliases the slot's output buffers.
type Grouped struct {
	operator.Grouped
	Outcome
}

// Read makes r the result that lies in a slot's output buffers.
func (a *Aggregation) Read(slot device.Slot, r *Grouped) {
	counts := view[int32](slot.Output(0))
	r.Len = min(int(counts[countRows]), EntriesMax)
	r.Keys, r.Cells = resize(r.Keys, len(a.keys)), resize(r.Cells, len(a.calls))
	r.Positions = view[int64](slot.Output(a.places))[:r.Len]
	for i := range a.keys {
		r.Keys[i] = a.keys[i].column(slot, r.Len)
	}
	for i, at := range a.calls {
		r.Cells[i] = a.cells[at].result(slot, r.Len)
	}
	r.Failed = r.read(a.layout, a.ops, int(counts[countErrors]), slot.Output(a.errors), r.Failed)
	if counts[countLost] > 0 {
		r.Redo = tooManyGroups
	}
}

// result is the first n accumulators in a slot's output buffers.
func (c *cell) result(slot device.Slot, n int) operator.GroupedCell {
	out := operator.GroupedCell{Kind: c.kind, N: view[int32](slot.Output(c.first))[:n]}
	switch c.kind {
	case operator.IntSumCell:
		out.Low, out.High = view[uint64](slot.Output(c.first + 1))[:n], view[int64](slot.Output(c.first + 2))[:n]
	case operator.FloatSumCell:
		out.Float, out.Rest = view[float64](slot.Output(c.first + 1))[:n], view[float64](slot.Output(c.first + 2))[:n]
	case operator.LeastCell, operator.GreatestCell:
		t := c.t
		if t == stream.Boolean {
			t = stream.Integer
		}
		column := outputColumn{t: t, values: c.first + 1, valid: -1}
		out.Value = column.column(slot, n)
	}
	return out
}

// names joins lists of parameters.
func names(lists ...[]string) []string { return slices.Concat(lists...) }
