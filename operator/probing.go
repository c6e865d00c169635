package operator

import (
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// probing is a function with lookups among its steps. Input 0 is that function's own;
// the inputs behind it are the tables, which are read whole first. Everything about
// input 0 - windows, rows, watermarks, what is computed side by side - is the function's.
//
// Between the tables' end and the first row of input 0 lies at least one task border, so
// workers see complete tables that never change.
type probing struct {
	Function
	env    Env
	tables []*Table
}

// NewProbing returns fn, whose side has the lookups, with an input behind fn's own for
// each of their tables.
func NewProbing(env Env, fn Function, lookups *Lookups) Function {
	return &probing{Function: fn, env: env, tables: lookups.tables}
}

type probingScratch struct {
	inner  Scratch
	tables []*intakeScratch
}

// NewScratch implements Function.
func (p *probing) NewScratch() Scratch {
	s := &probingScratch{inner: p.Function.NewScratch()}
	for _, t := range p.tables {
		s.tables = append(s.tables, t.in.newScratch())
	}
	return s
}

// Batch implements Function.
func (p *probing) Batch(t *Task, scratch Scratch) (Partial, error) {
	s := scratch.(*probingScratch)
	if t.Input == 0 {
		return p.Function.Batch(t, s.inner)
	}
	return p.readTable(t, s)
}

func (p *probing) readTable(t *Task, s *probingScratch) (Partial, error) {
	part, failed, err := p.tables[t.Input-1].in.run(t, s.tables[t.Input-1])
	return Partial{Value: part, Errors: failed}, err
}

// Assemble implements Function.
func (p *probing) Assemble(t *Task, part Partial) error {
	if t.Input == 0 {
		return p.Function.Assemble(t, part)
	}
	return p.tables[t.Input-1].add(part.Value.(*rowPart), t.End, &p.env)
}

// Wants holds the stream back until the tables have been read.
func (p *probing) Wants(input int) bool {
	if input > 0 {
		return true
	}
	for _, t := range p.tables {
		if !t.complete {
			return false
		}
	}
	return p.Function.Wants(0)
}

// Preview implements Previewer.
func (p *probing) Preview(t *Task) {
	if f, ok := p.Function.(Previewer); ok && t.Input == 0 {
		f.Preview(t)
	}
}

// TaskRows implements Sizer.
func (p *probing) TaskRows(now int) int {
	if f, ok := p.Function.(Sizer); ok {
		return f.TaskRows(now)
	}
	return now
}

// Streams implements Streamer.
func (p *probing) Streams() bool {
	f, ok := p.Function.(Streamer)
	return ok && f.Streams()
}

// BatchTo implements Streamer.
func (p *probing) BatchTo(t *Task, scratch Scratch, emit func(*stream.Batch) error) (Partial, error) {
	s := scratch.(*probingScratch)
	if t.Input == 0 {
		return p.Function.(Streamer).BatchTo(t, s.inner, emit)
	}
	return p.readTable(t, s)
}

// Discard implements Releaser; what is read of a table holds nothing of the pool.
func (p *probing) Discard(part Partial) {
	if _, table := part.Value.(*rowPart); table {
		return
	}
	if f, ok := p.Function.(Releaser); ok {
		f.Discard(part)
	}
}

// Close implements Releaser.
func (p *probing) Close() {
	if f, ok := p.Function.(Releaser); ok {
		f.Close()
	}
}

// Choices implements Chooser.
func (p *probing) Choices() []Choice {
	var out []Choice
	for _, t := range p.tables {
		out = append(out, t.choice())
	}
	if c, ok := p.Function.(Chooser); ok {
		out = append(out, c.Choices()...)
	}
	return out
}

func (t *Table) choice() Choice {
	c := Choice{Part: "lookup", Algorithm: "hash table of keys", Reason: "the key is not one integer"}
	if cols := t.in.keyCols; len(cols) == 1 && integerType(t.in.schema.Fields[cols[0]].Type) {
		c.Algorithm, c.Reason = "array by key if keys lie close together, else chains of integers", "the key is one integer"
	}
	c.Reason = t.op.Name + " is a step: " + c.Reason
	return c
}

// Snapshot implements state.Element: the tables, then the function's own.
func (p *probing) Snapshot(w *state.Writer) {
	for _, t := range p.tables {
		t.snapshot(w)
	}
	var inner state.Writer
	p.Function.Snapshot(&inner)
	w.Text(string(inner.Bytes()))
}

// Restore implements state.Element.
func (p *probing) Restore(r *state.Reader) error {
	for _, t := range p.tables {
		if err := t.restore(r); err != nil {
			return err
		}
	}
	inner := r.Text()
	if err := r.End(); err != nil {
		return err
	}
	return p.Function.Restore(state.NewReader([]byte(inner)))
}
