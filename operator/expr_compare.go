package operator

import (
	"fmt"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var comparisonFunctions = map[string]prepare{
	"eq":           prepareComparison(cmpEqual, false, false),
	"ne":           prepareComparison(cmpEqual, false, true),
	"lt":           prepareComparison(cmpLess, false, false),
	"ge":           prepareComparison(cmpLess, false, true),
	"gt":           prepareComparison(cmpLess, true, false),
	"le":           prepareComparison(cmpLess, true, true),
	"distinct":     prepareDistinct(false),
	"not_distinct": prepareDistinct(true),
	"is_null":      prepareIsNull(true),
	"is_not_null":  prepareIsNull(false),
}

// comparison is what a kernel tests.
type comparison uint8

const (
	cmpEqual comparison = iota
	cmpLess
	cmpLessEqual // against constants only
)

// prepareComparison: swap exchanges the operands (a > b is b < a), invert negates the
// result (a >= b is not a < b).
func prepareComparison(test comparison, swap, invert bool) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		if err := sameTypes(e.Args, 2); err != nil {
			return err
		}
		c := compared{test: test, left: 0, right: 1}
		if swap {
			c.left, c.right = 1, 0
		}
		if invert {
			in.flip = ^uint64(0)
		}
		c.useConstant(b, in)
		in.data, in.run = c, runComparison
		return nil
	}
}

func sameTypes(args []*model.Expr, n int) error {
	if len(args) < n {
		return fmt.Errorf("%d arguments, it needs %d", len(args), n)
	}
	for _, a := range args[1:] {
		if a.Type != args[0].Type {
			return fmt.Errorf("arguments of types %s and %s", args[0].Type, a.Type)
		}
	}
	return nil
}

// compared describes a comparison of arguments left and right. If isConst, the right
// one is the instruction's constant.
type compared struct {
	test        comparison
	left, right int
	isConst     bool
}

// useConstant picks the kernel for a constant operand where there is one.
func (c *compared) useConstant(b *builder, in *instr) {
	if v, ok := b.literalOf(in.args[c.right]); ok && hasConstKernel(v, c.test) {
		in.konst, c.isConst = konstOf(v), true
		return
	}
	v, ok := b.literalOf(in.args[c.left])
	switch {
	case !ok || !hasConstKernel(v, c.test):
	case c.test == cmpEqual:
		in.konst, c.isConst, c.left = konstOf(v), true, c.right
	default: // k < x is not x <= k
		in.konst, c.isConst, c.left, c.test = konstOf(v), true, c.right, cmpLessEqual
		in.flip = ^in.flip
	}
}

func hasConstKernel(v stream.Value, test comparison) bool {
	switch v.Type.Storage() {
	case stream.Boolean:
		return false
	case stream.Varchar:
		return test == cmpEqual
	}
	return true
}

func runComparison(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	c := in.data.(compared)
	if c.isConst {
		s.compareConst(out.Bits, s.arg(in, c.left), &in.konst, c.test, in.flip)
		return
	}
	s.compare(out.Bits, s.arg(in, c.left), s.arg(in, c.right), c.test, in.flip)
}

func (s *ProgramScratch) compareConst(dst stream.Bitmap, a *vector, k *konst, test comparison, flip uint64) {
	switch t := test.vector(flip); a.Type.Storage() {
	case stream.Integer:
		vec.Compare(dst, a.I32[:s.n], t, k.i32)
	case stream.Real:
		vec.Compare(dst, a.F32[:s.n], t, k.f32)
	case stream.Double:
		vec.Compare(dst, a.F64[:s.n], t, k.f64)
	case stream.Varchar:
		equalTextConst(dst, &a.Column, k.text, s.n, flip)
	default:
		vec.Compare(dst, a.I64[:s.n], t, k.i64)
	}
}

// vector is the test that gives the bits as flip wants them.
func (c comparison) vector(flip uint64) vec.Test {
	inverse := flip != 0
	switch {
	case c == cmpEqual && inverse:
		return vec.NotEqual
	case c == cmpEqual:
		return vec.Equal
	case c == cmpLess && inverse:
		return vec.GreaterEqual
	case c == cmpLess:
		return vec.Less
	case inverse:
		return vec.Greater
	}
	return vec.LessEqual
}

// compare tests cmpEqual or cmpLess.
func (s *ProgramScratch) compare(dst stream.Bitmap, a, b *vector, test comparison, flip uint64) {
	n, equal := s.n, test == cmpEqual
	switch t := test.vector(flip); a.Type.Storage() {
	case stream.Boolean:
		if equal {
			equalBits(dst, a.Bits, b.Bits, flip)
		} else {
			lessBits(dst, a.Bits, b.Bits, flip)
		}
	case stream.Varchar:
		if equal {
			equalTexts(dst, &a.Column, &b.Column, n, flip)
		} else {
			lessTexts(dst, &a.Column, &b.Column, n, flip)
		}
	case stream.Integer:
		vec.ComparePairs(dst, a.I32[:n], b.I32[:n], t)
	case stream.Real:
		vec.ComparePairs(dst, a.F32[:n], b.F32[:n], t)
	case stream.Double:
		vec.ComparePairs(dst, a.F64[:n], b.F64[:n], t)
	default:
		vec.ComparePairs(dst, a.I64[:n], b.I64[:n], t)
	}
}

// prepareDistinct: NULL is a value like others; the result is never NULL.
func prepareDistinct(invert bool) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		if invert {
			in.flip = ^uint64(0)
		}
		in.run = runDistinct
		return sameTypes(e.Args, 2)
	}
}

func runDistinct(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Valid = nil
	out.Bits = resize(out.Bits, s.words)
	a, b := s.arg(in, 0), s.arg(in, 1)
	s.compare(out.Bits, a, b, cmpEqual, 0)
	for i := range out.Bits {
		va, vb := validWord(a, i), validWord(b, i)
		equal := out.Bits[i]&va&vb | ^va&^vb
		out.Bits[i] = ^equal ^ in.flip
	}
}

func validWord(v *vector, i int) uint64 {
	if v.Valid == nil {
		return ^uint64(0)
	}
	return v.Valid[i]
}

func prepareIsNull(null bool) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		if null {
			in.flip = ^uint64(0)
		}
		in.run = runIsNotNull
		return sameTypes(e.Args, 1)
	}
}

func runIsNotNull(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Valid = nil
	out.Bits = resize(out.Bits, s.words)
	a := s.arg(in, 0)
	for i := range out.Bits {
		out.Bits[i] = validWord(a, i) ^ in.flip
	}
}
