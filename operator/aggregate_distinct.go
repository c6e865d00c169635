package operator

import (
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// distinctPlan is what DISTINCT aggregates of one argument share.
type distinctPlan struct {
	column int // of the chain
	t      stream.Type
	sums   bool        // SUM or AVG is among them
	kept   accumulator // an empty one of another aggregate; nil for COUNT, SUM and AVG
}

// placeSet finds or makes the set of a DISTINCT call.
func (a *aggregate) placeSet(g *model.Agg, column int, t stream.Type) (int, error) {
	kept, err := newAccumulator(g, t)
	if err != nil {
		return -1, err
	}
	if g.Func.Basic() {
		kept = nil
	}
	at := slices.IndexFunc(a.sets, func(s distinctPlan) bool {
		return s.column == column && (kept == nil) == (s.kept == nil) && (kept == nil || sameKind(kept, s.kept))
	})
	if at < 0 {
		at = len(a.sets)
		a.sets = append(a.sets, distinctPlan{column: column, t: t, kept: kept})
	}
	a.sets[at].sums = a.sets[at].sums || g.Func != model.Count
	return at, nil
}

// total returns an empty accumulator of a group's distinct values.
func (p distinctPlan) total() accumulator {
	switch {
	case p.kept != nil:
		return p.kept.fresh()
	case !p.sums:
		return &counts{}
	case p.t.IsFloat():
		return &floatSums{}
	case p.t.IsDecimal():
		return &decimalSums{t: p.t}
	default:
		return &intSums{}
	}
}

// distinctFragment is the distinct values of each entry of a fragment, NULLs left out,
// in order of first appearance.
type distinctFragment struct {
	entries []int32 // ascending
	values  stream.Column
}

func (d *distinctFragment) reset() {
	d.entries = d.entries[:0]
	d.values.Reset(d.values.Type)
}

// pairs numbers (group, value) pairs: which group is a matter of its user.
type pairs struct {
	keys  *keySet
	index *groupIndex
	coder keyCoder
	cols  [2]stream.Column
	ids   []int32
}

func (p *pairs) init(t stream.Type) {
	l := newKeyLayout([]stream.Type{stream.Integer, t})
	p.keys, p.index = newKeySet(&l), newGroupIndex()
}

func (p *pairs) reset() {
	p.keys.reset()
	p.index.reset()
}

// lookup returns the ids of pairs, adding those that are new. The slice is valid until
// the next call.
func (p *pairs) lookup(groups []int32, values *stream.Column) []int32 {
	p.cols[0] = stream.Column{Type: stream.Integer, I32: groups}
	p.cols[1] = *values
	p.ids = resizeRaw(p.ids, len(groups))
	p.index.ids(p.keys, &p.coder, p.cols[:], len(groups), p.ids)
	return p.ids
}

// distinctScratch finds the distinct values of a task's entries.
type distinctScratch struct {
	pairs
	slots  []int32
	values stream.Column
}

// add takes in a chunk: row i belongs to entry slots[i].
func (d *distinctScratch) add(f *distinctFragment, slots []int32, values *stream.Column) {
	if values.Valid != nil {
		slots, values = d.dense(slots, values)
	}
	known := int32(d.keys.n)
	for i, id := range d.lookup(slots, values) {
		if id == known {
			known++
			f.values.AppendFrom(values, i, len(f.entries))
			f.entries = append(f.entries, slots[i])
		}
	}
}

// dense leaves out NULLs.
func (d *distinctScratch) dense(slots []int32, values *stream.Column) ([]int32, *stream.Column) {
	d.slots = d.slots[:0]
	d.values.Reset(values.Type)
	for i, s := range slots {
		if values.Valid.Get(i) {
			d.values.AppendFrom(values, i, len(d.slots))
			d.slots = append(d.slots, s)
		}
	}
	return d.slots, &d.values
}

// distinctState is the distinct values of the resident groups: every pair once with
// the number of panes that have it, and per group their count and sum, which change
// when a pair comes or leaves the last pane. Counts and 128-bit sums are exact both
// ways; sums of floats and what cannot subtract are made anew for each window (recount).
type distinctState struct {
	plan distinctPlan
	pairs
	panes []int32 // by pair: live panes that have it
	last  []int64 // by pair: sequence number of its latest entry in log
	log   []int32 // pairs of the live panes, oldest pane first
	from  []int64 // per live pane: sequence number of its first entry
	base  int64   // entries dropped from log so far
	total accumulator
	zero  accumulator // empty groups, to join total with
	seen  stream.Bitmap
	group []int32
	again stream.Column // values that are taken once more
}

func (d *distinctState) start(plan distinctPlan) {
	d.plan, d.total, d.zero = plan, plan.total(), plan.total()
	d.pairs.init(plan.t)
}

func (d *distinctState) clear() {
	d.pairs.reset()
	d.log, d.from, d.base = d.log[:0], d.from[:0], 0
	d.panes, d.last = d.panes[:0], d.last[:0]
	d.total.resize(0)
}

// open begins a pane.
func (d *distinctState) open() { d.from = append(d.from, d.base+int64(len(d.log))) }

// add takes the pairs of a fragment's pane, whose entries first.. belong to the given
// groups. groupCount is the number of resident groups.
func (d *distinctState) add(groups []int32, values *stream.Column, groupCount int) {
	d.total.resize(groupCount)
	opened := d.from[len(d.from)-1]
	for _, id := range d.lookup(groups, values) {
		if n := d.keys.n; n > len(d.panes) {
			d.panes, d.last = resizeSlots(d.panes, n), resizeSlots(d.last, n)
		}
		if d.panes[id] > 0 && d.last[id] >= opened {
			continue
		}
		d.last[id] = d.base + int64(len(d.log))
		d.log = append(d.log, id)
		if d.panes[id]++; d.panes[id] == 1 {
			d.change(id, 1)
		}
	}
}

// evict forgets the oldest pane.
func (d *distinctState) evict() {
	next := d.base + int64(len(d.log))
	if len(d.from) > 1 {
		next = d.from[1]
	}
	n := int(next - d.from[0])
	at := int(d.from[0] - d.base)
	for _, id := range d.log[at : at+n] {
		if d.panes[id]--; d.panes[id] == 0 {
			d.change(id, -1)
			d.index.remove(d.keys.word[id], id)
			d.keys.remove(id)
		}
	}
	d.from = dropSlots(d.from, 1)
	if dead := at + n; 2*dead >= len(d.log) {
		d.log = dropSlots(d.log, dead)
		d.base += int64(dead)
		if d.keys.layout.form == byteKey {
			d.keys.tidy(d.live())
		}
	}
}

// live returns the pairs that are in a pane.
func (d *distinctState) live() []int32 {
	var out []int32
	for id, n := range d.panes {
		if n > 0 {
			out = append(out, int32(id))
		}
	}
	return out
}

// change adds (by 1) or removes (by -1) a pair's value in the total of its group.
func (d *distinctState) change(id int32, by int64) {
	group := d.keys.cols[0].I32[id]
	switch t := d.total.(type) {
	case *counts:
		t.n[group] += by
	case *decimalSums:
		one := decimalSum{}
		one.add(d.keys.value(1, id).Decimal())
		if by > 0 {
			t.s[group] = t.s[group].plus(one)
		} else {
			t.s[group] = t.s[group].minus(one)
		}
	case *intSums:
		one := intSum{}
		one.add(intValue(&d.keys.cols[1], id))
		if by > 0 {
			t.s[group] = t.s[group].plus(one)
		} else {
			t.s[group] = t.s[group].minus(one)
		}
	}
}

func intValue(c *stream.Column, i int32) int64 {
	if c.Type.Storage() == stream.Integer {
		return int64(c.I32[i])
	}
	return c.I64[i]
}

// recount makes the totals that do not follow their pairs for the window that is to be put
// out: each pair once, in the order of the panes.
func (d *distinctState) recount(groupCount int) {
	d.total.resize(groupCount)
	d.zero.resize(groupCount)
	if _, floats := d.total.(*floatSums); !floats && d.plan.kept == nil || len(d.from) == 0 {
		return
	}
	d.total.resize(0)
	d.total.resize(groupCount)
	d.seen = resizeSlots(d.seen[:0], stream.WordsFor(d.keys.n))
	d.group = d.group[:0]
	d.again.Reset(d.plan.t)
	group, values := d.keys.cols[0].I32, &d.keys.cols[1]
	for _, id := range d.log[d.from[0]-d.base:] {
		if d.seen.Get(int(id)) {
			continue
		}
		d.seen.Set(int(id))
		if floats, ok := d.total.(*floatSums); ok && values.Type == stream.Real {
			floats.s[group[id]].add(float64(values.F32[id]))
		} else if ok {
			floats.s[group[id]].add(values.F64[id])
		} else {
			d.again.AppendValue(d.keys.value(1, id), len(d.group))
			d.group = append(d.group, group[id])
		}
	}
	if d.plan.kept != nil {
		d.total.(interface{ second(*stream.Column) }).second(&d.again)
		d.total.add(d.group, &d.again)
	}
}
