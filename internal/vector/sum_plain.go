package vector

import "math"

// plainSumScaled returns the sum, the greatest magnitude and whether all products are
// integers as far as that magnitude is in bounds.
func plainSumScaled[T float32 | float64](v []T, scale float64) (sum int64, greatest float64, exact bool) {
	var s0, s1 int64
	var g0, g1, odd uint64
	for ; len(v) >= 2; v = v[2:] {
		p := (*[2]T)(v)
		x, y := float64(p[0])*scale, float64(p[1])*scale
		r, q := x+3<<51, y+3<<51
		s0 += int64(math.Float64bits(r)) - roundingBits
		s1 += int64(math.Float64bits(q)) - roundingBits
		odd |= uint64(bit(r-3<<51 != x) | bit(q-3<<51 != y))
		g0 = max(g0, math.Float64bits(x)&^(1<<63))
		g1 = max(g1, math.Float64bits(y)&^(1<<63))
	}
	for _, e := range v {
		x := float64(e) * scale
		r := x + 3<<51
		s0 += int64(math.Float64bits(r)) - roundingBits
		odd |= uint64(bit(r-3<<51 != x))
		g0 = max(g0, math.Float64bits(x)&^(1<<63))
	}
	return s0 + s1, math.Float64frombits(max(g0, g1)), odd == 0
}
