package random

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// query is one generated SELECT and what it covers.
type query struct {
	before   string // statements that must precede it
	sql      string
	operator string // row of the coverage table
	window   string // column of the coverage table
	reads    []*data
	also     []*query // further ones over the same views
	file     string   // of the INSERT INTO it became, in the folder of outputs
}

func newQuery(sql, operator, window string, reads []*data) *query {
	return &query{sql: sql, operator: operator, window: window, reads: reads}
}

// generator makes queries over two streams and a table.
type generator struct {
	r     *rand.Rand
	a, b  *data
	t     *data
	names int // of views given out
}

func (g *generator) exprs(prefix string) exprs { return exprs{g.r, prefix} }

// timed picks a stream with event time, or nil.
func (g *generator) timed() *data {
	switch {
	case g.a.timed && (g.r.IntN(2) == 0 || !g.b.timed):
		return g.a
	case g.b.timed:
		return g.b
	}
	return nil
}

func (g *generator) any() *data {
	if g.r.IntN(2) == 0 {
		return g.a
	}
	return g.b
}

// duration is a window length or slide in milliseconds, sometimes odd.
func (g *generator) duration() int {
	return []int{1000, 2000, 3000, 5000, 7000, 10000, 1500, 333}[g.r.IntN(8)]
}

// sizes are a window length and a slide: equal, near each other, far apart either way.
func (g *generator) sizes() (size, slide int) {
	switch g.r.IntN(6) {
	case 0:
		size = g.duration()
		return size, size
	case 1:
		return 20_000 + 333*g.r.IntN(60), 250 + 50*g.r.IntN(10)
	case 2:
		return 100 + 50*g.r.IntN(10), 30_000 + 1000*g.r.IntN(60)
	default:
		return g.duration(), g.duration()
	}
}

func span(ms int) string {
	if ms%1000 == 0 {
		return fmt.Sprintf("%d SECONDS", ms/1000)
	}
	return fmt.Sprintf("%d MILLISECONDS", ms)
}

func interval(ms int) string {
	if ms%1000 == 0 {
		return fmt.Sprintf("INTERVAL '%d' SECOND", ms/1000)
	}
	return fmt.Sprintf("INTERVAL '%d' MILLISECOND", ms)
}

// window is a windowed relation in FROM, and columns it has.
type window struct {
	from  string // text in FROM, without alias
	group string // what GROUP BY must contain ("" for none)
	kind  string
	cols  []string
	data  *data
}

// closing is a window that closes: RANGE or ROWS in one of the notations.
func (g *generator) closing() *window {
	d := g.timed()
	if d == nil || g.r.IntN(4) == 0 {
		d = g.any()
		n, m := 1+g.r.IntN(12), 1+g.r.IntN(12)
		switch g.r.IntN(8) {
		case 0:
			n, m = 30+g.r.IntN(60), 1
		case 1:
			n, m = 1+g.r.IntN(3), 20+g.r.IntN(30)
		}
		return &window{from: fmt.Sprintf("%s [ROWS %d SLIDE %d]", d.name, n, m), kind: "rows", cols: []string{"window_index"}, data: d}
	}
	size, slide := g.sizes()
	cols := []string{"window_start", "window_end"}
	switch g.r.IntN(6) {
	case 5:
		return g.session(d)
	case 4:
		return g.cumulating(d, size)
	case 0:
		return &window{from: fmt.Sprintf("TABLE(HOP(TABLE %s, DESCRIPTOR(ts), %s, %s))", d.name, interval(slide), interval(size)), group: "window_start, window_end", kind: "hop", cols: cols, data: d}
	case 1:
		return &window{from: fmt.Sprintf("TABLE(TUMBLE(TABLE %s, DESCRIPTOR(ts), %s))", d.name, interval(size)), group: "window_start, window_end", kind: "tumble", cols: cols, data: d}
	case 2:
		return &window{from: d.name, group: fmt.Sprintf("HOP(ts, %s, %s)", interval(slide), interval(size)), kind: "group-hop", cols: cols, data: d}
	default:
		return &window{from: fmt.Sprintf("%s [RANGE %s SLIDE %s]", d.name, span(size), span(slide)), kind: "range", cols: cols, data: d}
	}
}

