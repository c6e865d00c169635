package vector

import "math"

// Scale sets dst[i] = v[i] * by, cut to an integer. It returns the union of the bits of
// all dst[i], complemented where negative, and whether every product is an integer that
// int64 holds. If not (a NaN and an infinity are none), dst and reach are of no use.
// -0 counts as 0.
//
// Kernels add 3 << 51 to a product, which leaves an integer of up to 51 bits as the lower
// bits of the result, and see to it that subtracting it again gives the product back.
// Where integers reach further, all products are computed once more, without them.
func Scale[T float32 | float64](dst []int64, v []T, by float64) (reach uint64, exact bool) {
	dst = dst[:len(v)]
	done, reach, exact := scaleBlocks(dst, v, by)
	if !exact || reach >= 1<<51 {
		return plainScale(dst, v, by)
	}
	r, exact := plainScale(dst[done:], v[done:], by)
	return reach | r, exact
}

func plainScale[T float32 | float64](dst []int64, v []T, by float64) (reach uint64, exact bool) {
	dst = dst[:len(v)]
	var rest uint64
	for i, x := range v {
		y := float64(float64(x) * by)
		q := int64(y)
		dst[i] = q
		reach |= uint64(q ^ q>>63)
		rest |= math.Float64bits(float64(q)-y) << 1
	}
	return reach, rest == 0
}

// Widen sets dst[i] = v[i], and returns the union of the bits of all, complemented where
// negative.
func Widen(dst []int64, v []int32) (reach uint64) {
	dst = dst[:len(v)]
	done, reach := widenBlocks(dst, v)
	dst = dst[done:]
	for i, x := range v[done:] {
		dst[i] = int64(x)
		reach |= uint64(uint32(x ^ x>>31))
	}
	return reach
}

// Float sets dst[i] to v[i], rounded to a double, times unit.
//
// Kernels put the halves of an integer into doubles of 2^84 and 2^52, where they are
// exact, and add these: it is the only rounding.
func Float(dst []float64, v []int64, unit float64) {
	v = v[:len(dst)]
	done := floatBlocks(dst, v, unit)
	dst, v = dst[done:], v[done:]
	for i := range dst {
		dst[i] = float64(v[i]) * unit
	}
}

// Average sets dst[i] to sum[i], rounded to a double, times unit, divided by n[i].
func Average(dst []float64, sum, n []int64, unit float64) {
	sum, n = sum[:len(dst)], n[:len(dst)]
	done := averageBlocks(dst, sum, n, unit)
	dst, sum, n = dst[done:], sum[done:], n[done:]
	for i := range dst {
		dst[i] = float64(sum[i]) * unit / float64(n[i])
	}
}
