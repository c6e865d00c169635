package operator

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
)

// Region is a per-instant region of a model: from the windows evaluated at every
// instant to the Emit operator that makes a stream of them again.
type Region struct {
	Emit      *model.Operator
	edges     []model.Edge
	relations []model.Relation // of the edges
	sides     []regionSide
	join      *model.Operator   // nil: one side
	above     []*model.Operator // filters and projections behind the join
	aggregate *model.Operator   // nil: none
	after     []*model.Operator // filters and projections behind the aggregate
}

// regionSide is a window with the filters and projections behind it, up to the join or
// aggregate.
type regionSide struct {
	window *model.Operator
	input  int // edge that the window reads
	steps  []*model.Operator
}

// Edges returns what the region reads; input i of its function is Edges()[i]. Two
// windows on one edge share it, and every row is one instant for both.
func (r *Region) Edges() []model.Edge { return r.edges }

// FindRegion describes the region that ends in emit, or says why it has none that can
// be run.
func FindRegion(m *model.Model, emit *model.Operator) (*Region, error) {
	r := &Region{Emit: emit}
	steps, op := stepsBelow(m, emit)
	if op.Kind == model.AggregateOp {
		r.aggregate, r.after = op, steps
		steps, op = stepsBelow(m, op)
	}
	switch op.Kind {
	case model.JoinOp:
		r.join, r.above = op, steps
		for i := range op.Inputs {
			if err := r.side(m, op, i); err != nil {
				return nil, err
			}
		}
		return r, nil
	case model.WindowOp:
		return r, r.window(m, op, steps)
	}
	return nil, fmt.Errorf("%s: operator %s (%s) cannot stand behind a per-instant window; put it into a sub-query", emit.Name, op.Name, op.Kind)
}

// stepsBelow walks from op's first input over filters and projections; it returns
// them in the order of the rows, and what is below.
func stepsBelow(m *model.Model, op *model.Operator) (steps []*model.Operator, below *model.Operator) {
	return stepsOn(m, op.Inputs[0])
}

func stepsOn(m *model.Model, e model.Edge) (steps []*model.Operator, below *model.Operator) {
	for below = m.Ops[e.Op]; below.Kind == model.FilterOp || below.Kind == model.ProjectOp; below = m.Input(below, 0) {
		steps = append(steps, below)
	}
	slices.Reverse(steps)
	return steps, below
}

func (r *Region) side(m *model.Model, join *model.Operator, input int) error {
	steps, op := stepsOn(m, join.Inputs[input])
	if op.Kind != model.WindowOp {
		return fmt.Errorf("%s: a per-instant join of more than two windows, or of a %s, is not supported; join two of them in a sub-query", r.Emit.Name, op.Kind)
	}
	return r.window(m, op, steps)
}

func (r *Region) window(m *model.Model, op *model.Operator, steps []*model.Operator) error {
	if !op.Window.Kind.Instant() {
		return fmt.Errorf("%s: the window %s closes and cannot be evaluated per instant", r.Emit.Name, op.Name)
	}
	e := op.Inputs[0]
	input := slices.Index(r.edges, e)
	rel := m.EdgeRelation(e)
	if input < 0 {
		input = len(r.edges)
		r.edges, r.relations = append(r.edges, e), append(r.relations, rel)
	}
	if (r.relations[0].Time >= 0) != (rel.Time >= 0) {
		return fmt.Errorf("%s: streams with and without event time cannot be joined per instant", r.Emit.Name)
	}
	if op.Window.Kind == model.RangeInstant && rel.Time < 0 {
		return fmt.Errorf("%s: a window of time needs a stream with event time", op.Name)
	}
	r.sides = append(r.sides, regionSide{window: op, input: input, steps: steps})
	return nil
}

// perTime reports whether the instants are the distinct event times, not the rows.
func (r *Region) perTime() bool {
	return r.join == nil && r.sides[0].window.Window.Kind == model.RangeInstant
}

// laneKeys tells by what the region can be split over lanes, so that all that decides
// about a result row is in one lane: pairs of join keys (their numbers), or columns of
// the only side's input. Both are nil if it cannot be split.
func (r *Region) laneKeys() (pairs, columns []int) {
	if len(r.edges) > 1 || r.Emit.Emit == model.Rstream {
		return nil, nil
	}
	if r.join == nil {
		return nil, r.laneColumns()
	}
	for k := range r.join.Join.LeftKeys {
		if r.splits(k) {
			pairs = append(pairs, k)
		}
	}
	return pairs, nil
}

// laneColumns are the partition columns by which the groups are kept apart too.
func (r *Region) laneColumns() []int {
	side := r.sides[0]
	w := side.window.Window
	if w.Kind != model.PartitionRows {
		return nil
	}
	if r.aggregate == nil {
		return w.PartitionBy
	}
	var out []int
	for _, key := range r.aggregate.Aggregate.Keys {
		base := inline(key, side.steps)
		if base.Kind == model.ColumnExpr && slices.Contains(w.PartitionBy, base.Column) && !slices.Contains(out, base.Column) {
			out = append(out, base.Column)
		}
	}
	return out
}

// splits reports whether rows that differ in join key k never meet: not as partners,
// in a partition or in a group.
func (r *Region) splits(k int) bool {
	keys := [2]*model.Expr{r.join.Join.LeftKeys[k], r.join.Join.RightKeys[k]}
	for i, side := range r.sides {
		switch w := side.window.Window; w.Kind {
		case model.RowsInstant:
			return false
		case model.PartitionRows:
			base := inline(keys[i], side.steps)
			if base.Kind != model.ColumnExpr || !slices.Contains(w.PartitionBy, base.Column) {
				return false
			}
		}
	}
	if r.aggregate == nil {
		return true
	}
	split := r.split()
	for _, key := range r.aggregate.Aggregate.Keys {
		if e := inline(key, r.above); e.Equal(keys[0]) || e.Equal(shiftColumns(keys[1], split)) {
			return true
		}
	}
	return false
}

// split is the number of columns of the join's left side.
func (r *Region) split() int { return r.sideRelation(0).Schema.Len() }

// sideRelation is what a side gives to the join.
func (r *Region) sideRelation(i int) model.Relation {
	s := r.sides[i]
	if n := len(s.steps); n > 0 {
		return s.steps[n-1].Relation
	}
	return s.window.Relation
}

// inline returns e, an expression over the output of the steps, as one over their
// input.
func inline(e *model.Expr, steps []*model.Operator) *model.Expr {
	for i := len(steps) - 1; i >= 0; i-- {
		if op := steps[i]; op.Kind == model.ProjectOp {
			e = e.Rewrite(func(x *model.Expr) *model.Expr {
				if x.Kind == model.ColumnExpr {
					return op.Project[x.Column]
				}
				return x
			})
		}
	}
	return e
}
