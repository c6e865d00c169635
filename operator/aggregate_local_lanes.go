package operator

import (
	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// laneTable holds the live groups of local windows where there are no more than a
// register's lanes. A slide then has many rows of each group, and windows have a few rows:
// what costs is not the values but the way from a row to its group's sum and from a group
// to its row out.
//
//	id        0    1    2    3        panes   [ sums | rows | first ] [ .. ] [ .. ]
//	sum     +40  +12   +7    0                  added when it closes, subtracted when it leaves
//	order     2    0    1             live groups in the order in which they are put out
//
// Rows are added to all sums at once, masked but for their group's (vec.SumLanes), so that
// no row waits for the store of the one before. Where that no longer fits - a ninth group,
// a NULL among the values - spill makes the general table of it, with a log of one entry
// per pane and group, and rows go on there.
//
// Invariants, between calls, while on:
//
//  1. panes[i] belongs to log.panes[i]; sum and rows are the sums over those from
//     log.first on.
//  2. order[:live] are the ids with rows > 0, in residence order (see localTable).
//  3. Of the general table only keys, log.panes, logged and the cells' scale and reach are
//     in use.
type laneTable struct {
	on    bool
	sum   [vec.Lanes]int64
	rows  [vec.Lanes]int64
	order [vec.Lanes]uint8
	live  int
	panes []lanePane
	ids   []uint8 // the chunk's
	part  vec.LaneSums
	known int // ids whose keys are in cols
	cols  []laneColumn
	zero  []int64 // values where only rows count
}

// lanePane is what a pane has of every group; First is the index in the pane.
type lanePane struct {
	vec.LaneSums
	length int32
}

// laneColumn is a key column by id.
type laneColumn struct {
	v    [vec.Lanes]int64
	null [vec.Lanes]bool
}

// beginLanes empties the table, and tells whether it is used.
func (w *localWindows) beginLanes() {
	t, p := &w.lanes, w.plan
	t.on = (p.onlySum >= 0 || p.firstSum < 0) && p.having == nil && p.peak == nil && w.a.env.Force.Group != "hash"
	if !t.on {
		return
	}
	t.live, t.known, t.panes = 0, 0, t.panes[:0]
	t.sum, t.rows = [vec.Lanes]int64{}, [vec.Lanes]int64{}
	if t.ids == nil {
		t.ids, t.cols = make([]uint8, ChunkRows+vec.LanesPad), make([]laneColumn, len(w.plan.wide))
		t.zero = make([]int64, ChunkRows)
	}
}

// laneChunk prepares the chunk's ids, or spills if the lanes cannot take its rows.
func (w *localWindows) laneChunk(n int) {
	t := &w.lanes
	for i := range w.cells {
		if w.nulls[i] != nil {
			w.spill()
			return
		}
	}
	if len(w.keys.word) > vec.Lanes {
		w.spill()
		return
	}
	vec.LaneIDs(t.ids[:n], w.chunkID[:n])
	for ; t.known < len(w.keys.word); t.known++ {
		for j := range t.cols {
			c := &t.cols[j]
			c.v[t.known], c.null[t.known] = w.keys.columns[j].value(w.keys.word[t.known])
		}
	}
}

// addLanes takes rows [lo, hi) of the chunk into the newest pane.
func (w *localWindows) addLanes(lo, hi int) {
	t, n := &w.lanes, len(w.keys.word)
	v := t.zero[:hi-lo]
	if i := w.plan.firstSum; i >= 0 {
		v = w.scaled[i][lo:hi]
	}
	pane := &t.panes[len(t.panes)-1]
	part := &pane.LaneSums
	if pane.length > 0 {
		part = &t.part
	}
	vec.SumLanes(part, t.ids[lo:hi], v, n)
	fresh := 0
	for g := range part.Rows[:n] {
		k := int64(part.Rows[g])
		if t.rows[g] == 0 && k > 0 {
			t.order[(t.live+fresh)&(vec.Lanes-1)] = uint8(g)
			fresh++
		}
		t.rows[g] += k
		t.sum[g] += part.Sum[g]
	}
	if fresh > 0 {
		sortLanes(t.order[t.live:t.live+fresh], &part.First)
		t.live += fresh
	}
	if pane.length > 0 {
		pane.merge(part, n)
	}
	pane.length += int32(hi - lo)
}

// merge adds what came behind the pane's rows so far.
func (p *lanePane) merge(part *vec.LaneSums, n int) {
	for g := range part.Rows[:n] {
		if part.Rows[g] > 0 && p.Rows[g] == 0 {
			p.First[g] = p.length + part.First[g]
		}
		p.Rows[g] += part.Rows[g]
		p.Sum[g] += part.Sum[g]
	}
}

// sortLanes sorts ids by their first rows.
func sortLanes(ids []uint8, first *[vec.Lanes]int32) {
	for i := 1; i < len(ids); i++ {
		for j := i; j > 0 && first[ids[j]&(vec.Lanes-1)] < first[ids[j-1]&(vec.Lanes-1)]; j-- {
			ids[j], ids[j-1] = ids[j-1], ids[j]
		}
	}
}

// open begins a pane.
func (t *laneTable) open() {
	n := len(t.panes)
	if n < cap(t.panes) {
		t.panes = t.panes[:n+1]
	} else {
		t.panes = append(t.panes, lanePane{})
	}
	p := &t.panes[n]
	// The lanes of groups that come later in this pane's life are not written by the first
	// SumLanes.
	p.Rows, p.Sum, p.length = [vec.Lanes]int32{}, [vec.Lanes]int64{}, 0
}

// evictLanes takes panes [from, to) off.
func (w *localWindows) evictLanes(from, to int) {
	w.leaveLanes(from, to)
	if l := &w.log; l.first == len(l.panes) {
		l.panes, l.first, w.lanes.panes = l.panes[:0], 0, w.lanes.panes[:0]
	}
}

func (w *localWindows) leaveLanes(from, to int) {
	t, n := &w.lanes, len(w.keys.word)
	left := 0
	for i := from; i < to; i++ {
		p := &t.panes[i]
		w.logged -= int(p.length)
		for g := range p.Rows[:n] {
			k := int64(p.Rows[g])
			t.rows[g] -= k
			t.sum[g] -= p.Sum[g]
			if t.rows[g] == 0 && k > 0 {
				left++
			}
		}
	}
	if left == 0 {
		return
	}
	live := 0
	for _, g := range t.order[:t.live] {
		t.order[live] = g
		if t.rows[g&(vec.Lanes-1)] > 0 {
			live++
		}
	}
	t.live = live
}

// renewLanes puts the groups in the order of their first rows.
func (w *localWindows) renewLanes() {
	t := &w.lanes
	if t.live < 2 {
		return
	}
	var placed [vec.Lanes]bool
	live := 0
	for i := w.log.first; i < len(t.panes) && live < t.live; i++ {
		at := live
		for g := range t.panes[i].Rows[:len(w.keys.word)] {
			if t.panes[i].Rows[g] > 0 && !placed[g] {
				placed[g], t.order[live&(vec.Lanes-1)] = true, uint8(g)
				live++
			}
		}
		sortLanes(t.order[at:live], &t.panes[i].First)
	}
}

// trim forgets the first n panes.
func (t *laneTable) trim(n int) { t.panes = t.panes[:copy(t.panes, t.panes[n:])] }

// spill makes the general table of what is here.
func (w *localWindows) spill() {
	t, l := &w.lanes, &w.log
	t.on = false
	values := w.plan.firstSum
	l.head, l.id, l.rows = 0, l.id[:0], l.rows[:0]
	if values >= 0 {
		l.value[values] = l.value[values][:0]
	}
	for i := range l.panes {
		l.panes[i].from = len(l.id)
		if i < l.first {
			continue
		}
		p := &t.panes[i]
		var ids [vec.Lanes]uint8
		n := 0
		for g := range p.Rows[:t.known] {
			if p.Rows[g] > 0 {
				ids[n] = uint8(g)
				n++
			}
		}
		sortLanes(ids[:n], &p.First)
		for _, g := range ids[:n] {
			l.id, l.rows = append(l.id, int32(g)), append(l.rows, p.Rows[g])
			if values >= 0 {
				l.value[values] = append(l.value[values], p.Sum[g])
			}
		}
	}
	w.moves = w.moves[:0]
	for k, g := range t.order[:t.live] {
		w.moves = append(w.moves, int32(g))
		w.localTable.pos[g] = int32(k)
	}
	w.enter(w.moves)
	for k, g := range w.moves {
		w.rows[k] = t.rows[g]
		if values >= 0 {
			w.cells[values].sum[k] = t.sum[g]
		}
	}
}

// shift makes sums finer by bits.
func (t *laneTable) shift(by uint) {
	for g := range t.sum {
		t.sum[g] <<= by
	}
	for i := range t.panes {
		for g := range t.panes[i].Sum {
			t.panes[i].Sum[g] <<= by
		}
	}
}

// putLanes writes the groups of window next.
func (w *localWindows) putLanes(bounds *carriedWindow) error {
	t := &w.lanes
	for at := 0; at < t.live; {
		b, err := w.page()
		if err != nil {
			return err
		}
		ids := t.order[at:min(t.live, at+OutputRows-b.Len)]
		w.writeLanes(b, ids, bounds)
		at += len(ids)
	}
	return nil
}

func (w *localWindows) writeLanes(b *stream.Batch, ids []uint8, bounds *carriedWindow) {
	t, at := &w.lanes, b.Len
	n := at + len(ids)
	for j := range t.cols {
		if w.a.need[j] {
			t.cols[j].write(&b.Cols[j], at, ids, w.plan.wide[j])
		}
	}
	for i := range w.plan.out {
		o := &w.plan.out[i]
		w.laneResult(o, &b.Cols[o.column], at, ids)
	}
	for _, e := range w.plan.edges {
		v := bounds[e.role]
		dst := b.Cols[e.column].I64[at:n]
		for i := range dst {
			dst[i] = v
		}
	}
	b.Len = n
}

func (c *laneColumn) write(dst *stream.Column, at int, ids []uint8, wide bool) {
	if wide {
		out := dst.I64[at : at+len(ids)]
		for k, g := range ids {
			out[k] = c.v[g&(vec.Lanes-1)]
		}
	} else {
		out := dst.I32[at : at+len(ids)]
		for k, g := range ids {
			out[k] = int32(c.v[g&(vec.Lanes-1)])
		}
	}
	if c.null == [vec.Lanes]bool{} {
		return
	}
	for k, g := range ids {
		if c.null[g&(vec.Lanes-1)] {
			setNull(dst, at+k)
		}
	}
}

// laneResult writes an aggregate of the groups.
func (w *localWindows) laneResult(o *localOut, dst *stream.Column, at int, ids []uint8) {
	t, n := &w.lanes, len(ids)
	switch {
	case o.f == model.Count:
		for k, g := range ids {
			dst.I64[at : at+n][k] = t.rows[g&(vec.Lanes-1)]
		}
	case o.f == model.Sum && !o.float:
		for k, g := range ids {
			dst.I64[at : at+n][k] = t.sum[g&(vec.Lanes-1)]
		}
	case o.f == model.Sum:
		out, unit := dst.F64[at:at+n], pow2(-w.cells[o.cell].scale)
		for k, g := range ids {
			out[k] = float64(t.sum[g&(vec.Lanes-1)]) * unit
		}
	default:
		out, unit := dst.F64[at:at+n], pow2(-w.cells[o.cell].scale)
		for k, g := range ids {
			out[k] = float64(t.sum[g&(vec.Lanes-1)]) * unit / float64(t.rows[g&(vec.Lanes-1)])
		}
	}
}
