package operator

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/stream"
)

// compactCase is a column of the type with random values, NULLs in some.
func compactCase(r *rand.Rand, t stream.Type, n int) *stream.Column {
	var c stream.Column
	c.Reset(t)
	nulls := r.IntN(2) == 0
	for i := range n {
		v := stream.Value{Type: t, Null: nulls && r.IntN(3) == 0}
		switch {
		case t == stream.Boolean:
			v.I = int64(r.IntN(2))
		case t.IsFloat():
			v.F = float64(r.IntN(100))
		case t == stream.Varchar:
			v.S = "abcdefghij"[:r.IntN(10)]
		default:
			v.I = int64(r.IntN(1000))
		}
		c.AppendValue(v, i)
	}
	return &c
}

func TestCompact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dst := make([]stream.Column, len(stream.Types))
	for range 400 {
		n := r.IntN(300)
		mask, full := stream.NewBitmap(n), r.IntN(4) == 0
		for i := range n {
			mask.Put(i, full || r.IntN(3) == 0)
		}
		count := mask.Count(n)
		for k, typ := range stream.Types {
			src, to := compactCase(r, typ, n), &dst[k]
			if compactColumn(to, src, mask, count); to.Type != typ {
				t.Fatalf("type %s, want %s", to.Type, typ)
			}
			at := 0
			mask.Each(n, func(i int) {
				if got, want := to.Value(at), src.Value(i); got != want {
					t.Fatalf("%s %d of %d is %v, want %v", typ, at, n, got, want)
				}
				at++
			})
			if at != count {
				t.Fatalf("%d ones, counted %d", at, count)
			}
			to.AppendRange(src, 0, min(n, 3), count)
			for i := range min(n, 3) {
				if got, want := to.Value(count+i), src.Value(i); got != want {
					t.Fatalf("%s appended: %v, want %v", typ, got, want)
				}
			}
		}
	}
}
