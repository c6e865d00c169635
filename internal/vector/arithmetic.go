package vector

import (
	"math"
	"math/bits"
)

// Arithmetic on columns: dst[i] = a[i] op b[i]. dst decides the length and, but for
// products of integers, may be a or b.
// Integers wrap around; the results tell whether any row overflowed, so that the caller
// looks for the rows only then.

// Add computes sums.
func Add[T Number](dst, a, b []T) (overflow bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	n, over := addBlocks(dst, a, b)
	return plainAdd(dst[n:], a[n:], b[n:]) || over
}

// Sub computes differences.
func Sub[T Number](dst, a, b []T) (overflow bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	n, over := subBlocks(dst, a, b)
	return plainSub(dst[n:], a[n:], b[n:]) || over
}

// MulInt32 computes products. dst is neither a nor b.
func MulInt32(dst, a, b []int32) (overflow bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	n, over := mulInt32(dst, a, b)
	dst, a, b = dst[n:], a[n:], b[n:]
	odd := int64(0)
	for i, x := range a {
		r := int64(x) * int64(b[i])
		dst[i] = int32(r)
		odd |= r ^ int64(int32(r))
	}
	return over || odd != 0
}

// Mul computes products of floating-point numbers.
func Mul[T float32 | float64](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	n := mulBlocks(dst, a, b)
	dst, a, b = dst[n:], a[n:], b[n:]
	for i, x := range a {
		dst[i] = x * b[i]
	}
}

// Div computes quotients of floating-point numbers.
func Div[T float32 | float64](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	n := divBlocks(dst, a, b)
	dst, a, b = dst[n:], a[n:], b[n:]
	for i, x := range a {
		dst[i] = x / b[i]
	}
}

func plainAdd[T Number](dst, a, b []T) bool {
	over := T(0)
	switch d := any(dst).(type) {
	case []int32:
		over = T(addIntegers(d, any(a).([]int32), any(b).([]int32)) >> 31)
	case []int64:
		over = T(addIntegers(d, any(a).([]int64), any(b).([]int64)) >> 63)
	default:
		addFloats(dst, a, b)
	}
	return over != 0
}

func addFloats[T Number](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func addIntegers[T int32 | int64](dst, a, b []T) (over T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		x, y := a[i], b[i]
		r := x + y
		over |= (x ^ r) & (y ^ r)
		dst[i] = r
	}
	return over
}

func plainSub[T Number](dst, a, b []T) bool {
	over := T(0)
	switch d := any(dst).(type) {
	case []int32:
		over = T(subIntegers(d, any(a).([]int32), any(b).([]int32)) >> 31)
	case []int64:
		over = T(subIntegers(d, any(a).([]int64), any(b).([]int64)) >> 63)
	default:
		subFloats(dst, a, b)
	}
	return over != 0
}

func subFloats[T Number](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] - b[i]
	}
}

func subIntegers[T int32 | int64](dst, a, b []T) (over T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		x, y := a[i], b[i]
		r := x - y
		over |= (x ^ y) & (x ^ r)
		dst[i] = r
	}
	return over
}

// MulInt64 computes products. dst is neither a nor b.
func MulInt64(dst, a, b []int64) (overflow bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	n := mulSmall(dst, a, b)
	over := uint64(0)
	dst, a, b = dst[n:], a[n:], b[n:]
	for i, x := range a {
		y := b[i]
		dst[i] = x * y
		high, low := bits.Mul64(uint64(x), uint64(y))
		high -= uint64(x>>63)&uint64(y) + uint64(y>>63)&uint64(x)
		over |= high ^ uint64(int64(low)>>63)
	}
	return over != 0
}

// reciprocal is 1/k, rounded away from zero. The product with an integer of 32 bits,
// whether rounded or not, is at least the quotient in magnitude, and too great by less
// than 2^-50 of it, which is less than 1/|k|: cut off it is the quotient of integers.
func reciprocal(k int32) float64 {
	r := 1 / float64(k)
	return math.Nextafter(r, math.Copysign(math.Inf(1), r))
}

// DivConst computes v[i] / k, rounded toward zero. k is neither 0 nor -1.
func DivConst(dst, v []int32, k int32) {
	r := reciprocal(k)
	n := divConst(dst[:len(v)], v, k, r)
	dst, v = dst[n:len(v)], v[n:]
	for i, x := range v {
		dst[i] = int32(float64(x) * r)
	}
}

// ModConst computes the remainders of DivConst.
func ModConst(dst, v []int32, k int32) {
	r := reciprocal(k)
	n := modConst(dst[:len(v)], v, k, r)
	dst, v = dst[n:len(v)], v[n:]
	for i, x := range v {
		dst[i] = x - int32(float64(x)*r)*k
	}
}
