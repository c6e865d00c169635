package random

import (
	"fmt"
	"strings"
)

// Queries in which a relation is used more than once: views and sub-queries that fan
// out and meet again in a union or a join, and windows over windows.

// view declares a view over d with the columns of d that conditions use, some computed,
// and returns its name and the statement.
func (g *generator) view(d *data) (name, statement string) {
	g.names++
	name = fmt.Sprintf("view%d", g.names)
	e := g.exprs("")
	columns := append([]string{"ms", "k", "g", "x", "y", "r", "d", "b", "w", "v"}, append(nestedColumns, typedColumns...)...)
	if d.timed {
		columns = append(columns, "ts")
	}
	switch g.r.IntN(4) {
	case 0:
		columns[3] = e.integer(1) + " AS x"
	case 1:
		columns[1] = "x % 4 AS k"
	case 2:
		columns[4] = "100 / x AS y"
	}
	return name, "CREATE VIEW " + name + " AS SELECT " + strings.Join(columns, ", ") + " FROM " + d.name + e.where() + ";\n"
}

// selfUnion joins a view with itself, and with a filtered version of itself, by UNION ALL.
func (g *generator) selfUnion() *query {
	d := g.any()
	v, before := g.view(d)
	e := g.exprs("")
	parts := []string{v, "(SELECT * FROM " + v + " WHERE " + e.boolean(1) + ") AS f", v}[:2+g.r.IntN(2)]
	if other := g.any(); other.timed == d.timed && g.r.IntN(2) == 0 {
		parts = append(parts, other.name)
	}
	g.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	if !d.timed || g.r.IntN(3) == 0 {
		for i, p := range parts {
			parts[i] = fmt.Sprintf("SELECT ms, k, x, %d AS part FROM %s", i, p)
		}
		return &query{before: before, sql: strings.Join(parts, " UNION ALL "), operator: "diamond-union", window: "none", reads: []*data{d}}
	}
	size, slide := g.sizes()
	window := fmt.Sprintf("[RANGE %s SLIDE %s]", span(size), span(slide))
	if g.r.IntN(2) == 0 {
		for i, p := range parts {
			parts[i] = "SELECT ts, k, x FROM " + p
		}
		text := fmt.Sprintf("SELECT window_end, k, COUNT(*) AS n, SUM(x) AS s FROM (%s) AS u %s GROUP BY k", strings.Join(parts, " UNION ALL "), window)
		return &query{before: before, sql: text, operator: "diamond-union", window: "range", reads: []*data{d}}
	}
	other := fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
	text := fmt.Sprintf("SELECT window_end AS e, k, COUNT(*) AS n FROM %s %s GROUP BY k UNION ALL SELECT window_end AS e, k, SUM(x) AS n FROM %s %s GROUP BY k", v, window, v, other)
	return &query{before: before, sql: text, operator: "diamond-union", window: "two-windows", reads: []*data{d}}
}

// selfJoin joins a view with itself or with a filtered version of itself.
func (g *generator) selfJoin() *query {
	d := g.any()
	v, before := g.view(d)
	e := g.exprs("")
	right := v
	if g.r.IntN(2) == 0 {
		right = "(SELECT * FROM " + v + " WHERE " + e.boolean(1) + ")"
	}
	var lw, rw, kind string
	switch {
	case d.timed && g.r.IntN(3) == 0:
		slide, size := g.duration(), g.duration()
		lw, kind = fmt.Sprintf("[RANGE %s SLIDE %s]", span(size), span(slide)), "range"
		rw = fmt.Sprintf("[RANGE %s SLIDE %s]", span(size+slide*g.r.IntN(3)), span(slide))
	case g.r.IntN(3) == 0:
		slide := 1 + g.r.IntN(8)
		lw, kind = fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(8), slide), "rows"
		rw = fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(8), slide)
	default:
		lw, kind = g.instantWindow(d, true)
		rw, _ = g.instantWindow(d, true)
	}
	if right != v {
		rw = "AS q " + rw
	} else {
		rw += " AS q"
	}
	on := e.pick("p.k = q.k", "p.k = q.k AND p.g = q.g", "p.k = q.k AND p.x <> q.x")
	text := fmt.Sprintf("SELECT p.ms AS pm, q.ms AS qm, p.x AS px, q.x AS qx FROM %s %s AS p, %s %s WHERE %s", v, lw, right, rw, on)
	return &query{before: before, sql: text, operator: "diamond-join", window: kind, reads: []*data{d}}
}

