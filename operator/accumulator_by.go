package operator

import (
	"math"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// extremesBy is MIN_BY and MAX_BY. What decides is its first argument here, of type t, what
// it shows the second.
type extremesBy struct {
	t, shown stream.Type
	greatest bool
}

// extremeBy is the value shown of the row that decides, if there was one.
type extremeBy struct {
	by, v stream.Value
	ok    bool
}

// beats reports whether a takes the place of b, which comes before it.
func (k extremesBy) beats(a, b stream.Value) bool {
	c := compareValues(a, b)
	return k.greatest && c > 0 || !k.greatest && c < 0
}

func (k extremesBy) add(s *extremeBy, c, shown *stream.Column, i int) {
	if s.ok && c.Type.Storage() == stream.Varchar { // what does not stay is not copied
		order := strings.Compare(string(c.Text(i)), s.by.S)
		if k.greatest && order <= 0 || !k.greatest && order >= 0 {
			return
		}
	}
	if by := c.Value(i); !s.ok || k.beats(by, s.by) {
		*s = extremeBy{by, shown.Value(i), true}
	}
}

func (k extremesBy) plus(a, b extremeBy) extremeBy {
	if !a.ok || b.ok && k.beats(b.by, a.by) {
		return b
	}
	return a
}

func (k extremesBy) put(_ *model.Agg, c *stream.Column, at int, s *extremeBy) {
	if !s.ok || s.v.Null {
		setNull(c, at)
	}
	putValue(c, at, s.v)
}

func (k extremesBy) write(w *state.Writer, s *extremeBy) {
	w.Bool(s.ok)
	if s.ok {
		w.Value(s.by)
		w.Value(s.v)
	}
}

func (k extremesBy) read(r *state.Reader, s *extremeBy) {
	*s = extremeBy{}
	if s.ok = r.Bool(); s.ok {
		s.by, s.v = r.Value(), r.Value()
	}
}

func (k extremesBy) slotBytes() int { return 128 }

// comoment is the sums of which covariances and correlations are made: as variances are,
// with the products of both arguments beside the squares (accumulator_moment.go).
type comoment struct{ x, y, xx, xy, yy floatSum }

type comoments struct{}

func (comoments) add(s *comoment, c, by *stream.Column, i int) {
	if by.IsNull(i) {
		return
	}
	x, y := c.F64[i], by.F64[i]
	s.x.add(x)
	s.y.add(y)
	addProduct(&s.xx, x, x)
	addProduct(&s.xy, x, y)
	addProduct(&s.yy, y, y)
}

func addProduct(s *floatSum, x, y float64) {
	p := float64(x * y)
	s.add(p)
	s.lo += math.FMA(x, y, -p)
}

func (comoments) plus(a, b comoment) comoment {
	return comoment{a.x.plus(b.x), a.y.plus(b.y), a.xx.plus(b.xx), a.xy.plus(b.xy), a.yy.plus(b.yy)}
}

// codeviation is n * products - x * y, rounded once.
func codeviation(products, x, y *floatSum, count int64) float64 {
	n := float64(count)
	left := float64(products.hi * n)
	leftRest := math.FMA(products.hi, n, -left) + float64(products.lo*n)
	right := float64(x.hi * y.hi)
	rightRest := math.FMA(x.hi, y.hi, -right) + float64(x.hi*y.lo) + float64(x.lo*y.hi)
	d := floatSum{hi: left, lo: leftRest - rightRest}
	d.add(-right)
	return d.value()
}

func (comoments) put(g *model.Agg, c *stream.Column, at int, s *comoment) {
	n := s.x.n
	c.F64[at] = 0
	switch {
	case n == 0 || n == 1 && g.Func == model.CovarSamp:
		setNull(c, at)
		return
	case !isFinite(s.xx.hi) || !isFinite(s.yy.hi):
		c.F64[at] = math.NaN()
		return
	}
	d := codeviation(&s.xy, &s.x, &s.y, n)
	switch g.Func {
	case model.CovarPop:
		c.F64[at] = d / (float64(n) * float64(n))
		return
	case model.CovarSamp:
		c.F64[at] = d / (float64(n) * float64(n-1))
		return
	}
	xx, yy := codeviation(&s.xx, &s.x, &s.x, n), codeviation(&s.yy, &s.y, &s.y, n)
	if below := math.Sqrt(max(xx, 0)) * math.Sqrt(max(yy, 0)); below != 0 {
		c.F64[at] = max(-1, min(1, d/below))
		return
	}
	setNull(c, at)
}

func isFinite(f float64) bool { return f-f == 0 }

func (s *comoment) sums() [5]*floatSum { return [5]*floatSum{&s.x, &s.y, &s.xx, &s.xy, &s.yy} }

func (comoments) write(w *state.Writer, s *comoment) {
	for _, sum := range s.sums() {
		w.Float(sum.hi)
		w.Float(sum.lo)
	}
	w.Int(s.x.n)
}

func (comoments) read(r *state.Reader, s *comoment) {
	for _, sum := range s.sums() {
		sum.hi, sum.lo = r.Float(), r.Float()
	}
	n := r.Int()
	for _, sum := range s.sums() {
		sum.n = n
	}
}

func (comoments) slotBytes() int { return 120 }
