package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
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
//	below a window join    a ─┬─ join ─ filter ─      =>   a ─ filter ─┬─ join ─
//	                       b ─┘                            b ──────────┘
//
//	below an aggregate     s ─ aggregate ─ filter ─   =>   s ─ filter ─ aggregate ─
//
// turns one on the numbers of sorted rows into a limit (rowlimit.go), and puts the conjuncts of one filter in order, cheap before dear.
//
// Safe when the conjunct cannot err (else rows would err that are never reached, or
// once instead of once per window), when it reads only columns that exist below, when
// what it moves past cannot err (a filter in front would hide its error rows), when
// nobody else reads what it moves past, and when order and windows stay as they were:
// never below a rows window, which counts the rows it gets; nor below a per-instant
// window, whose instants are its rows; nor below a union without event time, which
// takes its inputs' rows in turn. Below an aggregate move conditions on its keys: they
// keep or drop whole groups, and a group has its place by its own rows. Not on keys of
// type REAL or DOUBLE, of which 0 and -0 are one group, nor on columns of the window,
// which would make its rows be looked at window by window. Below an outer lookup or join
// move conditions on left columns only: each left row goes on, with a partner or without, so
// the condition drops the same rows there; on the right side it would make left rows be without
// partner that have one.
var Reorder = Optimization{
	Name:    "reorder",
	Summary: "move filters toward the sources, cheap conjuncts first",
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
	return append(append(out, rowLimitSites(m)...), cheapFirstSites(m)...)
}

func reorderSafe(m *model.Model, s Site) string {
	switch s.Detail {
	case cheapFirst:
		return ""
	case rowLimit:
		return rowLimitSafe(m, s)
	}
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
		case past.Window.Kind == model.Session:
			return "a row that the filter would hide joins the sessions around it"
		case past.Window.Kind.Instant():
			return "the instants of a per-instant window are the rows before the filter"
		}
	case model.AggregateOp, model.JoinOp:
		switch {
		case past.Kind == model.AggregateOp && past.Aggregate.Peak != nil:
			return fmt.Sprintf("the peak of %s is among the groups before the filter", past.Name)
		case past.Relation.Instant():
			return fmt.Sprintf("the instants of %s are its rows before the filter", past.Name)
		case past.Properties().MayErr:
			return fmt.Sprintf("%s may err on rows that the filter would hide from it", past.Name)
		}
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
	switch past.Kind {
	case model.AggregateOp:
		return mayMoveBelowKeys(m, past, e)
	case model.JoinOp:
		return mayMoveBelowSide(m, past, e)
	}
	width := past.Relation.Schema.Len()
	switch past.Kind {
	case model.WindowOp, model.LookupOp:
		width = m.Schema(past.Inputs[0]).Len()
	}
	if beyond := firstFrom(e, width); beyond >= 0 {
		return fmt.Sprintf("the predicate reads column %s, which %s adds", past.Relation.Schema.Fields[beyond].Name, past.Name)
	}
	return ""
}

// mayMoveBelowKeys is mayMove for an aggregate.
func mayMoveBelowKeys(m *model.Model, past *model.Operator, e *model.Expr) string {
	keys := past.Aggregate.Keys
	if beyond := firstFrom(e, len(keys)); beyond >= 0 {
		return fmt.Sprintf("the predicate reads column %s, which is no key of %s", past.Relation.Schema.Fields[beyond].Name, past.Name)
	}
	reads, reason := false, ""
	e.Columns(func(c int) {
		reads = true
		if keys[c].Type.IsFloat() {
			reason = "0 and -0 are one group, and the predicate sees the one that came first"
		}
		keys[c].Columns(func(below int) {
			if m.Schema(past.Inputs[0]).Fields[below].Role != stream.NoRole {
				reason = "the predicate reads the window"
			}
		})
	})
	if !reads {
		return "the predicate reads no key"
	}
	return reason
}

// mayMoveBelowSide is mayMove for a window join.
func mayMoveBelowSide(m *model.Model, past *model.Operator, e *model.Expr) string {
	switch input, one := sideOf(m, past, e); {
	case !one:
		return "the predicate does not read the columns of one side"
	case input == 1 && past.Join.Outer:
		return "the predicate reads columns that are NULL for left rows without partner"
	}
	reason := ""
	e.Columns(func(c int) {
		if past.Relation.Schema.Fields[c].Role != stream.NoRole {
			reason = "the predicate reads the window"
		}
	})
	return reason
}

