package operator

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
)

var mathFunctions = map[string]prepare{
	"floor": prepareRounding(roundFloats[float32](math.Floor), roundFloats[float64](math.Floor)),
	"ceil":  prepareRounding(roundFloats[float32](math.Ceil), roundFloats[float64](math.Ceil)),
	"round": prepareRounding(roundFloats[float32](math.Round), roundFloats[float64](math.Round)),
	"sign":  prepareArithmetic(signIntegers[int32], signIntegers[int64], signFloats[float32], signFloats[float64]),
	"sqrt":  prepareDouble(1, sqrtDoubles),
	"power": prepareDouble(2, powerDoubles),
	"exp":   prepareDouble(1, expDoubles),
	"ln":    prepareDouble(1, lnDoubles),
}

// prepareRounding: whole numbers stay as they are.
func prepareRounding(f32, f64 kernel) prepare {
	return prepareArithmetic(copyFixed[int32], copyFixed[int64], f32, f64)
}

func copyFixed[T fixed](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	copy(o, a)
}

func roundFloats[T float](f func(float64) float64) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a := oneOf[T, T](s, in)
		for i := range o {
			o[i] = T(f(float64(a[i])))
		}
	}
}

func signIntegers[T integer](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	for i, x := range a {
		o[i] = T(bit(x > 0)) - T(bit(x < 0))
	}
}

func signFloats[T float](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	for i, x := range a {
		switch {
		case x > 0:
			o[i] = 1
		case x < 0:
			o[i] = -1
		default: // NaN and both zeros
			o[i] = x
		}
	}
}

func prepareDouble(n int, run kernel) prepare {
	kernels := prepareArithmetic(nil, nil, nil, run)
	return func(b *builder, e *model.Expr, in *instr) error {
		if len(e.Args) != n {
			return fmt.Errorf("%d arguments, it needs %d", len(e.Args), n)
		}
		return kernels(b, e, in)
	}
}

func sqrtDoubles(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[float64, float64](s, in)
	for i, x := range a {
		o[i] = math.Sqrt(x)
		if x < 0 {
			s.failOwn(out, i, function.ErrDomain)
		}
	}
}

func powerDoubles(s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[float64](s, in)
	for i, x := range a {
		o[i] = math.Pow(x, b[i])
		if o[i] != o[i] && x == x && b[i] == b[i] {
			s.failOwn(out, i, function.ErrDomain)
		}
	}
}

func expDoubles(s *ProgramScratch, in *instr) {
	_, o, a := oneOf[float64, float64](s, in)
	for i, x := range a {
		o[i] = math.Exp(x)
	}
}

func lnDoubles(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[float64, float64](s, in)
	for i, x := range a {
		o[i] = math.Log(x)
		if x <= 0 {
			s.failOwn(out, i, function.ErrDomain)
		}
	}
}
