package kernel

import (
	"fmt"
	"math"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Pairing is a program that finds the pairs of a window join: of the rows that two inputs
// have in a window, those that its keys and conditions hold for, ordered by left row, then
// right row. Every work item goes through all right rows for a left row of its own, twice:
// to count its pairs and, when all know how many are before theirs, to write them.
//
// Equality is a condition like others: right for keys of few rows each, and slow for large
// windows.
type Pairing struct {
	Program     *device.Program
	layout      *layout
	left, right *intake
	pairs       int // scalar: how many pairs there is room for
	outputs     [2]int
}

// NewPairing writes the program of a join of relations with these schemas. An error says
// why there is none.
func NewPairing(left, right *stream.Schema, join *model.Join) (*Pairing, error) {
	conditions := conditionsOf(join, left.Len())
	reads := make([]bool, left.Len()+right.Len())
	for _, c := range conditions {
		c.Columns(func(i int) { reads[i] = true })
	}
	l := newLayout()
	p := &Pairing{layout: l}
	var columns, others []value
	var names, more []string
	var err error
	if p.left, columns, names, err = l.take(onlyInput, left, reads[:left.Len()]); err != nil {
		return nil, err
	}
	if p.right, others, more, err = l.take(rightInput, right, reads[left.Len():]); err != nil {
		return nil, err
	}
	p.pairs = l.scalar(device.Int32Arg, "pairs_max")
	l.output("counts", "i32", extent{fixed: 4 * countsLen}, device.Extent{Fixed: 4 * countsLen})
	for i, name := range []string{"pair_left", "pair_right"} {
		p.outputs[i] = l.output(name, "i32", extent{}, counted(countRows, perRow(4))).arg.Index
	}
	l.buffer(device.TemporaryArg, "place", "i32", perRow(4))
	l.buffer(device.TemporaryArg, "blocks", "i32", perGroup(4))
	e := &emitter{out: &strings.Builder{}, reasons: &l.reasons, columns: append(columns, others...)}
	p.left.read(e, columns)
	loop, err := p.loop(e, others, conditions)
	if err != nil {
		return nil, err
	}
	if err := p.addEntries(append(names, more...), loop); err != nil {
		return nil, err
	}
	p.Program = l.program("pairing")
	return p, nil
}

// conditionsOf are a join's equalities and conditions over the left columns followed by the
// right ones.
func conditionsOf(join *model.Join, left int) []*model.Expr {
	var out []*model.Expr
	for i, k := range join.LeftKeys {
		other := join.RightKeys[i].Rewrite(func(x *model.Expr) *model.Expr {
			if x.Kind == model.ColumnExpr {
				return model.Col(x.Column+left, x.Type)
			}
			return x
		})
		out = append(out, model.Call("eq", stream.Boolean, k, other))
	}
	return append(out, join.On...)
}

// loop is code that goes through the right rows and does something, put in the place of
// %s, for those that pair with left row g. What fails is counted in bad.
func (p *Pairing) loop(e *emitter, others []value, conditions []*model.Expr) (string, error) {
	e.line("for (i32 other = 0; other < m; other++) {")
	p.right.read(e, others)
	var holding, failing []string
	for _, c := range conditions {
		v, err := e.expr(c)
		if err != nil {
			return "", err
		}
		holding = append(holding, holds(v, ""))
		failing = append(failing, v.fail)
	}
	if fails := either(failing...); fails != never {
		e.line("if (%s) bad = 1;", fails)
	}
	holding = append(holding, "1")
	e.line("if (%s) { DO_PAIR }", strings.Join(holding, " && "))
	e.line("}")
	return e.out.String(), nil
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

func (p *Pairing) addEntries(inputs []string, loop string) error {
	l := p.layout
	with := func(do string) string { return strings.ReplaceAll(loop, "DO_PAIR", do) }
	count := "  SHARED i32 sums[GROUP_ITEMS];\n  i32 g = ITEM, l = LOCAL, live = 0, bad = 0;\n  if (g < n) {\n" + with("live++;") +
		"  }\n  if (bad) ADD(&counts[2], 1);\n" + countPlaces
	write := "  i32 g = ITEM, bad = 0;\n  if (g < n) {\n    i32 to = blocks[GROUP] + place[g];\n" +
		with("if (to < pairs_max) { pair_left[to] = g; pair_right[to] = other; } to++;") + "  }\n"
	for _, e := range []struct {
		name  string
		items device.Extent
		names []string
		body  string
	}{
		{"begin", oneGroup, []string{"counts"}, beginBody},
		{"count", allRows, names(inputs, []string{"counts", "place", "blocks"}), count},
		{"scan", oneGroup, []string{"n", "blocks", "counts"}, scanBody},
		{"write", allRows, names(inputs, []string{"pairs_max", "place", "blocks", "pair_left", "pair_right"}), write},
	} {
		if err := l.entry(e.name, e.items, e.names, e.body); err != nil {
			return err
		}
	}
	return nil
}

// Sizes are the buffers of a slot for so many rows on each side, and pairs.
func (p *Pairing) Sizes(rows, pairs int) device.Sizes {
	s := p.layout.sizes(rows)
	for _, o := range p.outputs {
		s.Output[o] = 4 * pairs
	}
	return s
}

// NewCall returns a call with room for what Load enters.
func (p *Pairing) NewCall() *device.Call {
	return p.layout.call()
}

// Load copies the rows of both sides to a slot's input buffers and prepares the call.
// The error says why a device cannot take them: ErrTooManyRows, or in words.
func (p *Pairing) Load(left, right *operator.Task, slot device.Slot, call *device.Call) error {
	if int64(left.Rows)*int64(right.Rows) > math.MaxInt32 {
		return fmt.Errorf("%d by %d rows have more pairs than a device counts", left.Rows, right.Rows)
	}
	p.layout.prepare(call)
	call.Scalars[p.pairs] = int64(len(slot.Output(p.outputs[0])) / 4)
	if err := p.left.load(left, slot, call); err != nil {
		return err
	}
	return p.right.load(right, slot, call)
}

// Paired is the result of a window: the rows of each pair by their index in their task.
// It aliases the slot's output buffers.
type Paired struct {
	Left, Right []int32
	// Redo says why the window has to be joined on the CPU; empty if the result is good.
	Redo string
}

// Read makes r the result that lies in a slot's output buffers.
func (p *Pairing) Read(slot device.Slot, r *Paired) {
	counts := view[int32](slot.Output(0))
	n, left := int(counts[countRows]), view[int32](slot.Output(p.outputs[0]))
	r.Left, r.Right, r.Redo = nil, nil, ""
	switch {
	case counts[countLost] > 0:
		r.Redo = "a condition failed, which the CPU reports pair by pair"
	case n > len(left):
		r.Redo = fmt.Sprintf("%d pairs, there is room for %d", n, len(left))
	default:
		r.Left, r.Right = left[:n], view[int32](slot.Output(p.outputs[1]))[:n]
	}
}
