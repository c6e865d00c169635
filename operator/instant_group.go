package operator

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// instantGroups are the groups of a per-instant aggregate in one lane. Rows come and
// go with their instant; when an instant is over, the groups it touched show their new
// row, and the one shown before vanishes.
//
// Counts and integer sums follow by adding and subtracting. Whatever that cannot do
// exactly - float sums, extremes, DISTINCT - is computed anew, from the rows of the
// group in their order, when the group was touched.
type instantGroups struct {
	op       *model.Operator
	aggs     []instantAgg
	keys     int  // columns of a row that are keys
	ordered  bool // groups keep their rows
	byKey    map[string]*instantGroup
	last     *instantGroup // found last: a row's pairs are often of one group
	touched  []*instantGroup
	now      int32
	came     *changes // keys and arguments of rows
	went     *changes
	plus     *changes // groups' rows
	minus    *changes
	errors   []laneError
	after    *Chain
	scratch  *ChainScratch
	keyBytes []byte

	sizeBytes int64
}

// instantAgg is an aggregate; column is that of its argument among a row's columns, -1
// for COUNT(*), and that of a second one follows it.
type instantAgg struct {
	model.Agg
	column  int
	argType stream.Type
}

// exact reports whether the aggregate follows by adding and subtracting.
func (a *instantAgg) exact() bool {
	return !a.Distinct && (a.Func == model.Count || (a.Func == model.Sum || a.Func == model.Avg) && !a.argType.IsFloat() && !a.argType.IsDecimal())
}

// instantGroup is one group. A group without rows is forgotten, but for the one of an
// aggregate without keys.
type instantGroup struct {
	name     string
	rows     int64
	sums     []intSum // by aggregate; n counts values
	keys     []stream.Value
	entries  []groupEntry // ordered groups: the rows, by order
	shown    []stream.Value
	overflow bool // the row it should show is out of range
	touched  bool
}

// groupEntry is a row of a group: its order and its keys and arguments.
type groupEntry struct {
	a, b   int64
	values []stream.Value
}

const groupBytes, groupValueBytes = 160, 56 // about what a group and a value in it occupy

// newInstantGroups prepares an aggregate whose input rows are keys, then arguments.
func newInstantGroups(op *model.Operator, input *stream.Schema, after *Chain) *instantGroups {
	a := op.Aggregate
	g := &instantGroups{op: op, keys: len(a.Keys), byKey: map[string]*instantGroup{}, now: -1, after: after}
	column := g.keys
	for _, agg := range a.Aggs {
		x := instantAgg{Agg: agg, column: -1}
		if n := len(arguments(&agg)); n > 0 {
			x.column, x.argType = column, input.Fields[column].Type
			column += n
		}
		g.ordered = g.ordered || !x.exact()
		g.aggs = append(g.aggs, x)
	}
	for _, k := range a.Keys {
		g.ordered = g.ordered || k.Type.IsFloat() // -0 and 0 are one group, which shows its first row's
	}
	g.came, g.went = newChanges(input, nil, nil), newChanges(input, nil, nil)
	g.plus, g.minus = newChanges(op.Relation.Schema, nil, nil), newChanges(op.Relation.Schema, nil, nil)
	g.scratch = after.NewScratch()
	return g
}

func (g *instantGroups) incoming(gone bool) *changes {
	if gone {
		return g.went
	}
	return g.came
}

func (c *changes) reset() {
	clearBatch(c.rows)
	c.instant, c.a, c.b = c.instant[:0], c.a[:0], c.b[:0]
}

// begin makes the only group of an aggregate without keys show its row at instant k.
func (g *instantGroups) begin(k int32) {
	if g.keys == 0 {
		g.now = k
		g.touch(g.group(nil, 0))
	}
}

// apply takes the rows that came and went, instant by instant.
func (g *instantGroups) apply() {
	i, j := 0, 0
	for i < len(g.went.instant) || j < len(g.came.instant) {
		k := int32(-1)
		if i < len(g.went.instant) {
			k = g.went.instant[i]
		}
		if j < len(g.came.instant) && (k < 0 || g.came.instant[j] < k) {
			k = g.came.instant[j]
		}
		if k != g.now {
			g.close()
			g.now = k
		}
		for ; i < len(g.went.instant) && g.went.instant[i] == k; i++ {
			g.change(g.went, i, -1)
		}
		for ; j < len(g.came.instant) && g.came.instant[j] == k; j++ {
			g.change(g.came, j, 1)
		}
	}
	g.came.reset()
	g.went.reset()
}

// group returns the group of row i's keys.
func (g *instantGroups) group(rows *stream.Batch, i int) *instantGroup {
	g.keyBytes = g.keyBytes[:0]
	for c := range g.keys {
		g.keyBytes = appendKeyValue(g.keyBytes, &rows.Cols[c], i)
	}
	if g.last != nil && g.last.name == string(g.keyBytes) {
		return g.last
	}
	if x := g.byKey[string(g.keyBytes)]; x != nil {
		g.last = x
		return x
	}
	x := &instantGroup{name: string(g.keyBytes), sums: make([]intSum, len(g.aggs))}
	for c := range g.keys {
		x.keys = append(x.keys, rows.Cols[c].Value(i))
	}
	g.byKey[x.name], g.last = x, x
	g.sizeBytes += groupBytes + int64(len(g.keyBytes))
	return x
}

