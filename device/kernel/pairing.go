package kernel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Pairing is a program that finds the pairs of a job of a window join: of the rows that both
// sides have in each of some windows, those that its keys and conditions hold for, and those
// that a condition fails for, ordered by window, left row, right row. A work item goes through
// the right rows of a window for one left row of it, twice: to count its pairs and, when all
// know how many are before theirs, to write them.
//
// Equality is a condition like others: right for keys of few rows each, and slow for large
// windows.
type Pairing struct {
	Program     *device.Program
	layout      *layout
	pairs       operator.Pairs
	left, right *intake
	from        int // columns of the left side, before those of the right one
	scalars     struct{ items, windows, room int }
	table       [5]int // input buffers: see tableNames
	numbered    bool   // a condition reads columns of the window
	temporary   int    // temporary buffer of a number per left row
	outputs     [2]int
}

// tableNames are the buffers that describe a call's windows: the first of the work items of
// each, the first left row, the right rows, and the number.
var tableNames = []string{"win_item", "win_left", "win_from", "win_to", "win_number"}

// Limits of a call.
const (
	// PairsMax is how many pairs there is room for.
	PairsMax = 1 << 19
	// PairTestsMax bounds the pairs that are looked at, which takes time.
	PairTestsMax = 1 << 29
)

// What cannot be loaded. It is the same of all jobs: reasons are counted.
var (
	errTooManyTests = fmt.Errorf("more than %d pairs of rows to look at", PairTestsMax)
	errPairsRoom    = fmt.Sprintf("more than %d pairs, which is what a device has room for", PairsMax)
)

// NewPairing writes the program for what a join is to find. An error says why there is none.
func NewPairing(pairs operator.Pairs) (*Pairing, error) {
	l := newLayout()
	p := &Pairing{layout: l, pairs: pairs, from: pairs.Schemas[0].Len()}
	p.scalars.items = l.scalar(device.Int32Arg, "n")
	p.scalars.windows, p.scalars.room = l.scalar(device.Int32Arg, "windows"), l.scalar(device.Int32Arg, "pairs_max")
	conditions := p.conditions()
	reads := make([]bool, p.from+pairs.Schemas[1].Len())
	for _, c := range conditions {
		c.Columns(func(i int) { reads[i] = true })
	}
	for c, role := range pairs.Roles {
		p.numbered = p.numbered || reads[c] && role != stream.NoRole
		reads[c] = reads[c] && role == stream.NoRole
	}
	left, names, err := p.take(&p.left, leftInput, pairs.Schemas[0], reads[:p.from])
	if err != nil {
		return nil, err
	}
	right, more, err := p.take(&p.right, rightInput, pairs.Schemas[1], reads[p.from:])
	if err != nil {
		return nil, err
	}
	names = slices.Concat([]string{"n", "windows"}, names, more, p.addBuffers())
	if err := p.addEntries(names, left, right, conditions); err != nil {
		return nil, err
	}
	p.Program = l.program("pairing")
	return p, nil
}

func (p *Pairing) take(in **intake, names inputNames, schema *stream.Schema, reads []bool) (columns []value, parameters []string, err error) {
	*in, columns, parameters, err = p.layout.take(names, schema, reads)
	return columns, parameters, err
}

// conditions are the equalities and the other conditions over the left columns followed by
// the right ones.
func (p *Pairing) conditions() []*model.Expr {
	var out []*model.Expr
	left, right := p.pairs.Schemas[0], p.pairs.Schemas[1]
	for i, k := range p.pairs.Keys[0] {
		other := p.pairs.Keys[1][i]
		out = append(out, model.Call("eq", stream.Boolean, model.Col(k, left.Fields[k].Type), model.Col(p.from+other, right.Fields[other].Type)))
	}
	return append(out, p.pairs.On...)
}

