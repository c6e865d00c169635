package parquet

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// condition is a comparison of a column with constants that a row must satisfy to be of
// any use: that of its only operator, or with one of several by "eq".
type condition struct {
	column int
	call   string // eq, lt, le, gt, ge
	values []stream.Value
	as     stream.Type // the column's values are compared as this type
}

// conditionsOf takes from conjuncts what statistics can decide. The rest is left to the
// filter, which stays where it is.
func conditionsOf(conjuncts []*model.Expr) []condition {
	var out []condition
	for _, e := range conjuncts {
		if c, ok := conditionOf(e); ok {
			out = append(out, c)
		}
	}
	return out
}

// mirrored are the comparisons with their sides exchanged.
var mirrored = map[string]string{"eq": "eq", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}

func conditionOf(e *model.Expr) (condition, bool) {
	if e.Kind != model.CallExpr || len(e.Args) < 2 {
		return condition{}, false
	}
	c := condition{call: e.Func}
	side, constants := e.Args[0], e.Args[1:]
	switch {
	case e.Func == "in":
		c.call = "eq"
	case mirrored[e.Func] == "":
		return c, false
	case side.Kind == model.LiteralExpr:
		c.call, side, constants = mirrored[e.Func], e.Args[1], e.Args[:1]
	}
	c.as = side.Type
	if side.Kind == model.CallExpr && side.Func == "cast" && widens(side.Args[0].Type, side.Type) {
		side = side.Args[0]
	}
	if side.Kind != model.ColumnExpr || side.Type.IsNested() {
		return c, false
	}
	c.column = side.Column
	for _, v := range constants {
		if v.Kind != model.LiteralExpr || v.Type != c.as {
			return c, false
		}
		if !v.Literal.Null {
			c.values = append(c.values, v.Literal)
		}
	}
	return c, true
}

// widens: a cast that keeps the order of values and their bounds.
func widens(from, to stream.Type) bool {
	switch from {
	case stream.TinyInt, stream.SmallInt:
		return to.IsInteger() && to != stream.TinyInt || to == stream.Double
	case stream.Integer:
		return to == stream.BigInt || to == stream.Double
	case stream.BigInt, stream.Real:
		return to == stream.Double
	}
	return false
}

// bounds are the least and the greatest value of a chunk or a page, NULL and NaN left
// out; known is false where the file does not say.
type bounds struct {
	known    bool
	allNull  bool
	min, max stream.Value
}

// mayHold reports whether a row within the bounds could satisfy the condition. NaN is
// greater than every number and in no bounds.
func (c *condition) mayHold(b bounds) bool {
	if b.allNull {
		return false
	}
	if !b.known || b.min.Type.IsFloat() && (c.call == "gt" || c.call == "ge") {
		return true
	}
	low, high := c.widen(b.min), c.widen(b.max)
	for _, v := range c.values {
		if c.as.IsFloat() && v.F != v.F {
			return true
		}
		if c.fits(low, high, v) {
			return true
		}
	}
	return false
}

func (c *condition) fits(low, high, v stream.Value) bool {
	switch c.call {
	case "lt":
		return compare(low, v) < 0
	case "le":
		return compare(low, v) <= 0
	case "gt":
		return compare(high, v) > 0
	case "ge":
		return compare(high, v) >= 0
	}
	return compare(low, v) <= 0 && compare(v, high) <= 0
}

func (c *condition) widen(v stream.Value) stream.Value {
	if c.as.IsFloat() && !v.Type.IsFloat() {
		v.F = float64(v.I)
	}
	v.Type = c.as
	return v
}

func compare(a, b stream.Value) int {
	switch {
	case a.Type.Storage() == stream.Varchar:
		return strings.Compare(a.S, b.S)
	case a.Type.IsFloat():
		return cmp.Compare(a.F+0, b.F+0) // -0 is 0
	}
	return cmp.Compare(a.I, b.I)
}

// boundsOf reads the statistics of a chunk.
func boundsOf(f form, m *format.ColumnMetaData) bounds {
	s := &m.Statistics
	low, high := s.MinValue, s.MaxValue
	if low == nil && high == nil && f.physical != format.ByteArray && f.physical != format.FixedLenByteArray && !f.unsigned {
		low, high = s.Min, s.Max // of old writers, which compared signed
	}
	b := f.bounds(low, high)
	b.allNull = !b.known && m.NumValues > 0 && s.NullCount == m.NumValues
	return b
}

// bounds decodes a pair of statistics. An empty text is a bound as any other; no bytes at
// all say nothing of a number.
func (f form) bounds(low, high []byte) bounds {
	if low == nil || high == nil {
		return bounds{}
	}
	min, okMin := f.bound(low)
	max, okMax := f.bound(high)
	return bounds{known: okMin && okMax, min: min, max: max}
}

func (f form) bound(b []byte) (stream.Value, bool) {
	v := stream.Value{Type: f.target}
	switch {
	case f.target.IsDecimal():
		return f.decimalBound(b)
	case f.target == stream.JSON:
		return v, false // the file may have it with blanks
	case f.physical == format.ByteArray, f.physical == format.FixedLenByteArray:
		v.S = string(b)
		return v, true
	case f.physical == format.Int32 && len(b) == 4:
		return f.integerBound(v, f.wide(int32(binary.LittleEndian.Uint32(b))))
	case f.physical == format.Int64 && len(b) == 8:
		n := int64(binary.LittleEndian.Uint64(b))
		if f.unsigned && n < 0 {
			return v, false
		}
		return f.integerBound(v, n)
	case f.physical == format.Float && len(b) == 4:
		v.F = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		return v, v.F == v.F
	case f.physical == format.Double && len(b) == 8:
		v.F = math.Float64frombits(binary.LittleEndian.Uint64(b))
		return v, v.F == v.F
	}
	return v, false
}

// decimalBound reads a bound of a DECIMAL. One of variable length may be cut off as a text
// is, and says nothing.
func (f form) decimalBound(b []byte) (stream.Value, bool) {
	var x decimal.Int
	switch {
	case f.physical == format.Int32 && len(b) == 4:
		x = decimal.Of(int64(int32(binary.LittleEndian.Uint32(b))))
	case f.physical == format.Int64 && len(b) == 8:
		x = decimal.Of(int64(binary.LittleEndian.Uint64(b)))
	case f.physical == format.FixedLenByteArray && len(b) == f.length:
		var ok bool
		if x, ok = decimal.FromBigEndian(b); !ok {
			return stream.Value{}, false
		}
	default:
		return stream.Value{}, false
	}
	return stream.DecimalFrom(f.target, x, f.scale)
}

func (f form) integerBound(v stream.Value, n int64) (stream.Value, bool) {
	if f.target == stream.Double {
		v.F = float64(n)
		return v, true
	}
	if f.mul == 0 {
		v.I = n
		return v, true
	}
	var ok bool
	v.I, ok = f.micros(n)
	return v, ok
}

// Decides reports whether statistics of a column can decide a conjunct, and which column.
func Decides(conjunct *model.Expr) (column int, ok bool) {
	c, ok := conditionOf(conjunct)
	return c.column, ok
}

// Excluded reports whether no row whose column is v can meet all conjuncts.
func Excluded(conjuncts []*model.Expr, column int, v stream.Value) bool {
	b := bounds{known: !v.Type.IsFloat() || v.F == v.F, allNull: v.Null, min: v, max: v}
	for _, e := range conjuncts {
		if c, ok := conditionOf(e); ok && c.column == column && !c.mayHold(b) {
			return true
		}
	}
	return false
}
