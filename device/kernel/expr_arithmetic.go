package kernel

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// fn writes one function's code.
type fn struct {
	write    func(e *emitter, x *model.Expr, args []value) (value, error)
	literals int    // leading arguments that are not computed: they have to be literals
	refuses  string // why there is none
	equality bool   // of text it asks only which values are equal
}

const lastBits = "processors differ in the last bits of it"

// functions has an entry for every function of package function with which something else
// than text is computed.
var functions map[string]fn

func init() {
	functions = map[string]fn{
		"add": {write: arithmetic("ADD_I", "+", addOver)}, "sub": {write: arithmetic("SUB_I", "-", subOver)},
		"mul": {write: multiply}, "div": {write: divide}, "mod": {write: modulo}, "neg": {write: negate}, "abs": {write: absolute},
		"floor": {write: rounding("FLOOR_F64")}, "ceil": {write: rounding("CEIL_F64")}, "round": {write: rounding("ROUND_F64")},
		"truncate": {write: rounding("TRUNC_F64")}, "degrees": {write: scaled(180 / math.Pi)}, "radians": {write: scaled(math.Pi / 180)},
		"bit_and": {write: bitwise("&")}, "bit_or": {write: bitwise("|")}, "bit_xor": {write: bitwise("^")}, "bit_not": {write: invert},
		"shift_left": {write: shiftLeft}, "shift_right": {write: shiftRight},
		"sign": {write: sign}, "sqrt": {write: squareRoot},
		"power": {refuses: lastBits}, "exp": {refuses: lastBits}, "ln": {refuses: lastBits},

		"eq": {write: comparison(equal, false, false), equality: true}, "ne": {write: comparison(equal, false, true), equality: true},
		"lt": {write: comparison(less, false, false)}, "ge": {write: comparison(less, false, true)},
		"gt": {write: comparison(less, true, false)}, "le": {write: comparison(less, true, true)},
		"distinct": {write: distinct(true), equality: true}, "not_distinct": {write: distinct(false), equality: true},
		"is_null": {write: isNull(true), equality: true}, "is_not_null": {write: isNull(false), equality: true},
		"in": {write: in, equality: true}, "and": {write: junction("0")}, "or": {write: junction("1")},
		"not": {write: not}, "is_true": {write: is("")}, "is_false": {write: is("!")},
		"case": {write: caseOf, equality: true}, "coalesce": {write: coalesce, equality: true}, "nullif": {write: nullIf, equality: true},
		"greatest": {write: extreme(true)}, "least": {write: extreme(false)},
		"cast": {write: cast(false)}, "try_cast": {write: cast(true)},

		"to_timestamp_ltz": {write: toTimestamp}, "date_trunc": {write: dateTrunc, literals: 1}, "time_cut": {write: timeCut},
		"extract_epoch": {write: epoch}, "extract_year": {write: ofDate("CIVIL_YEAR")}, "extract_month": {write: ofDate("CIVIL_MONTH")},
		"extract_day": {write: ofDate("CIVIL_DAY")}, "extract_hour": {write: ofClock(microsPerDay, microsPerHour)},
		"extract_minute": {write: ofClock(microsPerHour, microsPerMinute)}, "extract_second": {write: ofClock(microsPerMinute, microsPerSecond)},
		"extract_millisecond": {write: ofClock(microsPerMinute, 1000)}, "extract_microsecond": {write: ofClock(microsPerMinute, 1)},
		"extract_quarter": {write: ofDate("CIVIL_QUARTER")}, "extract_decade": {write: ofDate("CIVIL_DECADE")},
		"extract_century": {write: ofDate("CIVIL_CENTURY")}, "extract_millennium": {write: ofDate("CIVIL_MILLENNIUM")},
		"extract_dow": {write: ofWeek(4, 0)}, "extract_isodow": {write: ofWeek(3, 1)}, "extract_doy": {write: dayOfYear},
	}
}

