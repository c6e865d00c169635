package vector

// Arithmetic on columns: dst[i] = a[i] op b[i]. dst decides the length and may be a or b.
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

// MulInt32 computes products.
func MulInt32(dst, a, b []int32) (overflow bool) {
	a, b = a[:len(dst)], b[:len(dst)]
	n, over := mulBlocks(dst, a, b)
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
	n, _ := mulBlocks(dst, a, b)
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
	switch dst := any(dst).(type) {
	case []int32:
		over = T(addIntegers(dst, any(a).([]int32), any(b).([]int32)) >> 31)
	case []int64:
		over = T(addIntegers(dst, any(a).([]int64), any(b).([]int64)) >> 63)
	default:
		addFloats(any(dst).([]T), a, b)
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
	switch dst := any(dst).(type) {
	case []int32:
		over = T(subIntegers(dst, any(a).([]int32), any(b).([]int32)) >> 31)
	case []int64:
		over = T(subIntegers(dst, any(a).([]int64), any(b).([]int64)) >> 63)
	default:
		subFloats(any(dst).([]T), a, b)
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
