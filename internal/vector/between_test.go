package vector

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func testBetween[T Number](t *testing.T, r *rand.Rand, n int) {
	v, ends := sample[T](r, n), append(specials[T](), 0, 2, 2)
	lo, hi := ends[r.IntN(len(ends))], ends[r.IntN(len(ends))]
	for _, above := range []Test{Greater, GreaterEqual} {
		for _, below := range []Test{Less, LessEqual} {
			for _, narrow := range []bool{false, true} {
				old := randomBits(r, n)
				got, want := append(slices.Clone(old), canary), make([]uint64, len(old), len(old)+1)
				for i := range n {
					if holds(v[i], above, lo) && holds(v[i], below, hi) && (!narrow || old[i>>6]>>(i&63)&1 != 0) {
						want[i>>6] |= 1 << (i & 63)
					}
				}
				if narrow {
					NarrowBetween(got, v, above, lo, below, hi)
				} else {
					Between(got, v, above, lo, below, hi)
				}
				if !slices.Equal(got, append(want, canary)) {
					t.Fatalf("%T, tests %d with %v and %d with %v, %d rows, narrow %v: %x, want %x of %v",
						v, above, lo, below, hi, n, narrow, got, want, v)
				}
			}
		}
	}
}

func TestBetween(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range lengths() {
			for range 12 {
				testBetween[int32](t, r, n)
				testBetween[int64](t, r, n)
				testBetween[float32](t, r, n)
				testBetween[float64](t, r, n)
			}
		}
	})
}

func benchBetween[T Number](b *testing.B, name string, size int) {
	const n = 1024
	v, dst := random[T](n), make([]uint64, words(n))
	bench(b, name, n, n*size, func() { Between(dst, v, Greater, 400, Less, 500) })
	bench(b, name+"/two-passes", n, n*size, func() {
		Compare(dst, v, Greater, 400)
		Narrow(dst, v, Less, 500)
	})
}

func BenchmarkBetween(b *testing.B) {
	benchBetween[int32](b, "int32", 4)
	benchBetween[int64](b, "int64", 8)
	benchBetween[float32](b, "float32", 4)
	benchBetween[float64](b, "float64", 8)
}
