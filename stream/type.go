package stream

import (
	"fmt"
	"math"
	"strings"

	"github.com/millrace/millrace/stream/decimal"
)

// Type is the SQL type of a column or value: a kind, and for DECIMAL its parameters.
//
// The low four bits are the kind's storage, the type whose Go slice of a Column, or
// field of a Value, carries the values; code that moves, compares or hashes values
// switches over Storage and knows every kind then. Bits 4 to 7 tell apart kinds of
// equal storage.
type Type uint32

// Types that are their own storage, with the Go type that carries one value of each.
const (
	Invalid Type = iota
	Boolean      // bit
	Integer      // int32
	BigInt       // int64
	Real         // float32
	Double       // float64
	Varchar      // UTF-8 bytes
)

// Types carried by the storage of another.
const (
	TinyInt  = Integer | 1<<kindShift // -128 .. 127
	SmallInt = Integer | 2<<kindShift // -32768 .. 32767
	Date     = Integer | 3<<kindShift // days since 1970-01-01, from DateMin to DateMax

	Timestamp = BigInt | 1<<kindShift // microseconds since 1970-01-01 UTC
	Interval  = BigInt | 2<<kindShift // microseconds
	TimeOfDay = BigInt | 3<<kindShift // microseconds since midnight, less than MicrosPerDay

	shortDecimal = BigInt | 4<<kindShift // unscaled value

	// TimestampLTZ is TIMESTAMP WITH TIME ZONE as the SQL front end sees it: an instant that
	// the session's time zone shows. Behind the front end it is a Timestamp, and where the
	// zone matters calls name it; no column or model has this type.
	TimestampLTZ = BigInt | 5<<kindShift

	longDecimal = Varchar | 1<<kindShift // unscaled value, as decimal.Int.AppendBytes writes it

	Bytes = Varchar | 2<<kindShift // any bytes: BYTEA
	JSON  = Varchar | 3<<kindShift // the text of a JSON value, as CompactJSON leaves it
)

// Layout of a Type.
const (
	kindShift      = 4
	storageMask    = Type(1<<kindShift - 1)
	kindMask       = Type(0xff)
	precisionShift = 8
	scaleShift     = 16

	shortDigits = 18 // of an int64, whatever they are
)

// Decimal returns DECIMAL(precision, scale). Precision is 1 to decimal.DigitsMax, scale
// 0 to precision. Up to 18 digits are carried by BIGINT's storage, more by VARCHAR's, in
// 16 bytes of which the order is that of the numbers.
func Decimal(precision, scale int) Type {
	kind := shortDecimal
	if precision > shortDigits {
		kind = longDecimal
	}
	return kind | Type(precision)<<precisionShift | Type(scale)<<scaleShift
}

// IsDecimal reports whether t is a DECIMAL of any precision and scale.
func (t Type) IsDecimal() bool { return t&kindMask == shortDecimal || t&kindMask == longDecimal }

// Precision is the number of digits of a DECIMAL.
func (t Type) Precision() int { return int(t >> precisionShift & 0xff) }

// Scale is the number of digits behind the point of a DECIMAL.
func (t Type) Scale() int { return int(t >> scaleShift & 0xff) }

// Storage is the type whose representation t shares: one of Boolean, Integer, BigInt,
// Real, Double and Varchar, or Invalid for Invalid. Values of equal storage compare,
// group and hash alike.
func (t Type) Storage() Type { return t & storageMask }

// Types lists the types a column can have, for DECIMAL one of each storage and some of the nested ones.
var Types = []Type{Boolean, TinyInt, SmallInt, Integer, BigInt, Decimal(12, 3), Decimal(30, 8), Real, Double, Varchar, Bytes, JSON, Date, TimeOfDay, Timestamp, Interval,
	Array(Integer), Array(Varchar), RowOf(Member{"a", Integer}, Member{"b c", Varchar})}

