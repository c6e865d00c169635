package operator

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// union merges its inputs by (event time, input, position). Without event time a row's
// number within its input takes the place of its time, so that the inputs alternate,
// and an input that has ended is passed over.
//
// A row may go when no other input can still show one that stands before it: the
// other's first waiting row or, if none waits, its frontier - the least time (number)
// of a row still to come - is beyond. Rows go in runs, as far as that bound allows.
type union struct {
	env    Env
	op     *model.Operator
	timed  bool
	inputs []unionInput
	out    outputs
}

type unionInput struct {
	in       *intake
	store    *rowStore
	frontier int64
	ended    bool
}

// NewUnion returns the function that merges the sides, whose outputs all have the
// columns of op's relation; need tells which are read.
func NewUnion(env Env, sides []Side, op *model.Operator, need []bool) (Function, error) {
	u := &union{env: env, op: op, timed: op.Relation.Time >= 0, out: newOutputs(env, op.Relation.Schema, need)}
	for _, side := range sides {
		order, frontier := orderNone, int64(0)
		if u.timed {
			order, frontier = orderTime, stream.MinTime
			if side.Output().Time < 0 {
				return nil, fmt.Errorf("%s: an input has no event time, the result does", op.Name)
			}
		}
		in, err := newIntake(op.ID, side, need, nil, nil, order, -1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		u.inputs = append(u.inputs, unionInput{in: in, store: newRowStore(in.schema, in.stored, false), frontier: frontier})
	}
	return u, nil
}

func (u *union) NewScratch() Scratch {
	out := make([]*intakeScratch, len(u.inputs))
	for i := range out {
		out[i] = u.inputs[i].in.newScratch()
	}
	return out
}

func (u *union) Batch(t *Task, s Scratch) (Partial, error) {
	part, failed, err := u.inputs[t.Input].in.run(t, s.([]*intakeScratch)[t.Input])
	return Partial{Value: part, Errors: failed}, err
}

func (u *union) Assemble(t *Task, p Partial) error {
	part := p.Value.(*rowPart)
	in := &u.inputs[t.Input]
	if u.timed {
		in.frontier = max(in.frontier, t.Watermark)
		if n := len(part.order); n > 0 {
			in.frontier = max(in.frontier, part.order[n-1])
		}
	} else {
		for i := range part.order {
			part.order[i] = in.frontier + int64(i)
		}
		in.frontier += int64(len(part.order))
	}
	in.ended = in.ended || t.End
	in.store.add(part)
	in.in.put(part)
	size := int64(0)
	for i := range u.inputs {
		size += u.inputs[i].store.sizeBytes()
	}
	if size > u.env.BufferBytesMax {
		return Full("union buffer", size, u.env.BufferBytesMax)
	}
	return in.store.checkText("union buffer")
}

func (u *union) Next() (*stream.Batch, error) {
	for u.out.room() > 0 {
		from := u.first()
		if from < 0 {
			break
		}
		store := u.inputs[from].store
		to := len(store.order)
		if bound := u.bound(from); bound < math.MaxInt64 {
			to = store.search(store.head, bound)
		}
		if to = min(to, store.head+u.out.room()); to == store.head {
			break
		}
		u.out.batch().AppendRange(store.rows, store.head, to)
		store.head = to
	}
	return u.out.take(), nil
}

// first returns the input whose waiting row stands before those of the others, or -1.
func (u *union) first() int {
	best, least := -1, int64(0)
	for i := range u.inputs {
		s := u.inputs[i].store
		if s.len() > 0 && (best < 0 || s.order[s.head] < least) {
			best, least = i, s.order[s.head]
		}
	}
	return best
}

// bound returns the time (number) below which rows of the input may go.
func (u *union) bound(input int) int64 {
	bound := int64(math.MaxInt64)
	for i := range u.inputs {
		if i == input || u.inputs[i].exhausted() {
			continue
		}
		if b := u.inputs[i].least(); b < math.MaxInt64 {
			if input < i {
				b++
			}
			bound = min(bound, b)
		}
	}
	return bound
}

func (in *unionInput) exhausted() bool { return in.ended && in.store.len() == 0 }

// least is the least time (number) of a row that waits or is still to come.
func (in *unionInput) least() int64 {
	if in.store.len() > 0 {
		return in.store.order[in.store.head]
	}
	return in.frontier
}

// Watermark is the least of what the inputs can still show.
func (u *union) Watermark() int64 {
	least := stream.MaxTime
	for i := range u.inputs {
		if in := &u.inputs[i]; !in.exhausted() {
			if !u.timed {
				return stream.MinTime
			}
			least = min(least, in.least())
		}
	}
	return least
}

// Wants stops an input that has plenty waiting for another one that has nothing: that
// one is wanted, so the merge goes on.
func (u *union) Wants(input int) bool {
	if u.inputs[input].store.sizeBytes() <= bufferSoftBytes {
		return true
	}
	for i := range u.inputs {
		if i != input && !u.inputs[i].ended && u.inputs[i].store.len() == 0 {
			return false
		}
	}
	return true
}

func (u *union) TakeErrors() []ErrorRow { return nil }

// Discard implements Releaser; partial results hold nothing of the pool.
func (u *union) Discard(Partial) {}

// Close implements Releaser.
func (u *union) Close() { u.out.close() }

func (u *union) Snapshot(w *state.Writer) {
	w.Int(u.out.rows)
	w.Int(int64(len(u.inputs)))
	for i := range u.inputs {
		in := &u.inputs[i]
		w.Int(in.frontier)
		w.Bool(in.ended)
		in.store.snapshot(w)
	}
}

func (u *union) Restore(r *state.Reader) error {
	u.out.rows = r.Int()
	if n := r.Int(); n != int64(len(u.inputs)) && r.Err() == nil {
		return fmt.Errorf("%s: snapshot of %d inputs, there are %d", u.op.Name, n, len(u.inputs))
	}
	for i := range u.inputs {
		in := &u.inputs[i]
		in.frontier, in.ended = r.Int(), r.Bool()
		if err := in.store.restore(r); err != nil {
			return err
		}
	}
	return r.End()
}
