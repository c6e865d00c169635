package reference

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// sessions are the windows of [SESSION d]: of each partition the rows between two
// silences of d. Sessions of several partitions with equal borders are one window. Every
// row is in one window, and they are put out row by row.
func sessions(op *model.Operator, rows []Row, time int) *relation {
	gap := big.NewInt(op.Window.Size)
	type session struct {
		start, end *big.Int
		rows       []entry
	}
	var all []*session
	open := map[string]*session{}
	for i, row := range rows {
		var partition Row
		for _, c := range op.Window.PartitionBy {
			partition = append(partition, row[c])
		}
		key, t := groupKey(partition), bigOf(row[time])
		s := open[key]
		if s == nil || t.Cmp(s.end) >= 0 {
			s = &session{start: t}
			open[key], all = s, append(all, s)
		}
		s.end = new(big.Int).Add(t, gap)
		s.rows = append(s.rows, entry{i, row})
	}
	slices.SortStableFunc(all, func(a, b *session) int { return cmp.Or(a.end.Cmp(b.end), a.start.Cmp(b.start)) })
	var windows []window
	for _, s := range all {
		w := span{start: clamp(s.start), end: clamp(s.end)}
		if n := len(windows); n > 0 && windows[n-1].start == w.start && windows[n-1].end == w.end {
			windows[n-1].rows = append(windows[n-1].rows, s.rows...)
			continue
		}
		windows = append(windows, window{w, s.rows})
	}
	for _, w := range windows {
		slices.SortFunc(w.rows, func(a, b entry) int { return cmp.Compare(a.position, b.position) })
		for i, e := range w.rows {
			w.rows[i].row = append(append(Row(nil), e.row...), stream.Time(w.start), stream.Time(w.end), stream.Time(w.end-1))
		}
	}
	return &relation{kind: model.Session, time: op.Relation.Time, each: func(yield func(window) bool) {
		for _, w := range windows {
			if !yield(w) {
				return
			}
		}
	}}
}
