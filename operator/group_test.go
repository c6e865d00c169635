package operator

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/millrace/millrace/stream"
)

func TestKeyForms(t *testing.T) {
	for _, c := range []struct {
		types []stream.Type
		want  keyForm
	}{
		{nil, noKey},
		{[]stream.Type{stream.Integer}, oneWord},
		{[]stream.Type{stream.Real, stream.Boolean, stream.Boolean}, oneWord},
		{[]stream.Type{stream.BigInt}, twoWords},
		{[]stream.Type{stream.Integer, stream.Integer, stream.Integer}, twoWords},
		{[]stream.Type{stream.Integer, stream.Double}, twoWords},
		{[]stream.Type{stream.BigInt, stream.Timestamp}, byteKey},
		{[]stream.Type{stream.Varchar}, byteKey},
	} {
		if l := newKeyLayout(c.types); l.form != c.want {
			t.Errorf("%v: form %d, want %d", c.types, l.form, c.want)
		}
	}
}

// keyColumns makes n rows of key columns with few distinct values, NULL and the forms
// of zero and NaN among them.
func keyColumns(rng *rand.Rand, types []stream.Type, n int) []stream.Column {
	cols := make([]stream.Column, len(types))
	for j, t := range types {
		cols[j].Reset(t)
		for i := range n {
			v := stream.Value{Type: t, I: int64(rng.Intn(12)), S: fmt.Sprint("text", rng.Intn(12))}
			v.F = []float64{0, math.Copysign(0, -1), math.NaN(), 1.5, -2, math.Inf(1)}[rng.Intn(6)]
			v.Null = rng.Intn(10) == 0
			if t == stream.Boolean {
				v.I &= 1
			}
			cols[j].AppendValue(v, i)
		}
	}
	return cols
}

// keyText is equal for equal keys.
func keyText(cols []stream.Column, row int) string {
	s := ""
	for j := range cols {
		v := cols[j].Value(row)
		if v.F == 0 {
			v.F = 0
		}
		s += fmt.Sprintf("%v|", v)
	}
	return s
}

// TestGroupIndex holds an index with random additions and removals against a map.
func TestGroupIndex(t *testing.T) {
	sets := [][]stream.Type{
		{stream.Integer}, {stream.BigInt}, {stream.Varchar}, {stream.Boolean, stream.Real}, {stream.Double, stream.Integer},
		{stream.Integer, stream.Integer, stream.Integer}, {stream.Varchar, stream.Timestamp, stream.Varchar}, {stream.Interval, stream.BigInt},
	}
	for seed := int64(0); seed < 160; seed++ {
		rng := rand.New(rand.NewSource(seed))
		types := sets[int(seed)%len(sets)]
		l := newKeyLayout(types)
		k, x, coder := newKeySet(&l), newGroupIndex(), keyCoder{}
		want := map[string]int32{}
		for range 20 {
			n := 1 + rng.Intn(100)
			cols := keyColumns(rng, types, n)
			ids := make([]int32, n)
			x.ids(k, &coder, cols, n, ids)
			for i, id := range ids {
				text := keyText(cols, i)
				if old, ok := want[text]; ok && old != id {
					t.Fatalf("seed %d: key %s has id %d, had %d", seed, text, id, old)
				}
				want[text] = id
				for j := range types {
					a, b := k.value(j, id), cols[j].Value(i)
					if a.Null != b.Null || !a.Null && types[j] == stream.Varchar && a.S != b.S || !a.Null && types[j].IsInteger() && a.I != b.I {
						t.Fatalf("seed %d: key %s stored as %v", seed, text, a)
					}
				}
			}
			seen := map[int32]string{}
			for text, id := range want {
				if other, ok := seen[id]; ok {
					t.Fatalf("seed %d: keys %s and %s have one id", seed, text, other)
				}
				seen[id] = text
			}
			var live []int32
			for text, id := range want {
				if rng.Intn(3) == 0 {
					x.remove(k.word[id], id)
					k.remove(id)
					delete(want, text)
				} else {
					live = append(live, id)
				}
			}
			if l.form == byteKey {
				k.pack(live)
			}
		}
	}
}
