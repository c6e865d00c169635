package operator

import (
	"math/bits"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/stream"
)

// compactColumn makes c the values of src whose bits are set in mask, in order. count is
// the number of ones; there is none behind the last value. The two columns do not share
// buffers, and nothing that c has held is kept but its buffers.
func compactColumn(c, src *stream.Column, mask stream.Bitmap, count int) {
	if c.Type != src.Type {
		c.Reset(src.Type)
	}
	if src.Valid == nil {
		c.DropValid()
	} else {
		c.MakeValid(stream.WordsFor(count), len(mask)+1)
		c.Valid = compactBits(c.Valid, src.Valid, mask, count)
	}
	switch c.Type.Storage() {
	case stream.Invalid:
	case stream.Boolean:
		c.Bits = compactBits(c.Bits, src.Bits, mask, count)
	case stream.Integer:
		c.I32 = compact(c.I32, src.I32, mask, count)
	case stream.Real:
		c.F32 = compact(c.F32, src.F32, mask, count)
	case stream.Double:
		c.F64 = compact(c.F64, src.F64, mask, count)
	case stream.Varchar:
		compactTexts(c, src, mask)
	default:
		c.I64 = compact(c.I64, src.I64, mask, count)
	}
}

// compactRoom is how many values more than needed buffers hold: kernels write whole
// vectors.
const compactRoom = 64

func compact[T vec.Number](dst, src []T, mask stream.Bitmap, count int) []T {
	if cap(dst) < count+compactRoom {
		dst = make([]T, 0, max(len(src), count)+compactRoom)
	}
	vec.Compress(dst[:cap(dst)], src, mask)
	return dst[:count]
}

func compactBits(dst, src, mask stream.Bitmap, count int) stream.Bitmap {
	if cap(dst) <= len(mask) {
		dst = make(stream.Bitmap, 0, 2*len(mask)+1)
	}
	vec.CompressBits(dst[:len(mask)+1], src[:len(mask)], mask)
	return dst[:stream.WordsFor(count)]
}

func compactTexts(c, src *stream.Column, mask stream.Bitmap) {
	c.Off, c.Bytes = append(c.Off[:0], 0), c.Bytes[:0]
	for w, m := range mask {
		for ; m != 0; m &= m - 1 {
			i := w<<6 + bits.TrailingZeros64(m)
			c.Bytes = append(c.Bytes, src.Bytes[src.Off[i]:src.Off[i+1]]...)
			c.Off = append(c.Off, int32(len(c.Bytes)))
		}
	}
}
