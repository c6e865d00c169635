package operator

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// partsOf adds values to as many accumulators as there are parts and combines them. What
// orders values is they themselves.
func partsOf(t *testing.T, g *model.Agg, parts ...[]stream.Value) accumulator {
	t.Helper()
	whole, err := newAccumulator(g, g.Arg.Type)
	if err != nil {
		t.Fatal(err)
	}
	whole.resize(1)
	for _, values := range parts {
		var c stream.Column
		c.Reset(g.Arg.Type)
		for i, v := range values {
			c.AppendValue(v, i)
		}
		part := whole.fresh()
		part.resize(1)
		if g.By != nil {
			part.(interface{ second(*stream.Column) }).second(&c)
		}
		part.addRuns(0, 0, []int32{int32(len(values))}, &c)
		whole.merge([]int32{0}, part, 0)
	}
	return whole
}

// TestStringAggBound: a text of just TextBytesMax bytes is a result, a longer one is none,
// in one part or several, and the collection keeps nothing of it.
func TestStringAggBound(t *testing.T) {
	g := &model.Agg{Func: model.StringAgg, Arg: model.Col(0, stream.Varchar), Type: stream.Varchar, Params: []stream.Value{stream.Text("; ")}}
	half := stream.Text(strings.Repeat("x", function.TextBytesMax/2-1))
	for _, c := range []struct {
		parts [][]stream.Value
		fits  bool
	}{
		{[][]stream.Value{{half, half}}, true},
		{[][]stream.Value{{half}, {half}}, true},
		{[][]stream.Value{{half, half, stream.Text("")}}, false},
		{[][]stream.Value{{half}, {half, stream.Text("")}, {half}}, false},
	} {
		acc := partsOf(t, g, c.parts...)
		if acc.fits(g.Func, 0) != c.fits {
			t.Errorf("%d parts: fits is %v", len(c.parts), !c.fits)
		}
		if held := acc.(interface{ heldBytes() int64 }).heldBytes(); !c.fits && held > 1000 {
			t.Errorf("%d parts: %d bytes are kept of what has no result", len(c.parts), held)
		}
	}
}

// TestArrayAggBound: the same of an array, of which a byte stands behind the elements.
func TestArrayAggBound(t *testing.T) {
	texts := stream.Array(stream.Varchar)
	one := func(n int) stream.Value { return stream.Nested(texts, stream.Text(strings.Repeat("x", n))) }
	half := one(function.TextBytesMax/2 - 3 - 1) // an element is a mark, the text and two bytes
	none := stream.Nested(texts)
	for _, by := range []*model.Expr{nil, model.Col(0, texts)} {
		g := &model.Agg{Func: model.ArrayAgg, Arg: model.Col(0, texts), By: by, Type: texts}
		for _, c := range []struct {
			parts [][]stream.Value
			fits  bool
		}{
			{[][]stream.Value{{half, one(function.TextBytesMax/2 - 3)}}, true},
			{[][]stream.Value{{half, none}, {none, one(function.TextBytesMax/2 - 3)}}, true},
			{[][]stream.Value{{half, one(function.TextBytesMax/2 - 2)}}, false},
			{[][]stream.Value{{half}, {half, stream.Nested(texts, stream.NullOf(stream.Varchar))}}, true},
			{[][]stream.Value{{half}, {half, half}}, false},
		} {
			acc := partsOf(t, g, c.parts...)
			if acc.fits(g.Func, 0) != c.fits {
				t.Errorf("%d parts: fits is %v", len(c.parts), !c.fits)
			}
			if held := acc.(interface{ heldBytes() int64 }).heldBytes(); !c.fits && held > 1000 {
				t.Errorf("%d parts: %d bytes are kept of what has no result", len(c.parts), held)
			}
		}
	}
}

// TestQuantileParts: however values are divided and combined, the state is the same bytes,
// also where buckets are not told apart any more, and a result is as near as promised.
func TestQuantileParts(t *testing.T) {
	g := &model.Agg{Func: model.ApproxPercentile, Arg: model.Col(0, stream.Double), Type: stream.Double, Params: []stream.Value{stream.Dbl(0.9)}}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		wide := r.IntN(2) == 0
		var values []stream.Value
		for range 1 + r.IntN(300) {
			x := r.NormFloat64() * 100
			if wide {
				x = math.Ldexp(x, r.IntN(2000)-1000)
			}
			values = append(values, stream.Dbl(x))
		}
		one := written(partsOf(t, g, values))
		cut := r.IntN(len(values) + 1)
		if two := written(partsOf(t, g, values[cut:], values[:cut])); !bytes.Equal(one, two) {
			t.Fatalf("%d values in two parts, the second first, have another state", len(values))
		}
		if !wide {
			checkQuantile(t, g, values)
		}
	}
}

func written(acc accumulator) []byte {
	var w state.Writer
	acc.write(&w, 0)
	return w.Bytes()
}

func checkQuantile(t *testing.T, g *model.Agg, values []stream.Value) {
	t.Helper()
	var out stream.Column
	out.Reset(stream.Double)
	room(&out, 1)
	partsOf(t, g, values).result(g, &out, 0, 0, 1)
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, func(a, b stream.Value) int { return compareFloats(a.F, b.F) })
	exact := sorted[int(math.Ceil(g.Params[0].F*float64(len(sorted))))-1].F
	if got := out.F64[0]; math.Abs(got-exact) > math.Abs(exact)/128 {
		t.Errorf("of %d values %v, exactly %v", len(values), got, exact)
	}
}

// TestCollectionState: what is read again is what was written.
func TestCollectionState(t *testing.T) {
	for _, f := range []model.AggFunc{model.StringAgg, model.PercentileDisc} {
		g := &model.Agg{Func: f, Arg: model.Col(0, stream.Varchar), Type: stream.Varchar, Params: []stream.Value{stream.Text(",")}}
		acc := partsOf(t, g, []stream.Value{stream.Text("b"), stream.Text("")}, []stream.Value{stream.Text("a")})
		data := written(acc)
		again := acc.fresh()
		again.resize(1)
		r := state.NewReader(data)
		again.read(r, 0)
		if err := r.Err(); err != nil || !reflect.DeepEqual(written(again), data) {
			t.Errorf("%s: %v", f, err)
		}
	}
}
