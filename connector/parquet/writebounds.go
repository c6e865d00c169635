package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// boundTextBytes is how much of a text stands in statistics; a lower bound may be shorter
// than the least text, an upper bound that is cut is made greater.
const boundTextBytes = 64

// minMax are bounds as statistics have them, plain. nil: there is none.
type minMax struct {
	min, max []byte
	low      stream.Value
	high     stream.Value
	known    bool
}

// boundsOfColumn finds the least and the greatest of count values, NaN left out.
func boundsOfColumn(c *stream.Column, count int) (b minMax) {
	low, high := -1, -1
	switch c.Type.Storage() {
	case stream.Integer:
		low, high = extremes(c.I32[:count])
	case stream.Real:
		low, high = extremes(c.F32[:count])
	case stream.Double:
		low, high = extremes(c.F64[:count])
	case stream.Varchar:
		low, high = extremeTexts(c, count)
	case stream.Boolean:
		for i := range count {
			b.widen(c.Value(i), c.Value(i))
		}
	default:
		low, high = extremes(c.I64[:count])
	}
	if low >= 0 {
		b.widen(c.Value(low), c.Value(high))
	}
	b.encode()
	return b
}

// extremes are the places of the least and the greatest value; -1: there is none but NaN.
func extremes[T cmp.Ordered](values []T) (low, high int) {
	low, high = -1, -1
	for i, v := range values {
		switch {
		case v != v:
		case low < 0:
			low, high = i, i
		case v < values[low]:
			low = i
		case v > values[high]:
			high = i
		}
	}
	return low, high
}

func extremeTexts(c *stream.Column, count int) (low, high int) {
	if count == 0 {
		return -1, -1
	}
	for i := 1; i < count; i++ {
		if text := c.Text(i); bytes.Compare(text, c.Text(low)) < 0 {
			low = i
		} else if bytes.Compare(text, c.Text(high)) > 0 {
			high = i
		}
	}
	return low, high
}

func (b *minMax) widen(low, high stream.Value) {
	if !b.known || compare(low, b.low) < 0 {
		b.low = low
	}
	if !b.known || compare(high, b.high) > 0 {
		b.high = high
	}
	b.known = true
}

func (b *minMax) encode() {
	if b.known {
		b.min, b.max = plainBound(b.low, false), plainBound(b.high, true)
	}
}

// plainBound encodes a bound. Zeros get the sign that makes them bounds of either zero.
func plainBound(v stream.Value, upper bool) []byte {
	if v.Type.IsFloat() && v.F == 0 {
		v.F = 0
		if !upper {
			v.F = math.Copysign(0, -1)
		}
	}
	switch {
	case v.Type.IsDecimal() && v.Type.Storage() == stream.Varchar:
		return v.Decimal().AppendBigEndian(nil)
	case v.Type.IsDecimal() && v.Type.Precision() <= int32Digits:
		return binary.LittleEndian.AppendUint32(nil, uint32(v.I))
	}
	switch v.Type.Storage() {
	case stream.Boolean:
		return []byte{byte(v.I)}
	case stream.Integer:
		return binary.LittleEndian.AppendUint32(nil, uint32(v.I))
	case stream.Real:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v.F)))
	case stream.Double:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v.F))
	case stream.Varchar:
		if v.Type == stream.Bytes && !upper && len(v.S) > boundTextBytes {
			return []byte(v.S[:boundTextBytes])
		}
		return textBound(v.S, upper)
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(v.I))
}

// textBound shortens a bound: below any text, cut before a character; above, cut behind an
// ASCII character that is then raised by one, if there is one to raise.
func textBound(s string, upper bool) []byte {
	b := []byte(s)
	if len(b) <= boundTextBytes {
		return b
	}
	if !upper {
		return bytes.ToValidUTF8(b[:boundTextBytes], nil)
	}
	for n := boundTextBytes; n > 0; n-- {
		if b[n-1] < 0x7f {
			short := bytes.Clone(b[:n])
			short[n-1]++
			return short
		}
	}
	return b
}

// note adds a page to the indexes and its bounds to the chunk's.
func (c *columnWriter) note(b minMax, nulls, entries int, at format.PageLocation) {
	i := &c.index.column
	i.NullPages = append(i.NullPages, !b.known && nulls == entries)
	c.index.unbounded = c.index.unbounded || !b.known && nulls < entries
	if !b.known {
		b.min, b.max = []byte{}, []byte{}
	}
	i.MinValues, i.MaxValues = append(i.MinValues, b.min), append(i.MaxValues, b.max)
	i.NullCounts = append(i.NullCounts, int64(nulls))
	c.index.offset.PageLocations = append(c.index.offset.PageLocations, at)
	if b.known {
		c.bounds.widen(b.low, b.high)
		c.bounds.encode()
	}
}
