package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A micro is a family of workloads with one number that varies: NAME:N.
type micro struct {
	name, file string
	values     []int                // of a sweep; others between the least and the greatest run too
	normal     int                  // if none is given
	fill       func(n int) []string // placeholders and what stands for them
}

var micros = []micro{
	{"PROJECT", "PROJECT", []int{1, 2, 4, 6, 8, 10}, 4, fillExpressions},
	{"FILTER", "FILTER", []int{1, 2, 4, 8, 16, 32, 64}, 16, fillPredicates},
	{"SELECTIVITY", "SELECTIVITY", []int{0, 1, 10, 25, 50, 75, 100}, 10, fillNumber},
	{"SUM", "AGGREGATE", slides, 60, fillFunction("SUM")},
	{"AVG", "AGGREGATE", slides, 1, fillFunction("AVG")},
	{"MIN", "AGGREGATE", slides, 60, fillFunction("MIN")},
	{"MAX", "AGGREGATE", slides, 1, fillFunction("MAX")},
	{"GROUP", "GROUPBY", groupCounts, 1000, fillDistribution(uniform)},
	{"GROUPZIPF", "GROUPBY", groupCounts, 1000, fillDistribution(zipf)},
	{"THETAJOIN", "THETAJOIN", []int{1, 2, 4, 8, 16, 32, 64}, 4, fillPairs},
}

var (
	slides      = []int{1, 2, 5, 10, 20, 30, 60}
	groupCounts = []int{10, 100, 1000, 10_000, 100_000, 1_000_000}
)

// Micros lists the families, each with its numbers, as NAME:N.
func Micros() []string {
	var out []string
	for _, m := range micros {
		for _, n := range m.values {
			out = append(out, fmt.Sprintf("%s:%d", m.name, n))
		}
	}
	return out
}

// findMicro returns the member of a family; ok says whether the name is one's.
func findMicro(name string) (w *Workload, ok bool, err error) {
	family, number, given := strings.Cut(name, ":")
	at := slices.IndexFunc(micros, func(m micro) bool { return m.name == family })
	if at < 0 {
		return nil, false, nil
	}
	m := micros[at]
	n := m.normal
	if given {
		n, err = strconv.Atoi(number)
		if err != nil || n < slices.Min(m.values) || n > slices.Max(m.values) {
			return nil, true, fmt.Errorf("workload %s: write a number from %d to %d behind the colon", name, slices.Min(m.values), slices.Max(m.values))
		}
	}
	text, err := workloadFiles.ReadFile("workloads/" + m.file + ".sql")
	if err != nil {
		return nil, true, err
	}
	w, err = parseWorkload(fmt.Sprintf("%s:%d", family, n), strings.NewReplacer(m.fill(n)...).Replace(string(text)))
	return w, true, err
}

func fillNumber(n int) []string { return []string{"${n}", strconv.Itoa(n)} }

func fillFunction(name string) func(int) []string {
	return func(n int) []string { return append(fillNumber(n), "${function}", name) }
}

func fillDistribution(name string) func(int) []string {
	return func(n int) []string { return append(fillNumber(n), "${distribution}", name) }
}

// fillExpressions: sums and products of every column in turn.
func fillExpressions(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s * %d + %s AS e%d", column(i), i+2, column(i+1), i))
	}
	return []string{"${expressions}", strings.Join(out, ", ")}
}

// fillPredicates: each holds for one row in 10,000.
func fillPredicates(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s = %d", column(i), 100+37*i))
	}
	return []string{"${predicates}", strings.Join(out, " OR ")}
}

// fillPairs: the first two leave one pair in a hundred, the others nearly all of them.
func fillPairs(n int) []string {
	out := []string{"l.a < r.b", "l.a + 150 > r.b"}
	if n == 1 {
		out = []string{"l.a + 9000 < r.b"}
	}
	for i := 2; i < n; i++ {
		out = append(out, fmt.Sprintf("l.%s + %d > r.%s", column(i), 9900+i, column(i+1)))
	}
	return []string{"${pairs}", strings.Join(out, " AND ")}
}

func column(i int) string { return string("abc"[i%3]) }
