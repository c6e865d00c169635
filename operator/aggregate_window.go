package operator

import (
	"math"

	"github.com/millrace/millrace/stream"
)

// windowState is the serial half of an aggregate: the groups of the open windows and
// how far windows have been closed.
//
// Assemble only takes a fragment over. Next goes through its panes: before a pane is
// merged, the windows that end at or before it are put out; when there is none left,
// those that the task's watermark (or row count) closes. So a task may close any number
// of windows without their rows piling up, and Next can stop in the middle of one.
type windowState struct {
	mark  int64 // the input's watermark
	rows  int64 // rows the input has had
	ended bool
	done  bool  // wholeInput: the one result was put out
	next  int64 // windows below it have been put out, or hold nothing

	keys  *keySet // resident groups; of back, too. nil without keys: group 0
	index *groupIndex
	born  []uint32 // by group: bumped when its id is freed
	back  []accumulator
	sets  []distinctState
	slide *slider // nil if a window is a single pane

	// Without slide: the one open window.
	holds bool  // it has rows
	first int64 // start of its pane
	run   carriedWindow

	fragment *fragment // being merged, from pane
	pane     int
	then     *fragment // to be merged behind it
	quiet    int64     // windows below it have been put out by others
	away     bool      // tasks compute local windows: nothing is here
	merged   []int32   // scratch: resident groups of a pane's entries
	tags     []int32   // scratch: of probing for them
	free     func(group int32)
}

func (w *windowState) init(a *aggregate) {
	w.mark, w.next = stream.MinTime, math.MinInt64
	if a.form == rowPanes {
		w.next = 0
	}
	w.keys, w.index = newKeySet(&a.layout), newGroupIndex()
	for _, c := range a.cells {
		w.back = append(w.back, c.empty.fresh())
	}
	w.sets = make([]distinctState, len(a.sets))
	for i := range w.sets {
		w.sets[i].start(a.sets[i])
	}
	if a.slides {
		w.slide = newSlider(a.cells)
	}
	w.free = w.freeGroup
	w.grow(a)
}

// groupCount is the number of resident group ids, free ones included.
func (w *windowState) groupCount(a *aggregate) int {
	if a.keys == 0 {
		return 1
	}
	return w.keys.n
}

// grow makes room for all resident groups.
func (w *windowState) grow(a *aggregate) {
	n := w.groupCount(a)
	for _, b := range w.back {
		b.resize(n)
	}
	for i := range w.sets {
		w.sets[i].total.resize(n)
	}
	if len(w.born) < n {
		w.born = resizeSlots(w.born, n)
	}
	if w.slide != nil {
		w.slide.grow(n)
	}
}

func (a *aggregate) Assemble(t *Task, p Partial) error {
	switch v := p.Value.(type) {
	case *fragment:
		a.adoptFragment(v)
		a.fragment, a.then, a.quiet = v, nil, math.MinInt64
	case *localTask:
		a.assembleLocal(v)
	}
	a.pane = 0
	if a.form == rangePanes {
		a.mark = max(a.mark, a.endOf(t))
	}
	a.mark = max(a.mark, t.Watermark)
	a.rows = max(a.rows, t.First+int64(t.Rows))
	if t.End {
		a.ended, a.mark = true, stream.MaxTime
	}
	return nil
}

// adoptFragment prepares a fragment for merging.
func (a *aggregate) adoptFragment(f *fragment) {
	f.residents = resizeRaw(f.residents, f.keys.n)
	for i := range f.residents {
		f.residents[i] = -1
	}
	f.born = resizeRaw(f.born, f.keys.n)
}

// step merges a pane or begins to put out a window; false when neither is to be done.
func (a *aggregate) step() bool {
	f := a.fragment
	if f == nil {
		return a.closeDue()
	}
	if a.pane == len(f.panes) {
		a.fragment, a.then, a.pane = a.then, nil, 0
		a.giveFragment(f)
		return true
	}
	if a.single() {
		a.slideSingle(f)
		return true
	}
	p := &f.panes[a.pane]
	switch {
	case p.hole:
	case a.closeBefore(p):
		return true
	default:
		a.merge(f, a.pane)
	}
	a.pane++
	return true
}

// closeBefore begins to put out the first window that must go out before a pane comes.
func (a *aggregate) closeBefore(p *paneFragment) bool {
	switch a.form {
	case rangePanes, rowPanes:
		return a.closeUpTo(p.First)
	case carriedRuns:
		if a.holds && !a.run.same(&p.run) {
			a.begin()
			return true
		}
	}
	return false
}

// closeDue begins to put out the first window that the watermark closes.
func (a *aggregate) closeDue() bool {
	switch a.form {
	case rangePanes:
		return a.closeUpTo(a.mark)
	case rowPanes:
		return a.closeUpTo(a.rows)
	case carriedRuns:
		timed := a.roles[stream.WindowEnd] >= 0
		if a.holds && (a.ended || timed && a.mark >= a.run[stream.WindowEnd]) {
			a.begin()
			return true
		}
	case wholeInput:
		if a.ended && !a.done && (a.holds || a.keys == 0) {
			a.begin()
			return true
		}
	}
	return false
}

// closeUpTo begins to put out the first window that holds something, if it ends at or
// before the position.
func (a *aggregate) closeUpTo(pos int64) bool {
	k := a.next
	switch {
	case a.form == rowPanes && a.keys == 0:
		// Every window of rows gives a row.
	case a.slide != nil && len(a.slide.panes) > 0:
		k = max(k, a.grid.First(a.slide.panes[0].first))
	case a.slide == nil && a.holds:
		if k = a.grid.First(a.first); a.grid.Grows {
			k = max(k, a.next)
		}
	default:
		return false
	}
	if a.grid.End(k) > pos {
		return false
	}
	a.next = k
	a.begin()
	return true
}

