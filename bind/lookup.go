package bind

import "github.com/millrace/millrace/model"

// fuseLookups takes the lookups that feed an aggregate into its input as steps, and
// returns that input and the lookups' tables.
func (b *binder) fuseLookups(in Input) []Input {
	inputs := []Input{in}
	for {
		in := &inputs[0]
		op := b.model.Ops[in.Edge.Op]
		if in.Edge.Port != model.Out || op.Kind != model.LookupOp || !b.fused.Front[op.ID] || counts(in.Steps) {
			return inputs
		}
		front := b.stateless(op.Inputs[0], append([]*model.Operator{op}, in.Steps...))
		front.Need = in.Need
		if front.Need == nil {
			front.Need = b.outputNeed(in)
		}
		inputs[0] = front
		inputs = append(inputs, b.stateless(op.Inputs[1], nil))
	}
}

// counts reports whether a ROWS window is among the steps.
func counts(steps []*model.Operator) bool {
	for _, s := range steps {
		if s.Kind == model.WindowOp && s.Window.Kind == model.Rows {
			return true
		}
	}
	return false
}

// Lookups are the lookups among the steps of the first input, in the order of their
// tables among the other inputs.
func (p *Pipeline) Lookups() []*model.Operator {
	if p.Form != Aggregate {
		return nil
	}
	var out []*model.Operator
	for i := len(p.Inputs[0].Steps) - 1; i >= 0; i-- {
		if s := p.Inputs[0].Steps[i]; s.Kind == model.LookupOp {
			out = append(out, s)
		}
	}
	return out
}
