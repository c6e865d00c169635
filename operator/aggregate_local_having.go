package operator

import (
	"slices"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// HAVING before anything is materialised: conditions on results alone are evaluated on
// the results of a window's groups, and only what passes is put out. The filter behind
// the aggregate sees its rows once more; it serves where the table does not.

// localHaving are conditions on results that cannot fail. It is immutable.
type localHaving struct {
	pred  *Predicate
	reads []bool // output columns
}

// havingScratch is working memory to evaluate them.
type havingScratch struct {
	prog *ProgramScratch
	cols []stream.Column
	sel  []int32
}

// denseShare is the share of groups that pass, as one in so many, from which on columns
// are compacted by the bits instead of gathered.
const denseShare = 8

// planHaving takes the conditions of a filter on the aggregate's rows that local windows
// can evaluate themselves; none if there is a peak, which is among the rows before it.
func (a *aggregate) planHaving(filter []*model.Expr) error {
	p := a.local
	if p == nil {
		return nil
	}
	h := &localHaving{reads: make([]bool, a.schema.Len())}
	var own []*model.Expr
	for _, e := range filter {
		if !e.MayErr() && p.shows(e) {
			own = append(own, e)
			markColumns(h.reads, e)
		}
	}
	if len(own) == 0 {
		return nil
	}
	var err error
	h.pred, err = CompilePredicate(own, a.schema)
	p.having = h
	return err
}

// shows reports whether an expression reads results only, and one at least.
func (p *localPlan) shows(e *model.Expr) bool {
	columns, all := 0, true
	e.Columns(func(c int) {
		columns++
		all = all && slices.ContainsFunc(p.out, func(o localOut) bool { return o.column == c })
	})
	return all && columns > 0
}

func (h *localHaving) newScratch(schema *stream.Schema) havingScratch {
	return havingScratch{prog: h.pred.NewScratch(), cols: make([]stream.Column, schema.Len()), sel: make([]int32, 0, ChunkRows+64)}
}

// putHaving writes the groups of a window that the conditions let pass.
func (w *localWindows) putHaving(bounds *carriedWindow) error {
	n := w.live()
	for at := 0; at < n; {
		from, to := w.physical(at, min(ChunkRows, n-at))
		at += to - from
		pass, count := w.passing(from, to)
		if count == 0 {
			continue
		}
		var err error
		if count >= (to-from)/denseShare && !w.hasNulls() {
			err = w.putPassing(from, to, pass, count, bounds)
		} else {
			w.having.sel = resizeRaw(w.having.sel, to-from)
			err = w.putSelected(from, w.having.sel[:vec.IndicesOf(w.having.sel, pass)], bounds)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putSelected writes the groups at base plus each of sel.
func (w *localWindows) putSelected(base int, sel []int32, bounds *carriedWindow) error {
	for len(sel) > 0 {
		b, err := w.page()
		if err != nil {
			return err
		}
		m := min(len(sel), OutputRows-b.Len)
		w.writeSelected(b, base, sel[:m], bounds)
		sel = sel[m:]
	}
	return nil
}

// hasNulls reports whether a group may have a NULL.
func (w *localWindows) hasNulls() bool {
	for j := range w.cols {
		if w.cols[j].null != nil {
			return true
		}
	}
	return !w.counted()
}

// putPassing writes the count groups at positions [from, to) that pass.
func (w *localWindows) putPassing(from, to int, pass stream.Bitmap, count int, bounds *carriedWindow) error {
	b, err := w.page()
	if err != nil {
		return err
	}
	if OutputRows-b.Len < to-from { // compaction writes behind what is left
		if err := w.flush(); err != nil {
			return err
		}
		if b, err = w.page(); err != nil {
			return err
		}
	}
	at := b.Len
	for j := range w.cols {
		switch dst, src := &b.Cols[j], &w.cols[j]; {
		case !w.a.need[j]:
		case w.plan.wide[j]:
			vec.Compress(dst.I64[at:], src.i64[from:to], pass)
		default:
			vec.Compress(dst.I32[at:], src.i32[from:to], pass)
		}
	}
	for i := range w.plan.out {
		w.compactResult(&w.plan.out[i], b, from, to, pass)
	}
	for _, e := range w.plan.edges {
		fillRun(b.Cols[e.column].I64[at:at+count], bounds[e.role])
	}
	b.Len += count
	return nil
}

func (w *localWindows) compactResult(o *localOut, b *stream.Batch, from, to int, pass stream.Bitmap) {
	dst, src := &b.Cols[o.column], &w.having.cols[o.column]
	if !w.plan.having.reads[o.column] {
		w.showResult(o, from, to)
	}
	if dst.Type.Storage() == stream.Double {
		vec.Compress(dst.F64[b.Len:], src.F64[:to-from], pass)
	} else {
		vec.Compress(dst.I64[b.Len:], src.I64[:to-from], pass)
	}
}

// showResult computes an aggregate of the groups at positions [from, to).
func (w *localWindows) showResult(o *localOut, from, to int) {
	c := &w.having.cols[o.column]
	c.Reset(w.a.schema.Fields[o.column].Type)
	room(c, to-from)
	w.result(o, c, 0, from, to)
}

// passing returns which of the groups at positions [from, to) pass, and how many.
func (w *localWindows) passing(from, to int) (stream.Bitmap, int) {
	h, s := w.plan.having, &w.having
	for i := range w.plan.out {
		if o := &w.plan.out[i]; h.reads[o.column] {
			w.showResult(o, from, to)
		}
	}
	pass, count, _ := h.pred.Select(s.prog, s.cols, to-from)
	return pass, count
}

// gatherResult copies results, which are BIGINT or DOUBLE.
func gatherResult(dst, src *stream.Column, at int, sel []int32) {
	if dst.Type.Storage() == stream.Double {
		gatherValues(dst.F64[at:at+len(sel)], src.F64, sel)
	} else {
		gatherValues(dst.I64[at:at+len(sel)], src.I64, sel)
	}
	if src.Valid == nil {
		return
	}
	for i, g := range sel {
		if src.IsNull(int(g)) {
			setNull(dst, at+i)
		}
	}
}
