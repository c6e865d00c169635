package reference

import (
	"math"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func TestEveryFunctionIsImplemented(t *testing.T) {
	for _, f := range function.All() {
		_, isSpecial := special[f.Name]
		_, isStrict := strict[f.Name]
		if isSpecial == isStrict {
			t.Errorf("%s: special %v, strict %v", f.Name, isSpecial, isStrict)
		}
		if isSpecial != (f.Nulls == function.Special) {
			t.Errorf("%s: NULL handling differs from the table", f.Name)
		}
	}
	if n := len(special) + len(strict); n != len(function.All()) {
		t.Errorf("%d functions, the table has %d", n, len(function.All()))
	}
}

var (
	null4  = model.Lit(stream.NullOf(stream.Integer))
	nullB  = model.Lit(stream.NullOf(stream.Boolean))
	yes    = model.Lit(stream.Bool(true))
	no     = model.Lit(stream.Bool(false))
	failed = model.Call("div", stream.Integer, int4(1), int4(0))
	failsB = model.Call("eq", stream.Boolean, failed, int4(1))
)

func int4(v int32) *model.Expr    { return model.Lit(stream.Int(v)) }
func int8(v int64) *model.Expr    { return model.Lit(stream.Big(v)) }
func dbl(v float64) *model.Expr   { return model.Lit(stream.Dbl(v)) }
func real4(v float32) *model.Expr { return model.Lit(stream.Float(v)) }
func txt(v string) *model.Expr    { return model.Lit(stream.Text(v)) }
func at(s string) *model.Expr {
	micros, ok := stream.ParseTimestamp(s)
	if !ok {
		panic(s)
	}
	return model.Lit(stream.Time(micros))
}
func span4(micros int64) *model.Expr { return model.Lit(stream.Duration(micros)) }

const fails = "! "

func TestEval(t *testing.T) {
	const (
		b  = stream.Boolean
		i4 = stream.Integer
		i8 = stream.BigInt
		f4 = stream.Real
		f8 = stream.Double
		tx = stream.Varchar
		ts = stream.Timestamp
		iv = stream.Interval
	)
	c := model.Call
	nan, inf, minus0 := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	for _, test := range []struct {
		e    *model.Expr
		want string // fails + reason for an error
	}{
		{c("add", i4, int4(math.MaxInt32), int4(1)), fails + "number out of range"},
		{c("add", i8, int8(math.MaxInt32), int8(1)), "2147483648"},
		{c("add", i4, int4(1), null4), "NULL"},
		{c("add", i4, null4, failed), fails + "division by zero"},
		{c("add", f4, real4(0.1), real4(0.2)), "0.3"},
		{c("add", f8, dbl(0.1), dbl(0.2)), "0.30000000000000004"},
		{c("add", ts, at("2026-01-01"), span4(1)), "2026-01-01T00:00:00.000001Z"},
		{c("sub", iv, at("2026-01-02"), at("2026-01-01")), "1 00:00:00"},
		{c("mul", i8, int8(math.MinInt64), int8(-1)), fails + "number out of range"},
		{c("mul", iv, span4(5), int8(-3)), "-00:00:00.000015"},
		{c("div", i4, int4(-7), int4(2)), "-3"},
		{c("div", i4, int4(math.MinInt32), int4(-1)), fails + "number out of range"},
		{c("div", f8, dbl(1), dbl(0)), "Infinity"},
		{c("div", iv, span4(-7), int8(2)), "-00:00:00.000003"},
		{c("mod", i4, int4(-7), int4(2)), "-1"},
		{c("mod", f8, dbl(-7.5), dbl(2)), "-1.5"},
		{c("mod", f8, dbl(1), dbl(0)), "NaN"},
		{c("neg", i4, int4(math.MinInt32)), fails + "number out of range"},

		{c("eq", b, dbl(nan), dbl(nan)), "true"},
		{c("eq", b, dbl(0), dbl(minus0)), "true"},
		{c("lt", b, dbl(inf), dbl(nan)), "true"},
		{c("lt", b, no, yes), "true"},
		{c("ge", b, txt("a"), txt("B")), "true"},
		{c("ne", b, null4, null4), "NULL"},
		{c("distinct", b, null4, null4), "false"},
		{c("distinct", b, null4, int4(1)), "true"},
		{c("not_distinct", b, int4(1), int4(1)), "true"},
		{c("is_null", b, null4), "true"},
		{c("is_not_null", b, failed), fails + "division by zero"},
		{c("in", b, int4(1), failed, int4(1)), "true"},
		{c("in", b, int4(1), failed, null4), fails + "division by zero"},
		{c("in", b, int4(1), null4, int4(2)), "NULL"},
		{c("in", b, null4, int4(2)), "NULL"},

		{c("and", b, failsB, no), "false"},
		{c("and", b, failsB, nullB), fails + "division by zero"},
		{c("and", b, yes, nullB), "NULL"},
		{c("or", b, failsB, yes), "true"},
		{c("or", b, no, no), "false"},
		{c("or", b, no, nullB), "NULL"},
		{c("not", b, nullB), "NULL"},
		{c("is_true", b, nullB), "false"},
		{c("is_false", b, no), "true"},

		{c("case", i4, no, failed, yes, int4(2), failed), "2"},
		{c("case", i4, nullB, int4(1), int4(3)), "3"},
		{c("coalesce", i4, null4, int4(1), failed), "1"},
		{c("nullif", i4, int4(1), int4(1)), "NULL"},
		{c("nullif", i4, int4(1), null4), "1"},
		{c("greatest", i4, int4(1), int4(3), int4(2)), "3"},
		{c("least", f8, dbl(nan), dbl(3)), "3"},
		{c("least", i4, int4(1), null4), "NULL"},

		{c("abs", i4, int4(math.MinInt32)), fails + "number out of range"},
		{c("floor", f8, dbl(-1.5)), "-2"},
		{c("ceil", f8, dbl(-1.5)), "-1"},
		{c("round", f8, dbl(-2.5)), "-3"},
		{c("sign", i4, int4(-7)), "-1"},
		{c("sign", f8, dbl(nan)), "NaN"},
		{c("sqrt", f8, dbl(-1)), fails + "argument out of domain"},
		{c("power", f8, dbl(-1), dbl(0.5)), fails + "argument out of domain"},
		{c("power", f8, dbl(2), dbl(10)), "1024"},
		{c("ln", f8, dbl(0)), fails + "argument out of domain"},
		{c("exp", f8, dbl(0)), "1"},

		{c("like", b, txt("abc"), txt("a%c")), "true"},
		{c("like", b, txt("añc"), txt("a_c")), "true"},
		{c("like", b, txt("a%c"), txt(`a\%c`)), "true"},
		{c("like", b, txt("abc"), txt(`a\%c`)), "false"},
		{c("like", b, txt("abc"), txt(`x\`)), fails + "argument out of domain"},
		{c("like", b, txt("a_"), txt("a!_"), txt("!")), "true"},
		{c("like", b, txt(""), txt("%%")), "true"},
		{c("length", i4, txt("añc")), "3"},
		{c("substring", tx, txt("añcd"), int8(2), int8(2)), "ñc"},
		{c("substring", tx, txt("abcd"), int8(-1), int8(4)), "ab"},
		{c("substring", tx, txt("abcd"), int8(math.MinInt64), int8(math.MaxInt64)), ""},
		{c("substring", tx, txt("abcd"), int8(3)), "cd"},
		{c("substring", tx, txt("abcd"), int8(3), int8(math.MaxInt64)), "cd"},
		{c("substring", tx, txt("abcd"), int8(3), int8(-1)), fails + "argument out of domain"},
		{c("trim", tx, txt("  a b ")), "a b"},
		{c("concat", tx, txt("a"), txt("b"), txt("c")), "abc"},
		{c("replace", tx, txt("aaa"), txt("a"), txt("bb")), "bbbbbb"},
		{c("replace", tx, txt("aaa"), txt(""), txt("b")), "aaa"},
		{c("position", i4, txt("c"), txt("ñc")), "2"},
		{c("position", i4, txt(""), txt("abc")), "1"},
		{c("starts_with", b, txt("abc"), txt("ab")), "true"},
		{c("upper", tx, txt("ñ")), "Ñ"},

		{c("to_timestamp_ltz", ts, int8(1), int4(3)), "1970-01-01T00:00:00.001Z"},
		{c("to_timestamp_ltz", ts, int8(1), int4(1)), fails + "argument out of domain"},
		{c("to_timestamp_ltz", ts, int8(math.MaxInt64), int4(0)), fails + "number out of range"},
		{c("extract_epoch", f8, at("1970-01-01T00:00:01.5")), "1.5"},
		{c("extract_hour", i8, at("1969-12-31T23:59:59")), "23"},
		{c("date_trunc", ts, txt("Month"), at("2026-05-17T10:00:00")), "2026-05-01T00:00:00Z"},
		{c("date_trunc", ts, txt("week"), at("2026-05-17")), "2026-05-11T00:00:00Z"},
		{c("date_trunc", ts, txt("fortnight"), at("2026-05-17")), fails + "argument out of domain"},

		{c("cast", i4, txt(" +12 ")), "12"},
		{c("cast", i4, txt("12x")), fails + "cannot cast '12x' to INTEGER"},
		{c("cast", i4, txt("99999999999999999999")), fails + "number out of range"},
		{c("cast", i4, dbl(-1.9)), "-1"},
		{c("cast", i8, dbl(9.3e18)), fails + "number out of range"},
		{c("cast", i8, dbl(nan)), fails + "number out of range"},
		{c("cast", f4, dbl(1e300)), fails + "number out of range"},
		{c("cast", f4, int8(16777217)), "16777216"},
		{c("cast", b, txt("Yes")), "true"},
		{c("cast", b, int4(7)), "true"},
		{c("cast", tx, dbl(1e21)), "1e+21"},
		{c("cast", ts, txt("2026-01-02 03:04")), "2026-01-02T03:04:00Z"},
		{c("cast", iv, txt("1 00:00:00.5")), "1 00:00:00.5"},
		{c("try_cast", i4, txt("x")), "NULL"},
		{c("try_cast", i4, failed), fails + "division by zero"},
		{c("cast", i4, txt(strings.Repeat("ñ", 40))), fails + "cannot cast '" + strings.Repeat("ñ", 32) + "...' to INTEGER"},
	} {
		v, reason := Eval(test.e, nil)
		got := v.String()
		if reason != "" {
			got = fails + reason
		} else if v.Type != test.e.Type {
			t.Errorf("%s: type %v, want %v", test.e.Func, v.Type, test.e.Type)
		}
		if got != test.want {
			t.Errorf("%s%v: %s, want %s", test.e.Func, test.e.Args, got, test.want)
		}
	}
}

func TestFloatSumsAreExact(t *testing.T) {
	sum := func(values ...float64) float64 {
		s := &floatSum{}
		for _, f := range values {
			s.add(stream.Dbl(f), stream.Value{})
		}
		v, _ := s.result()
		return v.F
	}
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{1e100, 1, -1e100}, 1},
		{[]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 1},
		{[]float64{1 << 53, 1, 0x1p-60}, 1<<53 + 2}, // just above the middle between two floats
		{[]float64{math.Inf(1), 1}, math.Inf(1)},
		{[]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, math.Inf(1)},
		{[]float64{5e-324, 1, -1}, 5e-324},
	} {
		if got := sum(test.values...); got != test.want {
			t.Errorf("sum of %v: %v, want %v", test.values, got, test.want)
		}
	}
	if got := sum(math.Inf(1), math.Inf(-1)); !math.IsNaN(got) {
		t.Errorf("sum of both infinities: %v", got)
	}
}
