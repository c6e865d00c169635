// Package function is the one table of scalar functions: names, signatures and what
// each means. The resolver picks overloads from it, the engine and the reference each
// implement every entry (a test in each checks that none is missing), documentation
// and completion are printed from it.
package function

import (
	"slices"
	"sort"

	"github.com/millrace/millrace/stream"
)

//go:generate go test . -run TestDocumentIsTheTable -rewrite

// Shared shorthands for the table.
const (
	boo = stream.Boolean
	in1 = stream.TinyInt
	in2 = stream.SmallInt
	in4 = stream.Integer
	in8 = stream.BigInt
	fl4 = stream.Real
	fl8 = stream.Double
	txt = stream.Varchar
	byt = stream.Bytes
	jsn = stream.JSON
	dat = stream.Date
	tod = stream.TimeOfDay
	tim = stream.Timestamp
	ivl = stream.Interval
)

// Nulls says how a function treats NULL arguments.
type Nulls uint8

// The treatments.
const (
	Strict  Nulls = iota // NULL if any argument is NULL; not evaluated then
	Special              // as Doc says
)

// Signature is one overload. Variadic: the last argument type repeats zero or more
// further times. An argument type of stream.Invalid stands for any type, the same one
// everywhere in the signature, and ARRAY<INVALID> for an array of it; a Result of either
// is that type (cast and try_cast: the type asked for).
type Signature struct {
	Args     []stream.Type
	Variadic bool
	Result   stream.Type
}

// Function is one entry. Name is what Expr.Func holds. SQL is how users write it:
// a function name, or an operator or form for which the parser has its own syntax
// (then Syntax is true).
type Function struct {
	Name       string
	SQL        string
	Syntax     bool
	Category   string
	Signatures []Signature
	Nulls      Nulls
	MayErr     bool // can produce an error row for some arguments
	MayNull    bool // can be NULL although no argument is
	Doc        string
}

// Reasons of error rows. Engine and reference use exactly these texts.
const (
	ErrDivisionByZero = "division by zero"
	ErrOverflow       = "number out of range"
	ErrCast           = "cannot cast" // followed by ` 'text' to TYPE`
	ErrDomain         = "argument out of domain"
	ErrTooLong        = "text too long"
	ErrPattern        = "malformed pattern"
	ErrFormat         = "text does not fit the pattern"
	ErrLongArray      = "array too long"
	ErrManyValues     = "too many values"
	ErrZone           = "unknown time zone"
)

// TextBytesMax is how long a text may be that functions repeat, pad, substitute into or
// put together; a longer one fails (ErrTooLong). An array that ARRAY_AGG puts together is
// as it is written as long at most (ErrLongArray).
const TextBytesMax = 256 << 10

func each(result stream.Type, types []stream.Type, n int) []Signature {
	var out []Signature
	for _, t := range types {
		args := make([]stream.Type, n)
		for i := range args {
			args[i] = t
		}
		r := result
		if r == stream.Invalid {
			r = t
		}
		out = append(out, Signature{Args: args, Result: r})
	}
	return out
}

func sig(result stream.Type, args ...stream.Type) Signature {
	return Signature{Args: args, Result: result}
}

var (
	numbers  = []stream.Type{in1, in2, in4, in8, fl4, fl8}
	floats   = []stream.Type{fl8}
	anyType  = stream.Invalid
	anyPair  = []Signature{sig(boo, anyType, anyType)}
	anyOne   = []Signature{sig(boo, anyType)}
	boolPair = []Signature{sig(boo, boo, boo)}
)

