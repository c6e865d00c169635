package vector

import "math"

// Compare sets the bit of every row of v for which `v test k` holds and clears the
// others.
func Compare[T Number](dst []uint64, v []T, test Test, k T) {
	compare(dst, v, test, k, ^uint64(0))
}

// Narrow clears the bits of the rows for which `v test k` does not hold, and leaves the
// others. Values of 64 rows whose bits are all zero already are not read.
func Narrow[T Number](dst []uint64, v []T, test Test, k T) {
	compare(dst, v, test, k, 0)
}

// ComparePairs is Compare with a value of b on the right of each one of a.
func ComparePairs[T Number](dst []uint64, a, b []T, test Test) {
	comparePairs(dst, a, b, test, ^uint64(0))
}

// NarrowPairs is Narrow with a value of b on the right of each one of a.
func NarrowPairs[T Number](dst []uint64, a, b []T, test Test) {
	comparePairs(dst, a, b, test, 0)
}

// compare reduces every test to `equal` or `less`, whose bits flip may invert, and ands
// the result with dst or, if keep is all ones, overwrites it.
//
//	v <= k is v < k+1, in floating-point numbers the next one up, unless k is the last
//	v > k  is not v <= k
func compare[T Number](dst []uint64, v []T, test Test, k T, keep uint64) {
	dst = dst[:words(len(v))]
	flip := uint64(0)
	switch test {
	case NotEqual:
		test, flip = Equal, ^flip
	case Greater:
		test, flip = LessEqual, ^flip
	case GreaterEqual:
		test, flip = Less, ^flip
	}
	if k != k {
		compareNaN(dst, v, test, flip, keep)
		return
	}
	if test == LessEqual {
		up, ok := successor(k)
		if !ok { // every value but NaN is <= k
			compareNaN(dst, v, Less, flip, keep)
			return
		}
		test, k = Less, up
	}
	if test == Equal {
		equalConst(dst, v, k, flip, keep)
	} else {
		lessConst(dst, v, k, flip, keep)
	}
}

// compareNaN compares with NaN, which of integers none is.
func compareNaN[T Number](dst []uint64, v []T, test Test, flip, keep uint64) {
	switch test {
	case Equal:
		notANumber(dst, v, flip, keep)
	case Less:
		notANumber(dst, v, ^flip, keep)
	default:
		for i := range dst {
			dst[i] = ^flip & (dst[i] | keep)
		}
		trim(dst, len(v))
	}
}

// comparePairs is compare for two columns: a > b is b < a, a <= b is not b < a.
func comparePairs[T Number](dst []uint64, a, b []T, test Test, keep uint64) {
	dst, b = dst[:words(len(a))], b[:len(a)]
	switch test {
	case Equal:
		equalPairs(dst, a, b, 0, keep)
	case NotEqual:
		equalPairs(dst, a, b, ^uint64(0), keep)
	case Less:
		lessPairs(dst, a, b, 0, keep)
	case GreaterEqual:
		lessPairs(dst, a, b, ^uint64(0), keep)
	case Greater:
		lessPairs(dst, b, a, 0, keep)
	default:
		lessPairs(dst, b, a, ^uint64(0), keep)
	}
}

// trim clears the bits behind the first n.
func trim(b []uint64, n int) {
	if n&63 != 0 {
		b[n>>6] &= first(n)
	}
}

// successor returns the least number above k, which is not NaN; false if there is none.
func successor[T Number](k T) (T, bool) {
	switch x := any(k).(type) {
	case int32:
		return any(x + 1).(T), x < math.MaxInt32
	case int64:
		return any(x + 1).(T), x < math.MaxInt64
	case float32:
		return any(math.Nextafter32(x, float32(math.Inf(1)))).(T), !math.IsInf(float64(x), 1)
	case float64:
		return any(math.Nextafter(x, math.Inf(1))).(T), !math.IsInf(x, 1)
	}
	return k, false
}
