package random

import (
	"fmt"
	"strings"
)

// elements is UNNEST of an array over columns of s, with what stands before and behind it,
// and expressions over its columns; its columns are n, and o if it counts. Every array reads
// a column of a nested type.
func (g *generator) elements() (join string, columns []string, left bool) {
	e := g.exprs("s.")
	array, element := e.ints(1), []string{"t.n"}
	names := []string{"n"}
	switch g.r.IntN(5) {
	case 0:
		array = e.texts(1)
	case 1:
		array = "ARRAY[" + e.record() + ", " + e.col("ro") + "]"
		element, names = []string{"t.n", "t.p"}, []string{"n", "p"}
	case 2:
		array = "ARRAY[" + e.col("ai") + ", " + e.ints(0) + "]"
		element = []string{"CARDINALITY(t.n)", "t.n"}
	}
	if !strings.Contains(array, "s.ai") && !strings.Contains(array, "s.av") && !strings.Contains(array, "s.ro") {
		array, element, names = e.col("ai"), []string{"t.n"}, []string{"n"}
	}
	text := "UNNEST(" + array + ")"
	if g.r.IntN(2) == 0 {
		text += " WITH ORDINALITY"
		element, names = append(element, "t.o"), append(names, "o")
	}
	text += " AS t (" + strings.Join(names, ", ") + ")"
	switch g.r.IntN(6) {
	case 0, 1:
		return " LEFT JOIN " + text + " ON TRUE", element, true
	case 2:
		return ", " + text, element, false
	case 3:
		return " JOIN " + text + " ON " + e.boolean(1), element, false
	}
	return e.pick(" CROSS JOIN ", " CROSS JOIN LATERAL ") + text, element, false
}

// unnested is a query of the elements of arrays.
func (g *generator) unnested() *query {
	d := g.any()
	e := g.exprs("s.")
	join, columns, left := g.elements()
	kind := map[bool]string{true: "left"}[left]
	element := columns[g.r.IntN(len(columns))]
	where := e.pick("", "", " WHERE "+element+" IS NOT NULL", " WHERE "+e.boolean(1), " WHERE s.x > 2 AND ("+element+" IS NULL OR s.k > 1)")
	switch {
	case d.timed && g.r.IntN(4) == 0:
		if kind = "range"; left {
			kind = "left-range"
		}
		window := fmt.Sprintf("%s [RANGE %s SLIDE %s] AS s", d.name, span(g.duration()), span(g.duration()))
		text := fmt.Sprintf("SELECT window_end, %s AS g, COUNT(*) AS n, COUNT(%s) AS m, ARRAY_AGG(s.x) AS l FROM %s%s%s GROUP BY %s", element, columns[0], window, join, where, element)
		return newQuery(text, "unnest", kind, []*data{d})
	case d.timed && g.r.IntN(6) == 0: // of results of a window
		inner := fmt.Sprintf("SELECT k AS k, ARRAY_AGG(g) AS l FROM %s [RANGE %s SLIDE %s] GROUP BY k", d.name, span(g.duration()), span(g.duration()))
		from := "(" + inner + ") AS v " + e.pick("CROSS JOIN UNNEST(v.l) AS t (n)", "LEFT JOIN UNNEST(v.l) AS t (n) ON TRUE")
		text := e.pick("SELECT window_end, k, n FROM "+from, "SELECT window_end, n, COUNT(*) AS c, MAX(k) AS m FROM "+from+" GROUP BY n")
		return newQuery(text, "unnest", "carried", []*data{d})
	case g.r.IntN(6) == 0: // in front of a window of rows
		from := fmt.Sprintf("(SELECT s.k AS k, s.x AS x, %s AS n FROM %s AS s%s%s) AS v [ROWS %d SLIDE %d]", element, d.name, join, where, 1+g.r.IntN(9), 1+g.r.IntN(9))
		return newQuery("SELECT window_index, COUNT(*) AS c, COUNT(n) AS m, SUM(x) AS x FROM "+from, "unnest", "rows", []*data{d})
	case g.r.IntN(6) == 0: // with a table
		text := fmt.Sprintf("SELECT s.ms AS ms, %s AS n, b.x AS tx FROM %s AS s%s JOIN t AS b ON s.k = b.k%s", element, d.name, join, where)
		return newQuery(text, "unnest", "lookup", []*data{d, g.t})
	case kind == "":
		kind = "none"
	}
	var shown []string
	for i, c := range columns {
		shown = append(shown, fmt.Sprintf("%s AS c%d", c, i))
	}
	return newQuery(fmt.Sprintf("SELECT s.ms AS ms, s.x AS x, %s FROM %s AS s%s%s", strings.Join(shown, ", "), d.name, join, where), "unnest", kind, []*data{d})
}
