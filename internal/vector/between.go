package vector

import "math"

// Between sets the bit of every row of v for which both `v above lo` and `v below hi`
// hold and clears the others. above is Greater or GreaterEqual, below is Less or
// LessEqual. The values are read once.
func Between[T Number](dst []uint64, v []T, above Test, lo T, below Test, hi T) {
	between(dst, v, above, lo, below, hi, ^uint64(0))
}

// NarrowBetween clears the bits of the rows for which not both hold, and leaves the
// others. Values of 64 rows whose bits are all zero already are not read.
func NarrowBetween[T Number](dst []uint64, v []T, above Test, lo T, below Test, hi T) {
	between(dst, v, above, lo, below, hi, 0)
}

// between makes the range one that has both its ends.
func between[T Number](dst []uint64, v []T, above Test, lo T, below Test, hi T, keep uint64) {
	dst = dst[:words(len(v))]
	if lo != lo || hi != hi {
		compare(dst, v, above, lo, keep)
		compare(dst, v, below, hi, 0)
		return
	}
	some := true
	if above == Greater {
		lo, some = successor(lo)
	}
	if below == Less && some {
		hi, some = predecessor(hi)
	}
	if !some || lo > hi {
		clear(dst)
		return
	}
	within(dst, v, lo, hi, keep)
}

// predecessor returns the greatest number below k, which is not NaN; false if there is none.
func predecessor[T Number](k T) (T, bool) {
	switch x := any(k).(type) {
	case int32:
		return any(x - 1).(T), x > math.MinInt32
	case int64:
		return any(x - 1).(T), x > math.MinInt64
	case float32:
		return any(math.Nextafter32(x, float32(math.Inf(-1)))).(T), !math.IsInf(float64(x), -1)
	case float64:
		return any(math.Nextafter(x, math.Inf(-1))).(T), !math.IsInf(x, -1)
	}
	return k, false
}

func plainWithin[T Number](dst []uint64, v []T, lo, hi T, keep uint64) {
	for ; len(v) >= 64; v = v[64:] {
		if and := dst[0] | keep; and != 0 {
			dst[0] = withinWord((*[64]T)(v), lo, hi) & and
		}
		dst = dst[1:]
	}
	if len(v) > 0 {
		var tail [64]T
		copy(tail[:], v)
		dst[0] = withinWord(&tail, lo, hi) & (dst[0] | keep) & first(len(v))
	}
}

func withinWord[T Number](c *[64]T, lo, hi T) (m uint64) {
	for j := 0; j < 64; j += 4 {
		p := (*[4]T)(c[j : j+4])
		t := bit(p[0] >= lo)&bit(p[0] <= hi) | bit(p[1] >= lo)&bit(p[1] <= hi)<<1 |
			bit(p[2] >= lo)&bit(p[2] <= hi)<<2 | bit(p[3] >= lo)&bit(p[3] <= hi)<<3
		m |= uint64(t) << (uint(j) & 63)
	}
	return m
}
