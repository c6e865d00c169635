package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// joiner joins the leaves of a FROM from left to right.
//
// All conditions are written over the columns of all leaves, numbered from left to
// right. Each goes to the earliest place that has its columns: a filter on one leaf, a
// key or residual condition of the join that completes its columns, or - what is left -
// a filter behind all joins. at maps those numbers to columns of the relation joined so
// far.
//
// The conditions of a LEFT JOIN decide which rows match and filter none: they stay with
// their join, but for those that read its right leaf only, which is filtered in front. The
// others never go to that leaf or join, whose columns are NULL where nothing matches.
//
// A Range window on the first leaf that is joined with tables only is put on behind the
// lookups: a lookup matches row by row, so the windows hold the same rows, and the
// stream is looked up once and not once for each window a row is in.
type joiner struct {
	*builder
	f          *fromResult
	conditions []condition
	done       []bool
	acc        *relation
	at         []int
	late       bool // the first leaf's window comes behind the lookups
	joined     bool // an instant join was made
}

func newJoiner(b *builder, f *fromResult, conditions []condition) *joiner {
	j := &joiner{builder: b, f: f, conditions: conditions, done: make([]bool, len(conditions))}
	first := f.leaves[0]
	j.late = first.window != nil && first.window.kind.Spans() && first.window.kind != model.Session
	width := 0
	for i, l := range f.leaves {
		j.late = j.late && (i == 0 || l.lookup || l.array != nil)
		width = l.offset + len(l.fields)
	}
	for _, l := range f.leaves {
		l.array.Columns(func(column int) { j.late = j.late && (column >= len(first.fields) || column < first.rel.Schema.Len()) })
	}
	for _, c := range conditions {
		c.expr.Columns(func(column int) {
			j.late = j.late && (c.of == 0 || column >= len(first.fields) || column < first.rel.Schema.Len())
		})
	}
	j.at = make([]int, width)
	for i := range j.at {
		j.at[i] = -1
	}
	return j
}

func (j *joiner) join() error {
	first := j.f.leaves[0]
	acc, err := j.side(first, 0, first.rel, !j.late)
	if err != nil {
		return err
	}
	j.acc = acc
	for i := range acc.Schema.Fields {
		j.at[i] = i
	}
	for i, l := range j.f.leaves[1:] {
		if err := j.next(i+1, l); err != nil {
			return err
		}
	}
	if j.late {
		base := len(first.rel.Schema.Fields)
		n := j.acc.Schema.Len()
		if j.acc, err = j.window(j.acc, first.window, first.describe); err != nil {
			return err
		}
		for i := base; i < len(first.fields); i++ {
			j.at[i] = n + i - base
		}
	}
	j.f.rel = j.acc
	for i, c := range j.conditions {
		if !j.done[i] {
			j.f.where = append(j.f.where, j.remap(c.expr))
		}
	}
	for _, t := range j.f.scope.tables {
		for i := range t.at {
			t.at[i] = j.at[t.at[i]]
		}
	}
	return nil
}

// remap moves a condition to the columns of the relation joined so far.
func (j *joiner) remap(e *model.Expr) *model.Expr {
	return e.Rewrite(func(e *model.Expr) *model.Expr {
		if e.Kind == model.ColumnExpr {
			return model.Col(j.at[e.Column], e.Type)
		}
		return e
	})
}

// shift moves a condition to the columns of one leaf.
func shift(e *model.Expr, by int) *model.Expr {
	return e.Rewrite(func(e *model.Expr) *model.Expr {
		if e.Kind == model.ColumnExpr {
			return model.Col(e.Column-by, e.Type)
		}
		return e
	})
}

// reads returns the leaves whose columns e reads, as the first and the last.
func (j *joiner) reads(e *model.Expr) (first, last int) {
	first, last = len(j.f.leaves), -1
	e.Columns(func(c int) {
		i := j.leafOf(c)
		first, last = min(first, i), max(last, i)
	})
	return first, last
}

