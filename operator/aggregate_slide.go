package operator

// Sliding windows without subtraction.
//
// A window is a run of panes and the next one drops some panes at its old end and
// takes some at its new end. Adding what comes is easy; taking away what goes is not:
// a minimum cannot be taken back, and floats that were added and subtracted leave
// rounding errors of values long gone. Two stacks answer that (the trick that makes a
// queue of two stacks), here for all groups at once and in place.
//
// The live panes stand in a log, oldest first, as entries (group, accumulator): what
// the pane's rows give for the group. The older panes are flipped, the newer ones not:
//
//	      oldest                                     newest
//	      |  p0   |  p1   |  p2   |   p3   |   p4   |
//	      '---- flipped ----------'---- not flipped '
//	group A  A0              A2       A3       A4
//
//	      front[A] = A0+A2            back[A] = A3+A4
//
// The value of the window is front[A] + back[A]. When p0 leaves, front[A] must become
// A2 alone. The entry knows: while flipping, panes are walked from the newest to the
// oldest and entry and front change places,
//
//	was = front[g];  front[g] = entry + was;  entry = was
//
// so that an entry of a flipped pane holds what front was without it, and its eviction
// is the assignment front[g] = entry. In the picture p0's entry of A holds A2 and p2's
// entry holds nothing.
//
// When the oldest pane is not flipped, no pane is, and all are flipped at once; back
// becomes empty. Each entry is added to the log once, to back once, flipped once and
// undone once: constant work per entry, whatever the aggregate, besides the one
// addition per group and window of its output. "+" combines older with newer rows and
// need not commute; nothing is ever subtracted.
//
// Invariants, between calls:
//
//  1. Positions of panes ascend; the first `flipped` panes are flipped.
//  2. For every group g: front[g] combines the original entries of g in flipped panes,
//     back[g] those in the others, each in pane order; no entry means the zero value.
//  3. An entry of g in a flipped pane holds the combination of g's original entries in
//     the flipped panes after it.
//  4. A pane has at most one entry per group; refs[g] is the number of g's entries, and
//     g is in order exactly if refs[g] > 0.
//  5. last[g] is the sequence number of g's newest entry (if it has one); numbers count
//     all entries ever logged, entry i of the log has number base+i.
//  6. order keeps groups in the order in which they became resident. When window k is
//     to be put out, those that are in windows k-1 and k come first in k-1's order, the
//     others by their first row in k: groups are appended when their first entry is
//     logged and taken out when their last entry is evicted, which happens between k-1
//     and k. A fresh window (window.Grid.Fresh) renews the order: by first row.
//
// A window closes only when all its rows are there, and no pane extends over an edge
// of a window. So when panes are flipped or evicted, none of them can get rows any more.
type slider struct {
	panes   []livePane
	buffer  []livePane // panes is a part of it
	flipped int
	groups  []int32       // log: each entry's group
	log     []accumulator // log: per cell
	base    int64
	last    []int64
	refs    []int32
	order   []int32
	front   []accumulator // by group
	slots   []int32
	listed  []bool // scratch of renew, by group; all false between calls
}

// livePane begins at a position and, in the log, at a sequence number.
type livePane struct{ first, from int64 }

func newSlider(cells []cell) *slider {
	s := &slider{}
	for _, c := range cells {
		s.log = append(s.log, c.empty.fresh())
		s.front = append(s.front, c.empty.fresh())
	}
	return s
}

// grow makes room for groups 0..n-1.
func (s *slider) grow(n int) {
	s.last, s.refs = resizeSlots(s.last, n), resizeSlots(s.refs, n)
	for _, f := range s.front {
		f.resize(n)
	}
}

// open begins a pane at a position, unless the newest begins there, and reports whether
// it did.
func (s *slider) open(first int64) bool {
	if n := len(s.panes); n > 0 && s.panes[n-1].first == first {
		return false
	}
	s.push(livePane{first, s.base + int64(len(s.groups))})
	return true
}

