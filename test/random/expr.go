package random

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// exprs generates scalar expressions as SQL text. prefix qualifies columns ("" or "a.").
type exprs struct {
	r      *rand.Rand
	prefix string
}

func (e exprs) col(name string) string { return e.prefix + name }

func (e exprs) pick(options ...string) string { return options[e.r.IntN(len(options))] }

func (e exprs) integer(depth int) string {
	if depth == 0 {
		return e.pick(e.col("k"), e.col("x"), e.col("x"), fmt.Sprint(e.r.IntN(9)-2))
	}
	if e.r.IntN(5) == 0 {
		return e.form('i', depth-1)
	}
	a, b := e.integer(depth-1), e.integer(depth-1)
	switch e.r.IntN(14) {
	case 9:
		return fmt.Sprintf("%s(%s, %s)", e.pick("NULLIF", "GREATEST", "LEAST"), a, b)
	case 10:
		return fmt.Sprintf("CAST(%s AS INTEGER)", e.pick(e.boolean(depth-1), e.number(depth-1), e.text(depth-1)))
	case 11:
		return fmt.Sprintf("TRY_CAST(%s AS INTEGER)", e.pick(e.number(depth-1), e.text(depth-1)))
	case 12:
		return fmt.Sprintf("POSITION(%s IN %s)", e.pick("'e'", "''", "'ë'"), e.text(depth-1))
	case 13:
		return fmt.Sprintf("%s(-(%s))", e.pick("ABS", "SIGN", "FLOOR", "ROUND"), a)
	case 0:
		return fmt.Sprintf("(%s + %s)", a, b)
	case 1:
		return fmt.Sprintf("(%s - %s)", a, b)
	case 2:
		return fmt.Sprintf("(%s * %s)", a, b)
	case 3:
		return fmt.Sprintf("(%s / %s)", a, b)
	case 4:
		return fmt.Sprintf("(%s %% %s)", a, b)
	case 5:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", e.boolean(depth-1), a, b)
	case 6:
		return fmt.Sprintf("COALESCE(%s, %s)", a, b)
	case 7:
		return fmt.Sprintf("CHAR_LENGTH(%s)", e.text(depth-1))
	default:
		return a
	}
}

// float is a floating point expression whose value need not be exact.
func (e exprs) float(depth int) string {
	if e.r.IntN(3) == 0 {
		return e.form('f', depth)
	}
	a := e.number(depth)
	switch e.r.IntN(9) {
	case 0:
		return fmt.Sprintf("SQRT(%s)", a)
	case 1:
		return fmt.Sprintf("LN(%s)", a)
	case 2:
		return fmt.Sprintf("EXP(%s / 100)", a)
	case 3:
		return fmt.Sprintf("POWER(%s, 2)", a)
	case 4:
		return fmt.Sprintf("(%s / %s)", a, e.number(0))
	case 5:
		return fmt.Sprintf("(%s %% %s)", a, e.pick(e.col("d"), e.col("r")))
	case 6:
		return fmt.Sprintf("EXTRACT(EPOCH FROM %s)", e.pick(e.timestamp(1), e.interval(1)))
	case 7:
		return fmt.Sprintf("TRY_CAST(%s AS DOUBLE)", e.text(1))
	default:
		return fmt.Sprintf("CAST(%s AS REAL)", a)
	}
}

// number is a numeric expression; sums of its values are exact.
func (e exprs) number(depth int) string {
	if depth == 0 {
		return e.pick(e.col("y"), e.col("r"), e.col("d"), e.col("x"))
	}
	a, b := e.number(depth-1), e.number(depth-1)
	switch e.r.IntN(9) {
	case 7:
		return fmt.Sprintf("%s(%s)", e.pick("FLOOR", "CEIL", "ROUND", "SIGN"), a)
	case 8:
		return fmt.Sprintf("%s(%s, %s)", e.pick("NULLIF", "GREATEST", "LEAST", "COALESCE"), a, b)
	case 0:
		return fmt.Sprintf("(%s + %s)", a, b)
	case 1:
		return fmt.Sprintf("(%s - %s)", a, b)
	case 2:
		return fmt.Sprintf("(%s * 2)", a)
	case 3:
		return fmt.Sprintf("ABS(%s)", a)
	case 4:
		return fmt.Sprintf("CAST(%s AS DOUBLE)", a)
	case 5:
		return e.integer(depth - 1)
	default:
		return a
	}
}

