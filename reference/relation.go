package reference

import (
	"iter"
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
// Not spread: rows holds every row once, and for a windowed relation spans says which
// windows there are. Whatever is computed from a row alone is computed once per row,
// whether the row is in many windows or in none. The columns that stand for the window
// (windowColumns) are NULL in rows and are filled by windows().
//
// Spread: each row once per window, made anew by every call of each. That is so once
// something was computed from window columns, and behind aggregates and joins.
type relation struct {
	kind model.WindowKind // NoWindow, Rows or Range
	time int              // event-time column or -1

	rows          []entry
	spans         []span
	windowColumns map[int]stream.Role

	each iter.Seq[window]

	// residence says that the rows of a window are those of the windowed stream that are
	// in it, so that neighbouring windows share rows (aggregate.go: order of groups). It
	// ends at aggregates, joins and unions, and where the window's columns decide which
	// rows are left. dependent are the columns whose values depend on the window.
	residence bool
	dependent map[int]bool
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
	switch kind {
	case model.Range:
		return []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime}
	case model.Rows:
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

// reads reports whether one of the expressions reads a column that stands for the
// window of a relation that is not spread.
func (rel *relation) reads(exprs []*model.Expr) bool {
	return readsAny(exprs, func(c int) bool { _, ok := rel.windowColumns[c]; return ok })
}

// depends reports whether what the expressions give depends on the window.
func (rel *relation) depends(exprs ...*model.Expr) bool {
	return readsAny(exprs, func(c int) bool { return rel.dependent[c] })
}

func readsAny(exprs []*model.Expr, column func(c int) bool) bool {
	found := false
	for _, e := range exprs {
		e.Columns(func(c int) { found = found || column(c) })
	}
	return found
}
