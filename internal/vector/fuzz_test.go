package vector

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// FuzzKernels reads values of every type from the input and compares the results of
// vector instructions with those of plain Go.
func FuzzKernels(f *testing.F) {
	f.Add([]byte{}, uint64(0), uint8(0))
	for _, n := range []int{8, 64, 520, 1100} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i * i)
		}
		f.Add(b, math.Float64bits(math.NaN()), uint8(n))
	}
	f.Fuzz(func(t *testing.T, data []byte, key uint64, test uint8) {
		var i4 []int32
		var i8 []int64
		var f4 []float32
		var f8 []float64
		for ; len(data) >= 8; data = data[8:] {
			x := binary.LittleEndian.Uint64(data)
			i4, i8 = append(i4, int32(x)), append(i8, int64(x))
			f4, f8 = append(f4, math.Float32frombits(uint32(x))), append(f8, math.Float64frombits(x))
		}
		op := Test(test % 6)
		fuzzKernels(t, i4, int32(key), op)
		fuzzKernels(t, i8, int64(key), op)
		fuzzKernels(t, f4, math.Float32frombits(uint32(key)), op)
		fuzzKernels(t, f8, math.Float64frombits(key), op)
		fuzzOrder(t, i8, int64(key))
	})
}

func fuzzKernels[T Number](t *testing.T, v []T, k T, op Test) {
	run := func(on bool) (masks [][]uint64, values [][]T) {
		defer Enable(Enable(on))
		reverse := slices.Clone(v)
		slices.Reverse(reverse)
		a, b := make([]uint64, words(len(v))), make([]uint64, words(len(v)))
		Compare(a, v, op, k)
		ComparePairs(b, v, reverse, op)
		out := make([]T, len(v))
		n := Compress(out, v, a)
		sum, diff := make([]T, len(v)), make([]T, len(v))
		over := []bool{Add(sum, v, reverse), Sub(diff, v, reverse)}
		narrow := slices.Clone(b)
		Narrow(narrow, v, op, k)
		inside := make([]uint64, words(len(v)))
		if len(v) > 0 {
			Between(inside, v, Greater, k, LessEqual, v[0])
		}
		flags := []uint64{uint64(bit(over[0])), uint64(bit(over[1]))}
		values = [][]T{out[:n], sum, diff}
		if len(v) > 0 {
			least, greatest := MinMax(v)
			values = append(values, []T{least, greatest})
		}
		return [][]uint64{a, b, narrow, inside, flags}, values
	}
	masks, values := run(true)
	plainMasks, plainValues := run(false)
	for i := range masks {
		if !slices.Equal(masks[i], plainMasks[i]) {
			t.Fatalf("%T, test %d with %v: bitmap %d is %x, plain %x", v, op, k, i, masks[i], plainMasks[i])
		}
	}
	for i := range values {
		if !slices.EqualFunc(values[i], plainValues[i], same[T]) {
			t.Fatalf("%T: result %d is %v, plain %v", v, i, values[i], plainValues[i])
		}
	}
}

func fuzzOrder(t *testing.T, v []int64, k int64) {
	run := func(on bool) []int64 {
		defer Enable(Enable(on))
		high, low := SumInt64(v)
		out := make([]int64, len(v))
		over := MulInt64(out, v, v)
		return slices.Concat(out, []int64{high, int64(low), int64(bit(over)), int64(bit(Ascending(v))), int64(FirstAbove(v, k))})
	}
	if a, b := run(true), run(false); !slices.Equal(a, b) {
		t.Fatalf("%v, plain %v", a, b)
	}
}
