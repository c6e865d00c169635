package operator

import (
	"bytes"
	"strconv"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// Arithmetic and conversions of DECIMALs. Their types follow from those of the arguments
// (function.Decimal), so that a result of up to 18 digits is that of int64s and cannot
// overflow; others are computed row by row in 128 bits. Comparisons, groups and extremes
// are those of the type's storage.

// decimalRow gives the unscaled result of row i.
type decimalRow func(s *ProgramScratch, in *instr, i int) (x decimal.Int, reason string)

// eachDecimal calls f for every row and checks that its result has no more digits than
// the type t.
func eachDecimal(t stream.Type, f decimalRow) kernel {
	checked := func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
		x, reason := f(s, in, i)
		if reason == "" && !x.Fits(t.Precision()) {
			reason = function.ErrOverflow
		}
		return x, in.tried(reason)
	}
	if t.Storage() == stream.Varchar {
		return eachText(func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
			x, reason := checked(s, in, i)
			return x.AppendBytes(dst), reason
		})
	}
	return eachFixed(func(s *ProgramScratch, in *instr, i int) (int64, string) {
		x, reason := checked(s, in, i)
		return int64(x.Lo), reason
	})
}

// tried makes the reason of a failing TRY_CAST that of a NULL.
func (in *instr) tried(reason string) string {
	if c, ok := in.data.(caster); ok && c.try && reason != "" {
		return nullRow
	}
	return reason
}

func overflowUnless(x decimal.Int, ok bool) (decimal.Int, string) {
	if !ok {
		return x, function.ErrOverflow
	}
	return x, ""
}

func (s *ProgramScratch) decimal(in *instr, k, i int) decimal.Int {
	return s.regs[in.args[k]].Decimal(i)
}

// decimalKernel is the kernel of a call that computes a DECIMAL in a way of its own; nil
// for others.
func decimalKernel(e *model.Expr) kernel {
	types := make([]stream.Type, len(e.Args))
	for i, a := range e.Args {
		types[i] = a.Type
	}
	if t, ok := function.Decimal(e.Func, types); !ok || t != e.Type {
		return nil
	}
	if len(types) == 1 {
		return decimalOfOne(e.Func, types[0], e.Type)
	}
	if e.Type.Storage() == stream.BigInt {
		if run := shortDecimals(e.Func, types[0], types[1], e.Type); run != nil {
			return run
		}
	}
	return eachDecimal(e.Type, decimalOfTwo(e.Func, types[0].Scale(), types[1].Scale(), e.Type.Scale()))
}

func decimalOfOne(name string, from, to stream.Type) kernel {
	toward := map[string]int{"floor": -1, "ceil": 1}[name]
	return eachDecimal(to, func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
		x := s.decimal(in, 0, i)
		switch name {
		case "neg":
			return x.Neg(), ""
		case "abs":
			if x.Sign() < 0 {
				x = x.Neg()
			}
			return x, ""
		}
		return decimal.Round(x, from.Scale(), toward), ""
	})
}

func decimalOfTwo(name string, as, bs, to int) decimalRow {
	return func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
		a, b := s.decimal(in, 0, i), s.decimal(in, 1, i)
		switch name {
		case "add":
			return overflowUnless(decimal.Add(a, as, b, bs, to))
		case "sub":
			return overflowUnless(decimal.Add(a, as, b.Neg(), bs, to))
		case "mul":
			return overflowUnless(decimal.Mul(a, b, as+bs-to))
		}
		switch {
		case b.Sign() == 0:
			return b, function.ErrDivisionByZero
		case name == "div":
			return overflowUnless(decimal.Div(a, b, to+bs-as))
		}
		return overflowUnless(decimal.Mod(a, as, b, bs, to))
	}
}

