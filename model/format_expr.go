package model

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// String is the expression in the text form of models: $2:REAL for a column,
// 'value':TYPE for a literal, f(args):TYPE for a call.
func (e *Expr) String() string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e *Expr) write(b *strings.Builder) {
	if e == nil {
		return
	}
	switch e.Kind {
	case ColumnExpr:
		b.WriteString("$" + strconv.Itoa(e.Column))
	case LiteralExpr:
		b.WriteString(literalText(e.Literal))
	case CallExpr:
		b.WriteString(word(e.Func) + "(")
		for i, a := range e.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			a.write(b)
		}
		b.WriteByte(')')
	}
	b.WriteString(":" + e.Type.String())
}

// literalText writes a value so that parseLiteral reads it back exactly. Times are
// written as people read them where that is exact.
func literalText(v stream.Value) string {
	switch {
	case v.Null:
		return "NULL"
	case v.Type == stream.Boolean:
		return strings.ToUpper(strconv.FormatBool(v.I != 0))
	case v.Type.Storage() == stream.Varchar && !v.Type.IsDecimal() && !v.Type.IsNested():
		return strconv.Quote(v.S)
	case v.Type.IsNested():
		text := v.String()
		if raw, ok := stream.ParseNested(nil, v.Type, []byte(text)); !ok || string(raw) != v.S {
			text = v.S // as it is written, where JSON is not exact
		}
		return strconv.Quote(text)
	case v.Type.IsFloat():
		return string(stream.AppendDouble(nil, v.F, floatBits(v.Type)))
	case v.Type.IsDecimal():
		return v.String()
	case v.Type == stream.Timestamp:
		if text := stream.FormatTimestamp(v.I); readsBack(text, v.I, stream.ParseTimestamp) {
			return strconv.Quote(text)
		}
	case v.Type == stream.Interval:
		if text := stream.FormatInterval(v.I); readsBack(text, v.I, stream.ParseInterval) {
			return strconv.Quote(text)
		}
	case v.Type == stream.Date || v.Type == stream.TimeOfDay:
		return strconv.Quote(v.String())
	}
	return strconv.FormatInt(v.I, 10)
}

func readsBack(text string, v int64, parse func(string) (int64, bool)) bool {
	back, ok := parse(text)
	return ok && back == v
}

func floatBits(t stream.Type) int {
	if t == stream.Real {
		return 32
	}
	return 64
}

// binaryOperators are the calls that SQL writes between their arguments.
var binaryOperators = map[string]string{
	"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "concat": "||",
	"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
	"distinct": "IS DISTINCT FROM", "not_distinct": "IS NOT DISTINCT FROM",
	"and": "AND", "or": "OR", "like": "LIKE", "similar": "SIMILAR TO",
	"bit_and": "&", "bit_or": "|", "bit_xor": "#", "shift_left": "<<", "shift_right": ">>", "json_get": "->", "json_get_text": "->>",
	"zone_reading": "AT TIME ZONE", "zone_instant": "AT TIME ZONE",
}

// callNames are the functions that SQL writes like another one.
var callNames = map[string]string{"round_to": "ROUND", "truncate_to": "TRUNCATE", "bit_not": "~", "timestamp_add": "TIMESTAMPADD", "timestamp_diff": "TIMESTAMPDIFF"}

// postfixOperators are the calls that SQL writes behind their argument.
var postfixOperators = map[string]string{
	"is_null": "IS NULL", "is_not_null": "IS NOT NULL", "is_true": "IS TRUE", "is_false": "IS FALSE",
}

// SQL is the expression as a user would write it, with column names from fields. It is
// for people: casts that only widen are left out, and it need not parse.
func (e *Expr) SQL(fields []stream.Field) string { return e.sql(fields, true) }

func (e *Expr) sql(fields []stream.Field, top bool) string {
	switch {
	case e == nil:
		return ""
	case e.Kind == ColumnExpr && e.Column >= 0 && e.Column < len(fields):
		return fields[e.Column].Name
	case e.Kind == ColumnExpr:
		return "$" + strconv.Itoa(e.Column)
	case e.Kind == LiteralExpr:
		return literalSQL(e.Literal)
	case e.Func == "cast" && len(e.Args) == 1 && !castMayErr(e.Args[0].Type, e.Type) && e.Type.IsNumeric():
		return e.Args[0].sql(fields, top)
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.sql(fields, false)
	}
	text, open := e.callSQL(args)
	if open && !top {
		return "(" + text + ")"
	}
	return text
}

