package random

import (
	"fmt"
	"regexp"
	"strings"
)

// order is ORDER BY the keys, or some of them, and LIMIT and OFFSET, at least one of the
// three.
func (g *generator) order(keys ...string) string {
	text := ""
	for _, k := range keys {
		if g.r.IntN(3) == 0 {
			continue
		}
		text += []string{" ORDER BY ", ", "}[min(len(text), 1)] + k + []string{"", " ASC", " DESC"}[g.r.IntN(3)] +
			[]string{"", "", " NULLS FIRST", " NULLS LAST"}[g.r.IntN(4)]
	}
	limit := fmt.Sprintf(" LIMIT %d", g.r.IntN(7))
	switch g.r.IntN(8) {
	case 0:
		return text + limit + fmt.Sprintf(" OFFSET %d", g.r.IntN(4))
	case 1:
		return text + fmt.Sprintf(" OFFSET %d ROWS FETCH NEXT %d ROWS ONLY", g.r.IntN(3), 1+g.r.IntN(30))
	case 2, 3:
		return text + limit
	}
	if text == "" {
		return limit
	}
	return text
}

var (
	quotedText = regexp.MustCompile(`'[^']*'`)
	columnName = regexp.MustCompile(`\b(k|x|g|y|r|d|b|w|v|ms|dt|tm|sm|ti)\b`)
)

// varying draws until the expression reads a column: a constant is no order.
func varying(draw func() string) string {
	for {
		if e := draw(); columnName.MatchString(quotedText.ReplaceAllString(e, "")) {
			return e
		}
	}
}

// sorted is a query of any shape in another order.
func (g *generator) sorted() *query {
	e := g.exprs("")
	switch g.r.IntN(5) {
	case 0:
		d := g.any()
		text := "SELECT " + g.list(2, func() string { return e.scalar(1) }) + ", x FROM " + d.name + e.where() + g.order("c0", "3", varying(func() string { return e.scalar(1) }))
		return newQuery(text, "sorted", "none", []*data{d})
	case 1:
		w := g.closing()
		text := g.grouped(w.from, w.group, w.cols[:1], "") + g.order("a0", "COUNT(*)", e.pick("1", "2"))
		return newQuery(text, "sorted", w.kind, []*data{w.data})
	case 2:
		w := g.closing()
		if strings.HasPrefix(w.kind, "group-") {
			return nil
		}
		inner := "SELECT k, x, r, g FROM " + w.from + e.where() + g.order("r", varying(func() string { return e.integer(1) }), "g")
		text := "SELECT k, COUNT(*) AS n, MAX(x) AS x, MIN(g) AS g FROM (" + inner + ") AS v GROUP BY k" + g.order("n")
		return newQuery(text, "sorted", w.kind, []*data{w.data})
	case 3:
		w := g.closing()
		if strings.HasPrefix(w.kind, "group-") {
			return nil
		}
		text := "SELECT " + strings.Join(w.cols, ", ") + ", k, d, y FROM " + w.from + e.where() + g.order("d", "k", varying(func() string { return e.scalar(1) }))
		return newQuery(text, "sorted", w.kind, []*data{w.data})
	default:
		q := g.next()
		if len(q.also) > 0 || q.operator == "port" || strings.Contains(q.operator, "error") {
			return nil
		}
		c := *q
		c.sql += g.order("1")
		c.operator, c.window = "sorted", "others"
		if strings.Contains(q.sql, " LIMIT ") || strings.Contains(q.sql, "ORDER BY") || strings.Contains(q.sql, " OFFSET ") {
			c.sql = q.sql
		}
		return &c
	}
}
