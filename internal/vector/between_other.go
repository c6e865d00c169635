//go:build !amd64

package vector

func within[T Number](dst []uint64, v []T, lo, hi T, keep uint64) { plainWithin(dst, v, lo, hi, keep) }
