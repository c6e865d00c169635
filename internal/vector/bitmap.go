package vector

import "math/bits"

// And computes dst &= b and returns whether any bit is left.
func And(dst, b []uint64) bool {
	b = b[:len(dst)]
	some := uint64(0)
	for i, w := range b {
		w &= dst[i]
		dst[i] = w
		some |= w
	}
	return some != 0
}

// Or computes dst |= b.
func Or(dst, b []uint64) {
	b = b[:len(dst)]
	for i, w := range b {
		dst[i] |= w
	}
}

// AndNot computes dst &^= b and returns whether any bit is left.
func AndNot(dst, b []uint64) bool {
	b = b[:len(dst)]
	some := uint64(0)
	for i, w := range b {
		w = dst[i] &^ w
		dst[i] = w
		some |= w
	}
	return some != 0
}

// Count returns the number of ones.
func Count(b []uint64) int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// Set makes the first n bits ones and the others of their last word zeros.
func Set(b []uint64, n int) {
	b = b[:words(n)]
	for i := range b {
		b[i] = ^uint64(0)
	}
	trim(b, n)
}
