package vector

// Ascending reports whether no value is less than the one before.
func Ascending(v []int64) bool { return ascending(v) }

// FirstAbove returns the index of the first value above limit, len(v) if there is none.
// It reads from the front and does not assume any order.
func FirstAbove(v []int64, limit int64) int { return firstAbove(v, limit) }

// AddInt64 sets dst[i] = src[i] + k, wrapping around. src is as long as dst and may be
// dst itself.
func AddInt64(dst, src []int64, k int64) { addInt64(dst, src[:len(dst)], k) }

func plainAscending(v []int64) bool {
	for len(v) >= 65 {
		down, p := int64(0), (*[65]int64)(v)
		for i := range 64 {
			down |= int64(bit(p[i+1] < p[i]))
		}
		if down != 0 {
			return false
		}
		v = v[64:]
	}
	for i := 1; i < len(v); i++ {
		if v[i] < v[i-1] {
			return false
		}
	}
	return true
}

func plainFirstAbove(v []int64, limit int64) int {
	n := 0
	for ; len(v) >= 8; v = v[8:] {
		p := (*[8]int64)(v)
		if max(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]) > limit {
			break
		}
		n += 8
	}
	for i, x := range v {
		if x > limit {
			return n + i
		}
	}
	return n + len(v)
}

func plainAddInt64(dst, src []int64, k int64) {
	for ; len(dst) >= 4 && len(src) >= 4; dst, src = dst[4:], src[4:] {
		d, s := (*[4]int64)(dst), (*[4]int64)(src)
		d[0], d[1], d[2], d[3] = s[0]+k, s[1]+k, s[2]+k, s[3]+k
	}
	for i, x := range src {
		dst[i] = x + k
	}
}