// merge takes a pane of a fragment into the open windows.
func (a *aggregate) merge(f *fragment, pane int) {
	p := &f.panes[pane]
	lo, hi := p.from, f.end(pane)
	groups := a.adopt(f, lo, hi)
	a.grow(a)
	if a.slide != nil {
		if a.slide.open(p.First) {
			a.openSets()
		}
		a.slide.add(groups, f, lo, a.back)
	} else {
		if !a.holds {
			a.holds, a.first, a.run = true, p.First, p.run
			a.openSets()
		}
		for c, b := range a.back {
			b.merge(groups, f.cells[c], lo)
		}
	}
	for i := range a.sets {
		a.mergeSet(i, f, lo, hi, groups)
	}
}

func (a *aggregate) openSets() {
	for i := range a.windowState.sets {
		a.windowState.sets[i].open()
	}
}

// mergeSet takes the distinct values of entries [lo, hi).
func (a *aggregate) mergeSet(i int, f *fragment, lo, hi int, groups []int32) {
	d, in := &a.windowState.sets[i], &f.sets[i]
	from, to := entryRange(in.entries, lo), entryRange(in.entries, hi)
	if from == to {
		return
	}
	d.group = resizeRaw(d.group, to-from)
	for j, e := range in.entries[from:to] {
		d.group[j] = groups[int(e)-lo]
	}
	values := in.values.Slice(from, to)
	d.add(d.group, &values, a.groupCount(a))
}

// entryRange returns the first index whose entry is at least e.
func entryRange(entries []int32, e int) int {
	lo, hi := 0, len(entries)
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); int(entries[m]) < e {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// adopt returns the resident groups of entries [lo, hi), making those that are new. A
// key is looked up once per task, unless its group left meanwhile.
func (a *aggregate) adopt(f *fragment, lo, hi int) []int32 {
	a.merged = resizeRaw(a.merged, hi-lo)
	if a.keys == 0 {
		clear(a.merged)
		return a.merged
	}
	w := &a.windowState
	known := w.known(f, lo, hi)
	if known == hi-lo {
		return a.merged
	}
	w.tags = resizeRaw(w.tags, hi-lo)
	w.index.probe(f.keys.word, f.groups[lo+known:hi], w.tags)
	for i, key := range f.groups[lo+known : hi] {
		g := f.residents[key]
		if g < 0 || w.born[g] != f.born[key] {
			g = w.resident(f.keys, key, w.tags[i]-1)
			f.residents[key], f.born[key] = g, w.born[g]
		}
		a.merged[known+i] = g
	}
	return a.merged
}

// known writes to merged the resident groups of the first entries, up to one whose
// group is not known, and returns how many they are.
func (w *windowState) known(f *fragment, lo, hi int) int {
	for i, key := range f.groups[lo:hi] {
		g := f.residents[key]
		if g < 0 || w.born[g] != f.born[key] {
			return i
		}
		w.merged[i] = g
	}
	return hi - lo
}

// resident finds or makes the group of a fragment's key; guess is a group whose key has
// the same word, or -1.
func (w *windowState) resident(keys *keySet, key, guess int32) int32 {
	if guess >= 0 && w.keys.layout.form == oneWord {
		return guess
	}
	c := keys.at(key)
	g := w.index.find(w.keys, &c)
	if g >= 0 {
		return g
	}
	g = w.keys.add(&c, keys.cols, int(key))
	w.index.put(c.word, g)
	if int(g) >= len(w.born) {
		w.born = resizeSlots(w.born, int(g)+1)
	}
	return g
}

func (w *windowState) freeGroup(g int32) {
	w.index.remove(w.keys.word[g], g)
	w.keys.remove(g)
	w.born[g]++
}

// finish leaves the window that has been put out: what the next one does not hold goes.
func (a *aggregate) finish() {
	a.done = true
	if a.slide == nil {
		a.next = saturatingNext(a.next)
		if !a.grid.Grows || a.grid.Start(a.next) > a.first {
			a.clear(a)
		}
		return
	}
	a.next = saturatingNext(a.next)
	start, s := a.grid.Start(a.next), a.slide
	if n := len(s.panes); n == 0 || s.panes[n-1].first < start || a.next == math.MaxInt64 {
		a.clear(a)
		return
	}
	evicted := false
	for s.panes[0].first < start {
		evicted = true
		for i := range a.windowState.sets {
			a.windowState.sets[i].evict()
		}
		if a.keys == 0 {
			s.evict(a.back, func(int32) {})
		} else {
			s.evict(a.back, a.free)
		}
	}
	if evicted {
		s.compact()
		if a.layout.form == byteKey {
			a.windowState.keys.tidy(s.order)
		}
	}
}

func saturatingNext(k int64) int64 {
	if k == math.MaxInt64 {
		return k
	}
	return k + 1
}

// clear forgets all groups.
func (w *windowState) clear(a *aggregate) {
	w.holds = false
	for _, b := range w.back {
		b.resize(0)
	}
	for g := range w.born {
		w.born[g]++
	}
	w.keys.reset()
	w.index.reset()
	for i := range w.sets {
		w.sets[i].clear()
	}
	if w.slide != nil {
		w.slide.clear()
	}
	w.grow(a)
}
