package reference

import (
	"math"
	"math/big"
	"strconv"

	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"round_to":    func(a []stream.Value, t stream.Type) (stream.Value, string) { return cutDigits(a, t, true) },
		"truncate_to": func(a []stream.Value, t stream.Type) (stream.Value, string) { return cutDigits(a, t, false) },
		"truncate":    func(a []stream.Value, _ stream.Type) (stream.Value, string) { return rounded(a[0], math.Trunc), "" },
		"log":         logOf, "log2": ofDouble(math.Log2, true), "log10": ofDouble(logTen, true),
		"cbrt": ofDouble(math.Cbrt, false), "sin": ofDouble(math.Sin, false), "cos": ofDouble(math.Cos, false), "tan": ofDouble(math.Tan, false),
		"cot":  ofDouble(func(x float64) float64 { return 1 / math.Tan(x) }, false),
		"asin": ofDouble(math.Asin, false), "acos": ofDouble(math.Acos, false), "atan": ofDouble(math.Atan, false),
		"sinh": ofDouble(math.Sinh, false), "cosh": ofDouble(math.Cosh, false), "tanh": ofDouble(math.Tanh, false),
		"degrees": ofDouble(func(x float64) float64 { return x * (180 / math.Pi) }, false),
		"radians": ofDouble(func(x float64) float64 { return x * (math.Pi / 180) }, false),
		"atan2": func(a []stream.Value, t stream.Type) (stream.Value, string) {
			return float(math.Atan2(a[0].F, a[1].F), t), ""
		},
		"width_bucket": widthBucket, "haversine": haversine,

		"bit_and": bitwise((*big.Int).And), "bit_or": bitwise((*big.Int).Or), "bit_xor": bitwise((*big.Int).Xor),
		"bit_not": func(a []stream.Value, t stream.Type) (stream.Value, string) {
			return whole(new(big.Int).Not(bigOf(a[0])), t)
		},
		"shift_left": shiftLeft, "shift_right": shiftRight,
	})
}

// ofDouble fails where f makes a NaN of a number, and below what logarithms take.
func ofDouble(f func(float64) float64, logarithm bool) call {
	return func(a []stream.Value, t stream.Type) (stream.Value, string) {
		x := a[0].F
		if y := f(x); (!math.IsNaN(y) || math.IsNaN(x)) && (!logarithm || x > 0 || math.IsNaN(x)) {
			return float(y, t), ""
		}
		return domainError()
	}
}

// logTen knows the powers of ten up to 1e22, the last that is a double.
func logTen(x float64) float64 {
	for n := range 23 {
		if p, _ := strconv.ParseFloat("1e"+strconv.Itoa(n), 64); p == x {
			return float64(n)
		}
	}
	return math.Log10(x)
}

func logOf(a []stream.Value, t stream.Type) (stream.Value, string) {
	b, x := a[0].F, a[1].F
	switch {
	case math.IsNaN(b) || math.IsNaN(x):
		return float(math.NaN(), t), ""
	case b <= 0 || x <= 0 || b == 1:
		return domainError()
	case b == 2:
		return float(math.Log2(x), t), ""
	case b == 10:
		return float(logTen(x), t), ""
	}
	y := math.Log(x) / math.Log(b)
	if math.IsNaN(y) {
		return domainError()
	}
	return float(y, t), ""
}

// cutDigits computes with the fraction that the printed number is.
func cutDigits(a []stream.Value, t stream.Type, round bool) (stream.Value, string) {
	n := max(-400, min(a[1].I, 400))
	x := new(big.Rat)
	if t.IsFloat() {
		if a[0].F == 0 || math.IsNaN(a[0].F) || math.IsInf(a[0].F, 0) {
			return a[0], ""
		}
		size := 64
		if t == stream.Real {
			size = 32
		}
		x.SetString(strconv.FormatFloat(a[0].F, 'e', -1, size))
	} else if x.SetInt64(a[0].I); n >= 0 {
		return a[0], ""
	}
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(max(n, -n)), nil))
	if n < 0 {
		unit.Inv(unit)
	}
	x.Mul(x, unit)
	if round { // toward zero after a half away from it
		x.Add(x, big.NewRat(int64(x.Sign()), 2))
	}
	count := new(big.Int).Quo(x.Num(), x.Denom())
	x.Quo(x.SetInt(count), unit)
	if !t.IsFloat() {
		return whole(x.Num(), t)
	}
	f, _ := x.Float64()
	if t == stream.Real {
		f32, _ := x.Float32()
		f = float64(f32)
	}
	return float(math.Copysign(f, a[0].F), t), ""
}

func widthBucket(a []stream.Value, t stream.Type) (stream.Value, string) {
	x, low, high, n := a[0].F, a[1].F, a[2].F, a[3].I
	for _, bound := range []float64{low, high} {
		if math.IsNaN(bound) || math.IsInf(bound, 0) {
			return domainError()
		}
	}
	if n < 1 || math.IsNaN(x) || low == high {
		return domainError()
	}
	if high < low {
		x, low, high = -x, -low, -high
	}
	at := n + 1
	if x < low {
		at = 0
	} else if x < high {
		part := (x - low) / (high - low)
		if math.IsInf(high-low, 0) {
			part = (x/2 - low/2) / (high/2 - low/2)
		}
		at = min(int64(float64(n)*part), n-1) + 1
	}
	return whole(big.NewInt(at), t)
}

func bitwise(f func(z, x, y *big.Int) *big.Int) call {
	return func(a []stream.Value, t stream.Type) (stream.Value, string) {
		return whole(f(new(big.Int), bigOf(a[0]), bigOf(a[1])), t)
	}
}

// width is the number of bits of an integer type.
func width(t stream.Type) int64 {
	if t == stream.Integer {
		return 32
	}
	return 64
}

// shiftLeft drops the bits that move out at the top: what is left is a number of the
// type's width, read with its sign.
func shiftLeft(a []stream.Value, t stream.Type) (stream.Value, string) {
	n := width(t)
	x := new(big.Int).Lsh(bigOf(a[0]), uint((a[1].I%n+n)%n))
	modulus := new(big.Int).Lsh(big.NewInt(1), uint(n))
	if x.Mod(x, modulus); x.Bit(int(n-1)) == 1 {
		x.Sub(x, modulus)
	}
	return whole(x, t)
}

func shiftRight(a []stream.Value, t stream.Type) (stream.Value, string) {
	n := width(t)
	return whole(new(big.Int).Rsh(bigOf(a[0]), uint((a[1].I%n+n)%n)), t)
}

// haversine adds two products, each rounded before: processors that fuse them would not.
func haversine(a []stream.Value, t stream.Type) (stream.Value, string) {
	const radians, radius = math.Pi / 180, 6371008.8
	lat1, lon1, lat2, lon2 := a[0].F, a[1].F, a[2].F, a[3].F
	square := func(x float64) float64 { return x * x }
	across := math.Cos(lat1*radians) * math.Cos(lat2*radians)
	sinLon := math.Sin((lon2 - lon1) * radians / 2)
	h := float64(square(math.Sin((lat2-lat1)*radians/2))) + float64(across*sinLon*sinLon)
	d := 2 * radius * math.Asin(math.Sqrt(min(h, 1)))
	if math.IsNaN(d) && !math.IsNaN(lat1) && !math.IsNaN(lon1) && !math.IsNaN(lat2) && !math.IsNaN(lon2) {
		return domainError()
	}
	return float(d, t), ""
}
