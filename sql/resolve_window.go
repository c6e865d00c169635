package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// windowFields are the columns that a window appends.
func windowFields(w *windowNode) []stream.Field {
	hidden := func(role stream.Role, t stream.Type) stream.Field {
		return stream.Field{Name: role.String(), Type: t, NotNull: true, Role: role, Hidden: true}
	}
	switch {
	case w == nil || w.kind.Instant():
		return nil
	case w.kind == model.Rows:
		return []stream.Field{hidden(stream.WindowIndex, stream.BigInt)}
	}
	t := stream.Timestamp
	if w.instants {
		t = ltz
	}
	return []stream.Field{hidden(stream.WindowStart, t), hidden(stream.WindowEnd, t), hidden(stream.WindowTime, t)}
}

// carried is the window that a relation has, as far as its columns go.
func carried(rel *relation) *windowNode {
	w := &windowNode{kind: rel.Window.Kind}
	if start := rel.Schema.RoleIndex(stream.WindowStart); start >= 0 {
		w.instants = rel.Schema.Fields[start].Type == ltz
	}
	return w
}

// withWindow returns the fields of a relation once a window is on it: the columns of
// an earlier window become ordinary ones.
func withWindow(fields []stream.Field, w *windowNode) []stream.Field {
	out := cloneFields(fields)
	if w == nil {
		return out
	}
	for i := range out {
		out[i].Role = stream.NoRole
	}
	return append(out, windowFields(w)...)
}

// checkWindow refuses a window that the relation cannot have.
func (b *builder) checkWindow(rel *relation, w *windowNode, describe string) error {
	w.instants = rel.Time >= 0 && rel.Schema.Fields[rel.Time].Type == ltz
	if w.kind.Timed() && rel.Time < 0 {
		return b.fail(w.span, "add WATERMARK FOR ts AS ts - INTERVAL '5' SECOND to its CREATE STREAM, or use [ROWS n SLIDE m]",
			"a time window needs event time, and %s has none", describe)
	}
	return nil
}

// window puts a window on a relation.
func (b *builder) window(rel *relation, w *windowNode, describe string) (*relation, error) {
	if err := b.checkWindow(rel, w, describe); err != nil {
		return nil, err
	}
	mw := &model.Window{Kind: w.kind, Size: w.size, Slide: w.slide, PartitionBy: w.columns}
	for _, n := range w.partitionBy {
		i := rel.Schema.Index(n.text)
		if i < 0 {
			t := &scopeTable{fields: rel.Schema.Fields}
			return nil, b.fail(n.span, suggest(n.text, (&scope{tables: []*scopeTable{t}}).columnNames()), "column %q does not exist in %s", n.text, describe)
		}
		mw.PartitionBy = append(mw.PartitionBy, i)
	}
	fields := withWindow(rel.Schema.Fields, w)
	time := rel.Time
	switch {
	case w.kind.Spans():
		time = len(fields) - 1
	case w.kind == model.Rows:
		time = -1
	}
	out := b.derive(&model.Operator{
		Kind: model.WindowOp, Window: mw,
		Relation: model.Relation{Schema: stream.NewSchema(fields...), Time: time, Window: mw, Bounded: rel.Bounded},
	}, rel)
	out.static, out.timed = false, rel.Time >= 0
	return out, nil
}

// checkTimeColumn checks that a window function names the event time of its relation.
func (r *resolver) checkTimeColumn(rel *model.Relation, n name, describe string) error {
	if rel.Time < 0 {
		return r.fail(n.span, "add WATERMARK FOR "+n.text+" AS "+n.text+" - INTERVAL '5' SECOND to its CREATE STREAM", "a time window needs event time, and %s has none", describe)
	}
	fields := rel.Schema.Fields
	t := &scopeTable{fields: fields}
	if found := t.find(n.text); len(found) > 0 {
		event := fields[rel.Time]
		if i := found[0]; i == rel.Time || fields[i].Role != stream.NoRole && fields[i].Role == event.Role {
			return nil
		}
		hint := "write " + event.Name
		if event.Hidden && event.Role == stream.NoRole {
			hint = "select the event-time column in the sub-query, and write that"
		}
		return r.fail(n.span, hint, "column %q is not the event time of %s", n.text, describe)
	}
	return r.fail(n.span, suggest(n.text, (&scope{tables: []*scopeTable{t}}).columnNames()), "column %q does not exist in %s", n.text, describe)
}

// groupWindow finds TUMBLE(..), HOP(..), CUMULATE(..) or SESSION(..) among the entries of GROUP BY.
func (x *exprs) groupWindow(groupBy []*expr) (w *windowNode, time *expr, rest []*expr, err error) {
	for _, e := range groupBy {
		if e.kind != callExpr || e.operator || !isGroupWindow(e.fn) {
			rest = append(rest, e)
			continue
		}
		if w != nil {
			return nil, nil, nil, x.fail(e.span, "window a sub-query", "GROUP BY has one window")
		}
		if w, time, err = x.groupWindowArguments(e, e.fn); err != nil {
			return nil, nil, nil, err
		}
	}
	return w, time, rest, nil
}

