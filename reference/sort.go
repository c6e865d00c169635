package reference

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// sort orders the rows of each window and puts out some of them.
func (r *run) sort(op *model.Operator, in *relation) *relation {
	out := &relation{kind: in.kind, time: op.Relation.Time}
	each := func(yield func(window) bool) {
		for w := range in.windows() {
			if r.ctx.Err() != nil || !yield(window{w.span, sortRows(op.Sort, w.rows)}) {
				return
			}
		}
	}
	if in.kind != model.NoWindow {
		out.each = each
		return out
	}
	for w := range each {
		out.rows = w.rows
	}
	return out
}

func sortRows(s *model.Sort, rows []entry) []entry {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b entry) int {
		for _, k := range s.Keys {
			if c := compareKey(k, a.row, b.row); c != 0 {
				return c
			}
		}
		return 0
	})
	out, number := rows[:0:0], int64(0)
	for i, e := range rows {
		number++
		if i > 0 && !sameGroup(s.Keys[:s.Groups], rows[i-1].row, e.row) {
			number = 1
		}
		if number <= s.Offset || s.Limited() && number-s.Offset > s.Limit {
			continue
		}
		e.position = len(out)
		if s.Number {
			e.row = append(slices.Clone(e.row), stream.Value{Type: stream.BigInt, I: number})
		}
		out = append(out, e)
	}
	return out
}

func sameGroup(keys []model.SortKey, a, b Row) bool {
	for _, k := range keys {
		if compareKey(k, a, b) != 0 {
			return false
		}
	}
	return true
}

// compareKey orders two rows by one key.
func compareKey(k model.SortKey, a, b Row) int {
	x, y := a[k.Column], b[k.Column]
	first := 1
	if k.NullsFirst {
		first = -1
	}
	switch {
	case x.Null && y.Null:
		return 0
	case x.Null:
		return first
	case y.Null:
		return -first
	}
	if k.Descending {
		x, y = y, x
	}
	return compare(x, y)
}
