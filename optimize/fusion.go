package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
)

// Fusion lets filters and projections run inside the pipeline of a neighbour, on rows
// that are in the cache, instead of in one of their own behind a queue.
//
//	in front of the next operator     s -> [filter] -> [project] -> [aggregate]
//	                             =>   s -> [filter, project, aggregate]
//
//	a lookup, with its table          s, t -> [lookup] -> [aggregate]
//	                             =>   s, t -> [lookup, aggregate]
//
//	behind an aggregate               [aggregate] -> [having] -> [sink]
//	                             =>   [aggregate, having] -> [sink]
//
// Behind an aggregate run the steps up to the last filter, so that the groups it drops
// never leave the worker that made them, and those that would be alone otherwise; the
// rest costs nothing in front of the reader, which works side by side on all cores.
//
// Safe in front of another operator when that one is the only reader, also of the error
// rows - an operator runs once - and does not need the rows themselves: a ROWS window
// counts what it gets, and the windows of a per-instant region share it. Behind an
// aggregate it is always safe.
//
// Steps between a window and its aggregate or join are no sites: whether they run there,
// on rows, or behind, on a row per window, is seen in the order of the groups. They
// belong to the window (see fuseWindows) also when fusion is off.
var Fusion = Optimization{
	Name:    "fusion",
	Summary: "run filters and projections in the pipeline of a neighbour",
	Sites:   fusionSites,
	Safe:    fusionSafe,
	Profit:  fusionProfit,
	Note:    fusionNote,
}

// Fused are the filters and projections that run in a neighbour's pipeline. The others
// are pipelines of their own.
type Fused struct {
	Front  map[model.OpID]bool // in front of their reader
	Behind map[model.OpID]bool // behind the aggregate that they read, perhaps through others
}

const (
	inFront = "front"
	behind  = "behind"
)

func fusionSites(m *model.Model) []Site {
	readers := m.Consumers()
	after := map[model.OpID]*model.Operator{}
	for _, op := range m.Ops {
		if op.Kind == model.AggregateOp && !op.Relation.Instant() {
			for _, s := range stepsBehind(readers, op) {
				after[s.ID] = op
			}
		}
	}
	var out []Site
	for _, op := range m.Ops {
		if op.Kind == model.LookupOp {
			if home := aggregateBehind(m, readers, op); home != nil {
				out = append(out, Site{Ops: []model.OpID{op.ID, readers[model.Edge{Op: op.ID, Port: model.Out}][0].Op.ID}, Detail: inFront,
					Text: fmt.Sprintf("lookup %s in front of aggregate %s", op.Name, home.Name)})
			}
			continue
		}
		if op.Kind != model.FilterOp && op.Kind != model.ProjectOp || op.Relation.Instant() || ofWindow(m, op) {
			continue
		}
		if home := after[op.ID]; home != nil {
			out = append(out, Site{Ops: []model.OpID{op.ID, home.ID}, Detail: behind,
				Text: fmt.Sprintf("%s %s behind %s %s", op.Kind, op.Name, home.Kind, home.Name)})
			continue
		}
		s := Site{Ops: []model.OpID{op.ID}, Detail: inFront, Text: fmt.Sprintf("%s %s", op.Kind, op.Name)}
		if rs := readers[model.Edge{Op: op.ID, Port: model.Out}]; len(rs) == 1 {
			s.Ops = append(s.Ops, rs[0].Op.ID)
			s.Text += fmt.Sprintf(" in front of %s %s", rs[0].Op.Kind, rs[0].Op.Name)
		}
		out = append(out, s)
	}
	return out
}

