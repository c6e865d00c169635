package sql

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// grouping turns expressions over a SELECT's input into expressions over its groups.
//
// Expressions are first resolved over the input, with a placeholder column for each
// aggregate call. Then whatever equals a key becomes that key's column, placeholders
// become the aggregates' columns, the window's columns stay the window's, and any other
// column is a mistake.
type grouping struct {
	*exprs
	rel      *relation // input
	windowed bool      // by a window in GROUP BY
	used     bool      // there are groups
	order    []item    // what is computed behind the select list, to order by
	keys     []*model.Expr
	number   map[*expr]int // entry of GROUP BY -> key; the window's columns are none
	without  []*model.Expr // keys that this grouping, one of several, does not have
	aggs     []model.Agg
	out      *relation
}

// placeholder is the first column number that stands for an aggregate.
const placeholder = 1 << 30

// grouped resolves GROUP BY, HAVING and the select list, and adds the aggregate and
// its filter if there are groups.
func (b *builder) grouped(g *grouping, s *selectNode, items []item, groupBy []*expr) (*relation, []output, error) {
	if err := g.resolveKeys(items, groupBy); err != nil {
		return nil, nil, err
	}
	x := *g.exprs
	x.group = g
	out := make([]output, len(items)+len(g.order))
	for i, it := range slices.Concat(items, g.order) {
		if i == len(items) {
			x.clause = "ORDER BY"
		}
		e, err := x.item(it)
		if err != nil {
			return nil, nil, err
		}
		out[i] = output{expr: e, at: it.span}
	}
	var having []*model.Expr
	var err error
	if s.having != nil {
		x.clause = "HAVING"
		if having, err = x.conjuncts(s.having, nil); err != nil {
			return nil, nil, err
		}
	}
	g.used = g.windowed || len(s.groupBy) > 0 || s.sets != nil || len(g.aggs) > 0
	if !g.used {
		if s.having != nil {
			return nil, nil, b.fail(s.having.span, "write WHERE, or add GROUP BY", "HAVING needs groups")
		}
		return g.rel, out, nil
	}
	if err := b.checkGroupable(g.rel, s.from[0].span, "an aggregate"); err != nil {
		return nil, nil, err
	}
	if s.sets != nil {
		return b.groupedSets(g, s, out, having)
	}
	return b.groupedOnce(g, s, out, having)
}

// groupedOnce adds the aggregate of one grouping, and its filter, and turns the
// expressions into such over its columns.
func (b *builder) groupedOnce(g *grouping, s *selectNode, out []output, having []*model.Expr) (*relation, []output, error) {
	var err error
	g.out = b.aggregateOn(g.rel, &model.Aggregate{Keys: g.keys, Aggs: g.aggs}, g.fields(b))
	for i := range out {
		if out[i].expr, err = g.rewrite(out[i].expr, out[i].at); err != nil {
			return nil, nil, err
		}
	}
	for i := range having {
		if having[i], err = g.rewrite(having[i], s.having.span); err != nil {
			return nil, nil, err
		}
	}
	return b.filter(g.out, having), out, nil
}

// resolveKeys resolves GROUP BY: an ordinal, a column of the input, an alias of the
// select list, or an expression. The window's columns are implied by the window.
func (g *grouping) resolveKeys(items []item, groupBy []*expr) error {
	x := *g.exprs
	x.clause = "GROUP BY"
	g.number = map[*expr]int{}
	for _, e := range groupBy {
		k, err := x.key(e, items)
		if err != nil {
			return err
		}
		if k.Kind == model.ColumnExpr && g.rel.Windowed() && g.rel.Schema.Fields[k.Column].Role != stream.NoRole {
			continue
		}
		if err := x.comparable(e.span, k.Type); err != nil {
			return err
		}
		n := slices.IndexFunc(g.keys, k.Equal)
		if n < 0 {
			n = len(g.keys)
			g.keys = append(g.keys, k)
		}
		g.number[e] = n
	}
	return nil
}

func (x *exprs) key(e *expr, items []item) (*model.Expr, error) {
	if e.kind == literalExpr {
		if !e.value.Type.IsInteger() {
			return nil, x.fail(e.span, "group by a column or an expression", "a constant is no group")
		}
		if e.value.I < 1 || e.value.I > int64(len(items)) {
			return nil, x.fail(e.span, "", "GROUP BY %d: the SELECT has %d columns", e.value.I, len(items))
		}
		return x.item(items[e.value.I-1])
	}
	if e.kind == nameExpr && len(e.path) == 1 && !x.hasColumn(e.path[0].text) {
		for _, it := range items {
			if it.column == nil && it.alias != nil && it.alias.text == e.path[0].text {
				return x.item(it)
			}
		}
	}
	return x.value(e)
}

