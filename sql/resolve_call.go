package sql

import (
	"fmt"
	"sort"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// functionNames maps how users write a function to its name in the model.
var functionNames = func() map[string]string {
	m := map[string]string{
		"char_length": "length", "length": "length", "character_length": "length",
		"pow": "power", "ceiling": "ceil", "concat": "concat", "mod": "mod", "substr": "substring",
		"position": "position", "ifnull": "coalesce", "nvl": "coalesce",
	}
	for name, f := range otherNames {
		m[name] = f.fn
	}
	for _, f := range function.All() {
		if !f.Syntax {
			m[strings.ToLower(f.SQL)] = f.Name
		}
	}
	return m
}()

// refusedFunctions are functions of the language that this version does not have.
var refusedFunctions = map[string]string{
	"now": "use the stream's event-time column, or window_end", "proctime": "use the stream's event-time column",
	"current_watermark": "use the stream's event-time column",
	"collect":           "use ARRAY_AGG",
	"rank":              "", "dense_rank": "", "lag": "", "lead": "", "ntile": "",
	"random": "results depend on the data alone", "rand": "results depend on the data alone", "uuid": "results depend on the data alone",
	"unnest": "write it in FROM: FROM s CROSS JOIN UNNEST(s.a) AS t (n)", "to_date": "",
}

func (x *exprs) function(e *expr) (*model.Expr, error) {
	if agg, ok := aggregateNames[e.fn]; ok {
		return x.aggregate(e, agg)
	}
	if role, ok := auxiliary[e.fn]; ok {
		return x.windowColumn(e, role)
	}
	if e.fn == "grouping" || e.fn == "grouping_id" {
		return x.grouping(e)
	}
	switch {
	case e.fn == rowNumber && e.over == nil:
		return nil, x.fail(e.span, "write ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY ..)", "ROW_NUMBER needs OVER")
	case e.fn == rowNumber:
		return nil, x.fail(e.span, "give it a name with AS, and use that in a query around this one", "ROW_NUMBER stands alone in the select list")
	case e.star:
		hint := "only COUNT(*) is"
		if near := suggest(e.fn, []string{"COUNT"}); near != "" {
			hint = near
		}
		return nil, x.fail(e.span, hint, "%s(*) is not a call", upper(e.fn))
	case e.distinct, e.filter != nil:
		return nil, x.fail(e.span, "", "%s is no aggregate: DISTINCT and FILTER do not apply", upper(e.fn))
	case e.fn == "if":
		return x.ifCall(e)
	case e.fn == "decode" && len(e.args) != 2: // with two it reads bytes
		return x.decodeCall(e)
	case windowFunctionForms[e.fn] != "":
		return nil, x.fail(e.span, "write it in GROUP BY or in FROM", "%s is a window, not a value", upper(e.fn))
	}
	if form, ok := timeForms[e.fn]; ok {
		return form(x, e)
	}
	if c, ok := constants[e.fn]; ok && len(e.args) == 0 {
		return model.Lit(stream.Dbl(c)), nil
	}
	fn, ok := functionNames[e.fn]
	if !ok {
		return nil, x.unknownFunction(e)
	}
	args, err := x.arguments(e)
	if err != nil {
		return nil, err
	}
	if e.fn == "log" && len(args) == 1 {
		return nil, x.fail(e.span, "write LN(x) or LOG10(x)", "LOG without a base is LN to some and LOG10 to others")
	}
	fn, args = otherForm(e.fn, fn, args)
	if out, ok := decimalForm(fn, args); ok {
		return out, nil
	}
	switch fn {
	case "mod":
		if len(args) == 2 {
			return x.arithmetic(e, args)
		}
	case "concat":
		if len(args) == 1 {
			args = append(args, model.Lit(stream.Text("")))
		}
		return x.concat(e, args)
	case "date_trunc":
		if len(args) == 3 {
			if err := x.checkUnit(e, args[:2]); err != nil {
				return nil, err
			}
			return x.dateTruncIn(e, args)
		}
		if err := x.checkUnit(e, args); err != nil {
			return nil, err
		}
	case "date_format", "to_char", "to_timestamp":
		if err := x.checkTimePattern(e, fn, args); err != nil {
			return nil, err
		}
	}
	if err := x.checkPattern(e, fn, args); err != nil {
		return nil, err
	}
	return x.overload(e, fn, args)
}

func (x *exprs) checkUnit(e *expr, args []*model.Expr) error {
	if len(args) != 2 || !isLiteral(args[0]) || args[0].Type != stream.Varchar || args[0].Literal.Null {
		return nil
	}
	for _, u := range function.Units {
		if strings.EqualFold(u, args[0].Literal.S) {
			return nil
		}
	}
	return x.fail(e.args[0].span, suggest(args[0].Literal.S, function.Units), "DATE_TRUNC has no unit '%s'", shorten(args[0].Literal.S))
}

func (x *exprs) unknownFunction(e *expr) error {
	if hint, known := refusedFunctions[e.fn]; known {
		return x.fail(e.fnAt, hint, "the function %s is not supported yet", upper(e.fn))
	}
	candidates := append(keys(functionNames), keys(aggregateNames)...)
	candidates = append(candidates, "extract")
	for i := range candidates {
		candidates[i] = upper(candidates[i])
	}
	hint := suggest(upper(e.fn), candidates)
	if instead := foreignFunctions[e.fn]; instead != "" {
		hint = instead
	}
	return x.fail(e.fnAt, hint, "function %q does not exist", e.fn)
}

// ifCall is IF(condition, a, b), a CASE.
func (x *exprs) ifCall(e *expr) (*model.Expr, error) {
	if len(e.args) != 3 {
		return nil, x.fail(e.span, "write IF(condition, value, other value)", "IF takes 3 arguments, not %d", len(e.args))
	}
	c := *e
	c.kind = caseExpr
	return x.caseForm(&c)
}

// decodeCall is DECODE(x, a, b, .., other), a CASE in which NULL is equal to NULL.
func (x *exprs) decodeCall(e *expr) (*model.Expr, error) {
	if len(e.args) < 3 {
		return nil, x.fail(e.span, "write DECODE(x, a, b, other), or DECODE(text, 'hex')", "DECODE takes 2 arguments, or at least 3, not %d", len(e.args))
	}
	c := *e
	c.kind, c.args = caseExpr, nil
	rest := e.args[1:]
	for ; len(rest) > 1; rest = rest[2:] {
		c.args = append(c.args, operator(rest[0].span, "not_distinct", e.args[0], rest[0]), rest[1])
	}
	if len(rest) == 0 {
		rest = []*expr{{kind: literalExpr, span: e.span, value: stream.NullOf(stream.Invalid)}}
	}
	c.args = append(c.args, rest[0])
	return x.caseForm(&c)
}

func shownName(e *expr, f *function.Function) string {
	if n, ok := operatorNames[f.Name]; ok && e.operator {
		return n
	}
	if strings.HasPrefix(f.Name, "extract_") {
		return "EXTRACT"
	}
	if e.fn != f.Name && !e.operator {
		return upper(e.fn)
	}
	return strings.ToUpper(f.Name)
}

func typeList(args []*model.Expr) string {
	var out []string
	for _, a := range args {
		out = append(out, settle(a).Type.String())
	}
	return strings.Join(out, ", ")
}

// formsOf lists what a function takes.
func formsOf(f *function.Function) string {
	var out []string
	for _, s := range f.Signatures {
		var types []string
		for _, t := range s.Args {
			types = append(types, strings.ReplaceAll(t.String(), "INVALID", "T"))
		}
		out = append(out, "("+strings.Join(types, ", ")+")")
	}
	return "it takes " + strings.Join(out, " or ")
}

func (x *exprs) wrongCount(e *expr, f *function.Function, got int) error {
	counts := map[int]bool{}
	variadic := false
	for _, s := range f.Signatures {
		counts[len(s.Args)] = true
		variadic = variadic || s.Variadic
	}
	var sorted []int
	for c := range counts {
		sorted = append(sorted, c)
	}
	sort.Ints(sorted)
	wanted := fmt.Sprint(sorted[0])
	for _, c := range sorted[1:] {
		wanted += fmt.Sprintf(" or %d", c)
	}
	if variadic {
		wanted = "at least " + wanted
	}
	noun := "arguments"
	if wanted == "1" {
		noun = "argument"
	}
	return x.fail(e.span, "", "%s takes %s %s, not %d", shownName(e, f), wanted, noun, got)
}

// auxiliary functions of GROUP BY windows.
var auxiliary = map[string]stream.Role{
	"tumble_start": stream.WindowStart, "tumble_end": stream.WindowEnd, "tumble_rowtime": stream.WindowTime,
	"hop_start": stream.WindowStart, "hop_end": stream.WindowEnd, "hop_rowtime": stream.WindowTime,
	"session_start": stream.WindowStart, "session_end": stream.WindowEnd, "session_rowtime": stream.WindowTime,
}

// windowColumn resolves TUMBLE_END(ts, size) and the like to the window's column.
func (x *exprs) windowColumn(e *expr, role stream.Role) (*model.Expr, error) {
	kind, _, _ := strings.Cut(e.fn, "_")
	if x.window == nil {
		return nil, x.fail(e.span, "write GROUP BY "+upper(kind)+"(..), or use "+role.String(), "%s needs the same window in GROUP BY", upper(e.fn))
	}
	w, _, err := x.groupWindowArguments(e, kind)
	if err != nil {
		return nil, err
	}
	if len(e.args) > 0 && (w.size != x.window.size || w.slide != x.window.slide) {
		return nil, x.fail(e.span, "write the same arguments in both, or use "+role.String(), "%s has other arguments than the window in GROUP BY", upper(e.fn))
	}
	for _, t := range x.scope.tables {
		for i, f := range t.fields {
			if f.Role == role { // a column may have the name too
				return match{t, i}.expr(), nil
			}
		}
	}
	return nil, x.fail(e.span, "", "the window has no %s", role)
}