func (e exprs) text(depth int) string {
	if depth == 0 {
		return e.pick(e.col("g"), e.col("g"), "'green'", "'a,b'")
	}
	if e.r.IntN(4) == 0 {
		return e.form('t', depth-1)
	}
	switch e.r.IntN(10) {
	case 6:
		if e.r.IntN(3) == 0 {
			if e.r.IntN(2) == 0 {
				return fmt.Sprintf("JSON_VALUE(%s, '$.a' DEFAULT %s ON EMPTY DEFAULT 'bad' ON ERROR)", e.pick(e.text(depth-1), `'{"a": 1}'`, "'[]'"), e.text(0))
			}
			return fmt.Sprintf("DECODE(%s, 1, %s, NULL, 'none'%s)", e.integer(0), e.text(0), e.pick("", ", "+e.text(0)))
		}
		return fmt.Sprintf("%s(%s)", e.pick("LOWER", "TRIM", "LTRIM", "RTRIM"), e.text(depth-1))
	case 7:
		return fmt.Sprintf("REPLACE(%s, 'e', %s)", e.text(depth-1), e.text(0))
	case 8:
		return fmt.Sprintf("CAST(%s AS VARCHAR)", e.pick(e.timestamp(depth-1), e.interval(depth-1), e.number(depth-1), e.boolean(depth-1)))
	case 9:
		return fmt.Sprintf("SUBSTRING(%s FROM %s FOR %s)", e.text(depth-1), e.integer(0), e.integer(0))
	case 0:
		return fmt.Sprintf("UPPER(%s)", e.text(depth-1))
	case 1:
		return fmt.Sprintf("(%s || '-' || %s)", e.text(depth-1), e.text(depth-1))
	case 2:
		return fmt.Sprintf("SUBSTRING(%s, 2, 3)", e.text(depth-1))
	case 3:
		return fmt.Sprintf("CAST(%s AS VARCHAR)", e.integer(depth-1))
	case 4:
		return fmt.Sprintf("COALESCE(%s, 'none')", e.text(depth-1))
	default:
		return e.text(depth - 1)
	}
}

func (e exprs) boolean(depth int) string {
	if depth > 0 {
		switch e.r.IntN(5) {
		case 0:
			return fmt.Sprintf("(%s AND %s)", e.boolean(depth-1), e.boolean(depth-1))
		case 1:
			return fmt.Sprintf("(%s OR %s)", e.boolean(depth-1), e.boolean(depth-1))
		case 2:
			return fmt.Sprintf("NOT (%s)", e.boolean(depth-1))
		}
	}
	d := max(depth-1, 0)
	if depth > 0 && e.r.IntN(5) == 0 {
		return e.form('b', d)
	}
	switch e.r.IntN(16) {
	case 14, 15:
		return e.typedCondition(d)
	case 9:
		return fmt.Sprintf("%s %s %s", e.timestamp(d), e.compare(), e.timestamp(0))
	case 10:
		return fmt.Sprintf("%s %s %s", e.interval(d), e.compare(), e.interval(0))
	case 11:
		return fmt.Sprintf("%s %s", e.pick(e.col("b"), e.integer(0)+" > 2"), e.pick("IS TRUE", "IS FALSE", "IS NOT TRUE", "IS NOT FALSE"))
	case 12:
		return fmt.Sprintf("STARTS_WITH(%s, %s)", e.text(d), e.pick("'gr'", "''", e.col("g")))
	case 13:
		return fmt.Sprintf("%s %sIN (%s, NULL, %s)", e.text(d), e.pick("", "NOT "), e.text(0), e.text(0))
	case 0:
		return e.col("b")
	case 1:
		return fmt.Sprintf("%s IS NULL", e.pick(e.col("k"), e.col("g"), e.col("d")))
	case 2:
		return fmt.Sprintf("%s LIKE '%s'", e.text(d), e.pick("%e%", "g_een", "", "%"))
	case 3:
		return fmt.Sprintf("%s IN (%s, 2, 3)", e.integer(d), e.integer(0))
	case 4:
		return fmt.Sprintf("%s BETWEEN %s AND 9", e.integer(d), e.integer(0))
	case 5:
		return fmt.Sprintf("%s IS NOT DISTINCT FROM %s", e.integer(0), e.integer(0))
	case 6:
		return fmt.Sprintf("%s %s %s", e.text(d), e.compare(), e.text(0))
	case 7:
		return fmt.Sprintf("%s %s %s", e.number(d), e.compare(), e.number(0))
	default:
		return fmt.Sprintf("%s %s %s", e.integer(d), e.compare(), e.integer(0))
	}
}

