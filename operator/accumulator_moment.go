package operator

import (
	"math"
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Variances come from the sum of the values and the sum of their squares. What makes
// that fail elsewhere is that both are rounded before they are subtracted: here those of
// whole numbers are exact, in 128 and 192 bits, and those of floats have the about 106
// bits of double-double, so the order in which panes meet does not show.
//
//	n * squares - sum * sum        is exact in 256 bits: n and every |value| are below 2^63
//	-----------------------
//	n * n, or n * (n - 1)          dividend and divisor are rounded, then divided

// intMoment is the sum of whole numbers and of their squares, lowest limb first.
type intMoment struct {
	sum     intSum
	squares [3]uint64
}

type intMoments struct{}

func (intMoments) add(s *intMoment, c, _ *stream.Column, i int) {
	v := int64(0)
	if c.Type.Storage() == stream.Integer {
		v = int64(c.I32[i])
	} else {
		v = c.I64[i]
	}
	s.sum.add(v)
	size := uint64(v)
	if v < 0 {
		size = -size
	}
	hi, lo := bits.Mul64(size, size)
	s.squares = addLimbs(s.squares, [3]uint64{lo, hi})
}

func addLimbs(a, b [3]uint64) (sum [3]uint64) {
	var carry uint64
	for i := range sum {
		sum[i], carry = bits.Add64(a[i], b[i], carry)
	}
	return sum
}

func (intMoments) plus(a, b intMoment) intMoment {
	return intMoment{a.sum.plus(b.sum), addLimbs(a.squares, b.squares)}
}

// deviation is n * squares - sum * sum, rounded once.
func (s *intMoment) deviation() float64 {
	hi, lo, _ := s.sum.magnitude()
	left := mulLimbs(s.squares[:], []uint64{uint64(s.sum.n)})
	right := mulLimbs([]uint64{lo, hi}, []uint64{lo, hi})
	var borrow uint64
	for i := range left {
		left[i], borrow = bits.Sub64(left[i], right[i], borrow)
	}
	return limbsFloat(left)
}

// mulLimbs is a product that fits in 256 bits.
func mulLimbs(a, b []uint64) (out [4]uint64) {
	for i, x := range a {
		var carry uint64
		for j, y := range b {
			hi, lo := bits.Mul64(x, y)
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			out[i+j], c = bits.Add64(out[i+j], lo, 0)
			carry = hi + c
		}
		for k := i + len(b); k < len(out) && carry != 0; k++ {
			out[k], carry = bits.Add64(out[k], carry, 0)
		}
	}
	return out
}

// limbsFloat rounds to float64: of the 64 leading bits the last one stands for all that
// is cut, too.
func limbsFloat(v [4]uint64) float64 {
	top := len(v) - 1
	for top > 0 && v[top] == 0 {
		top--
	}
	if top == 0 {
		return float64(v[0])
	}
	shift := bits.LeadingZeros64(v[top])
	lead := v[top]<<shift | v[top-1]>>(64-shift)
	rest := v[top-1] << shift
	for _, w := range v[:top-1] {
		rest |= w
	}
	if rest != 0 {
		lead |= 1
	}
	return math.Ldexp(float64(lead), 64*top-shift)
}

func (intMoments) put(g *model.Agg, c *stream.Column, at int, s *intMoment) {
	putMoment(g.Func, c, at, s.sum.n, s.deviation())
}

// putMoment writes a variance or its root.
func putMoment(f model.AggFunc, c *stream.Column, at int, n int64, deviation float64) {
	divisor := float64(n)
	if f == model.VarSamp || f == model.StddevSamp {
		divisor = float64(n - 1)
	}
	if n == 0 || divisor == 0 {
		c.F64[at] = 0
		setNull(c, at)
		return
	}
	v := deviation / (float64(n) * divisor)
	if f == model.StddevPop || f == model.StddevSamp {
		v = math.Sqrt(v)
	}
	c.F64[at] = v
}

func (intMoments) write(w *state.Writer, s *intMoment) {
	for _, v := range []int64{int64(s.sum.lo), s.sum.hi, s.sum.n, int64(s.squares[0]), int64(s.squares[1]), int64(s.squares[2])} {
		w.Int(v)
	}
}

func (intMoments) read(r *state.Reader, s *intMoment) {
	s.sum = intSum{uint64(r.Int()), r.Int(), r.Int()}
	s.squares = [3]uint64{uint64(r.Int()), uint64(r.Int()), uint64(r.Int())}
}

func (intMoments) slotBytes() int { return 48 }

// floatMoment is the sum of floats and of their squares; only sum counts them.
type floatMoment struct{ sum, squares floatSum }

type floatMoments struct{}

func (floatMoments) add(s *floatMoment, c, _ *stream.Column, i int) {
	x := 0.0
	if c.Type == stream.Real {
		x = float64(c.F32[i])
	} else {
		x = c.F64[i]
	}
	s.sum.add(x)
	square := float64(x * x)
	s.squares.add(square)
	s.squares.lo += math.FMA(x, x, -square)
}

func (floatMoments) plus(a, b floatMoment) floatMoment {
	return floatMoment{a.sum.plus(b.sum), a.squares.plus(b.squares)}
}

// deviation is NaN where the squares are not finite.
func (s *floatMoment) deviation() float64 {
	if math.IsInf(s.squares.hi, 0) || math.IsNaN(s.squares.hi) {
		return math.NaN()
	}
	n := float64(s.sum.n)
	left := float64(s.squares.hi * n)
	leftRest := math.FMA(s.squares.hi, n, -left) + float64(s.squares.lo*n)
	right := float64(s.sum.hi * s.sum.hi)
	rightRest := math.FMA(s.sum.hi, s.sum.hi, -right) + float64(2*s.sum.hi*s.sum.lo)
	d := floatSum{hi: left, lo: leftRest - rightRest}
	d.add(-right)
	return max(d.value(), 0)
}

func (floatMoments) put(g *model.Agg, c *stream.Column, at int, s *floatMoment) {
	putMoment(g.Func, c, at, s.sum.n, s.deviation())
}

func (floatMoments) write(w *state.Writer, s *floatMoment) {
	for _, v := range []float64{s.sum.hi, s.sum.lo, s.squares.hi, s.squares.lo} {
		w.Float(v)
	}
	w.Int(s.sum.n)
}

func (floatMoments) read(r *state.Reader, s *floatMoment) {
	s.sum.hi, s.sum.lo, s.squares.hi, s.squares.lo = r.Float(), r.Float(), r.Float(), r.Float()
	s.sum.n = r.Int()
	s.squares.n = s.sum.n
}

func (floatMoments) slotBytes() int { return 48 }
