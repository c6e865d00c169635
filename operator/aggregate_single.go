package operator

import "github.com/millrace/millrace/stream"

// Sliding windows without groups, a fragment at a time.
//
// With one group, a pane is one entry and a window one row, so what a window costs is
// not arithmetic but calls. Here the panes of a fragment are gone through once without
// looking at values, which gives the steps of the two stacks (aggregate_slide.go); then
// each cell takes all the steps at once, and the windows are put out as a run of rows.
// The slider is the same before and after as if windows had been put out one by one.

// slideStep is what happens to the stacks of a single group.
type slideStep uint8

const (
	stepOpen  slideStep = iota // the next entry of the fragment becomes the newest pane
	stepMerge                  // .. is merged into the newest pane
	stepShow                   // a window is put out
	stepEvict                  // the oldest pane goes
)

// singleScratch is the scratch of slideSingle.
type singleScratch struct {
	steps   []slideStep
	windows []int64 // those that are put out
	pass    singlePass
	ends    struct{ window, at int64 } // where a window ends
}

// single reports whether windows are put out by slideSingle.
func (a *aggregate) single() bool { return a.slide != nil && a.keys == 0 && len(a.sets) == 0 }

// slideSingle takes panes of the fragment until it ends or the output batch is full.
func (a *aggregate) slideSingle(f *fragment) {
	s, from := a.slide, f.panes[a.pane].from
	lo, head, flipped := len(s.groups), len(s.groups)-len(s.panes), s.flipped
	a.steps, a.windows = a.steps[:0], a.windows[:0]
	opened := a.plan(f)
	s.groups = resizeSlots(s.groups, lo+opened)
	for c, log := range s.log {
		log.resize(len(s.groups))
		a.joined[c].resize(len(a.windows))
		a.pass = singlePass{steps: a.steps, head: head, flipped: head + flipped, tail: lo, from: from}
		log.slide(&a.pass, f.cells[c], s.front[c], a.back[c], a.joined[c])
	}
	a.putOut(len(a.windows))
	s.refs[0], s.order = int32(len(s.panes)), s.order[:0]
	if len(s.panes) > 0 {
		s.order = append(s.order, 0)
		s.last[0] = s.base + int64(len(s.groups)-1)
	}
	s.trim(len(s.groups) - len(s.panes))
}

// plan finds the steps, leaving out that panes have values, and returns how many
// entries they log.
func (a *aggregate) plan(f *fragment) (opened int) {
	s, room := a.slide, a.out.room()
	a.ends.window, a.ends.at = a.next, a.grid.End(a.next)
	at := s.base + int64(len(s.groups))
	for ; a.pane < len(f.panes); a.pane++ {
		first := f.panes[a.pane].First
		for {
			k, ok := a.due(first)
			if !ok {
				break
			}
			if len(a.windows) == room {
				return opened
			}
			a.windows, a.steps = append(a.windows, k), append(a.steps, stepShow)
			a.next = saturatingNext(k)
			a.evictPlanned()
		}
		if n := len(s.panes); n > 0 && s.panes[n-1].first == first {
			a.steps = append(a.steps, stepMerge)
			continue
		}
		s.push(livePane{first, at})
		a.steps = append(a.steps, stepOpen)
		at++
		opened++
	}
	return opened
}

// due returns the first window that holds something, if it ends at or before the
// position.
func (a *aggregate) due(pos int64) (int64, bool) {
	s, k := a.slide, a.next
	if len(s.panes) == 0 && a.form != rowPanes {
		return k, false
	}
	if k != a.ends.window {
		a.ends.window, a.ends.at = k, a.grid.End(k)
	}
	end := a.ends.at
	if end > pos {
		return k, false
	}
	if len(s.panes) > 0 && end <= s.panes[0].first {
		k = max(k, a.grid.First(s.panes[0].first))
		end = a.grid.End(k)
	}
	return k, end <= pos
}

