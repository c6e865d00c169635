package operator

import (
	"math/bits"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/stream"
)

// Runs: rows that follow one another and belong to one slot, the next rows to the next
// slot. That is what aggregates without groups are made of: a run a pane.

func (a *counts) addRuns(slot, from int, ends []int32, c *stream.Column) {
	n := a.n[slot : slot+len(ends)]
	for i, to := range ends {
		if c == nil || c.Valid == nil {
			n[i] += int64(int(to) - from)
		} else {
			n[i] += countRange(c.Valid, from, int(to))
		}
		from = int(to)
	}
}

// countRange is the number of bits set in [from, to).
func countRange(b stream.Bitmap, from, to int) (n int64) {
	for ; from < to && from&63 != 0; from++ {
		n += int64(b[from>>6] >> (uint(from) & 63) & 1)
	}
	for ; from+64 <= to; from += 64 {
		n += int64(bits.OnesCount64(b[from>>6]))
	}
	if from < to {
		n += int64(bits.OnesCount64(b[from>>6] << (64 - uint(to-from))))
	}
	return n
}

func (a *intSums) addRuns(slot, from int, ends []int32, c *stream.Column) {
	sums := a.s[slot : slot+len(ends)]
	for i, end := range ends {
		to := int(end)
		switch {
		case c.Valid != nil:
			addIntRun(&sums[i], c, from, to)
		case c.Type.Storage() == stream.Integer:
			v := vec.SumInt32(c.I32[from:to])
			sums[i] = sums[i].plus(intSum{uint64(v), v >> 63, int64(to - from)})
		default:
			hi, lo := vec.SumInt64(c.I64[from:to])
			sums[i] = sums[i].plus(intSum{lo, hi, int64(to - from)})
		}
		from = to
	}
}

func addIntRun(slot *intSum, c *stream.Column, from, to int) {
	s := *slot
	for i := from; i < to; i++ {
		switch {
		case !c.Valid.Get(i):
		case c.Type.Storage() == stream.Integer:
			s.add(int64(c.I32[i]))
		default:
			s.add(c.I64[i])
		}
	}
	*slot = s
}

// floatScale is the scale at which a run of floats was last summed as integers: values
// that are multiples of 2^-k, as long as 53 bits hold their sum, have a sum that is a
// double. That is the sum in double-double, too, so results do not tell which way they
// were found.
//
// The zero value is ready. Values of too different magnitudes are summed in
// double-double, and so are the next runs, until pause is over.
type floatScale struct {
	k, pause int
}

// Runs shorter than scaledRunMin are not worth trying. After a run that could not be
// summed as integers, scaledPause runs are not tried.
const (
	scaledRunMin = 12
	scaledPause  = 256
	scaledSumMax = 1 << 53
)

// addScaled adds a run; sum is vec.SumScaled32 or vec.SumScaled64.
func addScaled[T float32 | float64](s *floatScale, slot *floatSum, v []T, sum func([]T, float64) (int64, bool)) {
	if len(v) < scaledRunMin {
		addFloatValues(slot, v)
		return
	}
	if s.pause > 0 {
		s.pause--
		addFloatValues(slot, v)
		return
	}
	n, exact := sum(v, pow2(s.k))
	if exact && n <= scaledSumMax && n >= -scaledSumMax {
		*slot = slot.plus(floatSum{hi: float64(n) * pow2(-s.k), n: int64(len(v))})
		return
	}
	high, low, ok := vec.SumExact(v)
	if !ok {
		s.k, s.pause = 0, scaledPause
		addFloatValues(slot, v)
		return
	}
	*slot = slot.plus(floatSum{high, low, int64(len(v))})
	if !exact {
		s.rescale(scaleOf(v, s.k))
	}
}

// rescale takes the scale that values need which are exact at some scale, but not at
// this one; if it is this one, then they are too large for it.
func (s *floatScale) rescale(k int, ok bool) {
	if !ok || k == s.k {
		k = 0
	}
	s.k = k
}

func addFloatValues[T float32 | float64](slot *floatSum, v []T) {
	s := *slot
	for _, x := range v {
		s.add(float64(x))
	}
	*slot = s
}

func (a *floatSums) addRuns(slot, from int, ends []int32, c *stream.Column) {
	sums := a.s[slot : slot+len(ends)]
	for i, end := range ends {
		to := int(end)
		switch {
		case c.Valid == nil && c.Type == stream.Real:
			addScaled(&a.scale, &sums[i], c.F32[from:to], vec.SumScaled32)
		case c.Valid == nil:
			addScaled(&a.scale, &sums[i], c.F64[from:to], vec.SumScaled64)
		case c.Type == stream.Real:
			addFloatRun(&sums[i], c.F32, c.Valid, from, to)
		default:
			addFloatRun(&sums[i], c.F64, c.Valid, from, to)
		}
		from = to
	}
}

func addFloatRun[T float32 | float64](slot *floatSum, v []T, valid stream.Bitmap, from, to int) {
	s := *slot
	for i := from; i < to; i++ {
		if valid.Get(i) {
			s.add(float64(v[i]))
		}
	}
	*slot = s
}

func (a *extremes[T]) addRuns(slot, from int, ends []int32, c *stream.Column) {
	v, s := valuesOf[T](c), a.s[slot:slot+len(ends)]
	for i, end := range ends {
		to := int(end)
		e := s[i]
		if c.Valid == nil && from < to && a.keep != earliest {
			x, high := vec.MinMax(v[from:to])
			if a.keep == greatest {
				x = high
			}
			e = e.then(extreme[T]{x, true}, a.keep)
			from = to
		}
		for ; from < to; from++ {
			if !c.IsNull(from) && (!e.ok || beats(v[from], e.v, a.keep)) {
				e.v, e.ok = v[from], true
			}
		}
		s[i] = e
	}
}

func (a *boolExtremes) addRuns(slot, from int, ends []int32, c *stream.Column) {
	for i, to := range ends {
		a.addRun(slot+i, c, from, int(to))
		from = int(to)
	}
}

func (a *textExtremes) addRuns(slot, from int, ends []int32, c *stream.Column) {
	for i, to := range ends {
		a.addRun(slot+i, c, from, int(to))
		from = int(to)
	}
}
