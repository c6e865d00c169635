package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// after is a function with stateless steps fused behind it: what Next of the inner
// function puts out runs through them at once, while it is in the cache, and only rows
// that are left go on. Watermarks, wants and state are the inner function's; the one
// thing of its own that outlives a task is the number of rows put out.
//
// Batch and Assemble are the inner function's and never see the steps, so all of this
// is serial: one scratch is enough.
type after struct {
	Function
	chain   *Chain
	scratch *ChainScratch
	fresh   func() *stream.Batch
	ready   ready
	task    Task
	emit    func(*Chunk) error
	errors  []ErrorRow
	drained bool // the inner function has nothing more now
}

// NewAfter puts steps behind a function that has no lanes. side.Relation is what the
// function puts out, side.Steps are filters and projections, side.Need tells which
// columns of the last one are read.
func NewAfter(env Env, fn Function, side Side) (Function, error) {
	for _, op := range side.Steps {
		if op.Kind != model.FilterOp && op.Kind != model.ProjectOp {
			return nil, fmt.Errorf("%s: a %s cannot stand behind another operator in its pipeline", op.Name, op.Kind)
		}
	}
	if _, keyed := fn.(Keyed); keyed {
		return nil, fmt.Errorf("%s: its rows come from lanes", side.Steps[0].Name)
	}
	chain, err := NewChain(side)
	if err != nil {
		return nil, err
	}
	a := &after{Function: fn, chain: chain, scratch: chain.NewScratch()}
	a.task.Spans = make([]stream.Span, 1)
	schema := side.Output().Schema
	a.fresh = func() *stream.Batch { return env.Pool.Get(schema, side.Need) }
	a.emit = func(c *Chunk) error {
		a.ready.batches = appendChunk(a.ready.batches, c, a.fresh)
		return nil
	}
	return a, nil
}

// Next gives full batches while the inner function has more rows, then what is left.
func (a *after) Next() (*stream.Batch, error) {
	for len(a.ready.batches) < 2 && !a.drained {
		b, err := a.Function.Next()
		if err != nil {
			return nil, err
		}
		if b == nil {
			a.drained = true
			break
		}
		err = a.run(b)
		b.Release()
		if err != nil {
			return nil, err
		}
	}
	if b := a.ready.next(); b != nil {
		return b, nil
	}
	a.drained = false
	return nil, nil
}

// run sends a batch through the steps.
func (a *after) run(b *stream.Batch) error {
	a.task.Spans[0] = stream.Span{Batch: b, From: 0, To: b.Len}
	a.task.Rows = b.Len
	failed, err := a.chain.Run(&a.task, a.scratch, a.emit)
	a.errors = append(a.errors, failed...)
	a.task.Spans[0] = stream.Span{}
	return err
}

// TakeErrors returns the failing rows of the inner function and of the steps.
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
	if r, ok := a.Function.(Releaser); ok {
		r.Discard(p)
	}
}

// Close implements Releaser.
func (a *after) Close() {
	a.ready.close()
	if r, ok := a.Function.(Releaser); ok {
		r.Close()
	}
}
