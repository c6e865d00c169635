package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// query resolves a query in the scope of e.
func (b *builder) query(q *query, e *env) (*relation, error) {
	names := map[string]bool{}
	for _, c := range q.with {
		if names[c.name.text] {
			return nil, b.fail(c.name.span, "", "query %q is declared twice", c.name.text)
		}
		names[c.name.text] = true
	}
	e = q.scope(e)
	rel, err := b.branches(q, e)
	if err != nil {
		return nil, err
	}
	for at, i := e, len(q.with)-1; i >= 0; at, i = at.parent, i-1 {
		t := at.tables[q.with[i].name.text]
		if !t.used {
			if _, err := newBuilder(b.resolver).common(t, t.node.name); err != nil {
				return nil, err
			}
		}
	}
	return rel, nil
}

func (b *builder) branches(q *query, e *env) (*relation, error) {
	var inputs []*relation
	var order *orderNode // of the only SELECT
	if len(q.branches) == 1 && q.branches[0].sel != nil {
		order = q.order
	}
	for _, branch := range q.branches {
		var rel *relation
		var err error
		if branch.query != nil {
			rel, err = b.query(branch.query, e)
		} else {
			rel, err = b.selectQuery(branch.sel, e, order)
		}
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, rel)
	}
	rel := inputs[0]
	if len(inputs) > 1 {
		var err error
		if rel, err = b.union(q, inputs); err != nil {
			return nil, err
		}
	}
	if order != nil {
		return rel, nil
	}
	return b.ordered(rel, q.order)
}

// union gives all branches one schema: the first one's names, the common types, the
// window if all have the same, the event time if all have one.
func (b *builder) union(q *query, inputs []*relation) (*relation, error) {
	first := inputs[0]
	visible := first.Schema.Visible()
	types := make([]stream.Type, len(visible))
	for i, rel := range inputs {
		columns := rel.Schema.Visible()
		if len(columns) != len(visible) {
			return nil, b.fail(branchSpan(q.branches[i]), "", "this SELECT has %d columns but the first one of the UNION ALL has %d", len(columns), len(visible))
		}
		for k, c := range columns {
			f := rel.Schema.Fields[c]
			t := commonType(types[k], f.Type)
			if t == stream.Invalid {
				return nil, b.fail(branchSpan(q.branches[i]), "CAST one of them", "column %d of the UNION ALL, %q, is %s here and %s before", k+1, f.Name, f.Type, types[k])
			}
			types[k] = t
		}
	}
	window, timed, bounded := first.Window, true, true
	for _, rel := range inputs {
		timed, bounded = timed && rel.Time >= 0, bounded && rel.Bounded
		if window == nil || rel.Window == nil || rel.Window.Kind != window.Kind || rel.Window.Size != window.Size || rel.Window.Slide != window.Slide {
			window = nil
		}
	}
	var aligned []*relation
	for _, rel := range inputs {
		aligned = append(aligned, b.align(rel, inputs, first, types, window, timed))
	}
	out := aligned[0].Relation
	out.Bounded, out.Window = bounded, window
	fields := cloneFields(out.Schema.Fields)
	for i := range fields {
		if window == nil {
			fields[i].Role = stream.NoRole
		}
		for _, rel := range aligned {
			fields[i].NotNull = fields[i].NotNull && rel.Schema.Fields[i].NotNull
		}
	}
	out.Schema = stream.NewSchema(fields...)
	return b.derive(&model.Operator{Kind: model.UnionOp, Relation: out}, aligned...), nil
}

func branchSpan(br *branch) span {
	if br.query != nil {
		return br.query.span
	}
	return br.sel.span
}

// align projects one branch of a union to the schema of all.
func (b *builder) align(rel *relation, all []*relation, first *relation, types []stream.Type, window *model.Window, timed bool) *relation {
	p := &model.Operator{Kind: model.ProjectOp, Relation: rel.Relation}
	var fields []stream.Field
	add := func(f stream.Field, e *model.Expr) {
		fields, p.Project = append(fields, f), append(p.Project, e)
	}
	for k, c := range rel.Schema.Visible() {
		f := rel.Schema.Fields[c]
		f.Name = first.Schema.Fields[first.Schema.Visible()[k]].Name
		if window == nil || !sameRole(all, k) {
			f.Role = stream.NoRole
		}
		e := model.Col(c, f.Type)
		if f.Type != types[k] {
			e, f.Type = model.Call("cast", types[k], e), types[k]
		}
		add(f, e)
	}
	p.Relation.Time = -1
	for _, c := range unionCarriers(all, timed) {
		at := -1
		if rel.Windowed() && c.Role != stream.NoRole {
			at = rel.Schema.RoleIndex(c.Role)
		}
		isTime := c.Role == stream.WindowTime || c.Role == stream.NoRole
		if at < 0 {
			c.Role = stream.NoRole
			if isTime && timed {
				at = rel.Time
			}
		}
		if isTime && timed {
			p.Relation.Time = len(fields)
		}
		if c.NotNull = at >= 0; c.NotNull {
			add(c, model.Col(at, c.Type))
		} else {
			add(c, model.Lit(stream.NullOf(c.Type)))
		}
	}
	p.Relation.Schema, p.Relation.Window = stream.NewSchema(fields...), rel.Window
	return b.derive(p, rel)
}

// unionCarriers are the hidden columns that all branches of a union need: those of
// every form of window among them - a branch without it fills them with NULL - and the
// event time, which is window_time where there is one.
func unionCarriers(all []*relation, timed bool) (out []stream.Field) {
	forms := map[model.WindowKind]bool{}
	for _, rel := range all {
		if !rel.Windowed() {
			continue
		}
		form := rel.Window.Kind
		if form.Spans() { // which all have the same columns
			form = model.Range
		}
		if !forms[form] {
			forms[form] = true
			out = append(out, windowFields(carried(rel))...)
		}
	}
	if timed && !forms[model.Range] {
		out = append(out, stream.Field{Name: "$time", Type: stream.Timestamp, Hidden: true})
	}
	return out
}

// sameRole: column k of every branch is the same column of the window.
func sameRole(all []*relation, k int) bool {
	role := all[0].Schema.Fields[all[0].Schema.Visible()[k]].Role
	for _, rel := range all {
		if rel.Schema.Fields[rel.Schema.Visible()[k]].Role != role {
			return false
		}
	}
	return true
}
