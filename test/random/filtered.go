package random

import "fmt"

// filtered puts conditions over groups and pairs: on keys, on results, on one side and on
// both, some that can fail; what can move below the grouping or the join should.
func (g *generator) filtered() *query {
	d, e := g.any(), g.exprs("")
	window, kind := fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(12), 1+g.r.IntN(12)), "rows"
	if d.timed && g.r.IntN(3) > 0 {
		size, slide := g.sizes()
		window, kind = fmt.Sprintf("[RANGE %s SLIDE %s]", span(size), span(slide)), "range"
	}
	if d.timed && g.r.IntN(3) == 0 {
		window = fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
		inner := fmt.Sprintf("SELECT p.k AS k, p.x AS x, q.x AS y, q.g AS g, p.window_end AS w FROM %[1]s %[2]s AS p JOIN %[1]s %[2]s AS q ON p.k = q.k AND p.b = q.b", d.name, window)
		where := g.conditions("k > 1", "x < 4", "y >= 2", "x <> y", "g LIKE '%a%'", "10 / x > 1", "EXTRACT(SECOND FROM w) < 40")
		return newQuery("SELECT k, x, y FROM ("+inner+") AS v"+where, "filtered", "join", []*data{d})
	}
	key := e.pick("k", "k", "k + 1", "b", "r", "UPPER(g)")
	inner := fmt.Sprintf("SELECT g, %s AS i, COUNT(*) AS n, MAX(x) AS m, %s AS a FROM %s %s%s GROUP BY g, %s",
		key, e.pick("SUM(x)", "MIN(g)", "COUNT(DISTINCT x)"), d.name, window, e.where(), key)
	where := g.conditions("g = 'a'", "g LIKE '%b%'", "i IS NOT NULL", "n > 1", "m < 5", "5 / m > 0", "CAST(i AS VARCHAR) <> '2'")
	return newQuery("SELECT g, i, n, m, a FROM ("+inner+") AS v"+where, "filtered", kind, []*data{d})
}

// conditions is a WHERE of one to three of the given conditions.
func (g *generator) conditions(from ...string) string {
	g.r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	where := " WHERE " + from[0]
	for _, c := range from[1 : 1+g.r.IntN(3)] {
		where += " AND " + c
	}
	return where
}

// hottest joins the groups of each window with their own greatest or least value, or
// with something much like it.
func (g *generator) hottest() *query {
	d, e := g.any(), g.exprs("")
	window, kind, id := fmt.Sprintf("[ROWS %d SLIDE %d]", 1+g.r.IntN(12), 1+g.r.IntN(12)), "rows", "window_index"
	if d.timed && g.r.IntN(3) > 0 {
		size, slide := g.sizes()
		window, kind, id = fmt.Sprintf("[RANGE %s SLIDE %s]", span(size), span(slide)), "range", "window_end"
	}
	value := e.pick("COUNT(*)", "COUNT(*)", "SUM(x)", "MAX(d)", "MIN(r)", "MAX(w)", "AVG(x)", "MAX(g)")
	groups := fmt.Sprintf("SELECT %s, k, COUNT(*) AS n, %s AS v FROM %s %s%s GROUP BY k", id, value, d.name, window, e.where())
	again := "c"
	if g.r.IntN(3) == 0 {
		again = "(" + groups + ") AS again"
	}
	f, op := "MAX", e.pick("=", "=", ">=", ">")
	if g.r.IntN(3) == 0 {
		f, op = "MIN", e.pick("=", "=", "<=", "<>")
	}
	left, right := "c", "m"
	if g.r.IntN(4) == 0 {
		left, right = right, left
	}
	text := fmt.Sprintf("WITH c AS (%s), m AS (SELECT %s, %s(v) AS most FROM %s%s) SELECT %s FROM %s JOIN %s ON c.%s = m.%s AND c.v %s m.most%s",
		groups, id, f, again, e.pick("", "", "", " WHERE n > 1"), e.pick("c.k AS k, c.n AS n", "c.k AS k, m.most AS most, c."+id+" AS w"),
		left, right, id, id, op, e.pick("", "", " WHERE c.n > 1", " WHERE c.k <> 2", " AND c.n > 1"))
	return newQuery(text, "hottest", kind, []*data{d})
}
