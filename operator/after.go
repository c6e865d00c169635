package operator

import (
	"fmt"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// after is an aggregate with more behind it in the same pipeline: its peak, then
// stateless steps. What the aggregate puts out - from a task (BatchTo) or in order
// (Next) - runs through them at once, while it is in the cache, and only rows that are
// left go on. Watermarks, wants and state are the aggregate's.
//
// Invariants:
//
//  1. The aggregate puts out a window whole: all of its rows from one call of BatchTo, or
//     all between two calls of Assemble. So nothing is held back between tasks, and the
//     only state here is the number of rows put out.
//  2. Every use has working memory of its own: each worker's scratch has one, and one
//     belongs to Next, which is serial.
type after struct {
	Function
	plan    afterPlan
	serial  *afterWork
	ready   ready
	errors  []ErrorRow
	drained bool      // the aggregate has nothing more now
	streams sync.Pool // of *streamed
}

// streamed is the result of BatchTo: the aggregate's, and how many rows were put out.
type streamed struct {
	value any
	rows  int64
}

// afterPlan is what is to be done; it does not change.
type afterPlan struct {
	env   Env
	peak  *model.Peak // nil: none
	side  Side        // Relation is the aggregate's output, Need is of the last step's
	need  []bool      // columns of the aggregate's output that are needed behind the peak
	chain *Chain      // nil: no steps
}

// afterWork is the working memory of one user.
type afterWork struct {
	peak   peaker        // nil: none
	chain  *ChainScratch // nil: no steps
	task   Task          // of one batch
	out    []*stream.Batch
	errors []ErrorRow
	steps  func(*stream.Batch) error // what is behind the peak
	// of BatchTo:
	inner Scratch
	push  func(*stream.Batch) error
	pass  func(*stream.Batch) error // push without the peak
	emit  func(*stream.Batch) error
	rows  int64 // emitted
}

// NewAfter puts the peak of an aggregate's groups and steps behind it. fn is the
// aggregate's function, op the operator; side.Relation is what it puts out, side.Steps
// are filters and projections, side.Need tells which columns of the last one are read.
// need tells which columns of op are read behind the peak; fn must put out
// PeakNeed(op, need).
func NewAfter(env Env, fn Function, op *model.Operator, need []bool, side Side) (Function, error) {
	for _, step := range side.Steps {
		if step.Kind != model.FilterOp && step.Kind != model.ProjectOp {
			return nil, fmt.Errorf("%s: a %s cannot stand behind another operator in its pipeline", step.Name, step.Kind)
		}
	}
	if _, keyed := fn.(Keyed); keyed {
		return nil, fmt.Errorf("%s: its rows come from lanes", op.Name)
	}
	a := &after{Function: fn, plan: afterPlan{env: env, peak: op.Aggregate.Peak, side: side, need: need}}
	if len(side.Steps) > 0 {
		var err error
		if a.plan.chain, err = NewChain(side); err != nil {
			return nil, err
		}
	}
	if agg, ok := fn.(*aggregate); ok && a.plan.peak == nil && len(side.Steps) > 0 && side.Steps[0].Kind == model.FilterOp {
		if err := agg.planHaving(side.Steps[0].Filter); err != nil {
			return nil, fmt.Errorf("%s: %w", side.Steps[0].Name, err)
		}
	}
	if a.plan.peak != nil {
		if _, err := newPeaker(a.plan.peak, op.Relation.Schema, nil, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	a.serial = a.plan.newWork()
	return a, nil
}

func (p *afterPlan) newWork() *afterWork {
	w := &afterWork{}
	w.task.Spans = make([]stream.Span, 1)
	w.steps = func(b *stream.Batch) error {
		w.out = append(w.out, b)
		return nil
	}
	if p.chain != nil {
		schema := p.side.Output().Schema
		fresh := func() *stream.Batch { return p.env.Pool.Get(schema, p.side.Need) }
		w.chain = p.chain.NewScratch()
		collect := func(c *Chunk) error {
			w.out = appendChunk(w.out, c, fresh)
			return nil
		}
		w.steps = func(b *stream.Batch) error {
			defer b.Release()
			w.task.Spans[0], w.task.Rows = stream.Span{Batch: b, From: 0, To: b.Len}, b.Len
			failed, err := p.chain.Run(&w.task, w.chain, collect)
			w.errors = append(w.errors, failed...)
			w.task.Spans[0] = stream.Span{}
			return err
		}
	}
	if p.peak != nil {
		fresh := func() *stream.Batch { return p.env.Pool.Get(p.side.Relation.Schema, p.need) }
		w.peak, _ = newPeaker(p.peak, p.side.Relation.Schema, fresh, w.steps) // NewAfter has tried it
	}
	w.push = func(b *stream.Batch) error {
		if err := w.take(b); err != nil {
			return err
		}
		return w.send(1)
	}
	w.pass = func(b *stream.Batch) error {
		if err := w.steps(b); err != nil {
			return err
		}
		return w.send(1)
	}
	return w
}

// take runs a batch of the aggregate, which is given up, through everything.
func (w *afterWork) take(b *stream.Batch) error {
	if w.peak == nil {
		return w.steps(b)
	}
	defer b.Release()
	return w.peak.push(b)
}

// flush: the aggregate has put out whole windows.
func (w *afterWork) flush() error {
	if w.peak == nil {
		return nil
	}
	return w.peak.flush()
}

// send emits what is collected, but for the last `keep` batches, which may not be full.
func (w *afterWork) send(keep int) error {
	n := 0
	for ; n < len(w.out)-keep; n++ {
		w.rows += int64(w.out[n].Len)
		if err := w.emit(w.out[n]); err != nil {
			w.out = w.out[n+1:]
			return err
		}
	}
	left := copy(w.out, w.out[n:])
	clear(w.out[left:])
	w.out = w.out[:left]
	return nil
}

// takeErrors returns and forgets the rows that failed.
func (w *afterWork) takeErrors() []ErrorRow {
	out := w.errors
	w.errors = nil
	return out
}

// close gives back what is left after a failure.
func (w *afterWork) close() {
	release(w.out)
	w.out = w.out[:0]
	if w.peak != nil {
		w.peak.close()
	}
}

func (a *after) NewScratch() Scratch {
	w := a.plan.newWork()
	w.inner = a.Function.NewScratch()
	return w
}

func (a *after) Batch(t *Task, s Scratch) (Partial, error) {
	return a.Function.Batch(t, s.(*afterWork).inner)
}

// Streams implements Streamer.
func (a *after) Streams() bool {
	s, ok := a.Function.(Streamer)
	return ok && s.Streams()
}

// BatchTo implements Streamer.
func (a *after) BatchTo(t *Task, s Scratch, emit func(*stream.Batch) error) (Partial, error) {
	w := s.(*afterWork)
	w.emit, w.rows = emit, 0
	push := w.push
	if g, ok := a.Function.(*aggregate); ok && w.peak != nil && g.peaksInTasks() {
		push = w.pass
	}
	p, err := a.Function.(Streamer).BatchTo(t, w.inner, push)
	if err == nil {
		if err = w.flush(); err == nil {
			err = w.send(0)
		}
	}
	p.Errors = append(p.Errors, w.takeErrors()...)
	if err != nil {
		w.close()
	}
	w.emit = nil
	out, ok := a.streams.Get().(*streamed)
	if !ok {
		out = &streamed{}
	}
	out.value, out.rows = p.Value, w.rows
	p.Value = out
	return p, err
}

// unwrap gives back what BatchTo made of the aggregate's result.
func (a *after) unwrap(p *Partial) (rows int64) {
	s, ok := p.Value.(*streamed)
	if !ok {
		return 0
	}
	p.Value, rows = s.value, s.rows
	*s = streamed{}
	a.streams.Put(s)
	return rows
}

func (a *after) Assemble(t *Task, p Partial) error {
	a.ready.rows += a.unwrap(&p)
	return a.Function.Assemble(t, p)
}

// Preview implements Previewer.
func (a *after) Preview(t *Task) {
	if p, ok := a.Function.(Previewer); ok {
		p.Preview(t)
	}
}

// TaskRows implements Sizer.
func (a *after) TaskRows(now int) int {
	if s, ok := a.Function.(Sizer); ok {
		return s.TaskRows(now)
	}
	return now
}

// Next gives full batches while the aggregate has more rows, then what is left.
func (a *after) Next() (*stream.Batch, error) {
	for len(a.ready.batches)+len(a.serial.out) < 2 && !a.drained {
		b, err := a.Function.Next()
		switch {
		case err != nil:
			return nil, err
		case b == nil:
			a.drained = true
			err = a.serial.flush()
		default:
			err = a.serial.take(b)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(a.ready.batches) == 0 {
		full := len(a.serial.out)
		if !a.drained {
			full--
		}
		a.ready.batches = append(a.ready.batches, a.serial.out[:max(full, 0)]...)
		left := copy(a.serial.out, a.serial.out[max(full, 0):])
		clear(a.serial.out[left:])
		a.serial.out = a.serial.out[:left]
	}
	a.errors = append(a.errors, a.serial.takeErrors()...)
	if b := a.ready.next(); b != nil {
		return b, nil
	}
	a.drained = false
	return nil, nil
}

// TakeErrors returns the failing rows of the aggregate and of the steps.
func (a *after) TakeErrors() []ErrorRow {
	out := append(a.Function.TakeErrors(), a.errors...)
	a.errors = nil
	return out
}

func (a *after) Snapshot(w *state.Writer) {
	w.Int(a.ready.rows)
	var inner state.Writer
	a.Function.Snapshot(&inner)
	w.Text(string(inner.Bytes()))
}

func (a *after) Restore(r *state.Reader) error {
	a.ready.rows = r.Int()
	inner := r.Text()
	if err := r.End(); err != nil {
		return err
	}
	return a.Function.Restore(state.NewReader([]byte(inner)))
}

// Discard implements Releaser.
func (a *after) Discard(p Partial) {
	a.unwrap(&p)
	if r, ok := a.Function.(Releaser); ok {
		r.Discard(p)
	}
}

// Close implements Releaser.
func (a *after) Close() {
	a.ready.close()
	a.serial.close()
	if r, ok := a.Function.(Releaser); ok {
		r.Close()
	}
}
