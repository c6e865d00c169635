package operator

import (
	"errors"
	"math"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// A snapshot numbers the resident groups by their order, 0.., and says everything by
// these numbers: keys, both stacks and what flipped entries hold as they are - summing
// anew could round differently -, and distinct values pane by pane.

// Snapshot writes the open windows.
func (a *aggregate) Snapshot(w *state.Writer) {
	if err := a.comeBack(); err != nil {
		panic("operator: rows that were read before cannot be read again: " + err.Error())
	}
	w.Int(a.out.rows)
	w.Int(a.mark)
	w.Int(a.rows)
	w.Bool(a.ended)
	w.Bool(a.done)
	w.Int(a.next)
	w.Bool(a.holds)
	w.Int(a.first)
	for _, v := range a.run {
		w.Int(v)
	}
	order, number := a.numbered()
	if a.keys > 0 {
		w.Int(int64(len(order)))
	}
	for _, g := range order {
		for j := 0; j < a.keys; j++ {
			w.Value(a.windowState.keys.value(j, g))
		}
	}
	writeSlots(w, a.back, order)
	if a.slide != nil {
		a.slide.write(w, order, number)
	}
	for i := range a.windowState.sets {
		a.windowState.sets[i].write(w, number)
	}
}

// numbered returns the resident groups in order, and each group's place in it.
func (a *aggregate) numbered() (order, number []int32) {
	n := a.groupCount(a)
	number = make([]int32, n)
	switch {
	case a.slide != nil && a.keys > 0:
		order = a.slide.order
	default:
		for g := range n {
			order = append(order, int32(g))
		}
	}
	for i, g := range order {
		number[g] = int32(i)
	}
	return order, number
}

func writeSlots(w *state.Writer, accs []accumulator, slots []int32) {
	for _, acc := range accs {
		for _, s := range slots {
			acc.write(w, int(s))
		}
	}
}

func readSlots(r *state.Reader, accs []accumulator, n int) {
	for _, acc := range accs {
		acc.resize(n)
		for s := 0; s < n && r.Err() == nil; s++ {
			acc.read(r, s)
		}
	}
}

func (s *slider) write(w *state.Writer, order, number []int32) {
	writeSlots(w, s.front, order)
	w.Int(int64(s.flipped))
	w.Int(int64(len(s.panes)))
	for i, p := range s.panes {
		lo, hi := s.span(i)
		w.Int(p.first)
		w.Int(int64(hi - lo))
		for e := lo; e < hi; e++ {
			w.Int(int64(number[s.groups[e]]))
			for _, log := range s.log {
				log.write(w, e)
			}
		}
	}
}

func (d *distinctState) write(w *state.Writer, number []int32) {
	w.Int(int64(len(d.from)))
	for i, from := range d.from {
		to := d.base + int64(len(d.log))
		if i+1 < len(d.from) {
			to = d.from[i+1]
		}
		w.Int(to - from)
		for _, id := range d.log[from-d.base : to-d.base] {
			w.Int(int64(number[d.keys.cols[0].I32[id]]))
			w.Value(d.keys.value(1, id))
		}
	}
}

var errAggregateState = errors.New("operator: aggregate's snapshot is damaged")

// Restore reads what Snapshot wrote.
func (a *aggregate) Restore(r *state.Reader) error {
	a.history.since, a.history.restored = math.MaxInt64, true
	a.out.rows = r.Int()
	a.mark, a.rows, a.ended, a.done = r.Int(), r.Int(), r.Bool(), r.Bool()
	a.next, a.holds, a.first = r.Int(), r.Bool(), r.Int()
	for i := range a.run {
		a.run[i] = r.Int()
	}
	n := 1
	if a.keys > 0 {
		if n = r.Count(a.keys); !a.readKeys(r, n) {
			return errAggregateState
		}
	}
	a.grow(a)
	readSlots(r, a.back, n)
	if a.slide != nil && !a.slide.read(r, n, a.keys > 0) {
		return errAggregateState
	}
	for i := range a.windowState.sets {
		if d := &a.windowState.sets[i]; !d.read(r, n) || len(d.from) != a.openPanes() {
			return errAggregateState
		}
	}
	return r.End()
}

// openPanes is the number of panes that are kept apart.
func (a *aggregate) openPanes() int {
	switch {
	case a.slide != nil:
		return len(a.slide.panes)
	case a.holds:
		return 1
	default:
		return 0
	}
}

// readKeys reads n keys, which get the ids 0..n-1.
func (a *aggregate) readKeys(r *state.Reader, n int) bool {
	var coder keyCoder
	w := &a.windowState
	cols := make([]stream.Column, a.keys)
	for j, t := range a.layout.types {
		cols[j].Reset(t)
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		for j, t := range a.layout.types {
			v := r.Value()
			if v.Type != t {
				return false
			}
			cols[j].AppendValue(v, i)
		}
	}
	if r.Err() != nil {
		return false
	}
	w.index.ids(w.keys, &coder, cols, n, make([]int32, n))
	return w.keys.n == n
}

// read reads panes of groups 0..n-1.
func (s *slider) read(r *state.Reader, n int, keyed bool) bool {
	s.grow(n)
	readSlots(r, s.front, n)
	s.flipped = int(r.Int())
	count := r.Count(2)
	for ; count > 0 && r.Err() == nil; count-- {
		s.open(r.Int())
		for entries := r.Count(1); entries > 0 && r.Err() == nil; entries-- {
			g, e := r.Int(), len(s.groups)
			if g < 0 || g >= int64(n) {
				return false
			}
			s.groups, s.last[g] = append(s.groups, int32(g)), s.base+int64(e)
			s.refs[g]++
			for _, log := range s.log {
				log.resize(e + 1)
				log.read(r, e)
			}
		}
	}
	for g := range n {
		if s.refs[g] > 0 {
			s.order = append(s.order, int32(g))
		} else if keyed {
			return false
		}
	}
	return r.Err() == nil && s.flipped >= 0 && s.flipped <= len(s.panes)
}

// read reads the distinct values of groups 0..n-1.
func (d *distinctState) read(r *state.Reader, n int) bool {
	for panes := r.Count(1); panes > 0 && r.Err() == nil; panes-- {
		d.open()
		var groups []int32
		var values stream.Column
		values.Reset(d.plan.t)
		for entries := r.Count(1); entries > 0; entries-- {
			g, v := r.Int(), r.Value()
			if r.Err() != nil || g < 0 || g >= int64(n) || v.Type != d.plan.t {
				return false
			}
			values.AppendValue(v, len(groups))
			groups = append(groups, int32(g))
		}
		d.add(groups, &values, n)
	}
	return r.Err() == nil
}
