package operator

import (
	"errors"
	"math"
	"math/bits"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// localWindows is the state of the open windows at a place in the stream, with the
// working memory to go on from there. One goroutine has it at a time.
type localWindows struct {
	*localTable
	a       *aggregate
	next    int64 // windows below it have been put out, or hold nothing
	quiet   int64 // windows below it are not put out: somebody else does
	newest  int64 // last position of the newest pane; math.MinInt64: none
	due     int64 // end of window next, unless it is before the oldest pane
	renewal int64 // the next fresh window
	even    bool  // every slide is one pane
	first   int64 // stream index of the task's first row
	lanes   laneTable
	reason  string
	chunkID []int32
	places  []int32
	scaled  [][]int64
	nulls   [][]uint8 // per cell, of the chunk: nil if there is none
	pos     []int64
	out     outputs
	emit    func(*stream.Batch) error
	peak    peakScratch
	having  havingScratch
	feed    func(*Chunk) error
}

// errNotLocal ends the rows of a task whose sums are not exact; reason says why.
var errNotLocal = errors.New("operator: not computable by local windows")

func newLocalWindows(a *aggregate) *localWindows {
	w := &localWindows{
		localTable: newLocalTable(a.local), a: a, out: newOutputs(a.env, a.schema, a.need),
		chunkID: make([]int32, ChunkRows), places: make([]int32, ChunkRows), pos: make([]int64, ChunkRows),
		scaled: make([][]int64, len(a.local.cells)), nulls: make([][]uint8, len(a.local.cells)),
	}
	w.feed = w.chunk
	if h := a.local.having; h != nil {
		w.having = h.newScratch(a.schema)
	}
	w.even = a.grid.Size%a.grid.Slide == 0
	return w
}

// begin forgets everything; rows from window first on will come, and windows from
// quiet on are put out.
func (w *localWindows) begin(first, quiet int64) {
	w.localTable.reset()
	w.beginLanes()
	w.next, w.quiet, w.newest, w.due, w.reason = first, quiet, math.MinInt64, math.MinInt64, ""
}

// positionMax bounds event times, so that edges of windows need no care.
const positionMax = 1 << 61

// chunk takes rows.
func (w *localWindows) chunk(c *Chunk) error {
	pos, base := c.Time, c.Base
	if w.a.form == rowPanes {
		pos, base = w.pos[:c.Len], 0
		for i, p := range c.Positions() {
			pos[i] = w.first + int64(p)
		}
	}
	if pos[0] < -positionMax || pos[c.Len-1] > positionMax-base {
		return w.fail("event times are too far from 1970")
	}
	w.trim()
	w.forget()
	if !w.ids(c.Cols[:w.a.keys], c.Len, w.chunkID[:c.Len]) {
		return w.fail("keys are wider than 64 bits")
	}
	for i := range w.plan.cells {
		if err := w.load(i, c); err != nil {
			return err
		}
	}
	if w.lanes.on {
		w.laneChunk(c.Len)
	}
	return w.panes(pos[:c.Len], base)
}

func (w *localWindows) fail(reason string) error {
	w.reason = reason
	return errNotLocal
}

// panes cuts a chunk, whose positions lack base, where panes end.
func (w *localWindows) panes(pos []int64, base int64) error {
	for lo := 0; lo < len(pos); {
		if at := pos[lo] + base; at > w.newest || w.newest == math.MinInt64 {
			p := w.paneOf(at)
			if p.First >= w.due {
				if err := w.closeUpTo(p.First); err != nil {
					return err
				}
			}
			w.open(p)
		}
		hi := window.Find(pos, lo, len(pos), w.newest-base)
		w.add(lo, hi)
		lo = hi
	}
	return nil
}

// paneOf returns the pane of a position behind the newest pane.
func (w *localWindows) paneOf(pos int64) window.Pane {
	g := &w.a.grid
	if w.even && w.newest != math.MinInt64 && pos <= w.newest+g.Slide {
		return window.Pane{First: w.newest + 1, Last: w.newest + g.Slide}
	}
	return g.Pane(pos)
}

// open begins a pane.
func (w *localWindows) open(p window.Pane) {
	l := &w.log
	if l.first == len(l.panes) {
		w.due = math.MinInt64 // to be found: windows may have been skipped
	}
	l.panes = append(l.panes, localPane{p.First, len(l.id)})
	if w.lanes.on {
		w.lanes.open()
	}
	w.newest = p.Last
}

// closeUpTo puts out the windows that end at or before a position, and lets the rows go
// that no later window holds.
func (w *localWindows) closeUpTo(pos int64) error {
	g, l := &w.a.grid, &w.log
	for l.first < len(l.panes) {
		if oldest := l.panes[l.first].first; w.due <= oldest {
			w.next = max(w.next, g.First(oldest))
			w.due = g.End(w.next)
			w.renewal = w.next + mod(-w.next, w.plan.slides)
		}
		if w.due > pos {
			return nil
		}
		if w.next == w.renewal {
			if w.lanes.on {
				w.renewLanes()
			} else {
				w.renew()
			}
			w.renewal += w.plan.slides
		}
		if w.next >= w.quiet {
			if err := w.putOut(); err != nil {
				return err
			}
		}
		w.next++
		w.due += g.Slide
		w.evict(w.due - g.Size)
	}
	return nil
}

// evict lets the panes go that begin before a position.
func (w *localWindows) evict(start int64) {
	l := &w.log
	from, pane := l.head, l.first
	for l.first < len(l.panes) && l.panes[l.first].first < start {
		l.first++
	}
	to := len(l.id)
	if l.first < len(l.panes) {
		to = l.panes[l.first].from
	} else {
		w.newest = math.MinInt64
	}
	if w.lanes.on {
		w.evictLanes(pane, l.first)
		return
	}
	if from == to {
		return
	}
	l.head = to
	if to == len(l.id) {
		w.clear()
		return
	}
	w.subtract(from, to)
	w.close()
}

// trimMin is how many logged rows may have left before the log is moved up.
const trimMin = 8192

// trim forgets the part of the log that has left.
func (w *localWindows) trim() {
	l := &w.log
	if l.first > 64 && 2*l.first > len(l.panes) {
		if w.lanes.on {
			w.lanes.trim(l.first)
		}
		n := copy(l.panes, l.panes[l.first:])
		l.panes, l.first = l.panes[:n], 0
	}
	h := l.head
	if h < trimMin || 2*h < len(l.id) {
		return
	}
	l.id = l.id[:copy(l.id, l.id[h:])]
	if len(l.rows) > 0 {
		l.rows = l.rows[:copy(l.rows, l.rows[h:])]
	}
	for c := range l.value {
		if w.plan.cells[c].sums {
			l.value[c] = l.value[c][:copy(l.value[c], l.value[c][h:])]
		}
		if l.null[c] != nil {
			l.null[c] = l.null[c][:copy(l.null[c], l.null[c][h:])]
		}
	}
	for i := range l.panes {
		l.panes[i].from -= h
	}
	l.head = 0
}

// load prepares a cell's values of a chunk: whole numbers, 0 for NULL.
func (w *localWindows) load(i int, c *Chunk) error {
	p, cell := &w.plan.cells[i], &w.cells[i]
	w.nulls[i] = w.nulls[i][:0]
	if p.column < 0 {
		w.nulls[i] = nil
		return nil
	}
	col := &c.Cols[p.column]
	if col.Valid == nil {
		w.nulls[i] = nil
	} else {
		w.nulls[i] = nullBytes(w.nulls[i], col, c.Len)
	}
	if !p.sums {
		return nil
	}
	w.scaled[i] = resizeRaw(w.scaled[i], c.Len)
	var reach uint64
	exact := true
	switch p.t.Storage() {
	case stream.Integer:
		reach = vec.Widen(w.scaled[i], col.I32[:c.Len])
	case stream.Real:
		reach, exact = w.scale(i, func() (uint64, bool) { return vec.Scale(w.scaled[i], col.F32[:c.Len], pow2(cell.scale)) }, func(k int) (int, bool) { return scaleOf(col.F32[:c.Len], k) })
	case stream.Double:
		reach, exact = w.scale(i, func() (uint64, bool) { return vec.Scale(w.scaled[i], col.F64[:c.Len], pow2(cell.scale)) }, func(k int) (int, bool) { return scaleOf(col.F64[:c.Len], k) })
	default:
		copy(w.scaled[i], col.I64[:c.Len])
		for _, v := range w.scaled[i] {
			reach |= uint64(v ^ v>>63)
		}
	}
	if w.nulls[i] != nil {
		for j, null := range w.nulls[i] {
			w.scaled[i][j] &= int64(null) - 1
		}
	}
	cell.reach |= reach
	if !exact || w.magnitude(i, c.Len) > maxSumBits {
		return w.fail("sums of " + p.t.String() + " values are not exact in 64 bits")
	}
	return nil
}

func nullBytes(dst []uint8, c *stream.Column, n int) []uint8 {
	dst = resizeRaw(dst, n)
	for j := range dst {
		dst[j] = uint8(^c.Valid[j>>6] >> (uint(j) & 63) & 1)
	}
	return dst
}

func pow2(k int) float64 { return math.Float64frombits(uint64(1023+k) << 52) }

// scale scales a chunk, finding a finer scale for the cell where it must.
func (w *localWindows) scale(i int, try func() (uint64, bool), finer func(int) (int, bool)) (uint64, bool) {
	reach, exact := try()
	if exact {
		return reach, true
	}
	c := &w.cells[i]
	k, ok := finer(c.scale)
	if by := k - c.scale; !ok || k > 1000 || by > maxSumBits || bits.Len64(c.reach)+by > maxSumBits {
		return 0, false
	}
	by := uint(k - c.scale)
	for p := range c.sum {
		c.sum[p] <<= by
	}
	for j := range w.log.value[i] {
		w.log.value[i][j] <<= by
	}
	w.lanes.shift(by)
	c.scale, c.reach = k, c.reach<<by
	return try()
}
