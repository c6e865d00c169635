package model

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/stream"
)

// What Verify asks of each kind of operator.

func (v *verifier) source() string {
	s, r := v.op.Source, &v.op.Relation
	switch {
	case s.Connector == "":
		return "a source needs a connector"
	case r.Window != nil:
		return "a source carries no window; put a window operator behind it"
	case s.WatermarkDelayMicros < 0 || s.MaxJumpMicros < 0 || s.IdleTimeoutMicros < 0:
		return "watermark delay, greatest jump and idle timeout must not be negative"
	case s.OnError > ErrorsFail:
		return "unknown error policy"
	case s.Late > LateDrop:
		return "unknown policy for late rows"
	case len(s.Computed) != 0 && len(s.Computed) != r.Schema.Len():
		return fmt.Sprintf("%d computed columns for %d columns", len(s.Computed), r.Schema.Len())
	}
	for i, e := range s.Computed {
		if e == nil {
			continue
		}
		if msg := VerifyExpr(e, r.Schema.Fields); msg != "" {
			return fmt.Sprintf("computed column %d: %s", i, msg)
		}
		if t := r.Schema.Fields[i].Type; e.Type != t {
			return fmt.Sprintf("computed column %d is %s, not %s", i, e.Type, t)
		}
		fault := ""
		e.Columns(func(c int) {
			if s.Computed[c] != nil {
				fault = fmt.Sprintf("computed column %d reads computed column %d", i, c)
			}
		})
		if fault != "" {
			return fault
		}
	}
	return ""
}

func (v *verifier) filter() string {
	in, r := v.in[0], &v.op.Relation
	if msg := sameColumns(r.Schema.Fields, in.Schema.Fields); msg != "" {
		return "output: " + msg
	}
	if r.Time != in.Time || !sameWindow(r.Window, in.Window) {
		return "a filter keeps the time column and the window of its input"
	}
	if len(v.op.Filter) == 0 {
		return "a filter needs a predicate"
	}
	return verifyExprs("predicate", v.op.Filter, in.Schema.Fields, stream.Boolean)
}

func (v *verifier) project() string {
	in, r := v.in[0], &v.op.Relation
	if len(v.op.Project) != r.Schema.Len() {
		return fmt.Sprintf("%d expressions for %d columns", len(v.op.Project), r.Schema.Len())
	}
	if msg := verifyExprs("expression", v.op.Project, in.Schema.Fields, stream.Invalid); msg != "" {
		return msg
	}
	for i, f := range r.Schema.Fields {
		e := v.op.Project[i]
		if e.Type != f.Type {
			return fmt.Sprintf("column %d is %s but its expression is %s", i, f.Type, e.Type)
		}
		if f.Role != stream.NoRole && (e.Kind != ColumnExpr || in.Schema.Fields[e.Column].Role != f.Role) {
			return fmt.Sprintf("column %d has role %s but does not repeat a column with it", i, f.Role)
		}
	}
	if !sameWindow(r.Window, in.Window) {
		return "a projection keeps the window of its input"
	}
	if r.Time >= 0 && !repeatsTime(v.op.Project[r.Time], in) {
		return fmt.Sprintf("time column %d does not repeat the event time of the input", r.Time)
	}
	return ""
}

// repeatsTime: the column is the input's event time, or a copy of its window time.
func repeatsTime(e *Expr, in Relation) bool {
	if e.Kind != ColumnExpr || in.Time < 0 {
		return false
	}
	role := in.Schema.Fields[in.Time].Role
	return e.Column == in.Time || role != stream.NoRole && in.Schema.Fields[e.Column].Role == role
}

