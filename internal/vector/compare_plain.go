package vector

// The comparisons in plain Go. Eight of them are packed without a branch, then eight
// bytes make a word. The rows behind the last full word are compared in a copy.

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func plainEqualConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	for ; len(v) >= 64; v = v[64:] {
		if and := dst[0] | keep; and != 0 {
			dst[0] = (equalWord((*[64]T)(v), k) ^ flip) & and
		}
		dst = dst[1:]
	}
	if len(v) > 0 {
		var tail [64]T
		copy(tail[:], v)
		dst[0] = (equalWord(&tail, k) ^ flip) & (dst[0] | keep) & first(len(v))
	}
}

func plainLessConst[T Number](dst []uint64, v []T, k T, flip, keep uint64) {
	for ; len(v) >= 64; v = v[64:] {
		if and := dst[0] | keep; and != 0 {
			dst[0] = (lessWord((*[64]T)(v), k) ^ flip) & and
		}
		dst = dst[1:]
	}
	if len(v) > 0 {
		var tail [64]T
		copy(tail[:], v)
		dst[0] = (lessWord(&tail, k) ^ flip) & (dst[0] | keep) & first(len(v))
	}
}

func plainEqualPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	for ; len(a) >= 64 && len(b) >= 64; a, b = a[64:], b[64:] {
		if and := dst[0] | keep; and != 0 {
			dst[0] = (equalWords((*[64]T)(a), (*[64]T)(b)) ^ flip) & and
		}
		dst = dst[1:]
	}
	if len(a) > 0 {
		var s, t [64]T
		copy(s[:], a)
		copy(t[:], b)
		dst[0] = (equalWords(&s, &t) ^ flip) & (dst[0] | keep) & first(len(a))
	}
}

func plainLessPairs[T Number](dst []uint64, a, b []T, flip, keep uint64) {
	for ; len(a) >= 64 && len(b) >= 64; a, b = a[64:], b[64:] {
		if and := dst[0] | keep; and != 0 {
			dst[0] = (lessWords((*[64]T)(a), (*[64]T)(b)) ^ flip) & and
		}
		dst = dst[1:]
	}
	if len(a) > 0 {
		var s, t [64]T
		copy(s[:], a)
		copy(t[:], b)
		dst[0] = (lessWords(&s, &t) ^ flip) & (dst[0] | keep) & first(len(a))
	}
}

// notANumber finds NaN; only comparisons with a NaN that is a constant need it.
func notANumber[T Number](dst []uint64, v []T, flip, keep uint64) {
	for i := range dst {
		m, part := uint64(0), v[i<<6:min(len(v), i<<6+64)]
		for j, x := range part {
			m |= uint64(bit(x != x)) << (uint(j) & 63)
		}
		dst[i] = (m ^ flip) & (dst[i] | keep)
	}
	trim(dst, len(v))
}

func equalWord[T Number](c *[64]T, k T) (m uint64) {
	for j := 0; j < 64; j += 8 {
		p := (*[8]T)(c[j : j+8])
		t := bit(p[0] == k) | bit(p[1] == k)<<1 | bit(p[2] == k)<<2 | bit(p[3] == k)<<3 |
			bit(p[4] == k)<<4 | bit(p[5] == k)<<5 | bit(p[6] == k)<<6 | bit(p[7] == k)<<7
		m |= uint64(t) << (uint(j) & 63)
	}
	return m
}

func lessWord[T Number](c *[64]T, k T) (m uint64) {
	for j := 0; j < 64; j += 8 {
		p := (*[8]T)(c[j : j+8])
		t := bit(p[0] < k) | bit(p[1] < k)<<1 | bit(p[2] < k)<<2 | bit(p[3] < k)<<3 |
			bit(p[4] < k)<<4 | bit(p[5] < k)<<5 | bit(p[6] < k)<<6 | bit(p[7] < k)<<7
		m |= uint64(t) << (uint(j) & 63)
	}
	return m
}

func equalWords[T Number](a, b *[64]T) (m uint64) {
	for j := 0; j < 64; j += 4 {
		p, q := (*[4]T)(a[j:j+4]), (*[4]T)(b[j:j+4])
		t := equal(p[0], q[0]) | equal(p[1], q[1])<<1 | equal(p[2], q[2])<<2 | equal(p[3], q[3])<<3
		m |= uint64(t) << (uint(j) & 63)
	}
	return m
}

func lessWords[T Number](a, b *[64]T) (m uint64) {
	for j := 0; j < 64; j += 4 {
		p, q := (*[4]T)(a[j:j+4]), (*[4]T)(b[j:j+4])
		t := less(p[0], q[0]) | less(p[1], q[1])<<1 | less(p[2], q[2])<<2 | less(p[3], q[3])<<3
		m |= uint64(t) << (uint(j) & 63)
	}
	return m
}

func equal[T Number](x, y T) uint8 { return bit(x == y) | bit(x != x)&bit(y != y) }

func less[T Number](x, y T) uint8 { return bit(x < y) | bit(x == x)&bit(y != y) }
