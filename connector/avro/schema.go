package avro

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/millrace/millrace/stream"
)

// field is a field of the file's record, or a part of one: the element of an array, a
// member of a record.
type field struct {
	name      string
	typ       stream.Type // Invalid: none fits
	nullable  bool
	union     bool   // goavro gives values but null in a map
	described string // for messages
	element   *field
	members   []field
}

// parser knows the named types that a schema has defined so far by their full names; nil
// stands for a record that is being read.
type parser map[string]*field

// parseSchema lists the fields of a schema, which must be a record.
func parseSchema(text string) ([]field, error) {
	var record object
	if err := json.Unmarshal([]byte(text), &record); err != nil || string(record.Type) != `"record"` {
		return nil, fmt.Errorf("its schema is not a record")
	}
	return parser{}.record(&record, "").members, nil
}

// object is a type that is written as a JSON object.
type object struct {
	Type        json.RawMessage `json:"type"`
	Name        string          `json:"name"`
	Namespace   string          `json:"namespace"`
	LogicalType string          `json:"logicalType"`
	Precision   int             `json:"precision"`
	Scale       int             `json:"scale"`
	Items       json.RawMessage `json:"items"`
	Fields      []struct {
		Name string          `json:"name"`
		Type json.RawMessage `json:"type"`
	} `json:"fields"`
}

// types are those that fields can have, with their logical types behind a dot.
var types = map[string]stream.Type{
	"boolean": stream.Boolean, "int": stream.Integer, "long": stream.BigInt, "float": stream.Real, "double": stream.Double,
	"string": stream.Varchar, "string.uuid": stream.Varchar, "enum": stream.Varchar, "bytes": stream.Bytes, "fixed": stream.Bytes, "int.date": stream.Date,
	"int.time-millis": stream.TimeOfDay, "long.time-micros": stream.TimeOfDay,
	"long.timestamp-millis": stream.Timestamp, "long.timestamp-micros": stream.Timestamp,
}

// typeOf reads a type; space is the namespace that it stands in.
func (p parser) typeOf(raw json.RawMessage, space string) field {
	var union []json.RawMessage
	if json.Unmarshal(raw, &union) == nil {
		return p.unionOf(union, space)
	}
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return p.called(plain, space)
	}
	var o object
	if json.Unmarshal(raw, &o) != nil {
		return field{described: "nested"}
	}
	if json.Unmarshal(o.Type, &plain) != nil {
		return p.typeOf(o.Type, space)
	}
	switch plain {
	case "record":
		return p.record(&o, space)
	case "array":
		return p.array(&o, space)
	}
	out := field{typ: types[plain], described: plain}
	if o.LogicalType != "" {
		out = logical(&o, plain)
	}
	if plain == "enum" || plain == "fixed" {
		name, _ := fullName(o.Name, o.Namespace, space)
		p[name] = &out
	}
	return out
}

// called is a type that is written as its name.
func (p parser) called(name, space string) field {
	full, _ := fullName(name, "", space)
	named, known := p[full]
	switch t := types[name]; {
	case t != stream.Invalid || !known:
		return field{typ: t, described: name}
	case named == nil:
		return field{described: "a record within itself"}
	}
	return *named
}

// fullName is a name with its namespace, and that namespace.
func fullName(name, own, outer string) (full, space string) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name, name[:i]
	}
	if space = outer; own != "" {
		space = own
	}
	if space == "" {
		return name, ""
	}
	return space + "." + name, space
}

func logical(o *object, plain string) field {
	described := plain + "." + o.LogicalType
	if o.LogicalType != "decimal" || plain != "bytes" && plain != "fixed" {
		return field{typ: types[described], described: described}
	}
	out := field{described: fmt.Sprintf("%s.decimal(%d,%d)", plain, o.Precision, o.Scale)}
	if o.Precision >= 1 && o.Precision <= stream.DecimalDigitsMax && o.Scale >= 0 && o.Scale <= o.Precision {
		out.typ = stream.Decimal(o.Precision, o.Scale)
	}
	return out
}

func (p parser) array(o *object, space string) field {
	element := p.typeOf(o.Items, space)
	out := field{element: &element, described: "array of " + element.described}
	if element.typ != stream.Invalid {
		out.typ = stream.Array(element.typ)
	}
	return out.itself()
}

func (p parser) record(o *object, space string) field {
	name, space := fullName(o.Name, o.Namespace, space)
	p[name] = nil
	out := field{described: "record"}
	var members []stream.Member
	whole := true
	for _, f := range o.Fields {
		m := p.typeOf(f.Type, space)
		m.name = f.Name
		if m.typ == stream.Invalid && whole {
			whole, out.described = false, fmt.Sprintf("record with %q %s", m.name, m.described)
		}
		out.members, members = append(out.members, m), append(members, stream.Member{Name: m.name, Type: m.typ})
	}
	if whole {
		out.typ = stream.FoldedRow(members)
	}
	out = out.itself()
	p[name] = &out
	return out
}

// itself is a nested field that messages describe as its type, if it has one.
func (c field) itself() field {
	if c.typ != stream.Invalid {
		c.described = c.typ.String()
	}
	return c
}

// unionOf: of null and one other type, the other.
func (p parser) unionOf(union []json.RawMessage, space string) field {
	out, others, nullable := field{}, 0, false
	for _, member := range union {
		m := p.typeOf(member, space)
		if m.described == "null" {
			nullable = true
			continue
		}
		others++
		out = m
	}
	if others != 1 || out.union {
		out = field{described: "a union of several types"}
	}
	out.nullable, out.union = nullable, true
	return out
}

// undecimal is a schema in which decimals are the bytes that carry them.
func undecimal(text string) (string, error) {
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return "", err
	}
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, c := range n {
				walk(c)
			}
		case map[string]any:
			if n["logicalType"] == "decimal" {
				delete(n, "logicalType")
			}
			for _, c := range n {
				walk(c)
			}
		}
	}
	walk(tree)
	out, err := json.Marshal(tree)
	return string(out), err
}

// readable reports whether the field can be read as t without loss.
func (c *field) readable(t stream.Type) bool {
	switch {
	case t.IsArray():
		return c.element != nil && c.element.readable(t.Element())
	case t.IsRow():
		taken := map[*field]bool{}
		for _, m := range t.Members() {
			f := c.member(m.Name)
			if f == nil || taken[f] || !f.readable(m.Type) {
				return false
			}
			taken[f] = true
		}
		return true
	case c.typ == stream.Invalid || c.typ.IsNested():
		return false
	case c.typ == stream.Integer && (t.IsInteger() || t == stream.Double) || c.typ == stream.Real && t == stream.Double:
		return true // a value that is too large for a smaller integer, which Avro has not, is an error row
	case c.typ == stream.BigInt && t == stream.Interval:
		return true
	}
	return c.typ == t || t.Holds(c.typ) || c.typ == stream.Varchar && t == stream.JSON
}

// member finds a member of the same name, or else of the same in another case.
func (c *field) member(name string) (found *field) {
	for i := range c.members {
		if c.members[i].name == name {
			return &c.members[i]
		}
		if found == nil && strings.EqualFold(c.members[i].name, name) {
			found = &c.members[i]
		}
	}
	return found
}
