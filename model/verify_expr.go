package model

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// ExprDepthMax is how deep calls may nest in one expression; Parse and Verify refuse
// deeper ones, so that walking an expression never exhausts the stack.
const ExprDepthMax = 512

// VerifyExpr checks an expression over rows of these fields: columns exist and have
// the types said, every call fits a signature of model/function. It returns "" or
// what is wrong.
func VerifyExpr(e *Expr, fields []stream.Field) string { return verifyExpr(e, fields, 0) }

func verifyExpr(e *Expr, fields []stream.Field, depth int) string {
	switch {
	case e == nil:
		return "an expression is missing"
	case depth > ExprDepthMax:
		return fmt.Sprintf("an expression nests deeper than %d", ExprDepthMax)
	case !validType(e.Type):
		return "an expression has no valid type"
	}
	switch e.Kind {
	case ColumnExpr:
		return verifyColumn(e, fields)
	case LiteralExpr:
		return verifyLiteral(e)
	case CallExpr:
		for _, a := range e.Args {
			if msg := verifyExpr(a, fields, depth+1); msg != "" {
				return msg
			}
		}
		return verifyCall(e)
	}
	return fmt.Sprintf("unknown expression kind %d", e.Kind)
}

func verifyColumn(e *Expr, fields []stream.Field) string {
	if e.Column < 0 || e.Column >= len(fields) {
		return fmt.Sprintf("column $%d does not exist, the input has %d columns", e.Column, len(fields))
	}
	if t := fields[e.Column].Type; t != e.Type {
		return fmt.Sprintf("column $%d is %s, not %s", e.Column, t, e.Type)
	}
	return ""
}

func verifyLiteral(e *Expr) string {
	v := e.Literal
	if v.Type != e.Type {
		return fmt.Sprintf("a literal of type %s holds a value of type %s", e.Type, v.Type)
	}
	if v.Null {
		return ""
	}
	if low, high, ok := v.Type.Range(); ok && (v.I < low || v.I > high) {
		return fmt.Sprintf("literal %d is no %s", v.I, v.Type)
	}
	if v.Type.IsDecimal() && !v.Decimal().Fits(v.Type.Precision()) {
		return fmt.Sprintf("literal %s is no %s", v, v.Type)
	}
	if v.Type.IsNested() && !stream.ValidNested(v.Type, []byte(v.S)) {
		return "a literal is no " + v.Type.String()
	}
	switch v.Type {
	case stream.JSON:
		if s, ok := stream.CompactJSON(v.S); !ok || s != v.S {
			return fmt.Sprintf("literal %q is no compact JSON", v.S)
		}
	case stream.Boolean:
		if v.I != 0 && v.I != 1 {
			return fmt.Sprintf("literal %d is no BOOLEAN", v.I)
		}
	case stream.Real:
		if float64(float32(v.F)) != v.F && v.F == v.F {
			return fmt.Sprintf("literal %v is no REAL", v.F)
		}
	}
	return ""
}

func verifyCall(e *Expr) string {
	f, ok := function.Lookup(e.Func)
	if !ok {
		return fmt.Sprintf("there is no function %q", e.Func)
	}
	types := make([]stream.Type, len(e.Args))
	for i, a := range e.Args {
		types[i] = a.Type
	}
	switch e.Func {
	case "case":
		return verifyCase(e.Type, types)
	case "row":
		return verifyRow(e.Type, types)
	case "member":
		if m, ok := memberOf(e); !ok || m.Type != e.Type {
			return fmt.Sprintf("member(%s) takes a row and the literal number of a member of type %s", typeList(types), e.Type)
		}
		return ""
	case "cast", "try_cast":
		if len(types) != 1 {
			return fmt.Sprintf("%s takes one argument, not %d", e.Func, len(types))
		}
		if !CastAllowed(types[0], e.Type) {
			return fmt.Sprintf("%s cannot be cast to %s", types[0], e.Type)
		}
		return ""
	}
	if t, ok := function.Decimal(e.Func, types); ok {
		if t != e.Type {
			return fmt.Sprintf("%s(%s) is %s, not %s", e.Func, typeList(types), t, e.Type)
		}
		return ""
	}
	for _, s := range f.Signatures {
		if !s.Match(types) {
			continue
		}
		if result := s.ResultFor(types); result != e.Type {
			return fmt.Sprintf("%s(%s) is %s, not %s", e.Func, typeList(types), result, e.Type)
		}
		return ""
	}
	return fmt.Sprintf("no form of %s takes (%s)", e.Func, typeList(types))
}

func verifyCase(result stream.Type, types []stream.Type) string {
	if len(types) < 3 || len(types)%2 == 0 {
		return fmt.Sprintf("case takes condition, value, .., else: an odd number of arguments from 3, not %d", len(types))
	}
	for i, t := range types {
		switch condition := i%2 == 0 && i < len(types)-1; {
		case condition && t != stream.Boolean:
			return fmt.Sprintf("condition %d of case is %s, not BOOLEAN", i/2, t)
		case !condition && t != result:
			return fmt.Sprintf("argument %d of case is %s, not %s", i, t, result)
		}
	}
	return ""
}

func verifyRow(result stream.Type, types []stream.Type) string {
	members := result.Members()
	same := len(members) == len(types) && len(types) > 0
	for i := 0; same && i < len(types); i++ {
		same = members[i].Type == types[i]
	}
	if !same {
		return fmt.Sprintf("row(%s) is no %s", typeList(types), result)
	}
	return ""
}

// memberOf is the member that a call of "member" takes: its second argument is a literal
// INTEGER, the number of a member from 1.
func memberOf(e *Expr) (m stream.Member, ok bool) {
	if len(e.Args) != 2 || e.Args[1].Kind != LiteralExpr || e.Args[1].Type != stream.Integer || e.Args[1].Literal.Null {
		return m, false
	}
	members, n := e.Args[0].Type.Members(), e.Args[1].Literal.I
	if n < 1 || n > int64(len(members)) {
		return m, false
	}
	return members[n-1], true
}

func typeList(types []stream.Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.String()
	}
	return strings.Join(names, ", ")
}

// verifyExprs checks a list whose members have one type (stream.Invalid: any).
func verifyExprs(what string, exprs []*Expr, fields []stream.Field, want stream.Type) string {
	for i, e := range exprs {
		if msg := VerifyExpr(e, fields); msg != "" {
			return fmt.Sprintf("%s %d: %s", what, i, msg)
		}
		if want != stream.Invalid && e.Type != want {
			return fmt.Sprintf("%s %d is %s, not %s", what, i, e.Type, want)
		}
	}
	return ""
}
