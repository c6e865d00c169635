package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// emission puts out one window after another, at most OutputRows rows at a time.
type emission struct {
	emitting bool
	at       int // groups of the window that have been put out
	out      outputs
	joined   []accumulator // sliding: values of the groups in hand, per cell
	sets     []accumulator // .. per set
	record   record        // of a group whose result is out of range
	bounds   carriedWindow // of the window
}

func (e *emission) init(a *aggregate) {
	e.out = newOutputs(a.env, a.schema, a.need)
	for _, c := range a.cells {
		e.joined = append(e.joined, c.empty.fresh())
	}
	for _, s := range a.sets {
		e.sets = append(e.sets, s.total())
	}
	e.record.schema = a.schema
	for i, f := range a.schema.Fields {
		if i < a.keys || f.Role != stream.NoRole {
			e.record.columns = append(e.record.columns, i)
		}
	}
}

// begin starts to put out window next.
func (a *aggregate) begin() {
	a.emitting, a.at = true, 0
	a.bounds = a.boundsOf(a.next)
	if a.slide != nil && a.keys > 0 && a.grid.Fresh(a.next) {
		a.slide.renew()
	}
	for i := range a.windowState.sets {
		a.windowState.sets[i].recount(a.groupCount(a))
	}
}

// boundsOf returns window k's columns; k does not matter to windows that rows carry.
func (a *aggregate) boundsOf(k int64) carriedWindow {
	switch a.form {
	case rangePanes:
		start, end := a.grid.Start(k), a.grid.End(k)
		return carriedWindow{stream.WindowStart: start, stream.WindowEnd: end, stream.WindowTime: end - 1}
	case rowPanes:
		return carriedWindow{stream.WindowIndex: k}
	default:
		return a.run
	}
}

func (a *aggregate) Next() (*stream.Batch, error) {
	for {
		if !a.emitting {
			if a.step() {
				if a.out.room() == 0 {
					return a.out.take(), nil
				}
				continue
			}
			if err := a.checkSize(); err != nil {
				return nil, err
			}
			return a.out.take(), nil
		}
		if a.next < a.quiet {
			a.emitting = false
			a.finish()
			continue
		}
		n := min(a.out.room(), a.live()-a.at)
		a.emit(a.at, n)
		if a.at += n; a.at == a.live() {
			a.emitting = false
			a.finish()
		}
		if a.out.room() == 0 {
			return a.out.take(), nil
		}
	}
}

// live is the number of groups of the window.
func (a *aggregate) live() int {
	switch {
	case a.keys == 0:
		return 1
	case a.slide != nil:
		return len(a.slide.order)
	default:
		return a.windowState.keys.n
	}
}

// emit puts out groups [from, from+n) of the window, leaving out those with a result
// out of range.
func (a *aggregate) emit(from, n int) {
	values := from
	if a.slide != nil {
		a.join(a.members(from, n))
		values = 0
	}
	lo := 0
	for i := range a.suspects(values, n) {
		if a.fits(values + i) {
			continue
		}
		a.write(from+lo, values+lo, i-lo)
		a.fail(from+i, values+i)
		lo = i + 1
	}
	a.write(from+lo, values+lo, n-lo)
}

var ungrouped = []int32{0}

// members returns the resident groups that stand at [from, from+n) of the order.
func (a *aggregate) members(from, n int) []int32 {
	if a.keys == 0 {
		return ungrouped[from : from+n]
	}
	return a.slide.order[from : from+n]
}

// join computes the values of groups from both stacks.
func (a *aggregate) join(groups []int32) {
	for c, j := range a.joined {
		j.join(groups, a.slide.front[c], a.back[c])
	}
	for i, j := range a.emission.sets {
		d := &a.windowState.sets[i]
		j.join(groups, d.total, d.zero)
	}
}

// cell returns the accumulator that has the window's values of a cell.
func (a *aggregate) cell(i int) accumulator {
	if a.slide != nil {
		return a.joined[i]
	}
	return a.back[i]
}

// value returns the accumulator that has a call's results; nil if nobody needs it.
func (a *aggregate) value(c *aggCall) accumulator {
	switch {
	case c.cell >= 0:
		return a.cell(c.cell)
	case c.set >= 0 && a.slide != nil:
		return a.emission.sets[c.set]
	case c.set >= 0:
		return a.windowState.sets[c.set].total
	}
	return nil
}

// suspects returns n if any of the n values has a result out of range, else 0.
func (a *aggregate) suspects(values, n int) int {
	for i := range a.calls {
		c := &a.calls[i]
		if !c.checked {
			continue
		}
		for v, acc := values, a.value(c); v < values+n; v++ {
			if !acc.fits(c.f, v) {
				return n
			}
		}
	}
	return 0
}

func (a *aggregate) fits(value int) bool { return a.reason(value) == "" }

// write appends groups [from, from+n), whose values are at [values, values+n).
func (a *aggregate) write(from, values, n int) {
	if n == 0 {
		return
	}
	b := a.out.batch()
	at := b.Len
	for j := 0; j < a.keys; j++ {
		if a.need[j] {
			a.writeKey(&b.Cols[j], j, at, from, values, n)
		}
	}
	for i := range a.calls {
		if c := &a.calls[i]; c.needed {
			room(&b.Cols[c.out], at+n)
			a.value(c).result(c.agg, &b.Cols[c.out], at, values, n)
		}
	}
	for j := a.keys + len(a.calls); j < len(b.Cols); j++ {
		if a.need[j] {
			room(&b.Cols[j], at+n)
			fillRun(b.Cols[j].I64[at:at+n], a.bounds[a.schema.Fields[j].Role])
		}
	}
	b.Len += n
}

func fillRun(s []int64, v int64) {
	for i := range s {
		s[i] = v
	}
}

// anyAgg is for accumulators that have one result.
var anyAgg = model.Agg{Func: model.Min}

// writeKey writes key j of groups [from, from+n), whose values are at values.
func (a *aggregate) writeKey(dst *stream.Column, j, at, from, values, n int) {
	keys := a.windowState.keys
	switch {
	case a.shown[j] >= 0:
		room(dst, at+n)
		a.cell(a.shown[j]).result(&anyAgg, dst, at, values, n)
	case a.slide != nil:
		keys.gather(dst, j, at, a.members(from, n))
	default:
		keys.copyRange(dst, j, at, from, n)
	}
}

// reason is that of the first result of a group that is out of range, or empty.
func (a *aggregate) reason(value int) string {
	for i := range a.calls {
		if c := &a.calls[i]; c.checked && !a.value(c).fits(c.f, value) {
			return c.agg.BoundReason()
		}
	}
	return ""
}

// fail records a group whose result is out of range.
func (a *aggregate) fail(group, value int) {
	cols := make([]stream.Column, a.schema.Len())
	for _, c := range a.record.columns {
		f := a.schema.Fields[c]
		cols[c].Reset(f.Type)
		if c < a.keys {
			a.writeKey(&cols[c], c, 0, group, value, 1)
		} else {
			cols[c].AppendValue(stream.Value{Type: f.Type, I: a.bounds[f.Role]}, 0)
		}
	}
	a.errors = append(a.errors, ErrorRow{Op: a.op, Reason: a.reason(value), Record: a.record.json(cols, 0)})
}

// Discard implements Releaser; partial results hold nothing of the pool.
func (a *aggregate) Discard(Partial) {}

// Close implements Releaser.
func (a *aggregate) Close() {
	a.out.close()
	a.closeLocal()
}
