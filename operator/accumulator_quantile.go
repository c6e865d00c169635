package operator

import (
	"math"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// APPROX_PERCENTILE is DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable
// quantile sketch with relative-error guarantees", VLDB 2019) with its linearly interpolated
// buckets: a power of two has 2^QuantileBits of equal width, so a bucket's number is the
// leading bits of a float. A bucket's middle is at most a share of 1/128 off its values.
//
// Of each sign QuantileBuckets are kept, counted down from the greatest that was seen; what
// is smaller counts in the last of them. That makes the same counts of the same values in
// whatever order and parts they come: a bucket that is last for some of the values is not
// below the one that is last for all.

// quantile has how many values each bucket has, and those that no bucket is for.
type quantile struct {
	n                  int64
	zeros, low, high   int64 // of 0, -Infinity, Infinity; what is left of n are NaN
	least, most        float64
	finite             bool // least and most are the least and greatest finite value
	positive, negative buckets
}

// buckets are the counts of buckets from, from+1, .., at most QuantileBuckets.
type buckets struct {
	from   int
	counts []int64
}

// bucketOf is the number of the bucket of a positive finite value.
func bucketOf(x float64) int {
	const normal = 0x1p-1022
	if x < normal {
		fraction, exponent := math.Frexp(x)
		return (exponent+1074)<<function.QuantileBits + int((2*fraction-1)*(1<<function.QuantileBits))
	}
	return int(math.Float64bits(x)>>(52-function.QuantileBits)) + 52<<function.QuantileBits
}

// bucketMiddle is the value that stands for those of a bucket.
func bucketMiddle(bucket int) float64 {
	place := float64(bucket&(1<<function.QuantileBits-1)) + 0.5
	return math.Ldexp(1+place/(1<<function.QuantileBits), bucket>>function.QuantileBits-1075)
}

func (b *buckets) add(bucket int, n int64) {
	if len(b.counts) == 0 {
		b.from, b.counts = bucket, append(b.counts, n)
		return
	}
	top := b.from + len(b.counts) - 1
	if bucket > top {
		b.raise(bucket)
	} else if bucket = max(bucket, top-function.QuantileBuckets+1); bucket < b.from {
		b.counts = slices.Insert(b.counts, 0, make([]int64, b.from-bucket)...)
		b.from = bucket
	}
	b.counts[bucket-b.from] += n
}

// raise makes room for a bucket above all.
func (b *buckets) raise(bucket int) {
	if from := bucket - function.QuantileBuckets + 1; from > b.from {
		drop, rest := min(from-b.from, len(b.counts)), int64(0)
		for _, n := range b.counts[:drop] {
			rest += n
		}
		b.counts = append(b.counts[:0], b.counts[drop:]...)
		if b.from = from; len(b.counts) == 0 {
			b.counts = append(b.counts, 0)
		}
		b.counts[0] += rest
	}
	for len(b.counts) <= bucket-b.from {
		b.counts = append(b.counts, 0)
	}
}

func (b *buckets) plus(o buckets) buckets {
	if len(o.counts) == 0 {
		return buckets{b.from, slices.Clone(b.counts)}
	}
	out := buckets{o.from, slices.Clone(o.counts)}
	for i, n := range slices.Backward(b.counts) {
		if n > 0 {
			out.add(b.from+i, n)
		}
	}
	return out
}

// quantiles is the kind; a sketch without values is nil.
type quantiles struct{}

func (quantiles) add(s **quantile, c, _ *stream.Column, i int) {
	if *s == nil {
		*s = &quantile{}
	}
	q, x := *s, c.F64[i]
	q.n++
	switch {
	case x != x:
		return
	case x > math.MaxFloat64:
		q.high++
		return
	case x < -math.MaxFloat64:
		q.low++
		return
	case x == 0:
		x = 0
		q.zeros++
	case x > 0:
		q.positive.add(bucketOf(x), 1)
	default:
		q.negative.add(bucketOf(-x), 1)
	}
	q.extend(x, x)
}

func (q *quantile) extend(least, most float64) {
	if !q.finite {
		q.least, q.most, q.finite = least, most, true
		return
	}
	q.least, q.most = min(q.least, least), max(q.most, most)
}

func (quantiles) plus(a, b *quantile) *quantile {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	out := &quantile{n: a.n + b.n, zeros: a.zeros + b.zeros, low: a.low + b.low, high: a.high + b.high, least: a.least, most: a.most, finite: a.finite}
	if b.finite {
		out.extend(b.least, b.most)
	}
	out.positive, out.negative = a.positive.plus(b.positive), a.negative.plus(b.negative)
	return out
}

func (quantiles) put(g *model.Agg, c *stream.Column, at int, s **quantile) {
	if c.F64[at] = 0; *s == nil {
		setNull(c, at)
		return
	}
	c.F64[at] = (*s).value(g.Params[0].F)
}

// value is about that which a share p of the values are not greater than.
func (q *quantile) value(p float64) float64 {
	left := max(int64(math.Ceil(p*float64(q.n))), 1) - q.low // counted off, from the least value on
	if left <= 0 {
		return math.Inf(-1)
	}
	for i, n := range slices.Backward(q.negative.counts) {
		if left -= n; left <= 0 {
			return q.within(-bucketMiddle(q.negative.from + i))
		}
	}
	if left -= q.zeros; left <= 0 {
		return 0
	}
	for i, n := range q.positive.counts {
		if left -= n; left <= 0 {
			return q.within(bucketMiddle(q.positive.from + i))
		}
	}
	if left -= q.high; left <= 0 {
		return math.Inf(1)
	}
	return math.NaN()
}

func (q *quantile) within(x float64) float64 { return max(q.least, min(q.most, x)) }

func (quantiles) write(w *state.Writer, s **quantile) {
	w.Bool(*s != nil)
	if *s == nil {
		return
	}
	q := *s
	for _, n := range []int64{q.n, q.zeros, q.low, q.high} {
		w.Int(n)
	}
	w.Bool(q.finite)
	w.Float(q.least)
	w.Float(q.most)
	for _, b := range []*buckets{&q.positive, &q.negative} {
		w.Int(int64(b.from))
		w.Int(int64(len(b.counts)))
		for _, n := range b.counts {
			w.Int(n)
		}
	}
}

func (quantiles) read(r *state.Reader, s **quantile) {
	*s = nil
	if !r.Bool() {
		return
	}
	q := &quantile{n: r.Int(), zeros: r.Int(), low: r.Int(), high: r.Int(), finite: r.Bool(), least: r.Float(), most: r.Float()}
	for _, b := range []*buckets{&q.positive, &q.negative} {
		b.from = int(r.Int())
		for n := r.Count(1); len(b.counts) < n && r.Err() == nil; {
			b.counts = append(b.counts, r.Int())
		}
	}
	*s = q
}

func (quantiles) slotBytes() int { return 8 }

func (quantiles) heldBytes(s **quantile) int64 {
	if *s == nil {
		return 0
	}
	return collectionBytes + int64(8*(cap((*s).positive.counts)+cap((*s).negative.counts)))
}
