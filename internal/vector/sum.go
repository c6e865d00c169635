package vector

import "math/bits"

// SumInt32 returns the sum. It is exact for up to 1<<32 values.
func SumInt32(v []int32) int64 { return sumInt32(v) }

// SumInt64 returns the sum as a number of 128 bits in two's complement.
func SumInt64(v []int64) (high int64, low uint64) { return sumInt64(v) }

// scaledSumMax bounds the number of values times the greatest magnitude, so that a sum
// of int64 cannot overflow.
const scaledSumMax = 1 << 62

// SumScaled32 returns the sum of v[i] * scale for a scale that is a power of two, and
// whether that is the true sum: every product is an integer of at most 51 bits and the
// sum cannot have overflowed. Otherwise, and if there is a NaN or an infinity, sum is
// unspecified. -0 counts as 0.
//
// Adding 3 << 51 to a double of at most 51 bits rounds it to an integer, which the
// significand then holds as it is: products that survive adding and subtracting are
// integers, and the bits of the intermediate results sum like integers.
func SumScaled32(v []float32, scale float64) (sum int64, exact bool) {
	sum, greatest, exact := sumScaled32(v, scale)
	return sum, exact && greatest <= 1<<51 && greatest*float64(len(v)) < scaledSumMax
}

// SumScaled64 is SumScaled32 for doubles.
func SumScaled64(v []float64, scale float64) (sum int64, exact bool) {
	sum, greatest, exact := sumScaled64(v, scale)
	return sum, exact && greatest <= 1<<51 && greatest*float64(len(v)) < scaledSumMax
}

// roundingBits is the double 3 << 51.
const roundingBits = 0x4338_0000_0000_0000

func plainSumInt32(v []int32) int64 {
	var a, b, c, d int64
	for ; len(v) >= 4; v = v[4:] {
		p := (*[4]int32)(v)
		a += int64(p[0])
		b += int64(p[1])
		c += int64(p[2])
		d += int64(p[3])
	}
	for _, x := range v {
		a += int64(x)
	}
	return a + b + c + d
}

func plainSumInt64(v []int64) (int64, uint64) {
	var low, high, carry uint64
	for _, x := range v {
		low, carry = bits.Add64(low, uint64(x), 0)
		high += uint64(x>>63) + carry
	}
	return int64(high), low
}
