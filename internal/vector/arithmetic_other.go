//go:build !amd64

package vector

func addBlocks[T Number](_, _, _ []T) (int, bool) { return 0, false }

func subBlocks[T Number](_, _, _ []T) (int, bool) { return 0, false }

func mulBlocks[T Number](_, _, _ []T) (int, bool) { return 0, false }

func divBlocks[T float32 | float64](_, _, _ []T) int { return 0 }
