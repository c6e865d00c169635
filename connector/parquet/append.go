package parquet

import (
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/rle"

	"github.com/millrace/millrace/stream"
)

// dictionaryCodes is how pages refer to their dictionary.
var dictionaryCodes = &rle.DictionaryEncoding{}

// codesSlack is how much more than the values the last run of a page may hold.
const codesSlack = 8 * 8

// prepare makes room for the rows of a unit in a column.
func prepare(out *stream.Column, rows int) {
	switch out.Type.Storage() {
	case stream.Boolean:
		words := stream.WordsFor(rows)
		out.Bits = slices.Grow(out.Bits[:0], words)[:words]
		clear(out.Bits)
	case stream.Integer:
		out.I32 = slices.Grow(out.I32, rows)
	case stream.Real:
		out.F32 = slices.Grow(out.F32, rows)
	case stream.Double:
		out.F64 = slices.Grow(out.F64, rows)
	case stream.Varchar:
		out.Off = slices.Grow(out.Off, rows)
	default:
		out.I64 = slices.Grow(out.I64, rows)
	}
}

// appendRows appends rows [from, to) of the page behind the n rows of out, which will
// have `rows`.
func (c *column) appendRows(out *stream.Column, f form, n, from, to, rows int) {
	levels := c.levels
	first := from // value with which the rows begin
	if levels != nil {
		first = 0
		for _, l := range levels[:from] {
			first += int(l & 1)
		}
		levels = levels[from:to]
		markNulls(out, levels, n, rows)
	}
	v, codes := &c.own, []int32(nil)
	if c.coded {
		v, codes = c.dict, c.codes[first:]
	}
	v.appendTo(out, f.target, codes, levels, n, first, to-from)
}

// appendTo appends `count` rows behind the n of out, a column of type t: values from number
// `first` on, or those that codes, which begin there, lead to.
func (v *values) appendTo(out *stream.Column, t stream.Type, codes []int32, levels []byte, n, first, count int) {
	switch t.Storage() {
	case stream.Boolean:
		appendBits(out.Bits, v.bits, codes, levels, n, first, count)
	case stream.Integer:
		out.I32 = appendFixed(out.I32, v.i32, codes, levels, first, count)
	case stream.Real:
		out.F32 = appendFixed(out.F32, v.f32, codes, levels, first, count)
	case stream.Double:
		out.F64 = appendFixed(out.F64, v.f64, codes, levels, first, count)
	case stream.Varchar:
		appendText(out, v, codes, levels, first, count)
	default:
		out.I64 = appendFixed(out.I64, v.i64, codes, levels, first, count)
	}
}

// markNulls takes the rows from n on whose level is 0 out of the column's validity.
func markNulls(out *stream.Column, levels []byte, n, rows int) {
	for i, l := range levels {
		if l != 0 {
			continue
		}
		if out.Valid == nil {
			out.Valid = stream.NewBitmap(rows)
			out.Valid.SetFirst(rows)
		}
		out.Valid.Clear(n + i)
	}
}

// appendFixed appends `count` values from number `first` on; codes, if there are any,
// begin there and lead to src.
func appendFixed[T any](dst, src []T, codes []int32, levels []byte, first, count int) []T {
	switch {
	case levels == nil && codes == nil:
		return append(dst, src[first:first+count]...)
	case levels == nil:
		at := len(dst)
		dst = slices.Grow(dst, count)[:at+count]
		for i, code := range codes[:count] {
			dst[at+i] = src[code]
		}
		return dst
	case codes == nil:
		src = src[first:]
		for _, l := range levels {
			if l == 0 {
				dst = append(dst, *new(T))
				continue
			}
			dst = append(dst, src[0])
			src = src[1:]
		}
		return dst
	}
	for _, l := range levels {
		if l == 0 {
			dst = append(dst, *new(T))
			continue
		}
		dst = append(dst, src[codes[0]])
		codes = codes[1:]
	}
	return dst
}

// appendBits sets bits [n, n+count) of dst, which are clear.
func appendBits(dst stream.Bitmap, src []byte, codes []int32, levels []byte, n, first, count int) {
	value := first
	if codes != nil {
		value = 0
	}
	for i := range count {
		if levels != nil && levels[i] == 0 {
			continue
		}
		at := value
		if codes != nil {
			at = int(codes[value])
		}
		if src[at>>3]>>(at&7)&1 != 0 {
			dst.Set(n + i)
		}
		value++
	}
}

func appendText(out *stream.Column, v *values, codes []int32, levels []byte, first, count int) {
	text, off := out.Bytes, out.Off
	if codes == nil && levels == nil {
		shift := uint32(len(text)) - v.off[first]
		text = append(text, v.text[v.off[first]:v.off[first+count]]...)
		for _, o := range v.off[first+1 : first+count+1] {
			off = append(off, int32(o+shift))
		}
		out.Bytes, out.Off = text, off
		return
	}
	value := first
	if codes != nil {
		value = 0
	}
	for i := range count {
		if len(text) > math.MaxInt32 {
			break // the caller sees it
		}
		if levels == nil || levels[i] != 0 {
			at := int32(value)
			if codes != nil {
				at = codes[value]
			}
			text = append(text, v.text[v.off[at]:v.off[at+1]]...)
			value++
		}
		off = append(off, int32(len(text)))
	}
	out.Bytes, out.Off = text, off
}
