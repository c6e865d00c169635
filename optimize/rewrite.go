package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
)

// rewrite is a model being changed: operators are copied, may be dropped, may get
// inputs that stand behind them, and are put in order and renumbered at the end.
type rewrite struct {
	ops []*model.Operator // nil: dropped. Inputs' numbers are positions here.
}

func newRewrite(m *model.Model) *rewrite {
	w := &rewrite{}
	for _, op := range m.Ops {
		w.add(op)
	}
	return w
}

// add appends a copy and returns it; its ID is its position here.
func (w *rewrite) add(op *model.Operator) *model.Operator {
	c := *op
	c.ID = model.OpID(len(w.ops))
	c.Inputs = slices.Clone(op.Inputs)
	w.ops = append(w.ops, &c)
	return &c
}

func (w *rewrite) drop(id model.OpID) { w.ops[id] = nil }

// redirect makes every reader of one edge read another.
func (w *rewrite) redirect(from, to model.Edge, except ...model.OpID) {
	for _, op := range w.ops {
		if op == nil || slices.Contains(except, op.ID) {
			continue
		}
		for i, e := range op.Inputs {
			if e == from {
				op.Inputs[i] = to
			}
		}
	}
}

// freeName returns name with the first number behind it that makes it unique.
func (w *rewrite) freeName(name string) string {
	for n := 1; ; n++ {
		candidate := fmt.Sprintf("%s/%d", name, n)
		if !slices.ContainsFunc(w.ops, func(op *model.Operator) bool { return op != nil && op.Name == candidate }) {
			return candidate
		}
	}
}

// model puts the operators in topological order, close to the order they stand in,
// and numbers them.
func (w *rewrite) model() *model.Model {
	out := &model.Model{}
	at := make([]model.OpID, len(w.ops)) // new number + 1
	var place func(op *model.Operator)
	place = func(op *model.Operator) {
		if at[op.ID] != 0 {
			return
		}
		for _, e := range op.Inputs {
			place(w.ops[e.Op])
		}
		at[op.ID] = model.OpID(len(out.Ops)) + 1
		out.Ops = append(out.Ops, op)
	}
	for _, op := range w.ops {
		if op != nil {
			place(op)
		}
	}
	for i, op := range out.Ops {
		op.ID = model.OpID(i)
		for k := range op.Inputs {
			op.Inputs[k].Op = at[op.Inputs[k].Op] - 1
		}
	}
	return out
}
