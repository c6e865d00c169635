package optimize

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// SelfJoin finds joins of groups with their own greatest (or least) value per window,
// the way SQL says "the groups with the most": the aggregate keeps those groups itself,
// where it puts them out, and neither a second aggregate nor a join is needed.
//
//	groups ─┬─ steps ──────── join on v = max(v) ─    =>   groups, peak max v ─ steps ─ project ─
//	        └─ max(v) ─ ... ──┘
//
// Safe when the join is no outer one and compares nothing but the value and its own maximum: v = max(v), or
// v >= max(v), which is the same; likewise for the minimum. All of the groups must be
// among those that the maximum is taken of, so no filter stands on that side; filters on
// the other one stay behind the peak. Equal groups all stay, in their order, as the join
// has them. A window whose values are all NULL gives nothing either way, because the
// maximum is NULL, which equals nothing. Of floats the maximum must not be read: it may
// be 0 where the group's value is -0. Nothing on the way may err, or error rows would be
// gone, and nobody else may read the groups.
var SelfJoin = Optimization{
	Name:    "self-join",
	Summary: "keep the greatest groups of a window without joining them with their maximum",
	Sites:   selfJoinSites,
	Safe:    selfJoinSafe,
	Profit:  selfJoinProfit,
	Apply:   selfJoinApply,
}

// selfJoin is what was found around a join.
type selfJoin struct {
	join   *model.Operator
	groups *model.Operator   // the aggregate whose groups are joined
	peak   *model.Operator   // the aggregate of all groups of a window
	rows   int               // the join's input that the groups come by; the peak comes by the other
	before []*model.Operator // filters and projections between groups and peak, from the join
	behind []*model.Operator // .. between peak and join
	beside []*model.Operator // .. between groups and join, on the other side
}

func selfJoinSites(m *model.Model) []Site {
	var out []Site
	for _, op := range m.Ops {
		if s := findSelfJoin(m, op); s != nil {
			out = append(out, Site{Ops: []model.OpID{op.ID}, Text: fmt.Sprintf("join %s of %s with its own %s", op.Name, s.groups.Name, s.peak.Name)})
		}
	}
	return out
}

// findSelfJoin returns nil if op is no join of groups with an aggregate of all of them.
func findSelfJoin(m *model.Model, op *model.Operator) *selfJoin {
	if op.Kind != model.JoinOp || !op.Relation.Windowed() {
		return nil
	}
	for rows := range 2 {
		s := &selfJoin{join: op, rows: rows}
		var other *model.Operator
		other, s.behind = stepsTo(m, op.Inputs[1-rows])
		s.groups, s.beside = stepsTo(m, op.Inputs[rows])
		if other == nil || other.Kind != model.AggregateOp || len(other.Aggregate.Keys) > 0 {
			continue
		}
		s.peak = other
		if other, s.before = stepsTo(m, s.peak.Inputs[0]); other != nil && other == s.groups && other.Kind == model.AggregateOp {
			return s
		}
	}
	return nil
}

// stepsTo goes from an edge toward the source over filters and projections.
func stepsTo(m *model.Model, e model.Edge) (end *model.Operator, steps []*model.Operator) {
	for e.Port == model.Out {
		op := m.Ops[e.Op]
		if op.Kind != model.FilterOp && op.Kind != model.ProjectOp {
			return op, steps
		}
		steps = append(steps, op)
		e = op.Inputs[0]
	}
	return nil, nil
}

func selfJoinSafe(m *model.Model, site Site) string {
	s := findSelfJoin(m, m.Ops[site.Ops[0]])
	if s.join.Join.Outer {
		return "an outer join keeps the rows that equal no maximum"
	}
	if s.groups.Aggregate.Peak != nil {
		return s.groups.Name + " keeps its peak already"
	}
	if len(s.peak.Aggregate.Aggs) != 1 {
		return s.peak.Name + " computes more than one value"
	}
	switch g := s.peak.Aggregate.Aggs[0]; {
	case g.Func != model.Max && g.Func != model.Min:
		return fmt.Sprintf("%s is no MAX or MIN", s.peak.Name)
	case g.Filter != nil:
		return s.peak.Name + " is of some groups only"
	}
	for _, op := range slices.Concat(s.before, s.behind) {
		if op.Kind == model.FilterOp {
			return fmt.Sprintf("filter %s stands on the side of %s", op.Name, s.peak.Name)
		}
	}
	if reason := s.mayErr(); reason != "" {
		return reason
	}
	if reason := s.readers(m); reason != "" {
		return reason
	}
	return s.columns(m)
}

