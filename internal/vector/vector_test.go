package vector

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// both runs a test with and without vector instructions.
func both(t *testing.T, f func(t *testing.T)) {
	for _, on := range []bool{false, true} {
		if on && !supported {
			continue
		}
		t.Run(map[bool]string{false: "plain", true: "vector"}[on], func(t *testing.T) {
			defer Enable(Enable(on))
			f(t)
		})
	}
}

// lengths are around the widths that kernels step by.
func lengths() []int {
	out := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33}
	for _, n := range []int{63, 127, 191, 255, 511, 1023} {
		out = append(out, n, n+1, n+2, n+33)
	}
	return out
}

// specials are values that comparisons and sums are likely to get wrong.
func specials[T Number]() []T {
	switch any(T(0)).(type) {
	case int32:
		return any([]int32{0, 1, -1, 2, math.MinInt32, math.MinInt32 + 1, math.MaxInt32, math.MaxInt32 - 1}).([]T)
	case int64:
		return any([]int64{0, 1, -1, 1 << 31, -1 << 31, 1 << 32, math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1}).([]T)
	case float32:
		z, inf := float32(0), float32(math.Inf(1))
		return any([]float32{0, -z * 1, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()), math.Float32frombits(0xffc00001),
			math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32}).([]T)
	default:
		inf := math.Inf(1)
		return any([]float64{0, math.Copysign(0, -1), 1, -1, inf, -inf, math.NaN(), math.Float64frombits(0xfff8000000000001),
			math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64}).([]T)
	}
}

// sample is n values at an odd offset: small numbers, specials or both.
func sample[T Number](r *rand.Rand, n int) []T {
	v, s, kind := make([]T, n+3)[3:], specials[T](), r.IntN(3)
	for i := range v {
		if kind == 0 || kind == 2 && r.IntN(4) == 0 {
			v[i] = s[r.IntN(len(s))]
		} else {
			v[i] = T(r.IntN(7) - 3)
		}
	}
	return v
}

func holds[T Number](x T, test Test, y T) bool {
	// cmp.Compare puts NaN first.
	c := cmp.Compare(x, y)
	if (x != x) != (y != y) {
		c = -c
	}
	switch test {
	case Equal:
		return c == 0
	case NotEqual:
		return c != 0
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	}
	return c >= 0
}

func randomBits(r *rand.Rand, n int) []uint64 {
	b, kind := make([]uint64, words(n)), r.IntN(5)
	for i := range b {
		switch kind {
		case 0:
			b[i] = ^uint64(0)
		case 1:
			b[i] = r.Uint64() & r.Uint64() & r.Uint64() & r.Uint64()
		case 2:
			b[i] = r.Uint64() | r.Uint64() | r.Uint64()
		case 3:
			b[i] = [3]uint64{0, ^uint64(0), 1 << r.IntN(64)}[r.IntN(3)]
		default:
			b[i] = r.Uint64()
		}
	}
	trim(b, n)
	return b
}

const canary = 0xfeed_face_dead_beef

