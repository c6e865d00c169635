package operator

import (
	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// condition is a simple conjunct: a test of a column against a constant or another
// column. It cannot fail and needs no registers: it clears bits of a bitmap of rows in
// place, one pass over the column, and passes over rows that other conditions have left
// out.
type condition struct {
	column int
	other  int // column on the right, or -1
	kind   conditionKind
	test   vec.Test
	konst
	parts []alternative // anyOf
}

// alternative is one side of an OR: a row passes all its conditions. If there is but one
// and it compares, without is its inverse.
type alternative struct {
	all     []condition
	without condition
}

func alternativeOf(all []condition) alternative {
	a := alternative{all: all}
	if c := all[0]; len(all) == 1 && c.kind == compares {
		a.without = c
		a.without.test = inverse[c.test]
	}
	return a
}

type conditionKind uint8

const (
	compares  conditionKind = iota
	isTrue                  // a bare BOOLEAN
	isNull                  // the column is NULL
	isNotNull               // it is not
	never                   // comparison with NULL
	anyOf                   // OR, or IN a few constants
)

var conditionTests = map[string]vec.Test{
	"eq": vec.Equal, "ne": vec.NotEqual, "lt": vec.Less, "le": vec.LessEqual, "gt": vec.Greater, "ge": vec.GreaterEqual,
}

// inverse are the tests that hold where others do not.
var inverse = [...]vec.Test{
	vec.Equal: vec.NotEqual, vec.NotEqual: vec.Equal, vec.Less: vec.GreaterEqual,
	vec.LessEqual: vec.Greater, vec.Greater: vec.LessEqual, vec.GreaterEqual: vec.Less,
}

// swapped are the tests with operands exchanged.
var swapped = [...]vec.Test{
	vec.Equal: vec.Equal, vec.NotEqual: vec.NotEqual, vec.Less: vec.Greater,
	vec.LessEqual: vec.GreaterEqual, vec.Greater: vec.Less, vec.GreaterEqual: vec.LessEqual,
}

// splitConditions takes simple conjuncts out of a list.
func splitConditions(conjuncts []*model.Expr) (simple []condition, rest []*model.Expr) {
	for _, e := range conjuncts {
		if c, ok := conditionsOf(e); ok {
			simple = append(simple, c...)
		} else {
			rest = append(rest, e)
		}
	}
	return simple, rest
}

// conditionsOf returns the simple conditions that a conjunct consists of: it is one or an
// AND of nothing else. An AND in which something may fail stays whole: as an expression
// it prefers a failure to NULL, WHERE does not.
func conditionsOf(e *model.Expr) ([]condition, bool) {
	if e.Kind != model.CallExpr || e.Func != "and" {
		c, ok := conditionOf(e)
		return []condition{c}, ok
	}
	var out []condition
	for _, a := range e.Args {
		c, ok := conditionsOf(a)
		if !ok {
			return nil, false
		}
		out = append(out, c...)
	}
	return out, true
}

func conditionOf(e *model.Expr) (condition, bool) {
	if e.Kind == model.ColumnExpr && e.Type == stream.Boolean {
		return condition{column: e.Column, other: -1, kind: isTrue}, true
	}
	if e.Kind != model.CallExpr || len(e.Args) == 0 {
		return condition{}, false
	}
	switch e.Func {
	case "or":
		return anyConditionOf(e.Args)
	case "in":
		return membershipOf(e)
	case "not":
		c, ok := conditionOf(e.Args[0])
		c.test = inverse[c.test]
		return c, ok && (c.kind == compares || c.kind == never)
	}
	return comparisonOf(e)
}

// anyConditionOf is an OR of simple conditions.
func anyConditionOf(args []*model.Expr) (condition, bool) {
	c := condition{other: -1, kind: anyOf}
	for _, a := range args {
		all, ok := conditionsOf(a)
		switch {
		case !ok:
			return condition{}, false
		case len(all) == 1 && all[0].kind == anyOf:
			c.parts = append(c.parts, all[0].parts...)
		default:
			c.parts = append(c.parts, alternativeOf(all))
		}
	}
	return c, true
}

// membershipOf is a short list of constants, of which one equals the column; NULL does
// not make a row pass.
func membershipOf(e *model.Expr) (condition, bool) {
	c := condition{other: -1, kind: anyOf}
	if len(e.Args) > inListMin {
		return condition{}, false
	}
	for _, a := range e.Args[1:] {
		part, ok := comparisonOf(model.Call("eq", stream.Boolean, e.Args[0], a))
		if !ok {
			return condition{}, false
		}
		c.parts = append(c.parts, alternativeOf([]condition{part}))
	}
	return c, true
}

// comparisonOf is a test of one column.
func comparisonOf(e *model.Expr) (condition, bool) {
	left := e.Args[0]
	if (e.Func == "is_null" || e.Func == "is_not_null") && left.Kind == model.ColumnExpr {
		return condition{column: left.Column, other: -1, kind: map[bool]conditionKind{true: isNull, false: isNotNull}[e.Func == "is_null"]}, true
	}
	test, ok := conditionTests[e.Func]
	if !ok || len(e.Args) != 2 {
		return condition{}, false
	}
	right := e.Args[1]
	if left.Kind == model.LiteralExpr {
		left, right, test = right, left, swapped[test]
	}
	if left.Kind != model.ColumnExpr || left.Type != right.Type || !numbered(left.Type) {
		return condition{}, false
	}
	c := condition{column: left.Column, other: -1, test: test}
	switch {
	case right.Kind == model.ColumnExpr:
		c.other = right.Column
	case right.Kind != model.LiteralExpr:
		return condition{}, false
	case right.Literal.Null:
		c.kind = never
	default:
		c.konst = konstOf(right.Literal)
	}
	return c, true
}

// numbered reports whether values of t are numbers of a fixed width.
func numbered(t stream.Type) bool {
	s := t.Storage()
	return s != stream.Boolean && s != stream.Varchar && s != stream.Invalid
}

// narrow clears the bits of the rows among the first n that do not pass.
func (c *condition) narrow(s *ProgramScratch, pass stream.Bitmap, cols []stream.Column, n int) {
	switch c.kind {
	case never:
		clear(pass)
		return
	case anyOf:
		c.narrowAny(s, pass, cols, n)
		return
	}
	a := &cols[c.column]
	switch c.kind {
	case isNull:
		if a.Valid == nil {
			clear(pass)
		} else {
			vec.AndNot(pass, a.Valid)
		}
		return
	}
	if a.Valid != nil {
		vec.And(pass, a.Valid)
	}
	switch {
	case c.kind == isNotNull:
	case c.kind == isTrue:
		vec.And(pass, a.Bits)
	case c.other >= 0:
		c.narrowPairs(pass, a, &cols[c.other], n)
	default:
		c.narrowConst(pass, a, n)
	}
}

// narrowAny keeps track of the rows that no part has let pass so far: a plain comparison
// leaves those of them for which its inverse holds.
func (c *condition) narrowAny(s *ProgramScratch, pass stream.Bitmap, cols []stream.Column, n int) {
	open := s.spare(len(pass))
	copy(open, pass)
	for i := range c.parts {
		part := &c.parts[i]
		if len(part.all) == 1 && part.all[0].invertible(cols) {
			part.without.narrow(s, open, cols, n)
			continue
		}
		left := s.spare(len(pass))
		copy(left, open)
		for k := range part.all {
			part.all[k].narrow(s, left, cols, n)
		}
		vec.AndNot(open, left)
		s.spared--
	}
	vec.AndNot(pass, open)
	s.spared--
}

// invertible reports whether the condition compares columns without NULL.
func (c *condition) invertible(cols []stream.Column) bool {
	return c.kind == compares && cols[c.column].Valid == nil && (c.other < 0 || cols[c.other].Valid == nil)
}

// spare returns a bitmap of so many words; the caller counts spared down when it is done.
func (s *ProgramScratch) spare(words int) stream.Bitmap {
	if s.spared == len(s.spares) {
		s.spares = append(s.spares, nil)
	}
	b := &s.spares[s.spared]
	s.spared++
	*b = resize(*b, words)
	return *b
}

func (c *condition) narrowConst(pass stream.Bitmap, a *stream.Column, n int) {
	switch a.Type.Storage() {
	case stream.Integer:
		vec.Narrow(pass, a.I32[:n], c.test, c.i32)
	case stream.Real:
		vec.Narrow(pass, a.F32[:n], c.test, c.f32)
	case stream.Double:
		vec.Narrow(pass, a.F64[:n], c.test, c.f64)
	default:
		vec.Narrow(pass, a.I64[:n], c.test, c.i64)
	}
}

func (c *condition) narrowPairs(pass stream.Bitmap, a, b *stream.Column, n int) {
	if b.Valid != nil {
		vec.And(pass, b.Valid)
	}
	switch a.Type.Storage() {
	case stream.Integer:
		vec.NarrowPairs(pass, a.I32[:n], b.I32[:n], c.test)
	case stream.Real:
		vec.NarrowPairs(pass, a.F32[:n], b.F32[:n], c.test)
	case stream.Double:
		vec.NarrowPairs(pass, a.F64[:n], b.F64[:n], c.test)
	default:
		vec.NarrowPairs(pass, a.I64[:n], b.I64[:n], c.test)
	}
}

// some reports whether any bit is set.
func some(b stream.Bitmap) bool {
	any := uint64(0)
	for _, w := range b {
		any |= w
	}
	return any != 0
}
