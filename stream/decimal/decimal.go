// Package decimal is exact arithmetic of decimal fixed-point numbers of up to 38 digits.
// A number is an Int and a scale that its owner knows: unscaled 150 of scale 2 is 1.50.
// Whatever drops digits rounds half away from zero. Results that 127 bits do not hold are
// reported, never wrapped; limits in digits are the caller's (Fits). Intermediate values
// have 384 bits, which hold every product and every dividend of numbers of 38 digits.
package decimal

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// DigitsMax is the greatest precision.
const DigitsMax = 38

// Int is an integer of 128 bits in two's complement.
type Int struct {
	Hi int64
	Lo uint64
}

// Of returns i.
func Of(i int64) Int { return Int{i >> 63, uint64(i)} }

// Int64 returns x, and whether it is an int64.
func (x Int) Int64() (int64, bool) { return int64(x.Lo), x.Hi == int64(x.Lo)>>63 }

// Sign is -1, 0 or 1.
func (x Int) Sign() int {
	switch {
	case x.Hi < 0:
		return -1
	case x.Hi == 0 && x.Lo == 0:
		return 0
	}
	return 1
}

// Neg returns -x.
func (x Int) Neg() Int {
	lo, borrow := bits.Sub64(0, x.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(x.Hi), borrow)
	return Int{int64(hi), lo}
}

// Fits reports whether x has at most so many digits.
func (x Int) Fits(digits int) bool {
	if x.Hi < 0 {
		x = x.Neg()
	}
	limit := powers[digits]
	return x.Hi >= 0 && (uint64(x.Hi) < limit[1] || uint64(x.Hi) == limit[1] && x.Lo < limit[0])
}

// powers are the powers of ten, low word first.
var powers = func() (out [DigitsMax + 1][2]uint64) {
	out[0][0] = 1
	for i := 1; i < len(out); i++ {
		hi, lo := bits.Mul64(out[i-1][0], 10)
		out[i] = [2]uint64{lo, out[i-1][1]*10 + hi}
	}
	return out
}()

// Power returns ten to the power of digits, which is at most 18.
func Power(digits int) int64 { return int64(powers[digits][0]) }

// Size is the bytes of the form that AppendBytes writes.
const Size = 16

// AppendBytes appends x in a form of which the order of bytes is that of numbers: high
// byte first, the sign bit inverted.
func (x Int) AppendBytes(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(x.Hi)^1<<63)
	return binary.BigEndian.AppendUint64(dst, x.Lo)
}

// FromBytes reads what AppendBytes wrote; anything of another length is 0.
func FromBytes[B string | []byte](b B) Int {
	if len(b) != Size {
		return Int{}
	}
	var hi, lo uint64
	for i := range 8 {
		hi, lo = hi<<8|uint64(b[i]), lo<<8|uint64(b[i+8])
	}
	return Int{int64(hi ^ 1<<63), lo}
}

// FromBigEndian reads a number in two's complement, high byte first, of any length; false:
// it takes more than 128 bits.
func FromBigEndian(b []byte) (Int, bool) {
	var x Int
	if len(b) > 0 && b[0]&0x80 != 0 {
		x = Int{-1, math.MaxUint64}
	}
	sign := x.Hi
	for len(b) > Size {
		if b[0] != byte(sign) {
			return Int{}, false
		}
		b = b[1:]
	}
	for _, c := range b {
		x.Hi, x.Lo = x.Hi<<8|int64(x.Lo>>56), x.Lo<<8|uint64(c)
	}
	return x, len(b) < Size || x.Hi>>63 == sign
}

// AppendBigEndian appends x in two's complement, high byte first, in Size bytes.
func (x Int) AppendBigEndian(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, uint64(x.Hi)), x.Lo)
}

// Rescale returns x of scale from as one of scale to.
func Rescale(x Int, from, to int) (Int, bool) {
	if from == to {
		return x, true
	}
	w, negative := wideOf(x)
	w.rescale(from, to)
	return w.signed(negative)
}

