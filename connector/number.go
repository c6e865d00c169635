package connector

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/millrace/millrace/stream"
)

// This file reads numbers from text. Every function has a short path for the plain
// forms that files are full of and falls back to strconv or package stream, which
// decide what is accepted; both paths give the same bits.

// pow10 are the powers of ten that a float64 holds exactly; the first eleven are also
// exact as float32.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

const digitsSafe = 18 // so many decimal digits never overflow an int64

// eightDigits reads n (1 to 8) digits from the low bytes of w; what is above them does
// not matter. bad has a bit set if one of them is not a digit.
func eightDigits(w uint64, n int) (value, bad uint64) {
	// Shift the digits to the top and fill up with zeros in front.
	w = w<<(64-8*uint(n)) | '0'*everyByte>>(8*uint(n))
	bad = (w | (w + 0x46*everyByte) | (w - '0'*everyByte)) & highBits
	w -= '0' * everyByte
	w = w*10 + w>>8
	const pairs = 0x000000ff000000ff
	return ((w&pairs)*(100+1000000<<32) + (w>>16&pairs)*(1+10000<<32)) >> 32, bad
}

// parseInt reads an optional sign and digits, blanks around them allowed.
func parseInt(b []byte) (int64, bool) { return parseInt64(b, 0) }

// parseInt64 is parseInt as a cellReader.
func parseInt64(b []byte, _ uint32) (int64, bool) {
	text := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	n := len(b)
	if n == 0 || n > 16 || cap(b) < 16 {
		return parseIntPlain(text)
	}
	long := b[:16]
	var high, bad uint64
	if n > 8 {
		if high, bad = eightDigits(load(long, 0), n-8); bad != 0 {
			return parseIntPlain(text)
		}
		long, n = b[n-8:n], 8
		high *= 1e8
	}
	low, bad := eightDigits(load(long, 0), n)
	if bad != 0 {
		return parseIntPlain(text)
	}
	v := int64(high + low)
	if negative {
		v = -v
	}
	return v, true
}

func parseIntPlain(b []byte) (int64, bool) {
	i := 0
	if len(b) > 0 && b[0] == '-' {
		i = 1
	}
	if n := len(b) - i; n == 0 || n > digitsSafe {
		return parseIntSlow(b)
	}
	var v int64
	for _, c := range b[i:] {
		d := c - '0'
		if d > 9 {
			return parseIntSlow(b)
		}
		v = v*10 + int64(d)
	}
	if i == 1 {
		v = -v
	}
	return v, true
}

func parseIntSlow(b []byte) (int64, bool) {
	v, err := strconv.ParseInt(string(trimBlanks(b)), 10, 64)
	return v, err == nil
}

// parseInt32 is parseInt for INTEGER.
func parseInt32(b []byte, _ uint32) (int32, bool) {
	if n := len(b); n > 0 && n <= 8 && cap(b) >= 8 {
		if v, bad := eightDigits(load(b[:8], 0), n); bad == 0 {
			return int32(v), true
		}
	}
	v, ok := parseInt64(b, 0)
	return int32(v), ok && v == int64(int32(v))
}

// decimal reads [-]digits[.digits] with at most 18 digits as mantissa and number of
// fraction digits; ok is false for anything else.
func decimal(b []byte) (mantissa uint64, fraction int, negative, ok bool) {
	i := 0
	if len(b) > 0 && b[0] == '-' {
		negative, i = true, 1
	}
	if n := len(b) - i; n > 0 && n <= 8 && cap(b) >= 9 {
		if m, fraction, ok := shortDecimal(load(b[i:i+8], 0), n); ok {
			return m, fraction, negative, true
		}
	}
	if n := len(b) - i; n == 0 || n > digitsSafe+1 {
		return 0, 0, false, false
	}
	point := -1
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 {
			if b[i] != '.' || point >= 0 {
				return 0, 0, false, false
			}
			point = i
			continue
		}
		mantissa = mantissa*10 + uint64(d)
	}
	if point >= 0 {
		fraction = len(b) - 1 - point
		digits := len(b) - 1
		if negative {
			digits--
		}
		return mantissa, fraction, negative, digits > 0
	}
	return mantissa, 0, negative, len(b) <= digitsSafe
}

