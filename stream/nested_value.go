package stream

import (
	"bytes"
	"encoding/binary"
	"math"
)

// How a nested value is written into bytes.
//
//	array    every element, then 00
//	row      every member
//	element  01 and the value, or 02 for NULL
//	value    BOOLEAN: one byte. Whole numbers: most significant byte first, the sign bit
//	         turned. REAL and DOUBLE: their bits, turned so that they ascend. Long
//	         DECIMAL: its 16 bytes. Texts: the bytes, 00 as 00 FF, then 00 00.
//	         Nested types: as here.
//
// Invariants:
//
//  1. The length of a value follows from its type and bytes: values stand behind one
//     another without lengths.
//  2. Equal values have equal bytes: -0 is written as 0, every NaN as the same.
//  3. The order of bytes is that of the values: element by element, NULL the greatest,
//     an array before the longer ones that begin with it.

// What stands before an element, or behind the last.
const (
	endMark   = 0
	valueMark = 1
	nullMark  = 2
)

const signBit64 = 1 << 63

// Items goes through the elements of an ARRAY or the members of a ROW. Between calls of
// Next, Null, Raw and Type speak of the one at hand.
type Items struct {
	Null bool
	Raw  []byte // the value as it is written, not for NULL; it belongs to the whole
	Type Type

	rest    []byte
	members []Member
	row     bool
}

// ItemsOf returns the items of a value of the nested type t, written as raw. Of nothing,
// which stands under a NULL, there are none.
func ItemsOf(t Type, raw []byte) Items {
	s := t.shape()
	return Items{Type: s.element, rest: raw, members: s.members, row: s.members != nil}
}

// Next moves to the next item and reports whether there is one.
func (it *Items) Next() bool {
	if it.row {
		if len(it.members) == 0 {
			return false
		}
		it.Type, it.members = it.members[0].Type, it.members[1:]
	}
	if len(it.rest) == 0 || it.rest[0] == endMark {
		return false
	}
	it.Null = it.rest[0] == nullMark
	if it.rest = it.rest[1:]; it.Null {
		it.Raw = nil
		return true
	}
	n := rawLength(it.Type, it.rest)
	it.Raw, it.rest = it.rest[:n], it.rest[n:]
	return true
}

// CountItems is the number of elements of an ARRAY.
func CountItems(t Type, raw []byte) int {
	n := 0
	for it := ItemsOf(t, raw); it.Next(); {
		n++
	}
	return n
}

// rawLength is the length of the value of type t at the start of b.
func rawLength(t Type, b []byte) int {
	if w := rawWidth(t); w > 0 {
		return w
	}
	if !t.IsNested() {
		for i := 0; ; i += 2 {
			i += bytes.IndexByte(b[i:], 0)
			if b[i+1] == 0 {
				return i + 2
			}
		}
	}
	it := ItemsOf(t, b)
	for it.Next() { // to the end
	}
	n := len(b) - len(it.rest)
	if !it.row {
		n++
	}
	return n
}

// rawWidth is the length of every value of t, 0 where they differ.
func rawWidth(t Type) int {
	switch t.Storage() {
	case Boolean:
		return 1
	case Integer, Real:
		return 4
	case Varchar:
		if t.IsDecimal() {
			return 16
		}
		return 0
	}
	return 8
}

// ValidNested reports whether raw is a value of the nested type t as it is written; other
// functions take that for granted.
func ValidNested(t Type, raw []byte) bool {
	rest, ok := cutValid(t, raw)
	return ok && len(rest) == 0
}

// cutValid returns what stands behind the value of type t at the start of b.
func cutValid(t Type, b []byte) (rest []byte, ok bool) {
	if w := rawWidth(t); w > 0 {
		if len(b) < w {
			return nil, false
		}
		return b[w:], true
	}
	if !t.IsNested() {
		for i := 0; i+1 < len(b); i++ {
			if b[i] == 0 && b[i+1] == 0 {
				return b[i+2:], true
			} else if b[i] == 0 && b[i+1] != 0xff {
				return nil, false
			}
		}
		return nil, false
	}
	members, element := t.Members(), t.Element()
	for n := 0; ; n++ {
		if members != nil && n == len(members) {
			return b, true
		}
		if len(b) == 0 {
			return nil, false
		}
		mark := b[0]
		b = b[1:]
		if members != nil {
			element = members[n].Type
		}
		switch {
		case mark == endMark && members == nil:
			return b, true
		case mark == valueMark:
			if b, ok = cutValid(element, b); !ok {
				return nil, false
			}
		case mark != nullMark:
			return nil, false
		}
	}
}

// AppendItem appends an item: its value as it is written, or NULL.
func AppendItem(dst, raw []byte, null bool) []byte {
	if null {
		return append(dst, nullMark)
	}
	return append(append(dst, valueMark), raw...)
}

// AppendTextItem is AppendItem for the text of a VARCHAR.
func AppendTextItem(dst, text []byte) []byte {
	return appendRawText(append(dst, valueMark), Varchar, text)
}

