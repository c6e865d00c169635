package model

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// MayErr reports whether e can make an error row for some input row. It is exact
// enough for optimizations: floats never overflow into errors, widening casts never
// fail, and a literal divisor or pattern is looked at.
func (e *Expr) MayErr() bool {
	may := false
	e.Walk(func(x *Expr) {
		if !may && x.Kind == CallExpr {
			may = x.callMayErr()
		}
	})
	return may
}

// AnyMayErr reports whether one of the expressions may err.
func AnyMayErr(exprs []*Expr) bool { return slices.ContainsFunc(exprs, (*Expr).MayErr) }

// callMayErr looks at the call itself, not at its arguments.
func (e *Expr) callMayErr() bool {
	f, ok := function.Lookup(e.Func)
	if !ok {
		return true
	}
	if !f.MayErr {
		return false
	}
	switch e.Func {
	case "add", "sub", "mul", "neg", "abs":
		return !e.Type.IsFloat()
	case "div", "mod":
		if e.Type.IsDecimal() {
			return true // its type may have fewer digits than the quotient
		}
		return !e.Type.IsFloat() && !harmlessDivisor(e.Args)
	case "cast":
		return len(e.Args) != 1 || castMayErr(e.Args[0].Type, e.Type)
	case "like":
		return len(e.Args) != 2 || !harmlessPattern(e.Args[1])
	case "substring":
		return len(e.Args) != 2
	case "round_to":
		return !e.Type.IsFloat()
	case "similar", "regexp_like", "regexp_extract", "regexp_count":
		return !harmlessRegexp(e)
	case "json_value", "json_query", "json_exists":
		return !harmlessPath(e)
	case "date_format", "to_char":
		return !harmlessTimePattern(e)
	case "to_timestamp_ltz":
		return len(e.Args) != 2 || !microsecondPrecision(e.Args[1])
	}
	return true
}

// harmlessDivisor: a literal that is neither 0 (undefined) nor -1 (overflow of the
// least number).
func harmlessDivisor(args []*Expr) bool {
	if len(args) != 2 || args[1].Kind != LiteralExpr {
		return false
	}
	v := args[1].Literal
	return v.Null || v.I != 0 && v.I != -1
}

func harmlessPattern(pattern *Expr) bool {
	if pattern.Kind != LiteralExpr {
		return false
	}
	return pattern.Literal.Null || !strings.Contains(pattern.Literal.S, `\`)
}

func harmlessTimePattern(e *Expr) bool {
	if len(e.Args) != 2 || e.Args[1].Kind != LiteralExpr {
		return false
	}
	v := e.Args[1].Literal
	compile := function.CompileTime
	if e.Func == "to_char" {
		compile = function.CompileTemplate
	}
	_, err := compile(v.S)
	return v.Null || err == nil
}

func harmlessPath(e *Expr) bool {
	if len(e.Args) != 2 || e.Args[1].Kind != LiteralExpr {
		return false
	}
	_, err := function.CompilePath(e.Args[1].Literal.S)
	return e.Args[1].Literal.Null || err == nil
}

// harmlessRegexp: a literal that compiles, without flags or escape.
func harmlessRegexp(e *Expr) bool {
	if len(e.Args) < 2 || e.Args[1].Kind != LiteralExpr || len(e.Args) > 2 && e.Func != "regexp_extract" {
		return false
	}
	v := e.Args[1].Literal
	if v.Null {
		return true
	}
	if e.Func == "similar" {
		_, err := function.CompileSimilar(v.S, `\`)
		return err == nil
	}
	_, err := function.CompilePattern(v.S, "")
	return err == nil
}

func microsecondPrecision(precision *Expr) bool {
	if precision.Kind != LiteralExpr {
		return false
	}
	return precision.Literal.Null || precision.Literal.I == 6
}

// CastAllowed reports whether a CAST between the types exists at all.
func CastAllowed(from, to stream.Type) bool {
	switch {
	case from == stream.Invalid || to == stream.Invalid:
		return false
	case from == to, to == stream.Varchar, from == stream.Varchar:
		return true
	case from.IsNumeric() && to.IsNumeric():
		return true
	case from == stream.Boolean:
		return to.IsInteger()
	case to == stream.Boolean:
		return from.IsInteger()
	case from == stream.Timestamp:
		return to == stream.Date || to == stream.TimeOfDay
	case from.IsNested():
		return everyPart(from, to, CastAllowed)
	}
	return from == stream.Date && to == stream.Timestamp
}

// everyPart: both are ARRAYs, or ROWs of as many members, and holds for their elements or
// members.
func everyPart(from, to stream.Type, holds func(from, to stream.Type) bool) bool {
	a, b := from.Members(), to.Members()
	if from.IsArray() || to.IsArray() {
		return from.IsArray() && to.IsArray() && holds(from.Element(), to.Element())
	}
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for i := range a {
		if !holds(a[i].Type, b[i].Type) {
			return false
		}
	}
	return true
}

func castMayErr(from, to stream.Type) bool {
	switch {
	case from == stream.Bytes:
		return true
	case from == to, to == stream.Varchar, to == stream.Bytes, from == stream.Boolean:
		return false
	case from == stream.Varchar:
		return true
	case to == stream.Boolean:
		return false
	case from.IsNested():
		return !everyPart(from, to, func(from, to stream.Type) bool { return !castMayErr(from, to) })
	case from.IsDecimal() && to.IsDecimal():
		return to.Scale() < from.Scale() || to.Precision()-to.Scale() < from.Precision()-from.Scale()
	case (from.IsInteger() || from.IsDecimal()) && to.IsFloat():
		return false
	case from == stream.Timestamp:
		return to == stream.Date
	case from.IsInteger() && to.IsInteger():
		low, _, _ := from.Range()
		least, _, _ := to.Range()
		return low < least
	}
	widening := from == stream.Real && to == stream.Double || from == stream.Date
	return !widening
}
