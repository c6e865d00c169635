package operator

import (
	"math"
	"math/bits"
	"slices"

	"github.com/millrace/millrace/stream"
)

// localTable holds the live groups of one window, dense and in the order in which they
// are put out, so that putting out a window is one copy per column.
//
//	position   0 .. gapFrom-1 | gap | gapTo .. len-1
//	           live groups           live groups, then new ones are appended
//
// A key has an id that stays; pos leads from the id to the group's position. Groups
// that leave make holes; close brings all holes and the gap together again by moving
// what stands between them. Windows lose groups near where they lost the ones before
// (rows leave in the order in which they came), so little is moved.
//
// Invariants, between calls:
//
//  1. Groups stand in residence order: those of the last fresh window by first row in
//     it, the others in the order in which they came. Nothing stands in the gap.
//  2. pos[id] is the position of the group, or -1; id[pos[g]] = g.
//  3. rows[p] > 0 is the number of logged rows of the group at p; n[p] of a cell is that
//     of its values that are not NULL (nil: the same as rows); sum[p] is their exact sum
//     times 2^scale.
//  4. |sum| < 2^62: reach bounds the magnitude of a value, and the log its count.
type localTable struct {
	plan *localPlan
	keys localKeys
	pos  []int32 // by id
	dead int     // ids without a position

	id             []int32
	gapFrom, gapTo int
	cols           []denseColumn // key columns by position
	rows           []int64
	cells          []localCell

	log    localLog
	logged int     // rows in the log
	holes  []int32 // positions of groups that left since the last close
	moves  []int32
	mark   []uint32 // by id: scratch of renew
	stamp  uint32
	perm   []int32
	spare  []int64
	words  []uint64 // scratch of forget
}

// denseColumn is a key column by position; one of the slices is used.
type denseColumn struct {
	i32, spare32 []int32
	i64, spare64 []int64
	null         []uint8 // nil: no NULL so far
	spare8       []uint8
}

// localCell is one accumulator by position.
type localCell struct {
	n     []int64 // nil: as rows
	sum   []int64 // nil: only n is wanted
	scale int     // sums are multiples of 2^-scale
	reach uint64  // no scaled value is larger than that
}

// localLog remembers the rows of the live panes, oldest first. An entry is a row, or all
// rows of a group in a part of a pane.
type localLog struct {
	head  int
	id    []int32
	rows  []int32   // those of the group in the pane (addFew); empty while every entry is a row
	value [][]int64 // per cell with a sum
	null  [][]uint8 // per cell: 1 where the value is NULL; nil if none was
	panes []localPane
	first int // index in panes of the oldest
}

// localPane begins at a position, its rows at an index of the log (which moves when
// the log's head is cut off; see trim).
type localPane struct {
	first int64
	from  int
}

func newLocalTable(p *localPlan) *localTable {
	t := &localTable{plan: p, cols: make([]denseColumn, len(p.wide))}
	t.keys.init(p.wide)
	t.cells = make([]localCell, len(p.cells))
	t.log.value, t.log.null = make([][]int64, len(p.cells)), make([][]uint8, len(p.cells))
	return t
}

// reset forgets everything but buffers.
func (t *localTable) reset() {
	t.clear()
	t.keys.reset()
	t.pos, t.dead = t.pos[:0], 0
	for i := range t.cells {
		t.cells[i] = localCell{sum: t.cells[i].sum}
		t.log.null[i] = nil
	}
	for j := range t.cols {
		t.cols[j].null = nil
	}
}

// clear makes every group leave.
func (t *localTable) clear() {
	for _, g := range t.id[:t.gapFrom] {
		t.pos[g] = -1
	}
	for _, g := range t.id[t.gapTo:] {
		t.pos[g] = -1
	}
	t.dead = len(t.pos)
	t.gapFrom, t.gapTo = 0, 0
	t.resize(0)
	t.logged = 0
	l := &t.log
	l.head, l.id, l.rows, l.panes, l.first = 0, l.id[:0], l.rows[:0], l.panes[:0], 0
	for c := range l.value {
		l.value[c] = l.value[c][:0]
		if l.null[c] != nil {
			l.null[c] = l.null[c][:0]
		}
	}
}

// live is the number of groups.
func (t *localTable) live() int { return len(t.id) - (t.gapTo - t.gapFrom) }

// resize makes room for positions 0..n-1; new ones are unset.
func (t *localTable) resize(n int) {
	t.id, t.rows = resizeRaw(t.id, n), resizeRaw(t.rows, n)
	for j := range t.cols {
		c := &t.cols[j]
		if t.plan.wide[j] {
			c.i64 = resizeRaw(c.i64, n)
		} else {
			c.i32 = resizeRaw(c.i32, n)
		}
		if c.null != nil {
			c.null = resizeRaw(c.null, n)
		}
	}
	for i := range t.cells {
		c := &t.cells[i]
		if c.n != nil {
			c.n = resizeRaw(c.n, n)
		}
		if t.plan.cells[i].sums {
			c.sum = resizeRaw(c.sum, n)
		}
	}
}

