// Package streamtest draws types and values for tests of what reads and writes them.
package streamtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// Nested draws an ARRAY or a ROW, nested up to depth deep.
func Nested(r *rand.Rand, depth int) stream.Type {
	if r.IntN(2) == 0 {
		return stream.Array(part(r, depth-1))
	}
	names := []string{"a", "b", "member_c", "D", "list", "element", "array"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	members := make([]stream.Member, 1+r.IntN(3))
	for i := range members {
		members[i] = stream.Member{Name: names[i], Type: part(r, depth-1)}
	}
	return stream.RowOf(members...)
}

func part(r *rand.Rand, depth int) stream.Type {
	if depth > 0 && r.IntN(2) == 0 {
		return Nested(r, depth)
	}
	for {
		if t := stream.Types[r.IntN(len(stream.Types))]; !t.IsNested() && t != stream.JSON {
			return t
		}
	}
}

// Value draws a value of any type, NULL one time in six; so are parts of nested ones. Of
// nested types, arrays have up to `longest` elements.
func Value(r *rand.Rand, t stream.Type, longest int) stream.Value {
	if r.IntN(6) == 0 {
		return stream.NullOf(t)
	}
	v := stream.Value{Type: t}
	switch {
	case t.IsArray():
		items := make([]stream.Value, r.IntN(longest+1))
		for i := range items {
			items[i] = Value(r, t.Element(), longest)
		}
		return stream.Nested(t, items...)
	case t.IsRow():
		var items []stream.Value
		for _, m := range t.Members() {
			items = append(items, Value(r, m.Type, longest))
		}
		return stream.Nested(t, items...)
	case t.IsDecimal():
		x := decimal.Int{Hi: int64(r.Uint64()), Lo: r.Uint64()}
		if !x.Fits(t.Precision()) {
			x = decimal.Of(r.Int64N(2000) - 1000)
		}
		if !x.Fits(t.Precision()) {
			x = decimal.Int{}
		}
		return stream.DecimalOf(t, x)
	case t.IsFloat():
		v.F = []float64{r.NormFloat64(), 0, math.Inf(1), math.Inf(-1), math.NaN(), -1.5}[r.IntN(6)]
		if t == stream.Real {
			v.F = float64(float32(v.F))
		}
		return v
	}
	switch t {
	case stream.Boolean:
		v.I = r.Int64N(2)
		return v
	case stream.Varchar:
		v.S = []string{"", "a", "Zürich", "x\x00y", fmt.Sprint(r.IntN(1000)), "\x00", `"quoted", text`}[r.IntN(7)]
		return v
	case stream.Bytes:
		v.S = []string{"", "\x00", "\xff\x00\xff", "abc"}[r.IntN(4)]
		return v
	case stream.JSON:
		v.S = []string{"null", `{"a":[1,null]}`, `"x"`, "1.50"}[r.IntN(4)]
		return v
	}
	low, high, _ := t.Range()
	switch r.IntN(4) {
	case 0:
		v.I = low
	case 1:
		v.I = high
	default:
		v.I = max(low, min(high, r.Int64N(20_000)-10_000))
	}
	return v
}