// push appends a pane. When it meets the buffer's end, panes move to its beginning if
// they are at most half of it.
func (s *slider) push(p livePane) {
	if n := len(s.panes); n == cap(s.panes) {
		if 2*n >= len(s.buffer) {
			s.buffer = make([]livePane, max(64, 4*n))
		}
		s.panes = s.buffer[:copy(s.buffer, s.panes)]
	}
	s.panes = append(s.panes, p)
}

// add merges entries from, from+1, .. of a fragment, which belong to the given groups,
// into the newest pane and into back.
func (s *slider) add(groups []int32, f *fragment, from int, back []accumulator) {
	opened := s.panes[len(s.panes)-1].from
	s.slots = resizeRaw(s.slots, len(groups))
	for i, g := range groups {
		if s.refs[g] == 0 || s.last[g] < opened {
			s.last[g] = s.base + int64(len(s.groups))
			s.groups = append(s.groups, g)
			if s.refs[g]++; s.refs[g] == 1 {
				s.order = append(s.order, g)
			}
		}
		s.slots[i] = int32(s.last[g] - s.base)
	}
	for c, log := range s.log {
		log.resize(len(s.groups))
		log.merge(s.slots, f.cells[c], from)
		back[c].merge(groups, f.cells[c], from)
	}
}

// span returns the log's entries of pane i.
func (s *slider) span(i int) (lo, hi int) {
	lo, hi = int(s.panes[i].from-s.base), len(s.groups)
	if i+1 < len(s.panes) {
		hi = int(s.panes[i+1].from - s.base)
	}
	return lo, hi
}

// evict forgets the oldest pane. It calls gone for every group that has no entry left;
// these are still in order, until compact.
func (s *slider) evict(back []accumulator, gone func(group int32)) {
	if s.flipped == 0 {
		s.flip(back)
	}
	lo, hi := s.span(0)
	groups := s.groups[lo:hi]
	for c, log := range s.log {
		log.undo(groups, lo, s.front[c])
	}
	for _, g := range groups {
		if s.refs[g]--; s.refs[g] == 0 {
			gone(g)
		}
	}
	s.panes = s.panes[1:]
	s.flipped--
	s.trim(hi)
}

// trim forgets the first hi entries of the log, which are no pane's, if they are most
// of it.
func (s *slider) trim(hi int) {
	if 2*hi >= len(s.groups) {
		s.groups = dropSlots(s.groups, hi)
		for _, log := range s.log {
			log.drop(hi)
		}
		s.base += int64(hi)
	}
}

// flip makes all panes flipped.
func (s *slider) flip(back []accumulator) {
	for i := len(s.panes) - 1; i >= 0; i-- {
		lo, hi := s.span(i)
		for c, log := range s.log {
			log.flip(s.groups[lo:hi], lo, s.front[c], back[c])
		}
	}
	s.flipped = len(s.panes)
}

// renew puts the groups in the order of their first entries.
func (s *slider) renew() {
	s.order = s.order[:0]
	s.listed = resizeSlots(s.listed, len(s.refs))
	lo, _ := s.span(0)
	for _, g := range s.groups[lo:] {
		if !s.listed[g] {
			s.listed[g] = true
			s.order = append(s.order, g)
		}
	}
	for _, g := range s.order {
		s.listed[g] = false
	}
}

// compact takes groups without entries out of order.
func (s *slider) compact() {
	kept := s.order[:0]
	for _, g := range s.order {
		if s.refs[g] > 0 {
			kept = append(kept, g)
		}
	}
	s.order = kept
}

// clear forgets everything at once.
func (s *slider) clear() {
	s.panes, s.flipped, s.groups, s.base, s.order = s.panes[:0], 0, s.groups[:0], 0, s.order[:0]
	s.last, s.refs = s.last[:0], s.refs[:0]
	for c := range s.log {
		s.log[c].resize(0)
		s.front[c].resize(0)
	}
}