// Truncate returns x of scale from as a whole number, the fraction cut off.
func Truncate(x Int, from int) Int {
	w, negative := wideOf(x)
	w.cut(from)
	out, _ := w.signed(negative)
	return out
}

// Round returns the whole number nearest to x of scale from: not above it if toward is
// -1, not below it if it is 1, halves away from zero if it is 0.
func Round(x Int, from, toward int) Int {
	if toward == 0 {
		out, _ := Rescale(x, from, 0)
		return out
	}
	out := Truncate(x, from)
	back, _ := Rescale(out, 0, from)
	if back != x && x.Sign() == toward {
		out, _ = Add(out, 0, Of(int64(toward)), 0, 0)
	}
	return out
}

// Add returns a + b at scale to; as and bs are the scales of a and b.
func Add(a Int, as int, b Int, bs, to int) (Int, bool) {
	scale := max(as, bs)
	x, xn := wideOf(a)
	y, yn := wideOf(b)
	x.rescale(as, scale)
	y.rescale(bs, scale)
	switch {
	case xn == yn:
		x.add(&y)
	case x.less(&y):
		y.sub(&x)
		x, xn = y, yn
	default:
		x.sub(&y)
	}
	x.rescale(scale, to)
	return x.signed(xn)
}

// Mul returns a * b without the last drop digits.
func Mul(a, b Int, drop int) (Int, bool) {
	x, xn := wideOf(a)
	y, yn := wideOf(b)
	var product wide
	for i := range 2 {
		carry := uint64(0)
		for j := range 2 {
			hi, lo := bits.Mul64(x[i], y[j])
			var c uint64
			lo, c = bits.Add64(lo, product[i+j], 0)
			hi += c
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			product[i+j], carry = lo, hi
		}
		product[i+2] += carry
	}
	product.rescale(drop, 0)
	return product.signed(xn != yn)
}

// Div returns a with shift more digits, divided by b, which is not 0. shift is at most
// 76.
func Div(a, b Int, shift int) (Int, bool) {
	x, xn := wideOf(a)
	y, yn := wideOf(b)
	x.rescale(0, shift)
	q, r := x.divide(&y)
	twice := r
	twice.add(&r)
	if !twice.less(&y) {
		q.add(&wide{1})
	}
	return q.signed(xn != yn)
}

// Mod returns the remainder of a / b, with the sign of a, at scale to. b is not 0.
func Mod(a Int, as int, b Int, bs, to int) (Int, bool) {
	scale := max(as, bs)
	x, negative := wideOf(a)
	y, _ := wideOf(b)
	x.rescale(as, scale)
	y.rescale(bs, scale)
	_, r := x.divide(&y)
	r.rescale(scale, to)
	return r.signed(negative)
}

// Sum is an exact sum of up to 2^63 Ints: 192 bits in two's complement, low word first.
type Sum [3]uint64

// Add returns s + x.
func (s Sum) Add(x Int) Sum { return s.Plus(Sum{x.Lo, uint64(x.Hi), uint64(x.Hi >> 63)}) }

// Plus returns s + b.
func (s Sum) Plus(b Sum) Sum {
	carry := uint64(0)
	for i := range s {
		s[i], carry = bits.Add64(s[i], b[i], carry)
	}
	return s
}

// Minus returns s - b.
func (s Sum) Minus(b Sum) Sum {
	borrow := uint64(0)
	for i := range s {
		s[i], borrow = bits.Sub64(s[i], b[i], borrow)
	}
	return s
}

// Average returns s with shift more digits, divided by n, which is above 0.
func (s Sum) Average(n int64, shift int) (Int, bool) {
	negative := int64(s[2]) < 0
	if negative {
		s = Sum{}.Minus(s)
	}
	w := wide{s[0], s[1], s[2]}
	w.rescale(0, shift)
	rest := w.divideWord(uint64(n))
	if rest >= uint64(n)-rest {
		w.add(&wide{1})
	}
	return w.signed(negative)
}