// cumulating is CUMULATE in one of its notations.
func (g *generator) cumulating(d *data, step int) *window {
	size := step * (1 + g.r.IntN(9))
	cols := []string{"window_start", "window_end"}
	if g.r.IntN(3) == 0 {
		return &window{from: d.name, group: fmt.Sprintf("CUMULATE(ts, %s, %s)", interval(step), interval(size)), kind: "group-cumulate", cols: cols, data: d}
	}
	return &window{from: fmt.Sprintf("TABLE(CUMULATE(TABLE %s, DESCRIPTOR(ts), %s, %s))", d.name, interval(step), interval(size)), group: "window_start, window_end", kind: "cumulate", cols: cols, data: d}
}

// session is a session window in one of its notations, with a gap in reach of the data.
func (g *generator) session(d *data) *window {
	gap := []int{100, 250, 400, 1000, 2000, 3000, 7000}[g.r.IntN(7)]
	by := []string{"k", "g", "k, b", "r"}[g.r.IntN(4)]
	cols := []string{"window_start", "window_end"}
	switch g.r.IntN(4) {
	case 0:
		return &window{from: fmt.Sprintf("TABLE(SESSION(TABLE %s PARTITION BY %s, DESCRIPTOR(ts), %s))", d.name, by, interval(gap)), group: "window_start, window_end", kind: "session-function", cols: cols, data: d}
	case 1:
		return &window{from: fmt.Sprintf("%s [SESSION %s]", d.name, span(gap)), kind: "session", cols: cols, data: d}
	default:
		return &window{from: fmt.Sprintf("%s [PARTITION BY %s SESSION %s]", d.name, by, span(gap)), kind: "session-by", cols: cols, data: d}
	}
}

// next makes a random query; nil if the streams at hand do not allow the shape.
func (g *generator) next() *query {
	shapes := []func() *query{g.plain, g.aggregate, g.aggregate, g.aggregate, g.windowRows, g.windowJoin, g.instant, g.instant, g.instant,
		g.instantJoin, g.lookup, g.union, g.nested, g.global, g.ports, g.carriedJoin,
		g.selfUnion, g.selfJoin, g.stacked, g.threeJoin, g.viewErrors,
		g.filtered, g.filtered, g.hottest, g.windowColumns, g.distinct, g.emitted, g.overView, g.shared, g.shared, g.sorted, g.sorted, g.sets, g.numbered, g.unnested}
	for {
		if q := shapes[g.r.IntN(len(shapes))](); q != nil {
			return q
		}
	}
}

func (g *generator) list(n int, f func() string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("%s AS c%d", f(), i)
	}
	return strings.Join(parts, ", ")
}

func (g *generator) plain() *query {
	d, e := g.any(), g.exprs("")
	if g.r.IntN(2) == 0 {
		return newQuery("SELECT * FROM "+d.name+e.where(), "filter", "none", []*data{d})
	}
	return newQuery("SELECT "+g.list(1+g.r.IntN(4), func() string { return e.output(2) })+" FROM "+d.name+e.where(), "project", "none", []*data{d})
}

// grouped builds an aggregate over a FROM text.
func (g *generator) grouped(from, group string, extra []string, instant string) string {
	e := g.exprs("")
	keys := e.keys()
	sel := append([]string{}, extra...)
	for i, k := range keys {
		sel = append(sel, fmt.Sprintf("%s AS g%d", k, i))
	}
	for i := 0; i < 1+g.r.IntN(3); i++ {
		sel = append(sel, fmt.Sprintf("%s AS a%d", e.aggregate(), i))
	}
	by := append([]string{}, keys...)
	if group != "" {
		by = append([]string{group}, by...)
	}
	text := "SELECT " + instant + strings.Join(sel, ", ") + " FROM " + from + e.where()
	if len(by) > 0 {
		text += " GROUP BY " + strings.Join(by, ", ")
	}
	if g.r.IntN(4) == 0 {
		text += " HAVING " + e.having()
	}
	return text
}

func (g *generator) aggregate() *query {
	w := g.closing()
	var extra []string
	if g.r.IntN(3) != 0 {
		extra = w.cols
	}
	return newQuery(g.grouped(w.from, w.group, extra, ""), "aggregate", w.kind, []*data{w.data})
}

