package operator

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

func TestIntSumIsExact(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	extremes := []int64{math.MaxInt64, math.MinInt64, 0, 1, -1, 1 << 53, 1<<53 + 1, math.MaxInt64 - 511}
	for range 2000 {
		var s, half intSum
		exact := new(big.Int)
		n := 1 + rng.Intn(40)
		for i := range n {
			v := extremes[rng.Intn(len(extremes))]
			if rng.Intn(2) == 0 {
				v = int64(rng.Uint64())
			}
			exact.Add(exact, big.NewInt(v))
			if i%2 == 0 {
				s.add(v)
			} else {
				half.add(v)
			}
		}
		both := s.plus(half)
		if got := both.minus(half); got != s {
			t.Fatalf("%v + %v - the latter = %v", s, half, got)
		}
		if both.fits() != exact.IsInt64() || both.n != int64(n) {
			t.Fatalf("sum %v: fits %v, n %d", exact, both.fits(), both.n)
		}
		want, _ := new(big.Float).SetInt(exact).Float64()
		if got := both.float(); got != want {
			t.Fatalf("sum %v as float: %v, want %v", exact, got, want)
		}
		q := new(big.Int).Quo(exact, big.NewInt(int64(n)))
		if got := both.quotient(); got != q.Int64() {
			t.Fatalf("average of %v over %d: %d, want %v", exact, n, got, q)
		}
	}
}

// Sums cut anywhere agree with exact arithmetic to the last bit.
func TestFloatSumIsExactToTheLastBit(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	for range 2000 {
		var parts [3]floatSum
		exact := new(big.Float).SetPrec(4000)
		for range 1 + rng.Intn(200) {
			v := (rng.Float64() - 0.5) * math.Pow(2, float64(rng.Intn(60)-30))
			parts[rng.Intn(3)].add(v)
			exact.Add(exact, new(big.Float).SetFloat64(v))
		}
		s := parts[0].plus(parts[1]).plus(parts[2])
		want, _ := exact.Float64()
		if got := s.value(); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestFloatSumOfInfinities(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1, inf, 2}, inf}, {[]float64{-inf, 5}, -inf}, {[]float64{inf, -inf}, math.NaN()},
		{[]float64{math.NaN(), 1}, math.NaN()}, {[]float64{math.MaxFloat64, math.MaxFloat64}, inf}, {[]float64{1e300, 1, -1e300}, 1},
	} {
		var s floatSum
		for _, v := range c.values {
			s.add(v)
		}
		if got := s.value(); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("sum of %v = %v, want %v", c.values, got, c.want)
		}
	}
}
