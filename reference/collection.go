package reference

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// collection keeps all values, with what they are ordered by.
type collection struct {
	of     *model.Agg
	values [][2]stream.Value
}

func (c *collection) add(v, by stream.Value) { c.values = append(c.values, [2]stream.Value{v, by}) }

func (c *collection) result() (stream.Value, bool) {
	if len(c.values) == 0 {
		return stream.NullOf(c.of.Type), true
	}
	switch c.of.Func {
	case model.StringAgg:
		return c.text()
	case model.ArrayAgg:
		return c.array()
	}
	if len(c.values) > function.PercentileValuesMax {
		return stream.Value{}, false
	}
	slices.SortStableFunc(c.values, func(a, b [2]stream.Value) int { return compare(a[0], b[0]) })
	n, p := float64(len(c.values)), c.of.Params[0].F
	if c.of.Func == model.PercentileDisc {
		return unsigned(c.values[max(int(math.Ceil(p*n)), 1)-1][0]), true
	}
	place := p * (n - 1)
	low, high := c.values[int(math.Floor(place))][0], c.values[int(math.Ceil(place))][0]
	if compare(low, high) == 0 {
		return unsigned(low), true
	}
	above := float64((high.F - low.F) * (place - math.Floor(place)))
	return stream.Dbl(low.F + above), true
}

// unsigned makes 0 of -0.
func unsigned(v stream.Value) stream.Value {
	if v.F == 0 {
		v.F = 0
	}
	return v
}

// sort puts the values in the order of what they are by.
func (c *collection) sort() {
	if c.of.By != nil {
		slices.SortStableFunc(c.values, func(a, b [2]stream.Value) int {
			x, y := a[1], b[1]
			switch {
			case x.Null && y.Null:
				return 0
			case x.Null || y.Null:
				if x.Null == c.of.NullsFirst {
					return -1
				}
				return 1
			case c.of.Descending:
				return compare(y, x)
			}
			return compare(x, y)
		})
	}
}

func (c *collection) text() (stream.Value, bool) {
	c.sort()
	var texts []string
	for _, v := range c.values {
		texts = append(texts, v[0].S)
	}
	text := strings.Join(texts, c.of.Params[0].S)
	return stream.Text(text), len(text) <= function.TextBytesMax
}

func (c *collection) array() (stream.Value, bool) {
	c.sort()
	var items []stream.Value
	for _, v := range c.values {
		items = append(items, v[0].Items()...)
	}
	array := stream.Nested(c.of.Type, items...)
	return array, len(array.S) <= function.TextBytesMax
}

// extremeBy keeps the value of the first row with the least or greatest other value.
type extremeBy struct {
	kept, by stream.Value
	greatest bool
	some     bool
}

func (x *extremeBy) add(v, by stream.Value) {
	if !x.some || x.greatest && compare(by, x.by) > 0 || !x.greatest && compare(by, x.by) < 0 {
		x.kept, x.by, x.some = v, by, true
	}
}

func (x *extremeBy) result() (stream.Value, bool) { return x.kept, true }

// quantiles keeps all values and finds their buckets at the end.
type quantiles struct {
	p      float64
	values []float64
}

func (q *quantiles) add(v, _ stream.Value) { q.values = append(q.values, v.F) }

// bucket is the number of the bucket of a positive finite value.
func bucket(x float64) int {
	fraction, exponent := math.Frexp(x) // x = fraction * 2^exponent, 1/2 <= fraction < 1
	const each = 1 << function.QuantileBits
	return (exponent+1074)*each + int(math.Floor((2*fraction-1)*each))
}

func middle(bucket int) float64 {
	const each = 1 << function.QuantileBits
	return math.Ldexp(0.5+(float64(bucket%each)+0.5)/(2*each), bucket/each-1074)
}

func (q *quantiles) result() (stream.Value, bool) {
	n := len(q.values)
	if n == 0 {
		return stream.NullOf(stream.Double), true
	}
	slices.SortFunc(q.values, func(a, b float64) int { return compare(stream.Dbl(a), stream.Dbl(b)) })
	v := q.values[max(int(math.Ceil(q.p*float64(n))), 1)-1]
	if v == 0 {
		return stream.Dbl(0), true
	}
	if !isFinite(v) {
		return stream.Dbl(v), true
	}
	// The buckets that are apart begin below the greatest finite value of this sign.
	top, low, high := 0, math.Inf(1), math.Inf(-1)
	for _, x := range q.values {
		if !isFinite(x) {
			continue
		}
		low, high = min(low, x), max(high, x)
		if x*v > 0 || x != 0 && math.Signbit(x) == math.Signbit(v) {
			top = max(top, bucket(math.Abs(x)))
		}
	}
	estimate := middle(max(bucket(math.Abs(v)), top-function.QuantileBuckets+1))
	return stream.Dbl(max(low, min(high, math.Copysign(estimate, v)))), true
}

// comoment is a covariance or correlation, from exact sums; NaN where a plain sum of
// squares is not finite.
type comoment struct {
	f              model.AggFunc
	n              int64
	x, y           *big.Float
	xx, xy, yy     *big.Float
	plainX, plainY float64
}

func (c *comoment) add(v, by stream.Value) {
	if c.n++; c.n == 1 {
		c.x, c.y, c.xx, c.xy, c.yy = exactly(), exactly(), exactly(), exactly(), exactly()
	}
	c.plainX += v.F * v.F
	c.plainY += by.F * by.F
	if !isFinite(c.plainX) || !isFinite(c.plainY) {
		return
	}
	x, y := exactly().SetFloat64(v.F), exactly().SetFloat64(by.F)
	c.x.Add(c.x, x)
	c.y.Add(c.y, y)
	c.xx.Add(c.xx, exactly().Mul(x, x))
	c.xy.Add(c.xy, exactly().Mul(x, y))
	c.yy.Add(c.yy, exactly().Mul(y, y))
}

// deviation is n times a sum of products less the product of the sums, rounded once.
func (c *comoment) deviation(products, a, b *big.Float) float64 {
	left := exactly().Mul(exactly().SetInt64(c.n), products)
	d, _ := left.Sub(left, exactly().Mul(a, b)).Float64()
	return d
}

func (c *comoment) result() (stream.Value, bool) {
	if c.n == 0 || c.n == 1 && c.f == model.CovarSamp {
		return stream.NullOf(stream.Double), true
	}
	if !isFinite(c.plainX) || !isFinite(c.plainY) {
		return stream.Dbl(math.NaN()), true
	}
	d, n := c.deviation(c.xy, c.x, c.y), float64(c.n)
	switch c.f {
	case model.CovarPop:
		return stream.Dbl(d / (n * n)), true
	case model.CovarSamp:
		return stream.Dbl(d / (n * (n - 1))), true
	}
	below := math.Sqrt(c.deviation(c.xx, c.x, c.x)) * math.Sqrt(c.deviation(c.yy, c.y, c.y))
	if below == 0 {
		return stream.NullOf(stream.Double), true
	}
	return stream.Dbl(max(-1, min(1, d/below))), true
}
