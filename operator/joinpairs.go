package operator

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// layout says where the columns of a joined row come from and turns pairs of rows into
// columns. Column c of the joined relation is column c of the left side, or column
// c-split of the right one, or a window column to be filled in.
type layout struct {
	split  int
	reads  [2][]bool // columns of each side that output or condition read
	absent [2][]bool // window columns that a side's own window adds: not stored
	roles  []stream.Role
	values [2][5]int64 // of the open window's columns by side and role
	output []int       // columns of the joined relation to put out
	pairs  [2][]int32
	outer  bool // the right row of a pair may be nobodyThere
}

func newLayout(sides [2]Side, need []bool) layout {
	lay := layout{split: sides[0].Output().Schema.Len()}
	width := lay.split + sides[1].Output().Schema.Len()
	lay.roles = make([]stream.Role, 0, width)
	for i, side := range sides {
		lay.absent[i] = make([]bool, side.Output().Schema.Len())
		lay.reads[i] = make([]bool, len(lay.absent[i]))
		for c, role := range ownWindow(side) {
			lay.absent[i][c] = role != stream.NoRole
			lay.roles = append(lay.roles, role)
		}
	}
	for c := range width {
		if need == nil || need[c] {
			lay.output = append(lay.output, c)
			lay.read(c)
		}
	}
	return lay
}

// ownWindow returns, for every column of a side's output, the role it has as a column
// of the window among the steps.
func ownWindow(side Side) []stream.Role {
	roles := slices.Repeat([]stream.Role{stream.NoRole}, side.Relation.Schema.Len())
	for _, op := range side.Steps {
		switch op.Kind {
		case model.WindowOp:
			for _, f := range op.Relation.Schema.Fields[len(roles):] {
				roles = append(roles, f.Role)
			}
		case model.ProjectOp:
			next := make([]stream.Role, len(op.Project))
			for i, e := range op.Project {
				if e.Kind == model.ColumnExpr {
					next[i] = roles[e.Column]
				}
			}
			roles = next
		}
	}
	return roles
}

// side returns the side and the column there of column c of the joined relation.
func (l *layout) side(c int) (side, column int) {
	if c < l.split {
		return 0, c
	}
	return 1, c - l.split
}

func (l *layout) read(c int) {
	side, column := l.side(c)
	l.reads[side][column] = true
}

// splitKeys returns each side's keys and the residual conjuncts. An equality over a
// window column that is not stored becomes a conjunct.
func (l *layout) splitKeys(j *model.Join) (keys [2][]*model.Expr, on []*model.Expr) {
	for i, left := range j.LeftKeys {
		right := j.RightKeys[i]
		if l.readsAbsent(0, left) || l.readsAbsent(1, right) {
			on = append(on, model.Call("eq", stream.Boolean, left, shiftColumns(right, l.split)))
			continue
		}
		keys[0], keys[1] = append(keys[0], left), append(keys[1], right)
	}
	return keys, append(on, j.On...)
}

func (l *layout) readsAbsent(side int, e *model.Expr) bool {
	found := false
	e.Columns(func(c int) { found = found || l.absent[side][c] })
	return found
}

// shiftColumns returns e with every column number raised by n.
func shiftColumns(e *model.Expr, n int) *model.Expr {
	return e.Rewrite(func(x *model.Expr) *model.Expr {
		if x.Kind != model.ColumnExpr {
			return x
		}
		return model.Col(x.Column+n, x.Type)
	})
}

// setWindow gives the sides' own window columns their values.
func (l *layout) setWindow(sides [2]*windowSide, number int64) {
	for i, s := range sides {
		v := &l.values[i]
		v[stream.WindowStart], v[stream.WindowEnd], v[stream.WindowTime] = number-s.size, number, number-1
		v[stream.WindowIndex] = number
	}
}

func (l *layout) clearPairs() { l.pairs[0], l.pairs[1] = l.pairs[0][:0], l.pairs[1][:0] }

func (l *layout) addPair(left, right int) {
	l.pairs[0], l.pairs[1] = append(l.pairs[0], int32(left)), append(l.pairs[1], int32(right))
}

// gather appends column c of the joined pairs to dst, which holds n values.
func (l *layout) gather(dst *stream.Column, c, n int, stores [2]*stream.Batch) {
	side, column := l.side(c)
	role, optional := l.roles[c], l.outer && side == 1
	switch {
	case role != stream.NoRole && optional:
		appendOptionalConstant(dst, l.values[side][role], l.pairs[side], n)
		return
	case role != stream.NoRole:
		appendConstant(dst, l.values[side][role], n, len(l.pairs[side]))
		return
	case optional:
		appendOptional(dst, &stores[side].Cols[column], l.pairs[side], n)
		return
	}
	dst.AppendSelected(&stores[side].Cols[column], l.pairs[side], n)
}

// appendOutput appends the pairs to an output batch.
func (l *layout) appendOutput(out *stream.Batch, stores [2]*stream.Batch) {
	for _, c := range l.output {
		l.gather(&out.Cols[c], c, out.Len, stores)
	}
	out.Len += len(l.pairs[0])
}

// residual is the part of a join's condition that is evaluated pair by pair.
type residual struct {
	op      model.OpID
	pred    *Predicate // nil: every candidate matches
	scratch *ProgramScratch
	columns []int // of the joined relation that it reads
	shown   []int // those that the record of a failing pair shows
	cols    []stream.Column
	sel     []int32
}

func (r *residual) compile(op model.OpID, on []*model.Expr, lay *layout, schema *stream.Schema) (err error) {
	r.op = op
	if len(on) == 0 {
		return nil
	}
	if r.pred, err = CompilePredicate(on, schema); err != nil {
		return err
	}
	r.scratch = r.pred.NewScratch()
	r.columns, r.shown = ReferencedColumns(schema, on...), ReferencedColumns(schema, fallibleExprs(on)...)
	r.cols = make([]stream.Column, schema.Len())
	for _, c := range r.columns {
		lay.read(c)
	}
	return nil
}

// apply narrows the candidates to the pairs for which the condition holds and calls
// fail for those for which it fails.
func (r *residual) apply(l *layout, stores [2]*stream.Batch, schema *stream.Schema, fail func(pair int, e ErrorRow)) {
	if r.pred == nil || len(l.pairs[0]) == 0 {
		return
	}
	n := len(l.pairs[0])
	for _, c := range r.columns {
		r.cols[c].Reset(schema.Fields[c].Type)
		l.gather(&r.cols[c], c, 0, stores)
	}
	sel, bad := r.pred.Eval(r.scratch, r.cols, n, r.sel)
	r.sel = sel
	if bad != nil {
		bad.Rows.Each(n, func(i int) {
			fail(i, ErrorRow{Op: r.op, Reason: bad.Reason(i), Record: RecordJSON(schema, r.shown, r.cols, i)})
		})
	}
	for k, i := range sel {
		l.pairs[0][k], l.pairs[1][k] = l.pairs[0][i], l.pairs[1][i]
	}
	l.pairs[0], l.pairs[1] = l.pairs[0][:len(sel)], l.pairs[1][:len(sel)]
}
