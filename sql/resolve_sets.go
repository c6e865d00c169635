package sql

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// groupingCall is what GROUPING(..) is called until the grouping is known that it is
// evaluated for.
const groupingCall = "$grouping"

// maxGroupingArguments is how many keys GROUPING tells of.
const maxGroupingArguments = 31

// grouping resolves GROUPING(key, ..).
func (x *exprs) grouping(e *expr) (*model.Expr, error) {
	if x.group == nil || len(x.group.keys) == 0 {
		return nil, x.fail(e.span, "write it in SELECT, HAVING or ORDER BY of a query with GROUP BY", "%s needs GROUP BY", upper(e.fn))
	}
	if n := len(e.args); n == 0 || n > maxGroupingArguments {
		return nil, x.fail(e.span, "", "%s takes 1 to %d arguments, not %d", upper(e.fn), maxGroupingArguments, n)
	}
	inner := *x
	inner.inside = upper(e.fn)
	out := model.Call(groupingCall, stream.Integer)
	for _, a := range e.args {
		k, err := inner.value(a)
		if err != nil {
			return nil, err
		}
		found := false
		for _, o := range x.group.keys {
			found = found || o.Equal(k)
		}
		if !found {
			return nil, x.fail(a.span, "name an expression of GROUP BY", "%s takes keys of GROUP BY", upper(e.fn))
		}
		out.Args = append(out.Args, k)
	}
	return out, nil
}

// left is the number of GROUPING's value: a bit for each argument, the first one the
// highest, which is set where the grouping does not have that key.
func (g *grouping) left(call *model.Expr) *model.Expr {
	n := int32(0)
	for _, a := range call.Args {
		n <<= 1
		if in, _ := g.key(a); in < 0 {
			n |= 1
		}
	}
	return model.Lit(stream.Int(n))
}

// key returns the number of the key that an expression is, -1 if it is one that the
// grouping leaves out; is says whether it is any.
func (g *grouping) key(e *model.Expr) (number int, is bool) {
	for i, k := range g.keys {
		if e.Equal(k) {
			return i, true
		}
	}
	for _, k := range g.without {
		if e.Equal(k) {
			return -1, true
		}
	}
	return -1, false
}

// groupedSets makes an aggregate for each grouping, whose results stand one behind the
// other in each window. The columns that a grouping does not have are NULL.
func (b *builder) groupedSets(g *grouping, s *selectNode, out []output, having []*model.Expr) (*relation, []output, error) {
	at := s.span
	if len(s.groupBy) > 0 {
		at = s.groupBy[0].span
	}
	switch {
	case g.rel.Instant():
		return nil, nil, b.fail(at, "write one SELECT for each grouping", "several groupings of a per-instant window are not supported yet")
	case g.rel.Windowed() && !g.rel.Window.Kind.Spans():
		return nil, nil, b.fail(at, "use a time window, or write one SELECT for each grouping", "several groupings of a ROWS window are not supported yet")
	}
	q, timed := &query{}, g.rel.Windowed()
	if timed && b.model.Ops[g.rel.edge.Op].Kind != model.WindowOp {
		g.rel = b.shared(g.rel)
	}
	var inputs []*relation
	for n, set := range s.sets {
		one := g.of(set)
		rel, columns, err := b.groupedOnce(one, s, append([]output(nil), out...), append([]*model.Expr(nil), having...))
		if err != nil {
			return nil, nil, err
		}
		for i := range columns {
			columns[i].name = fmt.Sprintf("c%d", i)
		}
		if !timed {
			columns = append(columns, output{name: "set", expr: model.Lit(stream.Int(int32(n)))})
		}
		q.branches, inputs = append(q.branches, &branch{sel: s}), append(inputs, b.project(rel, columns))
	}
	rel := inputs[0]
	if len(inputs) > 1 {
		var err error
		if rel, err = b.union(q, inputs); err != nil {
			return nil, nil, err
		}
		if !timed { // a union without event time takes its inputs in turn
			op := &model.Operator{Kind: model.SortOp, Relation: rel.Relation, Sort: &model.Sort{Limit: -1, Keys: []model.SortKey{{Column: len(out)}}}}
			op.Relation.Time = -1
			rel = b.derive(op, rel)
		}
	}
	columns := make([]output, len(out))
	for i := range out {
		columns[i] = output{expr: model.Col(i, rel.Schema.Fields[i].Type), at: out[i].at}
	}
	return rel, columns, nil
}

// shared is a relation that several aggregates read row by row: a projection keeps
// filters below it from going below its window, which would show in the order of groups.
func (b *builder) shared(rel *relation) *relation {
	op := &model.Operator{Kind: model.ProjectOp, Relation: rel.Relation}
	fields := cloneFields(rel.Schema.Fields)
	for i, f := range fields {
		op.Project = append(op.Project, model.Col(i, f.Type))
	}
	op.Project = append(op.Project, model.Lit(stream.Int(0)))
	fields = append(fields, stream.Field{Name: "$sets", Type: stream.Integer, NotNull: true, Hidden: true})
	op.Relation.Schema = stream.NewSchema(fields...)
	return b.derive(op, rel)
}

// of is the grouping by the keys of one set; the others are NULL there.
func (g *grouping) of(set []*expr) *grouping {
	one := *g
	one.keys, one.without = nil, nil
	in := make([]bool, len(g.keys))
	for _, e := range set {
		if i, ok := g.number[e]; ok { // not so a window's column
			in[i] = true
		}
	}
	for i, k := range g.keys {
		if in[i] {
			one.keys = append(one.keys, k)
		} else {
			one.without = append(one.without, k)
		}
	}
	return &one
}
