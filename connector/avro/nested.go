package avro

import (
	"fmt"
	"math"

	"github.com/linkedin/goavro/v2"

	"github.com/millrace/millrace/stream"
)

// ArrayItemsMax is how many elements a block of an array may have; a file with more is
// refused. The count comes before the elements, and memory is taken for all of them.
const ArrayItemsMax = 16 << 20

func init() { goavro.MaxBlockCount = ArrayItemsMax }

// nested reads column i, an ARRAY or ROW, of a record.
func (f *File) nested(record map[string]any, i int, out *stream.Batch, row int, fail func(row int, reason string)) error {
	c, column, dst := &f.fields[f.bound[i]], &out.Schema.Fields[i], &out.Cols[i]
	native := c.plain(record[c.name])
	if native == nil {
		if column.NotNull {
			fail(row, fmt.Sprintf("column %q is NOT NULL", column.Name))
		}
		dst.AppendNull(row)
		return nil
	}
	reason := ""
	raw, err := c.append(nil, column, column.Type, native, &reason)
	switch {
	case err != nil:
		return fmt.Errorf("%s: column %q: %w", f.path, column.Name, err)
	case len(dst.Bytes)+len(raw) > math.MaxInt32:
		return fmt.Errorf("%s: column %q: the values of a block take more than 2 GiB", f.path, column.Name)
	}
	if reason != "" {
		fail(row, reason)
	}
	dst.AppendFromRaw(raw, row)
	return nil
}

// plain is one of goavro's values without the map that it has as member of a union; nil is
// NULL.
func (c *field) plain(native any) any {
	if m, ok := native.(map[string]any); ok && c.union {
		for _, inner := range m {
			return inner
		}
	}
	return native
}

// append appends a value, which is not NULL, as type t; reason is set if a part of it is
// none of its type.
func (c *field) append(dst []byte, column *stream.Field, t stream.Type, native any, reason *string) ([]byte, error) {
	if t.IsArray() {
		items, ok := native.([]any)
		if !ok {
			return dst, errDamaged
		}
		for _, item := range items {
			var err error
			if dst, err = c.element.item(dst, column, t.Element(), item, reason); err != nil {
				return dst, err
			}
		}
		return stream.EndArray(dst), nil
	}
	record, ok := native.(map[string]any)
	if !ok {
		return dst, errDamaged
	}
	for _, m := range t.Members() {
		member := c.member(m.Name)
		var err error
		if dst, err = member.item(dst, column, m.Type, record[member.name], reason); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (c *field) item(dst []byte, column *stream.Field, t stream.Type, native any, reason *string) ([]byte, error) {
	native = c.plain(native)
	switch {
	case native == nil:
		return stream.AppendItem(dst, nil, true), nil
	case t.IsNested():
		return c.append(stream.AppendItem(dst, nil, false), column, t, native, reason)
	}
	v, ok := valueOf(native, t, c.typ)
	if why := problem(v, ok, &stream.Field{Name: column.Name, Type: t}); why != "" {
		*reason = why
	}
	return stream.AppendValueItem(dst, v), nil
}

// nestedForm is the form of an ARRAY or ROW; path is the full name that a record in it has,
// of which there is one at each place.
func nestedForm(t stream.Type, path string) (form, error) {
	if t.IsArray() {
		element, err := formOf(t.Element(), path)
		return form{schema: map[string]any{"type": "array", "items": []any{"null", element.schema}}, name: "array", parts: []form{element}}, err
	}
	out, fields, names := form{name: path}, []any{}, map[string]bool{}
	for _, m := range t.Members() {
		if !isName(m.Name) || names[m.Name] {
			return out, fmt.Errorf("member %q: names in an Avro file differ, and have letters, digits and _ only", m.Name)
		}
		names[m.Name] = true
		part, err := formOf(m.Type, path+"."+m.Name)
		if err != nil {
			return out, err
		}
		fields = append(fields, map[string]any{"name": m.Name, "type": []any{"null", part.schema}})
		out.parts = append(out.parts, part)
	}
	out.schema = map[string]any{"type": "record", "name": path, "fields": fields}
	return out, nil
}

// nestedNative is an ARRAY or ROW as goavro takes it.
func (f *form) nestedNative(v stream.Value) any {
	items := v.Items()
	if v.Type.IsArray() {
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = f.parts[0].optional(item)
		}
		return out
	}
	out := make(map[string]any, len(items))
	for i, m := range v.Type.Members() {
		out[m.Name] = f.parts[i].optional(items[i])
	}
	return out
}

// optional is a value as member of a union with null.
func (f *form) optional(v stream.Value) any {
	if v.Null {
		return nil
	}
	return goavro.Union(f.name, f.native(v))
}

func (f *form) native(v stream.Value) any {
	if v.Type.IsNested() {
		return f.nestedNative(v)
	}
	return native(v)
}