func testCompare[T Number](t *testing.T, r *rand.Rand, n int) {
	a, b := sample[T](r, n), sample[T](r, n)
	keys := append(specials[T](), 0, 2)
	for test := Equal; test <= GreaterEqual; test++ {
		k := keys[r.IntN(len(keys))]
		for _, c := range []struct {
			name  string
			apply func(dst []uint64)
			want  func(i int) bool
			and   bool
		}{
			{"Compare", func(d []uint64) { Compare(d, a, test, k) }, func(i int) bool { return holds(a[i], test, k) }, false},
			{"Narrow", func(d []uint64) { Narrow(d, a, test, k) }, func(i int) bool { return holds(a[i], test, k) }, true},
			{"ComparePairs", func(d []uint64) { ComparePairs(d, a, b, test) }, func(i int) bool { return holds(a[i], test, b[i]) }, false},
			{"NarrowPairs", func(d []uint64) { NarrowPairs(d, a, b, test) }, func(i int) bool { return holds(a[i], test, b[i]) }, true},
		} {
			old := randomBits(r, n)
			got := append(slices.Clone(old), canary)
			want := make([]uint64, len(old), len(old)+1)
			for i := range n {
				if c.want(i) && (!c.and || old[i>>6]>>(i&63)&1 != 0) {
					want[i>>6] |= 1 << (i & 63)
				}
			}
			c.apply(got)
			if !slices.Equal(got, append(want, canary)) {
				t.Fatalf("%s of %T, test %d with %v, %d rows: %x, want %x of %v", c.name, a, test, k, n, got, want, a)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range lengths() {
			for range 6 {
				testCompare[int32](t, r, n)
				testCompare[int64](t, r, n)
				testCompare[float32](t, r, n)
				testCompare[float64](t, r, n)
			}
		}
	})
}

func testCompress[T Number](t *testing.T, r *rand.Rand, n int) {
	v, b := make([]T, n), randomBits(r, n)
	var want []T
	for i := range v {
		v[i] = T(i + 1)
		if b[i>>6]>>(i&63)&1 != 0 {
			want = append(want, v[i])
		}
	}
	dst := make([]T, len(want)+r.IntN(80)+1)
	dst[len(dst)-1] = 77
	if k := Compress(dst[:len(dst)-1], v, b); k != len(want) || !slices.Equal(dst[:k], want) {
		t.Fatalf("%T, %d rows: %v, want %v", v, n, dst[:k], want)
	}
	if dst[len(dst)-1] != 77 {
		t.Fatalf("%T: wrote behind the end", v)
	}
	if k := Compress(v, v, b); !slices.Equal(v[:k], want) {
		t.Fatalf("%T in place: %v, want %v", v, v[:k], want)
	}
}

func TestCompress(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range lengths() {
			for range 20 {
				testCompress[int32](t, r, n)
				testCompress[int64](t, r, n)
				testCompress[float32](t, r, n)
				testCompress[float64](t, r, n)
			}
		}
	})
}

func TestIndicesOf(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, n := range lengths() {
			for range 20 {
				b := randomBits(r, n)
				dst := make([]int32, Count(b)+r.IntN(80)+1)
				dst[len(dst)-1] = -7
				k, want := IndicesOf(dst[:len(dst)-1], b), 0
				for i := range n {
					if b[i>>6]>>(i&63)&1 != 0 {
						if dst[want] != int32(i) {
							t.Fatalf("index %d is %d, want %d", want, dst[want], i)
						}
						want++
					}
				}
				if k != want || dst[len(dst)-1] != -7 {
					t.Fatalf("%d indices, want %d; behind: %d", k, want, dst[len(dst)-1])
				}
			}
		}
	})
}

func TestBitmaps(t *testing.T) {
	a, b := []uint64{0b1100, 1 << 63}, []uint64{0b1010, 1}
	if c := slices.Clone(a); !And(c, b) || !slices.Equal(c, []uint64{0b1000, 0}) {
		t.Fatalf("and %x", c)
	}
	if c := slices.Clone(a); !AndNot(c, b) || !slices.Equal(c, []uint64{0b0100, 1 << 63}) {
		t.Fatalf("and not %x", c)
	}
	if c := slices.Clone(a); And(c, []uint64{3, 1}) || AndNot(a[:0], nil) {
		t.Fatalf("empty %x", c)
	}
	Or(a, b)
	if Count(a) != 5 {
		t.Fatalf("or %x", a)
	}
	Set(a, 65)
	if a[0] != ^uint64(0) || a[1] != 1 {
		t.Fatalf("set %x", a)
	}
}

func TestCompressBits(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(17, 18))
		for _, n := range lengths() {
			for range 20 {
				src, b, count := randomBits(r, n), randomBits(r, n), 0
				dst := make([]uint64, len(b)+2)
				dst[len(dst)-1] = canary
				k := CompressBits(dst[:len(b)+1], src, b)
				for i := range n {
					if b[i>>6]>>(i&63)&1 == 0 {
						continue
					}
					if dst[count>>6]>>(count&63)&1 != src[i>>6]>>(i&63)&1 {
						t.Fatalf("bit %d is wrong", count)
					}
					count++
				}
				if k != count || dst[len(dst)-1] != canary {
					t.Fatalf("%d bits, want %d; behind: %x", k, count, dst[len(dst)-1])
				}
			}
		}
	})
}
