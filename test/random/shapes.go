package random

import (
	"fmt"
	"strings"
)

// Queries about the columns of windows, and compositions that query.go and graph.go
// have not.

// windowColumns filters, groups and computes by the columns of the window itself.
func (g *generator) windowColumns() *query {
	d := g.timed()
	if d == nil {
		return nil
	}
	e := g.exprs("")
	size, slide := g.sizes()
	from := fmt.Sprintf("%s [RANGE %s SLIDE %s]", d.name, span(size), span(slide))
	var text string
	switch g.r.IntN(5) {
	case 0:
		text = "SELECT window_end - INTERVAL '1' SECOND AS e, k, x FROM " + from + " WHERE EXTRACT(SECOND FROM window_end) % 2 = 0 AND " + e.boolean(1)
	case 1:
		text = "SELECT window_start, COUNT(*) AS n, " + e.aggregate() + " AS a FROM " + from + " WHERE ts < window_end - INTERVAL '1' SECOND GROUP BY window_start"
	case 2:
		text = "SELECT window_end, k, MAX(window_end - w) AS m, SUM(x) AS s FROM " + from + " GROUP BY k, window_end"
	case 3:
		text = "SELECT EXTRACT(MINUTE FROM window_start) AS m, g, COUNT(DISTINCT k) AS n FROM " + from + e.where() + " GROUP BY EXTRACT(MINUTE FROM window_start), g"
	default:
		text = fmt.Sprintf("SELECT window_index %% 3 AS i, window_index, x + window_index AS a FROM %s [ROWS %d SLIDE %d] WHERE window_index <> 1 AND %s",
			d.name, 1+g.r.IntN(9), 1+g.r.IntN(9), e.boolean(1))
		return newQuery(text, "window-columns", "rows", []*data{d})
	}
	return newQuery(text, "window-columns", "range", []*data{d})
}

// sets has several groupings in one GROUP BY.
func (g *generator) sets() *query {
	w := g.closing()
	if w.data.timed && w.kind != "rows" && g.r.IntN(4) > 0 {
		w.group = strings.TrimPrefix(w.group+", ", ", ")
	} else {
		w = &window{from: w.data.name, kind: "none", data: w.data}
	}
	e := g.exprs("")
	by := e.pick("ROLLUP(k, g)", "CUBE(g, k)", "GROUPING SETS ((k, g), (g), ())", "k, ROLLUP(g)", "GROUPING SETS (ROLLUP(k), (k, g), (k, g))", "CUBE((k, g)), GROUPING SETS (k, g)")
	cols := ""
	if len(w.cols) > 0 {
		cols = w.cols[1] + " AS we, "
	}
	aggregate, sortable := e.aggregate(), []string{"GROUPING(k)", "n"}
	if !strings.Contains(aggregate, "js") && !strings.Contains(aggregate, "JSON") { // which have no order
		sortable = append(sortable, "a")
	}
	text := "SELECT " + cols + "k, g, GROUPING(g, k) AS s, COUNT(*) AS n, " + aggregate + " AS a FROM " + w.from + e.where() + " GROUP BY " + w.group + by
	switch g.r.IntN(4) {
	case 0:
		text += " HAVING GROUPING(k) = 1 OR " + e.having()
	case 1:
		text += g.order(sortable...)
	}
	return newQuery(text, "sets", map[bool]string{true: "none", false: "windows"}[w.kind == "none"], []*data{w.data})
}

