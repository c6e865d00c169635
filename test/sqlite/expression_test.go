// Package sqlite_test compares the reference with SQLite, a database that owes nothing
// to this project, over generated expressions, rows and grouped windows - as far as
// both define the same: whole and floating arithmetic without overflow or division by
// zero, three-valued logic, CASE and its kin, text functions on ASCII, aggregates.
package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// expression is the same expression for both sides.
type expression struct {
	expr *model.Expr
	sql  string
}

// column is a column of the generated table.
type column struct {
	name string
	t    stream.Type
}

var columns = []column{
	{"ts", stream.Timestamp}, // whole seconds, not NULL; generated expressions leave it alone
	{"a", stream.BigInt}, {"b", stream.BigInt},
	{"x", stream.Double}, {"y", stream.Double},
	{"s", stream.Varchar}, {"u", stream.Varchar},
	{"p", stream.Boolean}, {"q", stream.Boolean},
}

var words = []string{"", "a", "A", "ab", "aB", "abc", "b%c", "a_c", " b ", "0", "zz", "b\\c"}

var patterns = []string{"%", "_", "a%", "%b%", "a_c", "", "b\\%c", "%\\_%", "A%", "__", "%c", "a%b%c", "b\\\\c"}

// randomValue draws a value small enough for products of several to stay exact.
func randomValue(r *rand.Rand, t stream.Type) stream.Value {
	if r.IntN(5) == 0 {
		return stream.NullOf(t)
	}
	return randomLiteral(r, t)
}

func randomLiteral(r *rand.Rand, t stream.Type) stream.Value {
	switch t {
	case stream.BigInt:
		return stream.Big(int64(r.IntN(21) - 10))
	case stream.Double:
		return stream.Dbl(float64(r.IntN(81)-40) / 4)
	case stream.Boolean:
		return stream.Bool(r.IntN(2) == 0)
	default:
		return stream.Text(words[r.IntN(len(words))])
	}
}

func literal(v stream.Value) expression {
	sql := v.String()
	switch {
	case v.Null:
		sql = "NULL"
	case v.Type == stream.Varchar:
		sql = "'" + v.S + "'"
	case v.Type == stream.Boolean:
		sql = fmt.Sprint(v.I)
	case v.Type == stream.Double && !strings.Contains(sql, "."):
		sql += ".0"
	}
	return expression{model.Lit(v), sql}
}

// generator makes random expressions.
type generator struct{ *rand.Rand }

func (g generator) pick(t stream.Type) expression {
	var of []int
	for i, c := range columns {
		if c.t == t {
			of = append(of, i)
		}
	}
	i := of[g.IntN(len(of))]
	return expression{model.Col(i, t), columns[i].name}
}

// call puts the SQL of the arguments into format.
func call(f string, t stream.Type, format string, args ...expression) expression {
	exprs, texts := make([]*model.Expr, len(args)), make([]any, len(args))
	for i, a := range args {
		exprs[i], texts[i] = a.expr, a.sql
	}
	return expression{model.Call(f, t, exprs...), "(" + fmt.Sprintf(format, texts...) + ")"}
}

// of makes an expression of type t, at most depth calls deep.
func (g generator) of(t stream.Type, depth int) expression {
	switch {
	case depth == 0 && g.IntN(4) == 0:
		return literal(randomValue(g.Rand, t))
	case depth == 0:
		return g.pick(t)
	case g.IntN(3) == 0:
		return g.conditional(t, depth-1)
	}
	switch t {
	case stream.BigInt:
		return g.whole(depth - 1)
	case stream.Double:
		return g.floating(depth - 1)
	case stream.Varchar:
		return g.text(depth - 1)
	default:
		return g.boolean(depth - 1)
	}
}

func (g generator) conditional(t stream.Type, depth int) expression {
	a, b, c := g.of(t, depth), g.of(t, depth), g.of(t, depth)
	p, q := g.of(stream.Boolean, depth), g.of(stream.Boolean, depth)
	switch g.IntN(6) {
	case 0:
		return call("case", t, "CASE WHEN %s THEN %s WHEN %s THEN %s ELSE %s END", p, a, q, b, c)
	case 1:
		return call("case", t, "CASE WHEN %s THEN %s ELSE %s END", p, a, b)
	case 2:
		return call("coalesce", t, "COALESCE(%s, %s, %s)", a, b, c)
	case 3:
		return call("nullif", t, "NULLIF(%s, %s)", a, b)
	case 4:
		return call("greatest", t, "MAX(%s, %s, %s)", a, b, c)
	default:
		return call("least", t, "MIN(%s, %s)", a, b)
	}
}