func (e exprs) compare() string { return e.pick("=", "<>", "<", "<=", ">", ">=") }

// scalar is any expression.
func (e exprs) scalar(depth int) string {
	if e.r.IntN(3) == 0 {
		return e.anyForm(depth - 1)
	}
	switch e.r.IntN(12) {
	case 9, 10, 11:
		return e.typed(depth)
	case 5:
		return e.timestamp(depth)
	case 6:
		return e.interval(depth)
	case 7:
		return e.float(depth)
	case 0, 1:
		return e.integer(depth)
	case 2:
		return e.number(depth)
	case 3:
		return e.text(depth)
	case 4:
		return e.boolean(depth)
	default:
		return e.pick(e.col("ms"), e.part())
	}
}

// aggregate is a call of an aggregate function.
func (e exprs) aggregate() string {
	distinct, filter := "", ""
	if e.r.IntN(5) == 0 {
		distinct = "DISTINCT "
	}
	if e.r.IntN(4) == 0 {
		filter = " FILTER (WHERE " + e.boolean(1) + ")"
	}
	var call string
	if e.r.IntN(3) == 0 {
		return e.fold() + filter
	}
	switch e.r.IntN(8) {
	case 7:
		call = e.pick("SUM", "AVG") + "(" + distinct + e.pick(e.small(e.r.IntN(2)), e.decimal(e.r.IntN(2)), e.col("dc"), e.col("dw")) + ")"
	case 0:
		return "COUNT(*)" + filter
	case 1:
		call = "COUNT(" + distinct + e.pick(e.integer(1), e.text(1), e.timestamp(1), e.interval(0), e.col("d"), e.typed(1)) + ")"
		if distinct == "" && e.r.IntN(6) == 0 {
			call = "COUNT(" + e.json(1) + ")"
		}
	case 2:
		call = "SUM(" + distinct + e.number(e.r.IntN(2)) + ")"
	case 3:
		call = "AVG(" + distinct + e.number(e.r.IntN(2)) + ")"
	case 4:
		call = "MIN(" + e.extreme() + ")"
	case 5:
		call = "MAX(" + e.extreme() + ")"
	default:
		call = e.pick("SUM", "AVG") + "(" + distinct + e.col("v") + ")"
	}
	return call + filter
}

