package vector

import (
	"math"
	"unsafe"
)

// blockCount is the number of blocks of 64 bytes; none if kernels are off.
func blockCount[T Number](v []T) int {
	if !enabled.Load() {
		return 0
	}
	return len(v) * int(unsafe.Sizeof(T(0))) >> 6
}

// perBlock is the number of values in n blocks.
func perBlock[T Number](n int) int { return n << 6 / int(unsafe.Sizeof(T(0))) }

// addBlocks computes whole blocks and returns how many values those had.
func addBlocks[T Number](dst, a, b []T) (done int, over bool) {
	n := blockCount(dst)
	if n == 0 {
		return 0, false
	}
	signs := uint64(0)
	switch any(T(0)).(type) {
	case int32:
		signs = addInt32AVX2(pointerTo[int32](dst), pointerTo[int32](a), pointerTo[int32](b), n)
	case int64:
		signs = addInt64AVX2(pointerTo[int64](dst), pointerTo[int64](a), pointerTo[int64](b), n)
	case float32:
		addFloat32AVX2(pointerTo[float32](dst), pointerTo[float32](a), pointerTo[float32](b), n)
	case float64:
		addFloat64AVX2(pointerTo[float64](dst), pointerTo[float64](a), pointerTo[float64](b), n)
	}
	return perBlock[T](n), signs != 0
}

func subBlocks[T Number](dst, a, b []T) (done int, over bool) {
	n := blockCount(dst)
	if n == 0 {
		return 0, false
	}
	signs := uint64(0)
	switch any(T(0)).(type) {
	case int32:
		signs = subInt32AVX2(pointerTo[int32](dst), pointerTo[int32](a), pointerTo[int32](b), n)
	case int64:
		signs = subInt64AVX2(pointerTo[int64](dst), pointerTo[int64](a), pointerTo[int64](b), n)
	case float32:
		subFloat32AVX2(pointerTo[float32](dst), pointerTo[float32](a), pointerTo[float32](b), n)
	case float64:
		subFloat64AVX2(pointerTo[float64](dst), pointerTo[float64](a), pointerTo[float64](b), n)
	}
	return perBlock[T](n), signs != 0
}

// mulInt32 is addBlocks for products. Mostly factors are so small that no product can
// overflow; only if not, which one does is found out.
func mulInt32(dst, a, b []int32) (done int, over bool) {
	n := blockCount(dst)
	if n == 0 {
		return 0, false
	}
	x, y := mulSmallInt32AVX2(&dst[0], &a[0], &b[0], n)
	if uint64(x)*uint64(y) > math.MaxInt32 {
		over = mulInt32AVX2(&dst[0], &a[0], &b[0], n) != 0
	}
	return perBlock[int32](n), over
}

func mulBlocks[T float32 | float64](dst, a, b []T) (done int) {
	n := blockCount(dst)
	if n == 0 {
		return 0
	}
	switch any(T(0)).(type) {
	case float32:
		mulFloat32AVX2(pointerTo[float32](dst), pointerTo[float32](a), pointerTo[float32](b), n)
	case float64:
		mulFloat64AVX2(pointerTo[float64](dst), pointerTo[float64](a), pointerTo[float64](b), n)
	}
	return perBlock[T](n)
}

func divBlocks[T float32 | float64](dst, a, b []T) (done int) {
	n := blockCount(dst)
	if n == 0 {
		return 0
	}
	switch any(T(0)).(type) {
	case float32:
		divFloat32AVX2(pointerTo[float32](dst), pointerTo[float32](a), pointerTo[float32](b), n)
	case float64:
		divFloat64AVX2(pointerTo[float64](dst), pointerTo[float64](a), pointerTo[float64](b), n)
	}
	return perBlock[T](n)
}

// mulSmall computes blocks if all their values have 32 bits; otherwise none.
func mulSmall(dst, a, b []int64) (done int) {
	n := blockCount(dst)
	if n == 0 || mulInt64AVX2(&dst[0], &a[0], &b[0], n) != 0 {
		return 0
	}
	return perBlock[int64](n)
}

func divConst(dst, v []int32, k int32, reciprocal float64) (done int) {
	if len(v) < 8 || !enabled.Load() {
		return 0
	}
	divConstInt32AVX2(&dst[0], &v[0], len(v)>>3, k, reciprocal)
	return len(v) &^ 7
}

func modConst(dst, v []int32, k int32, reciprocal float64) (done int) {
	if len(v) < 8 || !enabled.Load() {
		return 0
	}
	modConstInt32AVX2(&dst[0], &v[0], len(v)>>3, k, reciprocal)
	return len(v) &^ 7
}
