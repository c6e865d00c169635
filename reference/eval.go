package reference

import (
	"maps"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Eval evaluates an expression over a row. A non-empty reason says why it failed; the
// value then means nothing. Functions with strict NULL handling evaluate all of their
// arguments from the left: the first that fails fails the call, else one NULL makes it
// NULL.
func Eval(e *model.Expr, row Row) (v stream.Value, reason string) {
	switch e.Kind {
	case model.ColumnExpr:
		return row[e.Column], ""
	case model.LiteralExpr:
		return e.Literal, ""
	}
	if f, ok := special[e.Func]; ok {
		return f(e, row)
	}
	f, ok := strict[e.Func]
	if !ok {
		return v, "unknown function " + e.Func
	}
	args, reason := evalAll(e.Args, row)
	if reason != "" {
		return v, reason
	}
	for _, a := range args {
		if a.Null {
			return stream.NullOf(e.Type), ""
		}
	}
	if v, reason, ok := ofDecimals(e.Func, args, e.Type); ok {
		return v, reason
	}
	return f(args, e.Type)
}

// special holds the functions with rules of their own about NULL or about which
// arguments are evaluated. It is filled by init because these functions call Eval.
var special = map[string]func(e *model.Expr, row Row) (stream.Value, string){}

func init() {
	for name, f := range map[string]func(e *model.Expr, row Row) (stream.Value, string){
		"and":          and,
		"or":           or,
		"case":         caseOf,
		"coalesce":     coalesce,
		"in":           in,
		"nullif":       nullif,
		"try_cast":     tryCast,
		"distinct":     func(e *model.Expr, row Row) (stream.Value, string) { return distinct(e, row, true) },
		"not_distinct": func(e *model.Expr, row Row) (stream.Value, string) { return distinct(e, row, false) },
		"is_null":      func(e *model.Expr, row Row) (stream.Value, string) { return test(e, row, isNull) },
		"is_not_null":  func(e *model.Expr, row Row) (stream.Value, string) { return test(e, row, isNotNull) },
		"is_true":      func(e *model.Expr, row Row) (stream.Value, string) { return test(e, row, isTrue) },
		"is_false":     func(e *model.Expr, row Row) (stream.Value, string) { return test(e, row, isFalse) },
	} {
		special[name] = f
	}
}

// strict holds the functions that are NULL if any argument is. Arguments are never
// NULL; t is the type of the result.
var strict = map[string]call{
	"add": add, "sub": sub, "mul": mul, "div": div, "mod": mod, "neg": neg,

	"eq": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) == 0) },
	"ne": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) != 0) },
	"lt": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) < 0) },
	"le": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) <= 0) },
	"gt": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) > 0) },
	"ge": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(compare(a[0], a[1]) >= 0) },

	"not":      func(a []stream.Value, _ stream.Type) (stream.Value, string) { return boolean(!a[0].Truth()) },
	"cast":     func(a []stream.Value, t stream.Type) (stream.Value, string) { return cast(a[0], t) },
	"greatest": greatest, "least": least,

	"abs": abs, "floor": floor, "ceil": ceil, "round": round, "sign": sign,
	"sqrt": sqrt, "power": power, "exp": exp, "ln": ln,

	"like": like, "lower": lower, "upper": upper, "length": length, "substring": substring,
	"concat": concat, "replace": replace,
	"position": position, "starts_with": startsWith,

	"to_timestamp_ltz": toTimestamp, "date_trunc": dateTrunc, "extract_epoch": extractEpoch,
	"extract_year": extractYear, "extract_month": extractMonth, "extract_day": extractDay,
	"extract_hour": extractHour, "extract_minute": extractMinute, "extract_second": extractSecond,
}

// call computes a strict function for one row.
type call = func(args []stream.Value, t stream.Type) (stream.Value, string)

// register adds a family of strict functions.
func register(family map[string]call) { maps.Copy(strict, family) }

func boolean(b bool) (stream.Value, string) { return stream.Bool(b), "" }

// and is FALSE if any side is, whatever the others do; else it fails if any side does.
func and(e *model.Expr, row Row) (stream.Value, string) { return logic(e, row, false) }

