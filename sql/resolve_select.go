package sql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// output is one column of a SELECT.
type output struct {
	name string
	expr *model.Expr
	at   span
	// hidden: no column of the result, but something of it is ordered by.
	hidden bool
}

// selectQuery resolves a SELECT: FROM with its windows and joins, the window of GROUP
// BY, WHERE, grouping, HAVING, the columns, DISTINCT, for per-instant windows the way
// back to a stream, and the order of the rows.
func (b *builder) selectQuery(s *selectNode, e *env, order *orderNode) (*relation, error) {
	f, err := b.from(s, e)
	if err != nil {
		return nil, err
	}
	x := &exprs{resolver: b.resolver, scope: f.scope, clause: "SELECT", spans: map[*model.Expr]span{}}
	w, time, groupBy, err := x.groupWindow(s.groupBy)
	if err != nil {
		return nil, err
	}
	if w != nil && w.kind == model.Session {
		if err := b.groupSessions(f, x, w, s, groupBy); err != nil {
			return nil, err
		}
	}
	if w != nil {
		if err := b.groupedWindow(f, w, time); err != nil {
			return nil, err
		}
		x.window = w
	}
	rel := b.filter(f.rel, f.where)
	items, err := x.expand(s.items)
	if err != nil {
		return nil, err
	}
	rows, items, err := b.numbering(s, items)
	if err != nil {
		return nil, err
	}
	behind := order // what is put in order behind the numbers
	if rows != nil {
		order = nil
	}
	keys, err := b.ordering(order, items)
	if rows != nil {
		keys = rows.order
	}
	if err != nil {
		return nil, err
	}
	g := &grouping{exprs: x, rel: rel, windowed: w != nil, order: keys.hidden}
	rel, out, err := b.grouped(g, s, items, groupBy)
	if err != nil {
		return nil, err
	}
	if err := b.checkPartitions(f, g, s, out); err != nil {
		return nil, err
	}
	out, more := out[:len(items):len(items)], out[len(items):]
	nameOutputs(items, out)
	if more = keys.settle(out, more); len(more) > 0 {
		if err := b.checkHiddenOrder(rel, s, more[0].at); err != nil {
			return nil, err
		}
	}
	rel = b.project(rel, append(out, more...))
	columns := numbers(len(out) + len(more))
	if s.distinct {
		if rel, err = b.distinct(rel, s, g.used); err != nil {
			return nil, err
		}
		columns = rel.Schema.Visible()
	}
	if rel, err = b.emit(rel, s); err != nil {
		return nil, err
	}
	if rows != nil {
		if rel, err = b.number(rel, rows, len(out)); err != nil {
			return nil, err
		}
		return b.ordered(rel, behind)
	}
	return b.sort(rel, order, keys, columns)
}

// expand replaces the stars of a select list by columns.
func (x *exprs) expand(items []item) ([]item, error) {
	var out []item
	for _, it := range items {
		if !it.star {
			out = append(out, it)
			continue
		}
		tables := x.scope.tables
		if it.table != nil {
			if tables = x.scope.named(it.table.text); len(tables) == 0 {
				return nil, x.unknownAlias(x.scope, *it.table)
			}
		}
		if x.scope.swapped && it.table == nil {
			tables = slices.Clone(tables)
			tables[0], tables[1] = tables[1], tables[0]
		}
		for _, t := range tables {
			if len(t.left) > 0 {
				x.warn(fmt.Sprintf("* leaves out columns of %s that cannot be read yet: %s", t.describe, strings.Join(t.left, ", ")))
			}
			for _, i := range t.star() {
				f := t.fields[i]
				out = append(out, item{span: it.span, alias: &name{f.Name, it.span}, column: model.Col(t.at[i], f.Type)})
			}
		}
	}
	if len(out) == 0 {
		return nil, x.fail(items[0].span, "", "there is no column to select")
	}
	return out, nil
}

// item resolves one entry of the expanded select list.
func (x *exprs) item(it item) (*model.Expr, error) {
	if it.column != nil {
		x.spans[it.column] = it.span
		return it.column, nil
	}
	return x.value(it.expr)
}

// nameOutputs gives every column its name: the alias, the column's own, the
// aggregate's, or expr_N; repeats get _1, _2.
func nameOutputs(items []item, out []output) {
	taken := map[string]bool{}
	for i, it := range items {
		n := ""
		if it.alias != nil {
			n = it.alias.text
		} else if n = naturalName(it.expr); n == "" {
			n = fmt.Sprintf("expr_%d", i+1)
		}
		out[i].name = uniqueIn(taken, n)
	}
}

// uniqueIn returns the name, or the name with the first free of _1, _2, and takes it.
func uniqueIn(taken map[string]bool, name string) string {
	out := name
	for k := 1; taken[out]; k++ {
		out = fmt.Sprintf("%s_%d", name, k)
	}
	taken[out] = true
	return out
}

func naturalName(e *expr) string {
	switch {
	case e.kind == nameExpr && len(e.path) > 0:
		return e.path[len(e.path)-1].text
	case e.kind == castExpr:
		return naturalName(e.args[0])
	case e.kind == callExpr && !e.operator && aggregateNames[e.fn] != "":
		return e.fn
	}
	return ""
}

