package arrow

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// natural is the type of a stream that a type of Arrow is; Invalid if there is none.
func natural(t arrow.DataType) stream.Type {
	switch t.ID() {
	case arrow.BOOL:
		return stream.Boolean
	case arrow.INT8:
		return stream.TinyInt
	case arrow.INT16, arrow.UINT8:
		return stream.SmallInt
	case arrow.INT32, arrow.UINT16:
		return stream.Integer
	case arrow.INT64, arrow.UINT32, arrow.UINT64:
		return stream.BigInt
	case arrow.FLOAT32:
		return stream.Real
	case arrow.FLOAT64:
		return stream.Double
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return stream.Varchar
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.FIXED_SIZE_BINARY:
		return stream.Bytes
	case arrow.DATE32:
		return stream.Date
	case arrow.TIME32, arrow.TIME64:
		return stream.TimeOfDay
	case arrow.TIMESTAMP, arrow.DATE64:
		return stream.Timestamp
	case arrow.DURATION:
		return stream.Interval
	case arrow.DECIMAL32, arrow.DECIMAL64, arrow.DECIMAL128, arrow.DECIMAL256:
		return decimalOf(t.(arrow.DecimalType))
	case arrow.DICTIONARY:
		if of := natural(t.(*arrow.DictionaryType).ValueType); !of.IsNested() {
			return of
		}
		return stream.Invalid
	}
	return naturalNested(t)
}

// decimalOf is a DECIMAL of as many digits; Invalid: there is none.
func decimalOf(t arrow.DecimalType) stream.Type {
	p, s := int(t.GetPrecision()), int(t.GetScale())
	if p < 1 || p > stream.DecimalDigitsMax || s < 0 || s > p {
		return stream.Invalid
	}
	return stream.Decimal(p, s)
}

// readable reports whether a type of Arrow can be read as t without loss.
func readable(from arrow.DataType, t stream.Type) bool {
	if t.IsNested() {
		return readableNested(from, t)
	}
	n := natural(from)
	switch {
	case n == stream.Invalid:
		return false
	case n.IsInteger() && t.IsInteger():
		low, high, _ := n.Range()
		least, greatest, _ := t.Range()
		return least <= low && high <= greatest
	case n.IsInteger() && n != stream.BigInt && t == stream.Double || n == stream.Real && t == stream.Double:
		return true
	}
	return n == t || t.Holds(n) || n == stream.Varchar && t == stream.JSON
}

// Append appends rows [from, to) of the batch to column i of a stream, which has n rows. A
// row that is none has a value there all the same, and fail is told of it: its number from
// `from` on, and why.
func (b *Batch) Append(out *stream.Column, f stream.Field, i, n, from, to int, fail func(row int, reason string)) {
	values := b.record.Column(b.bound[i])
	if out.Type.IsNested() {
		appendNested(out, f, values, n, from, to, fail)
		return
	}
	appendArray(out, f, values, n, from, to, fail)
}

// appendArray is Append for a type that is not nested.
func appendArray(out *stream.Column, f stream.Field, values arrow.Array, n, from, to int, fail func(row int, reason string)) {
	if view, ok := viewOf(values, out.Type); ok {
		out.AppendRange(&view, from, to, n)
		return
	}
	read := reader(values)
	if out.Type.IsDecimal() {
		read = decimals(values, out.Type)
	}
	low, high, ranged := out.Type.Range()
	for row := from; row < to; row++ {
		v, ok := read(row)
		v.Type = out.Type
		switch {
		case v.Null && f.NotNull:
			fail(row-from, fmt.Sprintf("column %q is NOT NULL", f.Name))
		case v.Null:
		case !ok || ranged && (v.I < low || v.I > high):
			fail(row-from, fmt.Sprintf("column %q: a value is out of the range of %s", f.Name, out.Type))
		case out.Type == stream.JSON:
			if v.S, ok = stream.CompactJSON(v.S); !ok {
				fail(row-from, fmt.Sprintf("column %q: no JSON", f.Name))
			}
		case out.Type == stream.Varchar && !utf8.ValidString(v.S):
			fail(row-from, fmt.Sprintf("column %q: invalid UTF-8", f.Name))
		}
		out.AppendValue(v, n+row-from)
	}
}

// viewOf is an array without NULLs as a column, if it has the layout of type t.
func viewOf(a arrow.Array, t stream.Type) (stream.Column, bool) {
	c := stream.Column{Type: t}
	if a.NullN() > 0 || t != natural(a.DataType()) {
		return c, false
	}
	switch a := a.(type) {
	case *array.Int32:
		c.I32 = a.Int32Values()
	case *array.Int64:
		c.I64 = a.Int64Values()
	case *array.Float32:
		c.F32 = a.Float32Values()
	case *array.Float64:
		c.F64 = a.Float64Values()
	case *array.Timestamp:
		c.I64 = arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.TimestampValues()))
		return c, a.DataType().(*arrow.TimestampType).Unit == arrow.Microsecond
	default:
		return c, false
	}
	return c, true
}

// number is a fixed-width array.
type number[T any] interface {
	arrow.Array
	Value(int) T
}

