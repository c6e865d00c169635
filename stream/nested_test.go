package stream

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNestedTypes(t *testing.T) {
	row := RowOf(Member{"a", Integer}, Member{`x "y"`, Array(Decimal(30, 8))}, Member{"", Varchar})
	for _, c := range []struct {
		t    Type
		text string
	}{
		{Array(Integer), "ARRAY<INTEGER>"},
		{Array(Array(Decimal(12, 3))), "ARRAY<ARRAY<DECIMAL(12,3)>>"},
		{row, `ROW<a INTEGER, "x \"y\"" ARRAY<DECIMAL(30,8)>, "" VARCHAR>`},
		{Array(row), `ARRAY<ROW<a INTEGER, "x \"y\"" ARRAY<DECIMAL(30,8)>, "" VARCHAR>>`},
	} {
		if c.t.String() != c.text || !c.t.Valid() || !c.t.IsNested() || c.t.Storage() != Varchar {
			t.Errorf("%s, want %s", c.t, c.text)
		}
		if got, ok := ParseType(c.text); !ok || got != c.t {
			t.Errorf("%s is read as %s", c.text, got)
		}
	}
	if got, ok := ParseType("array<row<a integer>>"); !ok || got != Array(RowOf(Member{"a", Integer})) {
		t.Errorf("keywords in small letters: %s", got)
	}
	for _, bad := range []string{"ARRAY", "ARRAY<", "ARRAY<>", "ARRAY<INTEGER", "ARRAY<INTEGER>>", "ARRAY<INVALID>", "ROW<>", "ROW<a>", "ROW<a INTEGER b INTEGER>", "ROW<a INTEGER,>",
		`ROW<"a INTEGER>`, "ARRAY<DECIMAL(3,9)>", "ARRAY<DECIMAL(3>"} {
		if got, ok := ParseType(bad); ok {
			t.Errorf("%s is read as %s", bad, got)
		}
	}
	deep := Integer
	for range NestingDepthMax {
		deep = Array(deep)
	}
	if !deep.Valid() || Array(deep) != Invalid || Array(Invalid).Valid() {
		t.Error("the limit of depth does not hold")
	}
}

func randomNested(r *rand.Rand, depth int) Type {
	scalars := slices.DeleteFunc(slices.Clone(Types), func(t Type) bool { return t.IsNested() || t == JSON })
	kind := r.IntN(3)
	switch {
	case depth == 0 || kind == 0:
		return scalars[r.IntN(len(scalars))]
	case kind == 1:
		return Array(randomNested(r, depth-1))
	}
	return RowOf(Member{"a", randomNested(r, depth-1)}, Member{"b", randomNested(r, depth-1)})
}

func randomNestedValue(r *rand.Rand, t Type) Value {
	if r.IntN(5) == 0 {
		return NullOf(t)
	}
	low, high, whole := t.Range()
	switch {
	case t.IsArray():
		var items []Value
		for range r.IntN(4) {
			items = append(items, randomNestedValue(r, t.Element()))
		}
		return Nested(t, items...)
	case t.IsNested():
		var items []Value
		for _, m := range t.Members() {
			items = append(items, randomNestedValue(r, m.Type))
		}
		return Nested(t, items...)
	case t.IsDecimal():
		return DecimalOfUnits(t, int64(r.IntN(7)-3))
	case t.IsFloat():
		return Value{Type: t, F: []float64{0, 1.5, -1.5, math.NaN(), math.Inf(1), math.Inf(-1), 1e10}[r.IntN(7)]}
	case t == Varchar:
		return Text([]string{"", "a", "a\x00", "a\x00b", "a\x01", "é\"\\\n", "\x00"}[r.IntN(7)])
	case t == Boolean:
		return Bool(r.IntN(2) == 0)
	case t == Date || t == Timestamp || t == Interval || !whole:
		return Value{Type: t, I: int64(r.IntN(5) - 2)}
	}
	return Value{Type: t, I: []int64{low, high, low + 1, low/2 + high/2}[r.IntN(4)]}
}

