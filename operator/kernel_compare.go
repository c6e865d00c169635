package operator

import (
	"bytes"
	"encoding/binary"

	"github.com/millrace/millrace/stream"
)

// Comparison kernels of types that package vector does not know: columns in, one bit
// per row out. Each computes `equal` or `less`; the other operators are these with
// operands swapped or bits inverted by flip. Bits past the last row are unspecified.

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

// equalTextConst compares lengths and up to eight bytes from the start without a branch,
// what is left of a longer constant only where those agree.
func equalTextConst(dst stream.Bitmap, a *stream.Column, k []byte, n int, flip uint64) {
	head, mask := headOf(k)
	for w := range dst {
		m := uint64(0)
		off := a.Off[w<<6 : min(n, w<<6+64)+1]
		if from := off[0]; int(off[len(off)-1])+8 <= len(a.Bytes) {
			for i, to := range off[1:] {
				word := binary.LittleEndian.Uint64(a.Bytes[from:][:8])
				m |= uint64(bit(word&mask == head)&bit(int(to-from) == len(k))) << (uint(i) & 63)
				from = to
			}
		} else {
			for i, to := range off[1:] {
				m |= uint64(bit(string(a.Bytes[from:to]) == string(k))) << (uint(i) & 63)
				from = to
			}
		}
		if len(k) > 8 {
			for c := m; c != 0; c &= c - 1 {
				if i := trailing(c); !bytes.Equal(a.Bytes[off[i]:off[i+1]], k) {
					m &^= 1 << (uint(i) & 63)
				}
			}
		}
		dst[w] = m ^ flip
	}
}

// headOf is the first eight bytes of k as a number and the mask of those that exist.
func headOf(k []byte) (head, mask uint64) {
	var b [8]byte
	n := copy(b[:], k)
	if n == 8 {
		return binary.LittleEndian.Uint64(b[:]), ^uint64(0)
	}
	return binary.LittleEndian.Uint64(b[:]), 1<<(8*uint(n)) - 1
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
