package operator

import "math"

// A floatSum is a sum of floats in double-double: hi is what a plain float64 sum
// gives, lo collects the rounding error of every step, found exactly by Knuth's
// TwoSum. hi+lo, rounded once, is good to about 106 bits, so that a sum does not show
// where tasks and panes were cut.
//
// Once hi is infinite or NaN it stays so and is the result; lo is then meaningless.
// That is why no loop tests for it.
type floatSum struct {
	hi, lo float64
	n      int64 // values summed
}

// add adds one value.
func (s *floatSum) add(x float64) {
	sum := s.hi + x
	b := sum - s.hi
	s.lo += (s.hi - (sum - b)) + (x - b)
	s.hi = sum
	s.n++
}

// plus returns the sum of both: s's values precede b's.
func (s floatSum) plus(b floatSum) floatSum {
	sum := s.hi + b.hi
	t := sum - s.hi
	return floatSum{sum, s.lo + b.lo + ((s.hi - (sum - t)) + (b.hi - t)), s.n + b.n}
}

// value is the sum rounded to float64.
func (s *floatSum) value() float64 {
	if math.IsInf(s.hi, 0) || math.IsNaN(s.hi) {
		return s.hi
	}
	return s.hi + s.lo
}
