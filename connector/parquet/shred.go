package parquet

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// nestedPage is what a columnWriter of a leaf below an ARRAY or ROW has of a page beside
// its values, of which none is NULL.
type nestedPage struct {
	def, rep   int // greatest levels
	reps, defs []byte
	values     int
}

// add adds an entry.
func (p *nestedPage) add(rep, def int) {
	p.reps, p.defs = append(p.reps, byte(rep)), append(p.defs, byte(def))
}

func (p *nestedPage) reset() { p.reps, p.defs, p.values = p.reps[:0], p.defs[:0], 0 }

// encode appends the levels as a page of the old form has them.
func (p *nestedPage) encode(dst []byte) ([]byte, error) {
	for _, kind := range []struct {
		greatest int
		levels   []byte
	}{{p.rep, p.reps}, {p.def, p.defs}} {
		if kind.greatest == 0 {
			continue
		}
		packed, err := (&rle.Encoding{BitWidth: bits.Len(uint(kind.greatest))}).EncodeLevels(nil, kind.levels)
		if err != nil {
			return dst, err
		}
		n := len(packed)
		dst = append(append(dst, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), packed...)
	}
	return dst, nil
}

var errEqualNames = errors.New("a ROW with two members of one name cannot be written to a Parquet file")

// declare adds a column, or a part of one below path, to the file's schema: ARRAY in three
// levels, everything but the column itself optional. def and rep are the levels above it.
func (w *Writer) declare(f stream.Field, path []string, def, rep int, codec format.CompressionCodec) (nest, error) {
	path = append(slices.Clip(path), f.Name)
	group := format.SchemaElement{Name: f.Name, RepetitionType: thrift.New(format.Required)}
	if !f.NotNull {
		def, group.RepetitionType = def+1, thrift.New(format.Optional)
	}
	n := nest{def: def, first: len(w.columns)}
	switch {
	case f.Type.IsArray():
		group.NumChildren, group.ConvertedType, group.LogicalType.Value = thrift.New(int32(1)), thrift.New(deprecated.List), &format.ListType{}
		list := format.SchemaElement{Name: "list", RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New(int32(1))}
		w.meta.Schema = append(w.meta.Schema, group, list)
		n.full, n.rep = def+1, rep+1
		part, err := w.declare(stream.Field{Name: "element", Type: f.Type.Element()}, append(path, list.Name), n.full, n.rep, codec)
		if err != nil {
			return n, err
		}
		n.parts = []nest{part}
	case f.Type.IsRow():
		members, names := f.Type.Members(), map[string]bool{}
		group.NumChildren = thrift.New(int32(len(members)))
		w.meta.Schema = append(w.meta.Schema, group)
		for _, m := range members {
			if names[m.Name] {
				return n, errEqualNames
			}
			names[m.Name] = true
			part, err := w.declare(stream.Field{Name: m.Name, Type: m.Type}, path, def, rep, codec)
			if err != nil {
				return n, err
			}
			n.parts = append(n.parts, part)
		}
	default:
		element, ok := elementOf(f)
		if !ok {
			return n, fmt.Errorf("%s cannot be written to a Parquet file", f.Type)
		}
		w.meta.Schema = append(w.meta.Schema, element)
		w.meta.ColumnOrders = append(w.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
		c := newColumnWriter(f, element.Type.V, codec)
		if c.path = path; len(path) > 1 {
			c.nested = &nestedPage{def: def, rep: rep}
		}
		w.columns = append(w.columns, c)
	}
	n.end = len(w.columns)
	return n, nil
}

// shred appends rows [from, to) of a nested column to the pages of its leaves, which end
// where rows do.
func (w *Writer) shred(n *nest, f *stream.Field, src *stream.Column, from, to int) error {
	leaves := w.columns[n.first:n.end]
	for row := from; row < to; row++ {
		switch {
		case !src.IsNull(row):
			w.put(n, f.Type, src.Text(row), 0)
		case f.NotNull:
			return notNull(f)
		default:
			w.missing(n, 0, 0)
		}
		for i := range leaves {
			c := &leaves[i]
			if c.rows++; c.rows >= pageRows || c.page.SizeBytes()+len(c.nested.defs) >= pageBytesAim {
				if err := c.flush(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// put appends a value that is there, written as raw, to the leaves; rep is the repetition
// level of its first entry.
func (w *Writer) put(n *nest, t stream.Type, raw []byte, rep int) {
	if n.parts == nil {
		c := &w.columns[n.first]
		c.page.AppendFromRaw(raw, c.nested.values)
		c.nested.values++
		c.nested.add(rep, n.def)
		return
	}
	count, above := 0, n.def
	if n.full > 0 {
		above = n.full
	}
	for it := stream.ItemsOf(t, raw); it.Next(); count++ {
		part := &n.parts[0]
		if n.full == 0 {
			part = &n.parts[count]
		} else if count > 0 {
			rep = n.rep
		}
		if it.Null {
			w.missing(part, rep, above)
		} else {
			w.put(part, it.Type, it.Raw, rep)
		}
	}
	if count == 0 {
		w.missing(n, rep, n.def)
	}
}

// missing appends the entries that stand for a part that is not there; def is how far the
// path to it is.
func (w *Writer) missing(n *nest, rep, def int) {
	for k := n.first; k < n.end; k++ {
		w.columns[k].nested.add(rep, def)
	}
}