func (g *generator) windowRows() *query {
	w := g.closing()
	if strings.HasPrefix(w.kind, "group-") {
		return nil
	}
	e := g.exprs("")
	where, filtered := e.where(), ""
	switch g.r.IntN(4) {
	case 0:
		where = " WHERE " + onWindow(w.cols[len(w.cols)-1]) + " AND " + e.boolean(1)
	case 1:
		filtered = " WHERE " + onWindow(w.cols[len(w.cols)-1])
	}
	inner := "SELECT " + strings.Join(w.cols, ", ") + ", " + w.cols[len(w.cols)-1] + " AS last, " + g.list(2, func() string { return e.output(1) }) + " FROM " + w.from + where
	return newQuery("SELECT * FROM ("+inner+") AS v"+filtered, "window-rows", w.kind, []*data{w.data})
}

// onWindow is a condition on a window column, or a copy of one.
func onWindow(column string) string {
	if column == "window_index" {
		return "window_index % 2 = 0"
	}
	return column + " IS DISTINCT FROM TIMESTAMP '2026-01-01 00:00:07'"
}

func (g *generator) windowJoin() *query {
	var l, r, kind string
	if g.a.timed && g.b.timed && g.r.IntN(3) != 0 {
		slide, size := g.duration(), g.duration()
		l = fmt.Sprintf("a [RANGE %s SLIDE %s]", span(size), span(slide))
		r = fmt.Sprintf("b [RANGE %s SLIDE %s]", span(size+slide*g.r.IntN(3)), span(slide))
		kind = "range"
	} else {
		slide := 1 + g.r.IntN(8)
		l = fmt.Sprintf("a [ROWS %d SLIDE %d]", 1+g.r.IntN(10), slide)
		r = fmt.Sprintf("b [ROWS %d SLIDE %d]", 1+g.r.IntN(10), slide)
		kind = "rows"
	}
	on := g.exprs("").pick("p.k = q.k", "p.k = q.k AND p.g = q.g", "p.x < q.x", "p.g = q.g AND p.x <> q.x", "p.d = q.d",
		g.typedKey("p", "q"), g.typedKey("p", "q"), g.typedKey("p", "q"),
		"p.x BETWEEN q.x - 2 AND q.x + 1", "p.x >= q.x AND p.k <> q.k AND q.d <= p.d", "p.x > q.x AND p.x - q.x < 3",
		"q.x BETWEEN p.x - 2 AND p.x + 1", "q.d > p.d - 1 AND p.k <> q.k AND q.d <= p.d + 2",
		"p.x <= q.x AND p.x + 4 > q.x", "q.k BETWEEN p.x AND p.k + 3 AND p.b")
	sel := "p.x AS px, q.x AS qx, p.ms AS pm, q.ms AS qm, p.g AS pg"
	where := ""
	if g.r.IntN(3) == 0 {
		where = " WHERE " + g.exprs("p.").boolean(1)
	}
	if g.r.IntN(3) == 0 {
		sel = "p.k AS k, COUNT(*) AS n, MAX(q.x) AS m"
		where += " GROUP BY p.k"
	}
	if kind == "range" && g.r.IntN(2) == 0 && !strings.Contains(where, "GROUP") {
		sel += ", p.window_end AS we"
	}
	if g.r.IntN(3) == 0 {
		return g.outerJoin(kind, sel, l+" AS p", r+" AS q", on, where)
	}
	if g.r.IntN(2) == 0 {
		text := fmt.Sprintf("SELECT %s FROM %s AS p, %s AS q WHERE %s%s", sel, l, r, on, strings.Replace(where, " WHERE ", " AND ", 1))
		return newQuery(text, "window-join", kind, []*data{g.a, g.b})
	}
	text := fmt.Sprintf("SELECT %s FROM %s AS p JOIN %s AS q ON %s%s", sel, l, r, on, where)
	return newQuery(text, "window-join", kind, []*data{g.a, g.b})
}