// orderValues is the order that the bytes should have, by the values.
func orderValues(a, b Value) int {
	switch {
	case a.Null || b.Null:
		return cmp.Compare(len(b.marker()), len(a.marker()))
	case a.Type.IsNested():
		return slices.CompareFunc(a.Items(), b.Items(), orderValues)
	case a.Type.IsDecimal():
		return cmp.Compare(int64(a.Decimal().Lo), int64(b.Decimal().Lo))
	case a.Type.IsFloat() && (math.IsNaN(a.F) || math.IsNaN(b.F)):
		return -cmp.Compare(a.F, b.F) // package cmp has NaN as the least
	case a.Type.IsFloat():
		return cmp.Compare(a.F, b.F)
	case a.Type == Varchar:
		return cmp.Compare(a.S, b.S)
	}
	return cmp.Compare(a.I, b.I)
}

func (v Value) marker() string {
	if v.Null {
		return ""
	}
	return "x"
}

// Items come back as they went in, the order of bytes is that of values, and the JSON form
// reads back as the same bytes.
func TestNestedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		typ := Array(randomNested(r, 2))
		if r.IntN(3) == 0 {
			typ = RowOf(Member{"x", randomNested(r, 2)}, Member{"y", randomNested(r, 1)})
		}
		a, b := randomNestedValue(r, typ), randomNestedValue(r, typ)
		if a.Null || b.Null {
			continue
		}
		again := Nested(typ, a.Items()...)
		if again.S != a.S {
			t.Fatalf("%s of %s: items make %q of %q", a, typ, again.S, a.S)
		}
		if !ValidNested(typ, []byte(a.S)) || ValidNested(typ, []byte(a.S[:len(a.S)-1])) || ValidNested(typ, []byte(a.S+"\x00")) {
			t.Fatalf("%q is taken for what it is not", a.S)
		}
		if got, want := cmp.Compare(a.S, b.S), orderValues(a, b); got != want {
			t.Fatalf("%s: %s and %s are ordered %d, want %d", typ, a, b, got, want)
		}
		raw, ok := ParseNested(nil, typ, []byte(a.String()))
		if !ok || !bytes.Equal(raw, []byte(a.S)) {
			t.Fatalf("%s of %s reads back as %q, %v", a, typ, raw, ok)
		}
	}
	zero, minus := Nested(Array(Double), Dbl(0)), Nested(Array(Double), Dbl(math.Copysign(0, -1)))
	if zero != minus {
		t.Error("0 and -0 differ")
	}
}

func TestParseNested(t *testing.T) {
	row := RowOf(Member{"a", Integer}, Member{"b", Array(Varchar)})
	for _, c := range []struct {
		t        Type
		in, want string // want empty: refused
	}{
		{Array(Integer), ` [ 1 , null,2.0 ,1e3]`, "[1,null,2,1000]"},
		{Array(Integer), "[]", "[]"},
		{Array(Integer), "[2147483648]", ""},
		{Array(Integer), `["1"]`, ""},
		{Array(Integer), "[1.5]", ""},
		{Array(Integer), "[1", ""},
		{Array(Integer), "1", ""},
		{Array(Integer), "{}", ""},
		{Array(Integer), "", ""},
		{Array(Boolean), "[true,false]", "[true,false]"},
		{Array(Boolean), "[1]", ""},
		{Array(Varchar), `["a\"b", 1.50, {"x": [1]}, true]`, `["a\"b","1.50","{\"x\": [1]}","true"]`},
		{Array(Varchar), "[\"\xff\"]", ""},
		{Array(Date), `["2026-01-02"]`, `["2026-01-02"]`},
		{Array(Date), `[5]`, ""},
		{Array(Double), `["NaN", 1, -0.0, "-Infinity"]`, `["NaN",1,0,"-Infinity"]`},
		{Array(Double), `["1"]`, ""},
		{Array(Decimal(5, 2)), `[1.005, "2"]`, "[1.01,2.00]"},
		{Array(Decimal(5, 2)), `[12345]`, ""},
		{Array(Array(BigInt)), "[[1],[],null]", "[[1],[],null]"},
		{row, `{"b":["x"],"z":{"a":7},"a":1,"a":2}`, `{"a":2,"b":["x"]}`},
		{row, `{"\u0061":1}`, `{"a":1,"b":null}`},
		{row, `{"a":"x"}`, ""},
		{row, `[]`, ""},
	} {
		raw, ok := ParseNested(nil, c.t, []byte(c.in))
		got := ""
		if ok {
			got = string(AppendNested(nil, c.t, raw))
		}
		if got != c.want {
			t.Errorf("%s as %s is %q, want %q", c.in, c.t, got, c.want)
		}
	}
}
