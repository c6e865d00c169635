package vector

import (
	"math"
	"slices"
	"testing"
)

func TestPack(t *testing.T) {
	for n := range 70 {
		narrow, wide := make([]int32, n), make([]int64, n)
		for i := range n {
			narrow[i], wide[i] = int32(i*2654435761), int64(i)*0x9E3779B97F4A7C1+math.MinInt64
		}
		for _, shift := range []uint{0, 1, 33, 63} {
			for _, base := range []int64{0, -5, math.MinInt64, math.MaxInt32} {
				samePack(t, narrow, base, shift)
				samePack(t, wide, base, shift)
			}
		}
	}
}

func samePack[T int32 | int64](t *testing.T, v []T, base int64, shift uint) {
	t.Helper()
	const guard = 0x5a5a
	pack := func(on bool) ([]uint64, uint64) {
		defer Enable(Enable(on))
		words := make([]uint64, len(v)+9)
		for i := range words {
			words[i] = guard
		}
		return words, Pack(words[1:1+len(v)], v, uint64(base), shift)
	}
	plain, plainOver := pack(false)
	quick, over := pack(true)
	if over != plainOver || !slices.Equal(plain, quick) {
		t.Fatalf("%d values, base %d, shift %d: %x and %x", len(v), base, shift, quick, plain)
	}
	for i, x := range v {
		if want := uint64(guard) | (uint64(int64(x))-uint64(base))<<shift; plain[1+i] != want {
			t.Fatalf("value %d: %x, want %x", i, plain[1+i], want)
		}
	}
}
