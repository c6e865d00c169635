package stream

// AppendSelected appends the values of src (same type) at the indexes sel behind the
// n values here.
func (c *Column) AppendSelected(src *Column, sel []int32, n int) {
	if len(sel) == 0 {
		return
	}
	c.selectValidity(src, sel, n)
	switch c.Type.Storage() {
	case Invalid:
	case Boolean:
		c.Bits = appendSelectedBits(c.Bits, src.Bits, sel, n)
	case Integer:
		c.I32 = appendSelected(c.I32, src.I32, sel)
	case Real:
		c.F32 = appendSelected(c.F32, src.F32, sel)
	case Double:
		c.F64 = appendSelected(c.F64, src.F64, sel)
	case Varchar:
		for _, i := range sel {
			c.Bytes = append(c.Bytes, src.Bytes[src.Off[i]:src.Off[i+1]]...)
			c.Off = append(c.Off, int32(len(c.Bytes)))
		}
	default:
		c.I64 = appendSelected(c.I64, src.I64, sel)
	}
}

// AppendSelected appends the rows of src, which has the same columns, at the indexes
// sel.
func (b *Batch) AppendSelected(src *Batch, sel []int32) {
	for c := range b.Cols {
		if !b.Cols[c].Absent() {
			b.Cols[c].AppendSelected(&src.Cols[c], sel, b.Len)
		}
	}
	b.Len += len(sel)
	b.addBase(src, len(sel))
}

func (c *Column) selectValidity(src *Column, sel []int32, n int) {
	if src.Valid == nil {
		if c.Valid != nil {
			c.Valid = appendOnes(c.Valid, n, len(sel))
		}
		return
	}
	if c.Valid == nil {
		c.Valid = appendOnes(c.spare[:0], 0, n)
	}
	c.Valid = appendSelectedBits(c.Valid, src.Valid, sel, n)
}

func appendSelected[T any](dst, src []T, sel []int32) []T {
	n := len(dst)
	dst = extend(dst, len(sel))
	out := dst[n:][:len(sel)]
	for i, s := range sel {
		out[i] = src[s]
	}
	return dst
}

// extend lengthens s by n elements of unspecified value.
func extend[T any](s []T, n int) []T {
	if need := len(s) + n; need <= cap(s) {
		return s[:need]
	}
	return append(s, make([]T, n)...)
}

// growBits returns b with room for n bits, of which those from old on are zero.
func growBits(b Bitmap, old, n int) Bitmap {
	words := WordsFor(n)
	if have := WordsFor(old); len(b) > have {
		b = b[:have]
	}
	if r := uint(old) & 63; r != 0 {
		b[len(b)-1] &= 1<<r - 1
	}
	for len(b) < words {
		b = append(b, 0)
	}
	return b
}

func appendSelectedBits(dst, src Bitmap, sel []int32, n int) Bitmap {
	dst = growBits(dst, n, n+len(sel))
	for _, s := range sel {
		dst[n>>6] |= (src[s>>6] >> (uint(s) & 63) & 1) << (uint(n) & 63)
		n++
	}
	return dst
}

func appendOnes(b Bitmap, n, count int) Bitmap {
	b = growBits(b, n, n+count)
	for ; count > 0 && n&63 != 0; count-- {
		b[n>>6] |= 1 << (uint(n) & 63)
		n++
	}
	for ; count >= 64; count -= 64 {
		b[n>>6] = ^uint64(0)
		n += 64
	}
	if count > 0 {
		b[n>>6] |= 1<<uint(count) - 1
	}
	return b
}

// appendBits appends bits [from, to) of src behind the n bits of dst.
func appendBits(dst, src Bitmap, from, to, n int) Bitmap {
	dst = growBits(dst, n, n+to-from)
	for from < to {
		take := min(64-int(uint(n)&63), 64-int(uint(from)&63), to-from)
		w := src[from>>6] >> (uint(from) & 63)
		if take < 64 {
			w &= 1<<uint(take) - 1
		}
		dst[n>>6] |= w << (uint(n) & 63)
		from, n = from+take, n+take
	}
	return dst
}
