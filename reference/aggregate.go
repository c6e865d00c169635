package reference

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// An aggregate works in two steps. contribution turns a row into what it adds to its
// group: the keys, then two values per aggregate - both NULL if it adds nothing to that one -
// and last the text of the keys. groups then collects the contributions of a window.
//
// Order of the groups of a window that is together ("residence"): first the groups of
// the window with the preceding number, in its order, that have a row which is in both
// windows; then all others by their first row. Without shared rows, and in a fresh
// window (span), that is order of first appearance. A window that is spread (relation.go) does not know what its rows share with another:
// its groups are always in order of first appearance.

func (r *run) aggregate(op *model.Operator, in *relation) *relation {
	added := r.eachRow(op, 0, rowPart, in, r.contribution(op))
	added.windowColumns = nil // a contribution has none of them
	residence := in.kind != model.NoWindow && added.each == nil
	out := &relation{kind: in.kind, time: op.Relation.Time}
	each := func(yield func(window) bool) {
		l := &log{op: op}
		var before previous
		for w := range added.windows() {
			if added.each != nil && in.kind != model.NoWindow && len(w.rows) == 0 {
				continue // windows that are put out row by row exist by their rows
			}
			gs := collect(op.Aggregate, w, &before, residence)
			rows := r.results(op, l, w.span, in.kind, gs)
			if r.ctx.Err() != nil || !yield(window{w.span, rows}) {
				return
			}
		}
		r.keep(resultPart, l)
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

// contribution is the step from an input row to what it adds.
func (r *run) contribution(op *model.Operator) step {
	schema := r.model.Schema(op.Inputs[0])
	recorded := fallible(expressions(op.Aggregate))
	return func(l *log, row Row) []Row {
		values, reason := contribute(op.Aggregate, row)
		if reason != "" {
			l.add(reason, schema, recorded, row)
			return nil
		}
		key := groupKey(values[:len(op.Aggregate.Keys)])
		return []Row{append(values, stream.Text(key))}
	}
}

func contribute(a *model.Aggregate, row Row) (Row, string) {
	values, reason := evalAll(a.Keys, row)
	for i := 0; i < len(a.Aggs) && reason == ""; i++ {
		var args [2]stream.Value
		args, reason = arguments(&a.Aggs[i], row)
		values = append(values, args[:]...)
	}
	return values, reason
}

// arguments are NULL for a row that does not count, one that the filter keeps out or that
// has a NULL where the aggregate passes over it; COUNT(*) counts a TRUE.
func arguments(a *model.Agg, row Row) (args [2]stream.Value, reason string) {
	none := [2]stream.Value{stream.NullOf(stream.Boolean), stream.NullOf(stream.Boolean)}
	if a.Filter != nil {
		v, reason := Eval(a.Filter, row)
		if reason != "" || !v.Truth() {
			return none, reason
		}
	}
	args = [2]stream.Value{stream.Bool(true), stream.Bool(true)}
	for i, e := range []*model.Expr{a.Arg, a.By} {
		if e == nil {
			continue
		}
		if args[i], reason = Eval(e, row); reason != "" {
			return none, reason
		}
	}
	ofOther := a.Func == model.MinBy || a.Func == model.MaxBy
	if args[0].Null && !ofOther || args[1].Null && a.Func.ByOther() {
		return none, ""
	}
	return args, ""
}

// group is one group of one window.
type group struct {
	key    string
	keys   Row
	aggs   []accumulator
	shared bool // has a row that the preceding window covers too
}

// previous is the window before this one.
type previous struct {
	span
	order []*group
	exist bool
}

// collect groups the rows of a window and puts the groups in order. A window that
// needs a group whatever it holds gets it in results.
func collect(a *model.Aggregate, w window, before *previous, residence bool) []*group {
	follows := residence && !w.fresh && before.exist && before.number == w.number-1
	byKey := map[string]*group{}
	var appearance []*group
	for _, e := range w.rows {
		key := e.row[len(e.row)-1].S
		g := byKey[key]
		if g == nil {
			g = newGroup(a, key, e.row)
			byKey[key] = g
			appearance = append(appearance, g)
		}
		g.add(e.row)
		if follows && e.position < before.to {
			g.shared = true
		}
	}
	var ordered []*group
	placed := map[string]bool{}
	if follows {
		for _, old := range before.order {
			if g := byKey[old.key]; g != nil && g.shared {
				ordered = append(ordered, g)
				placed[g.key] = true
			}
		}
	}
	for _, g := range appearance {
		if !placed[g.key] {
			ordered = append(ordered, g)
		}
	}
	*before = previous{w.span, ordered, true}
	return ordered
}

func newGroup(a *model.Aggregate, key string, contribution Row) *group {
	g := &group{key: key, aggs: make([]accumulator, len(a.Aggs))}
	if n := len(a.Keys); n > 0 {
		g.keys = contribution[:n:n]
	}
	for i := range a.Aggs {
		g.aggs[i] = newAccumulator(&a.Aggs[i])
	}
	return g
}

func (g *group) add(contribution Row) {
	for i, acc := range g.aggs {
		args := contribution[len(g.keys)+2*i:][:2]
		if !args[0].Null || !args[1].Null {
			acc.add(args[0], args[1])
		}
	}
}

// result is the group's row, or why there is none: the first result that is out of range.
func (g *group) result(a *model.Aggregate) (row Row, reason string) {
	row = append(make(Row, 0, len(g.keys)+len(g.aggs)), g.keys...)
	for i, acc := range g.aggs {
		v, ok := acc.result()
		if !ok {
			return nil, a.Aggs[i].BoundReason()
		}
		row = append(row, v)
	}
	return row, ""
}

// results makes the output rows of a window: the groups', then the window's columns.
// Without keys there is always a row, but not for a window of time that holds none.
func (r *run) results(op *model.Operator, l *log, s span, kind model.WindowKind, groups []*group) []entry {
	if len(groups) == 0 && len(op.Aggregate.Keys) == 0 && !kind.Spans() {
		groups = []*group{newGroup(op.Aggregate, "", nil)}
	}
	var out []entry
	for _, g := range groups {
		row, reason := g.result(op.Aggregate)
		var columns Row
		for _, role := range columnsOf(kind) {
			columns = append(columns, s.column(role))
		}
		if reason != "" {
			l.overflow(reason, g.keys, columns)
			continue
		}
		out = append(out, entry{len(out), append(row, columns...)})
	}
	return peak(op.Aggregate.Peak, out)
}

// peak leaves the rows with the greatest or least value.
func peak(p *model.Peak, rows []entry) []entry {
	if p == nil {
		return rows
	}
	best := -1
	for i, e := range rows {
		v := e.row[p.Column]
		if v.Null {
			continue
		}
		if best < 0 || p.Func == model.Max && compare(v, rows[best].row[p.Column]) > 0 || p.Func == model.Min && compare(v, rows[best].row[p.Column]) < 0 {
			best = i
		}
	}
	var out []entry
	for _, e := range rows {
		if v := e.row[p.Column]; !v.Null && compare(v, rows[best].row[p.Column]) == 0 {
			out = append(out, entry{len(out), e.row})
		}
	}
	return out
}

// overflow makes the error row of a group whose result is out of range: its record
// shows the keys and the window.
func (l *log) overflow(reason string, keys, window Row) {
	fields := l.op.Relation.Schema.Fields
	behind := len(fields) - len(window)
	shown := append(append([]stream.Field(nil), fields[:len(keys)]...), fields[behind:]...)
	l.addRecord(reason, shown, append(append(Row(nil), keys...), window...))
}

// expressions are all that an aggregate evaluates.
func expressions(a *model.Aggregate) []*model.Expr {
	out := append([]*model.Expr(nil), a.Keys...)
	for _, agg := range a.Aggs {
		out = append(out, agg.Exprs()...)
	}
	return out
}
