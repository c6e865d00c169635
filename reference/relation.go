package reference

import (
	"iter"
	"slices"
	"sort"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// entry is a row with its position in the stream it belongs to: for rows under a
// window, in the stream that was windowed, so that the same row in two windows has the
// same position.
type entry struct {
	position int
	row      Row
}

// span is a window: its number (k of [k*slide, k*slide+size), or the index of a ROWS
// window), its borders if it is one of time, and the positions [from, to) of the rows
// that it covered before any filter.
type span struct {
	number     int64
	fresh      bool // its number is a multiple of size/slide, rounded up: the order of groups begins anew
	start, end int64
	from, to   int
}

// window is a span with the rows left in it, in order. A relation without windows is
// one window of all its rows.
type window struct {
	span
	rows []entry
}

// relation is what an edge carries. It has one of two forms.
//
// Together: rows holds every row once, and for a windowed relation spans says which
// windows there are. Whatever is computed from a row is computed once per row, whether
// the row is in many windows or in none. The columns that stand for the window
// (windowColumns) are NULL in rows and are filled by windows().
//
// Spread: each row once per window, made anew by every call of each.
//
// The rows of a window come together and are spread by the first operator that needs
// them so: one that decides or computes by the window's columns, that shows, looks up
// or unites rows, or that shares them or its error rows with other readers. An aggregate or join takes
// them together if all operators from the window to it leave them so.
type relation struct {
	kind model.WindowKind // NoWindow or one that closes
	time int              // event-time column or -1

	rows          []entry
	spans         []span
	windowColumns map[int]stream.Role
	dependent     map[int]bool // columns whose values depend on the window; those above included

	each iter.Seq[window]
}

// plain returns a relation without windows.
func plain(time int, rows []Row) *relation {
	rel := &relation{time: time, rows: make([]entry, len(rows))}
	for i, row := range rows {
		rel.rows[i] = entry{i, row}
	}
	return rel
}

// windows returns the windows in order with their rows in order, window columns filled.
// Windows that have lost all rows to filters are among them.
func (rel *relation) windows() iter.Seq[window] {
	if rel.each != nil {
		return rel.each
	}
	return func(yield func(window) bool) {
		if rel.kind == model.NoWindow {
			yield(window{rows: rel.rows})
			return
		}
		for _, s := range rel.spans {
			if !yield(window{s, rel.rowsOf(s)}) {
				return
			}
		}
	}
}

func (rel *relation) rowsOf(s span) []entry {
	from := sort.Search(len(rel.rows), func(i int) bool { return rel.rows[i].position >= s.from })
	to := sort.Search(len(rel.rows), func(i int) bool { return rel.rows[i].position >= s.to })
	rows := rel.rows[from:to]
	if len(rel.windowColumns) == 0 {
		return rows
	}
	filled := make([]entry, len(rows))
	for i, e := range rows {
		row := append(Row(nil), e.row...)
		for c, role := range rel.windowColumns {
			row[c] = s.column(role)
		}
		filled[i] = entry{e.position, row}
	}
	return filled
}

// column returns the value of a window column.
func (s span) column(role stream.Role) stream.Value {
	switch role {
	case stream.WindowStart:
		return stream.Time(s.start)
	case stream.WindowEnd:
		return stream.Time(s.end)
	case stream.WindowTime:
		return stream.Time(s.end - 1)
	default:
		return stream.Big(s.number)
	}
}

// columnsOf returns the hidden columns that a window of this kind appends, in order.
func columnsOf(kind model.WindowKind) []stream.Role {
	switch {
	case kind.Spans():
		return []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime}
	case kind == model.Rows:
		return []stream.Role{stream.WindowIndex}
	default:
		return nil
	}
}

// flat returns the rows of all windows one after another.
func (rel *relation) flat() []Row {
	var rows []Row
	for w := range rel.windows() {
		for _, e := range w.rows {
			rows = append(rows, e.row)
		}
	}
	return rows
}

// together reports whether an operator takes the rows of an input once each: those
// without windows; those under a window that it or an operator behind it is fused with;
// and, to hand them on, those that a filter or projection does not spread itself.
func (r *run) together(op *model.Operator, input int, in *relation) bool {
	if in.kind == model.NoWindow {
		return true
	}
	e := op.Inputs[input]
	alone := r.alone(e)
	if r.model.Ops[e.Op].Kind != model.WindowOp && !alone {
		return false
	}
	if r.fused(model.Reader{Op: op, Input: input}, in.dependent) {
		return true
	}
	switch op.Kind {
	case model.FilterOp:
		return alone && !readsAny(in.dependent, 0, op.Filter)
	case model.ProjectOp:
		computed := slices.DeleteFunc(slices.Clone(op.Project), func(e *model.Expr) bool { return e.Kind == model.ColumnExpr })
		return alone && !readsAny(in.dependent, 0, computed)
	}
	return false
}

// fused reports whether a window leads through its reader to an aggregate or join
// without being spread. dependent are the columns of the reader's input that depend on
// the window. Columns computed from it without failing may pass, if nobody reads them.
func (r *run) fused(reader model.Reader, dependent map[int]bool) bool {
	op := reader.Op
	switch op.Kind {
	case model.AggregateOp:
		return !readsAny(dependent, 0, expressions(op.Aggregate))
	case model.JoinOp:
		return r.joinKeepsTogether(op, reader.Input, dependent)
	case model.FilterOp:
		if readsAny(dependent, 0, op.Filter) {
			return false
		}
	case model.ProjectOp:
		if readsAny(dependent, 0, fallible(op.Project)) {
			return false
		}
		dependent = projected(op, dependent)
	default:
		return false
	}
	out := model.Edge{Op: op.ID, Port: model.Out}
	return r.alone(out) && r.fused(r.model.Consumers()[out][0], dependent)
}

// alone reports whether an operator's output has one reader and its error rows none.
func (r *run) alone(out model.Edge) bool {
	readers := r.model.Consumers()
	return len(readers[out]) == 1 && len(readers[model.Edge{Op: out.Op, Port: model.Errors}]) == 0
}

// joinKeepsTogether: a join passes its inputs' columns on, so that there must be no
// computed one among those that depend on the window.
func (r *run) joinKeepsTogether(op *model.Operator, input int, dependent map[int]bool) bool {
	keys, offset := op.Join.LeftKeys, 0
	if input == 1 {
		keys, offset = op.Join.RightKeys, r.model.Schema(op.Inputs[0]).Len()
	}
	for c := range dependent {
		if r.model.Schema(op.Inputs[input]).Fields[c].Role == stream.NoRole {
			return false
		}
	}
	return !readsAny(dependent, 0, keys) && !readsAny(dependent, offset, op.Join.On)
}

// projected are the columns of a projection that depend on the window.
func projected(op *model.Operator, dependent map[int]bool) map[int]bool {
	out := map[int]bool{}
	for i, e := range op.Project {
		if readsAny(dependent, 0, []*model.Expr{e}) {
			out[i] = true
		}
	}
	return out
}

// readsAny reports whether one of the expressions reads one of the columns, which they
// know by a number greater by offset.
func readsAny(columns map[int]bool, offset int, exprs []*model.Expr) bool {
	found := false
	for _, e := range exprs {
		e.Columns(func(c int) { found = found || columns[c-offset] })
	}
	return found
}
