package operator

import (
	"errors"
	"slices"
)

var errNotApart = errors.New("nothing of it can be computed apart")

// Offload implements Offloader.
func (p *pass) Offload(int) (Offload, error) { return p.chain.Offload() }

// Offload implements Offloader.
func (r *windowRows) Offload(int) (Offload, error) { return r.in.chain.Offload() }

// Offload implements Offloader: rows are paired in order, behind Batch.
func (j *joinPlan) Offload(input int) (Offload, error) { return j.ins[input].chain.Offload() }

// Offload implements Offloader: rows in front of the lookup, and those of its table.
func (l *lookup) Offload(input int) (Offload, error) {
	if input == 1 {
		return l.table.in.chain.Offload()
	}
	return l.stream.chain.Offload()
}

// Offload implements Offloader. Rows are merged by event time, which is read even where
// nobody behind reads it.
func (u *union) Offload(input int) (Offload, error) {
	o, err := u.inputs[input].in.chain.Offload()
	if err == nil && u.timed {
		o.Side.Need = slices.Clone(o.Side.Need)
		o.Side.Need[o.Side.Output().Time] = true
	}
	return o, err
}

// Offload implements Offloader: of the function's own rows, what the function offers.
func (p *probing) Offload(input int) (Offload, error) {
	if input == 0 {
		if f, ok := p.Function.(Offloader); ok {
			return f.Offload(0)
		}
		return Offload{}, errNotApart
	}
	return p.tables[input-1].in.chain.Offload()
}

// Offload implements Offloader: what stands behind the aggregate works on what it puts out.
func (a *after) Offload(input int) (Offload, error) {
	if f, ok := a.Function.(Offloader); ok {
		return f.Offload(input)
	}
	return Offload{}, errNotApart
}

// Offload implements Offloader: what one window lets in. Two windows on an input have filters
// of their own, and a task has room for the rows of one.
func (f *instant) Offload(input int) (Offload, error) {
	sides := f.byInput[input]
	if len(sides) != 1 {
		return Offload{}, errors.New("two windows look at each of its rows")
	}
	return f.intakes[sides[0]].intake.chain.Offload()
}
