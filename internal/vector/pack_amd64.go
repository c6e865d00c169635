package vector

// packBlocks packs whole blocks of 8 values and returns how many values that are.
func packBlocks[T int32 | int64](words []uint64, v []T, base uint64, shift uint) (done int, over uint64) {
	n := len(words) >> 3
	if n == 0 || !enabled.Load() {
		return 0, 0
	}
	switch v := any(v).(type) {
	case []int32:
		over = packInt32AVX2(&words[0], &v[0], n, base, uint64(shift&63))
	case []int64:
		over = packInt64AVX2(&words[0], &v[0], n, base, uint64(shift&63))
	}
	return n << 3, over
}
