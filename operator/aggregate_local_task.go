package operator

import (
	"errors"
	"math"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/stream"
)

// Limits of local windows.
const (
	// localHaloMax bounds the rows that are kept for tasks to begin from; where windows
	// hold more, fragments are used and no rows are kept for localPause tasks.
	localHaloMax = 1 << 18
	localPause   = 1024
	// localEnter and localLeave: local windows begin to be used when a task has at least
	// 1/localEnter of the rows of its halo, and end below 1/localLeave.
	localEnter, localLeave = 4, 16
	// localSlideMax is the rows of a slide above which grouping them first pays.
	localSlideMax = 2048
	// localTaskShare is how many times larger than its halo a full task should be when
	// several workers compute tasks side by side.
	localTaskShare = 8
)

// localHistory keeps the rows before the next task, and decides how tasks are computed.
// Preview, called in order of submission, is its only writer while the job runs.
type localHistory struct {
	spans []historySpan
	rows  int
	since int64 // all rows at or behind this position are in spans
	end   int64 // every later task's rows are at or behind this position
	begun bool
	// restored: the operator was, and has had no row since.
	restored bool
	pause    int     // tasks to come without keeping rows
	average  float64 // rows of a task
	using    bool    // the last task was given to local windows
	last     *localTask
	halo     atomic.Int64 // rows of the last task's halo
	off      atomic.Pointer[string]

	mu    sync.Mutex
	tasks []*localTask // all
	idle  []*localTask
	free  []*localWindows
}

// historySpan is a run of rows: the first has index first, their positions are in [lo, hi].
type historySpan struct {
	stream.Span
	first, lo, hi int64
}

// localTask is what a task needs to begin by itself, and what it leaves to the next.
type localTask struct {
	local  bool  // to be computed by local windows
	window int64 // fresh window with which the halo begins
	quiet  int64 // windows below it end before the task
	halo   Task
	before *localTask
	carry  atomic.Pointer[localWindows] // behind the task; nobody's, when it was not waited for
	refs   atomic.Int32                 // this task until it is assembled, the next until it has begun

	// The result: rows put out, and fragments if they were not local.
	rows                      int64
	fragments                 bool
	haloFragment, ownFragment *fragment
}

// nobodys stands for a state that the next task did not wait for.
var nobodys = &localWindows{}

// Preview implements Previewer.
func (a *aggregate) Preview(t *Task) {
	h := &a.history
	t.Private = nil
	if a.local == nil || h.off.Load() != nil && !h.using {
		h.drop()
		return
	}
	lt := h.take()
	t.Private = lt
	a.locate(lt)
	rows := h.rowsFrom(a.grid.Start(lt.window))
	h.halo.Store(int64(rows))
	was := h.using
	h.using = a.chooseLocal(t, lt, rows)
	lt.local = h.using
	if lt.local || was {
		h.lend(lt)
	}
	if lt.before = h.last; lt.before != nil {
		lt.before.refs.Add(1)
	}
	if h.last != nil {
		a.unref(h.last)
	}
	h.last = lt
	lt.refs.Store(2) // the other one is h.last's
	a.remember(t)
}

// locate finds the windows that are open where the task begins.
func (a *aggregate) locate(lt *localTask) {
	h := &a.history
	lt.window, lt.quiet = math.MinInt64, math.MinInt64
	if a.form == rowPanes {
		lt.window, lt.quiet = 0, 0
	}
	if !h.begun {
		return
	}
	lt.quiet = a.grid.First(h.end)
	lt.window = lt.quiet - mod(lt.quiet, a.local.slides)
}

func mod(k, n int64) int64 {
	if m := k % n; m < 0 {
		return m + n
	} else {
		return m
	}
}