// instantWindow is a per-instant window on d; keyed ones partition by k.
func (g *generator) instantWindow(d *data, keyed bool) (text, kind string) {
	switch n := g.r.IntN(3); {
	case n == 0 && d.timed:
		form := max(0, g.r.IntN(4)-1)
		return []string{fmt.Sprintf("[RANGE %s]", span(g.duration())), "[NOW]", "[UNBOUNDED]"}[form], []string{"range-instant", "now", "unbounded"}[form]
	case g.r.IntN(6) == 0:
		return "[ROWS UNBOUNDED]", "unbounded"
	case n == 1 && keyed:
		return fmt.Sprintf("[PARTITION BY k ROWS %d]", 1+g.r.IntN(3)), "partition-rows"
	default:
		return fmt.Sprintf("[ROWS %d]", 1+g.r.IntN(8)), "rows-instant"
	}
}

func (g *generator) mode() string {
	return []string{"", "", "ISTREAM ", "RSTREAM ", "DSTREAM "}[g.r.IntN(5)]
}

func (g *generator) instant() *query {
	d, e := g.any(), g.exprs("")
	keyed := g.r.IntN(2) == 0
	w, kind := g.instantWindow(d, keyed)
	from := d.name + " " + w
	if g.r.IntN(2) == 0 && !keyed {
		distinct := e.pick("", "DISTINCT ")
		mode := g.mode()
		if distinct != "" && mode != "" {
			distinct = ""
		}
		if mode == "DSTREAM " {
			kind = "dstream"
		}
		return newQuery("SELECT "+mode+distinct+"x AS x, g AS g FROM "+from+e.where(), "instant-rows", kind, []*data{d})
	}
	if keyed {
		mode := g.mode()
		if mode == "DSTREAM " {
			kind = "dstream"
		}
		text := "SELECT " + mode + "k AS k, " + g.list(1+g.r.IntN(2), e.aggregate) + " FROM " + from + e.where() + " GROUP BY k"
		if g.r.IntN(4) == 0 {
			text += " HAVING COUNT(*) > 1"
		}
		return newQuery(text, "instant-aggregate", kind, []*data{d})
	}
	return newQuery(g.grouped(from, "", nil, g.mode()), "instant-aggregate", kind, []*data{d})
}

func (g *generator) instantJoin() *query {
	l, r := g.any(), g.any()
	if l.timed != r.timed {
		return nil
	}
	lw, kind := g.instantWindow(l, true)
	rw, _ := g.instantWindow(r, true)
	cond := g.exprs("").pick("p.k = q.k", "p.k = q.k AND p.x <> q.x", "p.k = q.k AND p.g = q.g", "p.k = q.k AND "+g.typedKey("p", "q"))
	if g.r.IntN(3) == 0 {
		return newQuery(fmt.Sprintf("SELECT DISTINCT p.k AS k FROM %s %s AS p, %s %s AS q WHERE %s", l.name, lw, r.name, rw, cond), "instant-join", kind, []*data{l, r})
	}
	if g.r.IntN(3) == 0 {
		return newQuery(fmt.Sprintf("SELECT %sp.k AS k, COUNT(*) AS n, SUM(q.x) AS s FROM %s %s AS p JOIN %s %s AS q ON %s GROUP BY p.k", g.mode(), l.name, lw, r.name, rw, cond), "instant-join", kind, []*data{l, r})
	}
	return newQuery(fmt.Sprintf("SELECT %sp.ms AS pm, q.ms AS qm, q.x AS x FROM %s %s AS p JOIN %s %s AS q ON %s", g.mode(), l.name, lw, r.name, rw, cond), "instant-join", kind, []*data{l, r})
}

func (g *generator) lookup() *query {
	if g.r.IntN(3) == 0 {
		return g.outerLookup()
	}
	d := g.any()
	on := g.exprs("").pick("s.k = t.k", "s.k = t.k AND s.x < t.x", "s.g = t.g", g.typedKey("s", "t"), g.typedKey("s", "t"))
	if g.r.IntN(2) == 0 {
		return newQuery(fmt.Sprintf("SELECT s.ms AS ms, s.x AS x, t.x AS tx, t.g AS tg FROM %s AS s JOIN t ON %s", d.name, on), "lookup", "none", []*data{d, g.t})
	}
	if !d.timed {
		return nil
	}
	key := g.exprs("").pick("t.g", "t.x", "t.k")
	value := g.exprs("").pick("COUNT(*)", "MAX("+key+")", "SUM(t.x + s.x)", "COUNT(t.k)", "MIN(s.y)")
	return newQuery(fmt.Sprintf("SELECT window_end, %s AS g, %s AS n FROM %s [RANGE %s SLIDE %s] AS s JOIN t ON %s GROUP BY %s", key, value, d.name, span(5000), span(g.duration()), on, key), "lookup", "range", []*data{d, g.t})
}

