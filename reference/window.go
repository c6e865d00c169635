package reference

import (
	"fmt"
	"math/big"
	"sort"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// window puts a window on a relation, whose own windows, if any, are forgotten (their
// columns stay).
func (r *run) window(op *model.Operator, in *relation) (*relation, error) {
	time := r.model.EdgeRelation(op.Inputs[0]).Time
	rows := in.flat()
	out := plain(op.Relation.Time, rows)
	out.kind = op.Window.Kind
	switch {
	case op.Window.Kind == model.Rows:
		out.spans = rowSpans(op.Window, len(rows))
	case op.Window.Kind == model.Range && time >= 0:
		out.spans = timeSpans(op.Window, rows, time)
	default:
		return nil, fmt.Errorf("operator %s: a %v window cannot stand here", op.Name, op.Window.Kind)
	}
	fields := r.model.Schema(op.Inputs[0]).Len()
	out.windowColumns = map[int]stream.Role{}
	out.dependent = map[int]bool{}
	for i, role := range columnsOf(op.Window.Kind) {
		out.windowColumns[fields+i], out.dependent[fields+i] = role, true
	}
	for i, e := range out.rows {
		wide := append(make(Row, 0, fields+len(out.windowColumns)), e.row...)
		for _, role := range columnsOf(op.Window.Kind) {
			wide = append(wide, stream.NullOf(span{}.column(role).Type))
		}
		out.rows[i].row = wide
	}
	return out, nil
}

// rowSpans are the windows [k*slide, k*slide+size) of positions that are full.
func rowSpans(w *model.Window, rows int) []span {
	var out []span
	for k := int64(0); k*w.Slide+w.Size <= int64(rows); k++ {
		out = append(out, span{number: k, from: int(k * w.Slide), to: int(k*w.Slide + w.Size)})
	}
	return out
}

// timeSpans are the windows [k*slide, k*slide+size) of event time that hold a row.
// They are found from the rows, so a gap in time costs nothing: a row at t is in the
// windows with t-size < k*slide <= t.
func timeSpans(w *model.Window, rows []Row, time int) []span {
	at := func(i int) int64 { return rows[i][time].I }
	from := func(t int64) int { return sort.Search(len(rows), func(i int) bool { return at(i) >= t }) }
	var out []span
	for i := range rows {
		first, last := floorDiv(at(i)-w.Size, w.Slide)+1, floorDiv(at(i), w.Slide)
		if n := len(out); n > 0 {
			first = max(first, out[n-1].number+1)
		}
		for k := first; k <= last; k++ {
			start, end := k*w.Slide, k*w.Slide+w.Size
			out = append(out, span{number: k, start: start, end: end, from: from(start), to: from(end)})
		}
	}
	return out
}

// floorDiv is a/b rounded down, b > 0.
func floorDiv(a, b int64) int64 {
	q := new(big.Int).Div(big.NewInt(a), big.NewInt(b)) // Euclidean: rounds down for b > 0
	return q.Int64()
}
