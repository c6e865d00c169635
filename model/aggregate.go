package model

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// AggFunc names an aggregate function.
type AggFunc string

// The aggregates of this version.
const (
	Count AggFunc = "count"
	Sum   AggFunc = "sum"
	Avg   AggFunc = "avg"
	Min   AggFunc = "min"
	Max   AggFunc = "max"

	VarPop              AggFunc = "var_pop"
	VarSamp             AggFunc = "var_samp"
	StddevPop           AggFunc = "stddev_pop"
	StddevSamp          AggFunc = "stddev_samp"
	BoolAnd             AggFunc = "bool_and"
	BoolOr              AggFunc = "bool_or"
	FirstValue          AggFunc = "first_value" // in the order of rows
	LastValue           AggFunc = "last_value"
	ApproxCountDistinct AggFunc = "approx_count_distinct"

	StringAgg        AggFunc = "string_agg" // texts in the order of rows, or of By; parameter: what stands between
	ArrayAgg         AggFunc = "array_agg"  // one array of the elements of arrays, in the order of rows, or of By
	MinBy            AggFunc = "min_by"     // the argument in the first row with the least By
	MaxBy            AggFunc = "max_by"
	ApproxPercentile AggFunc = "approx_percentile" // parameter: the share of values that are not greater
	PercentileCont   AggFunc = "percentile_cont"   // .. between two values
	PercentileDisc   AggFunc = "percentile_disc"
	CovarPop         AggFunc = "covar_pop" // of the argument and By
	CovarSamp        AggFunc = "covar_samp"
	Corr             AggFunc = "corr"
)

// AggFuncs are all of them.
var AggFuncs = []AggFunc{
	Count, Sum, Avg, Min, Max, VarPop, VarSamp, StddevPop, StddevSamp, BoolAnd, BoolOr, FirstValue, LastValue, ApproxCountDistinct,
	StringAgg, ArrayAgg, MinBy, MaxBy, ApproxPercentile, PercentileCont, PercentileDisc, CovarPop, CovarSamp, Corr,
}

// Basic reports whether f is one of the first five, which every processor knows.
func (f AggFunc) Basic() bool {
	switch f {
	case Count, Sum, Avg, Min, Max:
		return true
	}
	return false
}

// TakesDistinct reports whether f of distinct values can be something else than f of all.
func (f AggFunc) TakesDistinct() bool {
	switch f {
	case VarPop, VarSamp, StddevPop, StddevSamp, StringAgg, ArrayAgg, ApproxPercentile, PercentileCont, PercentileDisc:
		return true
	}
	return f.Basic()
}

// ByOther reports whether f has a second argument, By: a row in which it is NULL does not
// count.
func (f AggFunc) ByOther() bool {
	switch f {
	case MinBy, MaxBy, CovarPop, CovarSamp, Corr:
		return true
	}
	return false
}

// Orders reports whether By, if there is one, is what the values of f are ordered by.
func (f AggFunc) Orders() bool { return f == StringAgg || f == ArrayAgg }

// Percentile reports whether the parameter of f is a share, from 0 to 1.
func (f AggFunc) Percentile() bool {
	return f == ApproxPercentile || f == PercentileCont || f == PercentileDisc
}

// Params are the types of the parameters of f.
func (f AggFunc) Params() []stream.Type {
	switch {
	case f == StringAgg:
		return []stream.Type{stream.Varchar}
	case f.Percentile():
		return []stream.Type{stream.Double}
	}
	return nil
}

// Agg is one aggregate call. Arg is nil for COUNT(*). Rows where Filter is not TRUE
// do not count, and their Arg and By are not evaluated.
type Agg struct {
	Func AggFunc
	Arg  *Expr
	// By is the second argument of functions that have one. For those that order (Orders)
	// it is what the values are ordered by, nil for the order of rows, and Descending and NullsFirst are
	// that order's; values that are equal by it stay in the order of rows.
	By                     *Expr
	Descending, NullsFirst bool
	Params                 []stream.Value // constants, of the types Func.Params
	Distinct               bool
	Filter                 *Expr
	Type                   stream.Type // result
}

// Equal reports whether two calls compute the same.
func (g Agg) Equal(b Agg) bool {
	return g.Func == b.Func && g.Distinct == b.Distinct && g.Type == b.Type && g.Arg.Equal(b.Arg) && g.Filter.Equal(b.Filter) &&
		g.By.Equal(b.By) && g.Descending == b.Descending && g.NullsFirst == b.NullsFirst && slices.EqualFunc(g.Params, b.Params, equalLiteral)
}

// Bounded reports whether a result can be out of range, which fails its group's row.
func (g Agg) Bounded() bool {
	switch g.Func {
	case Sum:
		return !g.Type.IsFloat()
	case Avg:
		return g.Type.IsDecimal()
	case StringAgg, ArrayAgg, PercentileCont, PercentileDisc:
		return true
	}
	return false
}

