package decimal

import "math/bits"

// wide is a magnitude of 384 bits, low word first.
type wide [6]uint64

func wideOf(x Int) (w wide, negative bool) {
	if negative = x.Hi < 0; negative {
		x = x.Neg()
	}
	return wide{x.Lo, uint64(x.Hi)}, negative
}

// signed is w or -w as an Int, false if 127 bits do not hold it.
func (w *wide) signed(negative bool) (Int, bool) {
	if w[5]|w[4]|w[3]|w[2] != 0 || w[1]>>63 != 0 {
		return Int{}, false
	}
	x := Int{int64(w[1]), w[0]}
	if negative {
		x = x.Neg()
	}
	return x, true
}

func (w *wide) add(b *wide) {
	carry := uint64(0)
	for i := range w {
		w[i], carry = bits.Add64(w[i], b[i], carry)
	}
}

// sub subtracts b, which is not greater.
func (w *wide) sub(b *wide) {
	borrow := uint64(0)
	for i := range w {
		w[i], borrow = bits.Sub64(w[i], b[i], borrow)
	}
}

func (w *wide) less(b *wide) bool {
	for i := len(w) - 1; i >= 0; i-- {
		if w[i] != b[i] {
			return w[i] < b[i]
		}
	}
	return false
}

func (w *wide) multiply(k uint64) {
	carry := uint64(0)
	for i := range w {
		hi, lo := bits.Mul64(w[i], k)
		var c uint64
		w[i], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
}

// divideWord divides by k and returns the remainder.
func (w *wide) divideWord(k uint64) (rest uint64) {
	for i := len(w) - 1; i >= 0; i-- {
		w[i], rest = bits.Div64(rest, w[i], k)
	}
	return rest
}

// chunkDigits is how many digits a word's power of ten has at most.
const chunkDigits = 19

// rescale multiplies by ten for every digit that to is more than from, or drops digits,
// rounding half up. Cutting all but the last of them first does not change which half
// the rest is in.
func (w *wide) rescale(from, to int) {
	if from > to {
		w.cut(from - to - 1)
		w.add(&wide{5})
		w.divideWord(10)
		return
	}
	for ; from < to; from += chunkDigits {
		w.multiply(powers[min(to-from, chunkDigits)][0])
	}
}

// cut drops digits.
func (w *wide) cut(digits int) {
	for ; digits > 0; digits -= chunkDigits {
		w.divideWord(powers[min(digits, chunkDigits)][0])
	}
}

// divide returns quotient and remainder. Divisors of more than a word are rare: for them
// a bit of the quotient is found at a time.
func (w *wide) divide(d *wide) (q, r wide) {
	if d[5]|d[4]|d[3]|d[2]|d[1] == 0 {
		q = *w
		r[0] = q.divideWord(d[0])
		return q, r
	}
	for i := 64*len(w) - 1; i >= 0; i-- {
		r.add(&r)
		r[0] |= w[i>>6] >> (uint(i) & 63) & 1
		if !r.less(d) {
			r.sub(d)
			q[i>>6] |= 1 << (uint(i) & 63)
		}
	}
	return q, r
}