func isGroupWindow(fn string) bool {
	return fn == "tumble" || fn == "hop" || fn == "session" || fn == "cumulate"
}

// groupWindowArguments reads ([time,] size) or ([time,] slide, size).
func (x *exprs) groupWindowArguments(e *expr, kind string) (*windowNode, *expr, error) {
	w := &windowNode{span: e.span, kind: model.Range}
	intervals := 1
	if kind == "hop" || kind == "cumulate" {
		intervals = 2
	}
	args := e.args
	var time *expr
	if len(args) == intervals+1 {
		time, args = args[0], args[1:]
	}
	if len(args) != intervals {
		if len(e.args) == 0 && auxiliary[e.fn] != stream.NoRole {
			return w, nil, nil
		}
		return nil, nil, x.fail(e.span, "write "+groupWindowForms[kind], "%s has %d arguments", upper(e.fn), len(e.args))
	}
	for i, a := range args {
		if a.kind != literalExpr || a.value.Type != stream.Interval {
			return nil, nil, x.fail(a.span, "write "+groupWindowForms[kind], "expected an INTERVAL literal")
		}
		if a.value.I <= 0 {
			what := map[bool]string{true: "gap", false: "size"}[kind == "session"]
			if i < len(args)-1 {
				what = map[string]string{"hop": "slide", "cumulate": "step"}[kind]
			}
			return nil, nil, x.fail(a.span, "write at least one microsecond", "the %s of a window must be positive", what)
		}
		if a.value.I > maxWindowMicros {
			return nil, nil, x.fail(a.span, "", "a window is at most 100 years")
		}
	}
	w.slide, w.size = args[0].value.I, args[len(args)-1].value.I
	if kind == "session" {
		w.kind, w.slide = model.Session, 0
	}
	if kind == "cumulate" {
		if w.kind = model.Cumulate; w.size%w.slide != 0 {
			return nil, nil, x.fail(e.span, "write a size of so many whole steps", "the size of a CUMULATE window is a multiple of its step")
		}
	}
	return w, time, nil
}

var groupWindowForms = map[string]string{
	"tumble": "TUMBLE(ts, INTERVAL '10' SECOND)",
	"hop":    "HOP(ts, INTERVAL '1' SECOND, INTERVAL '10' SECOND)",

	"cumulate": "CUMULATE(ts, INTERVAL '1' MINUTE, INTERVAL '1' HOUR)",
	"session":  "SESSION(ts, INTERVAL '30' MINUTE)",
}

// groupedWindow puts the window of GROUP BY on what FROM gave.
func (b *builder) groupedWindow(f *fromResult, w *windowNode, time *expr) error {
	describe := f.scope.describe()
	if f.rel.Instant() {
		return b.fail(w.span, "use one of them", "a window in GROUP BY cannot stand on a per-instant window")
	}
	if err := b.checkWindow(f.rel, w, describe); err != nil {
		return err
	}
	if time != nil {
		if time.kind != nameExpr {
			return b.fail(time.span, "write the event-time column", "a window is on a column, not on an expression")
		}
		m, err := b.lookup(f.scope, time.path)
		if err != nil {
			return err
		}
		fields := f.rel.Schema.Fields
		at := m.table.at[m.field]
		if at != f.rel.Time && (fields[at].Role == stream.NoRole || fields[at].Role != fields[f.rel.Time].Role) {
			n := name{time.path[len(time.path)-1].text, time.span}
			return b.checkTimeColumn(&f.rel.Relation, n, describe)
		}
	}
	rel, err := b.window(f.rel, w, describe)
	if err != nil {
		return err
	}
	for _, t := range f.scope.tables {
		t.fields = withWindow(t.fields, &windowNode{kind: model.RowsInstant}) // clears the roles
	}
	n := f.rel.Schema.Len()
	own := &scopeTable{fields: windowFields(w)}
	for i := range own.fields {
		own.at = append(own.at, n+i)
	}
	f.scope.tables = append(f.scope.tables, own)
	f.rel = rel
	return nil
}

// groupSessions prepares SESSION(ts, gap) in GROUP BY: sessions are those of the rows
// that WHERE leaves, and of each group.
func (b *builder) groupSessions(f *fromResult, x *exprs, w *windowNode, s *selectNode, groupBy []*expr) error {
	if f.rel.Instant() {
		return nil // refused with any window
	}
	if s.sets != nil {
		return b.fail(w.span, "put the window behind the stream: FROM s [SESSION 30 MINUTES]", "SESSION in GROUP BY takes the sessions of each group, of which there are several kinds here")
	}
	f.rel, f.where = b.filter(f.rel, f.where), nil
	items, err := x.expand(s.items)
	if err != nil {
		return err
	}
	keys := *x
	keys.clause = "GROUP BY"
	for _, e := range groupBy {
		k, err := keys.key(e, items)
		if err != nil {
			return err
		}
		if k.Kind != model.ColumnExpr {
			return b.fail(e.span, "compute it in a sub-query, and group by its column", "SESSION in GROUP BY takes the sessions of each group, whose keys are columns")
		}
		w.columns = append(w.columns, k.Column)
	}
	return nil
}
