package vector

// Pack adds (v[i] - base) << shift to words[i] and returns the union of the differences:
// its high bits tell whether one was too large for its place. v is as long as words.
func Pack[T int32 | int64](words []uint64, v []T, base uint64, shift uint) (over uint64) {
	v = v[:len(words)]
	n, over := packBlocks(words, v, base, shift)
	for i, x := range v[n:] {
		d := uint64(int64(x)) - base
		over |= d
		words[n+i] |= d << (shift & 63)
	}
	return over
}
