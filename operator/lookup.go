package operator

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// lookup joins a stream with a bounded table that is read whole first. After the
// table's end nothing about it changes, so that workers probe it side by side and
// Assemble only puts their batches in order.
type lookup struct {
	env    Env
	op     *model.Operator
	schema *stream.Schema
	need   []bool
	stream *intake
	table  *Table
	lay    layout
	on     residual

	ready     ready
	watermark int64
}

// NewLookup returns the function that joins stream (input 0) with table (input 1);
// need tells which columns of op's relation are read.
func NewLookup(env Env, streamSide, table Side, op *model.Operator, need []bool) (Function, error) {
	sides := [2]Side{streamSide, table}
	for _, side := range sides {
		for _, step := range side.Steps {
			if step.Kind == model.WindowOp {
				return nil, fmt.Errorf("%s: the window %s needs a pipeline of its own", op.Name, step.Name)
			}
		}
	}
	l := &lookup{env: env, op: op, schema: op.Relation.Schema, need: need, watermark: stream.MinTime}
	l.lay = newLayout(sides, need)
	keys, on := l.lay.splitKeys(op.Join)
	if err := l.on.compile(op.ID, on, &l.lay, l.schema); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	var err error
	if l.stream, err = newIntake(op.ID, streamSide, l.lay.reads[0], nil, keys[0], orderNone, -1); err == nil {
		l.table, err = newTable(op, table, l.lay.reads[1], keys[1])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	if p := newProbe(op, keys[0], l.table); p != nil {
		l.stream.chain.offerProbe(p, l.lay.reads[0])
	}
	return l, nil
}

// lookupScratch is a worker's; out is the batches of the task at hand.
type lookupScratch struct {
	stream *intakeScratch
	table  *intakeScratch
	lay    layout
	on     residual
	probe  probe
	outer  outerRows
	rows   stream.Batch // the chunk with its keys
	out    outputs
	done   []*stream.Batch
}

func (l *lookup) NewScratch() Scratch {
	s := &lookupScratch{stream: l.stream.newScratch(), table: l.table.in.newScratch(), lay: l.lay, on: l.on}
	s.lay.pairs = [2][]int32{}
	s.on.sel = nil
	if s.on.pred != nil {
		s.on.scratch, s.on.cols = s.on.pred.NewScratch(), make([]stream.Column, l.schema.Len())
	}
	s.out = newOutputs(l.env, l.schema, l.need)
	return s
}

func (l *lookup) Batch(t *Task, scratch Scratch) (Partial, error) {
	s := scratch.(*lookupScratch)
	if t.Input == 1 {
		part, failed, err := l.table.in.run(t, s.table)
		return Partial{Value: part, Errors: failed}, err
	}
	if !l.table.complete && t.Rows > 0 {
		return Partial{}, errors.New("a lookup's stream was read before its table had ended")
	}
	s.done = nil
	failed, err := l.stream.chain.Run(t, s.stream.chain, func(c *Chunk) error {
		l.probe(s, c)
		return nil
	})
	if b := s.out.take(); b != nil {
		s.done = append(s.done, b)
	}
	return Partial{Value: s.done, Errors: failed}, err
}

// probe joins a chunk with the table.
func (l *lookup) probe(s *lookupScratch, c *Chunk) {
	if c.found != nil {
		l.probed(s, c)
		return
	}
	sel, all := l.stream.prepare(s.stream, c)
	s.rows.Cols = s.stream.whole
	s.outer.begin(0, s.stream.bad)
	switch {
	case all:
		sel = nil
	case len(sel) == 0:
		l.finish(s, c)
		return
	}
	p := &s.probe
	p.cols, p.keys, p.hash = s.stream.whole, l.stream.keyCols, s.stream.hash
	p.begin(c.Len, sel)
	for more := true; more; p.reset() {
		more = l.table.more(p)
		s.lay.pairs = p.pairs
		l.flush(s, c)
		p.pairs = s.lay.pairs
	}
	l.finish(s, c)
}

// finish puts out what an outer lookup still has of a chunk.
func (l *lookup) finish(s *lookupScratch, c *Chunk) {
	if l.op.Join.Outer {
		s.outer.end(c.Len, l.table.nulls())
		l.putOuter(s)
	}
}

// putOuter puts out the pairs that are decided, rows without partner among them.
func (l *lookup) putOuter(s *lookupScratch) {
	own := s.lay.pairs
	for s.lay.pairs = s.outer.take(ChunkRows); len(s.lay.pairs[0]) > 0; s.lay.pairs = s.outer.take(ChunkRows) {
		l.put(s)
	}
	s.lay.pairs = own
}

// probed puts out a chunk of rows that have found theirs of the table elsewhere.
func (l *lookup) probed(s *lookupScratch, c *Chunk) {
	copy(s.stream.whole, c.Cols)
	s.rows.Cols = s.stream.whole
	s.lay.pairs[0] = append(s.lay.pairs[0][:0], rowNumbers[:c.Len]...)
	s.lay.pairs[1] = append(s.lay.pairs[1][:0], c.found...)
	if l.op.Join.Outer { // rows without partner are among them
		l.put(s)
		return
	}
	l.flush(s, c)
}

// flush puts the candidates that match into output batches.
func (l *lookup) flush(s *lookupScratch, c *Chunk) {
	stores := [2]*stream.Batch{&s.rows, l.table.rows.rows}
	s.on.apply(&s.lay, stores, l.schema, func(pair int, e ErrorRow) {
		row := s.lay.pairs[0][pair]
		s.stream.chain.errors = append(s.stream.chain.errors, chunkError{c.Positions()[row], e})
		if l.op.Join.Outer {
			s.outer.fail(row)
		}
	})
	if l.op.Join.Outer {
		s.outer.add(s.lay.pairs, l.table.nulls())
		l.putOuter(s)
		return
	}
	l.put(s)
}

// put puts the pairs, at most ChunkRows, into output batches.
func (l *lookup) put(s *lookupScratch) {
	stores := [2]*stream.Batch{&s.rows, l.table.rows.rows}
	if s.out.room() < len(s.lay.pairs[0]) {
		s.done = append(s.done, s.out.take())
	}
	s.lay.appendOutput(s.out.batch(), stores)
}

func (l *lookup) Assemble(t *Task, p Partial) error {
	if t.Input == 0 {
		l.ready.batches = append(l.ready.batches, p.Value.([]*stream.Batch)...)
		l.watermark = max(l.watermark, t.Watermark)
		if t.End {
			l.watermark = stream.MaxTime
		}
		return nil
	}
	return l.table.add(p.Value.(*rowPart), t.End, &l.env)
}

func (l *lookup) Next() (*stream.Batch, error) { return l.ready.next(), nil }
func (l *lookup) Watermark() int64             { return l.watermark }
func (l *lookup) TakeErrors() []ErrorRow       { return nil }

// Wants holds the stream back until the table has been read.
func (l *lookup) Wants(input int) bool { return input == 1 || l.table.complete }

// Discard implements Releaser.
func (l *lookup) Discard(p Partial) {
	if batches, ok := p.Value.([]*stream.Batch); ok {
		release(batches)
	}
}

// Close implements Releaser.
func (l *lookup) Close() {
	l.ready.close()
}

func (l *lookup) Snapshot(w *state.Writer) {
	w.Int(l.ready.rows)
	w.Int(l.watermark)
	l.table.snapshot(w)
}

func (l *lookup) Restore(r *state.Reader) error {
	l.ready.rows, l.watermark = r.Int(), r.Int()
	if err := l.table.restore(r); err != nil {
		return err
	}
	return r.End()
}
