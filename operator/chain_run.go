package operator

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// ChainScratch is one worker's working memory for a chain.
type ChainScratch struct {
	chunk   Chunk
	sliced  sliced // the task's rows as the first step sees them
	steps   []stepScratch
	sel     []int32
	posBuf  []int32
	timeBuf []int64
	errors  []chunkError
}

// stepScratch holds what a step puts out.
type stepScratch struct {
	prog *ProgramScratch
	cols []stream.Column // output of a projection or window: aliases
	rows []stream.Column // rows that were left over: gathered, own buffers
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
		sel: make([]int32, 0, ChunkRows+64), posBuf: make([]int32, ChunkRows), timeBuf: make([]int64, 0, ChunkRows),
	}
	for i := range c.steps {
		st, sc := &c.steps[i], &s.steps[i]
		sc.cols, sc.rows = make([]stream.Column, len(st.keeps)), make([]stream.Column, len(st.keeps))
		switch st.kind {
		case model.FilterOp:
			sc.prog = st.pred.NewScratch()
		case model.ProjectOp:
			sc.prog = st.prog.NewScratch()
		}
	}
	return s
}

// Run sends the task's rows through the steps, in order, and calls emit for every
// chunk that has rows left. It returns the rows that failed, in row order. An error of
// emit ends it.
func (c *Chain) Run(t *Task, s *ChainScratch, emit func(*Chunk) error) ([]ErrorRow, error) {
	var failed []ErrorRow
	first := 0
	for _, span := range t.Spans {
		if err := c.check(span.Batch); err != nil {
			return failed, err
		}
		for from := span.From; from < span.To; {
			to := min(span.To, (from/ChunkRows+1)*ChunkRows)
			s.load(c, span.Batch, from, to, first)
			c.runChunk(s)
			if s.chunk.Len > 0 {
				if err := emit(&s.chunk); err != nil {
					return failed, err
				}
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
	ch := &s.chunk
	ch.Len, ch.Cols, ch.Time, ch.Pos = to-from, s.sliced.cols, nil, s.posBuf[:to-from]
	for i := range ch.Pos {
		ch.Pos[i] = int32(first + i)
	}
}

// slice makes column i values [from, to) of src. Chunks start at word borders of their
// batches except the first of a span, so bitmaps are rarely moved.
func (p *sliced) slice(i int, src *stream.Column, from, to int) {
	dst := &p.cols[i]
	if from&63 == 0 {
		*dst = src.Slice(from, to)
		return
	}
	bare := *src
	bare.Valid = nil
	if bare.Type == stream.Boolean {
		p.bits[i] = cut(p.bits[i], src.Bits, from, to)
		*dst = stream.Column{Type: stream.Boolean, Bits: p.bits[i]}
	} else {
		*dst = bare.Slice(from, to)
	}
	if src.Valid != nil {
		p.valid[i] = cut(p.valid[i], src.Valid, from, to)
		dst.Valid = p.valid[i]
	}
}

// cut copies bits [from, to) of src to the front of dst.
func cut(dst, src stream.Bitmap, from, to int) stream.Bitmap {
	dst = resize(dst, stream.WordsFor(to-from))
	dst.CopyRange(src, from, to-from)
	return dst
}

func (c *Chain) runChunk(s *ChainScratch) {
	ch := &s.chunk
	for i := range c.steps {
		if ch.Len == 0 {
			return
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
				ch.Time = ch.Cols[st.time].I64
			}
		}
	}
	if c.time >= 0 {
		ch.Time = ch.Cols[c.time].I64
	}
}

// filter keeps the rows that pass.
func (st *step) filter(s *ChainScratch, sc *stepScratch) {
	ch := &s.chunk
	sel, bad := st.pred.Eval(sc.prog, ch.Cols, ch.Len, s.sel)
	if bad != nil {
		s.fail(st, bad)
	}
	s.keep(st, sc, sel)
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
	sel := s.sel[:0]
	for i := range ch.Len {
		if !bad.Rows.Get(i) {
			sel = append(sel, int32(i))
		}
	}
	s.keep(st, sc, sel)
}

// keep narrows the chunk to the selected rows.
func (s *ChainScratch) keep(st *step, sc *stepScratch, sel []int32) {
	ch := &s.chunk
	if len(sel) == ch.Len {
		return
	}
	for i, keep := range st.keeps {
		if keep && !ch.Cols[i].Absent() {
			sc.rows[i].Reset(ch.Cols[i].Type)
			sc.rows[i].AppendSelected(&ch.Cols[i], sel, 0)
		}
	}
	for i, p := range sel {
		ch.Pos[i] = ch.Pos[p]
	}
	ch.Pos = ch.Pos[:len(sel)]
	if ch.Time != nil {
		s.timeBuf = selectTimes(s.timeBuf, ch.Time, sel)
		ch.Time = s.timeBuf
	}
	ch.Len, ch.Cols = len(sel), sc.rows
}

// selectTimes gathers src into dst. They may be the same: sel ascends.
func selectTimes(dst, src []int64, sel []int32) []int64 {
	dst = dst[:cap(dst)][:len(sel)]
	for i, p := range sel {
		dst[i] = src[p]
	}
	return dst
}

// fail records rows of the current chunk.
func (s *ChainScratch) fail(st *step, bad *Failures) {
	bad.Rows.Each(s.chunk.Len, func(i int) {
		s.errors = append(s.errors, chunkError{s.chunk.Pos[i], ErrorRow{
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
