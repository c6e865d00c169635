package function

import "github.com/millrace/millrace/stream"

func double(name, sql, doc string, args int) Function {
	return Function{Name: name, SQL: sql, Category: "math", MayErr: true, Signatures: each(fl8, floats, args), Doc: doc}
}

// total is double for functions that every argument is in the domain of.
func total(name, sql, doc string) Function {
	f := double(name, sql, doc, 1)
	f.MayErr = false
	return f
}

var (
	wholes  = []stream.Type{in4, in8}
	decimal = []Signature{sig(in4, in4, in8), sig(in8, in8, in8), sig(fl4, fl4, in8), sig(fl8, fl8, in8)}
)

// maths are the functions of numbers beyond the core.
var maths = []Function{
	{Name: "round_to", SQL: "ROUND(x, n)", Syntax: true, Category: "math", MayErr: true, Signatures: decimal,
		Doc: "x as it is printed, rounded to n digits behind the point, halves away from zero; before the point if n is negative; overflow of integers is an error"},
	{Name: "truncate", SQL: "TRUNCATE", Category: "math", Signatures: each(anyType, numbers, 1), Doc: "the whole part; also TRUNC"},
	{Name: "truncate_to", SQL: "TRUNCATE(x, n)", Syntax: true, Category: "math", Signatures: decimal, Doc: "ROUND(x, n) toward zero"},
	total("cbrt", "CBRT", "cube root"),
	double("log", "LOG", "LOG(b, x): logarithm of x to the base b; arguments not above zero and a base of one are an error", 2),
	double("log2", "LOG2", "logarithm to the base 2; an argument not above zero is an error", 1),
	double("log10", "LOG10", "logarithm to the base 10, exact for powers of ten; an argument not above zero is an error", 1),
	double("sin", "SIN", "sine of x radians; infinities are an error", 1),
	double("cos", "COS", "cosine of x radians; infinities are an error", 1),
	double("tan", "TAN", "tangent of x radians; infinities are an error", 1),
	double("cot", "COT", "cotangent of x radians; infinities are an error", 1),
	double("asin", "ASIN", "arc sine in radians; an argument outside -1 .. 1 is an error", 1),
	double("acos", "ACOS", "arc cosine in radians; an argument outside -1 .. 1 is an error", 1),
	total("atan", "ATAN", "arc tangent in radians"),
	{Name: "atan2", SQL: "ATAN2", Category: "math", Signatures: each(fl8, floats, 2), Doc: "ATAN2(y, x): the angle of the point (x, y) in radians"},
	total("sinh", "SINH", "hyperbolic sine"),
	total("cosh", "COSH", "hyperbolic cosine"),
	total("tanh", "TANH", "hyperbolic tangent"),
	total("degrees", "DEGREES", "radians in degrees"),
	total("radians", "RADIANS", "degrees in radians"),
	{Name: "width_bucket", SQL: "WIDTH_BUCKET", Category: "math", MayErr: true, Signatures: []Signature{sig(in4, fl8, fl8, fl8, in4)},
		Doc: "WIDTH_BUCKET(x, low, high, n): which of n ranges of one width between low and high x is in, from 1; 0 and n+1 outside; n below 1, bounds that are equal or not finite, and NaN are an error"},

	double("haversine", "HAVERSINE", "HAVERSINE(lat1, lon1, lat2, lon2): metres between two places in degrees on a sphere of the Earth's mean radius, 6371008.8 m; infinities are an error", 4),

	{Name: "bit_and", SQL: "&", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 2), Doc: "bits set in both; also BITAND(x, y)"},
	{Name: "bit_or", SQL: "|", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 2), Doc: "bits set in any; also BITOR(x, y)"},
	{Name: "bit_xor", SQL: "#", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 2), Doc: "bits set in one of them; also BITXOR(x, y)"},
	{Name: "bit_not", SQL: "~ x", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 1), Doc: "all bits inverted; also BITNOT(x)"},
	{Name: "shift_left", SQL: "<<", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 2), Doc: "bits moved up by the lowest five (INTEGER) or six bits (BIGINT) of the second"},
	{Name: "shift_right", SQL: ">>", Syntax: true, Category: "bits", Signatures: each(anyType, wholes, 2), Doc: "bits moved down likewise; the sign stays"},
}
