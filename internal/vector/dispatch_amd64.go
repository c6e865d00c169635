package vector

import (
	"math"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// supported: AVX2 and the bit instructions that came with it.
var supported = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

// The functions below give whole blocks to the kernels and the rest to the plain
// versions. Kernels are called directly: through variables their arguments would escape.

// pointerTo is the address of the first element of a slice that has some.
func pointerTo[E, T Number](v []T) *E { return (*E)(unsafe.Pointer(unsafe.SliceData(v))) }

func equalConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	if !enabled.Load() {
		plainEqualConst(dst, v, k, flip, keep)
		return
	}
	n := len(v) >> 6
	if n > 0 {
		equalConstWords(dst, v, n, k, flip, keep)
	}
	if r := v[n<<6:]; len(r) > 0 {
		var tail [64]T
		copy(tail[:], r)
		equalConstWords(dst[n:], tail[:], 1, k, flip, keep)
		dst[n] &= first(len(r))
	}
}

func equalConstWords[T Number](dst []uint64, v []T, n int, k T, flip, keep uint64) {
	switch k := any(k).(type) {
	case int32:
		equalConstInt32AVX2(&dst[0], pointerTo[int32](v), n, k, flip, keep)
	case int64:
		equalConstInt64AVX2(&dst[0], pointerTo[int64](v), n, k, flip, keep)
	case float32:
		equalConstFloat32AVX2(&dst[0], pointerTo[float32](v), n, k, flip, keep)
	case float64:
		equalConstFloat64AVX2(&dst[0], pointerTo[float64](v), n, k, flip, keep)
	}
}

func lessConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	if !enabled.Load() {
		plainLessConst(dst, v, k, flip, keep)
		return
	}
	n := len(v) >> 6
	if n > 0 {
		lessConstWords(dst, v, n, k, flip, keep)
	}
	if r := v[n<<6:]; len(r) > 0 {
		var tail [64]T
		copy(tail[:], r)
		lessConstWords(dst[n:], tail[:], 1, k, flip, keep)
		dst[n] &= first(len(r))
	}
}

func lessConstWords[T Number](dst []uint64, v []T, n int, k T, flip, keep uint64) {
	switch k := any(k).(type) {
	case int32:
		lessConstInt32AVX2(&dst[0], pointerTo[int32](v), n, k, flip, keep)
	case int64:
		lessConstInt64AVX2(&dst[0], pointerTo[int64](v), n, k, flip, keep)
	case float32:
		lessConstFloat32AVX2(&dst[0], pointerTo[float32](v), n, k, flip, keep)
	case float64:
		lessConstFloat64AVX2(&dst[0], pointerTo[float64](v), n, k, flip, keep)
	}
}

func equalPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	if !enabled.Load() {
		plainEqualPairs(dst, a, b, flip, keep)
		return
	}
	n := len(a) >> 6
	if n > 0 {
		equalPairsWords(dst, a, b, n, flip, keep)
	}
	if r := a[n<<6:]; len(r) > 0 {
		var s, t [64]T
		copy(s[:], r)
		copy(t[:], b[n<<6:])
		equalPairsWords(dst[n:], s[:], t[:], 1, flip, keep)
		dst[n] &= first(len(r))
	}
}

func equalPairsWords[T Number](dst []uint64, a, b []T, n int, flip, keep uint64) {
	switch any(a[0]).(type) {
	case int32:
		equalPairsInt32AVX2(&dst[0], pointerTo[int32](a), pointerTo[int32](b), n, flip, keep)
	case int64:
		equalPairsInt64AVX2(&dst[0], pointerTo[int64](a), pointerTo[int64](b), n, flip, keep)
	case float32:
		equalPairsFloat32AVX2(&dst[0], pointerTo[float32](a), pointerTo[float32](b), n, flip, keep)
	case float64:
		equalPairsFloat64AVX2(&dst[0], pointerTo[float64](a), pointerTo[float64](b), n, flip, keep)
	}
}

func lessPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	if !enabled.Load() {
		plainLessPairs(dst, a, b, flip, keep)
		return
	}
	n := len(a) >> 6
	if n > 0 {
		lessPairsWords(dst, a, b, n, flip, keep)
	}
	if r := a[n<<6:]; len(r) > 0 {
		var s, t [64]T
		copy(s[:], r)
		copy(t[:], b[n<<6:])
		lessPairsWords(dst[n:], s[:], t[:], 1, flip, keep)
		dst[n] &= first(len(r))
	}
}

func lessPairsWords[T Number](dst []uint64, a, b []T, n int, flip, keep uint64) {
	switch any(a[0]).(type) {
	case int32:
		lessPairsInt32AVX2(&dst[0], pointerTo[int32](a), pointerTo[int32](b), n, flip, keep)
	case int64:
		lessPairsInt64AVX2(&dst[0], pointerTo[int64](a), pointerTo[int64](b), n, flip, keep)
	case float32:
		lessPairsFloat32AVX2(&dst[0], pointerTo[float32](a), pointerTo[float32](b), n, flip, keep)
	case float64:
		lessPairsFloat64AVX2(&dst[0], pointerTo[float64](a), pointerTo[float64](b), n, flip, keep)
	}
}

// compress uses kernels for the words whose rows src has all of.
func compress[T Number](dst, src []T, b []uint64) int {
	w, n, full := 0, 0, min(len(src)>>6, len(b))
	if enabled.Load() && full > 0 && len(dst) >= 64 {
		if unsafe.Sizeof(src[0]) == 4 {
			w, n = compress32AVX2((*uint32)(unsafe.Pointer(&dst[0])), (*uint32)(unsafe.Pointer(&src[0])), &b[0], 0, full, 0, len(dst))
		} else {
			w, n = compress64AVX2((*uint64)(unsafe.Pointer(&dst[0])), (*uint64)(unsafe.Pointer(&src[0])), &b[0], 0, full, 0, len(dst))
		}
	}
	return plainCompress(dst, src, b, w, n)
}

func indices(dst []int32, b []uint64) int {
	w, n := 0, 0
	if enabled.Load() && len(b) > 0 && len(dst) >= 64 {
		w, n = indicesAVX2(&dst[0], &b[0], 0, len(b), 0, len(dst))
	}
	return plainIndices(dst, b, w, n)
}

func sumInt32(v []int32) int64 {
	n := len(v) >> 4
	if n == 0 || !enabled.Load() {
		return plainSumInt32(v)
	}
	return sumInt32AVX2(&v[0], n) + plainSumInt32(v[n<<4:])
}

// sumInt64 sums halves of values, of which 1<<32 fit: low are unsigned, high are too
// many by 1<<31 each.
func sumInt64(v []int64) (int64, uint64) {
	n := len(v) >> 3
	if n == 0 || uint64(n) >= 1<<29 || !enabled.Load() {
		return plainSumInt64(v)
	}
	low, high := sumInt64AVX2(&v[0], n)
	h, l := plainSumInt64(v[n<<3:])
	upper := int64(high) - int64(n)<<34
	l, carry := bits.Add64(l, low, 0)
	h += int64(carry)
	l, carry = bits.Add64(l, uint64(upper)<<32, 0)
	return h + upper>>32 + int64(carry), l
}

func sumScaled32(v []float32, scale float64) (int64, float64, bool) {
	n := len(v) >> 3
	if n == 0 || !enabled.Load() {
		return plainSumScaled(v, scale)
	}
	sum, greatest, odd := sumScaled32AVX2(&v[0], n, scale)
	s, g, exact := plainSumScaled(v[n<<3:], scale)
	return unrounded(sum, n<<3) + s, max(greatest, g), exact && odd == 0
}

func sumScaled64(v []float64, scale float64) (int64, float64, bool) {
	n := len(v) >> 3
	if n == 0 || !enabled.Load() {
		return plainSumScaled(v, scale)
	}
	sum, greatest, odd := sumScaled64AVX2(&v[0], n, scale)
	s, g, exact := plainSumScaled(v[n<<3:], scale)
	return unrounded(sum, n<<3) + s, max(greatest, g), exact && odd == 0
}

