package sql

import (
	"fmt"

	"github.com/millrace/millrace/model"
)

// ordering resolves the keys of ORDER BY: an ordinal or the name of a column of the
// SELECT, or else an expression over what the SELECT reads, which becomes a hidden
// column.
type ordering struct {
	keys   []orderKey
	at     []int  // by key: position in the select list; -1: a hidden column
	hidden []item // of the keys that are no column of the SELECT
}

func (b *builder) ordering(o *orderNode, items []item) (*ordering, error) {
	out := &ordering{}
	if o == nil {
		return out, nil
	}
	for _, k := range o.keys {
		at, err := b.orderColumn(k.expr, items)
		if err != nil {
			return nil, err
		}
		if at < 0 {
			out.hidden = append(out.hidden, item{expr: k.expr, span: k.expr.span})
		}
		out.keys, out.at = append(out.keys, k), append(out.at, at)
	}
	return out, nil
}

// orderColumn is the position of the select list that a key stands for, or -1.
func (b *builder) orderColumn(e *expr, items []item) (int, error) {
	if e.kind == literalExpr {
		switch {
		case !e.value.Type.IsInteger():
			return 0, b.fail(e.span, "order by a column or an expression", "a constant is no order")
		case e.value.I < 1 || e.value.I > int64(len(items)):
			return 0, b.fail(e.span, "", "ORDER BY %d: the SELECT has %d columns", e.value.I, len(items))
		}
		return int(e.value.I) - 1, nil
	}
	if e.kind != nameExpr || len(e.path) != 1 {
		return -1, nil
	}
	found := -1
	for i, it := range items {
		n := ""
		if it.alias != nil {
			n = it.alias.text
		} else if it.expr != nil {
			n = naturalName(it.expr)
		}
		if n != e.path[0].text {
			continue
		}
		if found >= 0 {
			return 0, b.fail(e.span, fmt.Sprintf("write %d or %d, or give them names with AS", found+1, i+1), "%q is the name of two columns of the SELECT", n)
		}
		found = i
	}
	return found, nil
}

// settle finds the hidden columns that are columns of the SELECT too, by their
// expressions, takes them out, and names the others.
func (o *ordering) settle(visible, hidden []output) []output {
	var left []output
	next := 0
	for i, at := range o.at {
		if at >= 0 {
			continue
		}
		h := hidden[next]
		next++
		all := append(append([]output(nil), visible...), left...)
		for n, v := range all {
			if v.expr.Equal(h.expr) {
				o.at[i] = n
				break
			}
		}
		if o.at[i] < 0 {
			o.at[i] = len(all)
			h.name, h.hidden = fmt.Sprintf("$order%d", len(left)+1), true
			left = append(left, h)
		}
	}
	return left
}

// sort adds the order of a query to its result; columns are where the result has the
// columns of the select list and those behind it.
func (b *builder) sort(rel *relation, o *orderNode, keys *ordering, columns []int) (*relation, error) {
	if o == nil {
		return rel, nil
	}
	if !rel.Windowed() && !rel.Bounded {
		hint := "put a window on the stream: FROM s [RANGE 60 SECONDS SLIDE 60 SECONDS]"
		if rel.Time < 0 {
			hint = "put a window on the stream: FROM s [ROWS n SLIDE n]"
		}
		return nil, b.fail(o.span, hint, "%s is per window, and over an unbounded stream without a window it would wait for ever", o.word)
	}
	s := &model.Sort{Offset: o.offset, Limit: o.limit}
	for i, k := range keys.keys {
		if err := b.comparable(k.expr.span, rel.Schema.Fields[columns[keys.at[i]]].Type); err != nil {
			return nil, err
		}
		s.Keys = append(s.Keys, model.SortKey{Column: columns[keys.at[i]], Descending: k.descending, NullsFirst: k.nullsFirst})
	}
	op := &model.Operator{Kind: model.SortOp, Sort: s, Relation: rel.Relation}
	if rel.Window == nil && len(s.Keys) > 0 {
		op.Relation.Time = -1
	}
	return b.derive(op, rel), nil
}

// ordered is ORDER BY behind a UNION ALL or a query in parentheses: it sees the columns
// of the result only.
func (b *builder) ordered(rel *relation, o *orderNode) (*relation, error) {
	if o == nil {
		return rel, nil
	}
	t := &scopeTable{fields: rel.Schema.Fields}
	for i := range t.fields {
		t.at = append(t.at, i)
	}
	var items []item
	var out []output
	for _, c := range rel.Schema.Visible() {
		f := rel.Schema.Fields[c]
		items = append(items, item{alias: &name{text: f.Name}, column: model.Col(c, f.Type)})
		out = append(out, output{name: f.Name, expr: model.Col(c, f.Type)})
	}
	keys, err := b.ordering(o, items)
	if err != nil {
		return nil, err
	}
	x := &exprs{resolver: b.resolver, scope: &scope{tables: []*scopeTable{t}}, clause: "ORDER BY", spans: map[*model.Expr]span{}}
	var hidden []output
	for _, it := range keys.hidden {
		e, err := x.item(it)
		if err != nil {
			return nil, err
		}
		hidden = append(hidden, output{expr: e, at: it.span})
	}
	if more := keys.settle(out, hidden); len(more) > 0 {
		return b.sort(b.project(rel, append(out, more...)), o, keys, numbers(len(out)+len(more)))
	}
	return b.sort(rel, o, keys, rel.Schema.Visible())
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// checkHiddenOrder refuses to order by what is not in the result where the result is
// made of whole rows.
func (b *builder) checkHiddenOrder(rel *relation, s *selectNode, at span) error {
	switch {
	case s.distinct:
		return b.fail(at, "add it to the SELECT", "with DISTINCT, ORDER BY takes columns of the SELECT")
	case rel.Instant():
		return b.fail(at, "add it to the SELECT", "with per-instant windows, ORDER BY takes columns of the SELECT")
	}
	return nil
}
