package operator

import (
	"fmt"
	"math"
	"slices"

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
//
// Session windows of several keys may end together: there rows of one time are merged by
// window_start before the input, or windows would come in pieces.
type union struct {
	env    Env
	op     *model.Operator
	timed  bool
	start  int // column of window_start, where it counts; else -1
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
	u := &union{env: env, op: op, timed: op.Relation.Time >= 0, start: op.MergesByStart(), out: newOutputs(env, op.Relation.Schema, need)}
	if u.start >= 0 && need != nil {
		need = slices.Clone(need)
		need[u.start] = true
	}
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
	if err := u.env.bounded("union buffer", size); err != nil {
		return err
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
		if bound := u.bound(from); bound.time < math.MaxInt64 {
			to = u.reach(store, bound)
		}
		if to = min(to, store.head+u.out.room()); to == store.head {
			break
		}
		u.out.batch().AppendRange(store.rows, store.head, to)
		store.head = to
	}
	return u.out.take(), nil
}

// mergePlace is where a row stands among those of other inputs; start is 0 where it does not count.
type mergePlace struct{ time, start int64 }

func (p mergePlace) before(o mergePlace) bool {
	return p.time < o.time || p.time == o.time && p.start < o.start
}

// head is the place of the first waiting row.
func (u *union) head(s *rowStore) mergePlace {
	p := mergePlace{time: s.order[s.head]}
	if u.start >= 0 {
		p.start = s.rows.Cols[u.start].I64[s.head]
	}
	return p
}

// first returns the input whose waiting row stands before those of the others, or -1.
func (u *union) first() int {
	best, least := -1, mergePlace{}
	for i := range u.inputs {
		s := u.inputs[i].store
		if s.len() == 0 {
			continue
		}
		if p := u.head(s); best < 0 || p.before(least) {
			best, least = i, p
		}
	}
	return best
}

// bound returns the place in front of which rows of the input may go.
func (u *union) bound(input int) mergePlace {
	bound := mergePlace{time: math.MaxInt64}
	for i := range u.inputs {
		in := &u.inputs[i]
		if i == input || in.exhausted() {
			continue
		}
		p := mergePlace{time: in.frontier}
		switch {
		case in.store.len() > 0:
			p = u.head(in.store)
		case u.start >= 0:
			p.start = math.MinInt64 // any window of that time may still come
		}
		if input < i && p.start > math.MinInt64 {
			p.start++
		}
		if p.before(bound) {
			bound = p
		}
	}
	return bound
}

// reach returns the first waiting row that does not stand in front of a place.
func (u *union) reach(s *rowStore, p mergePlace) int {
	to := s.search(s.head, p.time)
	switch {
	case u.start >= 0:
		for to < len(s.order) && s.order[to] == p.time && s.rows.Cols[u.start].I64[to] < p.start {
			to++
		}
	case p.start > 0:
		to = s.search(to, p.time+1)
	}
	return to
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
