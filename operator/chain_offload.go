package operator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// What a chain offers, and how it goes on with rows that were computed elsewhere.
//
// The steps up to the first lookup are offered, and the lookup itself if its keys have a fixed
// width. Text that the steps only hand on is not asked for: where a row is from tells it.
//
//	side.Steps:  filter  project  lookup  project  lookup  window
//	elsewhere    '-------------------'
//	here, from the rows' and the table's numbers  '--------------'

// chainOffload is what a chain offers.
type chainOffload struct {
	Offload
	refusal error
	next    int   // the step that rows computed elsewhere go on with
	behind  bool  // the probe stands behind the steps: who reads the chain looks for keys that fail
	carried []int // of each column of the side's output: that of the relation that it is, if it is gathered here; else -1
}

var (
	errLookup = errors.New("its lookup compares text, or nothing")
	errUnnest = errors.New("UNNEST makes several rows of one")
)

// planOffload is called when all steps are compiled.
func (c *Chain) planOffload() {
	o := &c.away
	o.next = len(c.steps)
	o.Side = c.side
	needs := c.side.Need
	if at := slices.IndexFunc(c.steps, func(st step) bool { return st.kind == model.LookupOp }); at >= 0 {
		st := &c.steps[at]
		front := slices.IndexFunc(c.side.Steps, func(op *model.Operator) bool { return op.Kind == model.LookupOp })
		op := c.side.Steps[front]
		if at+1 < len(c.steps) {
			needs = c.steps[at+1].must
		}
		needs = needs[:len(st.reads)]
		o.Side = Side{Relation: c.side.Relation, Steps: c.side.Steps[:front]}
		if o.Probe = newProbe(op, op.Join.LeftKeys, st.table); o.Probe == nil {
			needs = st.must
		}
		o.next = at
	}
	if o.Probe == nil && !c.computes(o.next) {
		if o.refusal = ErrNoSteps; o.next < len(c.steps) {
			o.refusal = errLookup
		}
	}
	if slices.ContainsFunc(c.steps, func(st step) bool { return st.kind == model.UnnestOp }) {
		o.refusal = errUnnest
	}
	o.carry(needs)
}

// offerProbe offers a probe behind all steps, given the columns that are needed of rows that
// have been looked up.
func (c *Chain) offerProbe(p *Probe, needs []bool) {
	c.away.Probe, c.away.behind, c.away.refusal = p, true, nil
	c.away.carry(needs)
}

// computes reports whether there is a filter or an expression among the first n steps.
func (c *Chain) computes(n int) bool {
	return slices.ContainsFunc(c.steps[:n], func(st step) bool {
		return st.kind == model.FilterOp || slices.ContainsFunc(st.cols, func(s source) bool { return s.expr >= 0 })
	})
}

// carry finds the text that is handed on as it is, given the columns that are needed.
func (o *chainOffload) carry(needs []bool) {
	o.Side.Need = slices.Clone(needs)
	fields := o.Side.Output().Schema.Fields
	o.carried = make([]int, len(fields))
	for i, f := range fields {
		o.carried[i] = -1
		if needs[i] && f.Type.Storage() == stream.Varchar {
			if o.carried[i] = o.Side.origin(i); o.carried[i] >= 0 {
				o.Side.Need[i] = false
			}
		}
	}
}

// origin returns the relation's column that column i of the output is; -1: none of them.
func (s Side) origin(i int) int {
	for k := len(s.Steps) - 1; k >= 0 && i >= 0; k-- {
		switch op := s.Steps[k]; op.Kind {
		case model.ProjectOp:
			if e := op.Project[i]; e.Kind == model.ColumnExpr {
				i = e.Column
			} else {
				i = -1
			}
		case model.WindowOp, model.UnnestOp:
			if i >= (Side{Relation: s.Relation, Steps: s.Steps[:k]}).Output().Schema.Len() {
				i = -1
			}
		}
	}
	return i
}

// Offload offers the rows that come out of the steps.
func (c *Chain) Offload() (Offload, error) { return c.away.Offload, c.away.refusal }

// replay is Run of a task whose rows have come through the steps offered already: it sends
// them on, and finds out about the rows that failed. Origin takes the place of a chunk's
// positions.
func (c *Chain) replay(t *Task, s *ChainScratch, emit func(*Chunk) error) ([]ErrorRow, error) {
	in := t.Selected
	if err := c.checkSelected(in); err != nil {
		return nil, err
	}
	again := nobody
	if c.away.behind {
		again = emit
	}
	if err := c.failIn(t, s, in.Failed, again); err != nil {
		return nil, err
	}
	if s.selected.cols == nil {
		s.selected, s.carried = newSliced(len(c.away.carried)), make([]stream.Column, len(c.away.carried))
	}
	at := place{spans: t.Spans}
	for from := 0; from < in.Len; from += ChunkRows {
		to := min(from+ChunkRows, in.Len)
		for i := range in.Cols {
			if c.away.carried[i] < 0 {
				s.selected.slice(i, &in.Cols[i], from, to)
			}
		}
		if err := c.gather(s, &at, in.Origin[from:to]); err != nil {
			return s.takeErrors(nil), err
		}
		s.begin(s.selected.cols, to-from, int(in.Origin[from]))
		s.chunk.base = in.Origin[from:to]
		if err := c.resume(s, in, from, to, emit); err != nil {
			return s.takeErrors(nil), err
		}
	}
	return s.takeErrors(nil), nil
}

