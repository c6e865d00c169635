package stream

// Value is one SQL value outside the hot path: a literal, a row of the reference,
// a cell of an error record. Its type's storage (see Type.Storage) says which field
// holds it: Integer and BigInt I, Boolean I as 0 or 1, Real and Double F (a REAL holds
// an exact float32), Varchar S.
type Value struct {
	Type Type
	Null bool
	I    int64
	F    float64
	S    string
}

// NullOf is the NULL of type t.
func NullOf(t Type) Value { return Value{Type: t, Null: true} }

// Bool returns a BOOLEAN.
func Bool(b bool) Value {
	if b {
		return Value{Type: Boolean, I: 1}
	}
	return Value{Type: Boolean}
}

// Int returns an INTEGER.
func Int(i int32) Value { return Value{Type: Integer, I: int64(i)} }

// Big returns a BIGINT.
func Big(i int64) Value { return Value{Type: BigInt, I: i} }

// Float returns a REAL.
func Float(f float32) Value { return Value{Type: Real, F: float64(f)} }

// Dbl returns a DOUBLE.
func Dbl(f float64) Value { return Value{Type: Double, F: f} }

// Text returns a VARCHAR.
func Text(s string) Value { return Value{Type: Varchar, S: s} }

// Time returns a TIMESTAMP of microseconds since 1970-01-01 UTC.
func Time(micros int64) Value { return Value{Type: Timestamp, I: micros} }

// Duration returns an INTERVAL of microseconds.
func Duration(micros int64) Value { return Value{Type: Interval, I: micros} }

// Truth reports whether v is a BOOLEAN that is neither NULL nor FALSE.
func (v Value) Truth() bool { return !v.Null && v.I != 0 }
