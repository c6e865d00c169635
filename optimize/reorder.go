package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
)

// Reorder moves filters toward the source, so that what stands behind them works on
// fewer rows. A filter's conjuncts move one by one; those that cannot stay.
//
//	below a projection     s ─ project ─ filter ─     =>   s ─ filter ─ project ─
//
//	below a union          a ─┬─ union ─ filter ─     =>   a ─ filter ─┬─ union ─
//	                       b ─┘                            b ─ filter ─┘
//
//	below a time window    s ─ window ─ filter ─      =>   s ─ filter ─ window ─
//
//	below a lookup         s ─┬─ lookup ─ filter ─    =>   s ─ filter ─┬─ lookup ─
//	                       t ─┘                            t ──────────┘
//
// Safe when the conjunct cannot err (else rows would err that are never reached, or
// once instead of once per window), when it reads only columns that exist below, when
// what it moves past cannot err (a filter in front would hide its error rows), when
// nobody else reads what it moves past, and when order and windows stay as they were:
// never below a rows window, which counts the rows it gets; nor below a per-instant
// window, whose instants are its rows; nor below a union without event time, which
// takes its inputs' rows in turn.
var Reorder = Optimization{
	Name:    "reorder",
	Summary: "move filters toward the sources",
	Sites:   reorderSites,
	Safe:    reorderSafe,
	Profit:  reorderProfit,
	Apply:   reorderApply,
}

func reorderSites(m *model.Model) []Site {
	var out []Site
	for _, op := range m.Ops {
		if op.Kind != model.FilterOp || op.Inputs[0].Port != model.Out {
			continue
		}
		past := m.Input(op, 0)
		if past.Kind == model.SourceOp || past.Kind == model.FilterOp {
			continue // as near as it gets; the other filter moves first
		}
		out = append(out, Site{Ops: []model.OpID{op.ID, past.ID},
			Text: fmt.Sprintf("filter %s below %s %s", op.Name, past.Kind, past.Name)})
	}
	return out
}

func reorderSafe(m *model.Model, s Site) string {
	filter, past := m.Ops[s.Ops[0]], m.Ops[s.Ops[1]]
	if reason := mayPass(m, past); reason != "" {
		return reason
	}
	if readers := m.Consumers()[filter.Inputs[0]]; len(readers) > 1 {
		return fmt.Sprintf("%d operators read it before the filter", len(readers))
	}
	var first string
	for _, e := range filter.Filter {
		reason := mayMove(m, past, e)
		if reason == "" {
			return ""
		}
		if first == "" {
			first = reason
		}
	}
	return first
}

// mayPass says why no filter can move below an operator of this kind, or "".
func mayPass(m *model.Model, past *model.Operator) string {
	switch past.Kind {
	case model.ProjectOp, model.LookupOp:
		if past.Properties().MayErr {
			return fmt.Sprintf("%s may err on rows that the filter would hide from it", past.Name)
		}
	case model.UnionOp:
		if past.Relation.Time < 0 {
			return "a union without event time takes its inputs' rows in turn, and fewer rows change the turns"
		}
	case model.WindowOp:
		switch {
		case past.Window.Kind == model.Rows:
			return "a rows window counts the rows before the filter"
		case past.Window.Kind.Instant():
			return "the instants of a per-instant window are the rows before the filter"
		}
	case model.AggregateOp:
		return "it filters results of the aggregate"
	case model.JoinOp:
		return "it filters pairs of the join"
	default:
		return fmt.Sprintf("filters do not move below %s", past.Kind)
	}
	return ""
}

// mayMove says why one conjunct cannot move below past, or "".
func mayMove(m *model.Model, past *model.Operator, e *model.Expr) string {
	if e.MayErr() {
		return "the predicate may err, and would err for other rows there"
	}
	width := past.Relation.Schema.Len()
	switch past.Kind {
	case model.WindowOp, model.LookupOp:
		width = m.Schema(past.Inputs[0]).Len()
	}
	beyond := -1
	e.Columns(func(c int) {
		if c >= width {
			beyond = c
		}
	})
	if beyond >= 0 {
		return fmt.Sprintf("the predicate reads column %s, which %s adds", past.Relation.Schema.Fields[beyond].Name, past.Name)
	}
	return ""
}

func reorderProfit(m *model.Model, s Site) Estimate {
	filter, past := m.Ops[s.Ops[0]], m.Ops[s.Ops[1]]
	if past.Kind != model.ProjectOp {
		return Estimate{Pays: true, Text: "fewer rows reach " + past.Name}
	}
	computed, twice := 0, 0
	for _, e := range past.Project {
		if e.Kind == model.CallExpr {
			computed++
		}
	}
	for _, e := range movable(m, filter, past) {
		e.Columns(func(c int) {
			if past.Project[c].Kind == model.CallExpr {
				twice++
			}
		})
	}
	if twice > 0 {
		return Estimate{Text: fmt.Sprintf("%d computed columns would be computed twice", twice)}
	}
	return Estimate{Pays: true, Text: fmt.Sprintf("%d computed columns for fewer rows", computed)}
}

func movable(m *model.Model, filter, past *model.Operator) []*model.Expr {
	return slices.DeleteFunc(slices.Clone(filter.Filter), func(e *model.Expr) bool { return mayMove(m, past, e) != "" })
}

func reorderApply(m *model.Model, s Site) *model.Model {
	filter, past := m.Ops[s.Ops[0]], m.Ops[s.Ops[1]]
	moving := movable(m, filter, past)
	w := newRewrite(m)

	if len(moving) == len(filter.Filter) {
		w.redirect(model.Edge{Op: filter.ID, Port: model.Out}, filter.Inputs[0])
		w.drop(filter.ID)
	} else {
		w.ops[filter.ID].Filter = slices.DeleteFunc(slices.Clone(filter.Filter), func(e *model.Expr) bool {
			return slices.Contains(moving, e)
		})
	}
	if past.Kind == model.ProjectOp {
		for i, e := range moving {
			moving[i] = substitute(e, past.Project)
		}
	}
	inputs := past.Inputs[:1]
	if past.Kind == model.UnionOp {
		inputs = past.Inputs
	}
	for i, e := range inputs {
		name := filter.Name
		if w.ops[filter.ID] != nil || len(inputs) > 1 {
			name = w.freeName(filter.Name)
		}
		moved := w.add(&model.Operator{Name: name, Kind: model.FilterOp, Inputs: []model.Edge{e}, Relation: m.EdgeRelation(e), Filter: moving})
		w.ops[past.ID].Inputs[i] = model.Edge{Op: moved.ID, Port: model.Out}
		if w.ops[filter.ID] == nil { // whoever lists its errors (there are none) still finds the port
			w.redirect(model.Edge{Op: filter.ID, Port: model.Errors}, model.Edge{Op: moved.ID, Port: model.Errors})
		}
	}
	return w.model()
}

// substitute puts expressions in the place of the columns of e.
func substitute(e *model.Expr, columns []*model.Expr) *model.Expr {
	return e.Rewrite(func(x *model.Expr) *model.Expr {
		if x.Kind == model.ColumnExpr {
			return columns[x.Column]
		}
		return x
	})
}
