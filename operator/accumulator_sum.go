package operator

import (
	"math"
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// An intSum is an exact sum of int64 in 128 bits, two's complement, and its count.
type intSum struct {
	lo uint64
	hi int64
	n  int64
}

func (s *intSum) add(v int64) {
	lo, carry := bits.Add64(s.lo, uint64(v), 0)
	s.lo, s.hi, s.n = lo, s.hi+v>>63+int64(carry), s.n+1
}

func (s intSum) plus(b intSum) intSum {
	lo, carry := bits.Add64(s.lo, b.lo, 0)
	return intSum{lo, s.hi + b.hi + int64(carry), s.n + b.n}
}

// minus is exact too; only sets of distinct values use it.
func (s intSum) minus(b intSum) intSum {
	lo, borrow := bits.Sub64(s.lo, b.lo, 0)
	return intSum{lo, s.hi - b.hi - int64(borrow), s.n - b.n}
}

// fits reports whether the sum is an int64.
func (s *intSum) fits() bool { return s.hi == int64(s.lo)>>63 }

// magnitude returns the absolute value and whether the sum is negative.
func (s *intSum) magnitude() (hi, lo uint64, negative bool) {
	hi, lo = uint64(s.hi), s.lo
	if s.hi >= 0 {
		return hi, lo, false
	}
	lo, borrow := bits.Sub64(0, lo, 0)
	hi, _ = bits.Sub64(0, hi, borrow)
	return hi, lo, true
}

// float is the sum rounded once to float64.
func (s *intSum) float() float64 {
	if s.fits() {
		return float64(int64(s.lo))
	}
	hi, lo, negative := s.magnitude()
	// Keep the 64 leading bits; a bit that stands for all that is cut makes the one
	// rounding below go the right way.
	shift := 64 - bits.LeadingZeros64(hi)
	top := hi<<(64-shift) | lo>>shift
	if lo<<(64-shift) != 0 {
		top |= 1
	}
	f := math.Ldexp(float64(top), shift)
	if negative {
		return -f
	}
	return f
}

// quotient is the average truncated toward zero.
func (s *intSum) quotient() int64 {
	hi, lo, negative := s.magnitude()
	q, _ := bits.Div64(hi, lo, uint64(s.n)) // hi < n: the average of int64s is an int64
	if negative {
		return -int64(q)
	}
	return int64(q)
}

// intSums is SUM and AVG of INTEGER, BIGINT and INTERVAL.
type intSums struct{ s []intSum }

func (a *intSums) fresh() accumulator { return &intSums{} }
func (a *intSums) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *intSums) drop(n int)         { a.s = dropSlots(a.s, n) }

func (a *intSums) add(slots []int32, c *stream.Column) {
	switch {
	case c.Valid != nil:
		for i, s := range slots {
			if !c.Valid.Get(i) {
				continue
			}
			if c.Type.Storage() == stream.Integer {
				a.s[s].add(int64(c.I32[i]))
			} else {
				a.s[s].add(c.I64[i])
			}
		}
	case c.Type.Storage() == stream.Integer:
		v := c.I32[:len(slots)]
		for i, s := range slots {
			a.s[s].add(int64(v[i]))
		}
	default:
		v := c.I64[:len(slots)]
		for i, s := range slots {
			a.s[s].add(v[i])
		}
	}
}

func (a *intSums) merge(slots []int32, src accumulator, from int) {
	in := src.(*intSums).s[from:]
	for i, s := range slots {
		a.s[s] = a.s[s].plus(in[i])
	}
}

func (a *intSums) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*intSums).s, back.(*intSums).s, a.s[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = log[i].plus(was)
		log[i], b[g] = was, intSum{}
	}
}

func (a *intSums) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*intSums).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *intSums) join(groups []int32, front, back accumulator) {
	f, b := front.(*intSums).s, back.(*intSums).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = f[g].plus(b[g])
	}
}