// or is TRUE if any side is, whatever the others do; else it fails if any side does.
func or(e *model.Expr, row Row) (stream.Value, string) { return logic(e, row, true) }

func logic(e *model.Expr, row Row, winner bool) (stream.Value, string) {
	result, reason := stream.Bool(!winner), ""
	for _, a := range e.Args {
		v, failed := Eval(a, row)
		switch {
		case failed != "":
			if reason == "" {
				reason = failed
			}
		case v.Null:
			result = stream.NullOf(stream.Boolean)
		case v.Truth() == winner:
			return stream.Bool(winner), ""
		}
	}
	return result, reason
}

// caseOf is the value of the first TRUE condition; nothing behind it is evaluated.
func caseOf(e *model.Expr, row Row) (stream.Value, string) {
	last := len(e.Args) - 1
	for i := 0; i < last; i += 2 {
		v, reason := Eval(e.Args[i], row)
		if reason != "" {
			return v, reason
		}
		if v.Truth() {
			return Eval(e.Args[i+1], row)
		}
	}
	return Eval(e.Args[last], row)
}

func coalesce(e *model.Expr, row Row) (stream.Value, string) {
	for _, a := range e.Args {
		v, reason := Eval(a, row)
		if reason != "" || !v.Null {
			return v, reason
		}
	}
	return stream.NullOf(e.Type), ""
}

// in compares with every value: an equal one wins over one that fails, and that over
// NULL.
func in(e *model.Expr, row Row) (stream.Value, string) {
	x, reason := Eval(e.Args[0], row)
	if reason != "" {
		return x, reason
	}
	result := stream.Bool(false)
	for _, a := range e.Args[1:] {
		v, failed := Eval(a, row)
		switch {
		case failed != "":
			if reason == "" {
				reason = failed
			}
		case v.Null || x.Null:
			result = stream.NullOf(stream.Boolean)
		case compare(x, v) == 0:
			return stream.Bool(true), ""
		}
	}
	return result, reason
}

func nullif(e *model.Expr, row Row) (stream.Value, string) {
	args, reason := evalAll(e.Args, row)
	if reason != "" {
		return stream.Value{}, reason
	}
	if !args[0].Null && !args[1].Null && compare(args[0], args[1]) == 0 {
		return stream.NullOf(e.Type), ""
	}
	return args[0], ""
}

// tryCast is NULL where the conversion fails; a failing argument still fails.
func tryCast(e *model.Expr, row Row) (stream.Value, string) {
	v, reason := Eval(e.Args[0], row)
	if reason != "" {
		return v, reason
	}
	if v.Null {
		return stream.NullOf(e.Type), ""
	}
	v, reason = cast(v, e.Type)
	if reason != "" {
		return stream.NullOf(e.Type), ""
	}
	return v, ""
}

// distinct compares with NULL as a value like any other.
func distinct(e *model.Expr, row Row, want bool) (stream.Value, string) {
	args, reason := evalAll(e.Args, row)
	if reason != "" {
		return stream.Value{}, reason
	}
	return stream.Bool((order(args[0], args[1]) != 0) == want), ""
}

func test(e *model.Expr, row Row, f func(stream.Value) bool) (stream.Value, string) {
	v, reason := Eval(e.Args[0], row)
	if reason != "" {
		return v, reason
	}
	return stream.Bool(f(v)), ""
}

func isNull(v stream.Value) bool    { return v.Null }
func isNotNull(v stream.Value) bool { return !v.Null }
func isTrue(v stream.Value) bool    { return v.Truth() }
func isFalse(v stream.Value) bool   { return !v.Null && !v.Truth() }

func greatest(a []stream.Value, _ stream.Type) (stream.Value, string) {
	best := a[0]
	for _, v := range a[1:] {
		if compare(v, best) > 0 {
			best = v
		}
	}
	return best, ""
}

func least(a []stream.Value, _ stream.Type) (stream.Value, string) {
	best := a[0]
	for _, v := range a[1:] {
		if compare(v, best) < 0 {
			best = v
		}
	}
	return best, ""
}

// domainError is the failure of a function whose argument it is not defined for.
func domainError() (stream.Value, string) { return stream.Value{}, function.ErrDomain }
