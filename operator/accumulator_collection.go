package operator

import (
	"math"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Aggregates that need all their values keep them, in order of rows, until a result is put
// out: STRING_AGG, ARRAY_AGG, PERCENTILE_CONT and PERCENTILE_DISC. Values of a pane are in many partial
// results of a sliding window at once, so a collection is a tree: what adding rows made is a
// leaf, what combining made is a node above the two, which it shares.
//
//  1. Only a leaf that no node refers to grows (folding.add); everything else stays as it is.
//  2. weight is the sum of its values' weights. A collection that weighs more than
//     collections.most keeps nothing but that: it has no result, and neither has anything it
//     is part of, for weights only grow.
//  3. The leaves of a collection, left to right, have its values in order of rows.

// gathered is a collection that has values.
type gathered struct {
	left, right *gathered // of a node
	leaf        *leaf
	weight      int
	over        bool
}

// collection is nil without values.
type collection = *gathered

// leaf has values: joined if the order of rows is that of the result, else one by one.
type leaf struct {
	text       []byte // every value behind what stands between; of arrays their elements
	values, by stream.Column
	n          int // values in the columns
}

// collections is the kind of a collection.
type collections struct {
	t       stream.Type
	by      stream.Type // what the values are ordered by; Invalid: nothing
	joins   bool
	end     int // bytes behind the elements of an array; 0 for texts
	between string
	order   model.SortKey
	most    int // weight
}

func newCollections(g *model.Agg, t stream.Type) collections {
	if !g.Func.Orders() {
		return collections{t: t, most: function.PercentileValuesMax}
	}
	k := collections{t: t, joins: true, order: model.SortKey{Descending: g.Descending, NullsFirst: g.NullsFirst}}
	if g.Func == model.ArrayAgg {
		k.end = len(stream.EndArray(nil))
	} else {
		k.between = g.Params[0].S
	}
	k.most = function.TextBytesMax + len(k.between) - k.end
	if g.By != nil {
		k.by = g.By.Type
	}
	return k
}

func (k collections) add(s *collection, c, by *stream.Column, i int) {
	if *s == nil {
		*s = &gathered{leaf: &leaf{}}
		(*s).leaf.values.Reset(k.t)
		(*s).leaf.by.Reset(k.by)
	}
	g, weight := *s, 1
	if g.over {
		return
	}
	var text []byte
	if k.joins {
		text = c.Text(i)
		text = text[:len(text)-k.end]
		weight = len(text) + len(k.between)
	}
	if g.weight += weight; g.weight > k.most {
		*g = gathered{over: true}
		return
	}
	switch l := g.leaf; {
	case weight == 0: // an empty text changes no result but that of no values
	case k.joins && k.by == stream.Invalid:
		l.text = append(append(l.text, k.between...), text...)
	default:
		l.values.AppendFrom(c, i, l.n)
		if k.by != stream.Invalid {
			l.by.AppendFrom(by, i, l.n)
		}
		l.n++
	}
}

func (k collections) plus(a, b collection) collection {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.over || b.over || a.weight+b.weight > k.most:
		return &gathered{over: true}
	}
	return &gathered{left: a, right: b, weight: a.weight + b.weight}
}

// leaves calls f for every leaf, in order. Trees are as deep as there were panes.
func (g *gathered) leaves(f func(*leaf)) {
	for pending := []*gathered{g}; len(pending) > 0; {
		n := len(pending) - 1
		g, pending = pending[n], pending[:n]
		if g.leaf != nil {
			f(g.leaf)
		} else if !g.over {
			pending = append(pending, g.right, g.left)
		}
	}
}

func (k collections) fits(s *collection) bool { return *s == nil || !(*s).over }

func (k collections) put(g *model.Agg, c *stream.Column, at int, s *collection) {
	switch {
	case *s == nil || (*s).over:
		if *s == nil {
			setNull(c, at)
		}
		putValue(c, at, stream.Value{Type: k.t})
	case k.joins && k.by == stream.Invalid:
		cut := len(k.between)
		(*s).leaves(func(l *leaf) {
			c.Bytes = append(c.Bytes, l.text[min(cut, len(l.text)):]...)
			cut -= min(cut, len(l.text))
		})
		k.close(c)
	case k.joins:
		for i, v := range k.ordered(*s) {
			if i > 0 {
				c.Bytes = append(c.Bytes, k.between...)
			}
			c.Bytes = append(c.Bytes, v[:len(v)-k.end]...)
		}
		k.close(c)
	case k.t == stream.Double:
		c.F64[at] = percentileOf(g, (*s).floats())
	default:
		putValue(c, at, percentileDisc(g.Params[0].F, (*s).all(), compareValues))
	}
}

