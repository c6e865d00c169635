package sql

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// exprs turns expressions as written into typed ones over the columns of a scope.
type exprs struct {
	*resolver
	scope  *scope
	clause string // for messages: "WHERE"
	// group collects aggregate calls; nil where they are not allowed.
	group *grouping
	// window is the GROUP BY window that TUMBLE_START(..) and the like refer to.
	window *windowNode
	spans  map[*model.Expr]span
	inside string // the aggregate whose argument is being resolved
}

// value resolves an expression of any type.
func (x *exprs) value(e *expr) (*model.Expr, error) {
	out, err := x.resolve(e)
	if err != nil {
		return nil, err
	}
	if depth(out) > model.ExprDepthMax {
		return nil, x.fail(e.span, "", "the expression is nested more than %d levels deep", model.ExprDepthMax)
	}
	return settle(out), nil
}

// condition resolves a BOOLEAN.
func (x *exprs) condition(e *expr) (*model.Expr, error) {
	out, err := x.value(e)
	if err != nil {
		return nil, err
	}
	return x.boolean(e, out, x.clause)
}

func (x *exprs) boolean(e *expr, out *model.Expr, what string) (*model.Expr, error) {
	if isLiteral(out) && out.Literal.Null {
		return model.Lit(stream.NullOf(stream.Boolean)), nil
	}
	if out.Type != stream.Boolean {
		return nil, x.fail(e.span, "compare it with something", "%s needs a BOOLEAN, not %s", what, out.Type)
	}
	return out, nil
}

// conjuncts resolves the operands of the outermost ANDs.
func (x *exprs) conjuncts(e *expr, out []*model.Expr) ([]*model.Expr, error) {
	for e.kind == callExpr && e.operator && e.fn == "and" {
		var err error
		if e.args[0].kind == callExpr && e.args[0].fn == "and" && e.args[0].operator {
			return x.conjunctChain(e, out)
		}
		if out, err = x.conjuncts(e.args[0], out); err != nil {
			return nil, err
		}
		e = e.args[1]
	}
	c, err := x.condition(e)
	if err != nil {
		return nil, err
	}
	return append(out, c), nil
}

// conjunctChain walks a AND b AND c .., which nests to the left, without recursion.
func (x *exprs) conjunctChain(e *expr, out []*model.Expr) ([]*model.Expr, error) {
	var chain []*expr
	for e.kind == callExpr && e.operator && e.fn == "and" {
		chain = append(chain, e.args[1])
		e = e.args[0]
	}
	out, err := x.conjuncts(e, out)
	for i := len(chain) - 1; i >= 0 && err == nil; i-- {
		out, err = x.conjuncts(chain[i], out)
	}
	return out, err
}

func (x *exprs) resolve(e *expr) (out *model.Expr, err error) {
	switch e.kind {
	case literalExpr:
		out = model.Lit(e.value)
	case nameExpr:
		out, err = x.path(e.path)
	case memberExpr:
		out, err = x.member(e)
	case castExpr:
		out, err = x.cast(e)
	case caseExpr:
		out, err = x.caseForm(e)
	default:
		out, err = x.call(e)
	}
	if err == nil && x.spans != nil {
		x.spans[out] = e.span
	}
	return out, err
}

func (x *exprs) cast(e *expr) (*model.Expr, error) {
	if out, ok, err := x.castParts(e); ok {
		return out, err
	}
	arg, err := x.resolve(e.args[0])
	if err != nil {
		return nil, err
	}
	t := e.typ.typ
	if e.typ.length {
		return nil, x.fail(e.typ.span, "use SUBSTRING(x FROM 1 FOR n)", "a CAST that cuts text is not supported yet")
	}
	if isLiteral(arg) && arg.Literal.Null {
		return model.Lit(stream.NullOf(t)), nil
	}
	if isText(arg) && (t == stream.Bytes || t == stream.JSON) {
		return x.castLiteral(e, arg.Literal.S)
	}
	if arg.Type != t {
		if !castAllowed(arg.Type, t) {
			return nil, x.fail(e.span, castHint(plain(arg.Type), plain(t)), "%s cannot be cast to %s", arg.Type, t)
		}
		fn := "cast"
		if e.try {
			fn = "try_cast"
		}
		arg = model.Call(fn, t, arg)
	}
	if e.typ.cut {
		arg = cutDigits(arg, e.typ.digits)
	}
	return arg, nil
}

