package operator

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Side is one input of an operator as the binder prepared it: the relation that is
// read and the stateless operators fused in front.
type Side struct {
	// Relation is that of the edge read: the spans' batches have its schema.
	Relation model.Relation
	// Steps are filters, projections and at most one window, in order. The window is only
	// a mark: see Chunk.Time.
	Steps []*model.Operator
	// Need tells which columns of the last step's output (of Relation if there is none)
	// are read; nil means all.
	Need []bool
}

// Output returns the relation behind the steps.
func (s Side) Output() model.Relation {
	if n := len(s.Steps); n > 0 {
		return s.Steps[n-1].Relation
	}
	return s.Relation
}

// Chunk is up to ChunkRows rows that came through a chain. It belongs to the chain and
// is valid until the callback returns.
type Chunk struct {
	Len  int
	Cols []stream.Column // dense; columns that nobody reads are absent
	// Time is the event time of each row: in the relation that the chain's window stands
	// on, without a window in the side's output. It is nil if there is none.
	Time []int64
	Pos  []int32 // index of each row within the task, counted before filters
}

// Chain is a side's steps, ready to run. It is immutable and shared by all workers.
//
// Rows move through the steps in chunks, column by column. A filter gathers the rows
// that pass into buffers of its own, and only those columns that somebody reads
// further on; when all rows pass it gathers nothing. A projection evaluates what is
// read and what may fail; bare columns are aliases.
type Chain struct {
	reads  []bool // columns of the side's relation
	steps  []step
	marked bool
	time   int // without a window: column of the output's event time, or -1
}

// step is one operator of a chain. Which fields are set depends on kind.
type step struct {
	id     model.OpID
	kind   model.Kind
	reads  []bool // columns of the input that are read from here on
	keeps  []bool // columns of the output that are read further on
	pred   *Predicate
	prog   *Program
	cols   []source // of each output column of a projection
	time   int      // column of the input that a window is put on, or -1
	record record   // how to print a row that fails
}

// source says where a projected column comes from: the input's column, or the
// program's expression; both are -1 for a column nobody reads.
type source struct{ column, expr int }

// NewChain compiles a side.
func NewChain(side Side) (*Chain, error) {
	c := &Chain{time: side.Output().Time, steps: make([]step, len(side.Steps))}
	keeps, err := side.needs()
	if err != nil {
		return nil, err
	}
	for _, op := range side.Steps {
		if op.Kind == model.WindowOp {
			c.marked, c.time = true, -1
		}
	}
	if c.time >= 0 {
		keeps[c.time] = true
	}
	for i := len(side.Steps) - 1; i >= 0; i-- {
		before := Side{Relation: side.Relation, Steps: side.Steps[:i]}
		if err := c.steps[i].compile(side.Steps[i], before.Output(), keeps); err != nil {
			return nil, fmt.Errorf("%s: %w", side.Steps[i].Name, err)
		}
		keeps = c.steps[i].reads
	}
	c.reads = keeps
	return c, nil
}

// needs returns a copy of Need, checked.
func (s Side) needs() ([]bool, error) {
	width := s.Output().Schema.Len()
	if s.Need == nil {
		return allOf(width), nil
	}
	if len(s.Need) != width {
		return nil, fmt.Errorf("needs tell of %d columns, the input has %d", len(s.Need), width)
	}
	return slices.Clone(s.Need), nil
}

func allOf(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// Reads tells which columns of the side's relation the chain reads.
func (c *Chain) Reads() []bool { return c.reads }

// compile prepares the step for rows of relation before, given the columns of its
// output that are read.
func (st *step) compile(op *model.Operator, before model.Relation, keeps []bool) (err error) {
	in := before.Schema
	st.id, st.kind, st.keeps, st.time = op.ID, op.Kind, keeps, -1
	st.record.schema = in
	st.reads = make([]bool, in.Len())
	switch op.Kind {
	case model.FilterOp:
		copy(st.reads, keeps)
		markColumns(st.reads, op.Filter...)
		st.record.columns = referenced(in, op.Filter)
		st.pred, err = CompilePredicate(op.Filter, in)
	case model.ProjectOp:
		err = st.project(op.Project, in)
	case model.WindowOp:
		copy(st.reads, keeps)
		if st.time = before.Time; st.time >= 0 {
			st.reads[st.time] = true
		}
	default:
		return fmt.Errorf("operator of kind %s is not stateless", op.Kind)
	}
	return err
}

func (st *step) project(exprs []*model.Expr, in *stream.Schema) (err error) {
	var evaluated []*model.Expr
	st.cols = make([]source, len(exprs))
	for i, e := range exprs {
		st.cols[i] = source{-1, -1}
		if !st.keeps[i] && !e.MayErr() {
			continue
		}
		markColumns(st.reads, e)
		if e.Kind == model.ColumnExpr {
			st.cols[i].column = e.Column
			continue
		}
		st.cols[i].expr = len(evaluated)
		evaluated = append(evaluated, e)
	}
	if model.AnyMayErr(evaluated) {
		st.record.columns = referenced(in, exprs)
		markColumns(st.reads, exprs...)
	}
	st.prog, err = Compile(evaluated, in)
	return err
}

func markColumns(marks []bool, exprs ...*model.Expr) {
	for _, e := range exprs {
		e.Columns(func(c int) { marks[c] = true })
	}
}
