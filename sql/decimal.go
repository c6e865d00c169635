package sql

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// DECIMALs meet in the type that holds both (function.CommonDecimal). Whole numbers next
// to one are DECIMALs of as many digits as their type can have, a literal with a point is
// the DECIMAL that it is written as, and a computed REAL or DOUBLE makes both DOUBLE.

// integerDigits are the digits of types of whole numbers.
var integerDigits = map[stream.Type]int{stream.TinyInt: 3, stream.SmallInt: 5, stream.Integer: 10, stream.BigInt: 19}

// asDecimal is the DECIMAL that holds every value of a whole number or DECIMAL.
func asDecimal(t stream.Type) stream.Type {
	if t.IsInteger() {
		return stream.Decimal(integerDigits[t], 0)
	}
	return t
}

// widensDecimal reports whether every value of from is one of the DECIMAL to.
func widensDecimal(from, to stream.Type) bool {
	if !to.IsDecimal() || !from.IsInteger() && !from.IsDecimal() {
		return false
	}
	from = asDecimal(from)
	return to.Scale() >= from.Scale() && to.Precision()-to.Scale() >= from.Precision()-from.Scale()
}

// decimalLiteral is a literal DOUBLE as the DECIMAL that it is written as, false where it
// has too many digits.
func decimalLiteral(e *model.Expr) (*model.Expr, bool) {
	if !isLiteral(e) || e.Type != stream.Double || e.Literal.Null {
		return e, false
	}
	text := strconv.FormatFloat(e.Literal.F, 'f', -1, 64)
	whole, fraction, _ := strings.Cut(strings.TrimLeft(text, "-0"), ".")
	digits := len(whole) + len(fraction)
	if strings.ContainsAny(text, "IN") || digits > stream.DecimalDigitsMax {
		return e, false
	}
	t := stream.Decimal(max(digits, 1), len(fraction))
	x, _, _ := stream.ParseDecimal(t, text)
	return model.Lit(stream.DecimalOf(t, x)), true
}

// decimalLiterals replaces literals with a point if one of the others is a DECIMAL.
func decimalLiterals(args []*model.Expr) []*model.Expr {
	some := false
	for _, a := range args {
		some = some || a.Type.IsDecimal()
	}
	if !some {
		return args
	}
	out := make([]*model.Expr, len(args))
	for i, a := range args {
		out[i], _ = decimalLiteral(a)
	}
	return out
}

// adaptDecimal turns a literal number into one of the DECIMAL t if that is exact.
func adaptDecimal(v stream.Value, t stream.Type) (*model.Expr, bool) {
	if !v.Type.IsInteger() && !v.Type.IsDecimal() {
		return nil, false
	}
	x, fits, ok := stream.ParseDecimal(t, v.String())
	out := stream.DecimalOf(t, x)
	was, _, _ := stream.ParseDecimal(asDecimal(v.Type), v.String())
	back, _, _ := stream.ParseDecimal(asDecimal(v.Type), out.String())
	return model.Lit(out), ok && fits && back == was
}

// ofDecimals is a call that computes a DECIMAL from DECIMALs and whole numbers; nil if
// there are others among the arguments, or no DECIMAL.
func ofDecimals(fn string, args []*model.Expr) *model.Expr {
	args = decimalLiterals(args)
	var some stream.Type
	for _, a := range args {
		if a.Type.IsDecimal() {
			some = a.Type
		}
	}
	if some == stream.Invalid {
		return nil
	}
	out, types := make([]*model.Expr, len(args)), make([]stream.Type, len(args))
	for i, a := range args {
		t := asDecimal(a.Type)
		if a.Type == stream.Invalid {
			t = some
		}
		if !t.IsDecimal() {
			return nil
		}
		n, ok := widen(a, t)
		if !ok {
			return nil
		}
		out[i], types[i] = n, t
	}
	t, ok := function.Decimal(fn, types)
	if !ok {
		return nil
	}
	return model.Call(fn, t, out...)
}
