package stream

import (
	"fmt"
	"strings"
)

// Type is the SQL type of a column or value.
type Type uint8

// The types, with the Go type that carries one value of each.
const (
	Invalid   Type = iota
	Boolean        // bit
	Integer        // int32
	BigInt         // int64
	Real           // float32
	Double         // float64
	Varchar        // UTF-8 bytes
	Timestamp      // int64 microseconds since 1970-01-01 UTC
	Interval       // int64 microseconds
)

var typeNames = [...]string{"INVALID", "BOOLEAN", "INTEGER", "BIGINT", "REAL", "DOUBLE", "VARCHAR", "TIMESTAMP", "INTERVAL"}

// Types lists every type a column can have.
var Types = []Type{Boolean, Integer, BigInt, Real, Double, Varchar, Timestamp, Interval}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// ParseType returns the type with the given canonical name (see String), in any case.
func ParseType(name string) (Type, bool) {
	for i, n := range typeNames {
		if i > 0 && strings.EqualFold(n, name) {
			return Type(i), true
		}
	}
	return Invalid, false
}

// IsInteger reports whether values of t are INTEGER or BIGINT.
func (t Type) IsInteger() bool { return t == Integer || t == BigInt }

// IsFloat reports whether values of t are REAL or DOUBLE.
func (t Type) IsFloat() bool { return t == Real || t == Double }

// IsNumeric reports whether t is a number.
func (t Type) IsNumeric() bool { return t.IsInteger() || t.IsFloat() }

// Width is the bytes one value takes in a column; VARCHAR counts its offset and
// an assumed 12 bytes of text, BOOLEAN one byte.
func (t Type) Width() int {
	switch t {
	case Boolean:
		return 1
	case Integer, Real:
		return 4
	case Varchar:
		return 16
	default:
		return 8
	}
}

// Role says that a column is one of a windowed relation's window columns.
type Role uint8

// The roles. A relation has at most one hidden carrier per role and any number of
// visible copies.
const (
	NoRole Role = iota
	WindowStart
	WindowEnd
	WindowTime  // window_end - 1 microsecond
	WindowIndex // of a ROWS window
)

var roleNames = [...]string{"", "window_start", "window_end", "window_time", "window_index"}

func (r Role) String() string { return roleNames[r] }

// ParseRole is the inverse of Role.String.
func ParseRole(name string) (Role, bool) {
	for i, n := range roleNames {
		if n == name {
			return Role(i), true
		}
	}
	return NoRole, false
}

// Field is one column of a schema.
type Field struct {
	Name    string
	Type    Type
	NotNull bool
	Role    Role
	Hidden  bool // carried for the engine (event time, window columns); not part of SELECT *
}

// Schema is an ordered list of fields. It is immutable once built.
type Schema struct {
	Fields []Field
}

// NewSchema returns a schema of the given fields.
func NewSchema(fields ...Field) *Schema { return &Schema{Fields: fields} }

// Len is the number of fields, hidden ones included.
func (s *Schema) Len() int { return len(s.Fields) }

// Index returns the position of the first visible field with the name, or -1.
func (s *Schema) Index(name string) int {
	for i, f := range s.Fields {
		if f.Name == name && !f.Hidden {
			return i
		}
	}
	return -1
}

// RoleIndex returns the position of the first field with the role, or -1.
func (s *Schema) RoleIndex(r Role) int {
	for i, f := range s.Fields {
		if f.Role == r {
			return i
		}
	}
	return -1
}

// Visible returns the positions of the fields a user sees.
func (s *Schema) Visible() []int {
	var out []int
	for i, f := range s.Fields {
		if !f.Hidden {
			out = append(out, i)
		}
	}
	return out
}