// EndArray ends an array behind its last item.
func EndArray(dst []byte) []byte { return append(dst, endMark) }

// AppendRaw appends value i of the column, which is not NULL, as it is written within a
// nested value.
func (c *Column) AppendRaw(dst []byte, i int) []byte {
	switch c.Type.Storage() {
	case Boolean:
		if c.Bits.Get(i) {
			return append(dst, 1)
		}
		return append(dst, 0)
	case Integer:
		return binary.BigEndian.AppendUint32(dst, uint32(c.I32[i])^1<<31)
	case Real:
		return binary.BigEndian.AppendUint32(dst, ascending32(c.F32[i]))
	case Double:
		return binary.BigEndian.AppendUint64(dst, ascending64(c.F64[i]))
	case Varchar:
		return appendRawText(dst, c.Type, c.Text(i))
	}
	return binary.BigEndian.AppendUint64(dst, uint64(c.I64[i])^signBit64)
}

func appendRawText(dst []byte, t Type, text []byte) []byte {
	if t.IsNested() || t.IsDecimal() {
		return append(dst, text...)
	}
	for {
		at := bytes.IndexByte(text, 0)
		if at < 0 {
			return append(append(dst, text...), 0, 0)
		}
		dst = append(append(dst, text[:at]...), 0, 0xff)
		text = text[at+1:]
	}
}

func ascending32(f float32) uint32 {
	if f != f {
		f = float32(math.NaN())
	}
	b := math.Float32bits(f + 0)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

func ascending64(f float64) uint64 {
	if f != f {
		f = math.NaN()
	}
	b := math.Float64bits(f + 0)
	if b>>63 != 0 {
		return ^b
	}
	return b | signBit64
}

// turned is the inverse of the turn of ascending64.
func turned(b uint64) uint64 {
	if b&signBit64 != 0 {
		return b ^ signBit64
	}
	return ^b
}

// AppendFromRaw appends a value as AppendRaw wrote it behind the n values here.
func (c *Column) AppendFromRaw(raw []byte, n int) {
	c.markValid(n)
	switch c.Type.Storage() {
	case Boolean:
		c.Bits = appendBit(c.Bits, n, raw[0] != 0)
	case Integer:
		c.I32 = append(c.I32, int32(binary.BigEndian.Uint32(raw)^1<<31))
	case Real:
		c.F32 = append(c.F32, real32(raw))
	case Double:
		c.F64 = append(c.F64, math.Float64frombits(turned(binary.BigEndian.Uint64(raw))))
	case Varchar:
		c.Bytes = AppendText(c.Bytes, c.Type, raw)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	default:
		c.I64 = append(c.I64, int64(binary.BigEndian.Uint64(raw)^signBit64))
	}
}

func real32(raw []byte) float32 {
	b := binary.BigEndian.Uint32(raw)
	if b>>31 != 0 {
		return math.Float32frombits(b ^ 1<<31)
	}
	return math.Float32frombits(^b)
}

// AppendText appends what raw, a value of a type with VARCHAR's storage, is outside of
// nested values.
func AppendText(dst []byte, t Type, raw []byte) []byte {
	if t.IsNested() || t.IsDecimal() {
		return append(dst, raw...)
	}
	raw = raw[:len(raw)-2]
	for {
		at := bytes.IndexByte(raw, 0)
		if at < 0 {
			return append(dst, raw...)
		}
		dst = append(append(dst, raw[:at]...), 0)
		raw = raw[at+2:]
	}
}

// AppendValueItem is AppendItem for a Value.
func AppendValueItem(dst []byte, v Value) []byte {
	if v.Null {
		return append(dst, nullMark)
	}
	return appendRaw(append(dst, valueMark), v)
}

// appendRaw is Column.AppendRaw for a Value.
func appendRaw(dst []byte, v Value) []byte {
	var c Column
	c.Reset(v.Type)
	c.AppendValue(v, 0)
	return c.AppendRaw(dst, 0)
}

func valueOfRaw(t Type, raw []byte) Value {
	var c Column
	c.Reset(t)
	c.AppendFromRaw(raw, 0)
	return c.Value(0)
}

// Nested returns the value of the nested type t that has these items: the elements of an
// ARRAY, all members of a ROW, of the types they have there. For borders and the
// reference.
func Nested(t Type, items ...Value) Value {
	var raw []byte
	for _, v := range items {
		raw = AppendValueItem(raw, v)
	}
	if t.IsArray() {
		raw = EndArray(raw)
	}
	return Value{Type: t, S: string(raw)}
}

// Items returns the elements of an ARRAY or the members of a ROW, nil for NULL.
func (v Value) Items() []Value {
	var out []Value
	for it := ItemsOf(v.Type, []byte(v.S)); it.Next(); {
		if it.Null {
			out = append(out, NullOf(it.Type))
			continue
		}
		out = append(out, valueOfRaw(it.Type, it.Raw))
	}
	return out
}
