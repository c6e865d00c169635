package stream

import "github.com/millrace/millrace/stream/decimal"

// DecimalDigitsMax is the greatest precision of a DECIMAL.
const DecimalDigitsMax = decimal.DigitsMax

// DecimalOf returns unscaled as a value of the DECIMAL type t, which it fits.
func DecimalOf(t Type, unscaled decimal.Int) Value {
	if t.Storage() == Varchar {
		return Value{Type: t, S: string(unscaled.AppendBytes(nil))}
	}
	return Value{Type: t, I: int64(unscaled.Lo)}
}

// DecimalOfUnits is DecimalOf for a number of units of the last digit.
func DecimalOfUnits(t Type, units int64) Value { return DecimalOf(t, decimal.Of(units)) }

// Holds reports whether DECIMAL t has every value of DECIMAL from.
func (t Type) Holds(from Type) bool {
	return t.IsDecimal() && from.IsDecimal() && t.Scale() >= from.Scale() && t.Precision()-t.Scale() >= from.Precision()-from.Scale()
}

// DecimalFrom returns a number of another scale as a value of the DECIMAL type t; ok is
// false if it has too many digits.
func DecimalFrom(t Type, unscaled decimal.Int, scale int) (v Value, ok bool) {
	x, ok := decimal.Rescale(unscaled, scale, t.Scale())
	if !ok || !x.Fits(t.Precision()) {
		return DecimalOfUnits(t, 0), false
	}
	return DecimalOf(t, x), true
}

// Decimal returns the unscaled value of a DECIMAL.
func (v Value) Decimal() decimal.Int {
	if v.Type.Storage() == Varchar {
		return decimal.FromBytes(v.S)
	}
	return decimal.Of(v.I)
}

// Decimal returns the unscaled value of DECIMAL i; under a NULL it is any number.
func (c *Column) Decimal(i int) decimal.Int {
	if c.Type.Storage() == Varchar {
		return decimal.FromBytes(c.Text(i))
	}
	return decimal.Of(c.I64[i])
}

// AppendDecimal appends the text of DECIMAL i: -1.50.
func (c *Column) AppendDecimal(dst []byte, i int) []byte {
	return decimal.Append(dst, c.Decimal(i), c.Type.Scale())
}

// ParseDecimal reads a number as a value of the DECIMAL type t, rounding halves away
// from zero; ok is false for other texts, fits for numbers of too many digits.
func ParseDecimal[B string | []byte](t Type, s B) (unscaled decimal.Int, fits, ok bool) {
	unscaled, fits, ok = decimal.Parse(s, t.Scale())
	return unscaled, fits && unscaled.Fits(t.Precision()), ok
}
