package vector

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// scalable is n values that times 256 are integers: small ones or of up to about width
// bits, and in one of four samples something that is none or does not fit.
func scalable[T float32 | float64](r *rand.Rand, n, width int) []T {
	v := make([]T, n+3)[3:]
	for i := range v {
		v[i] = T(math.Ldexp(float64(r.Int64N(1<<24)-1<<23), r.IntN(max(1, width-23))-8))
		if r.IntN(8) == 0 {
			v[i] = T(math.Copysign(0, -1))
		}
	}
	if n > 0 && r.IntN(4) == 0 {
		s := append(specials[T](), 1.0/512, -3.0/1024, 1<<43, -1<<43, 1<<44, -1<<44, 1<<55, -1<<55, 1<<70, -1<<70)
		v[r.IntN(n)] = s[r.IntN(len(s))]
	}
	return v
}

func testScale[T float32 | float64](t *testing.T, r *rand.Rand, n int) {
	v := scalable[T](r, n, []int{10, 30, 50, 53, 60, 66}[r.IntN(6)])
	want, wantReach, wantExact := make([]int64, n), uint64(0), true
	for i, x := range v {
		y := float64(x) * 256
		if y != math.Trunc(y) || math.Abs(y) >= 1<<63 {
			wantExact = wantExact && y == -1<<63
			want[i], wantReach = math.MinInt64, wantReach|math.MaxInt64
			continue
		}
		want[i] = int64(y)
		wantReach |= uint64(max(want[i], -want[i]-1))
	}
	dst := make([]int64, n+2)
	dst[n+1] = canary >> 1
	reach, exact := Scale(dst[1:n+1], v, 256)
	// 1 << 63 itself may count on processors whose conversions saturate.
	if exact != wantExact && !(exact && slices.Contains(v, 1<<55)) {
		t.Fatalf("exact %v, want %v: %v", exact, wantExact, v)
	}
	if wantExact && (reach != wantReach || !slices.Equal(dst[1:n+1], want)) {
		t.Fatalf("%v %x, want %v %x", dst[1:n+1], reach, want, wantReach)
	}
	if dst[0] != 0 || dst[n+1] != canary>>1 {
		t.Fatal("wrote outside")
	}
}

func TestScale(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 32))
		for _, n := range lengths() {
			for range 60 {
				testScale[float32](t, r, n)
				testScale[float64](t, r, n)
			}
		}
	})
}

func TestWiden(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(33, 34))
		for _, n := range lengths() {
			v, dst := sample[int32](r, n), make([]int64, n+1)
			dst[n] = 5
			reach, want := Widen(dst[:n], v), uint64(0)
			for i, x := range v {
				want |= uint64(max(int64(x), -int64(x)-1))
				if dst[i] != int64(x) {
					t.Fatalf("%d is %d", x, dst[i])
				}
			}
			if reach != want || dst[n] != 5 {
				t.Fatalf("reach %x, want %x; behind: %d", reach, want, dst[n])
			}
		}
	})
}

// integers have any number of bits; many lie at or beside what rounds to even.
func integers(r *rand.Rand, n int) []int64 {
	v := make([]int64, n+1)[1:]
	s := specials[int64]()
	for i := range v {
		switch v[i] = r.Int64() >> r.IntN(64); r.IntN(4) {
		case 0:
			v[i] = -v[i]
		case 1:
			v[i] = s[r.IntN(len(s))]
		case 2:
			k := max(0, bits.Len64(uint64(v[i]))-54)
			v[i] = (v[i]>>k<<k | 1<<k>>1) + r.Int64N(3) - 1
		}
	}
	return v
}

// sameBits is equality that takes any NaN for any other.
func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

func TestAverage(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(35, 36))
		for _, n := range lengths() {
			for range 20 {
				sum, count, unit := integers(r, n), integers(r, n), math.Ldexp(1, r.IntN(100)-80)
				dst, float := make([]float64, n+1), make([]float64, n+1)
				dst[n], float[n] = 5, 6
				Average(dst[:n], sum, count, unit)
				Float(float[:n], sum, unit)
				for i := range n {
					if want := float64(sum[i]) * unit; !sameBits(float[i], want) {
						t.Fatalf("%d*%v is %v, want %v", sum[i], unit, float[i], want)
					}
					if want := float64(sum[i]) * unit / float64(count[i]); !sameBits(dst[i], want) {
						t.Fatalf("%d*%v/%d is %v, want %v", sum[i], unit, count[i], dst[i], want)
					}
				}
				if dst[n] != 5 || float[n] != 6 {
					t.Fatal("wrote behind the end")
				}
			}
		}
	})
}

// FuzzConvert compares conversions with and without vector instructions.
func FuzzConvert(f *testing.F) {
	for _, n := range []int{0, 8, 72, 200} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i * i * 7)
		}
		f.Add(b, uint8(n))
	}
	f.Fuzz(func(t *testing.T, data []byte, shift uint8) {
		var i4 []int32
		var i8 []int64
		var f4 []float32
		var f8 []float64
		for ; len(data) >= 8; data = data[8:] {
			x := binary.LittleEndian.Uint64(data)
			i4, i8 = append(i4, int32(x)), append(i8, int64(x))
			f4, f8 = append(f4, math.Float32frombits(uint32(x))), append(f8, math.Float64frombits(x))
		}
		by := math.Ldexp(1, int(shift)-128)
		run := func(on bool) (out [3][]int64, reach [3]uint64, exact [2]bool, floats []float64) {
			defer Enable(Enable(on))
			for i := range out {
				out[i] = make([]int64, len(i8))
			}
			reach[0], exact[0] = Scale(out[0], f4, by)
			reach[1], exact[1] = Scale(out[1], f8, by)
			reach[2] = Widen(out[2], i4)
			floats = make([]float64, 2*len(i8))
			Float(floats[:len(i8)], i8, by)
			Average(floats[len(i8):], i8, out[2], by)
			return out, reach, exact, floats
		}
		out, reach, exact, floats := run(false)
		out2, reach2, exact2, floats2 := run(true)
		if reach != reach2 || exact != exact2 || !slices.EqualFunc(floats, floats2, sameBits) {
			t.Fatalf("%x %v %v, want %x %v %v", reach2, exact2, floats2, reach, exact, floats)
		}
		for i := range out {
			if !slices.Equal(out[i], out2[i]) {
				t.Fatalf("%d: %v, want %v", i, out2[i], out[i])
			}
		}
	})
}

// Conversions between numbers and integers, as sums of local windows have them.
func BenchmarkConvert(b *testing.B) {
	const n = 2048
	r := rand.New(rand.NewPCG(1, 2))
	ints, out, out2 := make([]int32, n), make([]int64, n), make([]float64, n)
	f4, f8, count := make([]float32, n), make([]float64, n), make([]int64, n)
	for i := range n {
		ints[i] = r.Int32() - 1<<30
		f4[i], f8[i], count[i] = float32(r.IntN(1<<16))/256, float64(r.IntN(1<<30))/256, 1+r.Int64N(1000)
	}
	bench(b, "Scale/float32", n, 12*n, func() { Scale(out, f4, 256) })
	bench(b, "Scale/float64", n, 16*n, func() { Scale(out, f8, 256) })
	bench(b, "Widen", n, 12*n, func() { Widen(out, ints) })
	bench(b, "Float", n, 16*n, func() { Float(out2, out, 1.0/256) })
	bench(b, "Average", n, 24*n, func() { Average(out2, out, count, 1.0/256) })
}
