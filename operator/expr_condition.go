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
}

type conditionKind uint8

const (
	compares  conditionKind = iota
	isTrue                  // a bare BOOLEAN
	isNull                  // the column is NULL
	isNotNull               // it is not
	never                   // comparison with NULL
)

var conditionTests = map[string]vec.Test{
	"eq": vec.Equal, "ne": vec.NotEqual, "lt": vec.Less, "le": vec.LessEqual, "gt": vec.Greater, "ge": vec.GreaterEqual,
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
	return t != stream.Boolean && t != stream.Varchar && t != stream.Invalid
}

// narrow clears the bits of the rows among the first n that do not pass.
func (c *condition) narrow(pass stream.Bitmap, cols []stream.Column, n int) {
	a := &cols[c.column]
	switch c.kind {
	case never:
		clear(pass)
		return
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

func (c *condition) narrowConst(pass stream.Bitmap, a *stream.Column, n int) {
	switch a.Type {
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
	switch a.Type {
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