// ids finds the ids of a chunk's keys; false if keys are too wide.
func (t *localTable) ids(cols []stream.Column, n int, out []int32) bool {
	if !t.keys.ids(cols, n, out) {
		return false
	}
	for len(t.pos) < len(t.keys.word) {
		t.pos = append(t.pos, -1)
		t.dead++
	}
	return true
}

// enter gives the groups of the ids, which have none, the next positions; pos has them
// already.
func (t *localTable) enter(ids []int32) {
	at := len(t.id)
	n := at + len(ids)
	t.resize(n)
	copy(t.id[at:], ids)
	clear(t.rows[at:n])
	t.dead -= len(ids)
	for j := range t.cols {
		t.enterKeys(j, at, ids)
	}
	for i := range t.cells {
		c := &t.cells[i]
		if c.n != nil {
			clear(c.n[at:n])
		}
		if t.plan.cells[i].sums {
			clear(c.sum[at:n])
		}
	}
}

// enterKeys writes the values of key column j.
func (t *localTable) enterKeys(j, at int, ids []int32) {
	c, k, words := &t.cols[j], &t.keys.columns[j], t.keys.word
	shift, mask, base := k.shift&63, ^uint64(0)>>(64-k.bits), uint64(k.base)
	if t.plan.wide[j] {
		dst := c.i64[at : at+len(ids)]
		for i, g := range ids {
			dst[i] = int64(words[g]>>shift&mask + base)
		}
	} else {
		dst := c.i32[at : at+len(ids)]
		for i, g := range ids {
			dst[i] = int32(words[g]>>shift&mask + base)
		}
	}
	if k.nulls == 0 {
		return
	}
	if c.null == nil {
		c.null = make([]uint8, at+len(ids), cap(t.id))
	}
	for i, g := range ids {
		c.null[at+i] = uint8(words[g] >> ((k.shift + uint(k.bits)) & 63) & 1)
	}
}

// squeeze moves the groups behind the gap against those before it.
func (t *localTable) squeeze() {
	t.shift(t.gapTo, len(t.id), t.gapFrom)
	n := len(t.id) - (t.gapTo - t.gapFrom)
	t.resize(n)
	t.gapFrom, t.gapTo = n, n
}

// shift moves positions [from, to) to [at, ..).
func (t *localTable) shift(from, to, at int) {
	if from == to || from == at {
		return
	}
	copy(t.id[at:], t.id[from:to])
	copy(t.rows[at:], t.rows[from:to])
	for j := range t.cols {
		c := &t.cols[j]
		if t.plan.wide[j] {
			copy(c.i64[at:], c.i64[from:to])
		} else {
			copy(c.i32[at:], c.i32[from:to])
		}
		if c.null != nil {
			copy(c.null[at:], c.null[from:to])
		}
	}
	for i := range t.cells {
		c := &t.cells[i]
		if c.n != nil {
			copy(c.n[at:], c.n[from:to])
		}
		if c.sum != nil {
			copy(c.sum[at:], c.sum[from:to])
		}
	}
	for p, g := range t.id[at : at+to-from] {
		t.pos[g] = int32(at + p)
	}
}

// close brings the holes and the gap together.
func (t *localTable) close() {
	if len(t.holes) == 0 {
		return
	}
	if !slices.IsSorted(t.holes) {
		slices.Sort(t.holes)
	}
	if t.gapFrom == t.gapTo {
		// No gap yet: it begins at the first hole.
		t.gapFrom, t.gapTo = int(t.holes[0]), int(t.holes[0])
	}
	right, _ := slices.BinarySearch(t.holes, int32(t.gapTo))
	t.closeRight(t.holes[right:])
	t.closeLeft(t.holes[:right])
	t.holes = t.holes[:0]
	if t.gapTo == len(t.id) {
		t.resize(t.gapFrom)
		t.gapTo = t.gapFrom
	}
}

// manyMoves is how long a run between holes must be on average to be moved as a block.
const manyMoves = 16

// closeRight takes holes behind the gap: what stands before each moves to the gap's front.
func (t *localTable) closeRight(holes []int32) {
	if len(holes) == 0 {
		return
	}
	last := int(holes[len(holes)-1])
	if (last-t.gapTo)/len(holes) >= manyMoves {
		for _, h := range holes {
			t.shift(t.gapTo, int(h), t.gapFrom)
			t.gapFrom += int(h) - t.gapTo
			t.gapTo = int(h) + 1
		}
		return
	}
	t.moves = t.moves[:0]
	p := int32(t.gapTo)
	for _, h := range holes {
		for ; p < h; p++ {
			t.moves = append(t.moves, p)
		}
		p++
	}
	t.gather(t.gapFrom, t.moves)
	t.gapFrom += len(t.moves)
	t.gapTo = int(p)
}