// mine reports whether condition i is still to be applied and may be at a leaf's side or join.
func (j *joiner) mine(i, number int) bool {
	of := 0
	if j.f.leaves[number].outer {
		of = number
	}
	return !j.done[i] && j.conditions[i].of == of
}

func (j *joiner) leafOf(column int) int {
	i := len(j.f.leaves) - 1
	for i > 0 && j.f.leaves[i].offset > column {
		i--
	}
	return i
}

// side prepares a leaf: its window, and the conditions that read nothing else.
func (j *joiner) side(l *leaf, number int, rel *relation, window bool) (*relation, error) {
	var err error
	if window && l.window != nil {
		if rel, err = j.window(rel, l.window, l.describe); err != nil {
			return nil, err
		}
	}
	var filter []*model.Expr
	for i := range j.conditions {
		c := j.conditions[i].expr
		first, last := j.reads(c)
		if !j.mine(i, number) || first != number || last != number {
			continue
		}
		c = shift(c, l.offset)
		missing := false
		c.Columns(func(column int) { missing = missing || column >= rel.Schema.Len() })
		if missing {
			continue // reads a window that comes later
		}
		filter = append(filter, c)
		j.done[i] = true
	}
	return j.filter(rel, filter), nil
}

func (b *builder) filter(rel *relation, conditions []*model.Expr) *relation {
	if len(conditions) == 0 {
		return rel
	}
	return b.derive(&model.Operator{Kind: model.FilterOp, Filter: conditions, Relation: rel.Relation}, rel)
}

// next joins one more leaf.
func (j *joiner) next(number int, l *leaf) error {
	if l.array != nil {
		return j.unnest(number, l)
	}
	lookup, err := j.checkKinds(number, l)
	if err != nil {
		return err
	}
	right, err := j.side(l, number, l.rel, true)
	if err != nil {
		return err
	}
	n := j.acc.Schema.Len()
	payload := j.matches(number, l, lookup)
	for i := range l.fields {
		j.at[l.offset+i] = n + i
	}
	j.residual(number, payload)
	if lookup && len(payload.LeftKeys) == 0 {
		return j.fail(l.ref.span, "write ON stream.key = table.key", "a lookup join needs an equality between the stream and %s", l.describe)
	}
	kind := model.JoinOp
	if lookup {
		kind = model.LookupOp
	}
	rel := j.acc.Relation
	rel.Bounded = rel.Bounded && right.Bounded
	rel.Schema = j.bothSides(number, right.Schema.Fields, lookup)
	payload.Outer = l.outer
	if j.acc.Instant() {
		rel.Time = -1
	}
	j.acc = j.derive(&model.Operator{Kind: kind, Join: payload, Relation: rel}, j.acc, right)
	return nil
}

// bothSides is the schema of a join. A window column of the right side that equals the
// left side's keeps its role if it is visible, a copy; a hidden one gives way to the
// left side's. On the right of a LEFT JOIN all columns may be NULL.
func (j *joiner) bothSides(number int, right []stream.Field, lookup bool) *stream.Schema {
	fields := append(cloneFields(j.acc.Schema.Fields), right...)
	for i := j.acc.Schema.Len(); i < len(fields); i++ {
		f, outer := &fields[i], j.f.leaves[number].outer
		f.NotNull = f.NotNull && !outer
		switch {
		case f.Role == stream.NoRole:
		case lookup || outer || f.Role == stream.WindowStart && !j.f.scope.sameStart:
			f.Role = stream.NoRole
		case f.Hidden:
			j.at[j.f.leaves[number].offset+i-j.acc.Schema.Len()] = j.acc.Schema.RoleIndex(f.Role)
			f.Role = stream.NoRole
		}
	}
	return stream.NewSchema(fields...)
}

