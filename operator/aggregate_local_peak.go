package operator

import (
	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Where only the greatest or least groups of a window are wanted, and by a number that
// stands in one column of the table - a count, a whole sum - the others are not even put
// out. What stands behind the aggregate (peaks) finds the same groups once more, among
// these few; it serves where the table does not.

// localPeak is where to look for the peak.
type localPeak struct {
	least bool
	count bool // else a sum
	cell  int
}

// planPeak returns nil if the peak is not by a number of the table.
func (p *localPlan) planPeak(peak *model.Peak) *localPeak {
	if peak == nil {
		return nil
	}
	for _, o := range p.out {
		if o.column == peak.Column && (o.f == model.Count || o.f == model.Sum && !o.float) {
			return &localPeak{least: peak.Func == model.Min, count: o.f == model.Count, cell: o.cell}
		}
	}
	return nil
}

// peakScratch is working memory to find the peak.
type peakScratch struct {
	bits []uint64
	sel  []int32
}

// peakValues are the numbers by position; nil if the peak is not looked for here: sums
// of nothing are NULL and stand as 0.
func (w *localWindows) peakValues() []int64 {
	p := w.plan.peak
	if p == nil || w.live() == 0 {
		return nil
	}
	c := &w.cells[p.cell]
	switch {
	case !p.count && c.n == nil:
		return c.sum[:len(w.id)]
	case !p.count:
		return nil
	case c.n != nil:
		return c.n[:len(w.id)]
	default:
		return w.rows[:len(w.id)]
	}
}

// putPeak writes the groups with the peak of values.
func (w *localWindows) putPeak(values []int64, bounds *carriedWindow) error {
	parts := [2][2]int{{0, w.gapFrom}, {w.gapTo, len(values)}}
	best, any := int64(0), false
	for _, p := range parts {
		if p[0] == p[1] {
			continue
		}
		least, greatest := vec.MinMax(values[p[0]:p[1]])
		switch {
		case !w.plan.peak.least && (!any || greatest > best):
			best = greatest
		case w.plan.peak.least && (!any || least < best):
			best = least
		}
		any = true
	}
	s := &w.peak
	for _, p := range parts {
		n := p[1] - p[0]
		s.bits, s.sel = resizeRaw(s.bits, stream.WordsFor(n)), resizeRaw(s.sel, n)
		vec.Compare(s.bits, values[p[0]:p[1]], vec.Equal, best)
		if err := w.putSelected(p[0], s.sel[:vec.IndicesOf(s.sel, s.bits)], bounds); err != nil {
			return err
		}
	}
	return nil
}

// writeSelected is write for the groups at base plus each of sel.
func (w *localWindows) writeSelected(b *stream.Batch, base int, sel []int32, bounds *carriedWindow) {
	a, at := w.a, b.Len
	n := at + len(sel)
	for j := range w.cols {
		if a.need[j] {
			w.gatherKey(&b.Cols[j], j, at, base, sel)
		}
	}
	for i := range w.plan.out {
		o := &w.plan.out[i]
		dst := &b.Cols[o.column]
		if h := w.plan.having; h != nil && h.reads[o.column] {
			gatherResult(dst, &w.having.cols[o.column], at, sel)
		} else if c := &w.cells[o.cell]; o.f == model.Count && c.n != nil {
			gatherValues(dst.I64[at:n], c.n[base:], sel)
		} else if o.f == model.Count {
			gatherValues(dst.I64[at:n], w.rows[base:], sel)
		} else {
			for k, s := range sel {
				w.result(o, dst, at+k, base+int(s), base+int(s)+1)
			}
		}
	}
	for _, e := range w.plan.edges {
		fillRun(b.Cols[e.column].I64[at:n], bounds[e.role])
	}
	b.Len = n
}

func (w *localWindows) gatherKey(dst *stream.Column, j, at, base int, sel []int32) {
	c := &w.cols[j]
	if w.plan.wide[j] {
		gatherValues(dst.I64[at:at+len(sel)], c.i64[base:], sel)
	} else {
		gatherValues(dst.I32[at:at+len(sel)], c.i32[base:], sel)
	}
	if c.null == nil {
		return
	}
	for k, s := range sel {
		if c.null[base+int(s)] != 0 {
			setNull(dst, at+k)
		}
	}
}

// peaksInTasks: what tasks put out has only the groups with the peak. That is so where
// it is a count, which is never NULL.
func (a *aggregate) peaksInTasks() bool {
	return a.local != nil && a.local.peak != nil && a.local.peak.count
}