// verifyWindow checks a window's parameters; input is nil for a window carried.
func verifyWindow(w *Window, input *stream.Schema) string {
	switch {
	case w.Kind == NoWindow || w.Kind > PartitionRows:
		return fmt.Sprintf("unknown window form %d", w.Kind)
	case w.Size <= 0:
		return fmt.Sprintf("size %d must be above zero", w.Size)
	case !w.Kind.Instant() && w.Kind != Session && w.Slide <= 0:
		return fmt.Sprintf("slide %d must be above zero", w.Slide)
	case (w.Kind.Instant() || w.Kind == Session) && w.Slide != 0:
		return fmt.Sprintf("a %s window has no slide", w.Kind)
	case w.Kind == Cumulate && w.Size%w.Slide != 0:
		return fmt.Sprintf("size %d must be a multiple of step %d", w.Size, w.Slide)
	case w.Kind != PartitionRows && w.Kind != Session && len(w.PartitionBy) > 0:
		return fmt.Sprintf("a %s window is not partitioned", w.Kind)
	case w.Kind == PartitionRows && len(w.PartitionBy) == 0:
		return "a partition-rows window needs a column to partition by"
	}
	if input == nil {
		return ""
	}
	for _, c := range w.PartitionBy {
		if c < 0 || c >= input.Len() {
			return fmt.Sprintf("partition column $%d does not exist", c)
		}
	}
	return ""
}

func (v *verifier) window() string {
	in, r, w := v.in[0], &v.op.Relation, v.op.Window
	if msg := verifyWindow(w, in.Schema); msg != "" {
		return msg
	}
	switch {
	case in.Instant():
		return "a window over per-instant rows; an emit operator must come between"
	case w.Kind.Timed() && in.Time < 0:
		return fmt.Sprintf("a %s window needs an input with event time", w.Kind)
	case !sameWindow(r.Window, w):
		return "its relation does not carry its window"
	}
	roles := windowColumns(w)
	n := in.Schema.Len()
	if r.Schema.Len() != n+len(roles) {
		return fmt.Sprintf("it has %d columns, not the input's %d and %d of the window", r.Schema.Len(), n, len(roles))
	}
	for i, f := range r.Schema.Fields {
		switch {
		case i < n && f.Type != in.Schema.Fields[i].Type:
			return fmt.Sprintf("column %d is %s, not %s", i, f.Type, in.Schema.Fields[i].Type)
		case i < n && f.Role != stream.NoRole && len(roles) > 0:
			return fmt.Sprintf("column %d keeps the role of an earlier window", i)
		case i >= n && (f.Role != roles[i-n] || !f.Hidden):
			return fmt.Sprintf("column %d should be hidden with role %s", i, roles[i-n])
		}
	}
	want := in.Time
	switch {
	case w.Kind.Spans():
		want = n + len(roles) - 1
	case w.Kind == Rows:
		want = -1
	}
	if r.Time != want {
		return fmt.Sprintf("its time column is %d, not %d", r.Time, want)
	}
	return ""
}

func (v *verifier) aggregate() string {
	in, r, a := v.in[0], &v.op.Relation, v.op.Aggregate
	if in.Window == nil && !in.Bounded {
		return "grouping an unbounded stream needs a window"
	}
	if !sameWindow(r.Window, in.Window) {
		return "it does not carry the window of its input"
	}
	if msg := verifyExprs("key", a.Keys, in.Schema.Fields, stream.Invalid); msg != "" {
		return msg
	}
	var want []stream.Type
	for _, k := range a.Keys {
		want = append(want, k.Type)
	}
	for i, g := range a.Aggs {
		if msg := verifyAgg(g, in.Schema.Fields); msg != "" {
			return fmt.Sprintf("aggregate %d: %s", i, msg)
		}
		want = append(want, g.Type)
	}
	values := len(want)
	if p := a.Peak; p != nil {
		switch {
		case p.Func != Max && p.Func != Min:
			return fmt.Sprintf("a peak is max or min, not %s", p.Func)
		case p.Column < 0 || p.Column >= values:
			return fmt.Sprintf("peak of column %d, which is no key and no aggregate", p.Column)
		case !PeakType(want[p.Column]):
			return fmt.Sprintf("peak of column %d, which is %s and not a number or time", p.Column, want[p.Column])
		case !r.Windowed():
			return "a peak needs windows that close"
		}
	}
	roles := windowColumns(r.Window)
	if r.Schema.Len() != values+len(roles) {
		return fmt.Sprintf("it has %d columns, not %d of keys and aggregates and %d of the window", r.Schema.Len(), values, len(roles))
	}
	for i, f := range r.Schema.Fields {
		switch {
		case i < values && f.Type != want[i]:
			return fmt.Sprintf("column %d is %s, not %s", i, f.Type, want[i])
		case i >= values && f.Role != roles[i-values]:
			return fmt.Sprintf("column %d should have role %s", i, roles[i-values])
		}
	}
	wantTime := -1
	if len(roles) == 3 {
		wantTime = r.Schema.Len() - 1
	}
	if r.Time != wantTime {
		return fmt.Sprintf("its time column is %d, not %d", r.Time, wantTime)
	}
	return ""
}

