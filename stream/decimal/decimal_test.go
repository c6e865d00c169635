package decimal

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"testing"
)

func (x Int) big() *big.Int {
	b := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(x.Lo))
}

func ten(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// random has any number of digits up to 38.
func random(r *rand.Rand) Int {
	digits := r.IntN(DigitsMax) + 1
	x := Int{int64(r.Uint64() >> 1), r.Uint64()}
	switch r.IntN(4) {
	case 0: // an extreme
		x = Int{int64(powers[digits][1]), powers[digits][0]}
		x, _ = Add(x, 0, Of(-1), 0, 0)
	case 1:
		x = Of(int64(r.IntN(21) - 10))
	}
	w, _ := wideOf(x)
	limit := wide{powers[digits][0], powers[digits][1]}
	_, rest := w.divide(&limit)
	x, _ = rest.signed(r.IntN(2) == 0)
	return x
}

// quotient is a / b, halves away from zero.
func quotient(a, b *big.Int) *big.Int {
	n, d := new(big.Int).Abs(a), new(big.Int).Abs(b)
	q, rest := new(big.Int).QuoRem(n, d, new(big.Int))
	if rest.Lsh(rest, 1).Cmp(d) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	if a.Sign()*b.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

func rescaled(x *big.Int, from, to int) *big.Int {
	if from <= to {
		return new(big.Int).Mul(x, ten(to-from))
	}
	return quotient(x, ten(from-to))
}

// TestAgainstBig computes everything twice.
func TestAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(what string, got Int, ok bool, want *big.Int, args ...any) {
		t.Helper()
		if fits := want.BitLen() <= 127; ok != fits || ok && got.big().Cmp(want) != 0 {
			t.Fatalf("%s of %v: %v (%t), want %v", what, args, got.big(), ok, want)
		}
	}
	for range 30_000 {
		a, b := random(r), random(r)
		as, bs, to, shift := r.IntN(39), r.IntN(39), r.IntN(39), r.IntN(45)
		x, y := a.big(), b.big()
		scale := max(as, bs)
		got, ok := Rescale(a, as, to)
		check("rescale", got, ok, rescaled(x, as, to), x, as, to)
		got, ok = Add(a, as, b, bs, to)
		sum := new(big.Int).Add(rescaled(x, as, scale), rescaled(y, bs, scale))
		check("sum", got, ok, rescaled(sum, scale, to), x, as, y, bs, to)
		got, ok = Mul(a, b, as+bs)
		check("product", got, ok, rescaled(new(big.Int).Mul(x, y), as+bs, 0), x, y, as+bs)
		check("truncation", Truncate(a, as), true, new(big.Int).Quo(x, ten(as)), x, as)
		up, down := new(big.Int).Set(x), new(big.Int).Set(x)
		up.Neg(down.Div(up.Neg(up), ten(as)))
		down.Div(x, ten(as)) // Euclidean: rounds down
		check("ceiling", Round(a, as, 1), true, up, x, as)
		check("floor", Round(a, as, -1), true, down, x, as)
		if a.Fits(to) != (new(big.Int).Abs(x).Cmp(ten(to)) < 0) {
			t.Fatalf("%v has %d digits: %t", x, to, a.Fits(to))
		}
		if b.Sign() == 0 {
			continue
		}
		got, ok = Div(a, b, shift)
		check("quotient", got, ok, quotient(new(big.Int).Mul(x, ten(shift)), y), x, y, shift)
		got, ok = Mod(a, as, b, bs, scale)
		check("remainder", got, ok, new(big.Int).Rem(rescaled(x, as, scale), rescaled(y, bs, scale)), x, as, y, bs)
	}
}

func TestText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		x, scale := random(r), r.IntN(39)
		text := Append(nil, x, scale)
		want := new(big.Rat).SetFrac(x.big(), ten(scale)).FloatString(scale)
		if string(text) != want {
			t.Fatalf("%v of scale %d is %s, not %s", x.big(), scale, text, want)
		}
		to := r.IntN(39)
		back, fits, ok := Parse(text, to)
		exact := rescaled(x.big(), scale, to)
		if !ok || fits != (exact.BitLen() <= 127) || fits && back.big().Cmp(exact) != 0 {
			t.Fatalf("%s is read as %v of scale %d (%t %t), want %v", text, back.big(), to, fits, ok, exact)
		}
		y := random(r)
		if c := bytes.Compare(x.AppendBytes(nil), y.AppendBytes(nil)); c != x.big().Cmp(y.big()) {
			t.Fatalf("the bytes of %v and %v compare as %d", x.big(), y.big(), c)
		}
		if FromBytes(x.AppendBytes(nil)) != x || FromBytes(string(x.AppendBytes(nil))) != x {
			t.Fatalf("%v does not come back from bytes", x.big())
		}
	}
	for text, want := range map[string]int64{
		"1.5": 150, "+.5": 50, "5.": 500, "1e2": 10_000, "1.25E-1": 13, "-1.245": -125, "0.004": 0, "0.005": 1, "-0": 0, "1e-900": 0, "0e900": 0, "000012.30": 1230, "123456e-4": 1235,
	} {
		if x, fits, ok := Parse(text, 2); !ok || !fits || x != Of(want) {
			t.Errorf("%s is %v (%t %t), want %d", text, x.big(), fits, ok, want)
		}
	}
	for _, text := range []string{"", "-", ".", "e1", "1e", "1e+", "1.2.3", "1 ", "0x1", "1_0", "1e1.5", "NaN", "--1", "1e_1"} {
		if x, _, ok := Parse(text, 2); ok {
			t.Errorf("%q is read as %v", text, x.big())
		}
	}
	for _, text := range []string{"1e40", "1e900", "170141183460469231731687303715884105728"} {
		if x, fits, ok := Parse(text, 0); fits || !ok {
			t.Errorf("%s is read as %v (%t %t)", text, x.big(), fits, ok)
		}
	}
}

func TestSums(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		var sum, half Sum
		want, n := new(big.Int), int64(r.IntN(60)+1)
		for i := range n {
			x := random(r)
			want.Add(want, x.big())
			if sum = sum.Add(x); i%2 == 0 {
				half = half.Add(x)
			}
		}
		if sum.Minus(half).Plus(half) != sum {
			t.Fatal("taking half away and adding it changes the sum")
		}
		for _, shift := range []int{0, 6, 38} {
			exact := quotient(new(big.Int).Mul(want, ten(shift)), big.NewInt(n))
			if x, ok := sum.Average(n, shift); ok != (exact.BitLen() <= 127) || ok && x.big().Cmp(exact) != 0 {
				t.Fatalf("%v / %d is %v (%t), not %v", want, n, x.big(), ok, exact)
			}
		}
		if x, ok := sum.Average(1, 0); ok && x.big().Cmp(want) != 0 {
			t.Fatalf("the sum is %v, not %v", x.big(), want)
		}
	}
}
