package operator

import (
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// rank says which value an extreme keeps. Of equal values the first stays.
type rank uint8

const (
	least rank = iota
	greatest
	earliest // the first of all: how a group shows a key of which -0 and 0 are forms
)

// extreme is the value kept of those seen.
type extreme[T int32 | int64 | float32 | float64] struct {
	v  T
	ok bool // a value was seen
}

// extremes is MIN and MAX of the fixed-width types, and first. NaN is the greatest
// float.
type extremes[T int32 | int64 | float32 | float64] struct {
	keep rank
	s    []extreme[T]
}

// beats reports whether v takes the place of old.
func beats[T int32 | int64 | float32 | float64](v, old T, keep rank) bool {
	switch keep {
	case least:
		return v < old || old != old && v == v
	case greatest:
		return v > old || v != v && old == old
	default:
		return false
	}
}

// then returns the extreme of both; a's values precede b's.
func (a extreme[T]) then(b extreme[T], keep rank) extreme[T] {
	if !a.ok || b.ok && beats(b.v, a.v, keep) {
		return b
	}
	return a
}

// valuesOf returns the values of a column of a fixed-width type.
func valuesOf[T int32 | int64 | float32 | float64](c *stream.Column) []T {
	var v any
	switch any(T(0)).(type) {
	case int32:
		v = c.I32
	case int64:
		v = c.I64
	case float32:
		v = c.F32
	default:
		v = c.F64
	}
	return v.([]T)
}

func (a *extremes[T]) fresh() accumulator { return &extremes[T]{keep: a.keep} }
func (a *extremes[T]) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *extremes[T]) drop(n int)         { a.s = dropSlots(a.s, n) }

func (a *extremes[T]) add(slots []int32, c *stream.Column) {
	v, keep := valuesOf[T](c)[:len(slots)], a.keep
	switch {
	case c.Valid != nil:
		for i, s := range slots {
			if e := &a.s[s]; c.Valid.Get(i) && (!e.ok || beats(v[i], e.v, keep)) {
				e.v, e.ok = v[i], true
			}
		}
	case keep == greatest:
		for i, s := range slots {
			e, x := &a.s[s], v[i]
			if x > e.v || !e.ok || x != x && e.v == e.v {
				e.v, e.ok = x, true
			}
		}
	default:
		for i, s := range slots {
			if e := &a.s[s]; !e.ok || beats(v[i], e.v, keep) {
				e.v, e.ok = v[i], true
			}
		}
	}
}

func (a *extremes[T]) merge(slots []int32, src accumulator, from int) {
	in := src.(*extremes[T]).s[from:]
	for i, s := range slots {
		a.s[s] = a.s[s].then(in[i], a.keep)
	}
}

func (a *extremes[T]) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*extremes[T]).s, back.(*extremes[T]).s, a.s[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = log[i].then(was, a.keep)
		log[i], b[g] = was, extreme[T]{}
	}
}

func (a *extremes[T]) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*extremes[T]).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *extremes[T]) join(groups []int32, front, back accumulator) {
	f, b := front.(*extremes[T]).s, back.(*extremes[T]).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = f[g].then(b[g], a.keep)
	}
}

func (a *extremes[T]) result(_ *model.Agg, c *stream.Column, at, from, n int) bool {
	out := valuesOf[T](c)[at : at+n]
	for i, e := range a.s[from : from+n] {
		out[i] = e.v
		if !e.ok {
			setNull(c, at+i)
		}
	}
	return true
}

func (a *extremes[T]) fits(model.AggFunc, int) bool { return true }

func (a *extremes[T]) write(w *state.Writer, slot int) {
	e := a.s[slot]
	w.Bool(e.ok)
	switch v := any(e.v).(type) {
	case int32:
		w.Int(int64(v))
	case int64:
		w.Int(v)
	case float32:
		w.Float(float64(v))
	case float64:
		w.Float(v)
	}
}

func (a *extremes[T]) read(r *state.Reader, slot int) {
	e := extreme[T]{ok: r.Bool()}
	switch any(e.v).(type) {
	case int32, int64:
		e.v = T(r.Int())
	default:
		e.v = T(r.Float())
	}
	a.s[slot] = e
}

// boolExtremes is MIN and MAX of BOOLEAN, as 0 and 1.
type boolExtremes struct{ extremes[int32] }

