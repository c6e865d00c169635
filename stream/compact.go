package stream

import (
	"math/bits"

	"github.com/millrace/millrace/internal/vector"
)

// Compact makes the column the values of src whose bits are set in mask, in order. count
// is the number of ones; there is none behind the last value. The two columns do not
// share buffers, and nothing that the column has held is kept but its buffers.
func (c *Column) Compact(src *Column, mask Bitmap, count int) {
	if c.Type != src.Type {
		c.Reset(src.Type)
	}
	if src.Valid == nil {
		if c.Valid != nil {
			c.spare, c.Valid = c.Valid, nil
		}
	} else {
		if c.Valid == nil {
			c.Valid = c.spare
		}
		c.Valid = compactBits(c.Valid, src.Valid, mask, count)
	}
	switch c.Type {
	case Invalid:
	case Boolean:
		c.Bits = compactBits(c.Bits, src.Bits, mask, count)
	case Integer:
		c.I32 = compact(c.I32, src.I32, mask, count)
	case Real:
		c.F32 = compact(c.F32, src.F32, mask, count)
	case Double:
		c.F64 = compact(c.F64, src.F64, mask, count)
	case Varchar:
		c.compactTexts(src, mask)
	default:
		c.I64 = compact(c.I64, src.I64, mask, count)
	}
}

// compactRoom is how many values more than needed buffers hold: kernels write whole
// vectors.
const compactRoom = 64

func compact[T vector.Number](dst, src []T, mask Bitmap, count int) []T {
	if cap(dst) < count+compactRoom {
		dst = make([]T, 0, max(len(src), count)+compactRoom)
	}
	vector.Compress(dst[:cap(dst)], src, mask)
	return dst[:count]
}

func compactBits(dst, src, mask Bitmap, count int) Bitmap {
	if cap(dst) <= len(mask) {
		dst = make(Bitmap, 0, 2*len(mask)+1)
	}
	vector.CompressBits(dst[:len(mask)+1], src[:len(mask)], mask)
	return dst[:WordsFor(count)]
}

func (c *Column) compactTexts(src *Column, mask Bitmap) {
	c.Off, c.Bytes = append(c.Off[:0], 0), c.Bytes[:0]
	for w, m := range mask {
		for ; m != 0; m &= m - 1 {
			i := w<<6 + bits.TrailingZeros64(m)
			c.Bytes = append(c.Bytes, src.Bytes[src.Off[i]:src.Off[i+1]]...)
			c.Off = append(c.Off, int32(len(c.Bytes)))
		}
	}
}
