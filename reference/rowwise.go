package reference

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// step is what an operator does with one row: the rows it makes of it. A row that fails
// gives none and is put into the log.
type step func(l *log, row Row) []Row

// eachRow applies a step to every row of a relation. When exprs - all that the step
// reads - do not read the window, that is once per row; else once per row and window.
func (r *run) eachRow(op *model.Operator, part int, in *relation, exprs []*model.Expr, f step) *relation {
	out := &relation{
		kind: in.kind, time: op.Relation.Time, spans: in.spans, windowColumns: in.windowColumns,
		residence: in.residence, dependent: in.dependent,
	}
	if in.each == nil && !in.reads(exprs) {
		l := &log{op: op}
		out.rows = stepAll(l, in.rows, f)
		r.keep(part, l)
		return out
	}
	out.spans, out.windowColumns = nil, nil
	out.each = func(yield func(window) bool) {
		l := &log{op: op}
		for w := range in.windows() {
			if r.ctx.Err() != nil || !yield(window{w.span, stepAll(l, w.rows, f)}) {
				return
			}
		}
		r.keep(part, l)
	}
	return out
}

func stepAll(l *log, rows []entry, f step) []entry {
	var out []entry
	for _, e := range rows {
		for _, row := range f(l, e.row) {
			out = append(out, entry{e.position, row})
		}
	}
	return out
}

func (r *run) filter(op *model.Operator, in *relation) *relation {
	out := r.eachRow(op, rowPart, in, op.Filter, r.filterStep(op))
	out.residence = in.residence && !in.depends(op.Filter...)
	return out
}

func (r *run) filterStep(op *model.Operator) step {
	schema := r.model.Schema(op.Inputs[0])
	return func(l *log, row Row) []Row {
		ok, reason := holds(op.Filter, row)
		if reason != "" {
			l.add(reason, schema, op.Filter, row)
		}
		if !ok {
			return nil
		}
		return []Row{row}
	}
}

// holds reports whether every conjunct is TRUE. One that is FALSE or NULL wins over
// those that fail; else the first that fails gives the reason.
func holds(conjuncts []*model.Expr, row Row) (ok bool, reason string) {
	for _, c := range conjuncts {
		v, failed := Eval(c, row)
		switch {
		case failed != "":
			if reason == "" {
				reason = failed
			}
		case !v.Truth():
			return false, ""
		}
	}
	return reason == "", reason
}

// project keeps a relation together as long as window columns are only passed on.
func (r *run) project(op *model.Operator, in *relation) *relation {
	var computed, recorded []*model.Expr
	passed, dependent, residence := map[int]stream.Role{}, map[int]bool{}, in.residence
	for i, e := range op.Project {
		if in.depends(e) {
			dependent[i] = true
			residence = residence && !e.MayErr() // a row that errs in some windows only
		}
		if e.Kind != model.ColumnExpr {
			computed = append(computed, e)
		} else if role, ok := in.windowColumns[e.Column]; ok {
			passed[i] = role
			continue
		}
		recorded = append(recorded, e)
	}
	if in.reads(computed) {
		recorded = op.Project
	}
	out := r.eachRow(op, rowPart, in, computed, r.projectStep(op, recorded))
	if out.each == nil {
		out.windowColumns = passed
	}
	out.residence, out.dependent = residence, dependent
	return out
}

// projectStep shows the columns that the recorded expressions read in error rows:
// outside of any window the window's columns have no value to show.
func (r *run) projectStep(op *model.Operator, recorded []*model.Expr) step {
	schema := r.model.Schema(op.Inputs[0])
	return func(l *log, row Row) []Row {
		values, reason := evalAll(op.Project, row)
		if reason != "" {
			l.add(reason, schema, recorded, row)
			return nil
		}
		return []Row{values}
	}
}

// evalAll evaluates expressions in order up to the first that fails.
func evalAll(exprs []*model.Expr, row Row) (Row, string) {
	out := make(Row, 0, len(exprs)+1)
	for _, e := range exprs {
		v, reason := Eval(e, row)
		if reason != "" {
			return nil, reason
		}
		out = append(out, v)
	}
	return out, ""
}

// keyStep appends to each row its join key as one text column. Rows whose key has a
// NULL match nothing and are left out.
func keyStep(schema *stream.Schema, keys []*model.Expr) step {
	return func(l *log, row Row) []Row {
		values, reason := evalAll(keys, row)
		if reason != "" {
			l.add(reason, schema, keys, row)
			return nil
		}
		for _, v := range values {
			if v.Null {
				return nil
			}
		}
		return []Row{append(append(Row(nil), row...), stream.Text(groupKey(values)))}
	}
}

// lookup pairs every row of the stream with the rows of the table that match it, in
// table order.
func (r *run) lookup(op *model.Operator, in, table *relation) *relation {
	left := r.eachRow(op, leftPart, in, op.Join.LeftKeys, keyStep(r.model.Schema(op.Inputs[0]), op.Join.LeftKeys))
	out := r.eachRow(op, pairPart, left, op.Join.On, r.lookupStep(op, table))
	out.residence = in.residence && !in.depends(op.Join.LeftKeys...) && !in.depends(op.Join.On...)
	return out
}

// lookupStep takes rows with their key as last column.
func (r *run) lookupStep(op *model.Operator, table *relation) step {
	schema := r.pairSchema(op)
	right := r.eachRow(op, rightPart, table, op.Join.RightKeys, keyStep(r.model.Schema(op.Inputs[1]), op.Join.RightKeys))
	byKey := map[string][]Row{}
	for _, row := range right.flat() {
		row, key := splitKey(row)
		byKey[key] = append(byKey[key], row)
	}
	return func(l *log, row Row) []Row {
		var out []Row
		row, key := splitKey(row)
		for _, match := range byKey[key] {
			if pair, ok := matchPair(l, op, schema, row, match); ok {
				out = append(out, pair)
			}
		}
		return out
	}
}

// splitKey takes a row of keyStep apart.
func splitKey(row Row) (Row, string) {
	n := len(row) - 1
	return row[:n:n], row[n].S
}

// matchPair joins two rows of equal key if the residual condition holds.
func matchPair(l *log, op *model.Operator, schema *stream.Schema, left, right Row) (Row, bool) {
	pair := append(append(make(Row, 0, len(left)+len(right)), left...), right...)
	ok, reason := holds(op.Join.On, pair)
	if reason != "" {
		l.add(reason, schema, op.Join.On, pair)
	}
	return pair, ok
}

// pairSchema is the schema that a join's residual condition reads.
func (r *run) pairSchema(op *model.Operator) *stream.Schema {
	left, right := r.model.Schema(op.Inputs[0]), r.model.Schema(op.Inputs[1])
	return stream.NewSchema(append(append([]stream.Field(nil), left.Fields...), right.Fields...)...)
}
