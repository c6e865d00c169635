package arrow

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millrace/millrace/stream"
)

// elementOf is the type of a list's elements; nil: the type is no list. A map is none.
func elementOf(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.ListType:
		return t.Elem()
	case *arrow.LargeListType:
		return t.Elem()
	case *arrow.FixedSizeListType:
		return t.Elem()
	case *arrow.ListViewType:
		return t.Elem()
	case *arrow.LargeListViewType:
		return t.Elem()
	}
	return nil
}

// naturalNested is the ARRAY or ROW that a type of Arrow is; Invalid if there is none.
func naturalNested(t arrow.DataType) stream.Type {
	if element := elementOf(t); element != nil {
		if of := natural(element); of != stream.Invalid {
			return stream.Array(of)
		}
		return stream.Invalid
	}
	group, ok := t.(*arrow.StructType)
	if !ok {
		return stream.Invalid
	}
	var members []stream.Member
	for _, f := range group.Fields() {
		m := stream.Member{Name: f.Name, Type: natural(f.Type)}
		if m.Type == stream.Invalid {
			return stream.Invalid
		}
		members = append(members, m)
	}
	return stream.FoldedRow(members)
}

// readableNested is readable for an ARRAY or ROW.
func readableNested(from arrow.DataType, t stream.Type) bool {
	if t.IsArray() {
		element := elementOf(from)
		return element != nil && readable(element, t.Element())
	}
	group, ok := from.(*arrow.StructType)
	if !ok {
		return false
	}
	taken := map[int]bool{}
	for _, m := range t.Members() {
		at := memberOf(group, m.Name)
		if at < 0 || taken[at] || !readable(group.Field(at).Type, m.Type) {
			return false
		}
		taken[at] = true
	}
	return true
}

// memberOf finds a field of the same name, or else of the same in another case.
func memberOf(group *arrow.StructType, name string) int {
	found := -1
	for i, f := range group.Fields() {
		if f.Name == name {
			return i
		}
		if found < 0 && strings.EqualFold(f.Name, name) {
			found = i
		}
	}
	return found
}

// part is values [from, to) of an array, below an ARRAY or ROW or that itself, as type t.
type part struct {
	t      stream.Type
	values arrow.Array
	list   array.ListLike // of an ARRAY
	parts  []*part        // elements, or members
	from   int
	leaf   stream.Column  // from `from` on
	bad    map[int]string // why values of leaf are none
}

// partOf makes the parts of an array; name is that of the column, for messages.
func partOf(values arrow.Array, t stream.Type, name string, from, to int) *part {
	p := &part{t: t, values: values, from: from}
	switch {
	case t.IsArray():
		p.list = values.(array.ListLike)
		low, high := int64(math.MaxInt64), int64(0)
		for i := from; i < to; i++ {
			if values.IsNull(i) {
				continue
			}
			start, end := p.list.ValueOffsets(i)
			low, high = min(low, start), max(high, end)
		}
		low = min(low, high)
		if n := p.list.ListValues().Len(); low < 0 || high > int64(n) {
			panic(fmt.Sprintf("a list of %d values goes from %d to %d", n, low, high))
		}
		p.parts = []*part{partOf(p.list.ListValues(), t.Element(), name, int(low), int(high))}
	case t.IsRow():
		group := values.(*array.Struct)
		for _, m := range t.Members() {
			field := group.Field(memberOf(group.DataType().(*arrow.StructType), m.Name))
			p.parts = append(p.parts, partOf(field, m.Type, name, from, to))
		}
	default:
		p.leaf.Reset(t)
		appendArray(&p.leaf, stream.Field{Name: name, Type: t}, values, 0, from, to, func(row int, reason string) {
			if p.bad == nil {
				p.bad = map[int]string{}
			}
			p.bad[row] = reason
		})
	}
	return p
}

