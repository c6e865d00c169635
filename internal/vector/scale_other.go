//go:build !amd64

package vector

func scaleBlocks[T float32 | float64](_ []int64, _ []T, _ float64) (int, uint64, bool) {
	return 0, 0, true
}

func widenBlocks(_ []int64, _ []int32) (int, uint64) { return 0, 0 }

func floatBlocks(_ []float64, _ []int64, _ float64) int { return 0 }

func averageBlocks(_ []float64, _, _ []int64, _ float64) int { return 0 }