// fold is a call of an aggregate beyond the basic ones, of which no device has a kernel.
func (e exprs) fold() string {
	distinct := ""
	if e.r.IntN(5) == 0 {
		distinct = "DISTINCT "
	}
	numbers := func() string { return e.pick(e.col("y"), e.col("r"), e.col("d")) }
	share := e.pick("0", "0.5", "0.95", "0.333", "1")
	switch e.r.IntN(10) {
	case 9:
		return e.arrayOfRows(distinct)
	case 4:
		x := e.text(1)
		order := e.pick("", " ORDER BY "+x+e.pick("", " DESC"))
		if distinct == "" && order != "" {
			order = " ORDER BY " + e.extreme() + e.pick("", " DESC", " DESC NULLS LAST", " NULLS FIRST")
		}
		return e.pick("STRING_AGG", "LISTAGG") + "(" + distinct + x + e.pick(", ','", ", ''", "") + order + ")"
	case 5:
		return e.pick("MIN_BY", "MAX_BY") + "(" + e.extreme() + ", " + e.extreme() + ")"
	case 6:
		return e.pick("APPROX_PERCENTILE", "PERCENTILE_CONT") + "(" + distinct + e.pick(numbers(), e.number(1)) + ", " + share + ")"
	case 7:
		return "PERCENTILE_DISC(" + share + ") WITHIN GROUP (ORDER BY " + e.extreme() + ")"
	case 8:
		return e.pick("CORR", "COVAR_POP", "COVAR_SAMP") + "(" + numbers() + ", " + numbers() + ")"
	case 0:
		return e.pick("BOOL_AND", "BOOL_OR", "EVERY") + "(" + e.boolean(1) + ")"
	case 1:
		return e.pick("FIRST_VALUE", "LAST_VALUE") + "(" + e.pick(e.extreme(), e.extreme(), e.json(0)) + ")"
	case 2:
		return "APPROX_COUNT_DISTINCT(" + e.extreme() + ")"
	}
	return e.pick("VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV") + "(" + distinct + e.pick(e.integer(1), e.col("y"), e.col("r"), e.col("d")) + ")"
}

// arrayOfRows is ARRAY_AGG in all its forms.
func (e exprs) arrayOfRows(distinct string) string {
	x, by := e.extreme(), e.extreme()
	for strings.Contains(x, "LTZ") { // no element of an ARRAY yet
		x = e.extreme()
	}
	if distinct != "" {
		by = x
	}
	inside, behind := e.pick("", "", " RESPECT NULLS", " IGNORE NULLS"), ""
	if e.r.IntN(3) == 0 {
		inside, behind = "", inside
	}
	if e.r.IntN(2) == 0 {
		inside += " ORDER BY " + by + e.pick("", " DESC", " DESC NULLS LAST", " NULLS FIRST")
	}
	return "ARRAY_AGG(" + distinct + x + inside + ")" + behind
}

// extreme is an argument of MIN or MAX, of any type.
func (e exprs) extreme() string {
	if e.r.IntN(10) == 0 {
		return e.pick(e.col("bt"), e.col("ai"), e.col("av"), e.col("ro"))
	}
	return e.pick(e.number(0), e.text(0), e.integer(1), e.col("b"), e.col("ms"), e.col("y"), e.col("r"), e.col("d"), e.timestamp(1), e.interval(1), e.float(0),
		e.typed(1), e.typed(0))
}

// having is a condition over groups.
func (e exprs) having() string {
	return e.pick("COUNT(*) > 1", "MAX(x) > 3", "AVG(d) < 100", "SUM(k) IS NOT NULL", "MAX(x) - MIN(x) >= COUNT(*)",
		"SUM(d) / COUNT(d) < AVG(r) OR COUNT(DISTINCT g) > 1", "MAX(w) > MIN(w) + INTERVAL '1' SECOND", "10 / COUNT(k) > 2")
}

// keys are grouping expressions.
func (e exprs) keys() []string {
	options := []string{e.col("k"), e.col("g"), e.col("b"), e.col("x") + " % 3", e.col("d"), e.col("r"), "UPPER(" + e.col("g") + ")",
		e.col("dt"), e.col("tm"), e.col("sm"), e.col("ti"), e.col("dc"), e.col("dw"), e.col("bt"), "(" + e.col("dt") + " + " + e.col("ti") + ")", e.col("w"), e.col("v"), "DATE_TRUNC('minute', " + e.col("w") + ")"}
	if e.seldom() {
		options = append(options, e.col("ai"), e.col("av"), e.col("ro"), e.ints(1), e.record())
	}
	n := pickWeighted(e.r, 3, 6, 3, 1)
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		k := options[e.r.IntN(len(options))]
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

func (e exprs) where() string {
	if e.r.IntN(2) == 0 {
		return ""
	}
	n := 1 + e.r.IntN(2)
	parts := make([]string, n)
	for i := range parts {
		parts[i] = e.boolean(1 + e.r.IntN(2))
	}
	return " WHERE " + strings.Join(parts, " AND ")
}