// closeLeft takes holes before the gap: what stands behind each moves to the gap's end.
func (t *localTable) closeLeft(holes []int32) {
	for i := len(holes) - 1; i >= 0; i-- {
		h := int(holes[i])
		n := t.gapFrom - h - 1
		t.shift(h+1, t.gapFrom, t.gapTo-n)
		t.gapFrom, t.gapTo = h, t.gapTo-n
	}
}

// gather moves single positions, ascending, to [at, ..); at is not above the first.
func (t *localTable) gather(at int, from []int32) {
	gatherDown(t.id, at, from)
	gatherDown(t.rows, at, from)
	for j := range t.cols {
		c := &t.cols[j]
		if t.plan.wide[j] {
			gatherDown(c.i64, at, from)
		} else {
			gatherDown(c.i32, at, from)
		}
		if c.null != nil {
			gatherDown(c.null, at, from)
		}
	}
	for i := range t.cells {
		c := &t.cells[i]
		if c.n != nil {
			gatherDown(c.n, at, from)
		}
		if c.sum != nil {
			gatherDown(c.sum, at, from)
		}
	}
	for p, g := range t.id[at : at+len(from)] {
		t.pos[g] = int32(at + p)
	}
}

func gatherDown[T any](s []T, at int, from []int32) {
	dst := s[at:]
	if len(dst) < len(from) {
		return
	}
	for i, p := range from {
		dst[i] = s[p]
	}
}

// renew puts the groups in the order of their first rows in the log.
func (t *localTable) renew() {
	n := t.live()
	t.mark = resizeSlots(t.mark, len(t.pos))
	if t.stamp == math.MaxUint32 {
		clear(t.mark)
		t.stamp = 0
	}
	t.stamp++
	t.perm = t.perm[:0]
	for _, g := range t.log.id[t.log.head:] {
		if t.mark[g] == t.stamp {
			continue
		}
		t.mark[g] = t.stamp
		t.perm = append(t.perm, t.pos[g])
		if len(t.perm) == n {
			break
		}
	}
	t.permute()
}

// permute makes position i what position perm[i] was, and there is no gap.
func (t *localTable) permute() {
	n := len(t.perm)
	scratch := resizeRaw(t.moves, n)
	t.moves = scratch
	for i, p := range t.perm {
		scratch[i] = t.id[p]
	}
	t.rows, t.spare = permuted(t.spare, t.rows, t.perm), t.rows
	for j := range t.cols {
		c := &t.cols[j]
		if t.plan.wide[j] {
			c.i64, c.spare64 = permuted(c.spare64, c.i64, t.perm), c.i64
		} else {
			c.i32, c.spare32 = permuted(c.spare32, c.i32, t.perm), c.i32
		}
		if c.null != nil {
			c.null, c.spare8 = permuted(c.spare8, c.null, t.perm), c.null
		}
	}
	for i := range t.cells {
		c := &t.cells[i]
		if c.n != nil {
			c.n, t.spare = permuted(t.spare, c.n, t.perm), c.n
		}
		if c.sum != nil {
			c.sum, t.spare = permuted(t.spare, c.sum, t.perm), c.sum
		}
	}
	copy(t.id, scratch)
	t.gapFrom, t.gapTo = n, n
	t.resize(n)
	for p, g := range t.id {
		t.pos[g] = int32(p)
	}
}

func permuted[T any](dst, src []T, perm []int32) []T {
	dst = resizeRaw(dst[:0], len(perm))
	for i, p := range perm {
		dst[i] = src[p]
	}
	return dst
}

// deadMin is how many ids without a group are kept at least: a key that comes back is
// found faster than entered.
const deadMin = 1024

// forget drops ids of groups that left, when they are more than those that live.
func (t *localTable) forget() {
	if t.dead < deadMin || t.dead < t.live() {
		return
	}
	t.squeeze()
	t.moves = resizeRaw(t.moves, len(t.pos)) // old id -> new id
	words := t.words[:0]
	for p, g := range t.id {
		words = append(words, t.keys.word[g])
		t.moves[g], t.id[p] = int32(p), int32(p)
	}
	t.keys.word, t.words = words, t.keys.word
	t.keys.layOut()
	for id, w := range words {
		t.keys.put(w, int32(id))
	}
	for i, g := range t.log.id[t.log.head:] {
		t.log.id[t.log.head+i] = t.moves[g]
	}
	t.dead = 0
	t.pos = t.pos[:len(t.id)]
	for p := range t.id {
		t.pos[p] = int32(p)
	}
	t.mark = t.mark[:0]
}

// magnitude is the number of bits of the largest sum that may occur with n more rows.
func (t *localTable) magnitude(cell int, n int) int {
	return bits.Len64(t.cells[cell].reach) + bits.Len(uint(t.logged+n))
}