// checkKinds decides how a leaf is joined, or why it cannot be.
func (j *joiner) checkKinds(number int, l *leaf) (lookup bool, err error) {
	first := j.f.leaves[0]
	at := l.ref.span
	if l.ref.asOf != nil && !l.lookup {
		return false, j.fail(at, "join a bounded table without WATERMARK", "FOR SYSTEM_TIME AS OF over a table that changes is not supported yet")
	}
	if l.ref.asOf != nil {
		x := &exprs{resolver: j.resolver, scope: &scope{tables: j.f.scope.tables[:number]}, clause: "FOR SYSTEM_TIME AS OF"}
		t, err := x.value(l.ref.asOf)
		if err != nil {
			return false, err
		}
		if plain(t.Type) != stream.Timestamp {
			return false, j.fail(l.ref.asOf.span, "write the stream's event-time column", "FOR SYSTEM_TIME AS OF needs a TIMESTAMP, not %s", t.Type)
		}
	}
	leftInstant, leftWindowed := first.instant(), first.windowed()
	switch {
	case l.lookup && leftInstant:
		return false, j.fail(first.window.span, "join in a sub-query and window that: (SELECT .. FROM s JOIN t ON ..) AS x [..]", "a per-instant window cannot be joined with a table yet")
	case l.lookup && first.window != nil && first.window.kind == model.Session:
		return false, j.fail(first.window.span, "join in a sub-query and window that: (SELECT .. FROM s JOIN t ON ..) AS x [..]", "a SESSION window cannot be joined with a table yet")
	case l.lookup && first.window != nil && first.window.kind == model.Rows:
		return false, j.fail(first.window.span, "join in a sub-query and window that: (SELECT .. FROM s JOIN t ON ..) AS x [..]", "a ROWS window cannot be joined with a table yet")
	case l.lookup:
		return true, nil
	case leftInstant && l.instant() && l.outer:
		return false, j.fail(at, "give both windows that close, such as [RANGE 60 SECONDS SLIDE 60 SECONDS]", "a LEFT or RIGHT JOIN of per-instant windows is not supported yet")
	case leftInstant && l.instant():
		if j.joined {
			return false, j.fail(at, "join two in a view and window that", "a join of more than two per-instant windows is not supported yet")
		}
		j.joined = true
		return false, nil
	case leftWindowed && l.windowed():
		return false, j.checkWindows(first, l)
	}
	return false, j.refuseJoin(first, l)
}

func (j *joiner) refuseJoin(first, l *leaf) error {
	at := l.ref.span
	firstInstant, lInstant := first.instant(), l.instant()
	switch {
	case (firstInstant || first.windowed()) && (lInstant || l.windowed()):
		return j.fail(at, "give both the same form: [RANGE d SLIDE e] on both, or [RANGE d] on both", "a per-instant window cannot be joined with a window that closes")
	case first.rel.static && first.window == nil && l.outer:
		return j.fail(at, "keep the stream's rows: FROM "+l.alias+" LEFT JOIN "+first.alias+" ON ..", "which rows of a table match nothing is known when the stream ends; it cannot be joined so")
	case first.rel.static && first.window == nil:
		return j.fail(first.ref.span, "write the stream first: FROM "+l.alias+" JOIN "+first.alias+" ON ..", "the table of a lookup join stands on the right")
	case l.rel.Time < 0 && !l.rel.Bounded && l.window == nil && !l.windowed():
		return j.fail(at, "put a window on both sides, such as "+l.alias+" [ROWS n]", "%s is unbounded, and a join without windows would keep all of it", l.describe)
	}
	without := l
	if l.windowed() || l.instant() {
		without = first
	}
	return j.fail(without.ref.span, "put a window on both sides, such as "+without.alias+" [RANGE 60 SECONDS SLIDE 60 SECONDS]",
		"a join needs windows on both sides, or a bounded table without WATERMARK on its right, and %s has no window", without.describe)
}

