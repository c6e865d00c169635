package stream

import "math/bits"

// Bitmap is a sequence of bits, least significant first, in 64-bit words: Arrow's
// layout on a little-endian machine. Bits past the length it is used with are
// undefined unless a function says otherwise.
type Bitmap []uint64

// WordsFor is the number of words n bits need.
func WordsFor(n int) int { return (n + 63) >> 6 }

// NewBitmap returns n cleared bits.
func NewBitmap(n int) Bitmap { return make(Bitmap, WordsFor(n)) }

// Get returns bit i.
func (b Bitmap) Get(i int) bool { return b[i>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bitmap) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// Put makes bit i equal to v.
func (b Bitmap) Put(i int, v bool) {
	if v {
		b.Set(i)
	} else {
		b.Clear(i)
	}
}

// Count returns the number of ones among the first n bits.
func (b Bitmap) Count(n int) int {
	c, full := 0, n>>6
	for _, w := range b[:full] {
		c += bits.OnesCount64(w)
	}
	if r := uint(n) & 63; r != 0 {
		c += bits.OnesCount64(b[full] & (1<<r - 1))
	}
	return c
}

// SetFirst sets the first n bits and clears the rest of the last word.
func (b Bitmap) SetFirst(n int) {
	full := n >> 6
	for i := range b[:full] {
		b[i] = ^uint64(0)
	}
	if r := uint(n) & 63; r != 0 {
		b[full] = 1<<r - 1
	}
}

// CopyRange copies bits [from, from+n) of src to [0, n) of b; the remaining bits of
// b's last word become zero.
func (b Bitmap) CopyRange(src Bitmap, from, n int) {
	words, shift, base := WordsFor(n), uint(from)&63, from>>6
	if words == 0 {
		return
	}
	if shift == 0 {
		copy(b[:words], src[base:base+words])
	} else {
		for i := 0; i < words; i++ {
			w := src[base+i] >> shift
			if base+i+1 < len(src) {
				w |= src[base+i+1] << (64 - shift)
			}
			b[i] = w
		}
	}
	if r := uint(n) & 63; r != 0 {
		b[words-1] &= 1<<r - 1
	}
}

// Each calls f with the index of every one among the first n bits, ascending.
func (b Bitmap) Each(n int, f func(i int)) {
	for w := 0; w < WordsFor(n); w++ {
		word := b[w]
		if r := n - w<<6; r < 64 {
			word &= 1<<uint(r) - 1
		}
		for word != 0 {
			f(w<<6 + bits.TrailingZeros64(word))
			word &= word - 1
		}
	}
}