// addBuffers adds all buffers but those of columns, and returns the names of those that
// describe windows.
func (p *Pairing) addBuffers() []string {
	l, table := p.layout, tableNames
	if !p.numbered {
		table = table[:len(table)-1]
	}
	for i, name := range table {
		ctype, bytes := "i32", 4
		if name == "win_number" {
			ctype, bytes = "i64", 8
		}
		p.table[i] = l.buffer(device.InputArg, name, ctype, perRow(bytes)).arg.Index
	}
	l.output("counts", "i32", extent{fixed: 4 * countsLen}, device.Extent{Fixed: 4 * countsLen})
	for i, name := range []string{"pair_left", "pair_right"} {
		p.outputs[i] = l.output(name, "i32", extent{}, counted(countRows, perRow(4))).arg.Index
	}
	p.temporary = l.buffer(device.TemporaryArg, "place", "i32", perRow(4)).arg.Index
	l.buffer(device.TemporaryArg, "blocks", "i32", perGroup(4))
	return table
}

// findWindow is code that finds the window of work item g: the last one that begins with it or
// before.
const findWindow = `
    i32 win = 0;
    for (i32 above = windows; above - win > 1;) {
      i32 middle = (win + above) >> 1;
      if (win_item[middle] <= g) win = middle; else above = middle;
    }
    const i32 row = win_left[win] + g - win_item[win];
`

// loop is code that goes through the right rows of work item g and does something, put in the
// place of DO_PAIR, for those that pair with its left row. failed is C for whether a condition
// fails: FALSE or NULL in any of them wins over that.
func (p *Pairing) loop(left, right []value, conditions []*model.Expr) (text, failed string, err error) {
	l := p.layout
	e := &emitter{out: &strings.Builder{}, reasons: &l.reasons, columns: append(left, right...)}
	p.left.read(e, left)
	for c, role := range p.pairs.Roles {
		if p.numbered && role != stream.NoRole {
			e.columns[c] = p.windowColumn(e, c, role)
		}
	}
	e.line("for (i32 other = win_from[win]; other < win_to[win]; other++) {")
	p.right.read(e, right)
	var fails []string
	for _, c := range conditions {
		v, err := e.expr(c)
		if err != nil {
			return "", "", err
		}
		passes := holds(value{value: v.value, null: v.null, fail: never}, "")
		if v.fail != never {
			passes = fmt.Sprintf("(%s || %s)", v.fail, passes)
			fails = append(fails, v.fail)
		}
		e.line("if (!%s) continue;", passes)
	}
	e.line("DO_PAIR")
	e.line("}")
	return e.out.String(), either(fails...), nil
}

// windowColumn is a column of the window, which nobody keeps.
func (p *Pairing) windowColumn(e *emitter, c int, role stream.Role) value {
	side, schema, at := 0, p.pairs.Schemas[0], c
	if c >= p.from {
		side, schema, at = 1, p.pairs.Schemas[1], c-p.from
	}
	apart := (&operator.WindowRows{}).Value(role, p.pairs.Sizes[side])
	return value{t: schema.Fields[at].Type, value: e.local("i64", fmt.Sprintf("ADD_I64(win_number[win], %s)", whole(apart))), null: never, fail: never}
}

// countPlaces is placeBody for any number of results per work item: live is that number.
const countPlaces = `
  sums[l] = live;
  MEET();
  for (i32 d = 1; d < GROUP_ITEMS; d <<= 1) {
    i32 before = l >= d ? sums[l - d] : 0;
    MEET();
    sums[l] += before;
    MEET();
  }
  if (g < n) place[g] = sums[l] - live;
  if (l == GROUP_ITEMS - 1) blocks[GROUP] = sums[l];
`

func (p *Pairing) addEntries(inputs []string, left, right []value, conditions []*model.Expr) error {
	loop, failed, err := p.loop(left, right, conditions)
	if err != nil {
		return err
	}
	with := func(do string) string { return findWindow + strings.Replace(loop, "DO_PAIR", do, 1) }
	mark := "g"
	if failed != never {
		mark = fmt.Sprintf("(%s ? ~g : g)", failed)
	}
	count := "  SHARED i32 sums[GROUP_ITEMS];\n  i32 g = ITEM, l = LOCAL, live = 0;\n  if (g < n) {" + with("live++;") + "  }\n" + countPlaces
	write := "  i32 g = ITEM;\n  if (g < n) {\n    i32 to = blocks[GROUP] + place[g];" +
		with("if (to < pairs_max) { pair_left[to] = "+mark+"; pair_right[to] = other; } to++;") + "  }\n"
	for _, e := range []struct {
		name  string
		items device.Extent
		names []string
		body  string
	}{
		{"begin", oneGroup, []string{"counts"}, beginBody},
		{"count", allRows, names(inputs, []string{"place", "blocks"}), count},
		{"scan", oneGroup, []string{"n", "blocks", "counts"}, scanBody},
		{"write", allRows, names(inputs, []string{"pairs_max", "place", "blocks", "pair_left", "pair_right"}), write},
	} {
		if err := p.layout.entry(e.name, e.items, e.names, e.body); err != nil {
			return err
		}
	}
	return nil
}

