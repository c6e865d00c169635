package optimize

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Needed says for every edge which columns its readers use. A column nobody uses is
// absent from batches: not decoded, not computed, not copied. Column numbers never
// change.
//
// Every source has an entry for its Out port, also when only Late or Arrival are
// read: the rows of all three are decoded together, so their entries are equal and
// hold whatever any reader of any of them uses, what the source itself uses (event
// time, the columns its computed columns read) and computed columns that may err. Where
// somebody reads Errors every column is used: who asks what is malformed wants to know
// it of all columns.
type Needed map[model.Edge][]bool

// FindNeeded walks from the sinks toward the sources and collects what every operator
// reads of its inputs:
//
//	sink       the visible columns
//	filter     its predicates' columns, and what its readers use
//	project    the columns of expressions that are used, or may err: an error removes
//	           a row and shows in the error output whether or not its column is read
//	unnest     the array's columns, and what its readers use of the input's
//	window     event time of a time or instant window, columns it is partitioned by,
//	           and what its readers use of the input's columns
//	aggregate  every key, argument and filter; of a windowed input the window's columns
//	join       keys, conditions, window columns, time, and what its readers use
//	union      time if it orders by time, and what its readers use
//	emit       all columns for ISTREAM, which compares whole rows with those of the
//	           instant before; else time and what its readers use
func FindNeeded(m *model.Model) Needed {
	n := Needed{}
	for i := len(m.Ops) - 1; i >= 0; i-- {
		op := m.Ops[i]
		if op.Kind == model.SourceOp {
			n.source(m, op)
			continue
		}
		out := n.edge(m, model.Edge{Op: op.ID, Port: model.Out})
		if op.Kind == model.SinkOp {
			delete(n, model.Edge{Op: op.ID, Port: model.Out})
		}
		for i, e := range op.Inputs {
			need := n.edge(m, e)
			r := reader{m: m, op: op, input: i, rel: m.EdgeRelation(e), need: need, out: out}
			r.mark()
		}
	}
	return n
}

// edge returns the set of an edge, empty the first time. What is in an error row is
// always there.
func (n Needed) edge(m *model.Model, e model.Edge) []bool {
	if set, ok := n[e]; ok {
		return set
	}
	set := make([]bool, m.Schema(e).Len())
	if e.Port == model.Errors {
		for i := range set {
			set[i] = true
		}
	}
	n[e] = set
	return set
}

func (n Needed) source(m *model.Model, op *model.Operator) {
	all := n.edge(m, model.Edge{Op: op.ID, Port: model.Out})
	for _, port := range []model.Port{model.Late, model.Arrival} {
		e := model.Edge{Op: op.ID, Port: port}
		if set, ok := n[e]; ok {
			mergeInto(all, set)
			n[e] = all
		}
	}
	if t := op.Relation.Time; t >= 0 {
		all[t] = true
	}
	if _, read := n[model.Edge{Op: op.ID, Port: model.Errors}]; read {
		for i := range all {
			all[i] = true
		}
	}
	for i, e := range op.Source.Computed {
		if e != nil && (all[i] || e.MayErr()) {
			all[i] = true
			markColumns(all, e)
		}
	}
}

// reader marks what one operator uses of one of its inputs.
type reader struct {
	m     *model.Model
	op    *model.Operator
	input int
	rel   model.Relation // of the input
	need  []bool         // of the input's columns; marked here
	out   []bool         // of the operator's own columns
}

func (r *reader) mark() {
	op := r.op
	switch op.Kind {
	case model.SinkOp:
		for _, c := range r.rel.Schema.Visible() {
			r.need[c] = true
		}
	case model.FilterOp:
		r.same()
		markAll(r.need, op.Filter)
	case model.ProjectOp:
		for i, e := range op.Project {
			if r.out[i] || e.MayErr() {
				markColumns(r.need, e)
			}
		}
	case model.UnnestOp:
		r.same()
		markColumns(r.need, op.Unnest.Array)
	case model.WindowOp:
		r.window()
	case model.AggregateOp:
		r.aggregate()
	case model.JoinOp, model.LookupOp:
		r.join()
	case model.UnionOp:
		r.same()
		if op.Relation.Time >= 0 {
			r.time()
		}
		if start := op.MergesByStart(); start >= 0 {
			r.need[start] = true
		}
	case model.SortOp:
		r.same()
		r.carried()
		for _, k := range op.Sort.Keys {
			r.need[k.Column] = true
		}
	case model.EmitOp:
		r.same()
		r.time()
		if op.Emit == model.Istream {
			for i := range r.need {
				r.need[i] = true
			}
		}
	}
}

// same: output column i is input column i.
func (r *reader) same() { mergeInto(r.need, r.out[:min(len(r.out), len(r.need))]) }

func (r *reader) time() {
	if r.rel.Time >= 0 {
		r.need[r.rel.Time] = true
	}
}

// carried marks the columns that say which window a row is in.
func (r *reader) carried() {
	if !r.rel.Windowed() {
		return
	}
	for i, f := range r.rel.Schema.Fields {
		if f.Role != stream.NoRole && r.rel.Schema.RoleIndex(f.Role) == i {
			r.need[i] = true
		}
	}
	r.time()
}

func (r *reader) window() {
	r.same()
	w := r.op.Window
	if w.Kind.Timed() || w.Kind.Instant() {
		r.time()
	}
	for _, c := range w.PartitionBy {
		r.need[c] = true
	}
}

func (r *reader) aggregate() {
	r.carried()
	if r.rel.Instant() {
		r.time()
	}
	markAll(r.need, r.op.Aggregate.Keys)
	for _, g := range r.op.Aggregate.Aggs {
		markColumns(r.need, g.Arg)
		markColumns(r.need, g.By)
		markColumns(r.need, g.Filter)
	}
}

func (r *reader) join() {
	j := r.op.Join
	keys, from := j.LeftKeys, 0
	if r.input == 1 {
		keys, from = j.RightKeys, r.m.Schema(r.op.Inputs[0]).Len()
	}
	markAll(r.need, keys)
	mergeInto(r.need, r.out[from:from+len(r.need)])
	for _, e := range j.On {
		e.Columns(func(c int) {
			if c >= from && c < from+len(r.need) {
				r.need[c-from] = true
			}
		})
	}
	if r.op.Kind == model.JoinOp {
		r.carried()
		r.time()
	}
}

func markAll(set []bool, exprs []*model.Expr) {
	for _, e := range exprs {
		markColumns(set, e)
	}
}

func markColumns(set []bool, e *model.Expr) {
	e.Columns(func(c int) { set[c] = true })
}

func mergeInto(set, more []bool) {
	for i, b := range more {
		set[i] = set[i] || b
	}
}
