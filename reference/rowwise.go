package reference

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// step is what an operator does with one row: the rows it makes of it. A row that fails
// gives none and is put into the log.
type step func(l *log, row Row) []Row

// eachRow applies a step to every row of input number input of an operator: once per
// row if the relation stays together there (relation.go), else once per row and window.
// part is where failures are kept.
func (r *run) eachRow(op *model.Operator, input, part int, in *relation, f step) *relation {
	out := &relation{kind: in.kind, time: op.Relation.Time}
	if in.each == nil && r.together(op, input, in) {
		l := &log{op: op}
		out.rows, out.spans = stepAll(l, in.rows, f), in.spans
		out.windowColumns, out.dependent = in.windowColumns, in.dependent
		r.keep(part, l)
		return out
	}
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
	return r.eachRow(op, 0, rowPart, in, r.filterStep(op))
}

func (r *run) filterStep(op *model.Operator) step {
	schema := r.model.Schema(op.Inputs[0])
	return func(l *log, row Row) []Row {
		ok, reason := holds(op.Filter, row)
		if reason != "" {
			l.add(reason, schema, fallible(op.Filter), row)
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

func (r *run) project(op *model.Operator, in *relation) *relation {
	out := r.eachRow(op, 0, rowPart, in, r.projectStep(op))
	out.windowColumns = map[int]stream.Role{}
	for i, e := range op.Project {
		if role, ok := in.windowColumns[e.Column]; ok && e.Kind == model.ColumnExpr {
			out.windowColumns[i] = role
		}
	}
	out.dependent = projected(op, in.dependent)
	return out
}

func (r *run) projectStep(op *model.Operator) step {
	schema, recorded := r.model.Schema(op.Inputs[0]), fallible(op.Project)
	return func(l *log, row Row) []Row {
		values, reason := evalAll(op.Project, row)
		if reason != "" {
			l.add(reason, schema, recorded, row)
			return nil
		}
		return []Row{values}
	}
}

func (r *run) unnest(op *model.Operator, in *relation) *relation {
	return r.eachRow(op, 0, rowPart, in, r.unnestStep(op))
}

// unnestStep makes a row of every element, numbered from 1.
func (r *run) unnestStep(op *model.Operator) step {
	schema, u := r.model.Schema(op.Inputs[0]), op.Unnest
	return func(l *log, row Row) (out []Row) {
		array, reason := Eval(u.Array, row)
		if reason != "" {
			l.add(reason, schema, []*model.Expr{u.Array}, row)
			return nil
		}
		var items []stream.Value
		if !array.Null {
			items = array.Items()
		}
		for i, item := range items {
			more := append(append(Row(nil), row...), elementColumns(item)...)
			if u.Ordinality {
				more = append(more, stream.Int(int32(i+1)))
			}
			out = append(out, more)
		}
		if u.Outer && len(items) == 0 {
			alone := append(Row(nil), row...)
			for _, t := range u.Columns() {
				alone = append(alone, stream.NullOf(t))
			}
			out = append(out, alone)
		}
		return out
	}
}

// elementColumns are the members of a ROW, or the element itself.
func elementColumns(item stream.Value) Row {
	switch {
	case !item.Type.IsRow():
		return Row{item}
	case !item.Null:
		return item.Items()
	}
	var out Row
	for _, m := range item.Type.Members() {
		out = append(out, stream.NullOf(m.Type))
	}
	return out
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
func keyStep(schema *stream.Schema, keys []*model.Expr) step { return keysStep(schema, keys, false) }

// leftKeyStep is keyStep for the left rows of a join, of which an outer one needs all: the
// text is NULL for those that match nothing.
func (r *run) leftKeyStep(op *model.Operator) step {
	return keysStep(r.model.Schema(op.Inputs[0]), op.Join.LeftKeys, op.Join.Outer)
}

func keysStep(schema *stream.Schema, keys []*model.Expr, all bool) step {
	return func(l *log, row Row) []Row {
		values, reason := evalAll(keys, row)
		if reason != "" {
			l.add(reason, schema, keys, row)
			return nil
		}
		for _, v := range values {
			switch {
			case v.Null && all:
				return []Row{append(append(Row(nil), row...), stream.NullOf(stream.Varchar))}
			case v.Null:
				return nil
			}
		}
		return []Row{append(append(Row(nil), row...), stream.Text(groupKey(values)))}
	}
}

// lookup pairs every row of the stream with the rows of the table that match it, in
// table order.
func (r *run) lookup(op *model.Operator, in, table *relation) *relation {
	left := r.eachRow(op, 0, leftPart, in, r.leftKeyStep(op))
	return r.eachRow(op, 0, pairPart, left, r.lookupStep(op, table))
}

// lookupStep takes rows with their key as last column.
func (r *run) lookupStep(op *model.Operator, table *relation) step {
	schema := r.pairSchema(op)
	right := r.eachRow(op, 1, rightPart, table, keyStep(r.model.Schema(op.Inputs[1]), op.Join.RightKeys))
	byKey := map[string][]Row{}
	for _, row := range right.flat() {
		row, key := splitKey(row)
		byKey[key] = append(byKey[key], row)
	}
	return func(l *log, row Row) []Row { return matchAll(l, op, schema, row, byKey) }
}

// matchAll joins a left row, which has its key as last column, with the right rows that match
// it, in their order. Of an outer join it has one row with NULLs if none does and none fails.
func matchAll(l *log, op *model.Operator, schema *stream.Schema, keyed Row, byKey map[string][]Row) (out []Row) {
	row, key := splitKey(keyed)
	var partners []Row
	if !keyed[len(row)].Null {
		partners = byKey[key]
	}
	before := len(l.rows)
	for _, partner := range partners {
		if pair, ok := matchPair(l, op, schema, row, partner); ok {
			out = append(out, pair)
		}
	}
	if op.Join.Outer && len(out) == 0 && len(l.rows) == before {
		alone := append(Row(nil), row...)
		for _, f := range schema.Fields[len(row):] {
			alone = append(alone, stream.NullOf(f.Type))
		}
		out = append(out, alone)
	}
	return out
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
		l.add(reason, schema, fallible(op.Join.On), pair)
	}
	return pair, ok
}

// pairSchema is the schema that a join's residual condition reads.
func (r *run) pairSchema(op *model.Operator) *stream.Schema {
	left, right := r.model.Schema(op.Inputs[0]), r.model.Schema(op.Inputs[1])
	return stream.NewSchema(append(append([]stream.Field(nil), left.Fields...), right.Fields...)...)
}
