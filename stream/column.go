package stream

// Column is one column of a batch in Arrow's memory layout: a validity bitmap (nil
// when no value is NULL) and one buffer of values - bits for BOOLEAN, fixed-width
// values, or offsets into bytes for VARCHAR. Only the slice of the type's storage (see
// Type.Storage) is used.
// The value under a NULL is unspecified but readable (a VARCHAR's is empty).
//
// A column nobody reads is absent: its Type is Invalid and it has no buffers.
type Column struct {
	Type  Type
	Valid Bitmap
	Bits  Bitmap
	I32   []int32
	I64   []int64
	F32   []float32
	F64   []float64
	Off   []int32 // VARCHAR, BYTEA: len+1 offsets into Bytes; Off[0] need not be 0
	Bytes []byte

	spare Bitmap // validity buffer that Reset took out of use
}

// Absent reports whether the column was not computed because nobody reads it.
func (c *Column) Absent() bool { return c.Type == Invalid }

// IsNull reports whether value i is NULL.
func (c *Column) IsNull(i int) bool { return c.Valid != nil && !c.Valid.Get(i) }

// Text returns the bytes of VARCHAR i. They belong to the column.
func (c *Column) Text(i int) []byte { return c.Bytes[c.Off[i]:c.Off[i+1]] }

// Value returns value i as a Value; for borders and tests, not for hot paths.
func (c *Column) Value(i int) Value {
	if c.IsNull(i) {
		return NullOf(c.Type)
	}
	v := Value{Type: c.Type}
	switch c.Type.Storage() {
	case Boolean:
		if c.Bits.Get(i) {
			v.I = 1
		}
	case Integer:
		v.I = int64(c.I32[i])
	case Real:
		v.F = float64(c.F32[i])
	case Double:
		v.F = c.F64[i]
	case Varchar:
		v.S = string(c.Text(i))
	default:
		v.I = c.I64[i]
	}
	return v
}

// Reset empties the column for n values of type t to be appended, keeping buffers.
func (c *Column) Reset(t Type) {
	if cap(c.Valid) > 0 {
		c.spare = c.Valid[:0]
	}
	c.Type, c.Valid = t, nil
	c.Bits, c.I32, c.I64, c.F32, c.F64 = c.Bits[:0], c.I32[:0], c.I64[:0], c.F32[:0], c.F64[:0]
	c.Off, c.Bytes = c.Off[:0], c.Bytes[:0]
	if t.Storage() == Varchar {
		c.Off = append(c.Off, 0)
	}
}

// AppendValue appends v as value number n (the count before the call).
func (c *Column) AppendValue(v Value, n int) {
	if v.Null {
		c.AppendNull(n)
		return
	}
	c.markValid(n)
	switch c.Type.Storage() {
	case Boolean:
		c.Bits = appendBit(c.Bits, n, v.I != 0)
	case Integer:
		c.I32 = append(c.I32, int32(v.I))
	case Real:
		c.F32 = append(c.F32, float32(v.F))
	case Double:
		c.F64 = append(c.F64, v.F)
	case Varchar:
		c.Bytes = append(c.Bytes, v.S...)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	default:
		c.I64 = append(c.I64, v.I)
	}
}

// AppendNull appends a NULL as value number n.
func (c *Column) AppendNull(n int) {
	if c.Valid == nil {
		c.Valid = appendOnes(c.spare[:0], 0, n)
	}
	c.Valid = appendBit(c.Valid, n, false)
	switch c.Type.Storage() {
	case Boolean:
		c.Bits = appendBit(c.Bits, n, false)
	case Integer:
		c.I32 = append(c.I32, 0)
	case Real:
		c.F32 = append(c.F32, 0)
	case Double:
		c.F64 = append(c.F64, 0)
	case Varchar:
		c.Off = append(c.Off, int32(len(c.Bytes)))
	default:
		c.I64 = append(c.I64, 0)
	}
}