// resume sends the current chunk, which is rows [from, to) of in, on.
func (c *Chain) resume(s *ChainScratch, in *Selected, from, to int, emit func(*Chunk) error) error {
	next := c.away.next
	switch {
	case c.away.behind:
		s.chunk.found = in.TableRows[from:to]
	case c.away.Probe != nil:
		c.steps[next].found(s, &s.steps[next], in.TableRows[from:to])
		next++
	}
	if next < len(c.steps) {
		return c.runSteps(s, next, emit)
	}
	ch := &s.chunk
	switch {
	case in.Time != nil:
		ch.Time = in.Time[from:to:to]
	case c.time >= 0 && !ch.Cols[c.time].Absent():
		ch.Time = ch.Cols[c.time].I64
	}
	return emit(ch)
}

// found makes the current chunk the pairs of its rows with the table's.
func (st *step) found(s *ChainScratch, sc *stepScratch, rows []int32) {
	ch, p := &s.chunk, &sc.join
	p.pairs[1] = append(p.pairs[1][:0], rows...)
	width := len(st.reads)
	for i, keep := range st.keeps {
		switch {
		case !keep || i >= width && sc.late != nil && sc.late[i-width]:
			sc.cols[i] = stream.Column{}
		case i >= width:
			selectColumn(&sc.rows[i], &st.table.rows.rows.Cols[i-width], rows)
			sc.cols[i] = sc.rows[i]
		default:
			sc.cols[i] = ch.Cols[i]
		}
	}
	ch.Cols = sc.cols
}

// place is how far the rows of a task have been looked for, ascending.
type place struct {
	spans []stream.Span
	first int // rows of the task before the first of the spans
}

// gather makes the columns that are carried those of the rows of a task, ascending.
func (c *Chain) gather(s *ChainScratch, at *place, rows []int32) error {
	begun := false
	for n := 0; n < len(rows); {
		for len(at.spans) > 0 && int(rows[n]) >= at.first+at.spans[0].Len() {
			at.first += at.spans[0].Len()
			at.spans = at.spans[1:]
		}
		if len(at.spans) == 0 {
			return fmt.Errorf("row %d came out of a task of %d", rows[n], at.first)
		}
		span, k := at.spans[0], n
		s.sel = s.sel[:0]
		for ; k < len(rows) && int(rows[k]) < at.first+span.Len(); k++ {
			s.sel = append(s.sel, rows[k]-int32(at.first-span.From))
		}
		for i, column := range c.away.carried {
			if column < 0 {
				continue
			}
			src, dst := &span.Batch.Cols[column], &s.carried[i]
			if src.Absent() {
				return fmt.Errorf("column %s is read but absent", c.schema.Fields[column].Name)
			}
			if !begun {
				dst.Reset(src.Type)
			}
			dst.AppendSelected(src, s.sel, n)
			s.selected.cols[i] = *dst
		}
		begun, n = true, k
	}
	return nil
}

// checkSelected makes sure that everything is there that somebody reads.
func (c *Chain) checkSelected(in *Selected) error {
	schema := c.away.Side.Output().Schema
	switch {
	case c.away.refusal != nil:
		return c.away.refusal
	case len(in.Cols) != schema.Len():
		return fmt.Errorf("a task's rows have %d columns, its side has %d", len(in.Cols), schema.Len())
	case len(in.Origin) < in.Len:
		return fmt.Errorf("of %d rows of a task only %d tell where they are from", in.Len, len(in.Origin))
	case c.away.Probe != nil && (len(in.TableRows) < in.Len || in.Len > 0 && !c.away.Probe.table.complete):
		return fmt.Errorf("of %d rows of a task only %d tell what they have found", in.Len, len(in.TableRows))
	case c.panes && c.away.next == len(c.steps) && in.Time == nil && in.Len > 0:
		return errors.New("a task's rows have no event time")
	}
	for i, needed := range c.away.Side.Need {
		if needed && in.Len > 0 && in.Cols[i].Absent() {
			return fmt.Errorf("column %s of a task's rows is read but absent", schema.Fields[i].Name)
		}
	}
	return nil
}

// failAgain sends rows of a task that are known to fail through the steps, for what is to be
// said of them.
func (c *Chain) failAgain(t *Task, s *ChainScratch, rows []int32) error {
	return c.failIn(t, s, rows, nobody)
}

// nobody takes what comes through.
func nobody(*Chunk) error { return nil }

// failIn also lets emit see what comes through: the row may fail there.
func (c *Chain) failIn(t *Task, s *ChainScratch, rows []int32, emit func(*Chunk) error) error {
	first := 0
	for _, span := range t.Spans {
		for len(rows) > 0 && int(rows[0]) < first+span.Len() {
			if err := c.check(span.Batch); err != nil {
				return err
			}
			at, known := span.From+int(rows[0])-first, len(s.errors)
			s.load(c, span.Batch, at, at+1, int(rows[0]))
			if err := c.runSteps(s, 0, emit); err != nil {
				return err
			}
			if len(s.errors) == known {
				return fmt.Errorf("row %d of a task has failed elsewhere and does not fail here", rows[0])
			}
			rows = rows[1:]
		}
		first += span.Len()
	}
	if len(rows) > 0 {
		return fmt.Errorf("row %d failed of a task of %d", rows[0], t.Rows)
	}
	return nil
}
