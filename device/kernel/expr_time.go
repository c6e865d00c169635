package kernel

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Microseconds of the units of time.
const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
)

func epoch(e *emitter, _ *model.Expr, args []value) (value, error) {
	return e.strict(fmt.Sprintf("(f64)%s / 1000000.0", args[0].value), stream.Double, args), nil
}

func civilOf(micros string) string {
	return fmt.Sprintf("civil(floor_div(%s, %s))", micros, whole(microsPerDay))
}

func ofDate(part string) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		date := e.local("i64", civilOf(args[0].value))
		return e.strict(part+"("+date+")", stream.BigInt, args), nil
	}
}

// ofClock counts units within the larger unit.
func ofClock(within, unit int64) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		return e.strict(fmt.Sprintf("floor_mod(%s, %s) / %s", args[0].value, whole(within), whole(unit)), stream.BigInt, args), nil
	}
}

// ofWeek counts days of the week from one that is offset days before 1970-01-01.
func ofWeek(offset, first int) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, _ *model.Expr, args []value) (value, error) {
		day := fmt.Sprintf("floor_div(%s, %s)", args[0].value, whole(microsPerDay))
		return e.strict(fmt.Sprintf("floor_mod(%s + %d, 7) + %d", day, offset, first), stream.BigInt, args), nil
	}
}

func dayOfYear(e *emitter, _ *model.Expr, args []value) (value, error) {
	day := e.local("i64", fmt.Sprintf("floor_div(%s, %s)", args[0].value, whole(microsPerDay)))
	return e.strict(fmt.Sprintf("%s - year_start(CIVIL_YEAR(civil(%s))) + 1", day, day), stream.BigInt, args), nil
}

func toTimestamp(e *emitter, _ *model.Expr, args []value) (value, error) {
	p := args[1].value
	unit := e.local("i64", fmt.Sprintf("%s == 0 ? 1000000 : %s == 3 ? 1000 : %s == 6 ? 1 : 0", p, p, p))
	return e.strict(fmt.Sprintf("MUL_I64(%s, %s)", args[0].value, unit), stream.Timestamp, args,
		failure{"(" + unit + " == 0)", function.ErrDomain},
		failure{fmt.Sprintf("mul_over(%s, %s)", args[0].value, unit), function.ErrOverflow}), nil
}

// truncUnits are the units of DATE_TRUNC that divide a day.
var truncUnits = map[string]int64{"second": microsPerSecond, "minute": microsPerMinute, "hour": microsPerHour, "day": microsPerDay}

// dateTrunc wraps around before the first timestamp there is, where it fails.
func dateTrunc(e *emitter, x *model.Expr, args []value) (value, error) {
	unit := x.Args[0]
	if unit.Kind != model.LiteralExpr || unit.Literal.Null {
		return value{}, refuse("date_trunc: its unit is not a literal")
	}
	micros, cut := args[1].value, ""
	switch name := strings.ToLower(unit.Literal.S); name {
	case "month":
		day := e.local("i64", fmt.Sprintf("floor_div(%s, %s)", micros, whole(microsPerDay)))
		cut = fmt.Sprintf("MUL_I64(%s - CIVIL_DAY(civil(%s)) + 1, %s)", day, day, whole(microsPerDay))
	case "year":
		date := e.local("i64", civilOf(micros))
		cut = fmt.Sprintf("MUL_I64(year_start(CIVIL_YEAR(%s)), %s)", date, whole(microsPerDay))
	default:
		length, ok := truncUnits[name]
		if !ok {
			return value{}, refuse("date_trunc: there is no unit %q", unit.Literal.S)
		}
		cut = fmt.Sprintf("SUB_I64(%s, floor_mod(%s, %s))", micros, micros, whole(length))
	}
	r := e.local("i64", cut)
	return e.strict(r, stream.Timestamp, args[1:], failure{fmt.Sprintf("(%s > %s)", r, micros), function.ErrOverflow}), nil
}

// timeCut is dateTrunc for digits of the second's fraction.
func timeCut(e *emitter, x *model.Expr, args []value) (value, error) {
	digits := x.Args[1]
	if digits.Kind != model.LiteralExpr || digits.Literal.Null || digits.Literal.I < 0 || digits.Literal.I > 6 {
		return value{}, refuse("time_cut: its digits are not a literal from 0 to 6")
	}
	unit := int64(1)
	for range 6 - digits.Literal.I {
		unit *= 10
	}
	micros := args[0].value
	r := e.local("i64", fmt.Sprintf("SUB_I64(%s, floor_mod(%s, %s))", micros, micros, whole(unit)))
	return e.strict(r, x.Type, args[:1], failure{fmt.Sprintf("(%s > %s)", r, micros), function.ErrOverflow}), nil
}
