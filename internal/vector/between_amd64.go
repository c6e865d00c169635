package vector

import "math"

// within finds the values in [lo, hi], of which lo is not the greater one.
func within[T Number](dst []uint64, v []T, lo, hi T, keep uint64) {
	if !enabled.Load() {
		plainWithin(dst, v, lo, hi, keep)
		return
	}
	n := len(v) >> 6
	if n > 0 {
		withinWords(dst, v, n, lo, hi, keep)
	}
	if r := v[n<<6:]; len(r) > 0 {
		var tail [64]T
		copy(tail[:], r)
		withinWords(dst[n:], tail[:], 1, lo, hi, keep)
		dst[n] &= first(len(r))
	}
}

func withinWords[T Number](dst []uint64, v []T, n int, lo, hi T, keep uint64) {
	const flip = ^uint64(0)
	switch lo := any(lo).(type) {
	case int32:
		hi := any(hi).(int32)
		outsideInt32AVX2(&dst[0], pointerTo[int32](v), n, lo^math.MinInt32, (hi-lo)^math.MinInt32, flip, keep)
	case int64:
		hi := any(hi).(int64)
		outsideInt64AVX2(&dst[0], pointerTo[int64](v), n, lo^math.MinInt64, (hi-lo)^math.MinInt64, flip, keep)
	case float32:
		outsideFloat32AVX2(&dst[0], pointerTo[float32](v), n, lo, any(hi).(float32), flip, keep)
	case float64:
		outsideFloat64AVX2(&dst[0], pointerTo[float64](v), n, lo, any(hi).(float64), flip, keep)
	}
}