var typeNames = map[Type]string{
	Invalid: "INVALID", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Integer: "INTEGER", BigInt: "BIGINT",
	Real: "REAL", Double: "DOUBLE", Varchar: "VARCHAR", Bytes: "BYTEA", JSON: "JSON", Date: "DATE", TimeOfDay: "TIME", Timestamp: "TIMESTAMP", Interval: "INTERVAL",
}

func (t Type) String() string {
	if t == TimestampLTZ {
		return "TIMESTAMP_LTZ"
	}
	if name, ok := typeNames[t]; ok {
		return name
	}
	if t.IsDecimal() {
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision(), t.Scale())
	}
	if p := shapes.list.Load(); t.IsNested() && p != nil && int(t>>precisionShift) < len(*p) {
		return t.shape().text
	}
	return fmt.Sprintf("Type(%d)", uint32(t))
}

// Valid reports whether t is a type that a column can have.
func (t Type) Valid() bool {
	if t.IsDecimal() {
		p, s := t.Precision(), t.Scale()
		return t == Decimal(p, s) && p > 0 && p <= decimal.DigitsMax && s <= p
	}
	if t.IsNested() {
		return t.validNested()
	}
	return t != Invalid && typeNames[t] != ""
}

// ParseType returns the type with the given canonical name (see String), in any case.
func ParseType(name string) (Type, bool) {
	if t, rest, ok := CutType(name); ok {
		return t, rest == ""
	}
	return parseFlat(name)
}

// parseFlat is ParseType for types that are not nested.
func parseFlat(name string) (Type, bool) {
	for t, n := range typeNames {
		if t != Invalid && strings.EqualFold(n, name) {
			return t, true
		}
	}
	var p, s int
	if n, err := fmt.Sscanf(strings.ToUpper(name), "DECIMAL(%d,%d)", &p, &s); err != nil || n != 2 || p < 0 || s < 0 || p > decimal.DigitsMax || s > p {
		return Invalid, false
	}
	t := Decimal(p, s)
	return t, t.Valid() && strings.EqualFold(t.String(), name)
}

// IsInteger reports whether values of t are whole numbers: TINYINT, SMALLINT, INTEGER
// or BIGINT.
func (t Type) IsInteger() bool { return t == Integer || t == BigInt || t.IsSmall() }

// IsSmall reports whether t is TINYINT or SMALLINT, whose values are fewer than those
// of their storage.
func (t Type) IsSmall() bool { return t == TinyInt || t == SmallInt }

// Range returns the least and the greatest value of a type carried as a whole number;
// ok is false for the others. INTERVAL and TIMESTAMP have that of BIGINT;
// a DECIMAL's values are unscaled, and not whole numbers if it has more than 18 digits.
func (t Type) Range() (low, high int64, ok bool) {
	switch t {
	case TinyInt:
		return math.MinInt8, math.MaxInt8, true
	case SmallInt:
		return math.MinInt16, math.MaxInt16, true
	case Date:
		return DateMin, DateMax, true
	case TimeOfDay:
		return 0, MicrosPerDay - 1, true
	}
	if t&kindMask == shortDecimal {
		n := decimal.Power(t.Precision()) - 1
		return -n, n, true
	}
	switch t.Storage() {
	case Integer:
		return math.MinInt32, math.MaxInt32, true
	case BigInt:
		return math.MinInt64, math.MaxInt64, true
	}
	return 0, 0, false
}

// IsFloat reports whether values of t are REAL or DOUBLE.
func (t Type) IsFloat() bool { return t == Real || t == Double }

// IsNumeric reports whether t is a number.
func (t Type) IsNumeric() bool { return t.IsInteger() || t.IsFloat() || t.IsDecimal() }

// IsTime reports whether t is a date, a time of day, a timestamp or an interval.
func (t Type) IsTime() bool { return t.IsMoment() || t == TimeOfDay || t == Interval }

// IsMoment reports whether t is a date or a timestamp of either kind.
func (t Type) IsMoment() bool { return t == Date || t == Timestamp || t == TimestampLTZ }

// Width is the bytes one value takes in a column; VARCHAR counts its offset and
// an assumed 12 bytes of text, BOOLEAN one byte.
func (t Type) Width() int {
	switch t.Storage() {
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
