package random

import (
	"fmt"
	"strings"
)

// numbered is ROW_NUMBER over each window, of all its rows or of groups, and often the
// first numbers only: the best of each, or what is left of duplicates.
func (g *generator) numbered() *query {
	w := g.closing()
	if strings.HasPrefix(w.kind, "group-") {
		return nil
	}
	e := g.exprs("")
	partition, from := append([]string{}, w.cols...), w.from
	if g.r.IntN(8) == 0 {
		partition, from, w.kind = nil, w.data.name, "none"
	}
	for _, k := range []string{"k", "b", "g", "r"} {
		if g.r.IntN(4) == 0 {
			partition = append(partition, k)
		}
	}
	g.r.Shuffle(len(partition), func(i, j int) { partition[i], partition[j] = partition[j], partition[i] })
	over := ""
	if len(partition) > 0 {
		over = "PARTITION BY " + strings.Join(partition, ", ")
	}
	over += g.keys("d", varying(func() string { return e.scalar(1) }), "x")
	cols := []string{"k, x, r, g", "ms, k", "d, g"}[g.r.IntN(3)]
	if w.kind != "none" {
		cols += ", " + strings.Join(w.cols, ", ")
	}
	inner := fmt.Sprintf("SELECT %s, ROW_NUMBER() OVER (%s) AS rn FROM %s%s", cols, over, from, e.where())
	if g.r.IntN(4) == 0 {
		inner = fmt.Sprintf("SELECT ROW_NUMBER() OVER (%s) AS rn, %s FROM %s%s", over, cols, from, e.where())
	}
	n := g.r.IntN(6)
	where := []string{fmt.Sprintf("rn <= %d", n), fmt.Sprintf("rn < %d", n), "rn = 1", fmt.Sprintf("rn BETWEEN 2 AND %d", n+1), fmt.Sprintf("%d >= rn AND rn > 1", n)}
	text := fmt.Sprintf("SELECT * FROM (%s) AS v", inner)
	if g.r.IntN(4) > 0 {
		text += " WHERE " + where[g.r.IntN(len(where))]
	}
	if g.r.IntN(6) == 0 {
		text += " ORDER BY rn DESC LIMIT 5"
	}
	return newQuery(text, "numbered", w.kind, []*data{w.data})
}

// keys is ORDER BY some of the keys.
func (g *generator) keys(keys ...string) string {
	text := ""
	for _, k := range keys {
		if g.r.IntN(2) == 0 {
			text += []string{" ORDER BY ", ", "}[min(len(text), 1)] + k + []string{"", " ASC", " DESC"}[g.r.IntN(3)] + []string{"", "", " NULLS FIRST", " NULLS LAST"}[g.r.IntN(4)]
		}
	}
	return text
}

// cascaded is a window of any notation over the result of a windowed aggregate.
func (g *generator) cascaded(d *data) *query {
	e := g.exprs("")
	step := g.duration()
	inner := fmt.Sprintf("SELECT window_time AS rowtime, k, COUNT(*) AS n, MAX(x) AS m FROM TABLE(TUMBLE(TABLE %s, DESCRIPTOR(ts), %s))%s GROUP BY window_start, window_end, window_time, k", d.name, interval(step), e.where())
	size := step * (1 + g.r.IntN(4))
	var outer, window string
	switch g.r.IntN(5) {
	case 0:
		window = "tumble"
		outer = fmt.Sprintf("SELECT window_start, window_end, SUM(n) AS n, MIN(m) AS m FROM TABLE(TUMBLE(TABLE v, DESCRIPTOR(rowtime), %s)) GROUP BY window_start, window_end, k", interval(size))
	case 1:
		window = "cumulate"
		outer = fmt.Sprintf("SELECT window_start, window_end, SUM(n) AS n, MIN(m) AS m FROM TABLE(CUMULATE(TABLE v, DESCRIPTOR(rowtime), %s, %s)) GROUP BY window_start, window_end", interval(step), interval(size))
	case 2:
		window = "group"
		outer = fmt.Sprintf("SELECT TUMBLE_END(rowtime, %[1]s) AS we, k, SUM(n) AS n FROM v GROUP BY TUMBLE(rowtime, %[1]s), k", interval(size))
	case 3:
		window = "session"
		outer = fmt.Sprintf("SELECT window_start, window_end, k, SUM(n) AS n, MAX(m) AS m FROM v [PARTITION BY k SESSION %s] GROUP BY k", span(size))
	default:
		window = "best"
		inner = fmt.Sprintf("SELECT window_time, k, n, m FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, m) AS rn FROM (%s) AS u) AS t WHERE rn <= 2",
			strings.NewReplacer("window_time AS rowtime", "window_start, window_end, window_time").Replace(inner))
		outer = fmt.Sprintf("SELECT SUM(n) AS n, MIN(m) AS m, COUNT(*) AS c FROM v [RANGE %s SLIDE %s]", span(size), span(step))
	}
	return newQuery("WITH v AS ("+inner+") "+outer, "nested", "cascaded-"+window, []*data{d})
}
