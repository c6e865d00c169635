package vector

import "math"

// MinMax returns the least and the greatest value; of several that are equal (zeros)
// the first. v is not empty.
func MinMax[T Number](v []T) (least, greatest T) {
	least, greatest = minMax(v)
	if least == 0 { // -0 or 0?
		least = firstZero(v)
	}
	if greatest == 0 {
		greatest = firstZero(v)
	}
	return least, greatest
}

func firstZero[T Number](v []T) T {
	for _, x := range v {
		if x == 0 {
			return x
		}
	}
	return 0
}

// plainMinMax is branch-free for integers; floating-point numbers are compared as
// integers of the same order.
func plainMinMax[T Number](v []T) (least, greatest T) {
	switch v := any(v).(type) {
	case []int32:
		a, b := extremes(v)
		return any(a).(T), any(b).(T)
	case []int64:
		a, b := extremes(v)
		return any(a).(T), any(b).(T)
	case []float32:
		a, b := extremes32(v)
		return any(a).(T), any(b).(T)
	case []float64:
		a, b := extremes64(v)
		return any(a).(T), any(b).(T)
	}
	panic("unreachable")
}

func extremes[T int32 | int64](v []T) (a, b T) {
	a, b = v[0], v[0]
	c, d := a, b
	for ; len(v) >= 2; v = v[2:] {
		p := (*[2]T)(v)
		a, b = min(a, p[0]), max(b, p[0])
		c, d = min(c, p[1]), max(d, p[1])
	}
	for _, x := range v {
		a, b = min(a, x), max(b, x)
	}
	return min(a, c), max(b, d)
}

// extremes32 orders floats by their bits, negative ones inverted. A NaN of either sign
// becomes the greatest key.
func extremes32(v []float32) (float32, float32) {
	a, b := int32(math.MaxInt32), int32(math.MinInt32)
	for _, x := range v {
		k := int32(math.Float32bits(x))
		k ^= int32(uint32(k>>31) >> 1)
		if x != x {
			k = math.MaxInt32
		}
		a, b = min(a, k), max(b, k)
	}
	return float32OfKey(a), float32OfKey(b)
}

func float32OfKey(k int32) float32 {
	return math.Float32frombits(uint32(k ^ int32(uint32(k>>31)>>1)))
}

// extremes64 is extremes32 for doubles.
func extremes64(v []float64) (float64, float64) {
	a, b := int64(math.MaxInt64), int64(math.MinInt64)
	for _, x := range v {
		k := int64(math.Float64bits(x))
		k ^= int64(uint64(k>>63) >> 1)
		if x != x {
			k = math.MaxInt64
		}
		a, b = min(a, k), max(b, k)
	}
	return float64OfKey(a), float64OfKey(b)
}

func float64OfKey(k int64) float64 {
	return math.Float64frombits(uint64(k ^ int64(uint64(k>>63)>>1)))
}
