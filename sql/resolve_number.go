package sql

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// overNode is OVER (PARTITION BY .. ORDER BY ..).
type overNode struct {
	span      span
	partition []*expr
	order     []orderKey
}

const rowNumber = "row_number"

// over reads what stands behind ROW_NUMBER(); other functions have no OVER.
func (p *parser) over(e *expr) {
	at := p.next().span
	if e.fn != rowNumber {
		p.fail(at, "aggregate in a window instead: FROM s [ROWS n] or s [RANGE d]", "OVER windows are not supported yet")
		return
	}
	if len(e.args) > 0 || e.star || e.distinct || e.filter != nil {
		p.fail(e.span, "write ROW_NUMBER() OVER (..)", "ROW_NUMBER takes nothing")
	}
	n := &overNode{}
	p.expect("(")
	if p.acceptWords("partition") {
		p.expectWord("by")
		for p.err == nil {
			n.partition = append(n.partition, p.expression())
			if !p.accept(",") {
				break
			}
		}
	}
	if p.acceptWords("order") {
		p.expectWord("by")
		for p.err == nil {
			n.order = append(n.order, p.orderKey())
			if !p.accept(",") {
				break
			}
		}
	}
	if p.isWord("rows", "range", "groups") {
		p.fail(p.peek().span, "leave it out", "ROW_NUMBER counts all rows of a partition: it has no frame")
	}
	n.span = at.join(p.expect(")"))
	e.over, e.span = n, e.span.join(n.span)
}

// numbering is a ROW_NUMBER of a SELECT: rows of each window, in groups.
type numbering struct {
	item  item
	at    int // its place in the select list
	order *ordering
	text  string // the name of the column
}

// numbering takes the ROW_NUMBER of a select list out of it; nil if there is none.
func (b *builder) numbering(s *selectNode, items []item) (*numbering, []item, error) {
	is := func(it item) bool { return it.expr != nil && it.expr.over != nil }
	at := slices.IndexFunc(items, is)
	if at < 0 {
		return nil, items, nil
	}
	n := &numbering{item: items[at], at: at, text: rowNumber, order: &ordering{}}
	if n.item.alias != nil {
		n.text = n.item.alias.text
	}
	rest := slices.Delete(slices.Clone(items), at, at+1)
	if i := slices.IndexFunc(rest, is); i >= 0 {
		return nil, nil, b.fail(rest[i].span, "number them in a query of its own", "a SELECT has one ROW_NUMBER")
	}
	if s.distinct {
		return nil, nil, b.fail(n.item.span, "leave DISTINCT out", "rows with their numbers are different anyway")
	}
	if len(rest) == 0 {
		return nil, nil, b.fail(n.item.span, "select columns of the rows, too", "a SELECT of ROW_NUMBER alone is not supported")
	}
	over := n.item.expr.over
	for _, e := range over.partition {
		n.order.hidden = append(n.order.hidden, item{expr: e, span: e.span})
		n.order.keys = append(n.order.keys, orderKey{expr: e})
	}
	for _, k := range over.order {
		if k.expr.kind == literalExpr {
			return nil, nil, b.fail(k.expr.span, "order by a column or an expression", "a constant is no order")
		}
		n.order.hidden = append(n.order.hidden, item{expr: k.expr, span: k.expr.span})
		n.order.keys = append(n.order.keys, k)
	}
	for range n.order.keys {
		n.order.at = append(n.order.at, -1)
	}
	return n, rest, nil
}

// number adds the numbers of rows to the result of a SELECT, whose first visible columns
// are those of the select list without the number.
func (b *builder) number(rel *relation, n *numbering, visible int) (*relation, error) {
	over := n.item.expr.over
	if !rel.Windowed() && !rel.Bounded {
		return nil, b.fail(over.span, "put a window on the stream: FROM s [RANGE 60 SECONDS SLIDE 60 SECONDS], and PARTITION BY window_start, window_end", "ROW_NUMBER is per window, and over an unbounded stream without a window it would wait for ever")
	}
	s := &model.Sort{Limit: -1, Number: true}
	roles := map[stream.Role]bool{}
	for i, k := range n.order.keys {
		column := n.order.at[i]
		if i >= len(over.partition) {
			s.Keys = append(s.Keys, model.SortKey{Column: column, Descending: k.descending, NullsFirst: k.nullsFirst})
			continue
		}
		if role := rel.Schema.Fields[column].Role; rel.Windowed() && role != stream.NoRole {
			roles[role] = true
			continue
		}
		s.Keys = append(s.Keys, model.SortKey{Column: column})
		s.Groups++
	}
	if rel.Windowed() && !numberedByWindow(rel.Window.Kind, roles) {
		hint := "write PARTITION BY window_start, window_end"
		if rel.Window.Kind == model.Rows {
			hint = "write PARTITION BY window_index"
		}
		return nil, b.fail(over.span, hint, "ROW_NUMBER counts the rows of a window here, so its partition begins with the window")
	}
	op := &model.Operator{Kind: model.SortOp, Sort: s, Relation: rel.Relation}
	if rel.Window == nil && len(s.Keys) > 0 {
		op.Relation.Time = -1
	}
	fields := cloneFields(rel.Schema.Fields)
	taken := map[string]bool{}
	for _, f := range fields {
		taken[f.Name] = taken[f.Name] || !f.Hidden
	}
	fields = append(fields, stream.Field{Name: uniqueIn(taken, n.text), Type: stream.BigInt, NotNull: true})
	op.Relation.Schema = stream.NewSchema(fields...)
	numbered := b.derive(op, rel)
	if n.at == visible {
		return numbered, nil
	}
	out := make([]output, 0, visible+1)
	for i := range visible {
		f := fields[i]
		out = append(out, output{name: f.Name, expr: model.Col(i, f.Type)})
	}
	last := fields[len(fields)-1]
	return b.project(numbered, slices.Insert(out, n.at, output{name: last.Name, expr: model.Col(len(fields)-1, last.Type)})), nil
}

// numberedByWindow: the columns of the window in a partition tell its windows apart.
func numberedByWindow(kind model.WindowKind, roles map[stream.Role]bool) bool {
	start, end := roles[stream.WindowStart], roles[stream.WindowEnd] || roles[stream.WindowTime]
	switch kind {
	case model.Rows:
		return roles[stream.WindowIndex]
	case model.Range:
		return start || end
	}
	return start && end
}