func (x *exprs) hasColumn(name string) bool {
	for _, t := range x.scope.tables {
		if len(t.find(name)) > 0 {
			return true
		}
	}
	return false
}

// addAgg returns the position of an aggregate, the same for equal ones.
func (g *grouping) addAgg(a model.Agg) int {
	for i, o := range g.aggs {
		if o.Equal(a) {
			return i
		}
	}
	g.aggs = append(g.aggs, a)
	return len(g.aggs) - 1
}

// fields are the columns of keys and aggregates.
func (g *grouping) fields(b *builder) []stream.Field {
	in := g.rel.Schema.Fields
	var out []stream.Field
	for _, k := range g.keys {
		f := stream.Field{Type: k.Type, NotNull: g.notNull(k, in)}
		if k.Kind == model.ColumnExpr {
			f.Name = in[k.Column].Name
		}
		out = append(out, f)
	}
	for _, a := range g.aggs {
		out = append(out, stream.Field{Name: string(a.Func), Type: a.Type, NotNull: a.Func == model.Count || a.Func == model.ApproxCountDistinct})
	}
	taken := map[string]bool{}
	for i := range out {
		n := out[i].Name
		if n == "" {
			n = "key"
		}
		out[i].Name = uniqueIn(taken, n)
	}
	return out
}

// aggregateOn adds an aggregate; values are the fields of its keys and aggregates, and
// the window's columns follow them.
func (b *builder) aggregateOn(rel *relation, agg *model.Aggregate, values []stream.Field) *relation {
	op := &model.Operator{Kind: model.AggregateOp, Aggregate: agg, Relation: rel.Relation}
	fields := cloneFields(values)
	for i := range fields {
		fields[i].Role, fields[i].Hidden = stream.NoRole, false
	}
	op.Relation.Time = -1
	if rel.Windowed() {
		fields = append(fields, windowFields(carried(rel))...)
		if rel.Window.Kind.Spans() {
			op.Relation.Time = len(fields) - 1
		}
	}
	op.Relation.Schema = stream.NewSchema(fields...)
	return b.derive(op, rel)
}

// checkGroupable: groups need an end, a window's or the input's.
func (b *builder) checkGroupable(rel *relation, at span, what string) error {
	if rel.Window != nil || rel.Bounded {
		return nil
	}
	hint := "put a window on the stream: FROM s [RANGE 60 SECONDS SLIDE 60 SECONDS]"
	if rel.Time < 0 {
		hint = "put a window on the stream: FROM s [ROWS n SLIDE n]"
	}
	return b.fail(at, hint, "%s over an unbounded stream never ends and would need a changelog, which is not supported yet", what)
}

// rewrite moves an expression from the input's columns to the groups'.
func (g *grouping) rewrite(e *model.Expr, at span) (*model.Expr, error) {
	if i, is := g.key(e); is {
		if i < 0 {
			return model.Lit(stream.NullOf(e.Type)), nil
		}
		return model.Col(i, e.Type), nil
	}
	if e.Kind == model.CallExpr && e.Func == groupingCall {
		return g.left(e), nil
	}
	if s, ok := g.spans[e]; ok {
		at = s
	}
	if e.Kind == model.ColumnExpr {
		return g.column(e, at)
	}
	if len(e.Args) == 0 {
		return e, nil
	}
	c := *e
	c.Args = make([]*model.Expr, len(e.Args))
	for i, a := range e.Args {
		var err error
		if c.Args[i], err = g.rewrite(a, at); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func (g *grouping) column(e *model.Expr, at span) (*model.Expr, error) {
	if e.Column >= placeholder {
		return model.Col(len(g.keys)+e.Column-placeholder, e.Type), nil
	}
	f := g.rel.Schema.Fields[e.Column]
	if f.Role != stream.NoRole && g.rel.Windowed() {
		return model.Col(g.out.Schema.RoleIndex(f.Role), e.Type), nil
	}
	return nil, g.fail(at, "add it to GROUP BY, or use MIN or MAX of it", "column %q must be in GROUP BY or inside an aggregate", f.Name)
}
