// Package window is the arithmetic of windows: which windows hold a position, where
// the panes between their edges lie, and what part of a window a task has. Positions
// are microseconds of event time for RANGE windows and row indexes for ROWS windows.
//
// Everything here is a pure function of numbers. Results that would leave int64 stay
// at its ends: an edge beyond them is the end itself, so that comparisons keep their
// meaning.
package window

import "math"

// Grid is a family of windows of one size, Slide apart: window k covers the positions
// [k*Slide, k*Slide+Size). Size and Slide are positive. Lowest is the number of the
// first window that exists.
//
// A grid that grows has other windows: window k ends at (k+1)*Slide and begins at the
// multiple of Size before that, so that the windows of one beginning grow by Slide until
// they have Size, which is a multiple of Slide.
type Grid struct {
	Size, Slide int64
	Lowest      int64
	Grows       bool
}

// Range returns the windows of [RANGE size SLIDE slide]: k is any integer.
func Range(sizeMicros, slideMicros int64) Grid {
	return Grid{Size: sizeMicros, Slide: slideMicros, Lowest: math.MinInt64}
}

// Cumulate returns the windows of CUMULATE(step, max): k is any integer.
func Cumulate(stepMicros, maxMicros int64) Grid {
	return Grid{Size: maxMicros, Slide: stepMicros, Lowest: math.MinInt64, Grows: true}
}

// Rows returns the windows of [ROWS size SLIDE slide]: k counts from 0.
func Rows(size, slide int64) Grid { return Grid{Size: size, Slide: slide} }

// Start returns the first position of window k.
func (g Grid) Start(k int64) int64 {
	if g.Grows {
		q, _ := floorDiv(k, g.Slides())
		return mul(q, g.Size)
	}
	return mul(k, g.Slide)
}

// StartOf returns the first position of the window that ends at a position.
func (g Grid) StartOf(end int64) int64 {
	if g.Grows {
		q, _ := floorDiv(sub(end, 1), g.Size)
		return mul(q, g.Size)
	}
	return end - g.Size
}

// End returns the position behind window k.
func (g Grid) End(k int64) int64 {
	if g.Grows {
		return mul(add(k, 1), g.Slide)
	}
	start := mul(k, g.Slide)
	if start == math.MinInt64 {
		// The start may have been cut: come from the multiple of Slide behind the end.
		q, r := floorDiv(g.Size, g.Slide)
		return sub(mul(add(add(k, q), 1), g.Slide), g.Slide-r)
	}
	return add(start, g.Size)
}

// First returns the lowest window that ends behind position p. It holds p unless the
// windows leave gaps; see Holds.
func (g Grid) First(p int64) int64 {
	if g.Grows {
		k, _ := floorDiv(p, g.Slide)
		return k
	}
	// floor((p-size)/slide) + 1, without forming p-size.
	qp, rp := floorDiv(p, g.Slide)
	qs, rs := floorDiv(g.Size, g.Slide)
	if rp >= rs {
		qs--
	}
	return max(sub(qp, qs), g.Lowest)
}

// Last returns the highest window that starts at or before position p.
func (g Grid) Last(p int64) int64 {
	if g.Grows {
		k, _ := floorDiv(p, g.Slide)
		_, step := floorDiv(k, g.Slides())
		return add(k, g.Slides()-1-step)
	}
	k, _ := floorDiv(p, g.Slide)
	return k
}

// Slides is the number of windows that hold a position, or more: Size/Slide rounded up.
func (g Grid) Slides() int64 {
	n := g.Size / g.Slide
	if g.Size%g.Slide != 0 {
		n++
	}
	return n
}

// Fresh reports whether the order of groups begins anew in window k: every Slides
// windows, so that no order depends on rows further back than two sizes.
func (g Grid) Fresh(k int64) bool { return k%g.Slides() == 0 }

// Holds reports whether any window holds position p.
func (g Grid) Holds(p int64) bool { return g.First(p) <= g.Last(p) }

// Overlaps reports whether a position can be in more than one window.
func (g Grid) Overlaps() bool { return g.Size > g.Slide }

// Pane is a longest run of positions that no window's edge divides: First and Last
// are both in it. All positions of a pane are in the same windows. There are at most
// two panes per slide.
type Pane struct{ First, Last int64 }

// Pane returns the pane that holds position p.
func (g Grid) Pane(p int64) Pane {
	// Edges lie at remainder 0 (starts) and at remainder size mod slide (ends).
	q, r := floorDiv(p, g.Slide)
	base := mul(q, g.Slide)
	from, to := int64(0), g.Slide
	if edge := g.Size % g.Slide; g.Size < g.Slide || edge != 0 {
		if r < edge {
			to = edge
		} else {
			from = edge
		}
	}
	if base == math.MinInt64 {
		return Pane{sub(p, r-from), add(p, to-1-r)}
	}
	return Pane{add(base, from), add(base, to-1)}
}

// Part tells which edges of a window lie inside a task.
type Part uint8

// The parts. A task that covers positions [from, to) has of a window its beginning
// (Opening), its end (Closing), a stretch without an edge (Pending), all of it
// (Complete), or nothing (Outside).
const (
	Outside Part = iota
	Opening
	Closing
	Pending
	Complete
)

func (p Part) String() string {
	return [...]string{"outside", "opening", "closing", "pending", "complete"}[p]
}

// Part returns what a task over the positions [from, to) has of window k.
func (g Grid) Part(k, from, to int64) Part {
	start, end := g.Start(k), g.End(k)
	switch opens, closes := start >= from, end <= to; {
	case start >= to || end <= from:
		return Outside
	case opens && closes:
		return Complete
	case opens:
		return Opening
	case closes:
		return Closing
	default:
		return Pending
	}
}

// Find returns the first index in [lo, hi) of the ascending positions whose value is
// above last, or hi: where a pane ends. Short runs are scanned, long ones galloped
// over.
func Find(positions []int64, lo, hi int, last int64) int {
	positions = positions[:hi]
	for n := 0; n < 16; n++ {
		if lo >= hi || positions[lo] > last {
			return lo
		}
		lo++
	}
	step := 16
	for lo+step < hi && positions[lo+step] <= last {
		lo += step
		step *= 2
	}
	for hi = min(hi, lo+step); lo < hi; {
		m := int(uint(lo+hi) >> 1)
		if positions[m] <= last {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// floorDiv returns the quotient rounded down and the remainder in [0, b); b > 0.
func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

func add(a, b int64) int64 {
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

func sub(a, b int64) int64 {
	s := a - b
	switch {
	case a >= 0 && b < 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// mul multiplies with b > 0.
func mul(a, b int64) int64 {
	s := a * b
	if a > -1<<32 && a < 1<<32 && b < 1<<31 {
		return s
	}
	if a != 0 && (s/b != a || (a < 0) != (s < 0)) {
		if a < 0 {
			return math.MinInt64
		}
		return math.MaxInt64
	}
	return s
}