// evictPlanned lets the panes go that the next window does not hold.
func (a *aggregate) evictPlanned() {
	s, start := a.slide, a.grid.Start(a.next)
	for len(s.panes) > 0 && s.panes[0].first < start {
		if s.flipped == 0 {
			s.flipped = len(s.panes)
		}
		s.flipped--
		s.panes = s.panes[1:]
		a.steps = append(a.steps, stepEvict)
	}
}

// putOut writes the windows whose values are in joined, leaving out those with a result
// out of range.
func (a *aggregate) putOut(n int) {
	lo := 0
	for i := range a.suspects(0, n) {
		if a.fits(i) {
			continue
		}
		a.writeWindows(lo, i)
		a.bounds = a.boundsOf(a.windows[i])
		a.fail(0, i)
		lo = i + 1
	}
	a.writeWindows(lo, n)
}

func (a *aggregate) writeWindows(lo, hi int) {
	if lo == hi {
		return
	}
	a.write(0, lo, hi-lo)
	b := a.out.batch()
	for j := len(a.calls); j < len(b.Cols); j++ {
		if !a.need[j] {
			continue
		}
		role := a.schema.Fields[j].Role
		out := b.Cols[j].I64[b.Len-(hi-lo) : b.Len]
		for i, k := range a.windows[lo:hi] {
			switch {
			case role == stream.WindowIndex:
				out[i] = k
			case role == stream.WindowStart:
				out[i] = a.grid.Start(k)
			case role == stream.WindowEnd:
				out[i] = a.grid.End(k)
			default:
				out[i] = a.grid.End(k) - 1
			}
		}
	}
}

// singlePass is one cell's way through the steps. Entries [head, tail) of the log are
// live, those before flipped are flipped; from is the next entry of the fragment.
type singlePass struct {
	steps               []slideStep
	head, flipped, tail int
	from                int
}

// runSingle takes the steps: log, front and back are the stacks (see slider), in is what the
// fragment holds, out gets the windows. plus combines older with newer rows.
func runSingle[T any](p *singlePass, log, in []T, front, back *T, out []T, plus func(older, newer T) T) {
	var zero T
	f, b, shown := *front, *back, 0
	for _, step := range p.steps {
		switch step {
		case stepOpen:
			log[p.tail] = in[p.from]
			b = plus(b, in[p.from])
			p.tail, p.from = p.tail+1, p.from+1
		case stepMerge:
			log[p.tail-1] = plus(log[p.tail-1], in[p.from])
			b = plus(b, in[p.from])
			p.from++
		case stepShow:
			out[shown] = plus(f, b)
			shown++
		case stepEvict:
			if p.head == p.flipped {
				for i := p.tail - 1; i >= p.head; i-- {
					f, log[i] = plus(log[i], f), f
				}
				b, p.flipped = zero, p.tail
			}
			f = log[p.head]
			p.head++
		}
	}
	*front, *back = f, b
}

func (a *counts) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.n, src.(*counts).n, &front.(*counts).n[0], &back.(*counts).n[0], out.(*counts).n,
		func(x, y int64) int64 { return x + y })
}

func (a *intSums) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*intSums).s, &front.(*intSums).s[0], &back.(*intSums).s[0], out.(*intSums).s, intSum.plus)
}

func (a *floatSums) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*floatSums).s, &front.(*floatSums).s[0], &back.(*floatSums).s[0], out.(*floatSums).s, floatSum.plus)
}

func (a *extremes[T]) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*extremes[T]).s, &front.(*extremes[T]).s[0], &back.(*extremes[T]).s[0], out.(*extremes[T]).s,
		func(x, y extreme[T]) extreme[T] { return x.then(y, a.keep) })
}

func (a *boolExtremes) slide(p *singlePass, src, front, back, out accumulator) {
	a.extremes.slide(p, &src.(*boolExtremes).extremes, &front.(*boolExtremes).extremes, &back.(*boolExtremes).extremes, &out.(*boolExtremes).extremes)
}

func (a *textExtremes) slide(p *singlePass, src, front, back, out accumulator) {
	runSingle(p, a.s, src.(*textExtremes).s, &front.(*textExtremes).s[0], &back.(*textExtremes).s[0], out.(*textExtremes).s, a.then)
}
