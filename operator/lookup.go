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
	table  *intake
	lay    layout
	on     residual

	rows      *rowStore
	index     rowIndex
	complete  bool // the table has been read whole
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
		l.table, err = newIntake(op.ID, table, l.lay.reads[1], nil, keys[1], orderNone, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	l.rows = newRowStore(l.table.schema, l.table.stored, len(keys[1]) > 0)
	return l, nil
}

// lookupScratch is a worker's; out is the batches of the task at hand.
type lookupScratch struct {
	stream *intakeScratch
	table  *intakeScratch
	lay    layout
	on     residual
	probe  stream.Batch
	out    outputs
	done   []*stream.Batch
}

func (l *lookup) NewScratch() Scratch {
	s := &lookupScratch{stream: l.stream.newScratch(), table: l.table.newScratch(), lay: l.lay, on: l.on}
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
		part, failed, err := l.table.run(t, s.table)
		return Partial{Value: part, Errors: failed}, err
	}
	if !l.complete && t.Rows > 0 {
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
	sel, all := l.stream.prepare(s.stream, c)
	s.probe.Cols = s.stream.whole
	s.lay.clearPairs()
	for k := range c.Len {
		row := k
		if !all {
			if k == len(sel) {
				break
			}
			row = int(sel[k])
		}
		if len(l.stream.keyCols) == 0 {
			for r := range l.rows.rows.Len {
				l.candidate(s, c, row, r)
			}
			continue
		}
		h := s.stream.hash[row]
		for r := l.index.lookup(h); r >= 0; r = l.index.after(r) {
			if l.rows.hash[r] == h && l.equalKeys(&s.probe, row, r) {
				l.candidate(s, c, row, r)
			}
		}
	}
	l.flush(s, c)
}

func (l *lookup) equalKeys(probe *stream.Batch, row, r int) bool {
	for k, c := range l.stream.keyCols {
		if !equalAt(&probe.Cols[c], row, &l.rows.rows.Cols[l.table.keyCols[k]], r) {
			return false
		}
	}
	return true
}

func (l *lookup) candidate(s *lookupScratch, c *Chunk, row, r int) {
	if len(s.lay.pairs[0]) == ChunkRows {
		l.flush(s, c)
	}
	s.lay.addPair(row, r)
}

// flush puts the candidates that match into output batches.
func (l *lookup) flush(s *lookupScratch, c *Chunk) {
	stores := [2]*stream.Batch{&s.probe, l.rows.rows}
	s.on.apply(&s.lay, stores, l.schema, func(pair int, e ErrorRow) {
		s.stream.chain.errors = append(s.stream.chain.errors, chunkError{c.Positions()[s.lay.pairs[0][pair]], e})
	})
	if s.out.room() < len(s.lay.pairs[0]) {
		s.done = append(s.done, s.out.take())
	}
	s.lay.appendOutput(s.out.batch(), stores)
	s.lay.clearPairs()
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
	part := p.Value.(*rowPart)
	l.rows.add(part)
	l.table.put(part)
	if size := l.rows.sizeBytes(); size > l.env.BufferBytesMax {
		return limitError("lookup table", size, l.env.BufferBytesMax)
	}
	if t.End {
		l.finishTable()
	}
	return l.rows.checkText("lookup table")
}

func (l *lookup) finishTable() {
	l.complete = true
	if len(l.table.keyCols) > 0 {
		l.index.build(l.rows.hash, 0, l.rows.rows.Len)
	}
}

func (l *lookup) Next() (*stream.Batch, error) { return l.ready.next(), nil }
func (l *lookup) Watermark() int64             { return l.watermark }
func (l *lookup) TakeErrors() []ErrorRow       { return nil }

// Wants holds the stream back until the table has been read.
func (l *lookup) Wants(input int) bool { return input == 1 || l.complete }

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
	w.Bool(l.complete)
	l.rows.snapshot(w)
}

func (l *lookup) Restore(r *state.Reader) error {
	l.ready.rows, l.watermark = r.Int(), r.Int()
	complete := r.Bool()
	if err := l.rows.restore(r); err != nil {
		return err
	}
	if complete {
		l.finishTable()
	}
	return r.End()
}
