package operator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// What another processor than the CPU may compute of Batch.
//
// Offload says which part that is. Whoever has computed it - package device/kernel, on a
// device - puts the result into a copy of the task, as Selected or Grouped, and calls Batch
// with the copy: what Batch returns is what it returns for the plain task, to the order of
// rows and the texts of error rows. So Assemble, Next and everything behind them see no
// difference, and any task may be computed anywhere.

// Offloader is a Function of which some part of Batch can be computed elsewhere. The answer
// does not change.
type Offloader interface {
	// Offload says what may be computed for tasks of an input. The error says why there is
	// nothing, in words that EXPLAIN shows.
	Offload(input int) (Offload, error)
}

// Offload is the part of Batch that may be computed elsewhere.
type Offload struct {
	// Side is what the task's rows go through. Need is never nil.
	Side Side
	// Aggregate groups what comes out of the side; the result is Task.Grouped. Its calls are
	// those that somebody reads. nil: the result is Task.Selected, the rows themselves.
	Aggregate *model.Operator
}

// Selected is a task's rows as they come out of the steps of Offload.Side. It belongs to
// whoever made it and has to stay as it is until Batch has returned.
type Selected struct {
	Len  int
	Cols []stream.Column // of the side's output; those that nobody reads are absent
	// Time is the event time of each row as in Chunk, its base added. Only behind a window of
	// time among the steps it has to be there: else it is a column, if anything.
	Time []int64
	// Origin is the index in the task, counted before filters, of each row; it ascends.
	Origin []int32
	// Failed are the rows of the task that failed, ascending. What is said of them Batch finds
	// out by itself.
	Failed []int32
}

// Grouped is a task's groups by pane. It belongs to whoever made it and has to stay as it is
// until Batch has returned.
type Grouped struct {
	Len int // entries: groups, counted in every pane that they are in
	// Positions are those of the first row of each entry: event time, or the row's number in
	// the input, or 0 without a window. Entries stand in the order of these rows, so that
	// those of one pane stand together.
	Positions []int64
	Keys      []stream.Column // as the first row of each entry shows them
	Cells     []GroupedCell   // one of each call of Offload.Aggregate
	Failed    []int32         // rows of the task that failed, ascending
}

// CellKind is what is accumulated of a call's argument.
type CellKind uint8

// The kinds, with the fields that a cell has per entry. N counts values that are not NULL,
// of COUNT(*) rows.
const (
	CountCell    CellKind = iota // N
	IntSumCell                   // N, and the exact sum in 128 bits: Low, High
	FloatSumCell                 // N, and the sum in double-double: Float and, what it lacks, Rest
	LeastCell                    // N (is it above 0) and the first of the least values: Value
	GreatestCell                 // likewise
)

// GroupedCell is an accumulator of every entry; see CellKind for the fields that each kind
// has. Values are joined in the order of their rows.
type GroupedCell struct {
	Kind        CellKind
	N           []int32
	Low         []uint64
	High        []int64
	Float, Rest []float64
	Value       stream.Column // BOOLEAN lies in I32, as 0 and 1
}

// ErrNoSteps says that an input's rows are taken as they come.
var ErrNoSteps = errors.New("its input has no filter or expression to compute")

var errLookup = errors.New("its lookup's table lies with the CPU")

// Offload offers the rows that come out of the steps.
func (c *Chain) Offload() (Offload, error) {
	computes := false
	for i := range c.steps {
		switch st := &c.steps[i]; st.kind {
		case model.LookupOp:
			return Offload{}, errLookup
		case model.FilterOp:
			computes = true
		case model.ProjectOp:
			computes = computes || slices.ContainsFunc(st.cols, func(s source) bool { return s.expr >= 0 })
		}
	}
	if !computes {
		return Offload{}, ErrNoSteps
	}
	return Offload{Side: c.side}, nil
}

// replay is Run of a task whose rows have come through the steps already: it emits them, and
// finds out about the rows that failed. Origin takes the place of a chunk's positions.
func (c *Chain) replay(t *Task, s *ChainScratch, emit func(*Chunk) error) ([]ErrorRow, error) {
	in := t.Selected
	if err := c.checkSelected(in); err != nil {
		return nil, err
	}
	if err := c.failAgain(t, s, in.Failed); err != nil {
		return nil, err
	}
	if s.selected.cols == nil {
		s.selected = newSliced(len(c.side.Need))
	}
	for from := 0; from < in.Len; from += ChunkRows {
		to := min(from+ChunkRows, in.Len)
		for i := range in.Cols {
			s.selected.slice(i, &in.Cols[i], from, to)
		}
		s.begin(s.selected.cols, to-from, int(in.Origin[from]))
		ch := &s.chunk
		ch.base = in.Origin[from:to]
		switch {
		case in.Time != nil:
			ch.Time = in.Time[from:to:to]
		case c.time >= 0 && !ch.Cols[c.time].Absent():
			ch.Time = ch.Cols[c.time].I64
		}
		if err := emit(ch); err != nil {
			return s.takeErrors(nil), err
		}
	}
	return s.takeErrors(nil), nil
}

// checkSelected makes sure that everything is there that somebody reads.
func (c *Chain) checkSelected(in *Selected) error {
	schema := c.side.Output().Schema
	switch {
	case len(in.Cols) != schema.Len():
		return fmt.Errorf("a task's rows have %d columns, its side has %d", len(in.Cols), schema.Len())
	case len(in.Origin) < in.Len:
		return fmt.Errorf("of %d rows of a task only %d tell where they are from", in.Len, len(in.Origin))
	case c.panes && in.Time == nil && in.Len > 0:
		return errors.New("a task's rows have no event time")
	}
	for i, needed := range c.side.Need {
		if needed && in.Len > 0 && in.Cols[i].Absent() {
			return fmt.Errorf("column %s of a task's rows is read but absent", schema.Fields[i].Name)
		}
	}
	return nil
}

// failAgain sends rows of a task that are known to fail through the steps, for what is to be
// said of them.
func (c *Chain) failAgain(t *Task, s *ChainScratch, rows []int32) error {
	first := 0
	for _, span := range t.Spans {
		for len(rows) > 0 && int(rows[0]) < first+span.Len() {
			if err := c.check(span.Batch); err != nil {
				return err
			}
			at, known := span.From+int(rows[0])-first, len(s.errors)
			s.load(c, span.Batch, at, at+1, int(rows[0]))
			c.runChunk(s)
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
