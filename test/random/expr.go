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
	a, b := e.integer(depth-1), e.integer(depth-1)
	switch e.r.IntN(9) {
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

func (e exprs) number(depth int) string {
	if depth == 0 {
		return e.pick(e.col("y"), e.col("r"), e.col("d"), e.col("x"))
	}
	a, b := e.number(depth-1), e.number(depth-1)
	switch e.r.IntN(7) {
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
	switch e.r.IntN(6) {
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
	switch e.r.IntN(9) {
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
	switch e.r.IntN(6) {
	case 0, 1:
		return e.integer(depth)
	case 2:
		return e.number(depth)
	case 3:
		return e.text(depth)
	case 4:
		return e.boolean(depth)
	default:
		return e.col("ms")
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
	switch e.r.IntN(6) {
	case 0:
		return "COUNT(*)" + filter
	case 1:
		call = "COUNT(" + distinct + e.pick(e.integer(1), e.text(1)) + ")"
	case 2:
		call = "SUM(" + distinct + e.number(e.r.IntN(2)) + ")"
	case 3:
		call = "AVG(" + distinct + e.number(e.r.IntN(2)) + ")"
	case 4:
		call = "MIN(" + e.pick(e.number(0), e.text(0), e.col("b"), e.col("ms")) + ")"
	default:
		call = "MAX(" + e.pick(e.number(0), e.text(0), e.integer(1)) + ")"
	}
	return call + filter
}

// keys are grouping expressions.
func (e exprs) keys() []string {
	options := []string{e.col("k"), e.col("g"), e.col("b"), e.col("x") + " % 3", e.col("d"), e.col("r"), "UPPER(" + e.col("g") + ")"}
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
