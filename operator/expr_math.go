package operator

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
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

	"truncate": prepareRounding(roundFloats[float32](math.Trunc), roundFloats[float64](math.Trunc)),
	"cbrt":     prepareDouble(1, mapDoubles(math.Cbrt)),
	"log":      prepareDouble(2, logDoubles),
	"log2":     prepareDouble(1, mapDoubles(positive(math.Log2))),
	"log10":    prepareDouble(1, mapDoubles(positive(logTen))),
	"sin":      prepareDouble(1, mapDoubles(math.Sin)),
	"cos":      prepareDouble(1, mapDoubles(math.Cos)),
	"tan":      prepareDouble(1, mapDoubles(math.Tan)),
	"cot":      prepareDouble(1, mapDoubles(func(x float64) float64 { return 1 / math.Tan(x) })),
	"asin":     prepareDouble(1, mapDoubles(math.Asin)),
	"acos":     prepareDouble(1, mapDoubles(math.Acos)),
	"atan":     prepareDouble(1, mapDoubles(math.Atan)),
	"atan2":    prepareDouble(2, atan2Doubles),
	"sinh":     prepareDouble(1, mapDoubles(math.Sinh)),
	"cosh":     prepareDouble(1, mapDoubles(math.Cosh)),
	"tanh":     prepareDouble(1, mapDoubles(math.Tanh)),
	"degrees":  prepareDouble(1, mapDoubles(func(x float64) float64 { return x * (180 / math.Pi) })),
	"radians":  prepareDouble(1, mapDoubles(func(x float64) float64 { return x * (math.Pi / 180) })),

	"haversine":    prepareDouble(4, haversineDoubles),
	"width_bucket": prepareTyped(eachFixed(widthBucket), 4, stream.Double, stream.Double, stream.Double, stream.Integer),
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

// mapDoubles fails where f makes a NaN of a number.
func mapDoubles(f func(float64) float64) kernel {
	return func(s *ProgramScratch, in *instr) {
		out, o, a := oneOf[float64, float64](s, in)
		for i, x := range a {
			o[i] = f(x)
			if o[i] != o[i] && x == x {
				s.failOwn(out, i, function.ErrDomain)
			}
		}
	}
}

// positive is f for numbers above zero only.
func positive(f func(float64) float64) func(float64) float64 {
	return func(x float64) float64 {
		if x <= 0 {
			return math.NaN()
		}
		return f(x)
	}
}

// logTen is exact for the powers of ten that doubles hold.
func logTen(x float64) float64 {
	l := math.Log10(x)
	if n := math.Round(l); n >= 0 && n <= 22 && math.Pow10(int(n)) == x {
		return n
	}
	return l
}

// logarithm of x to the base b.
func logarithm(b, x float64) float64 {
	switch {
	case b <= 0 || x <= 0 || b == 1:
		return math.NaN()
	case b == 2:
		return math.Log2(x)
	case b == 10:
		return logTen(x)
	}
	return math.Log(x) / math.Log(b)
}

func logDoubles(s *ProgramScratch, in *instr) {
	out, o, a, b := pairOf[float64](s, in)
	for i, base := range a {
		o[i] = logarithm(base, b[i])
		if o[i] != o[i] && base == base && b[i] == b[i] {
			s.failOwn(out, i, function.ErrDomain)
		}
	}
}

func atan2Doubles(s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[float64](s, in)
	for i := range o {
		o[i] = math.Atan2(a[i], b[i])
	}
}

func widthBucket(s *ProgramScratch, in *instr, i int) (int32, string) {
	x, low, high, n := s.arg(in, 0).F64[i], s.arg(in, 1).F64[i], s.arg(in, 2).F64[i], s.arg(in, 3).I32[i]
	if n < 1 || x != x || low-low != 0 || high-high != 0 || low == high {
		return 0, function.ErrDomain
	}
	if low > high {
		x, low, high = -x, -low, -high
	}
	switch {
	case x < low:
		return 0, ""
	case x < high:
		part := (x - low) / (high - low)
		if high-low > math.MaxFloat64 { // halves of it are finite
			part = (x/2 - low/2) / (high/2 - low/2)
		}
		return min(int32(float64(n)*part), n-1) + 1, ""
	case n == math.MaxInt32:
		return 0, function.ErrOverflow
	}
	return n + 1, ""
}

// earthRadiusMetres is the mean radius of the International Union of Geodesy and Geophysics.
const earthRadiusMetres = 6371008.8

// haversineDoubles is written so that no product is fused with a sum, which some
// processors would do.
func haversineDoubles(s *ProgramScratch, in *instr) {
	const radians = math.Pi / 180
	out, o, a, lon1 := pairOf[float64](s, in)
	lat2, lon2 := s.arg(in, 2).F64, s.arg(in, 3).F64
	for i, lat1 := range a {
		sinLat, sinLon := math.Sin((lat2[i]-lat1)*radians/2), math.Sin((lon2[i]-lon1[i])*radians/2)
		h := float64(sinLat*sinLat) + float64(math.Cos(lat1*radians)*math.Cos(lat2[i]*radians)*sinLon*sinLon)
		o[i] = 2 * earthRadiusMetres * math.Asin(math.Sqrt(min(h, 1)))
		if o[i] != o[i] && lat1 == lat1 && lon1[i] == lon1[i] && lat2[i] == lat2[i] && lon2[i] == lon2[i] {
			s.failOwn(out, i, function.ErrDomain)
		}
	}
}
