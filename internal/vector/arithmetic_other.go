//go:build !amd64

package vector

func addBlocks[T Number](_, _, _ []T) (int, bool) { return 0, false }

func subBlocks[T Number](_, _, _ []T) (int, bool) { return 0, false }

func mulInt32(_, _, _ []int32) (int, bool) { return 0, false }

func mulBlocks[T float32 | float64](_, _, _ []T) int { return 0 }

func divBlocks[T float32 | float64](_, _, _ []T) int { return 0 }

func mulSmall(_, _, _ []int64) int { return 0 }

func divConst(_, _ []int32, _ int32, _ float64) int { return 0 }

func modConst(_, _ []int32, _ int32, _ float64) int { return 0 }