// reader returns a function that reads a value; false: it is out of range.
func reader(a arrow.Array) func(row int) (stream.Value, bool) {
	null := func(read func(int) (stream.Value, bool)) func(int) (stream.Value, bool) {
		return func(row int) (stream.Value, bool) {
			if a.IsNull(row) {
				return stream.Value{Null: true}, true
			}
			return read(row)
		}
	}
	switch a := a.(type) {
	case *array.Boolean:
		return null(func(row int) (stream.Value, bool) { return stream.Bool(a.Value(row)), true })
	case *array.Int8:
		return null(integers(a))
	case *array.Int16:
		return null(integers(a))
	case *array.Int32:
		return null(integers(a))
	case *array.Int64:
		return null(integers(a))
	case *array.Uint8:
		return null(integers(a))
	case *array.Uint16:
		return null(integers(a))
	case *array.Uint32:
		return null(integers(a))
	case *array.Uint64:
		return null(func(row int) (stream.Value, bool) {
			return stream.Value{I: int64(a.Value(row))}, a.Value(row) <= math.MaxInt64
		})
	case *array.Float32:
		return null(func(row int) (stream.Value, bool) {
			return stream.Value{I: int64(a.Value(row)), F: float64(a.Value(row))}, true
		})
	case *array.Float64:
		return null(func(row int) (stream.Value, bool) { return stream.Value{F: a.Value(row)}, true })
	case *array.String:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: a.Value(row)}, true })
	case *array.LargeString:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: a.Value(row)}, true })
	case *array.StringView:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: a.Value(row)}, true })
	case *array.Binary:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: string(a.Value(row))}, true })
	case *array.LargeBinary:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: string(a.Value(row))}, true })
	case *array.BinaryView:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: string(a.Value(row))}, true })
	case *array.FixedSizeBinary:
		return null(func(row int) (stream.Value, bool) { return stream.Value{S: string(a.Value(row))}, true })
	case *array.Dictionary:
		values := reader(a.Dictionary())
		return null(func(row int) (stream.Value, bool) { return values(a.GetValueIndex(row)) })
	}
	return null(times(a))
}

func integers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](a number[T]) func(int) (stream.Value, bool) {
	return func(row int) (stream.Value, bool) {
		return stream.Value{I: int64(a.Value(row)), F: float64(a.Value(row))}, true
	}
}

// decimals reads a DECIMAL as one of type t.
func decimals(a arrow.Array, t stream.Type) func(int) (stream.Value, bool) {
	var unscaled func(row int) (decimal.Int, bool)
	switch a := a.(type) {
	case *array.Decimal32:
		unscaled = func(row int) (decimal.Int, bool) { return decimal.Of(int64(a.Value(row))), true }
	case *array.Decimal64:
		unscaled = func(row int) (decimal.Int, bool) { return decimal.Of(int64(a.Value(row))), true }
	case *array.Decimal128:
		unscaled = func(row int) (decimal.Int, bool) {
			v := a.Value(row)
			return decimal.Int{Hi: v.HighBits(), Lo: v.LowBits()}, true
		}
	case *array.Decimal256:
		unscaled = func(row int) (decimal.Int, bool) {
			w := a.Value(row).Array()
			sign := uint64(int64(w[1]) >> 63)
			return decimal.Int{Hi: int64(w[1]), Lo: w[0]}, w[2] == sign && w[3] == sign
		}
	case *array.Dictionary:
		values := decimals(a.Dictionary(), t)
		return func(row int) (stream.Value, bool) {
			if a.IsNull(row) {
				return stream.NullOf(t), true
			}
			return values(a.GetValueIndex(row))
		}
	}
	scale := natural(a.DataType()).Scale()
	return func(row int) (stream.Value, bool) {
		if a.IsNull(row) {
			return stream.NullOf(t), true
		}
		x, fits := unscaled(row)
		if !fits {
			return stream.DecimalOfUnits(t, 0), false
		}
		return stream.DecimalFrom(t, x, scale)
	}
}

// times reads dates, times of day, timestamps and durations, in microseconds but for DATE.
func times(a arrow.Array) func(int) (stream.Value, bool) {
	switch a := a.(type) {
	case *array.Date32:
		return func(row int) (stream.Value, bool) { return stream.Value{I: int64(a.Value(row))}, true }
	case *array.Date64:
		return scaled(func(row int) int64 { return int64(a.Value(row)) }, arrow.Millisecond)
	case *array.Time32:
		return scaled(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.Time32Type).Unit)
	case *array.Time64:
		return scaled(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.Time64Type).Unit)
	case *array.Timestamp:
		return scaled(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.TimestampType).Unit)
	case *array.Duration:
		return scaled(func(row int) int64 { return int64(a.Value(row)) }, a.DataType().(*arrow.DurationType).Unit)
	}
	return func(int) (stream.Value, bool) { return stream.Value{}, false } // Bind refuses the rest
}

// scaled turns counts of a unit into microseconds, to the past.
func scaled(value func(int) int64, unit arrow.TimeUnit) func(int) (stream.Value, bool) {
	mul := map[arrow.TimeUnit]int64{arrow.Second: 1e6, arrow.Millisecond: 1e3, arrow.Microsecond: 1}[unit]
	return func(row int) (stream.Value, bool) {
		v := value(row)
		if unit == arrow.Nanosecond {
			q := v / 1000
			if v%1000 < 0 {
				q--
			}
			return stream.Value{I: q}, true
		}
		return stream.Value{I: v * mul}, v <= math.MaxInt64/mul && v >= math.MinInt64/mul
	}
}