// castLiteral is a literal text as a BYTEA or a JSON.
func (x *exprs) castLiteral(e *expr, text string) (*model.Expr, error) {
	v, why := ofText(text, e.typ.typ)
	switch {
	case why == "":
		return model.Lit(v), nil
	case e.try:
		return model.Lit(stream.NullOf(e.typ.typ)), nil
	}
	return nil, x.fail(e.span, "", "'%s' %s", shorten(text), why)
}

func castHint(from, to stream.Type) string {
	switch {
	case from == stream.JSON:
		return "take the value out with JSON_VALUE(x, '$.path') or x ->> 'name' first"
	case to == stream.JSON && from != stream.Bytes:
		return "CAST it to VARCHAR first"
	case from == stream.Bytes || to == stream.Bytes:
		return "CAST it to VARCHAR, or use ENCODE and DECODE"
	case from == stream.Timestamp && to.IsNumeric():
		return "write EXTRACT(EPOCH FROM ts)"
	case from.IsNumeric() && to == stream.Timestamp:
		return "write TO_TIMESTAMP_LTZ(x, 0) for seconds or TO_TIMESTAMP_LTZ(x, 3) for milliseconds"
	case from == stream.Date && to.IsNumeric():
		return "write x - DATE '1970-01-01' for days, or EXTRACT(EPOCH FROM x) for seconds"
	case from.IsInteger() && to == stream.Date:
		return "write DATE '1970-01-01' + x for a number of days"
	case from == stream.TimeOfDay && to == stream.Timestamp:
		return "add a date to it"
	case from == stream.TimeOfDay && to.IsNumeric():
		return "write EXTRACT(EPOCH FROM x)"
	case from == stream.Interval && to.IsNumeric():
		return "write EXTRACT(EPOCH FROM x)"
	case from == stream.Boolean && to.IsFloat():
		return "write CASE WHEN x THEN 1.0 ELSE 0.0 END"
	case from.IsFloat() && to == stream.Boolean:
		return "write x <> 0"
	}
	return ""
}

func (x *exprs) caseForm(e *expr) (*model.Expr, error) {
	args := make([]*model.Expr, len(e.args))
	var values []*model.Expr
	var at []*expr
	for i, a := range e.args {
		v, err := x.resolve(a)
		if err != nil {
			return nil, err
		}
		if i%2 == 0 && i < len(e.args)-1 {
			if args[i], err = x.boolean(a, settle(v), "WHEN"); err != nil {
				return nil, err
			}
			continue
		}
		values, at = append(values, v), append(at, a)
	}
	unified, t, bad := unify(values)
	if unified == nil {
		return nil, x.fail(at[bad[1]].span, "CAST one of them", "the values of CASE have different types, %s and %s", values[bad[0]].Type, values[bad[1]].Type)
	}
	for i, v := range unified {
		args[min(2*i+1, len(args)-1)] = v
	}
	return model.Call("case", t, args...), nil
}

