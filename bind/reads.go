package bind

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var windowRoles = []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime, stream.WindowIndex}

func mark(reads []bool, e *model.Expr) {
	e.Columns(func(c int) { reads[c] = true })
}

// aggregateReads are the columns that an aggregate's expressions read of its input.
func (b *binder) aggregateReads(op *model.Operator) []bool {
	reads := make([]bool, b.model.Schema(op.Inputs[0]).Len())
	for _, k := range op.Aggregate.Keys {
		mark(reads, k)
	}
	for _, a := range op.Aggregate.Aggs {
		mark(reads, a.Arg)
		mark(reads, a.By)
		mark(reads, a.Filter)
	}
	return reads
}

// joinReads are the columns that a window join reads of its sides: those of its
// expressions and those it puts out, except window columns, which it makes itself.
func (b *binder) joinReads(op *model.Operator) (left, right []bool) {
	ls, rs := b.model.Schema(op.Inputs[0]), b.model.Schema(op.Inputs[1])
	out := b.needs[model.Edge{Op: op.ID, Port: model.Out}]
	both := make([]bool, ls.Len()+rs.Len())
	for i := range both {
		f := op.Relation.Schema.Fields[i]
		both[i] = (out == nil || out[i]) && f.Role == stream.NoRole
	}
	for _, e := range op.Join.On {
		mark(both, e)
	}
	left, right = both[:ls.Len()], both[ls.Len():]
	for i := range op.Join.LeftKeys {
		mark(left, op.Join.LeftKeys[i])
		mark(right, op.Join.RightKeys[i])
	}
	return left, right
}

// readsWindow follows what is read of the last step's output back to the window w
// and reports whether a window column is among it.
func readsWindow(w *model.Operator, m *model.Model, steps []*model.Operator, reads []bool) bool {
	for i := len(steps) - 1; i >= 0; i-- {
		reads = readsBefore(m, steps[i], reads)
	}
	for i := m.Schema(w.Inputs[0]).Len(); i < len(reads); i++ {
		if reads[i] {
			return true
		}
	}
	return false
}

// readsBefore is what a stateless step reads of its input so that the columns read of
// its output exist. Expressions that may err are evaluated even if nobody reads them.
func readsBefore(m *model.Model, step *model.Operator, reads []bool) []bool {
	before := make([]bool, m.Schema(step.Inputs[0]).Len())
	if step.Kind == model.FilterOp {
		copy(before, reads)
		for _, e := range step.Filter {
			mark(before, e)
		}
		return before
	}
	for i, e := range step.Project {
		if reads[i] || e.MayErr() {
			mark(before, e)
		}
	}
	return before
}

// commuting is the number of steps behind the window w that may run before its rows
// are put out once per window: none of them computes with a window column, or makes a
// column of its own of one (as a cast does that leaves the values as they are).
func commuting(m *model.Model, w *model.Operator, steps []*model.Operator) int {
	windowed := make([]bool, w.Relation.Schema.Len())
	for i := m.Schema(w.Inputs[0]).Len(); i < len(windowed); i++ {
		windowed[i] = true
	}
	for n, s := range steps {
		if s.Kind == model.LookupOp || s.Kind == model.UnnestOp {
			return n
		}
		after := make([]bool, s.Relation.Schema.Len())
		if s.Kind == model.FilterOp {
			copy(after, windowed)
		}
		for _, e := range s.Filter {
			if computesWith(e, windowed) {
				return n
			}
		}
		for i, e := range s.Project {
			if e.Kind == model.ColumnExpr && s.Relation.Schema.Fields[i].Role != stream.NoRole {
				after[i] = windowed[e.Column]
			} else if computesWith(e, windowed) {
				return n
			}
		}
		windowed = after
	}
	return len(steps)
}

func computesWith(e *model.Expr, columns []bool) bool {
	found := false
	e.Columns(func(c int) { found = found || columns[c] })
	return found
}
