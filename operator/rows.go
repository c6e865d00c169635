package operator

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// windowRows puts out the rows of each window when it has closed: every row once per
// window it is in, with the window's columns, ordered by window, then row.
type windowRows struct {
	env  Env
	op   *model.Operator
	in   *intake
	side windowSide
	cols []roleColumn

	open   bool
	number int64
	at, to int
	out    outputs
}

// roleColumn is an output column that the window fills.
type roleColumn struct {
	column int
	role   stream.Role
}

// NewRows returns the function that expands a windowed relation. Among the side's steps
// is the window; those behind it do not compute with its columns, so they run once per
// row, not once per window. op is the last step, need tells which columns of its
// relation are read.
func NewRows(env Env, side Side, op *model.Operator, need []bool) (Function, error) {
	if n := len(side.Steps); n > 0 && side.Steps[n-1].Window != nil && side.Steps[n-1].Window.Kind == model.Session {
		return newSessions(env, side, op, need)
	}
	r := &windowRows{env: env, op: op, out: newOutputs(env, op.Relation.Schema, need)}
	w, err := newWindowSide(side)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	if w.carried {
		return nil, fmt.Errorf("%s: no window among the steps", op.Name)
	}
	r.side = *w
	absent := make([]bool, op.Relation.Schema.Len())
	for c, f := range op.Relation.Schema.Fields {
		if absent[c] = f.Role != stream.NoRole; absent[c] && (need == nil || need[c]) {
			r.cols = append(r.cols, roleColumn{c, f.Role})
		}
	}
	if r.in, err = newIntake(op.ID, side, need, absent, nil, r.side.order(), -1); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	r.side.store = newRowStore(r.in.schema, r.in.stored, false)
	return r, nil
}

func (r *windowRows) NewScratch() Scratch { return r.in.newScratch() }

func (r *windowRows) Batch(t *Task, s Scratch) (Partial, error) {
	part, failed, err := r.in.run(t, s.(*intakeScratch))
	return Partial{Value: part, Errors: failed}, err
}

// Assemble buffers the rows.
func (r *windowRows) Assemble(t *Task, p Partial) error {
	part := p.Value.(*rowPart)
	r.side.store.add(part)
	r.side.advance(t)
	r.in.put(part)
	if err := r.env.bounded("window buffer", r.side.store.sizeBytes()); err != nil {
		return err
	}
	return r.side.store.checkText("window buffer")
}

func (r *windowRows) Next() (*stream.Batch, error) {
	for r.open || r.openNext() {
		room := r.out.room()
		if room == 0 {
			break
		}
		r.put(min(r.at+room, r.to))
		if r.at == r.to {
			r.open = false
			r.side.skip(r.number + 1)
		}
	}
	return r.out.take(), nil
}

func (r *windowRows) openNext() bool {
	number := r.side.next()
	if number == noWindow || !r.side.complete(number) {
		return false
	}
	r.open, r.number = true, number
	r.at, r.to = r.side.rowsOf(number)
	return true
}

// put adds rows up to position to of the open window.
func (r *windowRows) put(to int) {
	out, rows := r.out.batch(), r.side.store.rows
	for c := range rows.Cols {
		if dst := &out.Cols[c]; !dst.Absent() && !rows.Cols[c].Absent() {
			dst.AppendRange(&rows.Cols[c], r.at, to, out.Len)
		}
	}
	for _, c := range r.cols {
		v := r.number
		switch c.role {
		case stream.WindowStart:
			v = r.side.start(r.number)
		case stream.WindowTime:
			v = r.number - 1
		}
		appendConstant(&out.Cols[c.column], v, out.Len, to-r.at)
	}
	out.Len += to - r.at
	r.at = to
}

// Watermark is the window_time of the next window that can have rows.
func (r *windowRows) Watermark() int64 {
	switch number := r.side.next(); {
	case number == noWindow || r.side.ended:
		return stream.MaxTime
	case !r.side.timed || number == math.MinInt64:
		return stream.MinTime
	default:
		return number - 1
	}
}

func (r *windowRows) Wants(int) bool         { return true }
func (r *windowRows) TakeErrors() []ErrorRow { return nil }

// Discard implements Releaser; partial results hold nothing of the pool.
func (r *windowRows) Discard(Partial) {}

// Close implements Releaser.
func (r *windowRows) Close() { r.out.close() }

func (r *windowRows) Snapshot(w *state.Writer) {
	w.Int(r.out.rows)
	r.side.snapshot(w)
}

func (r *windowRows) Restore(rd *state.Reader) error {
	r.out.rows = rd.Int()
	if err := r.side.restore(rd); err != nil {
		return err
	}
	return rd.End()
}