func (v *verifier) join() string {
	l, r := v.in[0].Window, v.in[1].Window
	switch {
	case l == nil || r == nil:
		return "both sides of a join carry a window; a bounded table is joined by a lookup"
	case l.Kind.Instant() != r.Kind.Instant(), !l.Kind.Instant() && l.Kind != r.Kind:
		return fmt.Sprintf("a %s window cannot be joined with a %s window", l.Kind, r.Kind)
	case l.Kind == Cumulate || l.Kind == Session:
		return fmt.Sprintf("%s windows cannot be joined", l.Kind)
	case v.op.Join.Outer && l.Kind.Instant():
		return "an outer join of per-instant windows"
	case l.Slide != r.Slide:
		return fmt.Sprintf("windows joined have the same slide, not %d and %d", l.Slide, r.Slide)
	}
	if out := v.op.Relation.Window; out == nil || out.Kind.Instant() != l.Kind.Instant() {
		return "it does not carry the windows of its inputs"
	}
	return v.pairs()
}

func (v *verifier) lookup() string {
	switch {
	case v.in[0].Instant() || v.in[1].Instant():
		return "a lookup of per-instant rows; an emit operator must come before it"
	case !v.in[1].Bounded:
		return "the table of a lookup must be bounded"
	case !sameWindow(v.op.Relation.Window, v.in[0].Window) || v.op.Relation.Time != v.in[0].Time:
		return "a lookup keeps the time column and the window of its left input"
	}
	return v.pairs()
}

func (v *verifier) unnest() string {
	in, r, u := v.in[0], &v.op.Relation, v.op.Unnest
	switch {
	case in.Instant():
		return "an unnest of per-instant rows; an emit operator must come before it"
	case u.Array == nil:
		return "an unnest without an array"
	case !sameWindow(r.Window, in.Window) || r.Time != in.Time:
		return "an unnest keeps the time column and the window of its input"
	}
	if msg := VerifyExpr(u.Array, in.Schema.Fields); msg != "" {
		return "array: " + msg
	}
	if !u.Array.Type.IsArray() {
		return fmt.Sprintf("it takes apart an ARRAY, not %s", u.Array.Type)
	}
	want, n := u.Columns(), in.Schema.Len()
	if r.Schema.Len() != n+len(want) {
		return fmt.Sprintf("it has %d columns, not %d of its input and %d of the elements", r.Schema.Len(), n, len(want))
	}
	if msg := sameColumns(r.Schema.Fields[:n], in.Schema.Fields); msg != "" {
		return "output: " + msg
	}
	for i, t := range want {
		f, number := r.Schema.Fields[n+i], u.Ordinality && i == len(want)-1
		switch {
		case f.Type != t:
			return fmt.Sprintf("column %d is %s, not %s", n+i, f.Type, t)
		case f.Role != stream.NoRole:
			return fmt.Sprintf("column %d of an element has role %s", n+i, f.Role)
		case f.NotNull && (u.Outer || !number):
			return fmt.Sprintf("column %d of an element can be NULL", n+i)
		}
	}
	return ""
}

