package kernel

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Numbers, dates and times of day that have fewer values than what carries them, and bits.

// ranged adds to a result, computed as what carries its type, the failure of values that the
// type does not have.
func (e *emitter) ranged(v value, t stream.Type) value {
	out := value{t: t, value: v.value, null: v.null}
	over := outside(v.value, t)
	if v.null != never {
		over = fmt.Sprintf("(%s && !%s)", over, v.null)
	}
	out.fail = e.condition(firstOf(v.fail, e.local("i32", fmt.Sprintf("%s ? %s : 0", over, e.reasons.code(function.ErrOverflow)))))
	return out
}

// outside is the condition that a value is none of a type's.
func outside(v string, t stream.Type) string {
	low, high, _ := t.Range()
	return fmt.Sprintf("(%s < %d || %s > %d)", v, low, v, high)
}

// byTimes writes sums and differences of dates and times of day that are not those of the
// numbers that carry them; nil if x is none.
func byTimes(x *model.Expr) func(e *emitter, x *model.Expr, args []value) (value, error) {
	if len(x.Args) != 2 || x.Func != "add" && x.Func != "sub" {
		return nil
	}
	sign := map[string]string{"add": "ADD_I64", "sub": "SUB_I64"}[x.Func]
	switch [2]stream.Type{x.Args[0].Type, x.Args[1].Type} {
	case [2]stream.Type{stream.TimeOfDay, stream.Interval}:
		return turnClock(sign, 0, 1)
	case [2]stream.Type{stream.Interval, stream.TimeOfDay}:
		return turnClock(sign, 1, 0)
	case [2]stream.Type{stream.Date, stream.TimeOfDay}:
		return dateAtTime(0, 1)
	case [2]stream.Type{stream.TimeOfDay, stream.Date}:
		return dateAtTime(1, 0)
	}
	return nil
}

// turnClock begins anew at midnight.
func turnClock(macro string, clock, interval int) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		by := fmt.Sprintf("%s %% %s", args[interval].value, whole(microsPerDay))
		return e.strict(fmt.Sprintf("floor_mod(%s(%s, %s), %s)", macro, args[clock].value, by, whole(microsPerDay)), x.Type, args), nil
	}
}

func dateAtTime(date, clock int) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		return e.strict(fmt.Sprintf("ADD_I64(%s, %s)", midnight(args[date].value), args[clock].value), x.Type, args), nil
	}
}

func midnight(date string) string {
	return fmt.Sprintf("MUL_I64((i64)%s, %s)", date, whole(microsPerDay))
}

// castRanged is castText of a conversion to a type with fewer values than its storage, or
// between dates and timestamps; ok is false for others.
func castRanged(a string, from, to stream.Type) (text, over string, ok bool) {
	day := whole(microsPerDay)
	switch {
	case to.IsSmall() && (from.IsInteger() || from.IsFloat() || from == stream.Boolean):
		text, over, err := castText(a, from, stream.Integer)
		if err != nil {
			return "", "", false
		}
		if over == "" {
			over = never
		}
		return text, either(over, outside("("+text+")", to)), true
	case from == stream.Date && to == stream.Timestamp:
		return midnight(a), "", true
	case from == stream.Timestamp && to == stream.Date:
		days := fmt.Sprintf("floor_div(%s, %s)", a, day)
		return "(i32)" + days, outside(days, to), true
	case from == stream.Timestamp && to == stream.TimeOfDay:
		return fmt.Sprintf("floor_mod(%s, %s)", a, day), "", true
	}
	return "", "", false
}

// bitwise joins two whole numbers bit by bit.
func bitwise(sign string) func(*emitter, *model.Expr, []value) (value, error) {
	return func(e *emitter, x *model.Expr, args []value) (value, error) {
		return e.strict(args[0].value+" "+sign+" "+args[1].value, x.Type, args), nil
	}
}

func invert(e *emitter, x *model.Expr, args []value) (value, error) {
	return e.strict("~"+args[0].value, x.Type, args), nil
}

// shiftLeft shifts without a sign, for C leaves the other undefined.
func shiftLeft(e *emitter, x *model.Expr, args []value) (value, error) {
	c := ctype(x.Type)
	return e.strict(fmt.Sprintf("(%s)((u%s)%s << %s)", c, bits(x.Type), args[0].value, places(x, args)), x.Type, args), nil
}

// shiftRight keeps the sign by shifting what is not negative.
func shiftRight(e *emitter, x *model.Expr, args []value) (value, error) {
	a, n := args[0].value, places(x, args)
	return e.strict(fmt.Sprintf("%s < 0 ? ~(~%s >> %s) : %s >> %s", a, a, n, a, n), x.Type, args), nil
}

// places is how far to shift: the lowest five or six bits of the second argument.
func places(x *model.Expr, args []value) string {
	most := 31
	if bits(x.Type) == "64" {
		most = 63
	}
	return fmt.Sprintf("(i32)(%s & %d)", args[1].value, most)
}