func (a *aggregate) chooseLocal(t *Task, lt *localTask, halo int) bool {
	h := &a.history
	if t.Rows > 0 {
		h.average += (float64(t.Rows) - h.average) / 8
	}
	covered := !h.begun && h.since == math.MinInt64 || h.begun && h.since <= a.grid.Start(lt.window)
	switch {
	case !covered || h.pause > 0 || h.off.Load() != nil:
		return false
	case a.env.Force.Windows == "local":
		return true
	case a.env.Force.Windows != "":
		return false
	case h.using:
		return float64(halo) <= localLeave*h.average
	default:
		return h.begun && float64(halo) <= localEnter*h.average && a.slideRows(t) <= localSlideMax
	}
}

// slideRows is about how many rows of the task a slide has.
func (a *aggregate) slideRows(t *Task) int {
	if a.form == rowPanes {
		return int(a.grid.Slide)
	}
	if t.Rows == 0 {
		return localSlideMax + 1
	}
	first, last := t.Spans[0], t.Spans[len(t.Spans)-1]
	lo, hi := first.Batch.Cols[a.rawTime].I64[first.From], last.Batch.Cols[a.rawTime].I64[last.To-1]
	span := float64(hi - lo + last.Batch.Base - first.Batch.Base)
	return int(float64(t.Rows) / (span/float64(a.grid.Slide) + 1))
}

// remember keeps the task's rows for those that come, and lets go of rows that no task
// needs any more.
func (a *aggregate) remember(t *Task) {
	h := &a.history
	if h.restored && t.Rows > 0 {
		h.since, h.restored = a.firstUnknown(t), false
	}
	at := t.First
	for _, s := range t.Spans {
		hs := historySpan{Span: s, first: at, lo: at, hi: at + int64(s.Len()) - 1}
		at += int64(s.Len())
		if a.form == rangePanes {
			times := s.Batch.Cols[a.rawTime].I64
			hs.lo, hs.hi = times[s.From]+s.Batch.Base, times[s.To-1]+s.Batch.Base
			h.end = max(h.end, hs.hi)
		}
		h.begun = true
		if h.pause == 0 {
			s.Batch.Retain()
			h.spans = append(h.spans, hs)
			h.rows += s.Len()
		}
	}
	if a.form == rowPanes {
		h.end = at
	} else if t.Watermark > stream.MinTime {
		h.begun = true
		h.end = max(h.end, t.Watermark)
	}
	h.forget(a)
}

// firstUnknown is the lowest position whose rows are all there, in a restored operator:
// rows like the first one may have come before.
func (a *aggregate) firstUnknown(t *Task) int64 {
	if a.form == rowPanes {
		return t.First
	}
	s := t.Spans[0]
	return s.Batch.Cols[a.rawTime].I64[s.From] + s.Batch.Base + 1
}

// forget lets rows go that no later task needs, or all when they are too many.
func (h *localHistory) forget(a *aggregate) {
	if h.pause > 0 {
		if h.pause--; h.pause == 0 {
			h.since = h.end + 1
		}
		return
	}
	if !h.begun {
		return
	}
	k := a.grid.First(h.end)
	from, n := a.grid.Start(k-mod(k, a.local.slides)), 0
	for n < len(h.spans) && h.spans[n].hi < from {
		h.rows -= h.spans[n].Len()
		h.spans[n].Batch.Release()
		n++
	}
	h.spans = slices.Delete(h.spans, 0, n)
	if h.rows > localHaloMax && h.rowsFrom(from) > localHaloMax {
		h.drop()
		h.pause = localPause
	}
}

// drop lets all rows go.
func (h *localHistory) drop() {
	for _, s := range h.spans {
		s.Batch.Release()
	}
	h.spans, h.rows = slices.Delete(h.spans, 0, len(h.spans)), 0
}

// rowsFrom is the number of kept rows from a position on.
func (h *localHistory) rowsFrom(pos int64) int {
	n := h.rows
	for _, s := range h.spans {
		if s.hi >= pos {
			break
		}
		n -= s.Len()
	}
	return n
}

// lend gives the task its halo.
func (h *localHistory) lend(lt *localTask) {
	for _, s := range h.spans {
		s.Batch.Retain()
		lt.halo.Spans = append(lt.halo.Spans, s.Span)
		lt.halo.Rows += s.Len()
	}
	if len(h.spans) > 0 {
		lt.halo.First = h.spans[0].first
	}
}