// pairs checks keys, residual conditions and output of a join or lookup.
func (v *verifier) pairs() string {
	j := v.op.Join
	left, right := v.in[0].Schema.Fields, v.in[1].Schema.Fields
	if len(j.LeftKeys) != len(j.RightKeys) {
		return fmt.Sprintf("%d left keys for %d right keys", len(j.LeftKeys), len(j.RightKeys))
	}
	if msg := verifyExprs("left key", j.LeftKeys, left, stream.Invalid); msg != "" {
		return msg
	}
	if msg := verifyExprs("right key", j.RightKeys, right, stream.Invalid); msg != "" {
		return msg
	}
	for i := range j.LeftKeys {
		if a, b := j.LeftKeys[i].Type, j.RightKeys[i].Type; a != b {
			return fmt.Sprintf("key %d equates %s with %s", i, a, b)
		}
	}
	both := slices.Concat(left, right)
	if msg := verifyExprs("condition", j.On, both, stream.Boolean); msg != "" {
		return msg
	}
	have := v.op.Relation.Schema.Fields
	if len(have) != len(both) {
		return fmt.Sprintf("it has %d columns, not %d from the left and %d from the right", len(have), len(left), len(right))
	}
	for i := range both {
		if have[i].Type != both[i].Type {
			return fmt.Sprintf("column %d is %s, not %s", i, have[i].Type, both[i].Type)
		}
		if j.Outer && i >= len(left) && (have[i].NotNull || have[i].Role != stream.NoRole) {
			return fmt.Sprintf("column %d of an outer join is NULL in rows without partner, and so neither NOT NULL nor one of the window", i)
		}
	}
	return ""
}

func (v *verifier) union() string {
	r := &v.op.Relation
	for i, in := range v.in {
		if in.Instant() {
			return fmt.Sprintf("input %d is per-instant; an emit operator must come before the union", i)
		}
		if len(in.Schema.Fields) != r.Schema.Len() {
			return fmt.Sprintf("input %d has %d columns, not %d", i, in.Schema.Len(), r.Schema.Len())
		}
		for c, f := range in.Schema.Fields {
			if f.Type != r.Schema.Fields[c].Type {
				return fmt.Sprintf("column %d of input %d is %s, not %s", c, i, f.Type, r.Schema.Fields[c].Type)
			}
		}
		if r.Time >= 0 && in.Time != r.Time {
			return fmt.Sprintf("it is ordered by column %d but input %d by %d", r.Time, i, in.Time)
		}
		if r.Window != nil && !sameWindow(r.Window, in.Window) {
			return fmt.Sprintf("input %d does not carry the window of the union", i)
		}
	}
	return ""
}

func (v *verifier) emit() string {
	in, r := v.in[0], &v.op.Relation
	if v.op.Emit > Dstream {
		return fmt.Sprintf("unknown mode %d", v.op.Emit)
	}
	if !in.Instant() {
		return "its input is not per-instant"
	}
	if r.Window != nil {
		return "what it emits is a stream and carries no window"
	}
	n := in.Schema.Len()
	extra := r.Schema.Len() - n
	if extra != 0 && extra != 1 {
		return fmt.Sprintf("it has %d columns, not the input's %d or one more for the instant's time", r.Schema.Len(), n)
	}
	for i, f := range in.Schema.Fields {
		if r.Schema.Fields[i].Type != f.Type {
			return fmt.Sprintf("column %d is %s, not %s", i, r.Schema.Fields[i].Type, f.Type)
		}
	}
	want := -1
	if extra == 1 {
		want = n
	}
	if r.Time != want {
		return fmt.Sprintf("its time column is %d, not %d", r.Time, want)
	}
	return ""
}

func (v *verifier) sink() string {
	in, s := v.in[0], v.op.Sink
	switch {
	case s.Connector == "":
		return "a sink needs a connector"
	case s.OnError > ErrorsFail:
		return "unknown error policy"
	case s.Result < 0:
		return "its result number is negative"
	case in.Instant():
		return "per-instant rows reach a sink; an emit operator must come before it"
	}
	return sameColumns(v.op.Relation.Schema.Fields, in.Schema.Fields)
}
