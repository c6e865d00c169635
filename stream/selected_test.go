package stream_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/stream"
)

// randomColumn has n values that differ, with NULLs if asked for.
func randomColumn(rng *rand.Rand, t stream.Type, n int, nulls bool) stream.Column {
	var c stream.Column
	c.Reset(t)
	for i := range n {
		v := stream.Value{Type: t, I: rng.Int64N(1000), F: float64(rng.IntN(1000)), S: fmt.Sprint(rng.IntN(1e6))}
		if t == stream.Boolean {
			v.I %= 2
		}
		v.Null = nulls && rng.IntN(3) == 0
		c.AppendValue(v, i)
	}
	return c
}

func wantValues(t *testing.T, c *stream.Column, want []stream.Value) {
	t.Helper()
	for i, w := range want {
		g := c.Value(i)
		same := g.Null == w.Null && (g.Null || g.S == w.S && (g.Type.IsNested() || g.String() == w.String()))
		if !same {
			t.Fatalf("%s value %d of %d is %v, want %v", c.Type, i, len(want), g, w)
		}
	}
}

// Appending ranges, selections and single values, in any mixture, gives the values one
// by one.
func TestColumnAppend(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		typ := stream.Types[round%len(stream.Types)]
		var c stream.Column
		for range 2 { // the second time in used buffers
			c.Reset(typ)
			var want []stream.Value
			for range 6 {
				n := 1 + rng.IntN(200)
				src := randomColumn(rng, typ, n, rng.IntN(2) == 0)
				from := rng.IntN(n)
				to := from + rng.IntN(n-from+1)
				switch rng.IntN(3) {
				case 0:
					c.AppendRange(&src, from, to, len(want))
					for i := from; i < to; i++ {
						want = append(want, src.Value(i))
					}
				case 1:
					var sel []int32
					for i := from; i < to; i += 1 + rng.IntN(3) {
						sel = append(sel, int32(i))
					}
					c.AppendSelected(&src, sel, len(want))
					for _, i := range sel {
						want = append(want, src.Value(int(i)))
					}
				default:
					c.AppendFrom(&src, from, len(want))
					want = append(want, src.Value(from))
				}
			}
			wantValues(t, &c, want)
		}
	}
}

func TestColumnAppendSelectedAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	sel := []int32{0, 3, 5, 64, 99}
	for _, typ := range stream.Types {
		src := randomColumn(rng, typ, 100, true)
		var c stream.Column
		if n := testing.AllocsPerRun(10, func() {
			c.Reset(typ)
			c.AppendSelected(&src, sel, 0)
			c.AppendSelected(&src, sel, len(sel))
		}); n != 0 {
			t.Errorf("%s: %v allocations", typ, n)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for _, c := range []struct {
		value stream.Value
		want  string
	}{
		{stream.NullOf(stream.Varchar), `null`},
		{stream.Bool(true), `true`},
		{stream.Big(-7), `-7`},
		{stream.Dbl(0.1), `0.1`},
		{stream.Float(0.1), `0.1`},
		{stream.Dbl(math.Inf(1)), `"Infinity"`},
		{stream.Time(1_000_000), `"1970-01-01T00:00:01Z"`},
		{stream.Duration(90_000_000), `"00:01:30"`},
		{stream.Text("a\"b\\c\n\r\t\x01é<>"), `"a\"b\\c\n\r\t\u0001é<>"`},
		{stream.Text("x\xffy"), "\"x\uFFFDy\""},
	} {
		if got := string(stream.AppendJSON(nil, c.value)); got != c.want {
			t.Errorf("%v: %s, want %s", c.value, got, c.want)
		}
	}
}