// bits is the width of the whole numbers that carry a type, as macros are named.
func bits(t stream.Type) string {
	if ctype(t) == "i32" {
		return "32"
	}
	return "64"
}

func addOver(a, b, sum string) string {
	return fmt.Sprintf("((%s ^ %s) & (%s ^ %s)) < 0", a, sum, b, sum)
}
func subOver(a, b, dif string) string {
	return fmt.Sprintf("((%s ^ %s) & (%s ^ %s)) < 0", a, b, a, dif)
}

// arithmetic is a sum or a difference: a macro for whole numbers, which wraps around, and an
// operator for floats.
func arithmetic(macro, sign string, over func(a, b, result string) string) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		a, b := args[0].value, args[1].value
		if x.Type.IsFloat() {
			return e.strict(a+" "+sign+" "+b, x.Type, args), nil
		}
		r := e.local(ctype(x.Type), fmt.Sprintf("%s%s(%s, %s)", macro, bits(x.Type), a, b))
		return e.strict(r, x.Type, args, failure{"(" + over(a, b, r) + ")", function.ErrOverflow}), nil
	}
}

func multiply(e *emitter, x *model.Expr, args []value) (value, error) {
	a, b := args[0].value, args[1].value
	switch {
	case x.Type.IsFloat():
		return e.strict(a+" * "+b, x.Type, args), nil
	case x.Type == stream.Integer:
		r := e.local("i64", fmt.Sprintf("(i64)%s * (i64)%s", a, b))
		return e.strict("(i32)(u32)(u64)"+r, x.Type, args, failure{fmt.Sprintf("(%s != (i64)(i32)(u32)(u64)%s)", r, r), function.ErrOverflow}), nil
	}
	return e.strict(fmt.Sprintf("MUL_I64(%s, %s)", a, b), x.Type, args, failure{fmt.Sprintf("mul_over(%s, %s)", a, b), function.ErrOverflow}), nil
}

// divide: a REAL quotient is rounded from the DOUBLE one, which gives the right one on
// devices whose own is not.
func divide(e *emitter, x *model.Expr, args []value) (value, error) {
	a, b := args[0].value, args[1].value
	switch x.Type {
	case stream.Double:
		return e.strict(a+" / "+b, x.Type, args), nil
	case stream.Real:
		return e.strict(fmt.Sprintf("(f32)((f64)%s / (f64)%s)", a, b), x.Type, args), nil
	}
	r := e.local(ctype(x.Type), fmt.Sprintf("div_i%s(%s, %s)", bits(x.Type), a, b))
	return e.strict(r, x.Type, args, failure{"(" + b + " == 0)", function.ErrDivisionByZero},
		failure{fmt.Sprintf("(%s == -1 && (%s & %s) < 0)", b, a, r), function.ErrOverflow}), nil
}

func modulo(e *emitter, x *model.Expr, args []value) (value, error) {
	a, b := args[0].value, args[1].value
	if x.Type.IsFloat() {
		return e.strict(fmt.Sprintf("(%s)FMOD_F64((f64)%s, (f64)%s)", ctype(x.Type), a, b), x.Type, args), nil
	}
	return e.strict(fmt.Sprintf("mod_i%s(%s, %s)", bits(x.Type), a, b), x.Type, args, failure{"(" + b + " == 0)", function.ErrDivisionByZero}), nil
}

func negate(e *emitter, x *model.Expr, args []value) (value, error) {
	a := args[0].value
	if x.Type.IsFloat() {
		return e.strict("-"+a, x.Type, args), nil
	}
	r := e.local(ctype(x.Type), fmt.Sprintf("SUB_I%s(0, %s)", bits(x.Type), a))
	return e.strict(r, x.Type, args, failure{fmt.Sprintf("((%s & %s) < 0)", a, r), function.ErrOverflow}), nil
}

