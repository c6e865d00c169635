package operator

import (
	"fmt"
	"slices"

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
// Invariants:
//
//  1. A side's store is ordered by its order numbers and a window is a run of them, so
//     overlapping windows share their rows and forgetting is moving the store's head.
//  2. next never decreases and is a lower bound on the number of any window with rows
//     that this side can still show; the greater of both sides' is the next that can
//     give a pair, and neither side needs a window below it.
//  3. Everything Next does follows from the stores, the frontiers and min: between
//     tasks there is no open window, so these are the state.
//  4. At least one side that has not ended and is not complete for the awaited window
//     is always wanted: the buffers' soft limit cannot stop the job.
type join struct {
	env    Env
	op     *model.Operator
	schema *stream.Schema
	ins    [2]*intake
	sides  [2]*windowSide
	lay    layout
	on     residual
	bits   *pairBits // nil: no condition is a test between the sides

	index  rowIndex
	open   bool
	number int64 // of the open window
	from   [2]int
	to     [2]int
	left   int // cursor: left row, and its next candidate
	right  int

	out    outputs
	errors []ErrorRow
	uses   uses
}

// NewJoin returns the function that joins two windowed sides. A side either has its
// WindowOp among the steps or reads a relation that carries a window; need tells which
// columns of op's relation are read.
func NewJoin(env Env, left, right Side, op *model.Operator, need []bool) (Function, error) {
	j := &join{env: env, op: op, schema: op.Relation.Schema, out: newOutputs(env, op.Relation.Schema, need)}
	inputs := [2]Side{left, right}
	for i, side := range inputs {
		var err error
		if j.sides[i], err = newWindowSide(side); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	j.lay = newLayout(inputs, need)
	keys, on := j.lay.splitKeys(op.Join)
	if err := j.on.compile(op.ID, on, &j.lay, j.schema); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	for i, side := range inputs {
		w := j.sides[i]
		in, err := newIntake(op.ID, side, j.lay.reads[i], j.lay.absent[i], keys[i], w.order(), w.numberCol)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
		j.ins[i] = in
		w.store = newRowStore(in.schema, in.stored, len(keys[i]) > 0)
	}
	if len(keys[0]) == 0 && env.Force.Join != "theta" {
		var err error
		if j.bits, err = newPairBits(on, &j.lay, [2]*stream.Schema{j.ins[0].schema, j.ins[1].schema}, env.Force.Join != "bitmap"); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	return j, nil
}

type joinScratch [2]*intakeScratch

func (j *join) NewScratch() Scratch {
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
	if size := j.sides[0].store.sizeBytes() + j.sides[1].store.sizeBytes(); size > j.env.BufferBytesMax {
		return limitError("join buffer", size, j.env.BufferBytesMax)
	}
	return side.store.checkText("join buffer")
}

func (j *join) Next() (*stream.Batch, error) {
	for j.open || j.openNext() {
		if !j.fill() {
			return j.out.take(), nil
		}
	}
	return j.out.take(), nil
}

// target is the lowest window that can still give pairs, or less when neither side has
// rows: windows whose ends never meet would be counted through for ever.
func (j *join) target() int64 {
	for {
		l, r := j.sides[0].next(), j.sides[1].next()
		number := max(l, r)
		if l == r || j.sides[0].store.len()+j.sides[1].store.len() == 0 {
			return number
		}
		j.sides[0].skip(number)
		j.sides[1].skip(number)
	}
}

// openNext opens the next window if both sides have all of it.
func (j *join) openNext() bool {
	number := j.target()
	if number == noWindow || j.sides[0].store.len() == 0 || j.sides[1].store.len() == 0 ||
		!j.sides[0].complete(number) || !j.sides[1].complete(number) {
		return false
	}
	for i, s := range j.sides {
		j.from[i], j.to[i] = s.rowsOf(number)
	}
	j.open, j.number = true, number
	j.left, j.right = j.from[0]-1, -1
	right := j.sides[1].store
	switch {
	case len(j.ins[1].keyCols) == 0:
	case j.env.Force.Join == "theta": // one slot: every pair is a candidate
		j.index.buildSlots(right.hash, j.from[1], j.to[1], 1)
	default:
		j.index.build(right.hash, j.from[1], j.to[1])
	}
	if j.bits != nil {
		j.bits.open(j.sides, j.from, j.to)
	}
	j.uses.add(j.way())
	return true
}

// ranged reports whether a test has two ends.
func (b *pairBits) ranged() bool {
	return slices.ContainsFunc(b.tests, func(t pairTest) bool { return t.upper >= 0 })
}

// way is how the open window's pairs are found.
func (j *join) way() algorithm {
	switch {
	case j.bits != nil && j.bits.usable && j.bits.ranged():
		return usedRanges
	case j.bits != nil && j.bits.usable:
		return usedBitmaps
	case len(j.ins[1].keyCols) > 0 && j.env.Force.Join != "theta":
		return usedHash
	default:
		return usedPairs
	}
}

// fill adds the open window's pairs to the output until it is full (false) or the
// window is done.
func (j *join) fill() bool {
	j.lay.setWindow(j.sides, j.number)
	stores := [2]*stream.Batch{j.sides[0].store.rows, j.sides[1].store.rows}
	bits := j.bits != nil && j.bits.usable
	for {
		room := j.out.room()
		if room == 0 {
			return false
		}
		if !bits || !j.bits.all {
			room = min(room, ChunkRows)
		}
		j.lay.clearPairs()
		switch {
		case len(j.ins[0].keyCols) > 0:
			j.collectEqual(room)
		case bits:
			j.collectBits(room)
		default:
			j.collectAll(room)
		}
		if len(j.lay.pairs[0]) == 0 {
			break
		}
		if bits && j.bits.all {
			j.lay.appendOutput(j.out.batch(), stores)
			continue
		}
		j.on.apply(&j.lay, stores, j.schema, func(_ int, e ErrorRow) { j.errors = append(j.errors, e) })
		j.lay.appendOutput(j.out.batch(), stores)
	}
	j.open = false
	for _, s := range j.sides {
		s.skip(j.number + 1)
	}
	return true
}

// collectEqual adds candidates whose keys are equal, at most limit.
func (j *join) collectEqual(limit int) {
	l, r := j.sides[0].store, j.sides[1].store
	for {
		for ; j.right >= 0; j.right = j.index.after(j.right) {
			if r.hash[j.right] != l.hash[j.left] || !j.equalKeys(l.rows, j.left, r.rows, j.right) {
				continue
			}
			if len(j.lay.pairs[0]) == limit {
				return
			}
			j.lay.addPair(j.left, j.right)
		}
		if j.left+1 >= j.to[0] {
			return
		}
		j.left++
		j.right = j.index.lookup(l.hash[j.left])
	}
}

func (j *join) equalKeys(l *stream.Batch, a int, r *stream.Batch, b int) bool {
	for k, c := range j.ins[0].keyCols {
		if !equalAt(&l.Cols[c], a, &r.Cols[j.ins[1].keyCols[k]], b) {
			return false
		}
	}
	return true
}

// collectAll adds every pair as a candidate, at most limit.
func (j *join) collectAll(limit int) {
	for {
		for ; j.right >= 0 && j.right < j.to[1]; j.right++ {
			if len(j.lay.pairs[0]) == limit {
				return
			}
			j.lay.addPair(j.left, j.right)
		}
		if j.left+1 >= j.to[0] {
			return
		}
		j.left++
		j.right = j.from[1]
	}
}

// Watermark is what the next pair's window_time cannot be below.
func (j *join) Watermark() int64 {
	number := j.target()
	switch {
	case number == noWindow || j.sides[0].ended && j.sides[1].ended:
		return stream.MaxTime
	case !j.sides[0].timed || number == stream.MinTime:
		return stream.MinTime
	}
	return number - 1
}

func (j *join) Wants(input int) bool {
	side, other := j.sides[input], j.sides[1-input]
	if other.ended || side.store.sizeBytes() <= bufferSoftBytes {
		return true
	}
	return !side.complete(j.target())
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
