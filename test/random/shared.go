package random

import (
	"fmt"
)

// shared is a view of any kind with two or three queries that read it, one perhaps its
// error rows: what is fused for one reader must not be for several.
func (g *generator) shared() *query {
	d := g.timed()
	if d == nil {
		return nil
	}
	e := g.exprs("")
	g.names++
	v := fmt.Sprintf("shared%d", g.names)
	from := fmt.Sprintf("%s [RANGE %s SLIDE %s]", d.name, span(g.duration()), span(g.duration()))
	if g.r.IntN(3) == 0 {
		from = fmt.Sprintf("%s [ROWS %d SLIDE %d]", d.name, 1+g.r.IntN(9), 1+g.r.IntN(9))
	}
	kind, windowed := "window", true
	var body string
	switch g.r.IntN(7) {
	case 0, 1:
		body = "SELECT k, x, " + e.integer(1) + " / k AS n FROM " + from + e.where()
	case 2:
		kind, body = "aggregate", "SELECT k, MAX(x) AS x, COUNT("+e.integer(1)+") AS n FROM "+from+e.where()+" GROUP BY k HAVING "+e.having()
	case 3:
		kind, windowed = "instant", false
		w, _ := g.instantWindow(d, true)
		body = "SELECT " + g.mode() + "k, COUNT(" + e.integer(1) + ") AS n, MAX(x) AS x FROM " + d.name + " " + w + e.where() + " GROUP BY k"
	case 4:
		kind, windowed = "lookup", false
		body = "SELECT s.k, s.x, " + g.exprs("s.").integer(1) + " AS n FROM " + d.name + " AS s JOIN t ON s.k = t.k AND 10 / t.x > s.x"
	case 5:
		kind = "join"
		w := fmt.Sprintf("[RANGE %s SLIDE %s]", span(g.duration()), span(g.duration()))
		body = fmt.Sprintf("SELECT p.k, q.x, 5 / p.x AS n FROM %s %s AS p JOIN %s %s AS q ON p.k = q.k AND p.g = q.g", d.name, w, d.name, w)
	default:
		kind, windowed = "plain", false
		body = "SELECT k, x, " + e.integer(2) + " AS n FROM " + d.name + e.where()
	}
	readers := []string{
		"SELECT k, x, n FROM " + v,
		"SELECT n, k FROM " + v + " WHERE x > 3",
		"SELECT k, n FROM " + v + " UNION ALL SELECT k, x AS n FROM " + v + " WHERE 6 / n > 1",
		fmt.Sprintf("SELECT window_index AS i, SUM(x) AS s, COUNT(*) AS c FROM %s [ROWS %d SLIDE %d]", v, 1+g.r.IntN(5), 1+g.r.IntN(5)),
	}
	if windowed {
		readers = append(readers, "SELECT COUNT(*) AS c, MAX(n) AS m FROM "+v, "SELECT k, SUM(x) AS s FROM "+v+" WHERE n <> 2 GROUP BY k", "SELECT DISTINCT k FROM "+v)
	}
	var out *query
	// Integers are divided by columns in these; a division elsewhere may be of floats.
	if divides := kind == "window" || kind == "lookup" || kind == "join"; g.r.IntN(3) == 0 && divides {
		readers[0] = "SELECT reason, record FROM " + v + "$errors"
	}
	g.r.Shuffle(len(readers), func(i, j int) { readers[i], readers[j] = readers[j], readers[i] })
	for _, text := range readers[:2+g.r.IntN(2)] {
		q := newQuery(text, "shared", kind, []*data{d})
		if out == nil {
			out, q.before = q, "CREATE VIEW "+v+" AS "+body+";\n"
		} else {
			out.also = append(out.also, q)
		}
	}
	return out
}
