package vector

import (
	"math"
	"math/bits"
)

// Products that SumExact scales to have up to exactBits bits, fewer if there are so many
// that their sum would have more than exactSumBits.
const (
	exactBits    = 50
	exactSumBits = 61
)

// SumExact returns the sum of floats as high+low, high being the sum rounded to a double,
// if it can prove that this is the true sum. It can where values differ so little in
// magnitude that all are multiples of 2^-50 of the greatest's power of two (of 2^-37, for sixteen million), and none is
// NaN or infinite; -0 counts as 0. It reads v twice.
func SumExact[T float32 | float64](v []T) (high, low float64, exact bool) {
	if len(v) == 0 {
		return 0, 0, true
	}
	least, greatest := minMax(v)
	most := max(math.Abs(float64(least)), math.Abs(float64(greatest)))
	if !(most <= math.MaxFloat64) {
		return 0, 0, false
	}
	_, exponent := math.Frexp(most) // most < 1<<exponent
	shift := min(exactBits, exactSumBits-bits.Len(uint(len(v)))) - exponent
	if most == 0 {
		shift = 0
	}
	if shift > 1000 || shift < -1000 {
		return 0, 0, false
	}
	sum, ok := sumScaled(v, power(shift))
	if !ok {
		return 0, 0, false
	}
	high = float64(sum)
	low = float64(sum - int64(high))
	down := power(-shift)
	return high * down, low * down, true
}

// power is 2^n for an n between -1022 and 1023.
func power(n int) float64 { return math.Float64frombits(uint64(n+1023) << 52) }

func sumScaled[T float32 | float64](v []T, scale float64) (int64, bool) {
	switch v := any(v).(type) {
	case []float32:
		return SumScaled32(v, scale)
	case []float64:
		return SumScaled64(v, scale)
	}
	panic("unreachable")
}
