package reference

import (
	"fmt"
	"math"
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
	case op.Window.Kind == model.Session && time >= 0:
		return sessions(op, rows, time), nil
	case op.Window.Kind == model.Rows:
		out.spans = rowSpans(op.Window, len(rows))
	case op.Window.Kind.Spans() && time >= 0:
		out.spans = timeSpans(op.Window, rows, time)
	default:
		return nil, fmt.Errorf("operator %s: a %v window cannot stand here", op.Name, op.Window.Kind)
	}
	out.markFresh(op.Window)
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

// markFresh marks every window whose number is a multiple of the slides in a size.
func (rel *relation) markFresh(w *model.Window) {
	slides := w.Size / w.Slide
	if w.Size%w.Slide != 0 {
		slides++
	}
	for i := range rel.spans {
		rel.spans[i].fresh = rel.spans[i].number%slides == 0
	}
}

// rowSpans are the windows [k*slide, k*slide+size) of positions that are full.
func rowSpans(w *model.Window, rows int) []span {
	var out []span
	from, last := int64(0), int64(rows)-w.Size // of the first row of a window that is full
	for k := int64(0); from <= last; k++ {
		out = append(out, span{number: k, from: int(from), to: int(from + w.Size)})
		if w.Slide > last-from {
			break
		}
		from += w.Slide
	}
	return out
}

// timeSpans are the windows [k*slide, k*slide+size) of event time, or those of CUMULATE,
// that hold a row. They are found from the rows, so a gap in time costs nothing: a row at
// t is in the windows with t-size < k*slide <= t. Borders past the ends of time are shown as the
// ends.
func timeSpans(w *model.Window, rows []Row, time int) []span {
	size, slide := big.NewInt(w.Size), big.NewInt(w.Slide)
	from := func(t *big.Int) int {
		return sort.Search(len(rows), func(i int) bool { return bigOf(rows[i][time]).Cmp(t) >= 0 })
	}
	var out []span
	for _, row := range rows {
		t := bigOf(row[time])
		first, last := windowsOf(w.Kind, t, size, slide)
		if n := len(out); n > 0 && first.Cmp(big.NewInt(out[n-1].number)) <= 0 {
			first.SetInt64(out[n-1].number + 1)
		}
		for ; first.Cmp(last) <= 0; first.Add(first, big.NewInt(1)) {
			start, end := borders(w.Kind, first, size, slide)
			out = append(out, span{number: first.Int64(), start: clamp(start), end: clamp(end), from: from(start), to: from(end)})
		}
	}
	return out
}

// windowsOf are the numbers of the first and last windows that hold a time. Div rounds
// down, sizes and slides being positive.
func windowsOf(kind model.WindowKind, t, size, slide *big.Int) (first, last *big.Int) {
	if kind == model.Cumulate {
		max := new(big.Int).Div(t, size)
		behind := max.Add(max, big.NewInt(1)).Mul(max, size)
		last = behind.Div(behind, slide)
		return new(big.Int).Div(t, slide), last.Sub(last, big.NewInt(1))
	}
	first = new(big.Int).Sub(t, size)
	first.Div(first, slide).Add(first, big.NewInt(1))
	return first, new(big.Int).Div(t, slide)
}

// borders are where window number k begins and ends. Cumulating windows are numbered by
// their ends and begin at a multiple of the size.
func borders(kind model.WindowKind, k, size, slide *big.Int) (start, end *big.Int) {
	if kind == model.Cumulate {
		start = new(big.Int).Mul(k, slide)
		end = new(big.Int).Add(start, slide)
		return start.Div(start, size).Mul(start, size), end
	}
	start = new(big.Int).Mul(k, slide)
	return start, new(big.Int).Add(start, size)
}

// clamp is x, or the end of the range of BIGINT that x is beyond.
func clamp(x *big.Int) int64 {
	switch {
	case x.IsInt64():
		return x.Int64()
	case x.Sign() < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}
