package operator

import (
	"fmt"
	"slices"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// peaks keeps, of the rows of each window, those with the greatest or least value in a
// column. Rows come in window order and a window's rows in several batches perhaps, so
// what is left of the last window of a batch is held back until the next one or flush.
type peaks[T vec.Number] struct {
	least  bool
	column int                       // whose peak it is
	values func(*stream.Column) []T  // of that column
	window int                       // the column that tells windows apart
	fresh  func() *stream.Batch      // makes an output batch
	ready  func(*stream.Batch) error // takes a full one

	out  *stream.Batch // being filled
	held *stream.Batch // rows of the open window, which may turn out not to be the peak
	open bool
	at   int64 // the open window
	best T     // its peak so far, if any row has a value
	any  bool
	sel  []int32
	bits []uint64
}

// peaker is a peaks of any type of value.
type peaker interface {
	push(b *stream.Batch) error
	// flush hands on all rows; the last window ends.
	flush() error
	close()
}

// newPeaker returns the working memory for the peak of rows of a schema. Output batches
// have the same columns, absent ones excepted.
func newPeaker(p *model.Peak, s *stream.Schema, fresh func() *stream.Batch, ready func(*stream.Batch) error) (peaker, error) {
	window, err := windowColumn(s)
	if err != nil {
		return nil, err
	}
	least := p.Func == model.Min
	switch t := s.Fields[p.Column].Type; {
	case model.PeakType(t) && t.Storage() == stream.Integer:
		return &peaks[int32]{least: least, column: p.Column, window: window, fresh: fresh, ready: ready, values: func(c *stream.Column) []int32 { return c.I32 }}, nil
	case t == stream.Real:
		return &peaks[float32]{least: least, column: p.Column, window: window, fresh: fresh, ready: ready, values: func(c *stream.Column) []float32 { return c.F32 }}, nil
	case t == stream.Double:
		return &peaks[float64]{least: least, column: p.Column, window: window, fresh: fresh, ready: ready, values: func(c *stream.Column) []float64 { return c.F64 }}, nil
	case model.PeakType(t):
		return &peaks[int64]{least: least, column: p.Column, window: window, fresh: fresh, ready: ready, values: func(c *stream.Column) []int64 { return c.I64 }}, nil
	default:
		return nil, fmt.Errorf("no peak of %s", t)
	}
}

// windowColumn is a column whose values tell the windows of a relation apart.
func windowColumn(s *stream.Schema) (int, error) {
	for _, role := range []stream.Role{stream.WindowEnd, stream.WindowIndex} {
		if i := s.RoleIndex(role); i >= 0 {
			return i, nil
		}
	}
	return 0, fmt.Errorf("rows of a window without its columns")
}

// PeakNeed is what has to be read of an aggregate's output so that its peak can be
// found and the needed columns put out; need itself if it has no peak.
func PeakNeed(op *model.Operator, need []bool) []bool {
	p := op.Aggregate.Peak
	if p == nil || need == nil {
		return need
	}
	out := slices.Clone(need)
	out[p.Column] = true
	if w, err := windowColumn(op.Relation.Schema); err == nil {
		out[w] = true
	}
	return out
}

func (p *peaks[T]) push(b *stream.Batch) error {
	windows := b.Cols[p.window].I64[:b.Len]
	for from := 0; from < b.Len; {
		to := from + sameRun(windows[from:])
		if p.open && windows[from] != p.at {
			if err := p.end(); err != nil {
				return err
			}
		}
		p.open, p.at = true, windows[from]
		if err := p.run(b, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// sameRun is the length of the run of equal values that v begins with. v ascends.
func sameRun(v []int64) int {
	lo, hi := 0, 1 // v[lo] is of the run
	for hi < len(v) && v[hi] == v[0] {
		lo, hi = hi, 2*hi
	}
	hi = min(hi, len(v))
	for hi-lo > 1 {
		if m := int(uint(lo+hi) >> 1); v[m] == v[0] {
			lo = m
		} else {
			hi = m
		}
	}
	return hi
}

// run takes rows [from, to), which are of the open window.
func (p *peaks[T]) run(b *stream.Batch, from, to int) error {
	col := &b.Cols[p.column]
	v, valid := p.values(col)[:to], col.Valid
	best, any := p.peak(v, valid, from)
	if !any || p.any && p.beats(p.best, best) {
		return nil
	}
	if p.any && p.beats(best, p.best) {
		p.drop()
	}
	p.best, p.any = best, true
	last := to == b.Len // the window may go on in the next batch
	if !last {
		if err := p.release(); err != nil {
			return err
		}
	}
	p.pick(v, valid, from, best)
	if last {
		if p.held == nil {
			p.held = p.fresh()
		}
		p.held.AppendSelected(b, p.sel)
		return nil
	}
	return p.put(b, p.sel)
}

// pick selects the values from an index on that are equal to the peak.
func (p *peaks[T]) pick(v []T, valid stream.Bitmap, from int, best T) {
	p.sel = resizeRaw(p.sel, len(v)-from)
	if valid == nil {
		p.bits = resizeRaw(p.bits, stream.WordsFor(len(v)-from))
		vec.Compare(p.bits, v[from:], vec.Equal, best)
		p.sel = p.sel[:vec.IndicesOf(p.sel, p.bits)]
		for i := range p.sel {
			p.sel[i] += int32(from)
		}
		return
	}
	n := 0
	for i := from; i < len(v); i++ {
		if (v[i] == best || v[i] != v[i] && best != best) && valid.Get(i) { //nolint:staticcheck // NaN
			p.sel[n] = int32(i)
			n++
		}
	}
	p.sel = p.sel[:n]
}

// peak returns the peak of the values from an index on; any is false if all are NULL.
func (p *peaks[T]) peak(v []T, valid stream.Bitmap, from int) (best T, any bool) {
	if valid != nil {
		for i := from; i < len(v); i++ {
			if valid.Get(i) && (!any || p.beats(v[i], best)) {
				best, any = v[i], true
			}
		}
		return best, any
	}
	least, greatest := vec.MinMax(v[from:])
	if p.least {
		return least, true
	}
	return greatest, true
}

// beats reports whether a is nearer to the peak than b. NaN is the greatest value.
func (p *peaks[T]) beats(a, b T) bool {
	if p.least {
		a, b = b, a
	}
	return a > b || a != a && b == b //nolint:staticcheck // NaN
}

// end closes the open window: what is held is its peak.
func (p *peaks[T]) end() error {
	p.open, p.any = false, false
	return p.release()
}

// release puts the held rows out.
func (p *peaks[T]) release() error {
	if p.held == nil {
		return nil
	}
	p.sel = p.sel[:0]
	for i := range p.held.Len {
		p.sel = append(p.sel, int32(i))
	}
	err := p.put(p.held, p.sel)
	p.drop()
	return err
}

func (p *peaks[T]) drop() {
	if p.held != nil {
		p.held.Release()
		p.held = nil
	}
}

// put appends rows to the output.
func (p *peaks[T]) put(b *stream.Batch, sel []int32) error {
	for len(sel) > 0 {
		if p.out == nil {
			p.out = p.fresh()
		}
		n := min(len(sel), OutputRows-p.out.Len)
		p.out.AppendSelected(b, sel[:n])
		sel = sel[n:]
		if p.out.Len == OutputRows {
			if err := p.hand(); err != nil {
				return err
			}
		}
	}
	return nil
}

// hand hands the output on.
func (p *peaks[T]) hand() error {
	b := p.out
	p.out = nil
	if b == nil {
		return nil
	}
	return p.ready(b)
}

func (p *peaks[T]) flush() error {
	if err := p.end(); err != nil {
		return err
	}
	return p.hand()
}

func (p *peaks[T]) close() {
	p.drop()
	if p.out != nil {
		p.out.Release()
		p.out = nil
	}
}