func (s *selfJoin) mayErr() string {
	for _, op := range slices.Concat(s.before, s.behind, s.beside, []*model.Operator{s.peak, s.join}) {
		if op.Properties().MayErr {
			return fmt.Sprintf("%s may err", op.Name)
		}
	}
	return ""
}

// readers gives a reason if anybody else reads what would be gone or changed.
func (s *selfJoin) readers(m *model.Model) string {
	readers := m.Consumers()
	gone := slices.Concat(s.before, s.behind, []*model.Operator{s.peak})
	for _, op := range append(gone, s.join) {
		if errorReaders(readers, op) > 0 {
			return fmt.Sprintf("the error rows of %s are read", op.Name)
		}
	}
	for _, op := range slices.Concat(gone, s.beside) {
		if n := len(readers[model.Edge{Op: op.ID, Port: model.Out}]); n > 1 && !s.shared(op) {
			return fmt.Sprintf("%d operators read %s", n, op.Name)
		}
	}
	fork := s.groups
	for _, op := range slices.Backward(s.beside) {
		if s.shared(op) {
			fork = op
		}
	}
	if n := len(readers[model.Edge{Op: fork.ID, Port: model.Out}]); n > 2 {
		return fmt.Sprintf("%d operators read %s", n, fork.Name)
	}
	return ""
}

// shared: the step is on the way to both sides.
func (s *selfJoin) shared(op *model.Operator) bool {
	return slices.Contains(s.before, op) && slices.Contains(s.beside, op)
}

// columns checks that the join compares the column with its own peak, and nothing else.
func (s *selfJoin) columns(m *model.Model) string {
	value := columnBelow(s.before, s.peak.Aggregate.Aggs[0].Arg)
	if value < 0 {
		return "the maximum is of an expression and not of a column"
	}
	left, right, reason := s.compared(m)
	if reason != "" {
		return reason
	}
	rows, peak := left, right
	if s.rows == 1 {
		rows, peak = right, left
	}
	if c := columnBelow(s.behind, peak); c != 0 {
		return "the join does not compare with the maximum"
	}
	if columnBelow(s.beside, rows) != value {
		return fmt.Sprintf("the join compares another column with the maximum of %s", s.groups.Relation.Schema.Fields[value].Name)
	}
	f := s.groups.Relation.Schema.Fields[value]
	if !model.PeakType(f.Type) {
		return fmt.Sprintf("%s is %s and not a number or time", f.Name, f.Type)
	}
	for c, e := range s.output(m) {
		if e == nil {
			return fmt.Sprintf("%s has no column to stand for %s", s.groups.Name, s.join.Relation.Schema.Fields[c].Name)
		}
	}
	if f.Type.IsFloat() && s.peakRead(m) {
		return "the maximum is read, and may be 0 where the group has -0"
	}
	return ""
}

// compared returns the two sides of the join's one condition, as columns of its inputs.
func (s *selfJoin) compared(m *model.Model) (left, right *model.Expr, reason string) {
	j, width := s.join.Join, m.Schema(s.join.Inputs[0]).Len()
	switch {
	case len(j.LeftKeys)+len(j.On) != 1:
		return nil, nil, "the join has more than one condition"
	case len(j.LeftKeys) == 1:
		return j.LeftKeys[0], j.RightKeys[0], ""
	}
	e := j.On[0]
	if e.Kind != model.CallExpr || len(e.Args) != 2 {
		return nil, nil, "the join does not compare with the maximum"
	}
	a, b, f := e.Args[0], e.Args[1], e.Func
	if firstFrom(a, width) >= 0 {
		a, b, f = b, a, map[string]string{"le": "ge", "ge": "le", "eq": "eq"}[f]
	}
	if firstFrom(a, width) >= 0 || a.Kind != model.ColumnExpr || b.Kind != model.ColumnExpr || b.Column < width {
		return nil, nil, "the join does not compare with the maximum"
	}
	// v >= max(v) where the groups are on the left; max(v) <= v where they are on the right.
	want := map[bool]string{true: "ge", false: "le"}[(s.peak.Aggregate.Aggs[0].Func == model.Max) == (s.rows == 0)]
	if f != "eq" && f != want {
		return nil, nil, "the join does not ask for equality with the maximum"
	}
	return a, shift(b, -width), ""
}

