package vector

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func testIntegers[T int32 | int64](t *testing.T, r *rand.Rand, n int) {
	bits := map[bool]uint{true: 32, false: 64}[T(1)<<31 < 0]
	a, b, dst := sample[T](r, n), sample[T](r, n), make([]T, n+1)
	ops := []struct {
		name  string
		apply func(dst, a, b []T) bool
		exact func(z, x, y *big.Int) *big.Int
	}{{"add", Add[T], (*big.Int).Add}, {"sub", Sub[T], (*big.Int).Sub}}
	if d, ok := any(dst).([]int32); ok {
		ops = append(ops, ops[0])
		ops[2].name, ops[2].exact = "mul", (*big.Int).Mul
		ops[2].apply = func(_, a, b []T) bool { return MulInt32(d[:n], any(a).([]int32), any(b).([]int32)) }
	}
	if d, ok := any(dst).([]int64); ok {
		ops = append(ops, ops[0])
		ops[2].name, ops[2].exact = "mul", (*big.Int).Mul
		ops[2].apply = func(_, a, b []T) bool { return MulInt64(d[:n], any(a).([]int64), any(b).([]int64)) }
	}
	for _, op := range ops {
		dst[n] = 7
		over, got := false, op.apply(dst[:n], a, b)
		for i := range a {
			x := op.exact(new(big.Int), big.NewInt(int64(a[i])), big.NewInt(int64(b[i])))
			y := big.NewInt(int64(dst[i]))
			over = over || x.Cmp(y) != 0
			if x.Sub(x, y); x.Mod(x, new(big.Int).Lsh(big.NewInt(1), bits)).Sign() != 0 {
				t.Fatalf("%s %d, %d is %d", op.name, a[i], b[i], dst[i])
			}
		}
		if got != over || dst[n] != 7 {
			t.Fatalf("%s of %d: overflow %v, want %v; behind %d", op.name, n, got, over, dst[n])
		}
	}
}

func testFloats[T float32 | float64](t *testing.T, r *rand.Rand, n int) {
	a, b, dst := sample[T](r, n), sample[T](r, n), make([]T, n+1)
	for _, op := range []struct {
		name  string
		apply func(dst, a, b []T)
		exact func(x, y T) T
	}{
		{"add", func(d, a, b []T) { Add(d, a, b) }, func(x, y T) T { return x + y }},
		{"sub", func(d, a, b []T) { Sub(d, a, b) }, func(x, y T) T { return x - y }},
		{"mul", Mul[T], func(x, y T) T { return x * y }},
		{"div", Div[T], func(x, y T) T { return x / y }},
	} {
		dst[n] = 7
		op.apply(dst[:n], a, b)
		for i := range a {
			if want := op.exact(a[i], b[i]); !same(dst[i], want) {
				t.Fatalf("%s %v, %v is %v, want %v", op.name, a[i], b[i], dst[i], want)
			}
		}
		if dst[n] != 7 {
			t.Fatalf("%s wrote behind the end", op.name)
		}
	}
}

func TestArithmetic(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 16))
		for _, n := range lengths() {
			for range 6 {
				testIntegers[int32](t, r, n)
				testIntegers[int64](t, r, n)
				testFloats[float32](t, r, n)
				testFloats[float64](t, r, n)
			}
		}
	})
}

func TestDivConst(t *testing.T) {
	both(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(19, 20))
		for range 3000 {
			k := int32(r.Uint32()) >> r.IntN(32)
			if k == 0 || k == -1 {
				continue
			}
			n := r.IntN(40)
			v, q, m := make([]int32, n), make([]int32, n+1), make([]int32, n+1)
			q[n], m[n] = 7, 7
			for i := range v {
				v[i] = int32(r.Uint32()) >> r.IntN(32)
				switch r.IntN(4) {
				case 0:
					v[i] = v[i] / k * k
				case 1:
					v[i] = v[i]/k*k - 1
				case 2:
					v[i] = specials[int32]()[r.IntN(8)]
				}
			}
			DivConst(q, v, k)
			ModConst(m, v, k)
			for i, x := range v {
				if q[i] != x/k || m[i] != x%k {
					t.Fatalf("%d / %d is %d rest %d", x, k, q[i], m[i])
				}
			}
			if q[n] != 7 || m[n] != 7 {
				t.Fatal("wrote behind the end")
			}
		}
	})
}
