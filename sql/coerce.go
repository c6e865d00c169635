package sql

import (
	"math"
	"strings"

	"github.com/millrace/millrace/internal/zone"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Implicit conversions go one way: TINYINT to SMALLINT to INTEGER to BIGINT; up to
// INTEGER to REAL; REAL and integers to DOUBLE; DATE to TIMESTAMP; DATE, TIMESTAMP to TIMESTAMP_LTZ. A literal takes the
// type of what it stands next to where that holds its value exactly, but a whole number
// is never less than an INTEGER in an expression; NULL takes any type, text next to a
// date, time or interval is read as one.

// commonType is the type two numbers are computed in, or the one type both have;
// Invalid if there is none.
func commonType(a, b stream.Type) stream.Type {
	switch {
	case a == b:
		return a
	case a == stream.Invalid:
		return b
	case b == stream.Invalid:
		return a
	case a == stream.Date && b == stream.Timestamp, a == stream.Timestamp && b == stream.Date:
		return stream.Timestamp
	case a == ltz && b.IsMoment(), a.IsMoment() && b == ltz:
		return ltz
	case a.IsNested() && b.IsNested():
		return commonNested(a, b)
	case !a.IsNumeric() || !b.IsNumeric():
		return stream.Invalid
	case (a.IsDecimal() || b.IsDecimal()) && (a.IsFloat() || b.IsFloat()):
		return stream.Double
	case a.IsDecimal() || b.IsDecimal():
		return function.CommonDecimal(asDecimal(a), asDecimal(b))
	case a == stream.Double || b == stream.Double:
		return stream.Double
	case a == stream.Real || b == stream.Real:
		if a == stream.BigInt || b == stream.BigInt {
			return stream.Double
		}
		return stream.Real
	case integerRank[a] > integerRank[b]:
		return a
	default:
		return b
	}
}

// integerRank orders the types of whole numbers.
var integerRank = map[stream.Type]int{stream.TinyInt: 1, stream.SmallInt: 2, stream.Integer: 3, stream.BigInt: 4}

func isLiteral(e *model.Expr) bool { return e.Kind == model.LiteralExpr }

// widenCost is the price of an implicit conversion of a computed value, 0 where there
// is none.
func widenCost(from, to stream.Type) int {
	switch {
	case from.IsNested() && to.IsNested():
		return widenNested(from, to)
	case to.IsDecimal():
		if widensDecimal(from, to) {
			return 10
		}
		return 0
	case from.IsDecimal():
		if to == stream.Double {
			return 40
		}
		return 0
	case from.IsSmall() && to.IsNumeric():
		steps := 10 * (integerRank[stream.Integer] - integerRank[from])
		if to.IsFloat() || to == stream.BigInt {
			return steps + widenCost(stream.Integer, to)
		}
		return max(0, 10*(integerRank[to]-integerRank[from]))
	case from == stream.Integer && to == stream.BigInt, from == stream.Real && to == stream.Double, from == stream.Date && to == stream.Timestamp:
		return 10
	case from == stream.Integer && to == stream.Real, from == stream.BigInt && to == stream.Double:
		return 20
	case from == stream.Timestamp && to == ltz:
		return 10
	case from == stream.Date && to == ltz, from == ltz && to == stream.Timestamp:
		return 20
	case from == stream.Integer && to == stream.Double:
		return 30
	}
	return 0
}

// adapt turns a literal into one of type t if that is exact.
func adapt(e *model.Expr, t stream.Type) (*model.Expr, bool) {
	v := e.Literal
	if v.Null {
		return model.Lit(stream.NullOf(t)), v.Type == stream.Invalid || v.Type == t
	}
	switch {
	case v.Type == t:
		return e, true
	case t.IsDecimal():
		return adaptDecimal(v, t)
	case v.Type.IsInteger() && t.IsInteger():
		low, high, _ := t.Range()
		return model.Lit(stream.Value{Type: t, I: v.I}), v.I >= low && v.I <= high
	case v.Type.IsInteger() && t == stream.Real:
		f := float32(v.I)
		return model.Lit(stream.Float(f)), math.Abs(float64(v.I)) <= 1<<62 && int64(f) == v.I
	case v.Type.IsInteger() && t == stream.Double:
		f := float64(v.I)
		return model.Lit(stream.Dbl(f)), math.Abs(f) <= 1<<62 && int64(f) == v.I
	case v.Type == stream.Double && t == stream.Real:
		return model.Lit(stream.Float(float32(v.F))), float64(float32(v.F)) == v.F
	case v.Type == stream.Varchar && t == ltz:
		_, ok := zone.Parse(v.S, zone.UTC, stream.ParseTimestamp)
		return model.Call("cast", t, e), ok
	case t == ltz && (v.Type == stream.Timestamp || v.Type == stream.Date):
		e, ok := adapt(e, stream.Timestamp)
		return model.Call("cast", t, e), ok
	case v.Type == stream.Varchar && (t == stream.Bytes || t == stream.JSON):
		out, why := ofText(v.S, t)
		return model.Lit(out), why == ""
	case v.Type == stream.Varchar && t == stream.Timestamp:
		micros, ok := stream.ParseTimestamp(v.S)
		return model.Lit(stream.Time(micros)), ok
	case v.Type == stream.Varchar && t == stream.Date:
		days, ok := stream.ParseDate(v.S)
		return model.Lit(stream.Value{Type: t, I: days}), ok
	case v.Type == stream.Varchar && t == stream.TimeOfDay:
		micros, ok := stream.ParseTime(v.S)
		return model.Lit(stream.Value{Type: t, I: micros}), ok
	case v.Type == stream.Date && t == stream.Timestamp:
		return model.Lit(stream.Time(v.I * stream.MicrosPerDay)), true
	case v.Type == stream.Varchar && t == stream.Interval:
		micros, why := parseDuration(v.S)
		return model.Lit(stream.Duration(micros)), why == ""
	}
	return nil, false
}

// ofText is what a literal text means as a BYTEA or a JSON: \x0aff is hexadecimal, other
// texts are their bytes. The reason is empty when it means something.
func ofText(s string, t stream.Type) (v stream.Value, why string) {
	if t == stream.JSON {
		text, ok := stream.CompactJSON(s)
		if !ok {
			return v, "is not JSON"
		}
		return stream.Value{Type: t, S: text}, ""
	}
	if !strings.HasPrefix(s, `\x`) {
		return stream.Blob(s), ""
	}
	b, ok := stream.ParseHex(s)
	if !ok {
		return v, "is not a row of bytes in hexadecimal digits, two for each"
	}
	return stream.Blob(b), ""
}

// widen converts e to t if that needs no CAST by the user.
func widen(e *model.Expr, t stream.Type) (*model.Expr, bool) {
	out, _, ok := coerce(e, t)
	return out, ok
}

// coerce is widen with a price, by which the nearest overload is chosen.
func coerce(e *model.Expr, t stream.Type) (out *model.Expr, cost int, ok bool) {
	if e.Type == t {
		return e, 0, true
	}
	if isLiteral(e) && !(e.Type == stream.Double && t == stream.Real) {
		if out, ok := adapt(e, t); ok {
			return out, 1 + widenCost(e.Type, t)/10, true
		}
	}
	if c := widenCost(e.Type, t); c > 0 {
		return model.Call("cast", t, e), c, true
	}
	return nil, 0, false
}

// unify gives all expressions one type. Where it cannot, it returns the two that differ.
func unify(args []*model.Expr) (out []*model.Expr, t stream.Type, bad [2]int) {
	args = decimalLiterals(args)
	var set [2]int
	for _, literals := range []bool{false, true} {
		for i, a := range args {
			if isLiteral(a) != literals || a.Type == stream.Invalid {
				continue
			}
			if literals && t != stream.Invalid && !(t.IsSmall() && a.Type.IsInteger()) {
				if _, ok := adapt(a, t); ok {
					continue
				}
			}
			c := commonType(t, a.Type)
			if literals && c == stream.Real {
				c = stream.Double // the literal is not exact in REAL
			}
			if c == stream.Invalid {
				if _, ok := adaptAll(args, a.Type); ok {
					t, set[0] = a.Type, i
					continue
				}
				return nil, stream.Invalid, [2]int{set[0], i}
			}
			if t == stream.Invalid {
				set[0] = i
			}
			t = c
		}
	}
	if t == stream.Invalid {
		t = stream.Varchar
	}
	out = make([]*model.Expr, len(args))
	for i, a := range args {
		switch n, ok := adaptLiteral(a, t); {
		case ok:
			out[i] = n
		case a.Type == t:
			out[i] = a
		default:
			out[i] = model.Call("cast", t, a)
		}
	}
	return out, t, bad
}

func adaptLiteral(e *model.Expr, t stream.Type) (*model.Expr, bool) {
	if !isLiteral(e) {
		return nil, false
	}
	return adapt(e, t)
}

// adaptAll: every argument has type t or is a literal that can take it.
func adaptAll(args []*model.Expr, t stream.Type) ([]*model.Expr, bool) {
	for _, a := range args {
		if _, ok := adaptLiteral(a, t); !ok && a.Type != t {
			return nil, false
		}
	}
	return args, true
}

// settle gives a NULL without a type the type VARCHAR.
func settle(e *model.Expr) *model.Expr {
	if e.Type == stream.Invalid {
		return model.Lit(stream.NullOf(stream.Varchar))
	}
	return e
}

// depth is how deeply calls nest in e.
func depth(e *model.Expr) int {
	d := 0
	for _, a := range e.Args {
		d = max(d, depth(a))
	}
	return d + 1
}