// checkWindows: windows pair by their end, so they must end at the same times.
func (j *joiner) checkWindows(first, l *leaf) error {
	kind, size, slide := first.shape()
	otherKind, otherSize, otherSlide := l.shape()
	switch {
	case kind == model.Session || otherKind == model.Session:
		return j.fail(l.ref.span, "use RANGE windows on both sides", "session windows cannot be joined yet")
	case kind == model.Cumulate || otherKind == model.Cumulate:
		return j.fail(l.ref.span, "join TUMBLE windows of the step and cumulate what comes out", "cumulating windows cannot be joined yet")
	case kind != otherKind:
		return j.fail(l.ref.span, "use the same form on both sides", "a ROWS window cannot be joined with a time window")
	case slide != otherSlide:
		return j.fail(l.ref.span, "use the same slide on both sides", "windows that are joined need the same slide")
	case kind == model.Range && (otherSize-size)%slide != 0:
		return j.fail(l.ref.span, "make the sizes differ by a multiple of the slide", "windows of these sizes never end at the same time")
	}
	return nil
}

// matches takes the conditions that make pairs: equalities between the two sides become
// keys, and equalities of the windows' own columns are what pairs windows anyway.
func (j *joiner) matches(number int, l *leaf, lookup bool) *model.Join {
	payload := &model.Join{}
	for i := range j.conditions {
		c := j.conditions[i].expr
		if !j.mine(i, number) || c.Kind != model.CallExpr || c.Func != "eq" {
			continue
		}
		left, right := c.Args[0], c.Args[1]
		first, last := j.reads(left)
		rightFirst, rightLast := j.reads(right)
		if first == number && last == number && rightLast >= 0 && rightLast < number {
			left, right = right, left
			last, rightFirst, rightLast = rightLast, first, last
		}
		if last < 0 || last >= number || rightFirst != number || rightLast != number || !j.available(left) {
			continue
		}
		j.done[i] = true
		if !lookup && j.pairsWindows(number, left, right) {
			continue
		}
		j.key(left)
		j.key(right)
		payload.LeftKeys = append(payload.LeftKeys, j.remap(left))
		payload.RightKeys = append(payload.RightKeys, shift(right, l.offset))
	}
	return payload
}

// key remembers a column that is a join key, also one that is widened to the other
// side's type.
func (j *joiner) key(e *model.Expr) {
	for e.Kind == model.CallExpr && e.Func == "cast" {
		e = e.Args[0]
	}
	if e.Kind == model.ColumnExpr {
		j.f.keyed[e.Column] = true
	}
}

// available: all columns are there already.
func (j *joiner) available(e *model.Expr) bool {
	ok := true
	e.Columns(func(c int) { ok = ok && j.at[c] >= 0 })
	return ok
}

// pairsWindows: both are the same column of the two windows, equal in every pair that the
// join of a leaf makes.
func (j *joiner) pairsWindows(joining int, left, right *model.Expr) bool {
	if left.Kind != model.ColumnExpr || right.Kind != model.ColumnExpr {
		return false
	}
	role := func(column int) stream.Role {
		number := j.leafOf(column)
		l := j.f.leaves[number]
		if l.outer && number < joining {
			return stream.NoRole // NULL in rows without partner
		}
		return l.fields[column-l.offset].Role
	}
	r := role(left.Column)
	return r != stream.NoRole && r == role(right.Column) && (r != stream.WindowStart || j.f.scope.sameStart)
}

// residual takes the other conditions whose columns are complete with this join.
func (j *joiner) residual(number int, payload *model.Join) {
	outer := j.f.leaves[number].outer
	for i := range j.conditions {
		c := j.conditions[i].expr
		first, last := j.reads(c)
		if !j.mine(i, number) || !outer && (last != number || first == number || !j.available(c)) {
			continue
		}
		j.done[i] = true
		payload.On = append(payload.On, j.remap(c))
	}
}