// firstFrom is the first column from width on that an expression reads, or -1.
func firstFrom(e *model.Expr, width int) int {
	beyond := -1
	e.Columns(func(c int) {
		if c >= width && (beyond < 0 || c < beyond) {
			beyond = c
		}
	})
	return beyond
}

// sideOf is the input of a join whose columns an expression reads, if it is one.
func sideOf(m *model.Model, join *model.Operator, e *model.Expr) (input int, one bool) {
	left, sides := m.Schema(join.Inputs[0]).Len(), [2]bool{}
	e.Columns(func(c int) {
		if c < left {
			sides[0] = true
		} else {
			sides[1] = true
		}
	})
	if sides[1] {
		input = 1
	}
	return input, sides[0] != sides[1]
}

func reorderProfit(m *model.Model, s Site) Estimate {
	switch s.Detail {
	case cheapFirst:
		return cheapFirstProfit(m, s)
	case rowLimit:
		return rowLimitProfit(m, s)
	}
	filter, past := m.Ops[s.Ops[0]], m.Ops[s.Ops[1]]
	below := computedBelow(past)
	if below == nil {
		return Estimate{Pays: true, Text: "fewer rows reach " + past.Name}
	}
	computed, twice := 0, 0
	for _, e := range below {
		if e.Kind == model.CallExpr {
			computed++
		}
	}
	for _, e := range movable(m, filter, past) {
		e.Columns(func(c int) {
			if below[c].Kind == model.CallExpr {
				twice++
			}
		})
	}
	switch {
	case twice > 0:
		return Estimate{Text: fmt.Sprintf("%d computed columns would be computed twice", twice)}
	case past.Kind == model.AggregateOp:
		return Estimate{Pays: true, Text: fmt.Sprintf("fewer rows and groups in %s", past.Name)}
	}
	return Estimate{Pays: true, Text: fmt.Sprintf("%d computed columns for fewer rows", computed)}
}

// computedBelow are the expressions that stand for past's columns below it; nil if its
// columns are its input's.
func computedBelow(past *model.Operator) []*model.Expr {
	switch past.Kind {
	case model.ProjectOp:
		return past.Project
	case model.AggregateOp:
		return past.Aggregate.Keys
	}
	return nil
}

func movable(m *model.Model, filter, past *model.Operator) []*model.Expr {
	return slices.DeleteFunc(slices.Clone(filter.Filter), func(e *model.Expr) bool { return mayMove(m, past, e) != "" })
}

func reorderApply(m *model.Model, s Site) *model.Model {
	switch s.Detail {
	case cheapFirst:
		return cheapFirstApply(m, s)
	case rowLimit:
		return rowLimitApply(m, s)
	}
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
	perInput := belowInputs(m, past, moving)
	several := len(perInput) > 1 && len(perInput[0]) > 0 && len(perInput[1]) > 0
	for i, conjuncts := range perInput {
		if len(conjuncts) == 0 {
			continue
		}
		name := filter.Name
		if w.ops[filter.ID] != nil || several {
			name = w.freeName(filter.Name)
		}
		e := past.Inputs[i]
		moved := w.add(&model.Operator{Name: name, Kind: model.FilterOp, Inputs: []model.Edge{e}, Relation: m.EdgeRelation(e), Filter: conjuncts})
		w.ops[past.ID].Inputs[i] = model.Edge{Op: moved.ID, Port: model.Out}
		if w.ops[filter.ID] == nil { // whoever lists its errors (there are none) still finds the port
			w.redirect(model.Edge{Op: filter.ID, Port: model.Errors}, model.Edge{Op: moved.ID, Port: model.Errors})
		}
	}
	return w.model()
}

// belowInputs are the moving conjuncts, as each input of past is to have them.
func belowInputs(m *model.Model, past *model.Operator, moving []*model.Expr) [][]*model.Expr {
	out := make([][]*model.Expr, len(past.Inputs))
	for _, e := range moving {
		switch past.Kind {
		case model.UnionOp:
			for i := range out {
				out[i] = append(out[i], e)
			}
		case model.JoinOp:
			i, _ := sideOf(m, past, e)
			if i == 1 {
				e = shift(e, -m.Schema(past.Inputs[0]).Len())
			}
			out[i] = append(out[i], e)
		default:
			if below := computedBelow(past); below != nil {
				e = substitute(e, below)
			}
			out[0] = append(out[0], e)
		}
	}
	return out
}

// shift moves the columns of e by a distance.
func shift(e *model.Expr, by int) *model.Expr {
	return e.Rewrite(func(x *model.Expr) *model.Expr {
		if x.Kind == model.ColumnExpr {
			return model.Col(x.Column+by, x.Type)
		}
		return x
	})
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