// SizesFor are the buffers of a slot for so many rows on each side, left rows of all windows,
// and pairs.
func (p *Pairing) SizesFor(rows, left, pairs int) device.Sizes {
	s, items := p.layout.sizes(rows), p.layout.sizes(left)
	for i := range tableNames {
		if i < len(tableNames)-1 || p.numbered {
			s.Input[p.table[i]] = items.Input[p.table[i]]
		}
	}
	s.Temporary = items.Temporary
	for _, o := range p.outputs {
		s.Output[o] = 4 * pairs
	}
	return s
}

// NewCall returns a call with room for what Load enters.
func (p *Pairing) NewCall() *device.Call {
	return p.layout.call()
}

// Load copies the rows of a job's windows to a slot's input buffers and prepares the call. The
// error says why a device cannot take them: ErrTooManyRows, or in words that are the same of
// all jobs.
func (p *Pairing) Load(w *operator.Windows, slot device.Slot, call *device.Call) error {
	p.layout.prepare(call)
	room := len(slot.Input(p.table[0])) / 4
	switch {
	case w.Tests > PairTestsMax:
		return errTooManyTests
	case w.Left > room:
		return fmt.Errorf("%d left rows of windows: %w", w.Left, ErrTooManyRows)
	}
	for side, in := range []*intake{p.left, p.right} {
		if err := in.load(&operator.Task{Spans: w.Spans[side], Rows: w.Rows[side]}, slot, call); err != nil {
			return err
		}
	}
	n, err := p.loadWindows(w, slot)
	if err != nil {
		return err
	}
	for i := range p.table[:4] {
		call.InputBytes[p.table[i]] = 4 * n
	}
	if p.numbered {
		call.InputBytes[p.table[4]] = 8 * n
	}
	call.Scalars[p.scalars.items], call.Scalars[p.scalars.windows] = int64(w.Left), int64(n)
	call.Scalars[p.scalars.room] = int64(len(slot.Output(p.outputs[0])) / 4)
	return nil
}

// loadWindows describes the windows that have left rows, and returns how many those are.
func (p *Pairing) loadWindows(w *operator.Windows, slot device.Slot) (n int, err error) {
	var table [4][]int32
	for i := range table {
		table[i] = view[int32](slot.Input(p.table[i]))
	}
	items := int32(0)
	for i := range w.List {
		list := &w.List[i]
		for side := range list.From {
			if list.From[side] < 0 || list.To[side] < list.From[side] || int(list.To[side]) > w.Rows[side] {
				return 0, errors.New("a window has rows that its job does not have")
			}
		}
		count := list.To[0] - list.From[0]
		if count == 0 {
			continue
		}
		table[0][n], table[1][n], table[2][n], table[3][n] = items, list.From[0], list.From[1], list.To[1]
		if p.numbered {
			view[int64](slot.Input(p.table[4]))[n] = list.Number
		}
		items += count
		n++
	}
	if int(items) != w.Left {
		return 0, fmt.Errorf("windows have %d left rows, their job says %d", items, w.Left)
	}
	return n, nil
}

// Paired is the pairs that a program has found. They alias the slot's output buffers.
type Paired struct {
	operator.Paired
	// Redo says why the windows have to be joined on the CPU; empty if the result is good.
	Redo string
}

// Read makes r the result that lies in a slot's output buffers.
func (p *Pairing) Read(slot device.Slot, r *Paired) {
	counts := view[int32](slot.Output(0))
	n, left := int(counts[countRows]), view[int32](slot.Output(p.outputs[0]))
	r.Left, r.Right, r.Redo = nil, nil, ""
	if n > len(left) {
		r.Redo = errPairsRoom
		return
	}
	r.Left, r.Right = left[:n], view[int32](slot.Output(p.outputs[1]))[:n]
}
