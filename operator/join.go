package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// The window join.
//
// Problem: both inputs carry a window; for every window that has closed on both, put
// out the pairs that match, ordered by window, left row, right row, whatever the tasks
// were and however they interleaved. Idea: workers only filter, project, evaluate and
// hash the keys of their task's rows (intake); Assemble appends these rows to one store
// per side; Next finds the lowest window that both sides may have, waits until both
// have all of it, indexes its right rows by key, walks its left rows and remembers how
// far it came, so that it can stop at every full output batch.
//
//	left    |--- 3 ---|--- 4 ---|           windows are numbered by their end or index
//	right             |--- 4 ---|--- 5 ---|
//	next(left)=3, next(right)=4: left forgets window 3, both are at 4: join if complete
//
// Pairs move in chunks: candidates by key, by bitmap (joinbits.go) or all pairs, then the
// columns that the residual condition reads are gathered and it selects among them, then
// the output columns of those that are left.
//
// An outer join puts out left rows without partner, too (outer.go): every window with rows on
// the left is one to be put out, when both sides have all of it, and the right side follows.
//
// Invariants:
//
//  1. A side's store is ordered by its order numbers and a window is a run of them, so
//     overlapping windows share their rows and forgetting is moving the store's head.
//  2. next never decreases and is a lower bound on the number of any window with rows
//     that this side can still show; the greater of both sides' - of an outer join the
//     left side's - is the next that can give rows, and neither side needs a window
//     below it.
//  3. Everything Next does follows from the stores, the frontiers and min: between
//     tasks there is no open window, so these are the state.
//  4. At least one side that has not ended and is not complete for the awaited window
//     is always wanted: the buffers' soft limit cannot stop the job.
type join struct {
	*joinPlan
	*pairing
	sides [2]*windowSide
	open  bool

	out    outputs
	errors []ErrorRow
}

// joinPlan is what a window join is compiled to. It does not change but for the counts.
type joinPlan struct {
	env      Env
	op       *model.Operator
	inputs   [2]Side
	need     []bool
	ins      [2]*intake
	compared bool // a condition is a test between the sides
	lanes    bool // windows are paired side by side
	uses     uses
}

// NewJoin returns the function that joins two windowed sides. A side either has its
// WindowOp among the steps or reads a relation that carries a window; need tells which
// columns of op's relation are read.
func NewJoin(env Env, left, right Side, op *model.Operator, need []bool) (Function, error) {
	plan := &joinPlan{env: env, op: op, inputs: [2]Side{left, right}, need: need}
	var sides [2]*windowSide
	for i, side := range plan.inputs {
		var err error
		if sides[i], err = newWindowSide(side); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	p, err := plan.newPairing(sides)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	plan.compared = p.bits != nil
	if plan.lanes = plan.wantsLanes(); plan.lanes {
		return newLaneJoin(plan, sides, p), nil
	}
	for i, in := range plan.ins {
		sides[i].store = newRowStore(in.schema, in.stored, len(in.keyCols) > 0)
	}
	return &join{joinPlan: plan, pairing: p, sides: sides, out: newOutputs(env, op.Relation.Schema, need)}, nil
}

type joinScratch [2]*intakeScratch

// NewScratch implements Function.
func (j *joinPlan) NewScratch() Scratch {
	return &joinScratch{j.ins[0].newScratch(), j.ins[1].newScratch()}
}

func (j *join) Batch(t *Task, s Scratch) (Partial, error) {
	part, failed, err := j.ins[t.Input].run(t, s.(*joinScratch)[t.Input])
	return Partial{Value: part, Errors: failed}, err
}

func (j *join) Assemble(t *Task, p Partial) error {
	part := p.Value.(*rowPart)
	side := j.sides[t.Input]
	side.store.add(part)
	side.advance(t)
	j.ins[t.Input].put(part)
	if err := j.env.bounded("join buffer", j.sides[0].store.sizeBytes()+j.sides[1].store.sizeBytes()); err != nil {
		return err
	}
	return side.store.checkText("join buffer")
}

func (j *join) Next() (*stream.Batch, error) {
	for j.open || j.openNext() {
		done, err := j.fill(&j.out)
		j.errors = append(j.errors, j.takeErrors()...)
		if !done || err != nil {
			return j.out.take(), err
		}
		j.open = false
		for _, s := range j.sides {
			s.skip(j.number + 1)
		}
	}
	return j.out.take(), nil
}

// openNext opens the next window if both sides have all of it.
func (j *join) openNext() bool {
	number, ok := nextWindow(j.sides, j.op.Join.Outer)
	if !ok {
		return false
	}
	var rows [2]pairRows
	for i, s := range j.sides {
		rows[i].rows, rows[i].hash = s.store.rows, s.store.hash
		rows[i].from, rows[i].to = s.rowsOf(number)
	}
	j.open = true
	j.pairing.open(rows, number)
	j.uses.add(j.way())
	j.uses.add(usedInTurn)
	return true
}

func (j *join) Watermark() int64 { return joinWatermark(j.sides, j.op.Join.Outer) }

func (j *join) Wants(input int) bool {
	return wantsSide(j.sides, j.op.Join.Outer, input, j.sides[input].store.sizeBytes())
}

func (j *join) TakeErrors() []ErrorRow {
	out := j.errors
	j.errors = nil
	return out
}

// Discard implements Releaser; partial results hold nothing of the pool.
func (j *join) Discard(Partial) {}

// Close implements Releaser.
func (j *join) Close() { j.out.close() }

func (j *join) Snapshot(w *state.Writer) {
	w.Int(j.out.rows)
	for _, s := range j.sides {
		s.snapshot(w)
	}
}

func (j *join) Restore(r *state.Reader) error {
	j.out.rows = r.Int()
	for _, s := range j.sides {
		if err := s.restore(r); err != nil {
			return err
		}
	}
	return r.End()
}