func (g *generator) union() *query {
	if g.a.timed != g.b.timed {
		return nil
	}
	if !g.a.timed || g.r.IntN(2) == 0 {
		return newQuery("SELECT ms, k, x FROM a"+g.exprs("").where()+" UNION ALL SELECT ms, k, x FROM b"+g.exprs("").where(), "union", "none", []*data{g.a, g.b})
	}
	return newQuery(fmt.Sprintf("SELECT window_end, k, COUNT(*) AS n, SUM(x) AS s FROM (SELECT ts, k, x FROM a%s UNION ALL SELECT ts, k, x FROM b) AS u [RANGE %s SLIDE %s] GROUP BY k", g.exprs("").where(), span(g.duration()), span(g.duration())), "union", "range", []*data{g.a, g.b})
}

func (g *generator) nested() *query {
	e := g.exprs("")
	if d := g.timed(); d != nil && g.r.IntN(3) != 0 {
		if g.r.IntN(2) == 0 {
			return g.cascaded(d)
		}
		slide := g.duration()
		inner := fmt.Sprintf("SELECT k AS k, COUNT(*) AS n, MAX(x) AS m FROM %s [RANGE %s SLIDE %s]%s GROUP BY k", d.name, span(g.duration()), span(slide), e.where())
		if g.r.IntN(2) == 0 {
			return newQuery("WITH v AS ("+inner+") SELECT MAX(n) AS n, SUM(m) AS m, COUNT(*) AS c FROM v", "nested", "carried", []*data{d})
		}
		return newQuery(fmt.Sprintf("SELECT window_end, SUM(n) AS n, MIN(m) AS m FROM (%s) AS v [RANGE %s SLIDE %s] GROUP BY k", inner, span(slide*3), span(slide)), "nested", "window-on-window", []*data{d})
	}
	d := g.any()
	where := e.where()
	return newQuery(fmt.Sprintf("SELECT window_index, COUNT(*) AS n, SUM(x) AS s FROM (SELECT x + 1 AS x, k FROM %s%s) AS v [ROWS %d SLIDE %d]", d.name, where, 1+g.r.IntN(9), 1+g.r.IntN(9)), "nested", "rows-on-filter", []*data{d})
}

func (g *generator) global() *query {
	d := g.any()
	if g.r.IntN(3) == 0 {
		return newQuery("SELECT DISTINCT k, b FROM "+d.name+g.exprs("").where(), "global", "none", []*data{d})
	}
	return newQuery(g.grouped(d.name, "", nil, ""), "global", "none", []*data{d})
}

func (g *generator) ports() *query {
	d := g.any()
	if d.timed && !d.drops() && g.r.IntN(2) == 0 {
		return newQuery("SELECT ms, k, x FROM "+d.name+"$late", "port", "late", []*data{d})
	}
	if len(d.files) > 1 {
		return nil
	}
	if g.r.IntN(3) == 0 {
		return newQuery("SELECT ms, k, x FROM "+d.name+"$arrival"+g.exprs("").where(), "port", "arrival", []*data{d})
	}
	return newQuery("SELECT reason, line, record FROM "+d.name+"$errors", "port", "errors", []*data{d})
}

// carriedJoin joins two aggregates on their windows.
func (g *generator) carriedJoin() *query {
	d := g.timed()
	if d == nil {
		return nil
	}
	w := fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
	text := fmt.Sprintf(`WITH v AS (SELECT window_end, k, COUNT(*) AS n FROM %[1]s %[2]s GROUP BY k),
 e AS (SELECT window_end, AVG(x) AS n FROM %[1]s %[2]s)
SELECT p.window_end AS we, p.k AS k, p.n AS pn, e.n AS en FROM v AS p JOIN e ON p.window_end = e.window_end`, d.name, w)
	if g.r.IntN(2) == 0 {
		text += " WHERE p.n > e.n"
	}
	return newQuery(text, "carried-join", "range", []*data{d})
}
