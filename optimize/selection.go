package optimize

import (
	"fmt"

	"github.com/millrace/millrace/model"
)

// Selection lets operators choose among their algorithms: how groups are found, how
// windows slide and who computes them, how a join finds its pairs, whether loops use
// vector instructions. The operators choose themselves, by the types of their columns
// and the form of their windows when they are built, and by their rows at the border of
// a task; EXPLAIN shows the former with the plan, statistics both. Switched off, each
// runs the algorithm that serves every query.
//
// Always safe: all algorithms of an operator give the same rows in the same order.
var Selection = Optimization{
	Name:    "selection",
	Summary: "let operators choose their algorithms",
	Sites:   selectionSites,
	Safe:    func(*model.Model, Site) string { return "" },
	Profit:  selectionProfit,
	Note:    func(*Result, Site) {}, // the switch itself is what a job reads
}

func selectionSites(m *model.Model) []Site {
	var out []Site
	for _, op := range m.Ops {
		if (op.Kind == model.AggregateOp || op.Kind == model.JoinOp) && !op.Relation.Instant() {
			out = append(out, Site{Ops: []model.OpID{op.ID}, Text: fmt.Sprintf("%s %s", op.Kind, op.Name)})
		}
	}
	return out
}

func selectionProfit(m *model.Model, s Site) Estimate {
	op := m.Ops[s.Ops[0]]
	if op.Kind == model.JoinOp {
		if n := len(op.Join.LeftKeys); n > 0 {
			return Estimate{Pays: true, Text: fmt.Sprintf("a table by %s instead of every pair of a window", count(n, "column"))}
		}
		if len(op.Join.On) > 0 {
			return Estimate{Pays: true, Text: "no equality between the sides: blocks of pairs where their comparison allows it"}
		}
		return Estimate{Text: "no condition: every pair of a window is wanted"}
	}
	if w := op.Relation.Window; w != nil && w.Slide > 0 && w.Slide < w.Size {
		return Estimate{Pays: true, Text: fmt.Sprintf("a row is in up to %d windows and is added once", (w.Size+w.Slide-1)/w.Slide)}
	}
	return Estimate{Pays: true, Text: "by the width of its keys"}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