// project adds the operator that computes a SELECT's columns. What the engine needs of
// the input - event time and the window's columns - is carried along, hidden where the
// columns do not repeat it.
func (b *builder) project(rel *relation, out []output) *relation {
	op := &model.Operator{Kind: model.ProjectOp, Relation: rel.Relation}
	in := rel.Schema.Fields
	var fields []stream.Field
	x := &exprs{resolver: b.resolver}
	for _, o := range out {
		f := stream.Field{Name: o.name, Type: o.expr.Type, NotNull: x.notNull(o.expr, in), Hidden: o.hidden}
		if o.expr.Kind == model.ColumnExpr {
			f.Role = in[o.expr.Column].Role
		}
		fields, op.Project = append(fields, f), append(op.Project, o.expr)
	}
	carry := func(column int, name string) int {
		f := in[column]
		f.Name, f.Hidden = name, true
		fields, op.Project = append(fields, f), append(op.Project, model.Col(column, f.Type))
		return len(fields) - 1
	}
	if rel.Windowed() {
		for _, c := range windowFields(carried(rel)) {
			if stream.NewSchema(fields...).RoleIndex(c.Role) < 0 {
				carry(rel.Schema.RoleIndex(c.Role), c.Name)
			}
		}
	}
	op.Relation.Time = -1
	if rel.Time >= 0 && !rel.Instant() {
		op.Relation.Time = repeated(op.Project, fields, rel)
		if op.Relation.Time < 0 {
			op.Relation.Time = carry(rel.Time, "$time")
		}
	}
	op.Relation.Schema = stream.NewSchema(fields...)
	return b.derive(op, rel)
}

// repeated finds a column that repeats the event time.
func repeated(exprs []*model.Expr, fields []stream.Field, rel *relation) int {
	role := rel.Schema.Fields[rel.Time].Role
	for i, e := range exprs {
		if e.Kind == model.ColumnExpr && e.Column == rel.Time || role != stream.NoRole && fields[i].Role == role {
			return i
		}
	}
	return -1
}

// distinct groups by all columns. The window's own columns are the same in a whole
// window and are no keys; a last projection puts them back in their places.
func (b *builder) distinct(rel *relation, s *selectNode, grouped bool) (*relation, error) {
	if err := b.checkGroupable(rel, s.from[0].span, "DISTINCT"); err != nil {
		return nil, err
	}
	if grouped && rel.Instant() {
		return nil, b.fail(s.span, "leave DISTINCT out, or select from a sub-query", "DISTINCT over a grouped per-instant window is not supported yet")
	}
	agg := &model.Aggregate{}
	visible := rel.Schema.Visible()
	var fields []stream.Field
	out := make([]output, len(visible))
	restore := false
	for i, c := range visible {
		f := rel.Schema.Fields[c]
		out[i] = output{name: f.Name}
		if f.Role != stream.NoRole {
			restore = true
			continue
		}
		if err := b.comparable(s.span, f.Type); err != nil {
			return nil, err
		}
		out[i].expr = model.Col(len(agg.Keys), f.Type)
		agg.Keys = append(agg.Keys, model.Col(c, f.Type))
		fields = append(fields, f)
	}
	result := b.aggregateOn(rel, agg, fields)
	if !restore {
		return result, nil
	}
	for i, c := range visible {
		if f := rel.Schema.Fields[c]; f.Role != stream.NoRole {
			out[i].expr = model.Col(result.Schema.RoleIndex(f.Role), f.Type)
		}
	}
	return b.project(result, out), nil
}

// emit turns per-instant windows back into a stream.
func (b *builder) emit(rel *relation, s *selectNode) (*relation, error) {
	if !rel.Instant() {
		if s.mode != nil && *s.mode != model.Rstream {
			return nil, b.fail(s.modeAt, "leave it out, or write a window without SLIDE", "%s needs a per-instant window such as [RANGE 60 SECONDS]", upper(s.mode.String()))
		}
		if s.mode != nil && !rel.Windowed() {
			return nil, b.fail(s.modeAt, "leave it out, or put a window on the stream", "RSTREAM needs a window")
		}
		return rel, nil
	}
	op := &model.Operator{Kind: model.EmitOp, Relation: rel.Relation}
	if s.mode != nil {
		op.Emit = *s.mode
	}
	op.Relation.Window, op.Relation.Time = nil, -1
	fields := cloneFields(rel.Schema.Fields)
	for i := range fields {
		fields[i].Role = stream.NoRole
	}
	if rel.timed {
		op.Relation.Time = len(fields)
		fields = append(fields, stream.Field{Name: "$time", Type: stream.Timestamp, NotNull: true, Hidden: true})
	}
	op.Relation.Schema = stream.NewSchema(fields...)
	return b.derive(op, rel), nil
}

// checkPartitions: the rows of [PARTITION BY k ROWS n] may be kept apart by k only if
// what is made of them is kept apart by k, too.
func (b *builder) checkPartitions(f *fromResult, g *grouping, s *selectNode, out []output) error {
	grouped := map[int]bool{}
	for _, k := range g.keys {
		if k.Kind == model.ColumnExpr {
			grouped[k.Column] = true
		}
	}
	if s.distinct && !g.used {
		for _, o := range out {
			if o.expr.Kind == model.ColumnExpr {
				grouped[o.expr.Column] = true
			}
		}
	}
	for i, l := range f.leaves {
		if l.window == nil || l.window.kind != model.PartitionRows {
			continue
		}
		for _, n := range l.window.partitionBy {
			c := l.rel.Schema.Index(n.text)
			if !f.keyed[l.offset+c] && !grouped[f.scope.tables[i].at[c]] {
				return b.fail(n.span, "group by it, join by it, or use [ROWS n]", "the partition key %q is neither in GROUP BY nor in an equality of the join", n.text)
			}
		}
	}
	return nil
}
