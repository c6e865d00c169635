package window

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

// exact computes edges without a limit on size.
func exact(g Grid, k int64) (start, end *big.Int) {
	if g.Grows {
		end = new(big.Int).Mul(new(big.Int).Add(big.NewInt(k), big.NewInt(1)), big.NewInt(g.Slide))
		start = new(big.Int).Sub(end, big.NewInt(1))
		start.Div(start, big.NewInt(g.Size)) // rounds down, the size being positive
		return start.Mul(start, big.NewInt(g.Size)), end
	}
	start = new(big.Int).Mul(big.NewInt(k), big.NewInt(g.Slide))
	return start, new(big.Int).Add(start, big.NewInt(g.Size))
}

func clamp(v *big.Int) int64 {
	switch {
	case v.IsInt64():
		return v.Int64()
	case v.Sign() < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}

func holds(g Grid, k, p int64) bool {
	start, end := exact(g, k)
	return start.Cmp(big.NewInt(p)) <= 0 && end.Cmp(big.NewInt(p)) > 0
}

var grids = [][2]int64{{1, 1}, {10, 1}, {10, 10}, {3600, 7}, {7, 3600}, {5, 3}, {1, 9}, {60_000_000, 1_000_000}, {math.MaxInt64, 1}, {1, math.MaxInt64}, {math.MaxInt64, math.MaxInt64}, {1 << 40, 1<<40 - 1}}

func positions(r *rand.Rand, g Grid) []int64 {
	out := []int64{0, 1, -1, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	for i := 0; i < 60; i++ {
		out = append(out, r.Int63n(100_000)-50_000, int64(r.Uint64()), math.MaxInt64-r.Int63n(1000), math.MinInt64+r.Int63n(1000))
		out = append(out, mul(r.Int63n(200)-100, g.Slide)+r.Int63n(3)-1)
	}
	return out
}

// growing have a size that is a multiple of the step.
var growing = [][2]int64{{1, 1}, {10, 5}, {3600, 7 * 60 / 7}, {12, 1}, {60_000_000, 1_000_000}, {1 << 40, 1 << 38}, {math.MaxInt64, math.MaxInt64}, {math.MaxInt64, 7}}

func all() (out []Grid) {
	for _, s := range grids {
		out = append(out, Range(s[0], s[1]))
	}
	for _, s := range growing {
		out = append(out, Cumulate(s[1], s[0]))
	}
	return out
}

func TestTimeWindows(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, g := range all() {
		for _, p := range positions(r, g) {
			first, last := g.First(p), g.Last(p)
			if g.Holds(p) != (first <= last) {
				t.Fatalf("%v: Holds(%d)", g, p)
			}
			for _, k := range []int64{first, last} {
				if first <= last && !holds(g, k, p) {
					t.Fatalf("%v: window %d does not hold %d", g, k, p)
				}
			}
			if first > math.MinInt64 && holds(g, first-1, p) || last < math.MaxInt64 && holds(g, last+1, p) {
				t.Fatalf("%v: a window outside [%d,%d] holds %d", g, first, last, p)
			}
			for _, k := range []int64{first, last} {
				start, end := exact(g, k)
				if g.Start(k) != clamp(start) || g.End(k) != clamp(end) {
					t.Fatalf("%v: window %d = [%d,%d), want [%v,%v)", g, k, g.Start(k), g.End(k), start, end)
				}
				if start.IsInt64() && end.IsInt64() && g.StartOf(g.End(k)) != g.Start(k) {
					t.Fatalf("%v: the window that ends at %d begins at %d, want %d", g, g.End(k), g.StartOf(g.End(k)), g.Start(k))
				}
			}
		}
	}
}

func TestPanes(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, g := range all() {
		for _, p := range positions(r, g) {
			pane := g.Pane(p)
			if p < pane.First || p > pane.Last {
				t.Fatalf("%v: pane %v does not hold %d", g, pane, p)
			}
			for _, q := range []int64{pane.First, pane.Last} {
				if g.Pane(q) != pane {
					t.Fatalf("%v: pane of %d is %v, of %d %v", g, p, pane, q, g.Pane(q))
				}
				if g.First(q) != g.First(p) || g.Last(q) != g.Last(p) {
					t.Fatalf("%v: %d and %d of one pane are in different windows", g, p, q)
				}
			}
			if pane.Last < math.MaxInt64 {
				next := pane.Last + 1
				if g.First(next) == g.First(p) && g.Last(next) == g.Last(p) {
					t.Fatalf("%v: pane %v ends without an edge", g, pane)
				}
			}
		}
	}
}

func TestRowsWindowsBeginAtZero(t *testing.T) {
	g := Rows(4, 2)
	for p, want := range []int64{0, 0, 0, 0, 1, 1, 2, 2} {
		if g.First(int64(p)) != want {
			t.Errorf("first window of row %d is %d, want %d", p, g.First(int64(p)), want)
		}
	}
	if (Rows(10, 3)).First(2) != 0 {
		t.Error("a row window before the first")
	}
}

func TestPart(t *testing.T) {
	g := Range(10, 5)
	for _, c := range []struct {
		k, from, to int64
		want        Part
	}{
		{0, 0, 10, Complete}, {0, -3, 11, Complete}, {0, 0, 9, Opening}, {0, 1, 10, Closing}, {0, 1, 9, Pending},
		{0, 10, 20, Outside}, {0, -10, 0, Outside}, {-1, 0, 100, Closing}, {1, 0, 6, Opening},
	} {
		if got := g.Part(c.k, c.from, c.to); got != c.want {
			t.Errorf("window %d in task [%d,%d): %v, want %v", c.k, c.from, c.to, got, c.want)
		}
	}
}

func TestFind(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for n := 0; n < 300; n++ {
		v := make([]int64, r.Intn(400))
		x := int64(-50)
		for i := range v {
			x += r.Int63n(3)
			v[i] = x
		}
		lo := r.Intn(len(v) + 1)
		hi := lo + r.Intn(len(v)-lo+1)
		last := r.Int63n(900) - 60
		want := lo
		for want < hi && v[want] <= last {
			want++
		}
		if got := Find(v, lo, hi, last); got != want {
			t.Fatalf("Find(%v, %d, %d, %d) = %d, want %d", v, lo, hi, last, got, want)
		}
	}
}
