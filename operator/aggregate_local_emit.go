package operator

import (
	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// putOut writes the groups of window next, which ends at due, column by column.
func (w *localWindows) putOut() error {
	bounds := carriedWindow{stream.WindowIndex: w.next}
	if w.a.form == rangePanes {
		bounds = carriedWindow{stream.WindowStart: w.due - w.a.grid.Size, stream.WindowEnd: w.due, stream.WindowTime: w.due - 1}
	}
	if w.lanes.on {
		return w.putLanes(&bounds)
	}
	if values := w.peakValues(); values != nil {
		return w.putPeak(values, &bounds)
	}
	if w.plan.having != nil {
		return w.putHaving(&bounds)
	}
	n := w.live()
	for at := 0; at < n; {
		b, err := w.page()
		if err != nil {
			return err
		}
		from, to := w.physical(at, min(OutputRows-b.Len, n-at))
		w.write(b, from, to, &bounds)
		at += to - from
	}
	return nil
}

// page returns the batch that takes the next rows: it has room, and its columns have
// their full length until flush.
func (w *localWindows) page() (*stream.Batch, error) {
	if w.out.open != nil && w.out.open.Len == OutputRows {
		if err := w.flush(); err != nil {
			return nil, err
		}
	}
	if w.out.open == nil {
		b := w.out.batch()
		for i := range b.Cols {
			if w.a.need[i] {
				room(&b.Cols[i], OutputRows)
			}
		}
	}
	return w.out.open, nil
}

// physical returns the positions of at most n groups from the at-th on: those up to the
// gap, or behind it.
func (w *localWindows) physical(at, n int) (from, to int) {
	if at < w.gapFrom {
		return at, min(at+n, w.gapFrom)
	}
	at += w.gapTo - w.gapFrom
	return at, at + n
}

// flush hands on what was written.
func (w *localWindows) flush() error {
	if b := w.out.open; b != nil {
		for i := range b.Cols {
			if w.a.need[i] {
				c := &b.Cols[i]
				c.I32, c.I64, c.F64 = c.I32[:min(len(c.I32), b.Len)], c.I64[:min(len(c.I64), b.Len)], c.F64[:min(len(c.F64), b.Len)]
			}
		}
	}
	if b := w.out.take(); b != nil {
		return w.emit(b)
	}
	return nil
}

func (w *localWindows) write(b *stream.Batch, from, to int, bounds *carriedWindow) {
	a, at := w.a, b.Len
	n := at + to - from
	for j := range w.cols {
		if a.need[j] {
			w.writeKey(&b.Cols[j], j, at, from, to)
		}
	}
	for i := range w.plan.out {
		o := &w.plan.out[i]
		w.result(o, &b.Cols[o.column], at, from, to)
	}
	for _, e := range w.plan.edges {
		fillRun(b.Cols[e.column].I64[at:n], bounds[e.role])
	}
	b.Len = n
}

// shortRun is the length of runs that are copied by a loop: a call costs more.
const shortRun = 8

func copyRun[T any](dst, src []T) {
	if len(src) > shortRun {
		copy(dst, src)
		return
	}
	dst = dst[:len(src)]
	for i, v := range src { //nolint:staticcheck // copy is a call, which costs more than a few values
		dst[i] = v
	}
}

func (w *localWindows) writeKey(dst *stream.Column, j, at, from, to int) {
	c := &w.cols[j]
	if w.plan.wide[j] {
		copyRun(dst.I64[at:], c.i64[from:to])
	} else {
		copyRun(dst.I32[at:], c.i32[from:to])
	}
	if c.null == nil {
		return
	}
	for i, null := range c.null[from:to] {
		if null != 0 {
			setNull(dst, at+i)
		}
	}
}

// result writes an aggregate of the groups at positions [from, to).
func (w *localWindows) result(o *localOut, dst *stream.Column, at, from, to int) {
	c := &w.cells[o.cell]
	n := w.rows[from:to]
	if c.n != nil {
		n = c.n[from:to]
	}
	if o.f == model.Count {
		copyRun(dst.I64[at:], n)
		return
	}
	sum := c.sum[from:to]
	switch out := dst.F64; {
	case o.float && len(sum) <= shortRun || o.f == model.Avg && len(sum) <= shortRun:
		o.short(out[at:at+len(sum)], sum, n, pow2(-c.scale))
	case o.f == model.Sum && !o.float:
		copyRun(dst.I64[at:], sum)
	case o.f == model.Sum:
		vec.Float(out[at:at+len(sum)], sum, pow2(-c.scale))
	default:
		vec.Average(out[at:at+len(sum)], sum, n, pow2(-c.scale))
	}
	if c.n == nil {
		return
	}
	for i, k := range n {
		if k == 0 {
			setNull(dst, at+i)
		}
	}
}

// short is SUM of floats or AVG of a few groups, for which calling a kernel costs more.
func (o *localOut) short(out []float64, sum, n []int64, unit float64) {
	sum, n = sum[:len(out)], n[:len(out)]
	if o.f == model.Sum {
		for i := range out {
			out[i] = float64(sum[i]) * unit
		}
		return
	}
	for i := range out {
		out[i] = float64(sum[i]) * unit / float64(n[i])
	}
}