// arguments resolves a call's arguments.
func (x *exprs) arguments(e *expr) ([]*model.Expr, error) {
	out := make([]*model.Expr, len(e.args))
	for i, a := range e.args {
		v, err := x.resolve(a)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (x *exprs) call(e *expr) (*model.Expr, error) {
	switch {
	case !e.operator:
		return x.function(e)
	case e.fn == "array":
		return x.array(e)
	case e.fn == "row":
		return x.row(e)
	}
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	switch e.fn {
	case "and", "or", "not", "is_true", "is_false":
		for i := range args {
			if args[i], err = x.boolean(e.args[i], settle(args[i]), operatorNames[e.fn]); err != nil {
				return nil, err
			}
		}
		return model.Call(e.fn, stream.Boolean, args...), nil
	case "is_null", "is_not_null":
		return model.Call(e.fn, stream.Boolean, settle(args[0])), nil
	case "eq", "ne", "lt", "le", "gt", "ge", "distinct", "not_distinct", "in":
		return x.comparison(e, args)
	case "add", "sub", "mul", "div", "mod", "neg":
		return x.arithmetic(e, args)
	case "concat":
		return x.concat(e, args)
	case atTimeZone:
		return x.atTimeZone(e, args)
	}
	if err := x.checkPattern(e, e.fn, args); err != nil {
		return nil, err
	}
	return x.overload(e, e.fn, args)
}

var operatorNames = map[string]string{
	"and": "AND", "or": "OR", "not": "NOT", "is_true": "IS TRUE", "is_false": "IS FALSE",
	"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "neg": "-", "concat": "||", "like": "LIKE",
	"similar": "SIMILAR TO", "bit_and": "&", "bit_or": "|", "bit_xor": "#", "bit_not": "~", "shift_left": "<<", "shift_right": ">>", "regexp_like": "~", "json_get": "->", "json_get_text": "->>", "is_json": "IS JSON",
	"element_at": "a[n]", "equals_any": "= ANY", "timestamp_add": "TIMESTAMPADD", "timestamp_diff": "TIMESTAMPDIFF", "date_ceil": "CEIL", "date_trunc": "FLOOR",
}

// comparable refuses JSON, of which equal values can be written in several ways.
func (r *resolver) comparable(at span, t stream.Type) error {
	if t != stream.JSON {
		return nil
	}
	return r.fail(at, "compare the values in it, x ->> 'name', or the text, CAST(x AS VARCHAR)", "values of type JSON cannot be compared, grouped or ordered")
}

func (x *exprs) comparison(e *expr, args []*model.Expr) (*model.Expr, error) {
	out, t, bad := unify(args)
	if out != nil {
		if err := x.comparable(e.span, t); err != nil {
			return nil, err
		}
		return model.Call(e.fn, stream.Boolean, out...), nil
	}
	a, b := args[bad[0]], args[bad[1]]
	hint := fmt.Sprintf("CAST one side, for example CAST(.. AS %s)", a.Type)
	for i, v := range []*model.Expr{a, b} {
		other := []*model.Expr{b, a}[i]
		if isLiteral(v) && v.Type == stream.Varchar && other.Type.IsTime() {
			return nil, x.fail(e.args[bad[i]].span, "", "'%s' is not a valid %s", shorten(v.Literal.S), other.Type)
		}
		if isLiteral(v) && v.Type == stream.Varchar && other.Type.IsNumeric() {
			hint = "write a number without quotes, or CAST one side"
		}
	}
	return nil, x.fail(e.span, hint, "%s cannot be compared with %s", a.Type, b.Type)
}

// arithmetic computes numbers in their common type; the rest is in the signatures.
func (x *exprs) arithmetic(e *expr, args []*model.Expr) (*model.Expr, error) {
	numbers := true
	for _, a := range args {
		numbers = numbers && (a.Type.IsNumeric() || a.Type == stream.Invalid)
	}
	if call := ofDecimals(e.fn, args); numbers && call != nil {
		return call, nil
	}
	if numbers {
		out, t, _ := unify(args)
		if t == stream.Varchar { // NULL + NULL
			t = stream.Integer
			for i := range out {
				out[i] = model.Lit(stream.NullOf(t))
			}
		}
		return model.Call(e.fn, t, out...), nil
	}
	return x.overload(e, e.fn, args)
}

// concat turns other types to text if one side is text, but for bytes.
func (x *exprs) concat(e *expr, args []*model.Expr) (*model.Expr, error) {
	text := false
	for _, a := range args {
		if a.Type.IsArray() {
			return x.joinArrays(e, args)
		}
	}
	for _, a := range args {
		text = text || a.Type == stream.Varchar || a.Type == stream.Invalid
	}
	for i, a := range args {
		if text && a.Type != stream.Varchar && a.Type != stream.Invalid && a.Type != stream.Bytes {
			args[i] = model.Call("cast", stream.Varchar, a)
		}
	}
	return x.overload(e, "concat", args)
}

// overload picks the signature that needs the cheapest conversions.
func (x *exprs) overload(e *expr, fn string, args []*model.Expr) (*model.Expr, error) {
	if call := ofDecimals(fn, args); call != nil {
		return call, nil
	}
	f, _ := function.Lookup(fn)
	if f.OfArrays() {
		return x.ofArrays(e, f, args)
	}
	textElements(fn, args)
	if len(f.Signatures) > 0 && generic(f.Signatures[0]) {
		return x.genericCall(e, f, args)
	}
	if hasType(args, ltz) {
		return x.instants(e, fn, args)
	}
	var best []*model.Expr
	var result stream.Type
	bestCost, count := 0, false
	for _, s := range f.Signatures {
		if len(args) < len(s.Args) || len(args) > len(s.Args) && !s.Variadic {
			continue
		}
		count = true
		out, cost, ok := coerceAll(args, s)
		if ok && (best == nil || cost < bestCost) {
			best, bestCost, result = out, cost, s.Result
		}
	}
	switch {
	case best != nil:
		return model.Call(fn, result, best...), nil
	case !count:
		return nil, x.wrongCount(e, f, len(args))
	}
	if f.Category == "arithmetic" {
		return nil, x.fail(e.span, arithmeticHint(fn, args), "%s cannot be computed for %s", shownName(e, f), typeList(args))
	}
	return nil, x.fail(e.span, formsOf(f), "%s does not take (%s)", shownName(e, f), typeList(args))
}

func arithmeticHint(fn string, args []*model.Expr) string {
	for _, a := range args {
		switch {
		case a.Type == stream.Varchar && fn == "add":
			return "CAST the text to a number, or join texts with ||"
		case a.Type == stream.Varchar:
			return "CAST the text to a number"
		case a.Type == stream.Interval && fn != "add" && fn != "sub":
			return "intervals are multiplied and divided by whole numbers"
		case plain(a.Type) == stream.Timestamp:
			return "timestamps can be subtracted, and intervals added to them"
		case a.Type == stream.Date:
			return "dates can be subtracted, and numbers of days, times of day and intervals added to them"
		case a.Type == stream.TimeOfDay:
			return "times of day can be subtracted, and intervals and dates added to them"
		}
	}
	return ""
}

func generic(s function.Signature) bool { return len(s.Args) > 0 && s.Args[0] == stream.Invalid }

func (x *exprs) genericCall(e *expr, f *function.Function, args []*model.Expr) (*model.Expr, error) {
	s := f.Signatures[0]
	if len(args) < len(s.Args) || len(args) > len(s.Args) && !s.Variadic {
		return nil, x.wrongCount(e, f, len(args))
	}
	out, t, bad := unify(args)
	if out == nil {
		return nil, x.fail(e.args[bad[1]].span, "CAST one of them", "the arguments of %s have different types, %s and %s", shownName(e, f), args[bad[0]].Type, args[bad[1]].Type)
	}
	if f.Name != "coalesce" {
		if err := x.comparable(e.span, t); err != nil {
			return nil, err
		}
	}
	if s.Result != stream.Invalid {
		t = s.Result
	}
	return model.Call(f.Name, t, out...), nil
}

func coerceAll(args []*model.Expr, s function.Signature) (out []*model.Expr, cost int, ok bool) {
	for i, a := range args {
		n, c, ok := coerce(a, s.Args[min(i, len(s.Args)-1)])
		if !ok {
			return nil, 0, false
		}
		out, cost = append(out, n), cost+c
	}
	return out, cost, true
}

// notNull infers whether e can be NULL.
func (x *exprs) notNull(e *model.Expr, fields []stream.Field) bool {
	switch e.Kind {
	case model.ColumnExpr:
		return e.Column < len(fields) && fields[e.Column].NotNull
	case model.LiteralExpr:
		return !e.Literal.Null
	}
	all, some := true, false
	for i, a := range e.Args {
		n := x.notNull(a, fields)
		if e.Func == "case" && i%2 == 0 && i < len(e.Args)-1 {
			continue
		}
		all, some = all && n, some || n
	}
	switch e.Func {
	case "is_null", "is_not_null", "is_true", "is_false", "distinct", "not_distinct":
		return true
	case "coalesce":
		return some
	case "nullif", "try_cast":
		return false
	case "concat_ws":
		return x.notNull(e.Args[0], fields)
	}
	if f, ok := function.Lookup(e.Func); ok && f.MayNull {
		return false
	}
	return all
}