// close ends a text or an array behind its last value.
func (k collections) close(c *stream.Column) {
	if k.end > 0 {
		c.Bytes = stream.EndArray(c.Bytes)
	}
	c.Off = append(c.Off, int32(len(c.Bytes)))
}

// all returns the values.
func (g *gathered) all() (out []stream.Value) {
	g.leaves(func(l *leaf) {
		for i := range l.n {
			out = append(out, l.values.Value(i))
		}
	})
	return out
}

func (g *gathered) floats() []float64 {
	out := make([]float64, 0, g.weight)
	g.leaves(func(l *leaf) { out = append(out, l.values.F64...) })
	return out
}

// ordered returns the texts in the order of what they are by.
func (k collections) ordered(g *gathered) []string {
	type entry struct {
		text string
		by   stream.Value
	}
	var entries []entry
	g.leaves(func(l *leaf) {
		for i := range l.n {
			entries = append(entries, entry{string(l.values.Text(i)), l.by.Value(i)})
		}
	})
	slices.SortStableFunc(entries, func(a, b entry) int {
		switch {
		case a.by.Null && b.by.Null:
			return 0
		case a.by.Null == b.by.Null && k.order.Descending:
			return compareValues(b.by, a.by)
		case a.by.Null == b.by.Null:
			return compareValues(a.by, b.by)
		case a.by.Null == k.order.NullsFirst:
			return -1
		}
		return 1
	})
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.text
	}
	return out
}

// percentileDisc is the first value that at least a share p of the values are not behind.
func percentileDisc[T any](p float64, values []T, compare func(a, b T) int) T {
	slices.SortFunc(values, compare)
	return values[max(int(math.Ceil(p*float64(len(values)))), 1)-1]
}

// percentileOf is PERCENTILE_CONT or PERCENTILE_DISC; -0 is 0.
func percentileOf(g *model.Agg, values []float64) float64 {
	if g.Func == model.PercentileDisc {
		return percentileDisc(g.Params[0].F, values, compareFloats) + 0
	}
	slices.SortFunc(values, compareFloats)
	place := float64(g.Params[0].F * float64(len(values)-1))
	below := math.Floor(place)
	low, high := values[int(below)], values[int(math.Ceil(place))]
	if compareFloats(low, high) == 0 {
		return low + 0
	}
	return low + float64((high-low)*(place-below))
}

func (k collections) write(w *state.Writer, s *collection) {
	w.Bool(*s != nil)
	if *s == nil {
		return
	}
	g := *s
	w.Bool(g.over)
	w.Int(int64(g.weight))
	var text []byte
	n := 0
	g.leaves(func(l *leaf) {
		text = append(text, l.text...)
		n += l.n
	})
	w.Text(string(text))
	w.Int(int64(n))
	g.leaves(func(l *leaf) {
		for i := range l.n {
			w.Value(l.values.Value(i))
			if k.by != stream.Invalid {
				w.Value(l.by.Value(i))
			}
		}
	})
}

func (k collections) read(r *state.Reader, s *collection) {
	*s = nil
	if !r.Bool() {
		return
	}
	g := &gathered{over: r.Bool(), weight: int(r.Int())}
	l := &leaf{text: []byte(r.Text())}
	l.values.Reset(k.t)
	l.by.Reset(k.by)
	for n := r.Count(1); l.n < n && r.Err() == nil; l.n++ {
		l.values.AppendValue(r.Value(), l.n)
		if k.by != stream.Invalid {
			l.by.AppendValue(r.Value(), l.n)
		}
	}
	if !g.over {
		g.leaf = l
	}
	*s = g
}

func (k collections) slotBytes() int { return 8 }

// collectionBytes is about what a collection occupies beside its values.
const collectionBytes = 256

func (k collections) heldBytes(s *collection) int64 {
	if *s == nil {
		return 0
	}
	return collectionBytes + int64((*s).weight*max(k.t.Width(), 1))
}