// skip drops the rows of the halo before the first window.
func (a *aggregate) skip(lt *localTask) {
	start := a.grid.Start(lt.window)
	for len(lt.halo.Spans) > 0 {
		s := &lt.halo.Spans[0]
		n := s.Len()
		if a.form == rowPanes {
			n = int(min(int64(n), max(0, start-lt.halo.First)))
		} else {
			times := s.Batch.Cols[a.rawTime].I64[s.From:s.To]
			n = sort.Search(n, func(i int) bool { return times[i]+s.Batch.Base >= start })
		}
		s.From += n
		lt.halo.Rows -= n
		lt.halo.First += int64(n)
		if s.Len() > 0 {
			return
		}
		s.Batch.Release()
		lt.halo.Spans = slices.Delete(lt.halo.Spans, 0, 1)
	}
}

func (h *localHistory) take() *localTask {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.idle); n > 0 {
		lt := h.idle[n-1]
		h.idle = h.idle[:n-1]
		return lt
	}
	lt := &localTask{}
	h.tasks = append(h.tasks, lt)
	return lt
}

// unref ends one of the uses of a task.
func (a *aggregate) unref(lt *localTask) {
	if lt.refs.Add(-1) > 0 {
		return
	}
	if w := lt.carry.Swap(nil); w != nil && w != nobodys {
		a.giveLocal(w)
	}
	lt.release()
	h := &a.history
	h.mu.Lock()
	h.idle = append(h.idle, lt)
	h.mu.Unlock()
}

// release gives the halo back.
func (lt *localTask) release() {
	for i, s := range lt.halo.Spans {
		s.Batch.Release()
		lt.halo.Spans[i] = stream.Span{}
	}
	lt.halo.Spans, lt.halo.Rows = lt.halo.Spans[:0], 0
	lt.haloFragment, lt.ownFragment, lt.fragments, lt.rows = nil, nil, false, 0
}

func (a *aggregate) takeLocal() *localWindows {
	h := &a.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.free); n > 0 {
		w := h.free[n-1]
		h.free = h.free[:n-1]
		return w
	}
	return newLocalWindows(a)
}

func (a *aggregate) giveLocal(w *localWindows) {
	h := &a.history
	h.mu.Lock()
	h.free = append(h.free, w)
	h.mu.Unlock()
}

// TaskRows implements Sizer: side by side, tasks compute each other's halo.
func (a *aggregate) TaskRows(now int) int {
	if a.local == nil || a.env.Lanes < 2 || a.history.off.Load() != nil {
		return now
	}
	return max(now, localTaskShare*int(a.history.halo.Load()))
}

// Streams implements Streamer.
func (a *aggregate) Streams() bool { return a.local != nil }

// BatchTo implements Streamer.
func (a *aggregate) BatchTo(t *Task, scratch Scratch, emit func(*stream.Batch) error) (Partial, error) {
	lt, ok := t.Private.(*localTask)
	if !ok {
		return a.Batch(t, scratch)
	}
	s := scratch.(*aggregateScratch)
	if lt.local {
		failed, err := a.runLocal(t, lt, s, emit)
		if !errors.Is(err, errNotLocal) {
			a.uses.add(usedLocal)
			return Partial{Value: lt, Errors: failed}, err
		}
	} else if lt.before != nil {
		a.abandon(lt)
	}
	if len(lt.halo.Spans) > 0 || lt.local {
		a.skip(lt)
		f, _, err := a.fragmentOf(&lt.halo, s)
		lt.haloFragment = f
		if err != nil {
			return Partial{}, err
		}
		lt.fragments = true
	}
	a.uses.add(usedAssembled)
	f, failed, err := a.fragmentOf(t, s)
	lt.ownFragment = f
	return Partial{Value: lt, Errors: failed}, err
}

