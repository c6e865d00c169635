//go:build !amd64

package vector

func packBlocks[T int32 | int64](_ []uint64, _ []T, _ uint64, _ uint) (int, uint64) { return 0, 0 }
