package operator

import (
	"fmt"
	"math"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var arithmeticFunctions = map[string]prepare{
	"add": orTimes(timeSums, prepareArithmetic(addInts[int32], addInts[int64], sumFloats[float32], sumFloats[float64])),
	"sub": orTimes(timeDifferences, prepareArithmetic(subInts[int32], subInts[int64], subFloats[float32], subFloats[float64])),
	"mul": prepareArithmetic(mulInt32, mulInt64, mulFloats[float32], mulFloats[float64]),
	"div": prepareDivision(vec.DivConst, divInts[int32], divInts[int64], divFloats[float32], divFloats[float64]),
	"mod": prepareDivision(vec.ModConst, modInts[int32], modInts[int64], modFloats[float32], modFloats[float64]),
	"neg": prepareArithmetic(negInts[int32], negInts[int64], negFloats[float32], negFloats[float64]),
	"abs": prepareArithmetic(absInts[int32], absInts[int64], absFloats[float32], absFloats[float64]),
}

type kernel = func(*ProgramScratch, *instr)

// prepareArithmetic picks a kernel by the storage of the result's type: sums, differences
// and multiples of times are those of whole numbers. Where the type has fewer values than
// its storage, the kernel's results are checked.
func prepareArithmetic(i32, i64, f32, f64 kernel) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = byType(e.Type, i32, i64, f32, f64)
		if in.run == nil {
			return fmt.Errorf("no arithmetic of %s", e.Type)
		}
		for _, a := range e.Args {
			if a.Type.Storage() != e.Type.Storage() {
				return fmt.Errorf("argument of type %s for a result of %s", a.Type, e.Type)
			}
		}
		in.run = ranged(in.run, e.Type)
		return nil
	}
}

// prepareDivision is prepareArithmetic with another loop for an INTEGER by a constant that
// no row fails with.
func prepareDivision(byConst func(dst, v []int32, k int32), i32, i64, f32, f64 kernel) prepare {
	general := prepareArithmetic(i32, i64, f32, f64)
	return func(b *builder, e *model.Expr, in *instr) error {
		if err := general(b, e, in); err != nil || e.Type.Storage() != stream.Integer {
			return err
		}
		if v, ok := b.literalOf(in.args[1]); ok && v.I != 0 && v.I != -1 {
			in.konst = konstOf(v)
			in.run = func(s *ProgramScratch, in *instr) {
				_, o, a := oneOf[int32, int32](s, in)
				byConst(o, a, in.i32)
			}
		}
		return nil
	}
}

// ranged adds to a kernel the check that its results are among a type's values.
func ranged(run kernel, t stream.Type) kernel {
	if t.Storage() != stream.Integer || t == stream.Integer {
		return run
	}
	low, high, _ := t.Range()
	return func(s *ProgramScratch, in *instr) {
		run(s, in)
		out := s.result(in)
		for i, x := range out.I32[:s.n] {
			if x < int32(low) || x > int32(high) {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

// byType picks the variant for a type's Go type; nil if there is none.
func byType(t stream.Type, i32, i64, f32, f64 kernel) kernel {
	switch t.Storage() {
	case stream.Integer:
		return i32
	case stream.BigInt:
		return i64
	case stream.Real:
		return f32
	case stream.Double:
		return f64
	}
	return nil
}

// values is the slice of a column that holds values of T.
func values[T fixed](c *stream.Column) *[]T {
	var p any
	switch any(T(0)).(type) {
	case int32:
		p = &c.I32
	case int64:
		p = &c.I64
	case float32:
		p = &c.F32
	default:
		p = &c.F64
	}
	return p.(*[]T)
}

// pairOf returns the strict result of a two-argument instruction with its values and
// the arguments'.
func pairOf[T fixed](s *ProgramScratch, in *instr) (out *vector, o, a, b []T) {
	out, o, a = oneOf[T, T](s, in)
	return out, o, a, (*values[T](&s.arg(in, 1).Column))[:len(o)]
}

// oneOf is pairOf for the first argument only.
func oneOf[T, A fixed](s *ProgramScratch, in *instr) (out *vector, o []T, a []A) {
	out = s.strict(in)
	p := values[T](&out.Column)
	*p = resize(*p, s.n)
	o = *p
	return out, o, (*values[A](&s.arg(in, 0).Column))[:len(o)]
}

func sumFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	vec.Add(o, a, b)
}

func subFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	vec.Sub(o, a, b)
}

func mulFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	vec.Mul(o, a, b)
}

func divFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	vec.Div(o, a, b)
}

func modFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	for i := range o {
		o[i] = T(math.Mod(float64(a[i]), float64(b[i])))
	}
}

func negFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	for i := range o {
		o[i] = -a[i]
	}
}

func absFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	for i := range o {
		o[i] = T(math.Abs(float64(a[i])))
	}
}

// Integer kernels wrap around, note whether any row overflowed, and look for the rows
// only then.

func addInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[T](s, in)
	if vec.Add(o, a, b) {
		for i := range o {
			if (a[i]^o[i])&(b[i]^o[i]) < 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

func subInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[T](s, in)
	if vec.Sub(o, a, b) {
		for i := range o {
			if (a[i]^b[i])&(a[i]^o[i]) < 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

func mulInt32(s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[int32](s, in)
	if vec.MulInt32(o, a, b) {
		for i := range o {
			if r := int64(a[i]) * int64(b[i]); r != int64(int32(r)) {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

func mulInt64(s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[int64](s, in)
	if vec.MulInt64(o, a, b) {
		for i := range o {
			if mulOverflow(a[i], b[i]) != 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

func divInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[T](s, in)
	for i, d := range b {
		switch d {
		case 0:
			o[i] = 0
			s.failOwn(out, i, function.ErrDivisionByZero)
		case -1:
			o[i] = -a[i]
			if a[i] < 0 && o[i] < 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		default:
			o[i] = a[i] / d
		}
	}
}

func modInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[T](s, in)
	for i, d := range b {
		switch d {
		case 0:
			o[i] = 0
			s.failOwn(out, i, function.ErrDivisionByZero)
		case -1:
			o[i] = 0
		default:
			o[i] = a[i] % d
		}
	}
}

func negInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a := oneOf[T, T](s, in)
	var over T
	for i := range o {
		o[i] = -a[i]
		over |= o[i] & a[i] // both negative: the least number, whose negation is itself
	}
	if over < 0 {
		for i := range o {
			if o[i]&a[i] < 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}

func absInts[T integer](s *ProgramScratch, in *instr) {
	out, o, a := oneOf[T, T](s, in)
	var over T
	for i := range o {
		o[i] = max(a[i], -a[i])
		over |= o[i]
	}
	if over < 0 {
		for i := range o {
			if o[i] < 0 {
				s.failOwn(out, i, function.ErrOverflow)
			}
		}
	}
}
