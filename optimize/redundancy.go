package optimize

import (
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/model"
)

// Redundancy drops what does nothing and keeps one copy of what is done twice.
//
//	dead       source ─┬─ filter ─ sink            source ─── filter ─ sink
//	                   └─ project            =>
//
//	no-op      source ─ filter(TRUE) ─ sink   =>   source ─ sink
//
//	equal      source ─┬─ filter a>1 ─ x           source ─ filter a>1 ─┬─ x
//	                   └─ filter a>1 ─ y     =>                         └─ y
//
//	           s ─┬─ window ─ aggregate ─ x        s ─ window ─ aggregate ─┬─ x
//	              └─ window ─ aggregate ─ y  =>                            └─ y
//
// Dead: no sink can be reached, and so nobody sees the rows or errors. No-ops: a
// filter of TRUE literals, a projection of all columns in their places under their
// names. Equal: stateless operators over the same input, and aggregates over the same
// input or over windows, filters and projections that are equal step by step; merging
// needs that they cannot err, because an error row names its operator, that nobody reads
// both copies, and that nobody else reads the steps in between, which decides whether
// groups are found row by row or window by window. No-ops and equal operators stay where they make the two sides of a
// per-instant join two streams: a row that both sides read from one place is one
// instant, from two places it is two.
//
// Columns nobody reads are the fourth redundancy; they need no rewriting (see Needed).
var Redundancy = Optimization{
	Name:    "redundancy",
	Summary: "drop dead and idle operators, share equal ones",
	Sites:   redundancySites,
	Safe:    redundancySafe,
	Profit:  redundancyProfit,
	Apply:   redundancyApply,
}

const (
	dead  = "dead"
	noOp  = "no-op"
	equal = "equal"
)

func redundancySites(m *model.Model) []Site {
	var out []Site
	live := reachesSink(m)
	for _, op := range m.Ops {
		switch {
		case !live[op.ID]:
			out = append(out, Site{Ops: []model.OpID{op.ID}, Detail: dead, Text: fmt.Sprintf("drop %s %s", op.Kind, op.Name)})
		case doesNothing(m, op):
			out = append(out, Site{Ops: []model.OpID{op.ID}, Detail: noOp, Text: fmt.Sprintf("skip %s %s", op.Kind, op.Name)})
		}
	}
	for i, op := range m.Ops {
		for _, earlier := range m.Ops[:i] {
			if live[op.ID] && live[earlier.ID] && sameWork(m, earlier, op) {
				out = append(out, Site{Ops: []model.OpID{earlier.ID, op.ID}, Detail: equal,
					Text: fmt.Sprintf("share %s %s with %s", op.Kind, earlier.Name, op.Name)})
				break
			}
		}
	}
	return out
}

// reachesSink reports which operators something reaches a sink from. The end of a
// per-instant region lives if anything in it does: only there is the region computed,
// its error rows too.
func reachesSink(m *model.Model) []bool {
	live := make([]bool, len(m.Ops))
	for changed := true; changed; {
		for i, op := range slices.Backward(m.Ops) {
			live[i] = live[i] || op.Kind == model.SinkOp
			for _, e := range op.Inputs {
				live[e.Op] = live[e.Op] || live[i]
			}
		}
		changed = false
		for i, op := range m.Ops {
			if op.Kind == model.EmitOp && !live[i] && regionLives(m, op, live) {
				live[i], changed = true, true
			}
		}
	}
	return live
}

func regionLives(m *model.Model, end *model.Operator, live []bool) bool {
	return slices.ContainsFunc(end.Inputs, func(e model.Edge) bool {
		op := m.Ops[e.Op]
		return op.Relation.Instant() && op.Kind != model.WindowOp && (live[e.Op] || regionLives(m, op, live))
	})
}

func doesNothing(m *model.Model, op *model.Operator) bool {
	switch op.Kind {
	case model.FilterOp:
		return !slices.ContainsFunc(op.Filter, func(e *model.Expr) bool {
			return e.Kind != model.LiteralExpr || !e.Literal.Truth()
		})
	case model.ProjectOp:
		in := m.EdgeRelation(op.Inputs[0])
		if in.Time != op.Relation.Time || !slices.Equal(in.Schema.Fields, op.Relation.Schema.Fields) {
			return false
		}
		for i, e := range op.Project {
			if e.Kind != model.ColumnExpr || e.Column != i {
				return false
			}
		}
		return true
	}
	return false
}

// sameWork: two operators that put out the same rows, stateless ones or aggregates.
func sameWork(m *model.Model, a, b *model.Operator) bool {
	switch a.Kind {
	case model.FilterOp, model.ProjectOp:
		return sameStep(a, b) && slices.Equal(a.Inputs, b.Inputs)
	case model.AggregateOp:
		return sameStep(a, b) && sameRows(m, a.Inputs[0], b.Inputs[0])
	}
	return false
}

// sameStep: the two would put out the same rows over the same input.
func sameStep(a, b *model.Operator) bool {
	if a.Kind != b.Kind || a.Relation.Time != b.Relation.Time || !slices.Equal(a.Relation.Schema.Fields, b.Relation.Schema.Fields) {
		return false
	}
	switch a.Kind {
	case model.FilterOp:
		return slices.EqualFunc(a.Filter, b.Filter, (*model.Expr).Equal)
	case model.ProjectOp:
		return slices.EqualFunc(a.Project, b.Project, (*model.Expr).Equal)
	case model.AggregateOp:
		return a.Aggregate.Equal(b.Aggregate)
	case model.WindowOp:
		v, w := a.Window, b.Window
		return v.Kind == w.Kind && v.Size == w.Size && v.Slide == w.Slide && slices.Equal(v.PartitionBy, w.PartitionBy)
	}
	return false
}

