package operator

import (
	"bytes"

	"github.com/millrace/millrace/stream"
)

// Comparison kernels: columns in, one bit per row out. Each computes `equal` or `less`
// (with a constant also `less or equal`); the other operators are these with operands
// swapped or bits inverted by flip. Eight comparisons are packed without a branch, then
// eight bytes make a word. Bits past the last row are unspecified.
//
// NaN equals NaN and is greatest. Against a constant that is not NaN, Go's < and <= are
// false for NaN, which is right as it stands, and so is what flip makes of it.

// fixed are the Go types of fixed-width values.
type fixed interface {
	int32 | int64 | float32 | float64
}

type integer interface{ int32 | int64 }

type float interface{ float32 | float64 }

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func equalConst[T fixed](dst stream.Bitmap, a []T, k T, flip uint64) {
	w := 0
	for ; len(a) >= 64; a = a[64:] {
		c, m := (*[64]T)(a), uint64(0)
		for j := 0; j < 64; j += 8 {
			p := (*[8]T)(c[j : j+8])
			t := bit(p[0] == k) | bit(p[1] == k)<<1 | bit(p[2] == k)<<2 | bit(p[3] == k)<<3 |
				bit(p[4] == k)<<4 | bit(p[5] == k)<<5 | bit(p[6] == k)<<6 | bit(p[7] == k)<<7
			m |= uint64(t) << (uint(j) & 63)
		}
		dst[w] = m ^ flip
		w++
	}
	if len(a) > 0 {
		m := uint64(0)
		for i, x := range a {
			m |= uint64(bit(x == k)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}

func lessConst[T fixed](dst stream.Bitmap, a []T, k T, flip uint64) {
	w := 0
	for ; len(a) >= 64; a = a[64:] {
		c, m := (*[64]T)(a), uint64(0)
		for j := 0; j < 64; j += 8 {
			p := (*[8]T)(c[j : j+8])
			t := bit(p[0] < k) | bit(p[1] < k)<<1 | bit(p[2] < k)<<2 | bit(p[3] < k)<<3 |
				bit(p[4] < k)<<4 | bit(p[5] < k)<<5 | bit(p[6] < k)<<6 | bit(p[7] < k)<<7
			m |= uint64(t) << (uint(j) & 63)
		}
		dst[w] = m ^ flip
		w++
	}
	if len(a) > 0 {
		m := uint64(0)
		for i, x := range a {
			m |= uint64(bit(x < k)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}

func lessEqualConst[T fixed](dst stream.Bitmap, a []T, k T, flip uint64) {
	w := 0
	for ; len(a) >= 64; a = a[64:] {
		c, m := (*[64]T)(a), uint64(0)
		for j := 0; j < 64; j += 8 {
			p := (*[8]T)(c[j : j+8])
			t := bit(p[0] <= k) | bit(p[1] <= k)<<1 | bit(p[2] <= k)<<2 | bit(p[3] <= k)<<3 |
				bit(p[4] <= k)<<4 | bit(p[5] <= k)<<5 | bit(p[6] <= k)<<6 | bit(p[7] <= k)<<7
			m |= uint64(t) << (uint(j) & 63)
		}
		dst[w] = m ^ flip
		w++
	}
	if len(a) > 0 {
		m := uint64(0)
		for i, x := range a {
			m |= uint64(bit(x <= k)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}

func equalIntegers[T integer](dst stream.Bitmap, a, b []T, flip uint64) {
	b = b[:len(a)]
	w := 0
	for ; len(a) >= 64 && len(b) >= 64; a, b = a[64:], b[64:] {
		c, d, m := (*[64]T)(a), (*[64]T)(b), uint64(0)
		for j := 0; j < 64; j += 8 {
			p, q := (*[8]T)(c[j:j+8]), (*[8]T)(d[j:j+8])
			t := bit(p[0] == q[0]) | bit(p[1] == q[1])<<1 | bit(p[2] == q[2])<<2 | bit(p[3] == q[3])<<3 |
				bit(p[4] == q[4])<<4 | bit(p[5] == q[5])<<5 | bit(p[6] == q[6])<<6 | bit(p[7] == q[7])<<7
			m |= uint64(t) << (uint(j) & 63)
		}
		dst[w] = m ^ flip
		w++
	}
	if len(a) > 0 {
		m := uint64(0)
		for i, x := range a {
			m |= uint64(bit(x == b[i])) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}

func lessIntegers[T integer](dst stream.Bitmap, a, b []T, flip uint64) {
	b = b[:len(a)]
	w := 0
	for ; len(a) >= 64 && len(b) >= 64; a, b = a[64:], b[64:] {
		c, d, m := (*[64]T)(a), (*[64]T)(b), uint64(0)
		for j := 0; j < 64; j += 8 {
			p, q := (*[8]T)(c[j:j+8]), (*[8]T)(d[j:j+8])
			t := bit(p[0] < q[0]) | bit(p[1] < q[1])<<1 | bit(p[2] < q[2])<<2 | bit(p[3] < q[3])<<3 |
				bit(p[4] < q[4])<<4 | bit(p[5] < q[5])<<5 | bit(p[6] < q[6])<<6 | bit(p[7] < q[7])<<7
			m |= uint64(t) << (uint(j) & 63)
		}
		dst[w] = m ^ flip
		w++
	}
	if len(a) > 0 {
		m := uint64(0)
		for i, x := range a {
			m |= uint64(bit(x < b[i])) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}

func equalFloats[T float](dst stream.Bitmap, a, b []T, flip uint64) {
	b = b[:len(a)]
	for w := 0; len(a) > 0; w++ {
		n, m := min(len(a), 64), uint64(0)
		for i, x := range a[:n] {
			y := b[i]
			m |= uint64(bit(x == y)|bit(x != x)&bit(y != y)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
		a, b = a[n:], b[n:]
	}
}

func lessFloats[T float](dst stream.Bitmap, a, b []T, flip uint64) {
	b = b[:len(a)]
	for w := 0; len(a) > 0; w++ {
		n, m := min(len(a), 64), uint64(0)
		for i, x := range a[:n] {
			y := b[i]
			m |= uint64(bit(x < y)|bit(x == x)&bit(y != y)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
		a, b = a[n:], b[n:]
	}
}

func equalBits(dst, a, b stream.Bitmap, flip uint64) {
	for i := range dst {
		dst[i] = ^(a[i] ^ b[i]) ^ flip
	}
}

func lessBits(dst, a, b stream.Bitmap, flip uint64) {
	for i := range dst {
		dst[i] = ^a[i]&b[i] ^ flip
	}
}

func equalTexts(dst stream.Bitmap, a, b *stream.Column, n int, flip uint64) {
	for w := range dst {
		m := uint64(0)
		for i := w << 6; i < min(n, w<<6+64); i++ {
			if a.Off[i+1]-a.Off[i] == b.Off[i+1]-b.Off[i] && bytes.Equal(a.Text(i), b.Text(i)) {
				m |= 1 << (uint(i) & 63)
			}
		}
		dst[w] = m ^ flip
	}
}

func equalTextConst(dst stream.Bitmap, a *stream.Column, k []byte, n int, flip uint64) {
	for w := range dst {
		m := uint64(0)
		off := a.Off[w<<6 : min(n, w<<6+64)+1]
		from := off[0]
		for i, to := range off[1:] {
			if int(to-from) == len(k) && bytes.Equal(a.Bytes[from:to], k) {
				m |= 1 << (uint(i) & 63)
			}
			from = to
		}
		dst[w] = m ^ flip
	}
}

func lessTexts(dst stream.Bitmap, a, b *stream.Column, n int, flip uint64) {
	for w := range dst {
		m := uint64(0)
		for i := w << 6; i < min(n, w<<6+64); i++ {
			m |= uint64(bit(bytes.Compare(a.Text(i), b.Text(i)) < 0)) << (uint(i) & 63)
		}
		dst[w] = m ^ flip
	}
}
