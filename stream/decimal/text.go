package decimal

import (
	"math/bits"
	"strconv"
)

// Append appends x of the scale: -1.50.
func Append(dst []byte, x Int, scale int) []byte {
	w, negative := wideOf(x)
	if negative {
		dst = append(dst, '-')
	}
	var buf [DigitsMax + 2]byte
	at := len(buf)
	for hi, lo := w[1], w[0]; hi|lo != 0 || at > len(buf)-scale-1; {
		var rest uint64
		hi, rest = hi/10, hi%10
		lo, rest = bits.Div64(rest, lo, 10)
		at--
		buf[at] = byte('0' + rest)
	}
	digits := buf[at:]
	if scale == 0 {
		return append(dst, digits...)
	}
	dst = append(append(dst, digits[:len(digits)-scale]...), '.')
	return append(dst, digits[len(digits)-scale:]...)
}

// exponentMax bounds exponents in text; numbers beyond it are out of range or 0 anyway.
const exponentMax = 1000

// Parse reads [+-]digits[.digits][e[+-]digits] as a number of the scale. ok is false for
// other texts, fits where 127 bits do not hold the number.
func Parse[B string | []byte](s B, scale int) (x Int, fits, ok bool) {
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	mantissa, exponent, some := 0, 0, false
	point := -1
	end := len(s)
	for i := 0; i < end; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			some, mantissa = true, i+1
		case c == '.' && point < 0:
			point, mantissa = i, i+1
		case (c == 'e' || c == 'E') && some:
			e, err := strconv.Atoi(string(s[i+1:]))
			if err != nil {
				return Int{}, false, false
			}
			exponent, end = min(max(e, -exponentMax), exponentMax), i
		default:
			return Int{}, false, false
		}
	}
	if !some {
		return Int{}, false, false
	}
	if point < 0 {
		point = mantissa
	}
	x, fits = number(s[:mantissa], point, point+exponent+scale)
	if negative {
		x = x.Neg()
	}
	return x, fits, true
}

// number is the first n digits of s, the point left out, with the digit behind them
// rounding half up; zeros stand behind its end.
func number[B string | []byte](s B, point, n int) (Int, bool) {
	var w wide
	seen := 0
	for i := 0; seen <= n; i++ {
		if i == point && i < len(s) {
			continue
		}
		d := uint64(0)
		if i < len(s) {
			d = uint64(s[i] - '0')
		} else if w == (wide{}) {
			return Int{}, true // zeros go on for ever
		}
		if seen == n {
			if d >= 5 {
				w.add(&wide{1})
			}
			break
		}
		w.multiply(10)
		w.add(&wide{d})
		if w[2] != 0 {
			return Int{}, false
		}
		seen++
	}
	return w.signed(false)
}