// unrounded takes n times the bits of 3 << 51 away.
func unrounded(sum int64, n int) int64 { return sum - int64(n)*roundingBits }

// minMax gives lanes to the kernel, the last ones twice if the blocks do not come out
// even. NaN is greatest, and least only where there is nothing else.
func minMax[T Number](v []T) (least, greatest T) {
	block := 64 / int(unsafe.Sizeof(least))
	if len(v) < block || !enabled.Load() {
		return plainMinMax(v)
	}
	n := len(v) / block
	last := v[len(v)-block:]
	var low, high [8]T
	from, to := ends[T]()
	for i := range low {
		low[i], high[i] = from, to
	}
	nan := uint64(0)
	switch any(from).(type) {
	case int32:
		l, h := (*[8]int32)(unsafe.Pointer(&low)), (*[8]int32)(unsafe.Pointer(&high))
		nan = extremesInt32AVX2(pointerTo[int32](v), n, l, h) | extremesInt32AVX2(pointerTo[int32](last), 1, l, h)
	case int64:
		l, h := (*[4]int64)(unsafe.Pointer(&low)), (*[4]int64)(unsafe.Pointer(&high))
		nan = extremesInt64AVX2(pointerTo[int64](v), n, l, h) | extremesInt64AVX2(pointerTo[int64](last), 1, l, h)
	case float32:
		l, h := (*[8]float32)(unsafe.Pointer(&low)), (*[8]float32)(unsafe.Pointer(&high))
		nan = extremesFloat32AVX2(pointerTo[float32](v), n, l, h) | extremesFloat32AVX2(pointerTo[float32](last), 1, l, h)
	case float64:
		l, h := (*[4]float64)(unsafe.Pointer(&low)), (*[4]float64)(unsafe.Pointer(&high))
		nan = extremesFloat64AVX2(pointerTo[float64](v), n, l, h) | extremesFloat64AVX2(pointerTo[float64](last), 1, l, h)
	}
	if nan != 0 {
		return plainMinMax(v)
	}
	least, greatest = low[0], high[0]
	for i := range low {
		least, greatest = min(least, low[i]), max(greatest, high[i])
	}
	return least, greatest
}

// ends are the values that no other is above, or below.
func ends[T Number]() (greatest, least T) {
	switch any(least).(type) {
	case int32:
		return any(int32(math.MaxInt32)).(T), any(int32(math.MinInt32)).(T)
	case int64:
		return any(int64(math.MaxInt64)).(T), any(int64(math.MinInt64)).(T)
	case float32:
		return any(float32(math.Inf(1))).(T), any(float32(math.Inf(-1))).(T)
	}
	return any(math.Inf(1)).(T), any(math.Inf(-1)).(T)
}

func ascending(v []int64) bool {
	n := (len(v) - 1) >> 4
	if n <= 0 || !enabled.Load() {
		return plainAscending(v)
	}
	return ascendingAVX2(&v[0], n) && plainAscending(v[n<<4:])
}

func firstAbove(v []int64, limit int64) int {
	n := len(v) >> 4
	if n == 0 || !enabled.Load() {
		return plainFirstAbove(v, limit)
	}
	at := (n - aboveAVX2(&v[0], n, limit)) << 4
	return at + plainFirstAbove(v[at:], limit)
}

func addInt64(dst, src []int64, k int64) {
	n := 0
	if len(dst) >= 8 && enabled.Load() {
		n = len(dst) >> 3
		shiftInt64AVX2(&dst[0], &src[0], n, k)
	}
	plainAddInt64(dst[n<<3:], src[n<<3:], k)
}

func compressBits(dst, src, b []uint64) int {
	if !enabled.Load() {
		return plainCompressBits(dst, src, b)
	}
	return compressBitsAVX2(&dst[0], &src[0], &b[0], len(b))
}