func (g generator) whole(depth int) expression {
	const t = stream.BigInt
	a, b := g.of(t, depth), g.of(t, depth)
	divisor := literal(stream.Big([]int64{-7, -2, 1, 3, 10}[g.IntN(5)]))
	switch g.IntN(9) {
	case 0:
		return call("add", t, "%s + %s", a, b)
	case 1:
		return call("sub", t, "%s - %s", a, b)
	case 2:
		return call("mul", t, "%s * %s", a, b)
	case 3:
		return call("div", t, "%s / %s", a, divisor)
	case 4:
		return call("mod", t, "%s %% %s", a, divisor)
	case 5:
		return call("neg", t, "- %s", a)
	case 6:
		return call("abs", t, "ABS(%s)", a)
	case 7:
		return call("cast", t, "CAST(%s AS INTEGER)", g.of(stream.Double, depth))
	default:
		n := call("length", stream.Integer, "LENGTH(%s)", g.of(stream.Varchar, depth))
		if g.IntN(2) == 0 {
			n = call("position", stream.Integer, "%s", g.of(stream.Varchar, 0), g.of(stream.Varchar, 0))
			n.sql = "INSTR(" + sqlOf(n, 1) + ", " + sqlOf(n, 0) + ")"
		}
		return expression{model.Call("cast", t, n.expr), n.sql}
	}
}

// sqlOf is the SQL of argument i, a column or literal, of a call.
func sqlOf(e expression, i int) string {
	a := e.expr.Args[i]
	if a.Kind == model.ColumnExpr {
		return columns[a.Column].name
	}
	return literal(a.Literal).sql
}

func (g generator) floating(depth int) expression {
	const t = stream.Double
	a, b := g.of(t, depth), g.of(t, depth)
	switch g.IntN(9) {
	case 0:
		return call("add", t, "%s + %s", a, b)
	case 1:
		return call("sub", t, "%s - %s", a, b)
	case 2:
		return call("mul", t, "%s * %s", a, b)
	case 3:
		return call("div", t, "%s / %s", a, literal(stream.Dbl(-2.5)))
	case 4:
		return call("neg", t, "- %s", a)
	case 5:
		return call("abs", t, "ABS(%s)", a)
	case 6:
		return call("floor", t, "FLOOR(%s)", a)
	case 7:
		return call("round", t, "ROUND(%s)", a)
	default:
		return call("cast", t, "CAST(%s AS REAL)", g.of(stream.BigInt, depth))
	}
}

func (g generator) text(depth int) expression {
	const t = stream.Varchar
	a, b := g.of(t, depth), g.of(t, depth)
	from, n := literal(stream.Big(int64(1+g.IntN(3)))), literal(stream.Big(int64(g.IntN(4))))
	switch g.IntN(10) {
	case 0:
		return call("concat", t, "%s || %s", a, b)
	case 1:
		return call("lower", t, "LOWER(%s)", a)
	case 2:
		return call("upper", t, "UPPER(%s)", a)
	case 3:
		return call("substring", t, "SUBSTR(%s, %s, %s)", a, from, n)
	case 4:
		return call("substring", t, "SUBSTR(%s, %s)", a, from)
	case 5:
		return call("trim", t, "TRIM(%s)", a)
	case 6:
		return call("ltrim", t, "LTRIM(%s)", a)
	case 7:
		return call("rtrim", t, "RTRIM(%s)", a)
	case 8: // not of nothing by NULL, which SQLite takes as no change
		old := literal(stream.Text(words[1+g.IntN(len(words)-1)]))
		return call("replace", t, "REPLACE(%s, %s, %s)", a, old, b)
	default:
		return call("cast", t, "CAST(%s AS TEXT)", g.of(stream.BigInt, depth))
	}
}

var comparisons = []struct{ name, sql string }{
	{"eq", "="}, {"ne", "<>"}, {"lt", "<"}, {"le", "<="}, {"gt", ">"}, {"ge", ">="},
	{"distinct", "IS NOT"}, {"not_distinct", "IS"},
}

func (g generator) boolean(depth int) expression {
	const t = stream.Boolean
	p, q := g.of(t, depth), g.of(t, depth)
	other := []stream.Type{stream.BigInt, stream.Double, stream.Varchar, stream.Boolean}[g.IntN(4)]
	a, b, c := g.of(other, depth), g.of(other, depth), g.of(other, depth)
	switch g.IntN(11) {
	case 0:
		return call("and", t, "%s AND %s", p, q)
	case 1:
		return call("or", t, "%s OR %s", p, q)
	case 2:
		return call("not", t, "NOT %s", p)
	case 3:
		return call("is_true", t, "%s IS TRUE", p)
	case 4:
		return call("is_false", t, "%s IS FALSE", p)
	case 5:
		return call("is_null", t, "%s IS NULL", a)
	case 6:
		return call("is_not_null", t, "%s IS NOT NULL", a)
	case 7:
		return call("in", t, "%s IN (%s, %s)", a, b, c)
	case 8:
		pattern := literal(stream.Text(patterns[g.IntN(len(patterns))]))
		return call("like", t, `%s LIKE %s ESCAPE '\'`, g.of(stream.Varchar, depth), pattern)
	default:
		op := comparisons[g.IntN(len(comparisons))]
		return call(op.name, t, "%s "+op.sql+" %s", a, b)
	}
}
