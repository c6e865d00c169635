package random

import (
	"fmt"
	"strings"
)

// outerJoin makes a LEFT or RIGHT JOIN of two windows of an inner join's parts: with conditions
// of one side, that fail, and on what is NULL for rows without partner.
func (g *generator) outerJoin(kind, sel, l, r, on, where string) *query {
	e := g.exprs("")
	on += e.pick("", "", "", " AND p.x > 2", " AND q.x > 2", " AND 10 / p.x < 9", " AND 10 / q.x < 9", " AND 10 / (p.x - q.x) < 5", " AND p.b")
	if !strings.Contains(where, "GROUP") {
		if kind == "range" {
			sel += e.pick("", ", q.window_end AS qe")
		}
		where += map[bool]string{true: " AND ", false: " WHERE "}[where != ""] + e.pick("TRUE", "q.k IS NULL", "q.x IS DISTINCT FROM 3", "COALESCE(q.x, p.x) > 0", "p.k = q.k")
	}
	join := l + " LEFT JOIN " + r
	if g.r.IntN(4) == 0 {
		join = r + " RIGHT OUTER JOIN " + l
	}
	return newQuery(fmt.Sprintf("SELECT %s FROM %s ON %s%s", sel, join, on, where), "window-join", "left-"+kind, []*data{g.a, g.b})
}

// outerLookup makes a LEFT or RIGHT JOIN of a stream and a table.
func (g *generator) outerLookup() *query {
	d, e := g.any(), g.exprs("")
	on := e.pick("s.k = t.k", "s.k = t.k AND s.x < t.x", "s.g = t.g", "t.k = s.k AND t.x > 2", "s.k = t.k AND s.b", "s.k = t.k AND 10 / (s.x - t.x) < 4",
		"12 / s.x = t.x", "s.k = t.k AND s.g = t.g", g.typedKey("s", "t"))
	join := e.pick(d.name+" AS s LEFT JOIN t", d.name+" AS s LEFT OUTER JOIN t", "t RIGHT JOIN "+d.name+" AS s")
	if d.timed && g.r.IntN(2) == 0 {
		w := fmt.Sprintf(" [RANGE %s SLIDE %s]", span(5000), span(g.duration()))
		key := e.pick("t.g", "t.x", "s.k", "COALESCE(t.k, s.k)")
		value := e.pick("COUNT(*)", "COUNT(t.k)", "MAX(t.x)", "SUM(t.x + s.x)", "MIN(s.y)")
		join = strings.Replace(join, d.name+" AS s", d.name+w+" AS s", 1)
		if strings.HasPrefix(join, "t ") {
			join = d.name + w + " AS s LEFT JOIN t"
		}
		return newQuery(fmt.Sprintf("SELECT window_end, %s AS g, %s AS n FROM %s ON %s GROUP BY %s", key, value, join, on, key), "lookup", "left-range", []*data{d, g.t})
	}
	where := e.pick("", "", " WHERE t.k IS NULL", " WHERE t.x > 2 OR s.x > 2", " WHERE s.x > 2", " WHERE t.g = s.g", " WHERE COALESCE(t.x, -1) < s.x")
	return newQuery(fmt.Sprintf("SELECT s.ms AS ms, s.x AS x, t.x AS tx, t.g AS tg, t.k IS NULL AS alone FROM %s ON %s%s", join, on, where), "lookup", "left", []*data{d, g.t})
}
