package operator

import (
	"math"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/stream/window"
)

// paneRuns cuts a chunk, whose rows' positions ascend and lack base, where panes end.
func (s *aggregateScratch) paneRuns(c *Chunk, pos []int64, base int64) {
	f, grid := s.f, &s.a.grid
	gaps := grid.Size < grid.Slide
	for lo := 0; lo < c.Len; {
		n := len(f.panes)
		if at := pos[lo] + base; n == 0 || at > f.panes[n-1].Last {
			f.panes = append(f.panes, paneFragment{Pane: s.paneAt(at), from: f.entries, hole: gaps && !grid.Holds(at)})
			n++
			s.had = 0
		}
		hi := s.paneEnd(pos[:c.Len], lo, f.panes[n-1].Last-base)
		s.run(c, lo, hi)
		lo = hi
	}
}

// paneAt returns the pane that holds a position. Where panes are slides, the one after
// the last pane needs no division.
func (s *aggregateScratch) paneAt(pos int64) window.Pane {
	f, grid := s.f, &s.a.grid
	if n := len(f.panes); n > 0 && s.a.even && f.panes[n-1].Last <= math.MaxInt64-grid.Slide {
		p := window.Pane{First: f.panes[n-1].Last + 1, Last: f.panes[n-1].Last + grid.Slide}
		if pos <= p.Last {
			return p
		}
	}
	return grid.Pane(pos)
}

// paneScan is how many rows around the guess are looked through for a pane's end.
const paneScan = 64

// paneEnd returns the first row from lo on behind position last. Panes tend to have
// about as many rows as the one before, so that is where it looks first.
func (s *aggregateScratch) paneEnd(pos []int64, lo int, last int64) int {
	if pos[len(pos)-1] <= last {
		s.had += len(pos) - lo
		return len(pos)
	}
	hi := lo + s.size - s.had
	switch {
	case hi <= lo || hi >= len(pos):
		hi = window.Find(pos, lo, len(pos), last)
	case pos[hi-1] <= last && pos[hi] > last:
	default:
		from := max(lo, hi-paneScan)
		if pos[from] <= last && pos[min(hi+paneScan, len(pos)-1)] > last {
			hi = from + vec.FirstAbove(pos[from:], last)
		} else {
			hi = window.Find(pos, lo, len(pos), last)
		}
	}
	s.size, s.had = s.had+hi-lo, 0
	return hi
}

// addRuns adds a chunk's runs, without keys. The first may go on in the pane that the
// chunk before ended with; each has one entry.
func (s *aggregateScratch) addRuns(c *Chunk) {
	f := s.f
	first := f.entries - len(s.ends)
	for i, cell := range f.cells {
		cell.resize(f.entries)
		cell.addRuns(first, 0, s.ends, s.a.argument(c, i, cell))
	}
	if len(s.sets) == 0 {
		return
	}
	at := 0
	for i, end := range s.ends {
		for ; at < int(end); at++ {
			s.slots[at] = int32(first + i)
		}
	}
}
