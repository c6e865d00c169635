package reference

import (
	"cmp"
	"iter"

	"github.com/millrace/millrace/model"
)

// join pairs the windows of two relations by their end, ROWS windows by their index,
// and joins the rows of each pair of windows. Rows are in order of the left row, then
// of the right. The result has the left window. Of an outer join a left row without partner
// stands at its own place; its window need not have one on the right.
func (r *run) join(op *model.Operator, left, right *relation) *relation {
	ls := r.eachRow(op, 0, leftPart, left, r.leftKeyStep(op))
	rs := r.eachRow(op, 1, rightPart, right, keyStep(r.model.Schema(op.Inputs[1]), op.Join.RightKeys))
	schema := r.pairSchema(op)
	each := func(yield func(window) bool) {
		l := &log{op: op}
		next, stop := iter.Pull(rs.windows())
		defer stop()
		w, more := next()
		for v := range ls.windows() {
			for more && pairOrder(left.kind, w.span, v.span) < 0 {
				w, more = next()
			}
			partners := w.rows
			if !more || pairOrder(left.kind, w.span, v.span) > 0 {
				if !op.Join.Outer {
					continue
				}
				partners = nil
			}
			byKey := map[string][]Row{}
			for _, e := range partners {
				row, key := splitKey(e.row)
				byKey[key] = append(byKey[key], row)
			}
			joined := window{span: v.span}
			for _, e := range v.rows {
				for _, pair := range matchAll(l, op, schema, e.row, byKey) {
					joined.rows = append(joined.rows, entry{len(joined.rows), pair})
				}
			}
			if r.ctx.Err() != nil || !yield(joined) {
				return
			}
		}
		for more { // so that every row on the right has been computed
			_, more = next()
		}
		r.keep(pairPart, l)
	}
	return &relation{kind: left.kind, time: op.Relation.Time, each: each}
}

// pairOrder is 0 for windows that pair.
func pairOrder(kind model.WindowKind, a, b span) int {
	if kind == model.Rows {
		return cmp.Compare(a.number, b.number)
	}
	return cmp.Compare(a.end, b.end)
}