// append appends value i, which is not NULL, as it is written within nested ones. why is
// not empty if a part of it is none of its type.
func (p *part) append(dst []byte, i int, why *string) []byte {
	switch {
	case p.list != nil:
		start, end := p.list.ValueOffsets(i)
		for k := start; k < end; k++ {
			dst = p.parts[0].item(dst, int(k), why)
		}
		return stream.EndArray(dst)
	case p.parts != nil:
		for _, m := range p.parts {
			dst = m.item(dst, i, why)
		}
		return dst
	}
	if reason := p.bad[i-p.from]; reason != "" {
		*why = reason
	}
	return p.leaf.AppendRaw(dst, i-p.from)
}

func (p *part) item(dst []byte, i int, why *string) []byte {
	if p.parts == nil && p.leaf.IsNull(i-p.from) || p.parts != nil && p.values.IsNull(i) {
		return stream.AppendItem(dst, nil, true)
	}
	return p.append(stream.AppendItem(dst, nil, false), i, why)
}

// appendNested is appendArray for an ARRAY or ROW.
func appendNested(out *stream.Column, f stream.Field, values arrow.Array, n, from, to int, fail func(row int, reason string)) {
	p := partOf(values, out.Type, f.Name, from, to)
	var scratch []byte
	for row := from; row < to; row++ {
		why, null := "", values.IsNull(row)
		if !null {
			scratch = p.append(scratch[:0], row, &why)
		}
		switch {
		case null && f.NotNull:
			why = fmt.Sprintf("column %q is NOT NULL", f.Name)
		case len(out.Bytes)+len(scratch) > math.MaxInt32:
			why, null = fmt.Sprintf("column %q: the values of %d rows take more than 2 GiB", f.Name, to-from), true
		}
		if why != "" {
			fail(row-from, why)
		}
		if null {
			out.AppendNull(n + row - from)
		} else {
			out.AppendFromRaw(scratch, n+row-from)
		}
	}
}

// nestedType is the type of Arrow that an ARRAY or ROW is written as.
func nestedType(t stream.Type) (arrow.DataType, bool) {
	if t.IsArray() {
		element, ok := typeOf(t.Element())
		if !ok {
			return nil, false
		}
		return arrow.ListOf(element), true
	}
	var fields []arrow.Field
	names := map[string]bool{}
	for _, m := range t.Members() {
		of, ok := typeOf(m.Type)
		if !ok || names[m.Name] {
			return nil, false
		}
		names[m.Name] = true
		fields = append(fields, arrow.Field{Name: m.Name, Type: of, Nullable: true})
	}
	return arrow.StructOf(fields...), true
}

// childrenOf takes a nested column apart: the columns of elements or members, how long
// they are, and of an ARRAY where the elements of each row begin and the last end.
func childrenOf(c *stream.Column, rows int) (children []stream.Column, length int, offsets []int32) {
	if c.Type.IsArray() {
		children = make([]stream.Column, 1)
		children[0].Reset(c.Type.Element())
		offsets = append(make([]int32, 0, rows+1), 0)
		for i := range rows {
			for it := stream.ItemsOf(c.Type, c.Text(i)); !c.IsNull(i) && it.Next(); length++ {
				appendItem(&children[0], &it, length)
			}
			offsets = append(offsets, int32(length))
		}
		return children, length, offsets
	}
	children = make([]stream.Column, len(c.Type.Members()))
	for k, m := range c.Type.Members() {
		children[k].Reset(m.Type)
	}
	for i := range rows {
		it := stream.ItemsOf(c.Type, c.Text(i))
		for k := range children {
			if c.IsNull(i) || !it.Next() {
				children[k].AppendNull(i)
				continue
			}
			appendItem(&children[k], &it, i)
		}
	}
	return children, rows, nil
}

func appendItem(c *stream.Column, it *stream.Items, n int) {
	if it.Null {
		c.AppendNull(n)
		return
	}
	c.AppendFromRaw(it.Raw, n)
}

// childType is the type of a list's elements or of member k of a struct.
func childType(t arrow.DataType, k int) arrow.DataType {
	if group, ok := t.(*arrow.StructType); ok {
		return group.Field(k).Type
	}
	return elementOf(t)
}