func (a *intSums) result(g *model.Agg, c *stream.Column, at, from, n int) bool {
	ok := true
	for i := range a.s[from : from+n] {
		s := &a.s[from+i]
		switch {
		case g.Func == model.Count:
			c.I64[at+i] = s.n
		case s.n == 0:
			setNull(c, at+i)
		case g.Func == model.Sum:
			c.I64[at+i] = int64(s.lo)
			ok = ok && s.fits()
		case c.Type == stream.Interval:
			c.I64[at+i] = s.quotient()
		default:
			c.F64[at+i] = s.float() / float64(s.n)
		}
	}
	return ok
}

func (a *intSums) fits(f model.AggFunc, slot int) bool {
	return f != model.Sum || a.s[slot].fits()
}

func (a *intSums) write(w *state.Writer, slot int) {
	s := &a.s[slot]
	w.Int(int64(s.lo))
	w.Int(s.hi)
	w.Int(s.n)
}

func (a *intSums) read(r *state.Reader, slot int) {
	a.s[slot] = intSum{uint64(r.Int()), r.Int(), r.Int()}
}

// floatSums is SUM and AVG of REAL and DOUBLE.
type floatSums struct {
	s     []floatSum
	scale floatScale
}

func (a *floatSums) fresh() accumulator { return &floatSums{} }
func (a *floatSums) resize(n int)       { a.s = resizeSlots(a.s, n) }
func (a *floatSums) drop(n int)         { a.s = dropSlots(a.s, n) }

func (a *floatSums) add(slots []int32, c *stream.Column) {
	if c.Type == stream.Real {
		addFloats(a.s, slots, c.F32, c.Valid)
	} else {
		addFloats(a.s, slots, c.F64, c.Valid)
	}
}

func addFloats[T float32 | float64](sums []floatSum, slots []int32, v []T, valid stream.Bitmap) {
	v = v[:len(slots)]
	if valid == nil {
		for i, s := range slots {
			sums[s].add(float64(v[i]))
		}
		return
	}
	for i, s := range slots {
		if valid.Get(i) {
			sums[s].add(float64(v[i]))
		}
	}
}

func (a *floatSums) merge(slots []int32, src accumulator, from int) {
	in := src.(*floatSums).s[from:]
	for i, s := range slots {
		a.s[s] = a.s[s].plus(in[i])
	}
}

func (a *floatSums) flip(groups []int32, from int, front, back accumulator) {
	f, b, log := front.(*floatSums).s, back.(*floatSums).s, a.s[from:]
	for i, g := range groups {
		was := f[g]
		f[g] = log[i].plus(was)
		log[i], b[g] = was, floatSum{}
	}
}

func (a *floatSums) undo(groups []int32, from int, front accumulator) {
	f, log := front.(*floatSums).s, a.s[from:]
	for i, g := range groups {
		f[g] = log[i]
	}
}

func (a *floatSums) join(groups []int32, front, back accumulator) {
	f, b := front.(*floatSums).s, back.(*floatSums).s
	a.s = resizeRaw(a.s, len(groups))
	for i, g := range groups {
		a.s[i] = f[g].plus(b[g])
	}
}

func (a *floatSums) result(g *model.Agg, c *stream.Column, at, from, n int) bool {
	if g.Func == model.Count {
		for i := range a.s[from : from+n] {
			c.I64[at+i] = a.s[from+i].n
		}
		return true
	}
	out := c.F64[at : at+n]
	for i := range a.s[from : from+n] {
		s := &a.s[from+i]
		if s.n == 0 {
			setNull(c, at+i)
			continue
		}
		v := s.value()
		if g.Func == model.Avg {
			v /= float64(s.n)
		}
		out[i] = v
	}
	return true
}

func (a *floatSums) fits(model.AggFunc, int) bool { return true }

func (a *floatSums) write(w *state.Writer, slot int) {
	s := &a.s[slot]
	w.Float(s.hi)
	w.Float(s.lo)
	w.Int(s.n)
}

func (a *floatSums) read(r *state.Reader, slot int) {
	a.s[slot] = floatSum{r.Float(), r.Float(), r.Int()}
}
