package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// folding is an aggregate that takes in its values one by one. T is its partial result,
// whose zero value is that of no values.
type folding[T any] interface {
	// add takes in value i of c, which is not NULL, and of by, a second argument, behind
	// those of s.
	add(s *T, c, by *stream.Column, i int)
	// plus returns the partial result of a's values and, behind them, b's. Both stay as
	// they are; what they refer to may be shared with it, for nothing is added to it.
	plus(a, b T) T
	// put writes the result to value at of c, which has room, or appends it to a VARCHAR.
	put(g *model.Agg, c *stream.Column, at int, s *T)
	write(w *state.Writer, s *T)
	read(r *state.Reader, s *T)
	// slotBytes estimates what a partial result can occupy.
	slotBytes() int
}

// folds is the accumulator of a folding aggregate.
type folds[K folding[T], T any] struct {
	kind K
	s    []T
	by   *stream.Column // second argument of the rows that are added next
}

// second tells the second argument of the rows that are added next.
func (a *folds[K, T]) second(by *stream.Column) { a.by = by }

func (a *folds[K, T]) fresh() accumulator { return &folds[K, T]{kind: a.kind} }
func (a *folds[K, T]) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *folds[K, T]) drop(n int)         { a.s = dropSlots(a.s, n) }
func (a *folds[K, T]) slotBytes() int     { return a.kind.slotBytes() }

func (a *folds[K, T]) add(slots []int32, c *stream.Column) {
	for i, s := range slots {
		if !c.IsNull(i) {
			a.kind.add(&a.s[s], c, a.by, i)
		}
	}
}

func (a *folds[K, T]) addRuns(slot, from int, ends []int32, c *stream.Column) {
	for k, end := range ends {
		for ; from < int(end); from++ {
			if !c.IsNull(from) {
				a.kind.add(&a.s[slot+k], c, a.by, from)
			}
		}
	}
}

func (a *folds[K, T]) merge(slots []int32, src accumulator, from int) {
	in := src.(*folds[K, T]).s[from:]
	for i, s := range slots {
		a.s[s] = a.kind.plus(a.s[s], in[i])
	}
}

func (a *folds[K, T]) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*folds[K, T]).s, back.(*folds[K, T]).s, a.s[from:]
	var none T
	for i, g := range groups {
		was := f[g]
		f[g] = a.kind.plus(log[i], was)
		log[i], b[g] = was, none
	}
}

func (a *folds[K, T]) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*folds[K, T]).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *folds[K, T]) join(groups []int32, front, back accumulator) {
	f, b := front.(*folds[K, T]).s, back.(*folds[K, T]).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = a.kind.plus(f[g], b[g])
	}
}

func (a *folds[K, T]) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*folds[K, T]).s, &front.(*folds[K, T]).s[0], &back.(*folds[K, T]).s[0], out.(*folds[K, T]).s, a.kind.plus)
}

func (a *folds[K, T]) result(g *model.Agg, c *stream.Column, at, from, n int) bool {
	for i := range n {
		a.kind.put(g, c, at+i, &a.s[from+i])
	}
	return true
}

func (a *folds[K, T]) fits(_ model.AggFunc, slot int) bool {
	b, ok := any(a.kind).(interface{ fits(*T) bool })
	return !ok || b.fits(&a.s[slot])
}

// heldBytes estimates what partial results refer to, of kinds that keep values.
func (a *folds[K, T]) heldBytes() (size int64) {
	if h, ok := any(a.kind).(interface{ heldBytes(*T) int64 }); ok {
		for i := range a.s {
			size += h.heldBytes(&a.s[i])
		}
	}
	return size
}

func (a *folds[K, T]) write(w *state.Writer, slot int) { a.kind.write(w, &a.s[slot]) }
func (a *folds[K, T]) read(r *state.Reader, slot int)  { a.kind.read(r, &a.s[slot]) }

// newFolds returns the accumulator of an aggregate that folds; nil if it is none, or not
// of values of type t.
func newFolds(g *model.Agg, t stream.Type) accumulator {
	switch g.Func {
	case model.VarPop, model.VarSamp, model.StddevPop, model.StddevSamp:
		if t.IsInteger() {
			return &folds[intMoments, intMoment]{}
		} else if t.IsFloat() {
			return &folds[floatMoments, floatMoment]{}
		}
	case model.FirstValue, model.LastValue:
		return &folds[ends, end]{kind: ends{t, g.Func == model.LastValue}}
	case model.ApproxCountDistinct:
		return &folds[sketches, sketch]{}
	case model.StringAgg, model.ArrayAgg, model.PercentileCont, model.PercentileDisc:
		return &folds[collections, collection]{kind: newCollections(g, t)}
	case model.MinBy, model.MaxBy:
		return &folds[extremesBy, extremeBy]{kind: extremesBy{t, g.Arg.Type, g.Func == model.MaxBy}}
	case model.ApproxPercentile:
		return &folds[quantiles, *quantile]{}
	case model.CovarPop, model.CovarSamp, model.Corr:
		return &folds[comoments, comoment]{}
	}
	return nil
}

// ends is FIRST_VALUE and LAST_VALUE.
type ends struct {
	t    stream.Type
	last bool
}

// end is the value kept, if one was seen.
type end struct {
	v  stream.Value
	ok bool
}

func (k ends) add(s *end, c, _ *stream.Column, i int) {
	if !s.ok || k.last {
		*s = end{c.Value(i), true}
	}
}

func (k ends) plus(a, b end) end {
	if !a.ok || k.last && b.ok {
		return b
	}
	return a
}

func (k ends) put(_ *model.Agg, c *stream.Column, at int, s *end) {
	if !s.ok {
		setNull(c, at)
	}
	putValue(c, at, s.v)
}

// putValue writes a value to a place that there is, or appends it to a VARCHAR.
func putValue(c *stream.Column, at int, v stream.Value) {
	switch c.Type.Storage() {
	case stream.Boolean:
		c.Bits.Put(at, v.I != 0)
	case stream.Integer:
		c.I32[at] = int32(v.I)
	case stream.BigInt:
		c.I64[at] = v.I
	case stream.Real:
		c.F32[at] = float32(v.F)
	case stream.Double:
		c.F64[at] = v.F
	default:
		c.Bytes = append(c.Bytes, v.S...)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	}
}

func (k ends) write(w *state.Writer, s *end) {
	w.Bool(s.ok)
	switch {
	case k.t.IsFloat():
		w.Float(s.v.F)
	case k.t.Storage() == stream.Varchar:
		w.Text(s.v.S)
	default:
		w.Int(s.v.I)
	}
}

func (k ends) read(r *state.Reader, s *end) {
	s.ok, s.v.Type = r.Bool(), k.t
	switch {
	case k.t.IsFloat():
		s.v.F = r.Float()
	case k.t.Storage() == stream.Varchar:
		s.v.S = r.Text()
	default:
		s.v.I = r.Int()
	}
}

func (k ends) slotBytes() int { return 64 }
