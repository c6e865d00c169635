package bind

import "github.com/millrace/millrace/model"

// fuseBehind finds the steps that run behind an aggregate in its own pipeline.
func (b *binder) fuseBehind() {
	for _, op := range b.model.Ops {
		if op.Kind != model.AggregateOp {
			continue
		}
		for at := op; ; {
			readers := b.readers[model.Edge{Op: at.ID, Port: model.Out}]
			if len(readers) != 1 || !b.fused.Behind[readers[0].Op.ID] {
				break
			}
			at = readers[0].Op
			b.after[op.ID] = append(b.after[op.ID], at)
			b.home[at.ID] = op
		}
	}
}
