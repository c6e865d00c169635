package operator

import (
	"fmt"
	"slices"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// ChainScratch is one worker's working memory for a chain.
type ChainScratch struct {
	chunk   Chunk
	sliced  sliced // the task's rows as the first step sees them
	base    int64  // to be added to the event time column of the chunk
	settled []stream.Column
	times   []int64 // .. values of its event time
	steps   []stepScratch
	timeBuf []int64
	errors  []chunkError
	// selected are the columns of a chunk of Task.Selected, carried the buffers of those that
	// are gathered from the task.
	selected sliced
	carried  []stream.Column
	sel      []int32
}

// stepScratch holds what a step puts out.
type stepScratch struct {
	prog *ProgramScratch
	cols []stream.Column // output of a projection or window: aliases
	rows []stream.Column // rows that were left over: compacted, own buffers
	mask stream.Bitmap   // rows of a projection that did not fail
	join stepProbe       // of a lookup
	open stepUnnest      // of an unnest
	late []bool          // columns of its table that nobody wants now; nil: none
}

// sliced are pieces of columns. Values are aliases; bitmaps that start off a word
// border are moved into buffers.
type sliced struct {
	cols        []stream.Column
	valid, bits []stream.Bitmap
}

func newSliced(n int) sliced {
	return sliced{make([]stream.Column, n), make([]stream.Bitmap, n), make([]stream.Bitmap, n)}
}

// chunkError is a row of a chunk that failed.
type chunkError struct {
	pos int32
	row ErrorRow
}

// NewScratch returns working memory for one worker.
func (c *Chain) NewScratch() *ChainScratch {
	s := &ChainScratch{
		sliced: newSliced(len(c.reads)), steps: make([]stepScratch, len(c.steps)),
		timeBuf: make([]int64, ChunkRows), times: make([]int64, ChunkRows), settled: make([]stream.Column, len(c.reads)),
	}
	s.chunk.pos, s.chunk.left = make([]int32, ChunkRows), make([]stream.Bitmap, 0, len(c.steps))
	for i := range c.steps {
		st, sc := &c.steps[i], &s.steps[i]
		sc.cols, sc.rows = make([]stream.Column, len(st.keeps)), make([]stream.Column, len(st.keeps))
		switch st.kind {
		case model.FilterOp:
			sc.prog = st.pred.NewScratch()
		case model.ProjectOp, model.LookupOp, model.UnnestOp:
			sc.prog = st.prog.NewScratch()
		}
	}
	return s
}

// Run sends the task's rows through the steps, in order, and calls emit for every
// chunk that has rows left. It returns the rows that failed, in row order. An error of
// emit ends it. Rows that have come through the steps elsewhere are only emitted.
func (c *Chain) Run(t *Task, s *ChainScratch, emit func(*Chunk) error) ([]ErrorRow, error) {
	s.errors = s.errors[:0] // of a chunk that was given up
	if t.Selected != nil {
		return c.replay(t, s, emit)
	}
	var failed []ErrorRow
	first := 0
	for _, span := range t.Spans {
		if err := c.check(span.Batch); err != nil {
			return failed, err
		}
		for from := span.From; from < span.To; {
			to := min(span.To, (from/ChunkRows+1)*ChunkRows)
			s.load(c, span.Batch, from, to, first)
			if err := c.runSteps(s, 0, emit); err != nil {
				return failed, err
			}
			failed = s.takeErrors(failed)
			first += to - from
			from = to
		}
	}
	return failed, nil
}

// check makes sure that a batch has the columns the chain cannot do without.
func (c *Chain) check(b *stream.Batch) error {
	for i, must := range c.must {
		if must && b.Cols[i].Absent() {
			return fmt.Errorf("column %s is read but absent", c.schema.Fields[i].Name)
		}
	}
	return nil
}

// load makes rows [from, to) of a batch the current chunk, without copying values.
func (s *ChainScratch) load(c *Chain, b *stream.Batch, from, to, first int) {
	for i, read := range c.reads {
		if read {
			s.sliced.slice(i, &b.Cols[i], from, to)
		}
	}
	s.begin(s.sliced.cols, to-from, first)
	s.base = b.Base
}

// settle adds the base to the values of the event time column. Until the first step that
// makes new columns it has the relation's number.
func (s *ChainScratch) settle(c *Chain) {
	if s.base == 0 {
		return
	}
	ch := &s.chunk
	copy(s.settled, ch.Cols)
	times := s.times[:ch.Len]
	vec.AddInt64(times, ch.Cols[c.raw].I64, s.base)
	s.settled[c.raw].I64 = times
	ch.Cols, s.base = s.settled, 0
}

// begin makes n rows of columns the current chunk; first rows of the task precede them.
func (s *ChainScratch) begin(cols []stream.Column, n, first int) {
	ch := &s.chunk
	ch.Len, ch.Cols, ch.Time, ch.Base, s.base = n, cols, nil, 0, 0
	ch.first, ch.rows, ch.base, ch.left, ch.found = first, n, nil, ch.left[:0], nil
}

// slice makes column i values [from, to) of src. Chunks start at word borders of their
// batches except the first of a span, so bitmaps are rarely moved. Fields that the type
// does not use stay nil.
func (p *sliced) slice(i int, src *stream.Column, from, to int) {
	dst := &p.cols[i]
	if dst.Type != src.Type {
		*dst = stream.Column{Type: src.Type}
	}
	dst.Valid = nil
	if src.Valid != nil {
		dst.Valid, p.valid[i] = cut(p.valid[i], src.Valid, from, to)
	}
	switch src.Type.Storage() {
	case stream.Invalid:
	case stream.Boolean:
		dst.Bits, p.bits[i] = cut(p.bits[i], src.Bits, from, to)
	case stream.Integer:
		dst.I32 = src.I32[from:to:to]
	case stream.Real:
		dst.F32 = src.F32[from:to:to]
	case stream.Double:
		dst.F64 = src.F64[from:to:to]
	case stream.Varchar:
		dst.Off, dst.Bytes = src.Off[from:to+1:to+1], src.Bytes
	default:
		dst.I64 = src.I64[from:to:to]
	}
}

// cut returns bits [from, to) of src: a part of it if they start a word, otherwise a
// copy in buf.
func cut(buf, src stream.Bitmap, from, to int) (bits, buffer stream.Bitmap) {
	if from&63 == 0 {
		return src[from>>6 : stream.WordsFor(to)], buf
	}
	buf = resize(buf, stream.WordsFor(to-from))
	buf.CopyRange(src, from, to-from)
	return buf, buf
}

// runChunk sends the current chunk through steps among which is no lookup.
func (c *Chain) runChunk(s *ChainScratch) {
	_ = c.runSteps(s, 0, nobody)
}

// runSteps sends the current chunk through the steps from number from on, and calls emit
// with what is left. It returns emit's error.
func (c *Chain) runSteps(s *ChainScratch, from int, emit func(*Chunk) error) error {
	ch := &s.chunk
	for i := from; i < len(c.steps); i++ {
		if ch.Len == 0 {
			return nil
		}
		if i == c.settle {
			s.settle(c)
		}
		st, sc := &c.steps[i], &s.steps[i]
		switch st.kind {
		case model.FilterOp:
			st.filter(s, sc)
		case model.ProjectOp:
			st.apply(s, sc)
		case model.WindowOp:
			copy(sc.cols, ch.Cols)
			ch.Cols = sc.cols
			if st.time >= 0 {
				ch.Time, ch.Base = ch.Cols[st.time].I64, s.base
			}
		case model.LookupOp:
			return c.runLookup(s, i, emit)
		case model.UnnestOp:
			return c.runUnnest(s, i, emit)
		}
	}
	if ch.Len == 0 {
		return nil
	}
	if c.settle == len(c.steps) {
		s.settle(c)
	}
	if c.time >= 0 {
		ch.Time, ch.Base = ch.Cols[c.time].I64, s.base
	}
	return emit(ch)
}

// filter keeps the rows that pass.
func (st *step) filter(s *ChainScratch, sc *stepScratch) {
	ch := &s.chunk
	pass, count, bad := st.pred.Select(sc.prog, ch.Cols, ch.Len)
	if bad != nil {
		s.fail(st, bad)
	}
	s.keep(st, sc, pass, count)
}

// apply computes a projection.
func (st *step) apply(s *ChainScratch, sc *stepScratch) {
	ch := &s.chunk
	out, bad := st.prog.Eval(sc.prog, ch.Cols, ch.Len)
	if bad != nil {
		s.fail(st, bad)
	}
	for i, src := range st.cols {
		switch {
		case !st.keeps[i]:
			sc.cols[i] = stream.Column{}
		case src.column >= 0:
			sc.cols[i] = ch.Cols[src.column]
		default:
			sc.cols[i] = out[src.expr]
		}
	}
	ch.Cols = sc.cols
	if bad == nil {
		return
	}
	sc.mask = resize(sc.mask, stream.WordsFor(ch.Len))
	sc.mask.SetFirst(ch.Len)
	vec.AndNot(sc.mask, bad.Rows)
	s.keep(st, sc, sc.mask, ch.Len-bad.Count)
}

// keep narrows the chunk to the count rows that pass.
func (s *ChainScratch) keep(st *step, sc *stepScratch, pass stream.Bitmap, count int) {
	ch := &s.chunk
	if count == ch.Len {
		return
	}
	ch.left = append(ch.left, pass)
	if ch.Len = count; count == 0 {
		return
	}
	for i, keep := range st.keeps {
		if keep && !ch.Cols[i].Absent() {
			compactColumn(&sc.rows[i], &ch.Cols[i], pass, count)
		}
	}
	if ch.Time != nil {
		vec.Compress(s.timeBuf, ch.Time, pass)
		ch.Time = s.timeBuf[:count]
	}
	ch.Cols = sc.rows
}

// fail records rows of the current chunk.
func (s *ChainScratch) fail(st *step, bad *Failures) {
	pos := s.chunk.Positions()
	bad.Rows.Each(s.chunk.Len, func(i int) {
		s.errors = append(s.errors, chunkError{pos[i], ErrorRow{
			Op: st.id, Reason: bad.Reason(i), Record: st.record.json(s.chunk.Cols, i),
		}})
	})
}

// takeErrors appends the chunk's errors in row order.
func (s *ChainScratch) takeErrors(to []ErrorRow) []ErrorRow {
	if len(s.errors) == 0 {
		return to
	}
	slices.SortStableFunc(s.errors, func(a, b chunkError) int { return int(a.pos - b.pos) })
	for _, e := range s.errors {
		to = append(to, e.row)
	}
	s.errors = s.errors[:0]
	return to
}