// distinct is SELECT DISTINCT in windows that close, and ordinals and aliases in GROUP BY.
func (g *generator) distinct() *query {
	if d := g.timed(); d != nil && g.r.IntN(4) == 0 {
		e := g.exprs("")
		text := fmt.Sprintf("SELECT SESSION_START(ts, %[1]s) AS s, SESSION_END(ts, %[1]s) AS e, k, %[2]s AS a FROM %[3]s%[4]s GROUP BY SESSION(ts, %[1]s), k", interval(g.duration()), e.aggregate(), d.name, e.where())
		return newQuery(text, "distinct", "group-session", []*data{d})
	}
	w := g.closing()
	if strings.HasPrefix(w.kind, "group-") {
		return nil
	}
	e := g.exprs("")
	if g.r.IntN(2) == 0 {
		return newQuery("SELECT DISTINCT "+g.list(1+g.r.IntN(2), func() string { return e.pick(e.integer(1), e.text(1), e.timestamp(1), e.col("b")) })+" FROM "+w.from+e.where(), "distinct", w.kind, []*data{w.data})
	}
	by := "1, kk"
	if w.group != "" {
		by += ", " + w.group
	}
	return newQuery("SELECT "+e.integer(1)+" AS i, UPPER(g) AS kk, "+e.aggregate()+" AS a FROM "+w.from+e.where()+" GROUP BY "+by, "distinct", w.kind, []*data{w.data})
}

// emitted uses what per-instant windows put out as a stream: in windows, twice, united.
func (g *generator) emitted() *query {
	d := g.any()
	g.names++
	v := fmt.Sprintf("emitted%d", g.names)
	w, kind := g.instantWindow(d, true)
	e := g.exprs("")
	before := fmt.Sprintf("CREATE VIEW %s AS SELECT %sk AS k, COUNT(*) AS n, %s AS a FROM %s %s%s GROUP BY k;\n",
		v, g.mode(), e.pick("SUM(x)", "COUNT(DISTINCT g)", "COUNT(d)"), d.name, w, e.where())
	window := fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(8), 1+g.r.IntN(8))
	if d.timed && g.r.IntN(2) == 0 {
		window = fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
	}
	text := fmt.Sprintf("SELECT k, SUM(n) AS n, MAX(a) AS a FROM %s %s GROUP BY k", v, window)
	switch g.r.IntN(4) {
	case 0:
		text = fmt.Sprintf("SELECT k, n FROM %s UNION ALL SELECT k, a AS n FROM %s WHERE n > 1", v, v)
	case 1:
		text = fmt.Sprintf("SELECT p.k AS k, p.n AS n, q.a AS a FROM %s [ROWS 3] AS p JOIN %s [ROWS 2] AS q ON p.k = q.k", v, v)
	case 2:
		text = fmt.Sprintf("SELECT s.k AS k, s.n AS n, t.x AS x FROM %s AS s JOIN t ON s.k = t.k", v)
	}
	return &query{before: before, sql: text, operator: "emitted", window: kind, reads: []*data{d}}
}

// overView writes the window functions over a view, and unites numbers of several types.
func (g *generator) overView() *query {
	d := g.timed()
	if d == nil {
		return nil
	}
	v, before := g.view(d)
	e := g.exprs("")
	if g.r.IntN(3) == 0 {
		text := fmt.Sprintf("SELECT k AS n, r AS f, g FROM %s UNION ALL SELECT y AS n, d AS f, UPPER(g) AS g FROM %s%s", v, v, e.where())
		return &query{before: before, sql: text, operator: "over-view", window: "union", reads: []*data{d}}
	}
	size, slide := g.sizes()
	table := fmt.Sprintf("TABLE(HOP(TABLE %s, DESCRIPTOR(ts), %s, %s))", v, interval(slide), interval(size))
	if g.r.IntN(2) == 0 {
		table = fmt.Sprintf("TABLE(TUMBLE(TABLE %s, DESCRIPTOR(ts), %s))", v, interval(size))
	}
	if g.r.IntN(2) == 0 {
		text := fmt.Sprintf("SELECT window_time, g, %s AS a FROM %s GROUP BY window_start, window_end, window_time, g", e.aggregate(), table)
		return &query{before: before, sql: text, operator: "over-view", window: "function", reads: []*data{d}}
	}
	text := fmt.Sprintf("SELECT window_start, x, w FROM %s%s", table, e.where())
	return &query{before: before, sql: text, operator: "over-view", window: "function", reads: []*data{d}}
}