// AppendRange appends values [from, to) of src (same type) behind the n values here.
func (c *Column) AppendRange(src *Column, from, to, n int) {
	c.appendValidity(src, from, to, n)
	switch c.Type.Storage() {
	case Boolean:
		c.Bits = appendBits(c.Bits, src.Bits, from, to, n)
	case Integer:
		c.I32 = append(c.I32, src.I32[from:to]...)
	case Real:
		c.F32 = append(c.F32, src.F32[from:to]...)
	case Double:
		c.F64 = append(c.F64, src.F64[from:to]...)
	case Varchar:
		shift := int32(len(c.Bytes)) - src.Off[from]
		c.Bytes = append(c.Bytes, src.Bytes[src.Off[from]:src.Off[to]]...)
		for _, o := range src.Off[from+1 : to+1] {
			c.Off = append(c.Off, o+shift)
		}
	default:
		c.I64 = append(c.I64, src.I64[from:to]...)
	}
}

// AppendFrom appends value i of src (same type) behind the n values here.
func (c *Column) AppendFrom(src *Column, i, n int) {
	if src.IsNull(i) {
		c.AppendNull(n)
		return
	}
	c.markValid(n)
	switch c.Type.Storage() {
	case Boolean:
		c.Bits = appendBit(c.Bits, n, src.Bits.Get(i))
	case Integer:
		c.I32 = append(c.I32, src.I32[i])
	case Real:
		c.F32 = append(c.F32, src.F32[i])
	case Double:
		c.F64 = append(c.F64, src.F64[i])
	case Varchar:
		c.Bytes = append(c.Bytes, src.Text(i)...)
		c.Off = append(c.Off, int32(len(c.Bytes)))
	default:
		c.I64 = append(c.I64, src.I64[i])
	}
}

// Slice returns values [from, to) of a column. Buffers are shared, except bitmaps
// that start off a word border, which are copied.
func (c *Column) Slice(from, to int) Column {
	out := Column{Type: c.Type, Valid: sliceBits(c.Valid, from, to)}
	switch c.Type.Storage() {
	case Invalid:
	case Boolean:
		out.Bits = sliceBits(c.Bits, from, to)
	case Integer:
		out.I32 = c.I32[from:to:to]
	case Real:
		out.F32 = c.F32[from:to:to]
	case Double:
		out.F64 = c.F64[from:to:to]
	case Varchar:
		out.Off, out.Bytes = c.Off[from:to+1:to+1], c.Bytes
	default:
		out.I64 = c.I64[from:to:to]
	}
	return out
}

// SizeBytes is what the values of the column occupy, buffers' spare room not counted.
func (c *Column) SizeBytes() int {
	size := 8*len(c.Valid) + 8*len(c.Bits) + 4*len(c.I32) + 8*len(c.I64) + 4*len(c.F32) + 8*len(c.F64) + 4*len(c.Off)
	if len(c.Off) > 0 {
		size += int(c.Off[len(c.Off)-1] - c.Off[0])
	}
	return size
}

// capacity is what the buffers occupy, spare room included.
func (c *Column) capacity() int {
	return 8*(cap(c.Valid)+cap(c.spare)+cap(c.Bits)+cap(c.I64)+cap(c.F64)) + 4*(cap(c.I32)+cap(c.F32)+cap(c.Off)) + cap(c.Bytes)
}

func (c *Column) markValid(n int) {
	if c.Valid != nil {
		c.Valid = appendBit(c.Valid, n, true)
	}
}

func (c *Column) appendValidity(src *Column, from, to, n int) {
	if c.Valid == nil && src.Valid == nil {
		return
	}
	if c.Valid == nil {
		c.Valid = appendOnes(c.spare[:0], 0, n)
	}
	if src.Valid == nil {
		c.Valid = appendOnes(c.Valid, n, to-from)
		return
	}
	c.Valid = appendBits(c.Valid, src.Valid, from, to, n)
}

func appendBit(b Bitmap, n int, v bool) Bitmap {
	for len(b) < WordsFor(n+1) {
		b = append(b, 0)
	}
	b.Put(n, v)
	return b
}

func sliceBits(b Bitmap, from, to int) Bitmap {
	if b == nil {
		return nil
	}
	if from&63 == 0 {
		return b[from>>6 : WordsFor(to)]
	}
	out := NewBitmap(to - from)
	out.CopyRange(b, from, to-from)
	return out
}
