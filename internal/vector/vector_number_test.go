package vector

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func testMinMax[T Number](t *testing.T, r *rand.Rand, n int) {
	v := sample[T](r, n)
	least, greatest := v[0], v[0]
	for _, x := range v {
		if holds(x, Less, least) {
			least = x
		}
		if holds(x, Greater, greatest) {
			greatest = x
		}
	}
	a, b := MinMax(v)
	if !same(a, least) || !same(b, greatest) {
		t.Fatalf("%v..%v, want %v..%v of %v", a, b, least, greatest, v)
	}
}

// same is equality that tells -0 from 0.
func same[T Number](a, b T) bool {
	return holds(a, Equal, b) && math.Signbit(float64(a)) == math.Signbit(float64(b)) || a != a && b != b
}

func TestMinMax(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for _, n := range lengths()[1:] {
			for range 8 {
				testMinMax[int32](t, r, n)
				testMinMax[int64](t, r, n)
				testMinMax[float32](t, r, n)
				testMinMax[float64](t, r, n)
			}
		}
	})
}

func TestSums(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, n := range lengths() {
			for range 8 {
				a, b := sample[int32](r, n), sample[int64](r, n)
				want, total := int64(0), new(big.Int)
				for i := range a {
					want += int64(a[i])
					total.Add(total, big.NewInt(b[i]))
				}
				if got := SumInt32(a); got != want {
					t.Fatalf("%d, want %d", got, want)
				}
				high, low := SumInt64(b)
				got := new(big.Int).Lsh(big.NewInt(high), 64)
				if got.Add(got, new(big.Int).SetUint64(low)); got.Cmp(total) != 0 {
					t.Fatalf("%s, want %s", got, total)
				}
			}
		}
	})
}

func TestSumScaled(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, n := range lengths() {
			for k := range 12 {
				v, w := make([]float32, n+1)[1:], make([]float64, n)
				want, scale := int64(0), math.Ldexp(1, k)
				for i := range v {
					x := r.IntN(1<<24) - 1<<23
					want += int64(x)
					v[i], w[i] = float32(x)/float32(scale), float64(x)/scale
				}
				if s, ok := SumScaled32(v, scale); !ok || s != want {
					t.Fatalf("%d %v, want %d", s, ok, want)
				}
				if s, ok := SumScaled64(w, scale); !ok || s != want {
					t.Fatalf("%d %v, want %d", s, ok, want)
				}
				for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.0 / (1 << 20), 1 << 60, -1 << 52, math.MaxFloat32} {
					if n == 0 {
						continue
					}
					at := r.IntN(n)
					x, y := v[at], w[at]
					v[at], w[at] = float32(bad), bad
					if _, ok := SumScaled32(v, scale); ok {
						t.Fatalf("%v at %d of %d counts as exact", bad, at, n)
					}
					if _, ok := SumScaled64(w, scale); ok {
						t.Fatalf("%v at %d of %d counts as exact", bad, at, n)
					}
					v[at], w[at] = x, y
				}
			}
		}
		if _, ok := SumScaled64(slices.Repeat([]float64{1 << 51}, 5000), 1); ok {
			t.Fatal("a sum that overflows counts as exact")
		}
		if s, ok := SumScaled64(slices.Repeat([]float64{-1 << 51}, 1000), 1); !ok || s != -1000<<51 {
			t.Fatal(s, ok)
		}
	})
}

func TestOrder(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(13, 14))
		for _, n := range lengths() {
			v := sample[int64](r, n)
			slices.Sort(v)
			if !Ascending(v) {
				t.Fatalf("%v does not ascend", v)
			}
			for range 10 {
				if n == 0 {
					break
				}
				at, limit := r.IntN(n), v[r.IntN(n)]
				old := v[at]
				v[at] = specials[int64]()[r.IntN(10)]
				if got := Ascending(v); got != slices.IsSorted(v) {
					t.Fatalf("ascending %v: %v", got, v)
				}
				want := slices.IndexFunc(v, func(x int64) bool { return x > limit })
				if want < 0 {
					want = n
				}
				if got := FirstAbove(v, limit); got != want {
					t.Fatalf("first above %d at %d, want %d: %v", limit, got, want, v)
				}
				v[at] = old
			}
			dst := make([]int64, n+1)
			dst[n] = 5
			AddInt64(dst[:n], v, math.MaxInt64)
			for i, x := range v {
				if dst[i] != x+math.MaxInt64 {
					t.Fatalf("sum %d of %d is %d", i, n, dst[i])
				}
			}
			if dst[n] != 5 {
				t.Fatal("wrote behind the end")
			}
		}
	})
}

// testSumExact: whatever counts as exact is, and sums of numbers of like size count.
func testSumExact[T float32 | float64](t *testing.T, r *rand.Rand, n int) {
	v, kind, must := sample[T](r, n), r.IntN(3), false
	for i := range v {
		switch kind {
		case 0:
			v[i], must = T(r.IntN(1<<20)-1<<19)/256, true
		case 1:
			v[i] = T(math.Ldexp(r.Float64()-0.5, r.IntN(60)-30))
		}
	}
	high, low, ok := SumExact(v)
	if !ok {
		if must {
			t.Fatalf("%v do not count as exact", v)
		}
		return
	}
	want := new(big.Float).SetPrec(4000)
	for _, x := range v {
		want.Add(want, big.NewFloat(float64(x)))
	}
	got := new(big.Float).SetPrec(4000).Add(big.NewFloat(high).SetPrec(4000), big.NewFloat(low))
	if nearest, _ := want.Float64(); got.Cmp(want) != 0 || nearest != high {
		t.Fatalf("%v+%v, want %v of %v", high, low, want, v)
	}
}

func TestSumExact(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 22))
		for _, n := range lengths() {
			for range 10 {
				testSumExact[float32](t, r, n)
				testSumExact[float64](t, r, n)
			}
		}
	})
}
