package reference

import (
	"math"
	"math/big"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Whole numbers (integers, the days of DATE and the microseconds of times) are
// computed without bounds and then checked; floats in float64, a REAL result rounded
// to float32. Rounding twice is harmless there: float64 has more than twice the digits.

func add(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(a[0].F+a[1].F, t), ""
	}
	if a[0].Type == stream.Date && a[1].Type == stream.TimeOfDay {
		return stream.Time(midnight(a[0]).I + a[1].I), ""
	}
	if a[0].Type == stream.TimeOfDay && a[1].Type == stream.Date {
		return stream.Time(a[0].I + midnight(a[1]).I), ""
	}
	return whole(new(big.Int).Add(bigOf(a[0]), bigOf(a[1])), t)
}

func sub(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(a[0].F-a[1].F, t), ""
	}
	return whole(new(big.Int).Sub(bigOf(a[0]), bigOf(a[1])), t)
}

func mul(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(a[0].F*a[1].F, t), ""
	}
	return whole(new(big.Int).Mul(bigOf(a[0]), bigOf(a[1])), t)
}

func div(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(a[0].F/a[1].F, t), ""
	}
	if a[1].I == 0 {
		return stream.Value{}, function.ErrDivisionByZero
	}
	return whole(new(big.Int).Quo(bigOf(a[0]), bigOf(a[1])), t)
}

func mod(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(math.Mod(a[0].F, a[1].F), t), ""
	}
	if a[1].I == 0 {
		return stream.Value{}, function.ErrDivisionByZero
	}
	return whole(new(big.Int).Rem(bigOf(a[0]), bigOf(a[1])), t)
}

func neg(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(-a[0].F, t), ""
	}
	return whole(new(big.Int).Neg(bigOf(a[0])), t)
}

func abs(a []stream.Value, t stream.Type) (stream.Value, string) {
	if t.IsFloat() {
		return float(math.Abs(a[0].F), t), ""
	}
	return whole(new(big.Int).Abs(bigOf(a[0])), t)
}

func floor(a []stream.Value, t stream.Type) (stream.Value, string) {
	return rounded(a[0], math.Floor), ""
}

func ceil(a []stream.Value, t stream.Type) (stream.Value, string) {
	return rounded(a[0], math.Ceil), ""
}

func round(a []stream.Value, t stream.Type) (stream.Value, string) {
	return rounded(a[0], math.Round), ""
}

func rounded(v stream.Value, f func(float64) float64) stream.Value {
	if v.Type.IsFloat() {
		return float(f(v.F), v.Type)
	}
	return v
}

func sign(a []stream.Value, t stream.Type) (stream.Value, string) {
	v := a[0]
	switch {
	case t.IsFloat() && v.F > 0:
		v.F = 1
	case t.IsFloat() && v.F < 0:
		v.F = -1
	case v.I > 0:
		v.I = 1
	case v.I < 0:
		v.I = -1
	}
	return v, ""
}

func sqrt(a []stream.Value, t stream.Type) (stream.Value, string) {
	if a[0].F < 0 {
		return domainError()
	}
	return float(math.Sqrt(a[0].F), t), ""
}

func power(a []stream.Value, t stream.Type) (stream.Value, string) {
	p := math.Pow(a[0].F, a[1].F)
	if math.IsNaN(p) && !math.IsNaN(a[0].F) && !math.IsNaN(a[1].F) {
		return domainError()
	}
	return float(p, t), ""
}

func exp(a []stream.Value, t stream.Type) (stream.Value, string) {
	return float(math.Exp(a[0].F), t), ""
}

func ln(a []stream.Value, t stream.Type) (stream.Value, string) {
	if a[0].F <= 0 {
		return domainError()
	}
	return float(math.Log(a[0].F), t), ""
}

func bigOf(v stream.Value) *big.Int { return big.NewInt(v.I) }

// bounds are the least and greatest value of the types that have fewer than BIGINT.
var bounds = map[stream.Type][2]int64{
	stream.TinyInt: {-1 << 7, 1<<7 - 1}, stream.SmallInt: {-1 << 15, 1<<15 - 1}, stream.Integer: {-1 << 31, 1<<31 - 1},
	stream.Date: {yearStart(1), yearStart(10_000) - 1},
}

// whole returns x as a value of type t if it is in range. A time of day begins anew at
// midnight.
func whole(x *big.Int, t stream.Type) (stream.Value, string) {
	if t == stream.TimeOfDay {
		x = new(big.Int).Mod(x, big.NewInt(24*60*60*1e6))
	}
	b, bounded := bounds[t]
	if !x.IsInt64() || bounded && (x.Int64() < b[0] || x.Int64() > b[1]) {
		return stream.Value{}, function.ErrOverflow
	}
	return stream.Value{Type: t, I: x.Int64()}, ""
}

// float returns f as a REAL or DOUBLE.
func float(f float64, t stream.Type) stream.Value {
	if t == stream.Real {
		f = float64(float32(f))
	}
	return stream.Value{Type: t, F: f}
}
