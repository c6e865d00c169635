package operator

import (
	"math"
	"strconv"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// digitFunctions cut numbers at a decimal digit, as they are printed: 2.675 has its
// third digit behind the point rounded up although the nearest double is below it.
var digitFunctions = map[string]prepare{
	"round_to":    prepareDigits(true),
	"truncate_to": prepareDigits(false),
}

func prepareDigits(round bool) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = byType(e.Type, eachFixed(wholeDigits[int32](round)), eachFixed(wholeDigits[int64](round)),
			eachFixed(floatDigits[float32](round, 32)), eachFixed(floatDigits[float64](round, 64)))
		return checkTypes(e, 2, e.Type, stream.BigInt)
	}
}

// digitsMax is beyond the first digit of every number.
const digitsMax = 400

func wholeDigits[T integer](round bool) fixedRow[T] {
	return func(s *ProgramScratch, in *instr, i int) (T, string) {
		x, n := (*values[T](&s.arg(in, 0).Column))[i], s.i64(in, 1, i)
		if n >= 0 {
			return x, ""
		}
		unit := uint64(1)
		for ; n < 0 && unit <= math.MaxUint64/10; n++ {
			unit *= 10
		}
		size := uint64(x)
		if x < 0 {
			size = -uint64(x)
		}
		rest := uint64(0)
		if n < 0 {
			size = 0 // the unit is above every number, twice over
		} else if rest = size % unit; round && rest >= unit-rest {
			size += unit - rest
		} else {
			size -= rest
		}
		if x < 0 {
			size = -size
		}
		v := T(size)
		if uint64(v) != size || v != 0 && (v < 0) != (x < 0) {
			return 0, function.ErrOverflow
		}
		return v, ""
	}
}

func floatDigits[T float](round bool, bits int) fixedRow[T] {
	return func(s *ProgramScratch, in *instr, i int) (T, string) {
		x, n := (*values[T](&s.arg(in, 0).Column))[i], s.i64(in, 1, i)
		return T(cutDigits(float64(x), max(-digitsMax, min(n, digitsMax)), round, bits)), ""
	}
}

// cutDigits works on the shortest digits that read back as x.
func cutDigits(x float64, n int64, round bool, bits int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	var buf [48]byte
	text := strconv.AppendFloat(buf[:0], math.Abs(x), 'e', -1, bits) // d.ddde+xx
	e := len(text) - 1
	for text[e] != 'e' {
		e--
	}
	exponent, _ := strconv.Atoi(string(text[e+1:]))
	digits := append(text[:1], text[min(2, e):e]...)
	keep := int64(exponent) + 1 + n
	switch {
	case keep >= int64(len(digits)):
		return x
	case keep < 0:
		return math.Copysign(0, x)
	}
	up := round && digits[keep] >= '5'
	digits = digits[:keep]
	for k := len(digits) - 1; up && k >= 0; k-- {
		if up = digits[k] == '9'; up {
			digits[k] = '0'
		} else {
			digits[k]++
		}
	}
	whole := make([]byte, 0, 64)
	if up {
		whole = append(whole, '1')
	}
	if whole = append(whole, digits...); len(whole) == 0 {
		whole = append(whole, '0')
	}
	whole = strconv.AppendInt(append(whole, 'e'), -n, 10)
	v, _ := strconv.ParseFloat(string(whole), bits) // out of range is infinite
	return math.Copysign(v, x)
}
