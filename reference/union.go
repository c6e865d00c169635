package reference

import (
	"cmp"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// union merges its inputs' rows by (event time, input, position), without event time
// alternating by position. Rows of session windows come by window_start, too, before the
// input: such windows may end together. If the result carries a window, its windows are the runs of
// rows with equal window columns.
func (r *run) union(op *model.Operator, inputs []*relation) *relation {
	lists := make([][]Row, len(inputs))
	for i, in := range inputs {
		lists[i] = in.flat()
	}
	time := op.Relation.Time
	rows := alternate(lists)
	if time >= 0 {
		rows = slices.Concat(lists...)
		start := op.MergesByStart()
		slices.SortStableFunc(rows, func(a, b Row) int {
			if c := cmp.Compare(a[time].I, b[time].I); c != 0 || start < 0 {
				return c
			}
			return cmp.Compare(a[start].I, b[start].I)
		})
	}
	out := plain(time, rows)
	if op.Relation.Windowed() {
		out.kind, out.spans = op.Relation.Window.Kind, runs(op.Relation.Schema, rows)
		return &relation{kind: out.kind, time: time, each: out.windows()}
	}
	return out
}

// runs finds the windows of rows that have them in their columns.
func runs(schema *stream.Schema, rows []Row) []span {
	start, end := schema.RoleIndex(stream.WindowStart), schema.RoleIndex(stream.WindowEnd)
	index := schema.RoleIndex(stream.WindowIndex)
	var out []span
	for i, row := range rows {
		s := span{from: i, to: i + 1}
		if index >= 0 {
			s.number = row[index].I
		}
		if start >= 0 {
			s.start = row[start].I
		}
		if end >= 0 {
			s.end = row[end].I
		}
		if n := len(out); n > 0 && out[n-1].number == s.number && out[n-1].start == s.start && out[n-1].end == s.end {
			out[n-1].to = s.to
		} else {
			out = append(out, s)
		}
	}
	return out
}
