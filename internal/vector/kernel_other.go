//go:build !amd64

package vector

// supported: there are no vector instructions for this processor.
const supported = false

func equalConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	plainEqualConst(dst, v, k, flip, keep)
}

func lessConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	plainLessConst(dst, v, k, flip, keep)
}

func equalPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	plainEqualPairs(dst, a, b, flip, keep)
}

func lessPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	plainLessPairs(dst, a, b, flip, keep)
}

func compress[T Number](dst, src []T, b []uint64) int { return plainCompress(dst, src, b, 0, 0) }

func indices(dst []int32, b []uint64) int { return plainIndices(dst, b, 0, 0) }

func sumInt32(v []int32) int64 { return plainSumInt32(v) }

func sumInt64(v []int64) (int64, uint64) { return plainSumInt64(v) }

func sumScaled32(v []float32, scale float64) (int64, float64, bool) { return plainSumScaled(v, scale) }

func sumScaled64(v []float64, scale float64) (int64, float64, bool) { return plainSumScaled(v, scale) }

func minMax[T Number](v []T) (T, T) { return plainMinMax(v) }

func ascending(v []int64) bool { return plainAscending(v) }

func firstAbove(v []int64, limit int64) int { return plainFirstAbove(v, limit) }

func addInt64(dst, src []int64, k int64) { plainAddInt64(dst, src, k) }

func compressBits(dst, src, b []uint64) int { return plainCompressBits(dst, src, b) }
