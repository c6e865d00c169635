package reference

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// DECIMALs are computed as fractions without bounds, and then rounded to the digits of
// the result's type, halves away from zero.

// rat is a number that is no float.
func rat(v stream.Value) *big.Rat {
	if !v.Type.IsDecimal() {
		return new(big.Rat).SetInt64(v.I)
	}
	return new(big.Rat).SetFrac(unscaled(v), tenTo(v.Type.Scale()))
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// unscaled is the number before the point is set. Long ones are stored as 128 bits with
// the first bit inverted.
func unscaled(v stream.Value) *big.Int {
	if v.Type.Storage() == stream.BigInt {
		return big.NewInt(v.I)
	}
	x := new(big.Int).SetBytes([]byte(v.S))
	return x.Sub(x, new(big.Int).Lsh(big.NewInt(1), 127))
}

// decimal returns x as a value of the DECIMAL type t if its digits suffice.
func decimal(x *big.Rat, t stream.Type) (stream.Value, string) {
	scaled := new(big.Rat).Mul(x, new(big.Rat).SetInt(tenTo(t.Scale())))
	n := roundHalf(scaled)
	if new(big.Int).Abs(n).Cmp(tenTo(t.Precision())) >= 0 {
		return stream.Value{}, function.ErrOverflow
	}
	if t.Storage() == stream.BigInt {
		return stream.Value{Type: t, I: n.Int64()}, ""
	}
	var bytes [16]byte
	n.Add(n, new(big.Int).Lsh(big.NewInt(1), 127)).FillBytes(bytes[:])
	return stream.Value{Type: t, S: string(bytes[:])}, ""
}

// roundHalf is the nearest whole number, halves away from zero.
func roundHalf(x *big.Rat) *big.Int {
	half := big.NewRat(1, 2)
	if x.Sign() < 0 {
		half.Neg(half)
	}
	sum := new(big.Rat).Add(x, half)
	return new(big.Int).Quo(sum.Num(), sum.Denom())
}

var decimalArithmetic = map[string]func(a, b *big.Rat) *big.Rat{
	"add": func(a, b *big.Rat) *big.Rat { return a.Add(a, b) },
	"sub": func(a, b *big.Rat) *big.Rat { return a.Sub(a, b) },
	"mul": func(a, b *big.Rat) *big.Rat { return a.Mul(a, b) },
	"div": func(a, b *big.Rat) *big.Rat { return a.Quo(a, b) },
	"mod": func(a, b *big.Rat) *big.Rat {
		times := new(big.Rat).Quo(a, b)
		whole := new(big.Rat).SetInt(new(big.Int).Quo(times.Num(), times.Denom()))
		return a.Sub(a, whole.Mul(whole, b))
	},
}

// ofDecimals is a function of DECIMALs that has a type of its own; ok is false for others.
func ofDecimals(name string, a []stream.Value, t stream.Type) (v stream.Value, reason string, ok bool) {
	types := make([]stream.Type, len(a))
	for i := range a {
		types[i] = a[i].Type
	}
	if _, ok := function.Decimal(name, types); !ok {
		return v, "", false
	}
	x := rat(a[0])
	if f := decimalArithmetic[name]; f != nil {
		y := rat(a[1])
		if (name == "div" || name == "mod") && y.Sign() == 0 {
			return v, function.ErrDivisionByZero, true
		}
		x = f(x, y)
	}
	down := new(big.Int).Div(x.Num(), x.Denom()) // the denominator is positive: this rounds down
	switch name {
	case "neg":
		x.Neg(x)
	case "abs":
		x.Abs(x)
	case "floor":
		x.SetInt(down)
	case "ceil":
		if !x.IsInt() {
			down.Add(down, big.NewInt(1))
		}
		x.SetInt(down)
	case "round":
		x.SetInt(roundHalf(x))
	}
	v, reason = decimal(x, t)
	return v, reason, true
}

// castDecimal converts from or to a DECIMAL; text is castText's.
func castDecimal(v stream.Value, t stream.Type) (stream.Value, string) {
	switch {
	case v.Type.IsFloat():
		if !isFinite(v.F) {
			return stream.Value{}, function.ErrOverflow
		}
		bits := 64
		if v.Type == stream.Real {
			bits = 32
		}
		x, _ := new(big.Rat).SetString(strconv.FormatFloat(v.F, 'e', -1, bits))
		return decimal(x, t)
	case t.IsDecimal():
		return decimal(rat(v), t)
	case t == stream.Real:
		f, _ := rat(v).Float32()
		return stream.Float(f), ""
	case t == stream.Double:
		f, _ := rat(v).Float64()
		return stream.Dbl(f), ""
	}
	x := rat(v)
	return whole(new(big.Int).Quo(x.Num(), x.Denom()), t)
}

// decimalOfText reads a number with an exponent perhaps. Of exponents that no digits
// come near to, only the sign counts.
func decimalOfText(s string, t stream.Type) (v stream.Value, reason string, ok bool) {
	if strings.ContainsAny(s, "_xXpPbBoO/nN") || s == "" {
		return v, "", false
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(s), "e")
	x, ok := new(big.Rat).SetString(mantissa)
	if !ok {
		return v, "", false
	}
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			return v, "", false
		}
		switch n = min(max(n, -1000), 1000); {
		case n < 0:
			x.Quo(x, new(big.Rat).SetInt(tenTo(-n)))
		default:
			x.Mul(x, new(big.Rat).SetInt(tenTo(n)))
		}
	}
	v, reason = decimal(x, t)
	return v, reason, true
}

// decimalSum is SUM or AVG of DECIMALs.
type decimalSum struct {
	average bool
	t       stream.Type
	n       int64
	sum     big.Rat
}

func (s *decimalSum) add(v, _ stream.Value) {
	s.n++
	s.sum.Add(&s.sum, rat(v))
}

func (s *decimalSum) result() (stream.Value, bool) {
	if s.n == 0 {
		return stream.NullOf(s.t), true
	}
	x := new(big.Rat).Set(&s.sum)
	if s.average {
		x.Quo(x, new(big.Rat).SetInt64(s.n))
	}
	v, reason := decimal(x, s.t)
	return v, reason == ""
}
