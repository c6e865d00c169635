package vector

// scaleBlocks computes whole blocks of 8 values and returns how many values those had.
// reach and exact are right if exact and reach is below 1 << 51.
func scaleBlocks[T float32 | float64](dst []int64, v []T, by float64) (done int, reach uint64, exact bool) {
	n := len(v) >> 3
	if n == 0 || !enabled.Load() {
		return 0, 0, true
	}
	var odd uint64
	switch any(T(0)).(type) {
	case float32:
		reach, odd = scale32AVX2(&dst[0], pointerTo[float32](v), n, by)
	case float64:
		reach, odd = scale64AVX2(&dst[0], pointerTo[float64](v), n, by)
	}
	return n << 3, reach, odd == 0
}

func widenBlocks(dst []int64, v []int32) (done int, reach uint64) {
	n := len(v) >> 3
	if n == 0 || !enabled.Load() {
		return 0, 0
	}
	return n << 3, widenAVX2(&dst[0], &v[0], n)
}

func floatBlocks(dst []float64, v []int64, unit float64) (done int) {
	n := len(dst) >> 3
	if n == 0 || !enabled.Load() {
		return 0
	}
	floatAVX2(&dst[0], &v[0], n, unit)
	return n << 3
}

func averageBlocks(dst []float64, sum, n []int64, unit float64) (done int) {
	blocks := len(dst) >> 3
	if blocks == 0 || !enabled.Load() {
		return 0
	}
	averageAVX2(&dst[0], &sum[0], &n[0], blocks, unit)
	return blocks << 3
}
