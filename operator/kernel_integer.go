package operator

import "math/bits"

// mulOverflow is zero if the product of a and b fits in 64 bits.
func mulOverflow(a, b int64) uint64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	hi -= uint64(a>>63)&uint64(b) + uint64(b>>63)&uint64(a)
	return hi ^ uint64(int64(lo)>>63)
}

// floorDiv is a / b rounded down; b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorMod is the remainder of floorDiv, in [0, b).
func floorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}
