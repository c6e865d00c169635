package stream

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/stream/decimal"
)

func randomValue(r *rand.Rand, t Type) Value {
	if r.IntN(4) == 0 {
		return NullOf(t)
	}
	switch t {
	case Boolean:
		return Bool(r.IntN(2) == 0)
	case Real:
		return Float(float32(r.NormFloat64()))
	case Double:
		return Dbl(r.NormFloat64())
	case Varchar:
		return Text(string(make([]byte, r.IntN(5))) + string(rune('a'+r.IntN(26))))
	}
	if t.IsNested() {
		return randomNestedValue(r, t)
	}
	if t.IsDecimal() && t.Storage() == Varchar {
		return DecimalOf(t, decimal.Int{Hi: int64(r.Uint32()) - 1<<31, Lo: r.Uint64()})
	}
	low, high, _ := t.Range()
	if n := uint64(high-low) + 1; n != 0 {
		return Value{Type: t, I: low + int64(r.Uint64N(n))}
	}
	return Value{Type: t, I: int64(r.Uint64())}
}

// TestColumnsHoldWhatIsAppended drives every way of appending in random order and
// compares with a plain list of values, also through slices.
func TestColumnsHoldWhatIsAppended(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		for _, typ := range Types {
			other, otherValues := filled(r, typ, 100, r.IntN(2) == 0)
			var c Column
			var want []Value
			for round := range 2 { // the second one on the buffers of the first
				c.Reset(typ)
				want = want[:0]
				for len(want) < 30+100*round {
					want = appendSomehow(r, &c, &other, otherValues, want)
				}
				compare(t, &c, want)
				from := r.IntN(len(want))
				to := from + r.IntN(len(want)-from)
				part := c.Slice(from, to)
				compare(t, &part, want[from:to])
			}
		}
	}
}

func filled(r *rand.Rand, typ Type, n int, nulls bool) (Column, []Value) {
	var c Column
	c.Reset(typ)
	var values []Value
	for len(values) < n {
		v := randomValue(r, typ)
		if v.Null && !nulls {
			continue
		}
		c.AppendValue(v, len(values))
		values = append(values, v)
	}
	return c, values
}

func appendSomehow(r *rand.Rand, c, other *Column, otherValues, want []Value) []Value {
	n := len(want)
	switch r.IntN(4) {
	case 0:
		v := randomValue(r, c.Type)
		c.AppendValue(v, n)
		return append(want, v)
	case 1:
		c.AppendNull(n)
		return append(want, NullOf(c.Type))
	case 2:
		i := r.IntN(len(otherValues))
		c.AppendFrom(other, i, n)
		return append(want, otherValues[i])
	}
	from := r.IntN(len(otherValues))
	to := from + r.IntN(len(otherValues)-from+1)
	c.AppendRange(other, from, to, n)
	return append(want, otherValues[from:to]...)
}

func compare(t *testing.T, c *Column, want []Value) {
	t.Helper()
	for i, w := range want {
		if got := c.Value(i); got != w {
			t.Fatalf("%s %d is %v (null %v), not %v (null %v)", c.Type, i, got, got.Null, w, w.Null)
		}
		if c.IsNull(i) != w.Null {
			t.Fatalf("%s %d: null %v", c.Type, i, c.IsNull(i))
		}
	}
}

func TestColumnSizes(t *testing.T) {
	var c Column
	c.Reset(Varchar)
	c.AppendValue(Text("abcd"), 0)
	c.AppendValue(Text("ef"), 1)
	if got := c.SizeBytes(); got != 3*4+6 {
		t.Errorf("%d bytes", got)
	}
	part := c.Slice(1, 2)
	if got := part.SizeBytes(); got != 2*4+2 {
		t.Errorf("%d bytes in the slice", got)
	}
	c.Reset(Invalid)
	if !c.Absent() {
		t.Error("a column without type is not absent")
	}
	if part := c.Slice(0, 10); !part.Absent() {
		t.Error("a slice of an absent column is not absent")
	}
}

func TestBitmaps(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := 1 + r.IntN(300)
		b, want := NewBitmap(n), make([]bool, n)
		for i := range b {
			b[i] = math.MaxUint64 * uint64(r.IntN(2)) // bits past the length are undefined
		}
		for i := range want {
			want[i] = r.IntN(3) == 0
			b.Put(i, want[i])
		}
		compareBits(t, b, want)
		from := r.IntN(n)
		length := r.IntN(n - from + 1)
		part := NewBitmap(length)
		part.CopyRange(b, from, length)
		compareBits(t, part, want[from:from+length])
		if length > 0 && length%64 != 0 && part[len(part)-1]>>(uint(length)%64) != 0 {
			t.Fatal("bits past a copied range are not zero")
		}
		b.SetFirst(n)
		if b.Count(n) != n {
			t.Fatalf("%d of %d bits set", b.Count(n), n)
		}
		b.Clear(n - 1)
		if b.Count(n) != n-1 || b.Get(n-1) {
			t.Fatal("the last bit is not cleared")
		}
	}
}

func compareBits(t *testing.T, b Bitmap, want []bool) {
	t.Helper()
	var ones []int
	for i, w := range want {
		if b.Get(i) != w {
			t.Fatalf("bit %d is %v", i, b.Get(i))
		}
		if w {
			ones = append(ones, i)
		}
	}
	if b.Count(len(want)) != len(ones) {
		t.Fatalf("%d ones counted, %d set", b.Count(len(want)), len(ones))
	}
	b.Each(len(want), func(i int) {
		if len(ones) == 0 || ones[0] != i {
			t.Fatalf("visited %d, next is %v", i, ones)
		}
		ones = ones[1:]
	})
	if len(ones) > 0 {
		t.Fatalf("did not visit %v", ones)
	}
}