// shortDecimals is sum, difference or product whose digits fit an int64 for certain.
func shortDecimals(name string, a, b, to stream.Type) kernel {
	if name == "mul" {
		return func(s *ProgramScratch, in *instr) {
			_, o, x, y := pairOf[int64](s, in)
			for i := range o {
				o[i] = x[i] * y[i]
			}
		}
	}
	if name != "add" && name != "sub" {
		return nil
	}
	left, right := decimal.Power(to.Scale()-a.Scale()), decimal.Power(to.Scale()-b.Scale())
	if name == "sub" {
		right = -right
	}
	return func(s *ProgramScratch, in *instr) {
		_, o, x, y := pairOf[int64](s, in)
		for i := range o {
			o[i] = x[i]*left + y[i]*right
		}
	}
}

// decimalCast is the conversion from or to a DECIMAL, text included.
func decimalCast(from, to stream.Type) kernel {
	switch {
	case to.IsDecimal():
		if f := toDecimal(from, to); f != nil {
			return eachDecimal(to, f)
		}
		return nil
	case to == stream.Varchar:
		return writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
			return decimal.Append(dst, c.Decimal(i), from.Scale())
		})
	case to == stream.BigInt:
		return eachFixed(func(s *ProgramScratch, in *instr, i int) (int64, string) {
			return truncated[int64](s, in, i, from, to)
		})
	case to.IsInteger():
		return eachFixed(func(s *ProgramScratch, in *instr, i int) (int32, string) {
			return truncated[int32](s, in, i, from, to)
		})
	case to == stream.Double:
		return eachFixed(func(s *ProgramScratch, in *instr, i int) (float64, string) {
			return nearest(s.decimal(in, 0, i), from.Scale(), 64), ""
		})
	case to == stream.Real:
		return eachFixed(func(s *ProgramScratch, in *instr, i int) (float32, string) {
			return float32(nearest(s.decimal(in, 0, i), from.Scale(), 32)), ""
		})
	}
	return nil
}

func toDecimal(from, to stream.Type) decimalRow {
	scale := to.Scale()
	switch {
	case from.IsDecimal():
		return func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
			return overflowUnless(decimal.Rescale(s.decimal(in, 0, i), from.Scale(), scale))
		}
	case from.IsInteger():
		return func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
			v := intValue(&s.arg(in, 0).Column, int32(i))
			return overflowUnless(decimal.Rescale(decimal.Of(v), 0, scale))
		}
	case from.IsFloat():
		return func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
			var buf [32]byte
			text := buf[:0]
			if c := s.arg(in, 0); from == stream.Real {
				text = strconv.AppendFloat(text, float64(c.F32[i]), 'e', -1, 32)
			} else {
				text = strconv.AppendFloat(text, c.F64[i], 'e', -1, 64)
			}
			x, fits, ok := decimal.Parse(text, scale)
			return overflowUnless(x, fits && ok) // NaN and infinities are no numbers
		}
	case from == stream.Varchar:
		return func(s *ProgramScratch, in *instr, i int) (decimal.Int, string) {
			text := s.text(in, 0, i)
			x, fits, ok := decimal.Parse(bytes.TrimSpace(text), scale)
			if !ok {
				return x, cannotCast(text, to)
			}
			return overflowUnless(x, fits)
		}
	}
	return nil
}

func truncated[T integer](s *ProgramScratch, in *instr, i int, from, to stream.Type) (T, string) {
	low, high, _ := to.Range()
	v, ok := decimal.Truncate(s.decimal(in, 0, i), from.Scale()).Int64()
	if !ok || v < low || v > high {
		return 0, in.tried(function.ErrOverflow)
	}
	return T(v), ""
}

// exactDigits: a DOUBLE holds every power of ten with that many zeros; exactBits: and
// every whole number of so many bits.
const (
	exactDigits = 22
	exactBits   = 53
)

// nearest is the float of so many bits next to x. The quotient of two exact numbers is
// rounded once; others are read from text.
func nearest(x decimal.Int, scale, bits int) float64 {
	if v, ok := x.Int64(); ok && bits == 64 && scale <= exactDigits && v < 1<<exactBits && v > -1<<exactBits {
		return float64(v) / pow10[scale]
	}
	var buf [64]byte
	f, _ := strconv.ParseFloat(borrow(decimal.Append(buf[:0], x, scale)), bits)
	return f
}

var pow10 = [exactDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