func absolute(e *emitter, x *model.Expr, args []value) (value, error) {
	a := args[0].value
	if x.Type.IsFloat() {
		return e.strict(fmt.Sprintf("%s <= 0 ? 0 - %s : %s", a, a, a), x.Type, args), nil
	}
	r := e.local(ctype(x.Type), fmt.Sprintf("%s < 0 ? SUB_I%s(0, %s) : %s", a, bits(x.Type), a, a))
	return e.strict(r, x.Type, args, failure{"(" + r + " < 0)", function.ErrOverflow}), nil
}

// rounding leaves whole numbers as they are.
func rounding(f string) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		text := args[0].value
		if x.Type.IsFloat() {
			text = fmt.Sprintf("(%s)%s((f64)%s)", ctype(x.Type), f, text)
		}
		return e.strict(text, x.Type, args), nil
	}
}

// scaled multiplies by a constant, rounding once.
func scaled(by float64) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		return e.strict(args[0].value+" * "+literalText(stream.Dbl(by)), x.Type, args), nil
	}
}

// sign: NaN and zeros stay what they are.
func sign(e *emitter, x *model.Expr, args []value) (value, error) {
	a, c := args[0].value, ctype(x.Type)
	return e.strict(fmt.Sprintf("%s > 0 ? (%s)1 : %s < 0 ? (%s)-1 : %s", a, c, a, c, a), x.Type, args), nil
}

func squareRoot(e *emitter, x *model.Expr, args []value) (value, error) {
	a := args[0].value
	return e.strict("SQRT_F64("+a+")", x.Type, args, failure{"(" + a + " < 0)", function.ErrDomain}), nil
}

// castText is a conversion as C, and when it does not fit.
func castText(a string, from, to stream.Type) (text, over string, err error) {
	c := ctype(to)
	if text, over, ok := castRanged(a, from, to); ok && from != to {
		return text, over, nil
	}
	switch {
	case isText(from) || isText(to):
		return "", "", refuse("text is not computed with on devices")
	case from == to:
		return a, "", nil
	case to == stream.Boolean && from.IsInteger():
		return "(" + a + " != 0)", "", nil
	case from == stream.Boolean && to.IsInteger(), from.IsInteger() && to.IsFloat(), from.Storage() == stream.Integer && from.IsInteger() && (to == stream.Integer || to == stream.BigInt), from == stream.Real && to == stream.Double:
		return "(" + c + ")" + a, "", nil
	case from == stream.BigInt && to == stream.Integer:
		return "(i32)(u32)(u64)" + a, fmt.Sprintf("((i64)(i32)(u32)(u64)%s != %s)", a, a), nil
	case from == stream.Double && to == stream.Real:
		const infinity = "BITS_F32(0x7f800000u)"
		return "(f32)" + a, fmt.Sprintf("(((f32)%s == %s || (f32)%s == -%s) && %s - %s == 0)", a, infinity, a, infinity, a, a), nil
	case from.IsFloat() && (to == stream.Integer || to == stream.BigInt):
		low, high := "-9223372036854775808.0", "9223372036854775808.0"
		if to == stream.Integer {
			low, high = "-2147483648.0", "2147483648.0"
		}
		cut := fmt.Sprintf("TRUNC_F64((f64)%s)", a)
		fits := fmt.Sprintf("(%s >= %s && %s < %s)", cut, low, cut, high)
		return fmt.Sprintf("%s ? (%s)%s : 0", fits, c, cut), "!" + fits, nil
	}
	return "", "", refuse("there is no conversion from %s to %s", from, to)
}

// cast converts; with try, what does not fit is NULL.
func cast(try bool) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		text, over, err := castText(args[0].value, x.Args[0].Type, x.Type)
		switch {
		case err != nil:
			return value{}, err
		case over == "":
			return e.strict(text, x.Type, args), nil
		case !try:
			return e.strict(text, x.Type, args, failure{over, function.ErrOverflow}), nil
		}
		out := e.strict(text, x.Type, args)
		out.null = e.condition(either(out.null, e.local("i32", over)))
		return out, nil
	}
}