// core are the functions that the language could not be without; others stand in files
// of their own.
var core = []Function{
	{Name: "add", SQL: "+", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "sum; overflow of integers, dates, timestamps and intervals is an error; a date and a number of days, a date and a time of day; a time of day and an interval begin anew at midnight",
		Signatures: append(each(anyType, numbers, 2), sig(tim, tim, ivl), sig(tim, ivl, tim), sig(ivl, ivl, ivl), sig(dat, dat, in4), sig(dat, in4, dat),
			sig(tod, tod, ivl), sig(tod, ivl, tod), sig(tim, dat, tod), sig(tim, tod, dat))},
	{Name: "sub", SQL: "-", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "difference; that of two dates is a number of days",
		Signatures: append(each(anyType, numbers, 2), sig(tim, tim, ivl), sig(ivl, tim, tim), sig(ivl, ivl, ivl), sig(dat, dat, in4), sig(in4, dat, dat),
			sig(tod, tod, ivl), sig(ivl, tod, tod))},
	{Name: "mul", SQL: "*", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "product",
		Signatures: append(each(anyType, numbers, 2), sig(ivl, ivl, in8), sig(ivl, in8, ivl))},
	{Name: "div", SQL: "/", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "quotient; integers truncate toward zero; dividing an integer or interval by zero is an error, floats follow IEEE",
		Signatures: append(each(anyType, numbers, 2), sig(ivl, ivl, in8))},
	{Name: "mod", SQL: "%", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "remainder with the sign of the dividend (floats: IEEE fmod, NaN for a zero divisor); an integer zero divisor is an error",
		Signatures: each(anyType, numbers, 2)},
	{Name: "neg", SQL: "- x", Syntax: true, Category: "arithmetic", MayErr: true, Doc: "negation",
		Signatures: append(each(anyType, numbers, 1), sig(ivl, ivl))},

	{Name: "eq", SQL: "=", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "equal; NaN = NaN, -0 = 0"},
	{Name: "ne", SQL: "<>", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "not equal"},
	{Name: "lt", SQL: "<", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "less; FALSE < TRUE, text by bytes, NaN greatest"},
	{Name: "le", SQL: "<=", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "less or equal"},
	{Name: "gt", SQL: ">", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "greater"},
	{Name: "ge", SQL: ">=", Syntax: true, Category: "comparison", Signatures: anyPair, Doc: "greater or equal"},
	{Name: "distinct", SQL: "IS DISTINCT FROM", Syntax: true, Category: "comparison", Signatures: anyPair, Nulls: Special, Doc: "not equal, with NULL a value like others; never NULL"},
	{Name: "not_distinct", SQL: "IS NOT DISTINCT FROM", Syntax: true, Category: "comparison", Signatures: anyPair, Nulls: Special, Doc: "the opposite of IS DISTINCT FROM"},
	{Name: "is_null", SQL: "IS NULL", Syntax: true, Category: "comparison", Signatures: anyOne, Nulls: Special, Doc: "TRUE for NULL"},
	{Name: "is_not_null", SQL: "IS NOT NULL", Syntax: true, Category: "comparison", Signatures: anyOne, Nulls: Special, Doc: "FALSE for NULL"},
	{Name: "in", SQL: "IN", Syntax: true, Category: "comparison", Nulls: Special, Signatures: []Signature{{Args: []stream.Type{anyType, anyType}, Variadic: true, Result: boo}},
		Doc: "equal to one of the values; NULL if none is equal and any side is NULL; an error among the values errs unless an equal one was found"},
	{Name: "like", SQL: "LIKE", Syntax: true, Category: "text", MayErr: true, Signatures: []Signature{sig(boo, txt, txt), sig(boo, txt, txt, txt)},
		Doc: "pattern match by characters: % any run, _ any one, \\ (or the third argument) takes the next literally; a pattern ending in the escape, or an escape not exactly one character long, is an error (argument out of domain)"},

	{Name: "and", SQL: "AND", Syntax: true, Category: "logic", Nulls: Special, Signatures: boolPair, Doc: "three-valued; FALSE wins over NULL and over an error on either side"},
	{Name: "or", SQL: "OR", Syntax: true, Category: "logic", Nulls: Special, Signatures: boolPair, Doc: "three-valued; TRUE wins over NULL and over an error on either side"},
	{Name: "not", SQL: "NOT", Syntax: true, Category: "logic", Signatures: []Signature{sig(boo, boo)}, Doc: "negation"},
	{Name: "is_true", SQL: "IS TRUE", Syntax: true, Category: "logic", Nulls: Special, Signatures: []Signature{sig(boo, boo)}, Doc: "TRUE for TRUE, else FALSE"},
	{Name: "is_false", SQL: "IS FALSE", Syntax: true, Category: "logic", Nulls: Special, Signatures: []Signature{sig(boo, boo)}, Doc: "TRUE for FALSE, else FALSE"},

	{Name: "case", SQL: "CASE", Syntax: true, Category: "conditional", Nulls: Special, Doc: "arguments condition, value, .., else (always present): the value of the first TRUE condition; only the conditions up to it and its value can err",
		Signatures: nil},
	{Name: "cast", SQL: "CAST", Syntax: true, Category: "conditional", MayErr: true, Signatures: []Signature{sig(anyType, anyType)}, Doc: "conversion; what cannot be converted is an error"},
	{Name: "try_cast", SQL: "TRY_CAST", Syntax: true, Category: "conditional", Nulls: Special, Signatures: []Signature{sig(anyType, anyType)}, Doc: "conversion; NULL where CAST errs (an error of the argument itself remains one)"},
	{Name: "coalesce", SQL: "COALESCE", Category: "conditional", Nulls: Special, Signatures: []Signature{{Args: []stream.Type{anyType}, Variadic: true, Result: anyType}}, Doc: "first argument that is not NULL; later ones cannot err"},
	{Name: "nullif", SQL: "NULLIF", Category: "conditional", Nulls: Special, Signatures: []Signature{sig(anyType, anyType, anyType)}, Doc: "NULL if both are equal, else the first"},
	{Name: "greatest", SQL: "GREATEST", Category: "conditional", Signatures: []Signature{{Args: []stream.Type{anyType}, Variadic: true, Result: anyType}}, Doc: "greatest argument (the first of equal ones); NULL if any is NULL"},
	{Name: "least", SQL: "LEAST", Category: "conditional", Signatures: []Signature{{Args: []stream.Type{anyType}, Variadic: true, Result: anyType}}, Doc: "least argument (the first of equal ones); NULL if any is NULL"},

	{Name: "abs", SQL: "ABS", Category: "math", MayErr: true, Signatures: each(anyType, numbers, 1), Doc: "absolute value"},
	{Name: "floor", SQL: "FLOOR", Category: "math", Signatures: each(anyType, numbers, 1), Doc: "largest whole number not above x"},
	{Name: "ceil", SQL: "CEIL", Category: "math", Signatures: each(anyType, numbers, 1), Doc: "smallest whole number not below x"},
	{Name: "round", SQL: "ROUND", Category: "math", Signatures: each(anyType, numbers, 1), Doc: "nearest whole number, halves away from zero"},
	{Name: "sign", SQL: "SIGN", Category: "math", Signatures: each(anyType, numbers, 1), Doc: "-1, 0 or 1 (NaN stays NaN, a zero keeps its sign)"},
	{Name: "sqrt", SQL: "SQRT", Category: "math", MayErr: true, Signatures: each(anyType, floats, 1), Doc: "square root; a negative argument is an error"},
	{Name: "power", SQL: "POWER", Category: "math", MayErr: true, Signatures: each(anyType, floats, 2), Doc: "x to the power y; NaN from arguments that are not NaN is an error"},
	{Name: "exp", SQL: "EXP", Category: "math", Signatures: each(anyType, floats, 1), Doc: "e to the power x"},
	{Name: "ln", SQL: "LN", Category: "math", MayErr: true, Signatures: each(anyType, floats, 1), Doc: "natural logarithm; an argument not above zero is an error"},

	{Name: "lower", SQL: "LOWER", Category: "text", Signatures: []Signature{sig(txt, txt)}, Doc: "lower case, letter by letter (Unicode)"},
	{Name: "upper", SQL: "UPPER", Category: "text", Signatures: []Signature{sig(txt, txt)}, Doc: "upper case, letter by letter (Unicode)"},
	{Name: "length", SQL: "CHAR_LENGTH", Category: "text", Signatures: []Signature{sig(in4, txt), sig(in4, byt)}, Doc: "number of characters (code points), of a BYTEA of bytes; also LENGTH, CHARACTER_LENGTH"},
	{Name: "substring", SQL: "SUBSTRING", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, in8), sig(txt, txt, in8, in8), sig(byt, byt, in8), sig(byt, byt, in8, in8)},
		Doc: "characters (of a BYTEA bytes) from position (1-based; positions before the first count toward the length and give nothing) for a length; a negative length is an error"},
	{Name: "trim", SQL: "TRIM", Category: "text", Signatures: []Signature{sig(txt, txt), sig(txt, txt, txt)}, Doc: "without blanks (U+0020), or the characters of the second text, at both ends; also BTRIM, TRIM(BOTH x FROM text)"},
	{Name: "ltrim", SQL: "LTRIM", Category: "text", Signatures: []Signature{sig(txt, txt), sig(txt, txt, txt)}, Doc: "TRIM at the start; also TRIM(LEADING x FROM text)"},
	{Name: "rtrim", SQL: "RTRIM", Category: "text", Signatures: []Signature{sig(txt, txt), sig(txt, txt, txt)}, Doc: "TRIM at the end; also TRIM(TRAILING x FROM text)"},
	{Name: "concat", SQL: "||", Category: "text", Signatures: []Signature{{Args: []stream.Type{txt, txt}, Variadic: true, Result: txt}, {Args: []stream.Type{byt, byt}, Variadic: true, Result: byt}}, Doc: "concatenation, NULL if any is NULL; also CONCAT(..)"},
	{Name: "replace", SQL: "REPLACE", Category: "text", Signatures: []Signature{sig(txt, txt, txt, txt)}, Doc: "every occurrence of the second replaced by the third; an empty second changes nothing"},
	{Name: "position", SQL: "POSITION", Category: "text", Signatures: []Signature{sig(in4, txt, txt), sig(in4, txt, txt, in8)},
		Doc: "POSITION(needle IN text): 1-based character position of the first occurrence, 0 if none; a third argument is the position to begin at (0 if that is below 1); also LOCATE(needle, text), INSTR(text, needle), STRPOS(text, needle)"},
	{Name: "starts_with", SQL: "STARTS_WITH", Category: "text", Signatures: []Signature{sig(boo, txt, txt)}, Doc: "whether the first begins with the second"},

	{Name: "to_timestamp_ltz", SQL: "TO_TIMESTAMP_LTZ", Category: "time", MayErr: true, Signatures: []Signature{sig(tim, in8, in4)}, Doc: "timestamp from an epoch number in seconds (0), milliseconds (3) or microseconds (6); other precisions are an error"},
	{Name: "extract_epoch", SQL: "EXTRACT(EPOCH FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(fl8, tim), sig(fl8, ivl), sig(fl8, tod)}, Doc: "seconds since 1970-01-01 UTC, since midnight, or of an interval: micros / 1e6"},
	{Name: "extract_year", SQL: "EXTRACT(YEAR FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim)}, Doc: "year (UTC)"},
	{Name: "extract_month", SQL: "EXTRACT(MONTH FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim)}, Doc: "month 1-12"},
	{Name: "extract_day", SQL: "EXTRACT(DAY FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim)}, Doc: "day of the month"},
	{Name: "extract_hour", SQL: "EXTRACT(HOUR FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim), sig(in8, tod)}, Doc: "hour 0-23"},
	{Name: "extract_minute", SQL: "EXTRACT(MINUTE FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim), sig(in8, tod)}, Doc: "minute 0-59"},
	{Name: "extract_second", SQL: "EXTRACT(SECOND FROM ..)", Syntax: true, Category: "time", Signatures: []Signature{sig(in8, tim), sig(in8, tod)}, Doc: "whole second 0-59"},
	{Name: "date_trunc", SQL: "DATE_TRUNC", Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, tim)}, Doc: "DATE_TRUNC('hour', ts): cut down to microsecond, millisecond, second, minute, hour, day, week (Monday), month, quarter, year, decade, century or millennium (UTC; any case); another unit is an error; also FLOOR(ts TO HOUR)"},
}

// table is all of them.
var table = slices.Concat(core, texts, patterns, maths, times, zones, hashes, jsons, arrays, codings)

var byName = func() map[string]*Function {
	m := map[string]*Function{}
	for i := range table {
		m[table[i].Name] = &table[i]
	}
	return m
}()

// Lookup returns the function that Expr.Func names.
func Lookup(name string) (*Function, bool) {
	f, ok := byName[name]
	return f, ok
}

// All returns every function, by category and name.
func All() []*Function {
	out := make([]*Function, 0, len(table))
	for i := range table {
		out = append(out, &table[i])
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Category != out[j].Category {
			return out[i].Category < out[j].Category
		}
		return out[i].Name < out[j].Name
	})
	return out
}

// Match reports whether arguments of exactly these types fit the signature.
func (s Signature) Match(args []stream.Type) bool {
	if len(args) < len(s.Args) || len(args) > len(s.Args) && !s.Variadic {
		return false
	}
	generic := stream.Invalid
	for i, a := range args {
		want := s.Args[min(i, len(s.Args)-1)]
		if want == array {
			if !a.IsArray() {
				return false
			}
			want, a = stream.Invalid, a.Element()
		}
		if want == stream.Invalid {
			if generic == stream.Invalid {
				generic = a
			}
			want = generic
		}
		if a != want {
			return false
		}
	}
	return true
}

// ResultFor returns the type of a call with these argument types, which Match. For
// cast and try_cast it is the argument's; the call itself names the type asked for.
func (s Signature) ResultFor(args []stream.Type) stream.Type {
	if s.Result != stream.Invalid && s.Result != array {
		return s.Result
	}
	t := stream.Invalid
	for i, a := range args {
		switch s.Args[min(i, len(s.Args)-1)] {
		case stream.Invalid:
			t = a
		case array:
			t = a.Element()
		default:
			continue
		}
		break
	}
	if s.Result == array {
		return stream.Array(t)
	}
	return t
}
