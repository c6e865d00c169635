package operator

import (
	"slices"

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

// planHaving takes the conditions of a filter on the aggregate's rows that local windows
// can evaluate themselves.
func (a *aggregate) planHaving(filter []*model.Expr) error {
	p := a.local
	if p == nil || p.peak != nil {
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
		sel := w.passing(from, to)
		for len(sel) > 0 {
			b, err := w.page()
			if err != nil {
				return err
			}
			m := min(len(sel), OutputRows-b.Len)
			w.writeSelected(b, from, sel[:m], bounds)
			sel = sel[m:]
		}
	}
	return nil
}

// passing returns which of the groups at positions [from, to) pass, counted from from.
func (w *localWindows) passing(from, to int) []int32 {
	h, s := w.plan.having, &w.having
	for i := range w.plan.out {
		o := &w.plan.out[i]
		if h.reads[o.column] {
			c := &s.cols[o.column]
			c.Reset(w.a.schema.Fields[o.column].Type)
			room(c, to-from)
			w.result(o, c, 0, from, to)
		}
	}
	sel, _ := h.pred.Eval(s.prog, s.cols, to-from, s.sel)
	return sel
}

// gatherResult copies results, which are BIGINT or DOUBLE.
func gatherResult(dst, src *stream.Column, at int, sel []int32) {
	if dst.Type == stream.Double {
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