// sameRows: two edges are one, or carry the same rows by equal steps.
func sameRows(m *model.Model, a, b model.Edge) bool {
	if a == b {
		return true
	}
	x, y := m.Ops[a.Op], m.Ops[b.Op]
	if a.Port != model.Out || b.Port != model.Out || x.Kind == model.AggregateOp || !sameStep(x, y) {
		return false
	}
	return sameRows(m, x.Inputs[0], y.Inputs[0])
}

// equalSteps gives a reason if the steps before two aggregates that are equal are not
// only theirs.
func equalSteps(m *model.Model, a, b model.Edge) string {
	readers := m.Consumers()
	for a != b {
		for _, e := range []model.Edge{a, b} {
			op := m.Ops[e.Op]
			switch {
			case op.Properties().MayErr:
				return fmt.Sprintf("%s before it may err, and an error row names its operator", op.Name)
			case len(readers[e])+errorReaders(readers, op) > 1:
				return fmt.Sprintf("others read %s before it", op.Name)
			}
		}
		a, b = m.Ops[a.Op].Inputs[0], m.Ops[b.Op].Inputs[0]
	}
	return ""
}

func redundancySafe(m *model.Model, s Site) string {
	first := m.Ops[s.Ops[0]]
	switch s.Detail {
	case noOp:
		if slices.ContainsFunc(m.Ops, func(op *model.Operator) bool {
			return slices.Contains(op.Inputs, model.Edge{Op: first.ID, Port: model.Errors})
		}) {
			return "its error output is read"
		}
		return oneInsteadOfTwo(m, s.Ops[0], first.Inputs[0])
	case equal:
		if first.Properties().MayErr {
			return "it may err, and an error row names its operator"
		}
		if first.Relation.Instant() {
			return "its rows are per instant, and both copies belong to regions of their own"
		}
		if first.Kind == model.AggregateOp {
			if reason := equalSteps(m, first.Inputs[0], m.Ops[s.Ops[1]].Inputs[0]); reason != "" {
				return reason
			}
		}
		return oneInsteadOfTwo(m, s.Ops[1], model.Edge{Op: first.ID, Port: model.Out})
	}
	return ""
}

// oneInsteadOfTwo gives a reason if putting an edge in the place of an operator would
// make one stream of two where that can be told: at a reader of both, and at a
// per-instant join behind both.
func oneInsteadOfTwo(m *model.Model, id model.OpID, instead model.Edge) string {
	behind := readersBehind(m, model.Edge{Op: id, Port: model.Out}, id)
	others := readersBehind(m, instead, id)
	for _, op := range m.Ops {
		if !behind[op.ID] || !others[op.ID] {
			continue
		}
		if op.Kind == model.JoinOp && op.Relation.Instant() {
			return fmt.Sprintf("%s %s would see one stream instead of two", op.Kind, op.Name)
		}
		if slices.Contains(op.Inputs, model.Edge{Op: id, Port: model.Out}) && slices.Contains(op.Inputs, instead) {
			return fmt.Sprintf("%s %s reads both", op.Kind, op.Name)
		}
	}
	return ""
}

// readersBehind are the operators that rows of an edge reach, not through except.
func readersBehind(m *model.Model, from model.Edge, except model.OpID) map[model.OpID]bool {
	reached := map[model.OpID]bool{}
	for _, op := range m.Ops {
		if op.ID != except && slices.ContainsFunc(op.Inputs, func(e model.Edge) bool {
			return e == from || e.Port == model.Out && reached[e.Op]
		}) {
			reached[op.ID] = true
		}
	}
	return reached
}

func redundancyProfit(m *model.Model, s Site) Estimate {
	switch s.Detail {
	case dead:
		return Estimate{Pays: true, Text: "no sink can be reached from it"}
	case noOp:
		return Estimate{Pays: true, Text: "it changes nothing"}
	}
	return Estimate{Pays: true, Text: "computed once for both"}
}

func redundancyApply(m *model.Model, s Site) *model.Model {
	w := newRewrite(m)
	last := s.Ops[len(s.Ops)-1]
	switch s.Detail {
	case noOp:
		w.redirect(model.Edge{Op: last, Port: model.Out}, m.Ops[last].Inputs[0])
	case equal:
		for _, port := range []model.Port{model.Out, model.Errors} {
			w.redirect(model.Edge{Op: last, Port: port}, model.Edge{Op: s.Ops[0], Port: port})
		}
	case dead:
		live := reachesSink(m)
		gone := map[model.OpID]bool{last: true}
		for _, op := range m.Ops[last:] { // whatever read it is dead too
			if !live[op.ID] && slices.ContainsFunc(op.Inputs, func(e model.Edge) bool { return gone[e.Op] }) {
				gone[op.ID] = true
			}
		}
		for id := range maps.Keys(gone) {
			w.drop(id)
		}
		return w.model()
	}
	w.drop(last)
	return w.model()
}