// aggregateBehind returns the aggregate that a lookup feeds, through nothing but steps that
// run in the aggregate's pipeline; nil if there is none.
func aggregateBehind(m *model.Model, readers map[model.Edge][]model.Reader, op *model.Operator) *model.Operator {
	for windows := 0; ; {
		rs := readers[model.Edge{Op: op.ID, Port: model.Out}]
		if len(rs) != 1 || errorReaders(readers, op) > 0 {
			return nil
		}
		switch op = rs[0].Op; op.Kind {
		case model.AggregateOp:
			return op
		case model.WindowOp:
			if windows++; windows > 1 || !op.Window.Kind.Spans() || op.Window.Kind == model.Session {
				return nil
			}
		case model.LookupOp:
			if !op.KeysOnly() || rs[0].Input != 0 || windows > 0 {
				return nil
			}
		case model.FilterOp, model.ProjectOp:
		default:
			return nil
		}
	}
}

// ofWindow reports whether only filters and projections stand between a window and op.
func ofWindow(m *model.Model, op *model.Operator) bool {
	for op.Kind == model.FilterOp || op.Kind == model.ProjectOp {
		if op.Inputs[0].Port != model.Out {
			return false
		}
		op = m.Input(op, 0)
	}
	return op.Kind == model.WindowOp
}

// fuseWindows notes the steps that belong to a window.
func fuseWindows(r *Result) {
	readers := r.Model.Consumers()
	for _, op := range r.Model.Ops {
		if op.Kind == model.FilterOp || op.Kind == model.ProjectOp {
			alone := len(readers[model.Edge{Op: op.ID, Port: model.Out}]) == 1 && errorReaders(readers, op) == 0
			if alone && !op.Relation.Instant() && ofWindow(r.Model, op) {
				r.Fused.Front[op.ID] = true
			}
		}
	}
}

// stepsBehind are the filters and projections that run behind an aggregate.
func stepsBehind(readers map[model.Edge][]model.Reader, op *model.Operator) []*model.Operator {
	var steps []*model.Operator
	kept := 0
	for {
		rs := readers[model.Edge{Op: op.ID, Port: model.Out}]
		if len(rs) != 1 {
			return steps
		}
		op = rs[0].Op
		if op.Kind != model.FilterOp && op.Kind != model.ProjectOp {
			return steps[:kept]
		}
		steps = append(steps, op)
		if op.Kind == model.FilterOp || errorReaders(readers, op) > 0 {
			kept = len(steps)
		}
	}
}

func errorReaders(readers map[model.Edge][]model.Reader, op *model.Operator) int {
	return len(readers[model.Edge{Op: op.ID, Port: model.Errors}])
}

func fusionSafe(m *model.Model, s Site) string {
	if s.Detail == behind {
		return ""
	}
	op, readers := m.Ops[s.Ops[0]], m.Consumers()
	switch n := len(readers[model.Edge{Op: op.ID, Port: model.Out}]); {
	case n == 0:
		return "only its error rows are read"
	case n > 1:
		return fmt.Sprintf("%d operators read it", n)
	case errorReaders(readers, op) > 0:
		return "its error rows are read, too"
	}
	if op.Kind == model.LookupOp && !op.KeysOnly() {
		return "it compares more than keys that cannot fail"
	}
	next := m.Ops[s.Ops[1]]
	if next.Kind == model.WindowOp {
		switch {
		case next.Window.Kind == model.Rows:
			return "a ROWS window counts the rows it gets"
		case next.Window.Kind.Instant():
			return "the windows of a per-instant region share the rows they get"
		}
	}
	return ""
}

func fusionProfit(m *model.Model, s Site) Estimate {
	op := m.Ops[s.Ops[0]]
	need, width := FindNeeded(m)[model.Edge{Op: op.ID, Port: model.Out}], 0
	for i, f := range op.Relation.Schema.Fields {
		if need == nil || need[i] {
			width += f.Type.Width()
		}
	}
	what := "a queue and"
	if s.Detail == behind && op.Kind == model.FilterOp && !slices.ContainsFunc(op.Filter, (*model.Expr).MayErr) {
		what = "a queue for groups that it drops and"
	}
	return Estimate{Pays: true, Text: fmt.Sprintf("saves %s a copy of %d bytes a row", what, width)}
}

func fusionNote(r *Result, s Site) {
	if s.Detail == behind {
		r.Fused.Behind[s.Ops[0]] = true
	} else {
		r.Fused.Front[s.Ops[0]] = true
	}
}
