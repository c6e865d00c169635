package parquet

import (
	"math"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// form is how the values of a column of a file become those of a column of a stream.
type form struct {
	physical format.Type
	target   stream.Type
	// mul and div turn a count of the file's unit of time into microseconds.
	mul, div int64
	unsigned bool
	// scale and length are those of a DECIMAL of the file: its digits behind the point, and
	// the bytes of a value of fixed length.
	scale, length int
}

const (
	nanosPerMicro   = 1000
	julianUnixEpoch = 2_440_588 // Julian day of 1970-01-01
)

// natural is the type of a stream that a column has by itself; Invalid if there is none.
func natural(e *format.SchemaElement) stream.Type {
	if logical(e) == "DECIMAL" {
		t := decimalOf(e)
		if _, ok := formOf(e, t, 0); !ok {
			return stream.Invalid
		}
		return t
	}
	switch kind := logical(e); {
	case e.Type.V == format.ByteArray && kind == "", e.Type.V == format.FixedLenByteArray && kind == "":
		return stream.Bytes
	case e.Type.V == format.ByteArray && kind == "JSON":
		return stream.JSON
	case e.Type.V == format.ByteArray && (kind == "STRING" || kind == "ENUM"):
		return stream.Varchar
	}
	for _, t := range []stream.Type{stream.Boolean, stream.TinyInt, stream.SmallInt, stream.Integer, stream.BigInt, stream.Real, stream.Double,
		stream.Date, stream.TimeOfDay, stream.Timestamp} {
		if _, ok := formOf(e, t, 0); ok {
			return t
		}
	}
	return stream.Invalid
}

// decimalOf is a DECIMAL of as many digits; Invalid: there is none.
func decimalOf(e *format.SchemaElement) stream.Type {
	p, s := int(e.Precision.V), int(e.Scale.V)
	if v, ok := e.LogicalType.Value.(*format.DecimalType); ok {
		p, s = int(v.Precision), int(v.Scale)
	}
	if p < 1 || p > stream.DecimalDigitsMax || s < 0 || s > p {
		return stream.Invalid
	}
	return stream.Decimal(p, s)
}

func (f form) decimal(e *format.SchemaElement, t stream.Type) (form, bool) {
	from := decimalOf(e)
	f.scale, f.length = from.Scale(), int(e.TypeLength.V)
	switch f.physical {
	case format.Int32, format.Int64, format.ByteArray:
	case format.FixedLenByteArray:
		if f.length <= 0 {
			return f, false
		}
	default:
		return f, false
	}
	return f, t.Holds(from)
}

// formOf says how a column is read as type t, if that loses nothing. unit is what plain
// whole numbers count as TIMESTAMP, in nanoseconds, or 0.
func formOf(e *format.SchemaElement, t stream.Type, unit int64) (form, bool) {
	f := form{physical: e.Type.V, target: t}
	kind := logical(e)
	if kind == "DECIMAL" {
		return f.decimal(e, t)
	}
	switch e.Type.V {
	case format.Boolean:
		return f, t == stream.Boolean
	case format.Float:
		return f, t == stream.Real || t == stream.Double
	case format.Double:
		return f, t == stream.Double
	case format.ByteArray:
		text := kind == "" || kind == "STRING" || kind == "JSON"
		return f, text && (t == stream.Varchar || t == stream.JSON) || kind == "ENUM" && t == stream.Varchar || kind == "" && t == stream.Bytes
	case format.FixedLenByteArray:
		f.length = int(e.TypeLength.V)
		return f, kind == "" && t == stream.Bytes && f.length > 0
	case format.Int96:
		return f, t == stream.Timestamp
	case format.Int32:
		return f.int32(kind, t, unit)
	case format.Int64:
		return f.int64(kind, t, unit)
	}
	return f, false
}

func (f form) int32(kind string, t stream.Type, unit int64) (form, bool) {
	switch kind {
	case "DATE":
		if t == stream.Timestamp {
			f.mul, f.div = stream.MicrosPerDay, 1
		}
		return f, t == stream.Date || t == stream.Timestamp
	case "TIME_MILLIS":
		f.mul, f.div = scale(1e6)
		return f, t == stream.TimeOfDay
	case "UINT32":
		f.unsigned = true
		return f, t == stream.BigInt || t == stream.Double
	case "", "INT8", "INT16", "INT32", "UINT8", "UINT16":
		if t == stream.Timestamp && kind == "" && unit > 0 {
			f.mul, f.div = scale(unit)
			return f, true
		}
		small := t == stream.TinyInt && kind == "INT8" || t == stream.SmallInt && (kind == "INT8" || kind == "UINT8" || kind == "INT16")
		return f, small || t == stream.Integer || t == stream.BigInt || t == stream.Double
	}
	return f, false
}

func (f form) int64(kind string, t stream.Type, unit int64) (form, bool) {
	switch kind {
	case "TIMESTAMP_MILLIS", "TIMESTAMP_MICROS", "TIMESTAMP_NANOS":
		f.mul, f.div = scale(map[string]int64{"TIMESTAMP_MILLIS": 1e6, "TIMESTAMP_MICROS": 1e3, "TIMESTAMP_NANOS": 1}[kind])
		return f, t == stream.Timestamp
	case "TIME_MICROS", "TIME_NANOS":
		f.mul, f.div = scale(map[string]int64{"TIME_MICROS": 1e3, "TIME_NANOS": 1}[kind])
		return f, t == stream.TimeOfDay
	case "UINT64":
		f.unsigned = true
		return f, t == stream.BigInt
	case "", "INT64":
		if t == stream.Timestamp && unit > 0 {
			f.mul, f.div = scale(unit)
			return f, true
		}
		return f, t == stream.BigInt || t == stream.Interval && kind == ""
	}
	return f, false
}

// scale is how a unit of so many nanoseconds becomes microseconds.
func scale(nanos int64) (mul, div int64) {
	if nanos < nanosPerMicro {
		return 1, nanosPerMicro / nanos
	}
	return nanos / nanosPerMicro, 1
}

// micros turns a count of the file's unit into microseconds, to the past; false: it is
// out of range.
func (f form) micros(v int64) (int64, bool) {
	if f.div > 1 {
		q := v / f.div
		if v%f.div < 0 {
			q--
		}
		return q, true
	}
	mul := max(f.mul, 1) // 0: no unit
	if v > math.MaxInt64/mul || v < math.MinInt64/mul {
		return 0, false
	}
	return v * mul, true
}

// same: values are taken over as they are.
func (f form) same() bool { return f.mul <= 1 && f.div <= 1 && !f.unsigned }

// logical is the name of a column's logical type, "" if it has none; converted types,
// which older files have, under the names of the newer ones.
func logical(e *format.SchemaElement) string {
	switch v := e.LogicalType.Value.(type) {
	case nil:
	case *format.TimestampType:
		switch {
		case v.Unit.Value == nil:
			return "TIMESTAMP"
		default:
			return "TIMESTAMP_" + strings.ToUpper(v.Unit.String())
		}
	case *format.IntType:
		name := map[int8]string{8: "INT8", 16: "INT16", 32: "INT32", 64: "INT64"}[v.BitWidth]
		if !v.IsSigned {
			name = "U" + name
		}
		return name
	case *format.TimeType:
		if v.Unit.Value == nil {
			return "TIME"
		}
		return "TIME_" + strings.ToUpper(v.Unit.String())
	case *format.DecimalType:
		return "DECIMAL" // decimalOf has its digits
	default:
		return v.String()
	}
	if !e.ConvertedType.Valid {
		return ""
	}
	return converted[e.ConvertedType.V]
}

var converted = map[deprecated.ConvertedType]string{
	deprecated.UTF8: "STRING", deprecated.Enum: "ENUM", deprecated.Json: "JSON", deprecated.Bson: "BSON",
	deprecated.Map: "MAP", deprecated.MapKeyValue: "MAP", deprecated.List: "LIST", deprecated.Interval: "INTERVAL",
	deprecated.Decimal: "DECIMAL", deprecated.Date: "DATE", deprecated.TimeMillis: "TIME_MILLIS", deprecated.TimeMicros: "TIME_MICROS",
	deprecated.TimestampMillis: "TIMESTAMP_MILLIS", deprecated.TimestampMicros: "TIMESTAMP_MICROS",
	deprecated.Int8: "INT8", deprecated.Int16: "INT16", deprecated.Int32: "INT32", deprecated.Int64: "INT64",
	deprecated.Uint8: "UINT8", deprecated.Uint16: "UINT16", deprecated.Uint32: "UINT32", deprecated.Uint64: "UINT64",
}

// typeName is a column's type for messages, as Parquet's documents write it.
func typeName(e *format.SchemaElement) string {
	name := e.Type.V.String()
	kind := logical(e)
	if t := decimalOf(e); kind == "DECIMAL" && t != stream.Invalid {
		kind = t.String()
	}
	if kind != "" {
		name += " (" + kind + ")"
	}
	return name
}