// callSQL also says whether the text needs parentheses inside another expression.
func (e *Expr) callSQL(args []string) (text string, open bool) {
	if op, ok := binaryOperators[e.Func]; ok && len(args) >= 2 {
		return strings.Join(args, " "+op+" "), true
	}
	if len(args) == 1 {
		if op, ok := postfixOperators[e.Func]; ok {
			return args[0] + " " + op, true
		}
		switch e.Func {
		case "neg":
			return "-" + args[0], true
		case "not":
			return "NOT " + args[0], true
		case "cast", "try_cast":
			return strings.ToUpper(e.Func) + "(" + args[0] + " AS " + e.Type.String() + ")", false
		}
		if unit, ok := strings.CutPrefix(e.Func, "extract_"); ok {
			return "EXTRACT(" + strings.ToUpper(unit) + " FROM " + args[0] + ")", false
		}
	}
	if text, ok := e.nestedSQL(args); ok {
		return text, false
	}
	switch {
	case e.Func == "in" && len(args) > 1:
		return args[0] + " IN (" + strings.Join(args[1:], ", ") + ")", true
	case e.Func == "time_cut" && len(args) == 2:
		return "CAST(" + args[0] + " AS " + e.Type.String() + "(" + args[1] + "))", false
	case e.Func == "case" && len(args) > 2:
		return caseSQL(args), false
	}
	name, other := callNames[e.Func]
	if !other {
		name = strings.ToUpper(e.Func)
	}
	if f, ok := function.Lookup(e.Func); ok && !f.Syntax {
		name = f.SQL
	}
	return name + "(" + strings.Join(args, ", ") + ")", false
}

// nestedSQL writes what SQL has brackets and points for.
func (e *Expr) nestedSQL(args []string) (text string, ok bool) {
	switch {
	case e.Func == "array":
		return "ARRAY[" + strings.Join(args, ", ") + "]", true
	case e.Func == "element_at" && len(args) == 2:
		return args[0] + "[" + args[1] + "]", true
	case e.Func == "equals_any" && len(args) == 2:
		return args[0] + " = ANY(" + args[1] + ")", true
	case e.Func == "member" && len(args) == 2:
		if m, ok := memberOf(e); ok {
			return args[0] + "." + m.Name, true
		}
	}
	return "", false
}

func caseSQL(args []string) string {
	var b strings.Builder
	b.WriteString("CASE")
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" WHEN " + args[i] + " THEN " + args[i+1])
	}
	if len(args)%2 == 1 {
		b.WriteString(" ELSE " + args[len(args)-1])
	}
	return b.String() + " END"
}

func literalSQL(v stream.Value) string {
	switch {
	case v.Null:
		return "NULL"
	case v.Type == stream.Bytes:
		return "X'" + hex.EncodeToString([]byte(v.S)) + "'"
	case v.Type == stream.JSON:
		return "JSON '" + strings.ReplaceAll(v.S, "'", "''") + "'"
	case v.Type == stream.Varchar:
		return "'" + strings.ReplaceAll(v.S, "'", "''") + "'"
	case v.Type.IsTime():
		return v.Type.String() + " '" + v.String() + "'"
	case v.Type == stream.Boolean:
		return strings.ToUpper(v.String())
	case v.Type.IsNested():
		return "CAST('" + strings.ReplaceAll(v.String(), "'", "''") + "' AS " + v.Type.String() + ")"
	case v.Type.IsFloat() && !math.IsNaN(v.F) && !math.IsInf(v.F, 0) && v.F == math.Trunc(v.F) && math.Abs(v.F) < 1e15:
		return strconv.FormatFloat(v.F, 'f', 1, 64)
	}
	return v.String()
}

func (g Agg) sql(fields []stream.Field) string {
	arg := "*"
	if g.Arg != nil {
		arg = g.Arg.SQL(fields)
	}
	if g.Func == ArrayAgg && g.Arg.Func == "array" && len(g.Arg.Args) == 1 {
		arg = g.Arg.Args[0].SQL(fields)
	}
	if g.Distinct {
		arg = "DISTINCT " + arg
	}
	if g.By != nil && !g.Func.Orders() {
		arg += ", " + g.By.SQL(fields)
	}
	for _, p := range g.Params {
		arg += ", " + literalSQL(p)
	}
	if g.By != nil && g.Func.Orders() {
		arg += " ORDER BY " + g.By.SQL(fields)
		if g.Descending {
			arg += " DESC"
		}
		if g.NullsFirst != g.Descending {
			arg += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[g.NullsFirst]
		}
	}
	text := strings.ToUpper(string(g.Func)) + "(" + arg + ")"
	if g.Filter != nil {
		text += " FILTER (WHERE " + g.Filter.SQL(fields) + ")"
	}
	return text
}

func (u *Unnest) sql(in []stream.Field) string {
	text := "UNNEST(" + u.Array.SQL(in) + ")"
	if u.Ordinality {
		text += " WITH ORDINALITY"
	}
	if u.Outer {
		text = "LEFT JOIN " + text
	}
	return text
}

// extraWords are a call's second argument and parameters in the text form.
func (g Agg) extraWords() (words []string) {
	if g.By != nil {
		words = append(words, "by", g.By.String())
		if g.Descending {
			words = append(words, "desc")
		}
		if g.NullsFirst {
			words = append(words, "nulls-first")
		}
	}
	for _, p := range g.Params {
		words = append(words, "with", Lit(p).String())
	}
	return words
}
