package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// This file is the part of reorder that puts the conjuncts of one filter in order.
//
// A conjunct of cost c that lets the share p of its rows pass belongs before another if
// its c/(1-p) is smaller (Hanani, An optimal evaluation of Boolean expressions in an
// online query system, 1977). Neither is known before the query runs; what a conjunct
// looks like gives an order that is right where it matters: a comparison of numbers
// before a pattern over text.
//
// Safe always: a row passes if all are TRUE; one that is FALSE or NULL hides those that
// fail, in any order; and of several that fail the first counts, so those that may fail
// keep their order among themselves.

// cheapFirst is the Detail of a site of reorder.
const cheapFirst = "cheap first"

func cheapFirstSites(m *model.Model) []Site {
	var out []Site
	for _, op := range m.Ops {
		if op.Kind == model.FilterOp && !slices.Equal(ranked(op.Filter), op.Filter) {
			out = append(out, Site{Ops: []model.OpID{op.ID}, Detail: cheapFirst, Text: "cheap conjuncts of filter " + op.Name + " first"})
		}
	}
	return out
}

func cheapFirstProfit(m *model.Model, s Site) Estimate {
	conjuncts := m.Ops[s.Ops[0]].Filter
	return Estimate{Pays: true, Text: fmt.Sprintf("about %.1f instead of %.1f comparisons a row", expected(ranked(conjuncts)), expected(conjuncts))}
}

func cheapFirstApply(m *model.Model, s Site) *model.Model {
	w := newRewrite(m)
	op := w.ops[s.Ops[0]]
	op.Filter = ranked(op.Filter)
	return w.model()
}

// ranked is the conjuncts in order. Those that may fail come behind the others.
func ranked(conjuncts []*model.Expr) []*model.Expr {
	out := slices.Clone(conjuncts)
	slices.SortStableFunc(out, func(a, b *model.Expr) int {
		switch ea, eb := a.MayErr(), b.MayErr(); {
		case ea && eb:
			return 0
		case ea:
			return 1
		case eb:
			return -1
		}
		ra, rb := rank(a), rank(b)
		switch {
		case ra < rb:
			return -1
		case ra > rb:
			return 1
		}
		return 0
	})
	return out
}

func rank(e *model.Expr) float64 { return cost(e) / (1 - passing(e)) }

// expected is the cost of a row that the conjuncts see in turn.
func expected(conjuncts []*model.Expr) float64 {
	total, share := 0.0, 1.0
	for _, e := range conjuncts {
		total += share * cost(e)
		share *= passing(e)
	}
	return total
}

// Costs of one call for one row, in comparisons of two numbers.
const (
	costText    = 8  // whatever reads the bytes of a text
	costPattern = 30 // LIKE, conversions from and to text
	costDivide  = 4
)

// cost is about what an expression costs for one row, in comparisons of two numbers.
func cost(e *model.Expr) float64 {
	total := 0.0
	e.Walk(func(x *model.Expr) {
		if x.Kind != model.CallExpr {
			return
		}
		switch {
		case x.Func == "like" || x.Func == "cast" && (x.Type == stream.Varchar || x.Args[0].Type == stream.Varchar):
			total += costPattern
		case slices.ContainsFunc(x.Args, func(a *model.Expr) bool { return a.Type == stream.Varchar }):
			total += costText
		case x.Func == "div" || x.Func == "mod":
			total += costDivide
		default:
			total++
		}
	})
	return max(total, 0.1)
}

// passing is the share of rows assumed to pass a conjunct.
func passing(e *model.Expr) float64 {
	if e.Kind != model.CallExpr {
		return 0.5
	}
	switch e.Func {
	case "eq":
		return 0.1
	case "ne", "is_not_null":
		return 0.9
	case "is_null", "like":
		return 0.2
	case "and":
		return passing(e.Args[0]) * passing(e.Args[1])
	}
	return 0.4
}
