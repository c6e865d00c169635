package vector

import "math/bits"

// Compress copies the elements of src whose bits are set to the front of dst, in order,
// and returns how many there are; that much room dst must have. No bit may be set at or
// behind len(src). dst may be src itself. What the rest of dst holds afterwards is unspecified.
// It is fastest where dst has room for the rows of a word behind the last one.
func Compress[T Number](dst, src []T, b []uint64) int { return compress(dst, src, b) }

// IndicesOf writes the positions of the ones, ascending, to dst, which has room for
// them, and returns how many there are. The rest of dst is as Compress leaves it.
func IndicesOf(dst []int32, b []uint64) int { return indices(dst, b) }

// denseOnesMin is the number of ones in a word above which looking at every bit is
// faster than jumping from one to the next.
const denseOnesMin = 24

// plainCompress continues at word w and element n of dst. Where many bits are set it
// writes every candidate and moves on by those that count, as long as there is room.
func plainCompress[T any](dst, src []T, b []uint64, w, n int) int {
	for ; w < len(b); w++ {
		m := b[w]
		ones := bits.OnesCount64(m)
		switch {
		case ones == 0:
		case ones == 64:
			copy(dst[n:n+64], src[w<<6:w<<6+64])
		case ones > denseOnesMin && n+64 <= len(dst) && w<<6+64 <= len(src):
			c, d, at := (*[64]T)(src[w<<6:]), (*[64]T)(dst[n:]), 0
			for i := range c {
				d[at&63] = c[i]
				at += int(m & 1)
				m >>= 1
			}
		default:
			c, d := src[w<<6:], dst[n:n+ones]
			for i := range d {
				d[i] = c[bits.TrailingZeros64(m)]
				m &= m - 1
			}
		}
		n += ones
	}
	return n
}

// plainIndices continues at word w and element n of dst.
func plainIndices(dst []int32, b []uint64, w, n int) int {
	for ; w < len(b); w++ {
		m := b[w]
		base, ones := int32(w<<6), bits.OnesCount64(m)
		switch {
		case ones == 64:
			d := (*[64]int32)(dst[n:])
			for i := range d {
				d[i] = base + int32(i)
			}
		case ones > denseOnesMin && n+64 <= len(dst):
			d, at := (*[64]int32)(dst[n:]), 0
			for i := range d {
				d[at&63] = base + int32(i)
				at += int(m & 1)
				m >>= 1
			}
		default:
			d := dst[n : n+ones]
			for i := range d {
				d[i] = base + int32(bits.TrailingZeros64(m))
				m &= m - 1
			}
		}
		n += ones
	}
	return n
}

// CompressBits is Compress for bits. dst has one word more than b; what it holds behind
// the result is unspecified.
func CompressBits(dst, src, b []uint64) int {
	if len(b) == 0 {
		return 0
	}
	dst, src = dst[:len(b)+1], src[:len(b)]
	dst[0] = 0
	return compressBits(dst, src, b)
}

func plainCompressBits(dst, src, b []uint64) int {
	n := 0
	for w, m := range b {
		x, low, ones := src[w], uint64(0), bits.OnesCount64(m)
		if m != ^uint64(0) {
			for at := uint(0); m != 0; at++ {
				low |= x >> uint(bits.TrailingZeros64(m)) & 1 << at
				m &= m - 1
			}
		} else {
			low = x
		}
		dst[n>>6] |= low << (uint(n) & 63)
		dst[n>>6+1] = low >> 1 >> (^uint(n) & 63)
		n += ones
	}
	return n
}
