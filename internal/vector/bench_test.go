package vector

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// benchRows are the lengths that benchmarks use: a chunk, a batch and, for functions that
// go over whole columns, more than the caches of a core hold.
var benchRows = []int{1024, 8192, 1 << 24}

// bench runs a function with and without vector instructions and reports gigarows and
// gigabytes a second.
func bench(b *testing.B, name string, rows, bytes int, f func()) {
	for _, on := range []bool{false, true} {
		b.Run(fmt.Sprintf("%s/%d/%s", name, rows, map[bool]string{false: "plain", true: "vector"}[on]), func(b *testing.B) {
			was := Enable(on)
			defer Enable(was)
			for b.Loop() {
				f()
			}
			b.SetBytes(int64(bytes))
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Grows/s")
		})
	}
}

func random[T Number](n int) []T {
	r, v := rand.New(rand.NewPCG(1, uint64(n))), make([]T, n)
	for i := range v {
		v[i] = T(r.IntN(1000))
	}
	return v
}

func benchCompare[T Number](b *testing.B, name string, size int) {
	for _, n := range benchRows {
		v, w, dst := random[T](n), random[T](n), make([]uint64, words(n))
		bench(b, name+"<k", n, n*size, func() { Compare(dst, v, Less, 500) })
		bench(b, name+"<w", n, 2*n*size, func() { ComparePairs(dst, v, w, Less) })
	}
}

func BenchmarkCompare(b *testing.B) {
	benchCompare[int32](b, "int32", 4)
	benchCompare[int64](b, "int64", 8)
	benchCompare[float32](b, "float32", 4)
	benchCompare[float64](b, "float64", 8)
}

func benchCompress[T Number](b *testing.B, name string, size int) {
	const n = 8192
	v, dst, bits := random[T](n), make([]T, n+64), make([]uint64, n/64)
	for _, percent := range []float64{0.1, 1, 5, 10, 50, 90, 100} {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			bits[i>>6] &^= 1 << (i & 63)
			if r.Float64()*100 < percent {
				bits[i>>6] |= 1 << (i & 63)
			}
		}
		bench(b, fmt.Sprintf("%s/%v%%", name, percent), n, n*size, func() { Compress(dst, v, bits) })
	}
}

func BenchmarkCompress(b *testing.B) {
	benchCompress[int32](b, "int32", 4)
	benchCompress[int64](b, "int64", 8)
}

func BenchmarkReduce(b *testing.B) {
	for _, n := range benchRows {
		i4, i8, f4, f8 := random[int32](n), random[int64](n), random[float32](n), random[float64](n)
		up := make([]int64, n)
		for i := range up {
			up[i] = int64(i)
		}
		bench(b, "SumInt32", n, 4*n, func() { SumInt32(i4) })
		bench(b, "SumInt64", n, 8*n, func() { SumInt64(i8) })
		bench(b, "SumScaled32", n, 4*n, func() { SumScaled32(f4, 8) })
		bench(b, "SumScaled64", n, 8*n, func() { SumScaled64(f8, 8) })
		bench(b, "SumExact/float32", n, 4*n, func() { SumExact(f4) })
		bench(b, "SumExact/float64", n, 8*n, func() { SumExact(f8) })
		bench(b, "MinMax/int32", n, 4*n, func() { MinMax(i4) })
		bench(b, "MinMax/int64", n, 8*n, func() { MinMax(i8) })
		bench(b, "MinMax/float32", n, 4*n, func() { MinMax(f4) })
		bench(b, "MinMax/float64", n, 8*n, func() { MinMax(f8) })
		bench(b, "Ascending", n, 8*n, func() { Ascending(up) })
		bench(b, "FirstAbove", n, 8*n, func() { FirstAbove(up, int64(n)) })
		bench(b, "AddInt64", n, 16*n, func() { AddInt64(i8, up, 5) })
	}
}

func BenchmarkArithmetic(b *testing.B) {
	const n = 1024
	x, y, z := random[int32](n), random[int32](n), make([]int32, n)
	bench(b, "int32+", n, 12*n, func() { Add(z, x, y) })
	bench(b, "int32*", n, 12*n, func() { MulInt32(z, x, y) })
	p, q, r := random[int64](n), random[int64](n), make([]int64, n)
	bench(b, "int32/k", n, 8*n, func() { DivConst(z, x, 5280) })
	bench(b, "int64+", n, 24*n, func() { Add(r, p, q) })
	bench(b, "int64*", n, 24*n, func() { MulInt64(r, p, q) })
	f, g, h := random[float64](n), random[float64](n), make([]float64, n)
	bench(b, "float64*", n, 24*n, func() { Mul(h, f, g) })
	bench(b, "float64/", n, 24*n, func() { Div(h, f, g) })
}

// BenchmarkTurns sums four columns that lie in memory, taking a chunk of each in turn: how
// near scans of several columns come to what memory gives.
func BenchmarkTurns(b *testing.B) {
	const n = 1 << 26 // 1 GiB in all
	var ints [3][]int32
	for c := range ints {
		ints[c] = make([]int32, n)
		for i := range ints[c] {
			ints[c][i] = int32(i & 65535)
		}
	}
	reals := make([]float32, n)
	for i := range reals {
		reals[i] = float32(i & 1023)
	}
	for _, chunk := range []int{512, 1024, 2048, n} {
		b.Run(fmt.Sprint(chunk), func(b *testing.B) {
			b.SetBytes(16 * n)
			for b.Loop() {
				for at := 0; at < n; at += chunk {
					for _, c := range ints {
						SumInt32(c[at : at+chunk])
					}
					SumScaled32(reals[at:at+chunk], 65536)
				}
			}
		})
	}
	b.Run("one", func(b *testing.B) {
		b.SetBytes(4 * n)
		for b.Loop() {
			SumInt32(ints[0])
		}
	})
}