// shortDecimal reads n (1 to 8) characters in the low bytes of w: digits, and at most
// one point, which is taken out so that the digits close up.
func shortDecimal(w uint64, n int) (mantissa uint64, fraction int, ok bool) {
	if n < 8 {
		w &= 1<<(8*uint(n)) - 1
	}
	point := zeroBytes(w ^ '.'*everyByte)
	if point == 0 {
		m, bad := eightDigits(w, n)
		return m, 0, bad == 0
	}
	before := uint(bits.TrailingZeros64(point)) &^ 7
	mask := uint64(1)<<before - 1
	if n == 1 {
		return 0, 0, false
	}
	m, bad := eightDigits(w&mask|w>>8&^mask, n-1)
	return m, n - 1 - int(before>>3), bad == 0
}

// parseFloat64 reads a DOUBLE. A mantissa and a power of ten that are both exact make
// their quotient the correctly rounded result.
func parseFloat64(b []byte, _ uint32) (float64, bool) {
	m, fraction, negative, ok := decimal(b)
	if !ok || m >= 1<<53 {
		return stream.ParseDouble(string(b), 64)
	}
	f := float64(m) / pow10[fraction]
	if negative {
		f = -f
	}
	return f, true
}

// parseFloat32 reads a REAL, rounding once: never through a float64.
func parseFloat32(b []byte, _ uint32) (float32, bool) {
	m, fraction, negative, ok := decimal(b)
	if !ok || m >= 1<<24 || fraction > 10 {
		f, ok := stream.ParseDouble(string(b), 32)
		return float32(f), ok
	}
	f := float32(m) / float32(pow10[fraction])
	if negative {
		f = -f
	}
	return f, true
}

// parseIntegral reads a JSON number that has an integer value, 1.0 and 1e3 included.
func parseIntegral(b []byte) (int64, bool) {
	if v, ok := parseInt(b); ok {
		return v, true
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<63 {
		return 0, false
	}
	return exactDecimal(b)
}

// exactDecimal reads digits, point and exponent without rounding.
func exactDecimal(b []byte) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	var digits []byte
	scale, i := 0, 0
	for ; i < len(b) && b[i] != 'e' && b[i] != 'E'; i++ {
		if b[i] == '.' {
			scale = i + 1
			continue
		}
		digits = append(digits, b[i])
	}
	if scale > 0 {
		scale -= i
	}
	if i < len(b) {
		exp, err := strconv.Atoi(string(b[i+1:]))
		if err != nil || exp > 400 || exp < -400 {
			return 0, isZero(digits)
		}
		scale += exp
	}
	for scale < 0 && len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits, scale = digits[:len(digits)-1], scale+1
	}
	if scale < 0 || isZero(digits) {
		return 0, isZero(digits)
	}
	for ; scale > 0; scale-- {
		digits = append(digits, '0')
	}
	if negative {
		digits = append([]byte{'-'}, digits...)
	}
	v, err := strconv.ParseInt(string(digits), 10, 64)
	return v, err == nil
}

func isZero(digits []byte) bool {
	for _, d := range digits {
		if d != '0' {
			return false
		}
	}
	return true
}

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// parseBool reads true/false/t/f/yes/no/1/0 in any case.
func parseBool(b []byte) (value, ok bool) {
	b = trimBlanks(b)
	var low [5]byte
	if len(b) > len(low) {
		return false, false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	switch string(low[:len(b)]) {
	case "true", "t", "yes", "1":
		return true, true
	case "false", "f", "no", "0":
		return false, true
	}
	return false, false
}
