package operator

import (
	"fmt"
	"slices"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Side is one input of an operator as the binder prepared it: the relation that is
// read and the stateless operators fused in front.
type Side struct {
	// Relation is that of the edge read: the spans' batches have its schema.
	Relation model.Relation
	// Steps are filters, projections, lookups and at most one window, in order. The window
	// is only a mark: see Chunk.Time. Lookups stand before it.
	Steps []*model.Operator
	// Lookups are the tables of the lookups among the steps; nil: there are none.
	Lookups *Lookups
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
	// on, without a window in the side's output. It is nil if there is none. Base is to
	// be added to it; in Cols it has been.
	Time []int64
	Base int64

	first, rows int             // rows of the task before the chunk; rows of it before filters
	base        []int32         // behind a lookup: index of each row of it; else first, first+1, ..
	left        []stream.Bitmap // what each filter has left, of what there was in front of it
	pos         []int32         // room for Positions
	found       []int32         // row of the table of each row, where a probe behind was computed elsewhere
}

// Positions returns the index of each row within the task, counted before filters. Few
// ask, so it is worked out when they do. It is valid as long as the chunk.
func (c *Chunk) Positions() []int32 {
	out := c.pos[:c.rows]
	if c.base != nil {
		n := copy(out, c.base)
		for _, mask := range c.left {
			n = vec.Compress(out, out[:n], mask)
		}
		return out[:n]
	}
	if len(c.left) == 0 {
		for i := range out {
			out[i] = int32(c.first + i)
		}
		return out
	}
	n := vec.IndicesOf(out, c.left[0])
	for _, mask := range c.left[1:] {
		n = vec.Compress(out, out[:n], mask)
	}
	for i := range out[:n] {
		out[i] += int32(c.first)
	}
	return out[:n]
}

// Chain is a side's steps, ready to run. It is immutable and shared by all workers.
//
// Rows move through the steps in chunks, column by column. A filter gathers the rows
// that pass into buffers of its own, and only those columns that somebody reads
// further on; when all rows pass it gathers nothing. A projection evaluates what is
// read and what may fail; bare columns are aliases.
type Chain struct {
	side   Side   // as it was given, but for Need, which is not nil
	reads  []bool // columns of the side's relation that are used where they are present
	must   []bool // those of them that are needed for more than error records and Time
	schema *stream.Schema
	steps  []step
	marked bool
	panes  bool // the window among the steps is one of time
	time   int  // without a window: column of the output's event time, or -1
	raw    int  // the relation's event time column, or -1
	settle int  // the step that reads its values first, len(steps): none but the reader, -1: nobody
	away   chainOffload
}

// step is one operator of a chain. Which fields are set depends on kind.
type step struct {
	id     model.OpID
	kind   model.Kind
	reads  []bool // columns of the input that are used from here on
	values []bool // of a filter: those that its conditions read
	must   []bool // those of them that cannot be absent
	keeps  []bool // columns of the output that are used further on
	pred   *Predicate
	prog   *Program
	cols   []source // of each output column of a projection
	time   int      // column of the input that a window is put on, or -1
	record record   // how to print a row that fails
	table  *Table   // of a lookup, with prog for the stream's keys
	outer  bool     // of a lookup: rows without partner go on
	keys   []int    // .. which are all of its results
	unnest *model.Unnest
	added  []stream.Type // .. columns that it adds
}

// source says where a projected column comes from: the input's column, or the
// program's expression; both are -1 for a column nobody reads.
type source struct{ column, expr int }

// NewChain compiles a side.
func NewChain(side Side) (*Chain, error) {
	c := &Chain{time: side.Output().Time, schema: side.Relation.Schema, side: side}
	keeps, err := side.needs()
	if err != nil {
		return nil, err
	}
	c.side.Need = slices.Clone(keeps)
	side.Steps = splitFilters(side.Steps)
	c.steps = make([]step, len(side.Steps))
	must := slices.Clone(keeps)
	reader := slices.Clone(keeps)
	for _, op := range side.Steps {
		if op.Kind == model.WindowOp {
			c.marked, c.time, c.panes = true, -1, op.Window.Kind.Spans()
		}
	}
	if c.time >= 0 {
		keeps[c.time] = true
	}
	for i := len(side.Steps) - 1; i >= 0; i-- {
		before := Side{Relation: side.Relation, Steps: side.Steps[:i]}
		if err := c.steps[i].compile(side.Steps[i], before.Output(), side.Lookups, keeps, must); err != nil {
			return nil, fmt.Errorf("%s: %w", side.Steps[i].Name, err)
		}
		keeps, must = c.steps[i].reads, c.steps[i].must
	}
	c.reads, c.must = keeps, must
	c.raw = side.Relation.Time
	c.settle = c.firstReader(reader)
	c.planOffload()
	return c, nil
}

// firstReader returns where the values of the event time column are first read as those
// of a column; until then only Chunk.Time says what they are.
func (c *Chain) firstReader(reader []bool) int {
	if c.raw < 0 {
		return -1
	}
	for i := range c.steps {
		switch st := &c.steps[i]; st.kind {
		case model.FilterOp:
			if st.values[c.raw] {
				return i
			}
		case model.ProjectOp, model.LookupOp, model.UnnestOp:
			if st.reads[c.raw] {
				return i
			}
			return -1
		}
	}
	if reader[c.raw] {
		return len(c.steps)
	}
	return -1
}

// splitFilters puts the simple conjuncts of a filter in front of the others, as a filter
// of their own, so that only rows they let pass are computed further. WHERE allows that:
// a row that one conjunct does not let pass cannot fail in another.
func splitFilters(steps []*model.Operator) []*model.Operator {
	var out []*model.Operator
	for _, op := range steps {
		if op.Kind == model.FilterOp {
			simple, rest := bySimplicity(op.Filter)
			if len(simple) > 0 && len(rest) > 0 {
				front, back := *op, *op
				front.Filter, back.Filter = simple, rest
				out = append(out, &front, &back)
				continue
			}
		}
		out = append(out, op)
	}
	return out
}

// bySimplicity separates simple conjuncts from others.
func bySimplicity(conjuncts []*model.Expr) (simple, rest []*model.Expr) {
	for _, e := range conjuncts {
		if _, ok := conditionsOf(e); ok {
			simple = append(simple, e)
		} else {
			rest = append(rest, e)
		}
	}
	return simple, rest
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

// compile prepares the step for rows of relation before, given all lookups, the
// columns of its output that are used, and those of them that must be.
func (st *step) compile(op *model.Operator, before model.Relation, lookups *Lookups, keeps, must []bool) (err error) {
	in := before.Schema
	st.id, st.kind, st.keeps, st.time = op.ID, op.Kind, keeps, -1
	st.record.schema = in
	st.reads, st.must = make([]bool, in.Len()), make([]bool, in.Len())
	switch op.Kind {
	case model.FilterOp:
		copy(st.reads, keeps)
		copy(st.must, must)
		st.mark(op.Filter...)
		st.values = make([]bool, in.Len())
		markColumns(st.values, op.Filter...)
		st.record.columns = referenced(in, fallibleExprs(op.Filter))
		st.pred, err = CompilePredicate(op.Filter, in)
	case model.ProjectOp:
		err = st.project(op.Project, in, must)
	case model.WindowOp:
		copy(st.reads, keeps)
		copy(st.must, must)
		if st.time = before.Time; st.time >= 0 {
			st.reads[st.time] = true
			st.must[st.time] = st.must[st.time] || op.Window.Kind.Timed()
		}
	case model.LookupOp:
		err = st.lookup(op, in, lookups, keeps, must)
	case model.UnnestOp:
		err = st.expand(op.Unnest, in, keeps, must)
	default:
		return fmt.Errorf("operator of kind %s is not stateless", op.Kind)
	}
	return err
}

// mark notes that the expressions are evaluated.
func (st *step) mark(exprs ...*model.Expr) {
	markColumns(st.reads, exprs...)
	markColumns(st.must, exprs...)
}

func (st *step) project(exprs []*model.Expr, in *stream.Schema, must []bool) (err error) {
	var evaluated []*model.Expr
	st.cols = make([]source, len(exprs))
	for i, e := range exprs {
		st.cols[i] = source{-1, -1}
		switch {
		case !st.keeps[i] && !e.MayErr():
		case e.Kind == model.ColumnExpr:
			st.cols[i].column = e.Column
			st.reads[e.Column] = true
			st.must[e.Column] = st.must[e.Column] || must[i]
		default:
			st.mark(e)
			st.cols[i].expr = len(evaluated)
			evaluated = append(evaluated, e)
		}
	}
	st.record.columns = referenced(in, fallibleExprs(evaluated))
	st.prog, err = Compile(evaluated, in)
	return err
}

// fallibleExprs returns the expressions that can fail. Only what they read shows in error
// rows: they are evaluated whether or not anybody reads them and stay together when
// others move, so the record does not depend on what the optimizer did.
func fallibleExprs(exprs []*model.Expr) []*model.Expr {
	return slices.DeleteFunc(slices.Clone(exprs), func(e *model.Expr) bool { return !e.MayErr() })
}

func markColumns(marks []bool, exprs ...*model.Expr) {
	for _, e := range exprs {
		e.Columns(func(c int) { marks[c] = true })
	}
}
