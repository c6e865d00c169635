// Package dispatch cuts streams into tasks: by rows (the engine converts bytes), never
// by windows. On the path of a row it stands between ingress - or the result stage of
// the pipeline before - and the scheduler.
package dispatch

import (
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Cutter is the queue of one pipeline input: spans of batches that wait to be cut, and
// the input's watermark. It is a plain state machine without locks; the engine guards it.
//
// Invariants:
//  1. Rows leave in the order they came, each exactly once.
//  2. A task's watermark is one that Advance announced after all of the task's rows (or
//     an earlier one): it never overtakes a row.
//  3. Index First counts every row that ever came, so that ROWS windows can be found from
//     it at any task size.
type Cutter struct {
	entries []entry
	head    int
	rows    int   // waiting
	first   int64 // stream index of the first waiting row

	watermark int64 // last announced behind everything cut so far
	announced int64 // last one given to a task
	tail      int64 // announced behind everything that waits
	ended     bool
	endGiven  bool
}

type entry struct {
	span      stream.Span
	watermark int64 // valid behind this span; stream.MinTime: none announced there
}

// NewCutter returns an empty cutter.
func NewCutter() *Cutter {
	return &Cutter{watermark: stream.MinTime, announced: stream.MinTime, tail: stream.MinTime}
}

// Push adds rows and takes one hold on the span's batch.
func (c *Cutter) Push(s stream.Span) {
	if s.Len() == 0 {
		return
	}
	s.Batch.Retain()
	if c.head > 0 && len(c.entries) == cap(c.entries) {
		n := copy(c.entries, c.entries[c.head:])
		c.entries, c.head = c.entries[:n], 0
	}
	c.entries = append(c.entries, entry{s, stream.MinTime})
	c.rows += s.Len()
}

// Advance announces a watermark behind everything pushed so far.
func (c *Cutter) Advance(watermark int64) {
	if watermark <= c.tail {
		return
	}
	c.tail = watermark
	if len(c.entries) > c.head {
		c.entries[len(c.entries)-1].watermark = watermark
	} else {
		c.watermark = watermark
	}
}

// End announces that nothing more will come.
func (c *Cutter) End() { c.ended = true }

// Ended reports whether End was called.
func (c *Cutter) Ended() bool { return c.ended }

// Rows is the number of rows that wait.
func (c *Cutter) Rows() int { return c.rows }

// Pending reports whether a forced Cut would make a task.
func (c *Cutter) Pending() bool {
	return c.rows > 0 || c.watermark > c.announced || c.ended && !c.endGiven
}

// Cut fills t with the next task of at most rowsMax rows: a full one or, when force is
// set or the input has ended, whatever there is - also a watermark or end without rows.
// It returns false if there is nothing to cut. The task holds its batches until Release.
func (c *Cutter) Cut(t *operator.Task, rowsMax int, force bool) bool {
	if c.rows < rowsMax && !(force || c.ended) || !c.Pending() {
		return false
	}
	t.Spans, t.First, t.Rows = t.Spans[:0], c.first, 0
	for t.Rows < rowsMax && c.rows > 0 {
		c.move(t, rowsMax-t.Rows)
	}
	t.Watermark = c.watermark
	c.announced = c.watermark
	t.End = c.ended && c.rows == 0
	if t.End {
		t.Watermark, c.endGiven = stream.MaxTime, true
	}
	return true
}

// move takes up to n rows of the first entry into t.
func (c *Cutter) move(t *operator.Task, n int) {
	e := &c.entries[c.head]
	n = min(n, e.span.Len())
	part := stream.Span{Batch: e.span.Batch, From: e.span.From, To: e.span.From + n}
	if n == e.span.Len() {
		if e.watermark > c.watermark {
			c.watermark = e.watermark
		}
		c.entries[c.head] = entry{}
		c.head++
	} else {
		e.span.Batch.Retain()
		e.span.From += n
	}
	t.Spans = append(t.Spans, part)
	t.Rows += n
	c.rows -= n
	c.first += int64(n)
}

// Release ends a task's hold on its batches.
func Release(t *operator.Task) {
	for i := range t.Spans {
		t.Spans[i].Batch.Release()
		t.Spans[i] = stream.Span{}
	}
	t.Spans = t.Spans[:0]
}

// Discard lets go of all waiting rows.
func (c *Cutter) Discard() {
	for _, e := range c.entries[c.head:] {
		e.span.Batch.Release()
	}
	c.entries, c.head, c.rows = nil, 0, 0
}

// Snapshot writes the waiting rows, the counters and the watermark.
func (c *Cutter) Snapshot(w *state.Writer) {
	w.Int(c.first)
	w.Int(c.watermark)
	w.Int(c.tail)
	w.Bool(c.ended)
	w.Bool(c.endGiven)
	w.Int(int64(len(c.entries) - c.head))
	for _, e := range c.entries[c.head:] {
		w.Int(e.watermark)
		w.Batch(e.span.Batch, e.span.From, e.span.To)
	}
}

// RestoreRows reads what Snapshot wrote; batches have the given schema.
func (c *Cutter) RestoreRows(r *state.Reader, s *stream.Schema) {
	c.first, c.watermark, c.tail = r.Int(), r.Int(), r.Int()
	c.ended, c.endGiven = r.Bool(), r.Bool()
	c.announced = c.watermark
	for n := r.Count(3); n > 0; n-- {
		wm := r.Int()
		b := stream.NewBatch(s, nil)
		r.Batch(b)
		if r.Err() != nil {
			return
		}
		c.entries = append(c.entries, entry{stream.Span{Batch: b, To: b.Len}, wm})
		c.rows += b.Len
	}
}