// columnBelow follows a bare column through steps, from the last to the first, and
// returns -1 if it is computed on the way.
func columnBelow(steps []*model.Operator, e *model.Expr) int {
	for _, op := range steps {
		if e == nil || e.Kind != model.ColumnExpr {
			return -1
		}
		if op.Kind == model.ProjectOp {
			e = op.Project[e.Column]
		}
	}
	if e == nil || e.Kind != model.ColumnExpr {
		return -1
	}
	return e.Column
}

// output are the join's columns computed from the rows of the groups' side; nil for one
// that cannot be.
func (s *selfJoin) output(m *model.Model) []*model.Expr {
	own := m.Schema(s.join.Inputs[s.rows])
	left, n := m.Schema(s.join.Inputs[0]).Len(), s.join.Relation.Schema.Len()
	value := columnBelow(s.before, s.peak.Aggregate.Aggs[0].Arg)
	stands := make([]*model.Expr, s.peak.Relation.Schema.Len())
	for c, f := range s.peak.Relation.Schema.Fields {
		if c == 0 {
			for k, of := range own.Fields {
				if columnBelow(s.beside, model.Col(k, of.Type)) == value {
					stands[c] = model.Col(k, of.Type)
				}
			}
		} else if k := own.RoleIndex(f.Role); k >= 0 {
			stands[c] = model.Col(k, f.Type)
		}
	}
	out := make([]*model.Expr, n)
	for c := range out {
		t := s.join.Relation.Schema.Fields[c].Type
		if mine := c >= left == (s.rows == 1); mine {
			out[c] = model.Col(c-left*s.rows, t)
			continue
		}
		out[c] = standFor(s.behind, model.Col(c-left*(1-s.rows), t), stands)
	}
	return out
}

// standFor expresses a column behind steps by what stands for the columns before them.
func standFor(steps []*model.Operator, e *model.Expr, stands []*model.Expr) *model.Expr {
	for _, op := range steps {
		if op.Kind == model.ProjectOp {
			e = substitute(e, op.Project)
		}
	}
	missing := false
	e.Columns(func(c int) { missing = missing || stands[c] == nil })
	if missing {
		return nil
	}
	return substitute(e, stands)
}

// peakRead: somebody reads the maximum from the join.
func (s *selfJoin) peakRead(m *model.Model) bool {
	need, left := FindNeeded(m)[model.Edge{Op: s.join.ID, Port: model.Out}], m.Schema(s.join.Inputs[0]).Len()
	for c, read := range need {
		if mine := c >= left == (s.rows == 1); !read || mine {
			continue
		}
		e := model.Col(c-left*(1-s.rows), s.join.Relation.Schema.Fields[c].Type)
		for _, op := range s.behind {
			e = substitute(e, op.Project)
		}
		if firstFrom(e, 0) == 0 {
			return true
		}
	}
	return false
}

func selfJoinProfit(m *model.Model, site Site) Estimate {
	s := findSelfJoin(m, m.Ops[site.Ops[0]])
	width := 0
	for _, f := range s.groups.Relation.Schema.Fields {
		width += f.Type.Width()
	}
	return Estimate{Pays: true, Text: fmt.Sprintf("two pipelines less, and %d bytes a group are not copied twice and joined", width)}
}

func selfJoinApply(m *model.Model, site Site) *model.Model {
	s := findSelfJoin(m, m.Ops[site.Ops[0]])
	value := columnBelow(s.before, s.peak.Aggregate.Aggs[0].Arg)
	w := newRewrite(m)

	groups := *s.groups.Aggregate
	groups.Peak = &model.Peak{Func: s.peak.Aggregate.Aggs[0].Func, Column: value}
	w.ops[s.groups.ID].Aggregate = &groups

	op := w.ops[s.join.ID]
	op.Project, op.Kind, op.Join = s.output(m), model.ProjectOp, nil
	op.Inputs = []model.Edge{s.join.Inputs[s.rows]}
	op.Relation.Schema = unmarked(op.Relation.Schema, m.Schema(op.Inputs[0]), op.Project)

	for _, gone := range slices.Concat(s.before, s.behind, []*model.Operator{s.peak}) {
		if !s.shared(gone) && w.ops[gone.ID] != nil {
			w.drop(gone.ID)
		}
	}
	return w.model()
}

// unmarked is the schema with the roles that its expressions repeat, as Verify asks.
func unmarked(s, in *stream.Schema, exprs []*model.Expr) *stream.Schema {
	fields := slices.Clone(s.Fields)
	for i, e := range exprs {
		if f := &fields[i]; f.Role != stream.NoRole && (e.Kind != model.ColumnExpr || in.Fields[e.Column].Role != f.Role) {
			f.Role = stream.NoRole
		}
	}
	return stream.NewSchema(fields...)
}
