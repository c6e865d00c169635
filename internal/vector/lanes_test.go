package vector

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSumLanes: sums, numbers and first indexes by identifier are those of a map, for
// every number of identifiers and lengths around the blocks.
func TestSumLanes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 2, 5, 30, 31, 32, 33, 63, 64, 65, 100, 257, 2048} {
		for groups := 1; groups <= Lanes; groups++ {
			ids, v := make([]uint8, n, n+LanesPad), make([]int64, n)
			for i := range ids {
				ids[i], v[i] = uint8(32*r.IntN(groups)), int64(r.Uint64())
			}
			for i := range ids[n : n+LanesPad] {
				ids[:n+LanesPad][n+i] = uint8(32 * (i % groups))
			}
			for _, on := range []bool{false, true} {
				sameLanes(t, on, ids, v, groups)
			}
		}
	}
}

func sameLanes(t *testing.T, on bool, ids []uint8, v []int64, groups int) {
	t.Helper()
	defer Enable(Enable(on))
	got := LaneSums{Sum: [Lanes]int64{1, 2, 3}, Rows: [Lanes]int32{4}, First: [Lanes]int32{5, 6}}
	SumLanes(&got, ids, v, groups)
	for g := range groups {
		sum, rows, first := int64(0), int32(0), int32(math.MaxInt32)
		for i, id := range ids {
			if int(id) == 32*g {
				sum += v[i]
				rows++
				first = min(first, int32(i))
			}
		}
		if got.Sum[g] != sum || got.Rows[g] != rows || got.First[g] != first {
			t.Fatalf("vectors %v, %d rows, group %d of %d: sum %d rows %d first %d, want %d %d %d",
				on, len(ids), g, groups, got.Sum[g], got.Rows[g], got.First[g], sum, rows, first)
		}
	}
}

func TestLaneIDs(t *testing.T) {
	for n := range 140 {
		v := make([]int32, n)
		want := make([]uint8, n)
		for i := range v {
			v[i], want[i] = int32(i*37%Lanes), uint8(i*37%Lanes*32)
		}
		for _, on := range []bool{false, true} {
			before := Enable(on)
			got := make([]uint8, n+1)
			LaneIDs(got, v)
			Enable(before)
			if !slices.Equal(got[:n], want) || got[n] != 0 {
				t.Fatalf("vectors %v, %d values: %v, want %v", on, n, got, want)
			}
		}
	}
}

func BenchmarkSumLanes(b *testing.B) {
	for _, groups := range []int{4, 8} {
		ids, v := make([]uint8, 30, 30+LanesPad), make([]int64, 30)
		for i := range ids {
			ids[i], v[i] = uint8(i*5%groups*32), int64(i)
		}
		b.Run(map[int]string{4: "4", 8: "8"}[groups], func(b *testing.B) {
			var s LaneSums
			for range b.N {
				SumLanes(&s, ids, v, groups)
			}
		})
	}
}
