package avro

import (
	"encoding/json"
	"fmt"

	"github.com/millrace/millrace/stream"
)

// field is one field of the file's record.
type field struct {
	name      string
	typ       stream.Type // Invalid: none fits
	nullable  bool
	described string // for messages
}

// parseSchema lists the fields of a schema, which must be a record.
func parseSchema(text string) ([]field, error) {
	var record struct {
		Type   string `json:"type"`
		Fields []struct {
			Name string          `json:"name"`
			Type json.RawMessage `json:"type"`
		} `json:"fields"`
	}
	if err := json.Unmarshal([]byte(text), &record); err != nil || record.Type != "record" {
		return nil, fmt.Errorf("its schema is not a record")
	}
	var out []field
	for _, f := range record.Fields {
		c := field{name: f.Name}
		c.typ, c.nullable, c.described = typeOf(f.Type)
		out = append(out, c)
	}
	return out, nil
}

// types are those that fields can have, with their logical types behind a dot.
var types = map[string]stream.Type{
	"boolean": stream.Boolean, "int": stream.Integer, "long": stream.BigInt, "float": stream.Real, "double": stream.Double,
	"string": stream.Varchar, "string.uuid": stream.Varchar, "enum": stream.Varchar, "bytes": stream.Bytes, "fixed": stream.Bytes, "int.date": stream.Date,
	"int.time-millis": stream.TimeOfDay, "long.time-micros": stream.TimeOfDay,
	"long.timestamp-millis": stream.Timestamp, "long.timestamp-micros": stream.Timestamp,
}

func typeOf(raw json.RawMessage) (t stream.Type, nullable bool, described string) {
	var union []json.RawMessage
	if json.Unmarshal(raw, &union) == nil {
		return unionOf(union)
	}
	var plain string
	if json.Unmarshal(raw, &plain) == nil {
		return types[plain], false, plain
	}
	var object struct {
		Type        json.RawMessage `json:"type"`
		LogicalType string          `json:"logicalType"`
		Precision   int             `json:"precision"`
		Scale       int             `json:"scale"`
	}
	if json.Unmarshal(raw, &object) != nil || json.Unmarshal(object.Type, &plain) != nil {
		return stream.Invalid, false, "nested"
	}
	if object.LogicalType == "" {
		return types[plain], false, plain
	}
	described = plain + "." + object.LogicalType
	if object.LogicalType == "decimal" && (plain == "bytes" || plain == "fixed") {
		p, s := object.Precision, object.Scale
		described = fmt.Sprintf("%s.decimal(%d,%d)", plain, p, s)
		if p < 1 || p > stream.DecimalDigitsMax || s < 0 || s > p {
			return stream.Invalid, false, described
		}
		return stream.Decimal(p, s), false, described
	}
	return types[described], false, described
}

// unionOf: of null and one other type, the other.
func unionOf(union []json.RawMessage) (t stream.Type, nullable bool, described string) {
	others := 0
	for _, member := range union {
		m, _, name := typeOf(member)
		if name == "null" {
			nullable = true
			continue
		}
		others++
		t, described = m, name
	}
	if others != 1 {
		return stream.Invalid, nullable, "a union of several types"
	}
	return t, nullable, described
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
	case c.typ == stream.Invalid:
		return false
	case c.typ == stream.Integer && (t.IsInteger() || t == stream.Double) || c.typ == stream.Real && t == stream.Double:
		return true // a value that is too large for a smaller integer, which Avro has not, is an error row
	case c.typ == stream.BigInt && t == stream.Interval:
		return true
	}
	return c.typ == t || t.Holds(c.typ) || c.typ == stream.Varchar && t == stream.JSON
}
