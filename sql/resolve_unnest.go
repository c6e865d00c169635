package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// UNNEST in FROM: a relation that every row to the left of it has of its own, the elements
// of an array. Its columns are named by the alias's list, else by the members of a ROW, else
// by the alias.

// unnest resolves UNNEST(array) behind the relations whose columns it reads.
func (f *fromResult) unnest(b *builder, ref *tableRef) (*leaf, error) {
	if len(f.leaves) == 0 {
		return nil, b.fail(ref.span, "write FROM s CROSS JOIN UNNEST(s.a) AS t (n)", "UNNEST stands behind the relation whose rows have the array")
	}
	x := &exprs{resolver: b.resolver, scope: f.scope, clause: "UNNEST"}
	array, err := x.value(ref.unnest.array)
	if err != nil {
		return nil, err
	}
	if !array.Type.IsArray() {
		hint := ""
		if array.Type == stream.Varchar {
			hint = "SPLIT(x, ',') makes an ARRAY of a text"
		}
		return nil, b.fail(ref.unnest.array.span, hint, "UNNEST needs an ARRAY, not %s", array.Type)
	}
	if ref.outer && !isTrue(ref.on) {
		return nil, b.fail(ref.on.span, "write ON TRUE, and the condition in WHERE or in the array, ARRAY_REMOVE(a, x)", "LEFT JOIN UNNEST takes no condition")
	}
	l := &leaf{ref: ref, array: array, outer: ref.outer, describe: "the elements"}
	if ref.alias != nil {
		l.alias = ref.alias.text
	}
	if l.fields, err = elementFields(b, ref, array.Type.Element()); err != nil {
		return nil, err
	}
	l.rel = &relation{Relation: model.Relation{Schema: stream.NewSchema(l.fields...), Time: -1, Bounded: true}, static: true}
	return l, nil
}

func isTrue(e *expr) bool {
	return e != nil && e.kind == literalExpr && e.value.Type == stream.Boolean && !e.value.Null && e.value.I != 0
}

// elementFields are the columns of an UNNEST.
func elementFields(b *builder, ref *tableRef, element stream.Type) ([]stream.Field, error) {
	var fields []stream.Field
	for _, m := range element.Members() {
		fields = append(fields, stream.Field{Name: m.Name, Type: m.Type})
	}
	if fields == nil {
		fields = []stream.Field{{Name: "unnest", Type: element}}
		if ref.alias != nil {
			fields[0].Name = ref.alias.text
		}
	}
	if ref.unnest.ordinality {
		fields = append(fields, stream.Field{Name: "ordinality", Type: stream.Integer, NotNull: !ref.outer})
	}
	names := ref.unnest.columns
	if len(names) == 0 {
		return fields, nil
	}
	if len(names) != len(fields) {
		s := map[bool]string{true: "s"}[len(fields) > 1]
		return nil, b.fail(names[0].span.join(names[len(names)-1].span), "", "UNNEST has %d column%s here, and there are %d names", len(fields), s, len(names))
	}
	for i, n := range names {
		for _, f := range fields[:i] {
			if f.Name == n.text {
				return nil, b.fail(n.span, "", "the column %q is there twice", n.text)
			}
		}
		fields[i].Name = n.text
	}
	return fields, nil
}

// unnest takes apart the array of every row joined so far.
func (j *joiner) unnest(number int, l *leaf) error {
	first := j.f.leaves[0]
	if w := first.window; w != nil && (w.kind.Instant() || w.kind == model.Rows || w.kind == model.Session) {
		form := map[bool]string{true: "per-instant"}[w.kind.Instant()]
		switch w.kind {
		case model.Rows:
			form = "ROWS"
		case model.Session:
			form = "SESSION"
		}
		return j.fail(w.span, "take it apart in a sub-query and window that: (SELECT .. FROM s CROSS JOIN UNNEST(s.a) AS t (n)) AS x [..]", "UNNEST of a %s window is not supported yet", form)
	}
	n := j.acc.Schema.Len()
	rel := j.acc.Relation
	rel.Schema = stream.NewSchema(append(cloneFields(j.acc.Schema.Fields), l.fields...)...)
	op := &model.Operator{Kind: model.UnnestOp, Unnest: &model.Unnest{Array: j.remap(l.array), Ordinality: l.ref.unnest.ordinality, Outer: l.outer}, Relation: rel}
	for i := range l.fields {
		j.at[l.offset+i] = n + i
	}
	j.acc = j.derive(op, j.acc)
	return nil
}