// abandon tells the task before that nobody takes its state.
func (a *aggregate) abandon(lt *localTask) *localWindows {
	b := lt.before
	lt.before = nil
	if b == nil {
		return nil
	}
	w := b.carry.Swap(nobodys)
	a.unref(b)
	return w
}

// runLocal puts out the windows that end in the task.
func (a *aggregate) runLocal(t *Task, lt *localTask, s *aggregateScratch, emit func(*stream.Batch) error) (failed []ErrorRow, err error) {
	w := a.abandon(lt)
	if w != nil {
		w.quiet = lt.quiet
	} else {
		w = a.takeLocal()
		w.begin(lt.window, lt.quiet)
		a.skip(lt)
		w.first, w.emit = lt.halo.First, nil
		_, err = a.chain.Run(&lt.halo, s.chain, w.feed)
	}
	rows := w.out.rows
	w.first, w.emit = t.First, emit
	if err == nil {
		failed, err = a.chain.Run(t, s.chain, w.feed)
	}
	if err == nil {
		err = w.closeUpTo(a.endOf(t))
	}
	if e := w.flush(); e != nil {
		err = e
	}
	lt.rows = w.out.rows - rows
	w.emit = nil
	if err != nil {
		lt.quiet = max(lt.quiet, w.next)
		a.stopLocal(w, err)
		return nil, err
	}
	if t.End || !lt.carry.CompareAndSwap(nil, w) {
		a.giveLocal(w)
	}
	return failed, nil
}

// endOf is the position up to which windows close with the task: no later row is before
// its last one.
func (a *aggregate) endOf(t *Task) int64 {
	n := len(t.Spans)
	switch {
	case a.form == rowPanes:
		return t.First + int64(t.Rows)
	case n == 0 || a.rawTime < 0:
		return t.Watermark
	default:
		last := t.Spans[n-1]
		return max(t.Watermark, last.Batch.Cols[a.rawTime].I64[last.To-1]+last.Batch.Base)
	}
}

// stopLocal gives up local windows for good, if the values made it so.
func (a *aggregate) stopLocal(w *localWindows, err error) {
	if errors.Is(err, errNotLocal) {
		reason := w.reason
		a.history.off.CompareAndSwap(nil, &reason)
	}
	a.giveLocal(w)
}

// assembleLocal takes over the result of a task that has a halo or may have had one.
func (a *aggregate) assembleLocal(lt *localTask) {
	a.out.rows += lt.rows
	a.fragment, a.then, a.quiet = nil, nil, math.MinInt64
	switch {
	case lt.fragments:
		a.clear(a)
		a.next, a.quiet = lt.window, lt.quiet
		a.adoptFragment(lt.haloFragment)
		a.adoptFragment(lt.ownFragment)
		a.fragment, a.then = lt.haloFragment, lt.ownFragment
		a.away = false
	case lt.ownFragment != nil:
		a.adoptFragment(lt.ownFragment)
		a.fragment = lt.ownFragment
	default:
		if !a.away {
			a.clear(a)
			a.away = true
		}
	}
	lt.haloFragment, lt.ownFragment = nil, nil
	a.unref(lt)
}

// comeBack makes the state of the general path that of the history's rows.
func (a *aggregate) comeBack() error {
	if !a.away {
		return nil
	}
	lt := &localTask{}
	a.locate(lt)
	a.history.lend(lt)
	defer lt.release()
	a.skip(lt)
	f, _, err := a.fragmentOf(&lt.halo, a.NewScratch().(*aggregateScratch))
	if err != nil {
		return err
	}
	a.clear(a)
	a.adoptFragment(f)
	a.next, a.quiet, a.fragment, a.away = lt.window, math.MaxInt64, f, false
	_, err = a.Next()
	a.quiet = math.MinInt64
	return err
}

// closeLocal gives all rows back.
func (a *aggregate) closeLocal() {
	h := &a.history
	h.drop()
	for _, lt := range h.tasks {
		if w := lt.carry.Swap(nil); w != nil && w != nobodys {
			w.out.close()
		}
		lt.release()
	}
	for _, w := range h.free {
		w.out.close()
	}
}