func (a *boolExtremes) fresh() accumulator {
	return &boolExtremes{extremes[int32]{keep: a.keep}}
}

func (a *boolExtremes) add(slots []int32, c *stream.Column) {
	for i, s := range slots {
		a.addRun(int(s), c, i, i+1)
	}
}

func (a *boolExtremes) addRun(slot int, c *stream.Column, from, to int) {
	for i := from; i < to; i++ {
		if c.IsNull(i) {
			continue
		}
		var v int32
		if c.Bits.Get(i) {
			v = 1
		}
		a.s[slot] = a.s[slot].then(extreme[int32]{v, true}, a.keep)
	}
}

func (a *boolExtremes) merge(slots []int32, src accumulator, from int) {
	a.extremes.merge(slots, &src.(*boolExtremes).extremes, from)
}

func (a *boolExtremes) flip(groups []int32, from int, front, back accumulator) {
	a.extremes.flip(groups, from, &front.(*boolExtremes).extremes, &back.(*boolExtremes).extremes)
}

func (a *boolExtremes) undo(groups []int32, from int, front accumulator) {
	a.extremes.undo(groups, from, &front.(*boolExtremes).extremes)
}

func (a *boolExtremes) join(groups []int32, front, back accumulator) {
	a.extremes.join(groups, &front.(*boolExtremes).extremes, &back.(*boolExtremes).extremes)
}

func (a *boolExtremes) result(_ *model.Agg, c *stream.Column, at, from, n int) bool {
	for i, e := range a.s[from : from+n] {
		c.Bits.Put(at+i, e.v != 0)
		if !e.ok {
			setNull(c, at+i)
		}
	}
	return true
}

// textExtremes is MIN and MAX of VARCHAR, by bytes. Strings are immutable, so the
// places that hold a slot's text may share it.
type textExtremes struct {
	greatest bool
	s        []textExtreme
}

type textExtreme struct {
	v  string
	ok bool
}

func (a *textExtremes) then(x, y textExtreme) textExtreme {
	if c := strings.Compare(y.v, x.v); !x.ok || y.ok && (a.greatest && c > 0 || !a.greatest && c < 0) {
		return y
	}
	return x
}

func (a *textExtremes) fresh() accumulator { return &textExtremes{greatest: a.greatest} }
func (a *textExtremes) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *textExtremes) drop(n int)         { a.s = dropSlots(a.s, n) }

func (a *textExtremes) add(slots []int32, c *stream.Column) {
	for i, s := range slots {
		a.addRun(int(s), c, i, i+1)
	}
}

func (a *textExtremes) addRun(slot int, c *stream.Column, from, to int) {
	e := &a.s[slot]
	for i := from; i < to; i++ {
		if c.IsNull(i) {
			continue
		}
		text := c.Text(i)
		// Comparisons of converted bytes do not allocate; only what stays is copied.
		if !e.ok || a.greatest && string(text) > e.v || !a.greatest && string(text) < e.v {
			*e = textExtreme{string(text), true}
		}
	}
}

func (a *textExtremes) merge(slots []int32, src accumulator, from int) {
	in := src.(*textExtremes).s[from:]
	for i, s := range slots {
		a.s[s] = a.then(a.s[s], in[i])
	}
}

func (a *textExtremes) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*textExtremes).s, back.(*textExtremes).s, a.s[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = a.then(log[i], was)
		log[i], b[g] = was, textExtreme{}
	}
}

func (a *textExtremes) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*textExtremes).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *textExtremes) join(groups []int32, front, back accumulator) {
	f, b := front.(*textExtremes).s, back.(*textExtremes).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = a.then(f[g], b[g])
	}
}

func (a *textExtremes) result(_ *model.Agg, c *stream.Column, at, from, n int) bool {
	for i, e := range a.s[from : from+n] {
		if !e.ok {
			setNull(c, at+i)
		}
		c.Bytes = append(c.Bytes, e.v...)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	}
	return true
}

func (a *textExtremes) fits(model.AggFunc, int) bool { return true }

func (a *textExtremes) write(w *state.Writer, slot int) {
	w.Bool(a.s[slot].ok)
	w.Text(a.s[slot].v)
}

func (a *textExtremes) read(r *state.Reader, slot int) {
	a.s[slot] = textExtreme{ok: r.Bool(), v: r.Text()}
}