// BoundReason is the reason of the error row of a result that is out of range.
func (g Agg) BoundReason() string {
	switch g.Func {
	case StringAgg:
		return function.ErrTooLong
	case ArrayAgg:
		return function.ErrLongArray
	case PercentileCont, PercentileDisc:
		return function.ErrManyValues
	}
	return function.ErrOverflow
}

// Exprs are the expressions that a call evaluates, of those it has: filter, argument, By.
func (g Agg) Exprs() (out []*Expr) {
	for _, e := range []*Expr{g.Filter, g.Arg, g.By} {
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

func verifyAgg(g Agg, fields []stream.Field) string {
	if g.Distinct && !g.Func.TakesDistinct() {
		return fmt.Sprintf("%s takes no distinct", g.Func)
	}
	if g.Arg == nil && (g.Func != Count || g.Distinct) {
		return fmt.Sprintf("%s needs an argument", g.Func)
	}
	arg := stream.Invalid
	if g.Arg != nil {
		if msg := VerifyExpr(g.Arg, fields); msg != "" {
			return msg
		}
		arg = g.Arg.Type
	}
	if g.Filter != nil {
		if msg := verifyExprs("filter", []*Expr{g.Filter}, fields, stream.Boolean); msg != "" {
			return msg
		}
	}
	want, ok := AggType(g.Func, arg)
	if !ok {
		return fmt.Sprintf("there is no %s of %s", g.Func, arg)
	}
	if g.Type != want {
		return fmt.Sprintf("%s of %s is %s, not %s", g.Func, arg, want, g.Type)
	}
	if msg := g.verifyBy(fields); msg != "" {
		return msg
	}
	return g.verifyParams()
}

func (g Agg) verifyBy(fields []stream.Field) string {
	switch {
	case g.By == nil && g.Func.ByOther():
		return fmt.Sprintf("%s needs a second argument", g.Func)
	case g.By == nil && (g.Descending || g.NullsFirst), g.By != nil && !g.Func.ByOther() && !g.Func.Orders():
		return fmt.Sprintf("%s is not by something", g.Func)
	case g.By == nil:
		return ""
	case !g.Func.Orders() && (g.Descending || g.NullsFirst):
		return fmt.Sprintf("%s has no order", g.Func)
	case g.Distinct && !g.By.Equal(g.Arg):
		return fmt.Sprintf("%s of distinct values is ordered by them", g.Func)
	}
	if msg := VerifyExpr(g.By, fields); msg != "" {
		return msg
	}
	if !validType(g.By.Type) || g.Arg.Type == stream.Double && g.Func != MinBy && g.Func != MaxBy && g.By.Type != stream.Double {
		return fmt.Sprintf("there is no %s by %s", g.Func, g.By.Type)
	}
	return ""
}

func (g Agg) verifyParams() string {
	want := g.Func.Params()
	if len(g.Params) != len(want) {
		return fmt.Sprintf("%s has %d parameters, not %d", g.Func, len(want), len(g.Params))
	}
	for i, p := range g.Params {
		switch {
		case p.Type != want[i] || p.Null:
			return fmt.Sprintf("parameter %d of %s is a %s", i, g.Func, want[i])
		case g.Func.Percentile() && !(p.F >= 0 && p.F <= 1):
			return fmt.Sprintf("%s of %s, which is not from 0 to 1", g.Func, p)
		case p.Type == stream.Varchar && len(p.S) > function.TextBytesMax:
			return fmt.Sprintf("parameter %d of %s is longer than %d bytes", i, g.Func, function.TextBytesMax)
		}
	}
	return ""
}

// AggType returns the type of an aggregate of an argument type, false where there is
// no such aggregate. Count takes any, also stream.Invalid for COUNT(*).
func AggType(f AggFunc, arg stream.Type) (stream.Type, bool) {
	switch f {
	case Count:
		return stream.BigInt, true
	case Min, Max, FirstValue, LastValue, MinBy, MaxBy, PercentileDisc:
		return arg, validType(arg)
	case BoolAnd, BoolOr:
		return arg, arg == stream.Boolean
	case ApproxCountDistinct:
		return stream.BigInt, validType(arg)
	case StringAgg:
		return arg, arg == stream.Varchar
	case ArrayAgg:
		return arg, arg.IsArray() && validType(arg)
	case ApproxPercentile, PercentileCont, CovarPop, CovarSamp, Corr:
		return arg, arg == stream.Double
	case VarPop, VarSamp, StddevPop, StddevSamp:
		return stream.Double, arg.IsInteger() || arg.IsFloat()
	case Sum, Avg:
		switch {
		case arg == stream.Interval:
			return stream.Interval, true
		case arg.IsDecimal() && f == Sum:
			return function.DecimalSum(arg), true
		case arg.IsDecimal():
			return function.DecimalAverage(arg), true
		case arg.IsInteger() && f == Sum:
			return stream.BigInt, true
		case arg.IsNumeric():
			return stream.Double, true
		}
	}
	return stream.Invalid, false
}