func (g *instantGroups) touch(x *instantGroup) {
	if !x.touched {
		x.touched = true
		g.touched = append(g.touched, x)
	}
}

// change adds (sign 1) or takes (-1) a row.
func (g *instantGroups) change(from *changes, i int, sign int64) {
	x := g.group(from.rows, i)
	g.touch(x)
	x.rows += sign
	for k := range g.aggs {
		if a := &g.aggs[k]; a.exact() && a.column >= 0 {
			x.sums[k].change(&from.rows.Cols[a.column], i, sign, a.Func != model.Count)
		}
	}
	if !g.ordered {
		return
	}
	at, _ := slices.BinarySearchFunc(x.entries, groupEntry{a: from.a[i], b: from.b[i]}, func(p, q groupEntry) int {
		if p.a != q.a {
			return compareInts(p.a, q.a)
		}
		return compareInts(p.b, q.b)
	})
	width := int64(len(from.rows.Cols))
	g.sizeBytes += sign * groupValueBytes * width
	if sign < 0 {
		x.entries = slices.Delete(x.entries, at, at+1)
		return
	}
	x.entries = slices.Insert(x.entries, at, groupEntry{from.a[i], from.b[i], from.rows.Row(i)})
}

func compareInts(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// change adds or takes a value, counting it only or summing it too.
func (s *intSum) change(c *stream.Column, i int, sign int64, sum bool) {
	if c.IsNull(i) {
		return
	}
	one := intSum{n: 1}
	if sum {
		v := int64(hashValue(c, i)) // the number itself, for integers
		one.lo, one.hi = uint64(v), v>>63
	}
	if sign > 0 {
		*s = s.plus(one)
	} else {
		*s = s.minus(one)
	}
}

// close ends the instant: the touched groups show what they have become.
func (g *instantGroups) close() {
	for _, x := range g.touched {
		x.touched = false
		var row []stream.Value
		if x.rows > 0 || g.keys == 0 {
			reason := ""
			if row, reason = g.result(x); reason != "" {
				if !x.overflow {
					g.errors = append(g.errors, laneError{g.now, g.overflow(row, reason)})
				}
				row = nil
			}
			x.overflow = reason != ""
		} else {
			delete(g.byKey, x.name)
			if g.last == x {
				g.last = nil
			}
			g.sizeBytes -= groupBytes + int64(len(x.name))
		}
		if row != nil && x.shown != nil && sameShown(row, x.shown) {
			continue
		}
		g.show(g.minus, x.shown)
		g.show(g.plus, row)
		x.shown = row
	}
	g.touched = g.touched[:0]
}

func (g *instantGroups) show(to *changes, row []stream.Value) {
	if row != nil {
		to.rows.AppendRow(row)
		to.instant = append(to.instant, g.now)
	}
}

// sameShown reports whether two rows look the same; -0 and 0 do not.
func sameShown(a, b []stream.Value) bool {
	return slices.EqualFunc(a, b, func(x, y stream.Value) bool {
		return x.Null == y.Null && (x.Null || x == y || x.Type.IsFloat() && x.String() == y.String())
	})
}

func (g *instantGroups) overflow(row []stream.Value, reason string) ErrorRow {
	b := stream.NewBatch(g.op.Relation.Schema, nil)
	b.AppendRow(row)
	columns := make([]int, g.keys)
	for i := range columns {
		columns[i] = i
	}
	return ErrorRow{Op: g.op.ID, Reason: reason, Record: RecordJSON(b.Schema, columns, b.Cols, 0)}
}

// finish shows the last instant's groups and sends all rows shown through the steps
// behind the aggregate.
func (g *instantGroups) finish(out *laneResult) error {
	g.close()
	g.now = -1
	out.errors = append(out.errors, g.errors...)
	g.errors = g.errors[:0]
	out.errors = append(out.errors, g.behind(g.plus, out.plus)...)
	g.behind(g.minus, out.minus)
	return nil
}

func (g *instantGroups) behind(from, to *changes) (failed []laneError) {
	s := g.scratch
	for at := 0; at < from.rows.Len; at += ChunkRows {
		s.load(g.after, from.rows, at, min(at+ChunkRows, from.rows.Len), at)
		g.after.runChunk(s)
		for _, f := range s.errors {
			failed = append(failed, laneError{from.instant[f.pos], f.row})
		}
		s.errors = s.errors[:0]
		c := &s.chunk
		if c.Len == 0 {
			continue
		}
		c.AppendTo(to.rows, 0, c.Len)
		pos := c.Positions()
		for k := range to.keys.Cols {
			to.keys.Cols[k].AppendSelected(&from.rows.Cols[k], pos, to.keys.Len)
		}
		to.keys.Len += c.Len
		for _, p := range pos {
			to.instant = append(to.instant, from.instant[p])
		}
	}
	from.reset()
	return failed
}
