package vector

import "math"

// Lanes is the number of identifiers that SumLanes takes.
const Lanes = 8

// LanesPad is how many bytes have to be readable behind the identifiers of SumLanes.
const LanesPad = 31

// LaneSums is what rows have by identifier: the sum of their values, wrapped around,
// their number, and the index of the first, math.MaxInt32 if there is none.
type LaneSums struct {
	Sum   [Lanes]int64
	Rows  [Lanes]int32
	First [Lanes]int32
}

// SumLanes sets s to the sums of the values of rows, ids[i] being the identifier of the
// row with v[i] as LaneIDs makes it, below groups; groups is at most Lanes. LanesPad bytes behind ids are in the same
// array. Lanes from groups on are undefined. The lanes of a register hold the sums, so
// that no row waits for the store of the one before.
func SumLanes(s *LaneSums, ids []uint8, v []int64, groups int) {
	v = v[:len(ids)]
	if len(ids) > 0 && sumLanes(s, ids, v, groups) {
		return
	}
	*s = LaneSums{}
	for i := range s.First {
		s.First[i] = math.MaxInt32
	}
	for i := len(ids) - 1; i >= 0; i-- {
		g := ids[i] / laneStep & (Lanes - 1)
		s.Sum[g] += v[i]
		s.Rows[g]++
		s.First[g] = int32(i)
	}
}

// laneStep is the distance of identifiers: that of the kernels' masks.
const laneStep = 32

// LaneIDs sets dst to the identifiers v, which are below Lanes, in the form that SumLanes
// takes.
func LaneIDs(dst []uint8, v []int32) {
	dst = dst[:len(v)]
	n := laneBlocks(dst, v)
	for i, x := range v[n:] {
		dst[n+i] = uint8(x * laneStep)
	}
}