// stacked declares views of windows over windows.
func (g *generator) stacked() *query {
	d := g.timed()
	if d == nil {
		return nil
	}
	v, before := g.view(d)
	slide := g.duration()
	size := slide * (1 + g.r.IntN(3))
	before += fmt.Sprintf("CREATE VIEW %s1 AS SELECT k, window_end AS e, COUNT(*) AS n, MAX(x) AS m FROM %s [RANGE %s SLIDE %s] GROUP BY k;\n", v, v, span(size), span(slide))
	outer := fmt.Sprintf("[RANGE %s SLIDE %s]", span(slide*(1+g.r.IntN(4))), span(slide))
	if g.r.IntN(3) == 0 {
		outer = fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(6), 1+g.r.IntN(6))
	}
	before += fmt.Sprintf("CREATE VIEW %s2 AS SELECT k, SUM(n) AS n, MIN(m) AS m, COUNT(*) AS c FROM %s1 %s GROUP BY k;\n", v, v, outer)
	text := fmt.Sprintf("SELECT k, n, m, c FROM %s2", v)
	switch g.r.IntN(3) {
	case 0:
		text = fmt.Sprintf("SELECT k, MAX(n) AS n, MIN(c) AS c FROM %s2 [ROWS 5 SLIDE %d] GROUP BY k HAVING COUNT(*) > 1", v, 1+g.r.IntN(5))
	case 1:
		text += " WHERE n > 1"
	}
	return &query{before: before, sql: text, operator: "stacked", window: strings.ToLower(outer[1:strings.Index(outer, " ")]), reads: []*data{d}}
}

// threeJoin joins three relations, one or two of them tables.
func (g *generator) threeJoin() *query {
	e := g.exprs("")
	if g.a.timed && g.b.timed && g.r.IntN(2) == 0 {
		w := fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
		if g.r.IntN(3) == 0 {
			text := fmt.Sprintf("SELECT p.ms AS pm, q.ms AS qm, o.ms AS om FROM a %s AS p, b %s AS q, a %s AS o WHERE p.k = q.k AND p.g = q.g AND o.k = q.k AND o.x %s p.x", w, w, w, e.compare())
			return newQuery(text, "three-join", "windows", []*data{g.a, g.b})
		}
		text := fmt.Sprintf("SELECT p.ms AS pm, q.ms AS qm, t.x AS tx FROM a %s AS p, b %s AS q, t WHERE p.k = q.k AND q.%s", w, w, e.pick("k = t.k", "g = t.g", "x = t.x"))
		return newQuery(text, "three-join", "range", []*data{g.a, g.b, g.t})
	}
	d := g.any()
	text := fmt.Sprintf("SELECT s.ms AS ms, t1.x AS x1, t2.g AS g2 FROM %s AS s JOIN t AS t1 ON s.k = t1.k JOIN t AS t2 ON t1.x = t2.x%s", d.name, e.pick("", " WHERE t2.b", " WHERE s.x < t1.x"))
	return newQuery(text, "three-join", "lookups", []*data{d, g.t})
}

// viewErrors reads the error rows of a view.
func (g *generator) viewErrors() *query {
	d := g.any()
	v, before := g.view(d)
	before = strings.Replace(before, "SELECT ms", "SELECT 7 / x AS q, ms", 1)
	return &query{before: before, sql: "SELECT reason, record FROM " + v + "$errors", operator: "port", window: "view-errors", reads: []*data{d}}
}
