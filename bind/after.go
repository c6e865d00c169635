package bind

import "github.com/millrace/millrace/model"

// fuseBehind finds the steps that run behind an aggregate in its own pipeline: those up
// to the last filter, so that rows which a filter drops - HAVING, mostly - never leave
// the worker that made them. Projections behind it are left to the reader, in front of
// which they cost nothing; only where they would be a pipeline of their own, because
// several read them or somebody reads their error rows, do they run here too.
func (b *binder) fuseBehind() {
	for _, op := range b.model.Ops {
		if op.Kind != model.AggregateOp || op.Relation.Instant() {
			continue
		}
		b.after[op.ID] = b.behind(op)
		for _, s := range b.after[op.ID] {
			b.home[s.ID] = op
		}
	}
}

func (b *binder) behind(op *model.Operator) []*model.Operator {
	var steps []*model.Operator
	kept := 0
	for {
		readers := b.readers[model.Edge{Op: op.ID, Port: model.Out}]
		if len(readers) != 1 {
			kept = len(steps)
			break
		}
		op = readers[0].Op
		if op.Kind != model.FilterOp && op.Kind != model.ProjectOp {
			break
		}
		steps = append(steps, op)
		if op.Kind == model.FilterOp || b.errorsRead(op) {
			kept = len(steps)
		}
	}
	return steps[:kept]
}
