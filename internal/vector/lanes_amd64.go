package vector

func sumLanes(s *LaneSums, ids []uint8, v []int64, groups int) bool {
	if !enabled.Load() {
		return false
	}
	_ = ids[:len(ids)+LanesPad][0] // the kernel reads whole blocks
	if groups <= Lanes/2 {
		lanes4AVX2(&s.Sum[0], &s.Rows[0], &s.First[0], &ids[0], &v[0], len(ids))
	} else {
		lanes8AVX2(&s.Sum[0], &s.Rows[0], &s.First[0], &ids[0], &v[0], len(ids))
	}
	return true
}

// laneBlocks packs whole blocks of 32 and returns how many values that are.
func laneBlocks(dst []uint8, v []int32) int {
	n := len(v) >> 5
	if n == 0 || !enabled.Load() {
		return 0
	}
	laneIDsAVX2(&dst[0], &v[0], n)
	return n << 5
}
