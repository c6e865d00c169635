package simulate

import (
	"math"
	"slices"
)

// Optimum is the least time in seconds in which processors can do tasks[0] tasks of one
// query and tasks[1] of another: the linear program
//
//	minimize T  subject to  sum_p x[q][p] = tasks[q],  sum_q x[q][p]/rate[q][p] <= T,  x >= 0
//
// rate[q][p] is in tasks per second, 0: p refuses q. Ordered by how much better a
// processor is for the first query than for the second, an optimal solution gives the
// first query to the processors up to a pivot and the second query to those after it, and
// only the pivot works for both; so it is enough to try the pivots.
func Optimum(tasks [2]float64, rate [2][]float64) float64 {
	order := make([]int, 0, len(rate[0]))
	for p := range rate[0] {
		if rate[0][p]+rate[1][p] > 0 {
			order = append(order, p)
		}
	}
	slices.SortFunc(order, func(a, b int) int { // by rate[0]/rate[1], greatest first
		l, r := rate[0][a]*rate[1][b], rate[0][b]*rate[1][a]
		switch {
		case l > r:
			return -1
		case l < r:
			return 1
		}
		return 0
	})
	best := math.Inf(1)
	for k := range order {
		var first, second float64
		for i, p := range order {
			switch {
			case i < k:
				first += rate[0][p]
			case i > k:
				second += rate[1][p]
			}
		}
		best = min(best, pivot(tasks, first, second, rate[0][order[k]], rate[1][order[k]]))
	}
	return best
}

// pivot is the time when the pivot, with rates a and b, helps processors whose rates sum
// to first and second: both queries end together if that is possible.
func pivot(tasks [2]float64, first, second, a, b float64) float64 {
	if first+a == 0 && tasks[0] > 0 || second+b == 0 && tasks[1] > 0 {
		return math.Inf(1)
	}
	alone := max(ratio(tasks[0], first+a), ratio(tasks[1], second)) // all for the first
	alone = min(alone, max(ratio(tasks[0], first), ratio(tasks[1], second+b)))
	if a == 0 || b == 0 {
		return alone
	}
	t := (tasks[1] + b/a*tasks[0]) / (second + b + b/a*first)
	if share := (tasks[0] - t*first) / a; share >= 0 && share <= t {
		return t
	}
	return alone
}

func ratio(n, rate float64) float64 {
	if n == 0 {
		return 0
	}
	return n / rate
}

// Rates are the queries' tasks per second on each processor at the start, and their
// numbers of tasks, as Optimum wants them. Only for scenarios of two queries.
func (s *Scenario) Rates() (tasks [2]float64, rate [2][]float64) {
	for q := range 2 {
		tasks[q] = float64(s.Queries[q].Tasks)
		for p := range s.Processors {
			r := 0.0
			if v := s.speed(q, p, 0); v > 0 {
				r = 1 / v.Seconds()
			}
			rate[q] = append(rate[q], r)
		}
	}
	return tasks, rate
}
