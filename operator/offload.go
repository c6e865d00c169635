package operator

import (
	"errors"
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
	// Probe looks what comes out of the side up in a table: Task.Selected has a row for every
	// row of the table that matches, with its number. nil: there is none.
	Probe *Probe
}

// Probe is a lookup by equal keys in a table that does not change once it is complete. A row
// with a NULL among its keys matches nothing; one whose keys fail is among Selected.Failed.
type Probe struct {
	Op   model.OpID
	Keys []*model.Expr // over the side's output; of fixed width, at least one
	// Outer: a row that matches nothing comes out once, with the table's last row.
	Outer bool
	table *Table
}

// Table returns the columns of the table's keys, in the order of Keys, and how many rows
// there are; if Outer, the last one is of NULLs. They never change again. ok is false until the table has been read whole.
func (p *Probe) Table() (keys []stream.Column, rows int, ok bool) {
	if !p.table.complete {
		return nil, 0, false
	}
	for _, c := range p.table.in.keyCols {
		keys = append(keys, p.table.rows.rows.Cols[c])
	}
	return keys, p.table.rows.rows.Len, true
}

// newProbe returns nil where there are no keys, or text among them, or where rows without
// partner go on whose keys are not all that is compared.
func newProbe(op *model.Operator, keys []*model.Expr, table *Table) *Probe {
	text := func(k *model.Expr) bool { return k.Type.Storage() == stream.Varchar }
	if op.Join.Outer && len(op.Join.On) > 0 || len(keys) == 0 || slices.ContainsFunc(keys, text) {
		return nil
	}
	return &Probe{op.ID, keys, op.Join.Outer, table}
}

// Selected is a task's rows as they come out of the steps of Offload.Side. It belongs to
// whoever made it and has to stay as it is until Batch has returned.
type Selected struct {
	Len  int
	Cols []stream.Column // of the side's output; those that Side.Need leaves out are absent
	// Time is the event time of each row as in Chunk, its base added. Only behind a window of
	// time among the steps it has to be there: else it is a column, if anything.
	Time []int64
	// Origin is the index in the task, counted before filters, of each row; it ascends. Rows
	// that a probe has multiplied follow each other, in the table's order.
	Origin []int32
	// TableRows is, behind a probe, the row of its table of each row.
	TableRows []int32
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
