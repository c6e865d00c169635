package operator

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// noWindow is the number of the window after the last.
const noWindow = math.MaxInt64

// windowSide is one input of a window join: its buffered rows and where its windows
// lie among them. Windows are numbered by what pairs them across the sides: their end
// (time windows) or their index (ROWS windows).
//
// A raw side's rows are ordered by event time or stream index and window k covers
// orders [k*slide, k*slide+size). A carried side's rows are ordered by the window's
// number itself, which they carry as a column, and each run of equal ones is a window.
type windowSide struct {
	carried   bool
	timed     bool
	size      int64
	grid      window.Grid // raw
	numberCol int         // carried: the column of the number

	store *rowStore
	// frontier is the least order a later row can have.
	frontier int64
	ended    bool
	min      int64 // windows of lower number are done with
}

// newWindowSide finds the window of a side: a WindowOp among the steps, or columns by
// role in the relation.
func newWindowSide(side Side) (*windowSide, error) {
	rel := side.Output()
	w := rel.Window
	if w == nil || w.Kind.Instant() {
		return nil, fmt.Errorf("a window join needs a window that closes on both inputs")
	}
	s := &windowSide{carried: true, timed: w.Kind.Timed(), size: w.Size, frontier: math.MinInt64, min: math.MinInt64}
	filtered := false
	for _, op := range side.Steps {
		filtered = filtered || op.Kind == model.FilterOp && s.carried
		if op.Kind == model.WindowOp {
			s.carried, s.size = false, op.Window.Size
			s.grid = gridOf(op.Window)
		}
	}
	if filtered && !s.carried && !s.timed {
		return nil, fmt.Errorf("a ROWS window over filtered rows needs the filter in a pipeline of its own")
	}
	role := stream.WindowEnd
	if !s.timed {
		role, s.min = stream.WindowIndex, 0
	}
	if s.numberCol = rel.Schema.RoleIndex(role); s.carried && s.numberCol < 0 {
		return nil, fmt.Errorf("a relation that carries a window has no column %s", role)
	}
	if !s.timed && !s.carried {
		s.frontier = 0
	}
	return s, nil
}

func gridOf(w *model.Window) window.Grid {
	if w.Kind == model.Cumulate {
		return window.Cumulate(w.Slide, w.Size)
	}
	if w.Kind.Timed() {
		return window.Range(w.Size, w.Slide)
	}
	return window.Rows(w.Size, w.Slide)
}

// order says what the side's rows are ordered by.
func (s *windowSide) order() orderKind {
	switch {
	case s.carried:
		return orderColumn
	case s.timed:
		return orderTime
	}
	return orderIndex
}

// start returns where a raw time window begins.
func (s *windowSide) start(number int64) int64 { return s.grid.StartOf(number) }

// numberOf returns what pairs raw window k with one of the other side.
func (s *windowSide) numberOf(k int64) int64 {
	if s.timed {
		return s.grid.End(k)
	}
	return k
}

// firstAt returns the lowest raw window numbered at least n.
func (s *windowSide) firstAt(n int64) int64 {
	switch {
	case !s.timed:
		return n
	case n == math.MinInt64:
		return n
	}
	return s.grid.First(n - 1)
}

// next returns the number of the side's next window: exact when rows are buffered,
// else a lower bound on what is still to come. Rows that no window needs any more are
// forgotten on the way.
func (s *windowSide) next() int64 {
	if s.carried {
		return s.nextCarried()
	}
	floor := s.firstAt(s.min)
	for s.store.len() > 0 {
		at := s.store.order[s.store.head]
		k, last := max(floor, s.grid.First(at)), s.grid.Last(at)
		if k <= last {
			return s.possible(k)
		}
		s.store.head = s.store.search(s.store.head+1, s.grid.Start(last+1))
	}
	switch s.frontier {
	case math.MaxInt64:
		return noWindow
	case math.MinInt64:
		return s.min
	}
	return s.possible(max(floor, s.grid.First(s.frontier)))
}

// possible is the number of raw window k, noWindow if it can never fill.
func (s *windowSide) possible(k int64) int64 {
	if s.ended && !s.timed && s.grid.End(k) > s.frontier {
		s.store.head = s.store.rows.Len
		return noWindow
	}
	return s.numberOf(k)
}

func (s *windowSide) nextCarried() int64 {
	s.store.head = s.store.search(s.store.head, s.min)
	switch {
	case s.store.len() > 0:
		return s.store.order[s.store.head]
	case s.frontier == math.MaxInt64:
		return noWindow
	}
	return max(s.min, s.frontier)
}

// complete reports whether all rows of the window have come.
func (s *windowSide) complete(number int64) bool {
	switch {
	case s.carried:
		return s.frontier > number
	case s.timed:
		return s.frontier >= number
	}
	return s.frontier >= s.grid.End(number)
}

// rowsOf returns the positions of the window's rows. It is the side's next window.
func (s *windowSide) rowsOf(number int64) (from, to int) {
	first, end := number, number+1
	switch {
	case s.carried:
	case s.timed:
		first, end = s.start(number), number
	default:
		first, end = s.grid.Start(number), s.grid.End(number)
	}
	from = s.store.search(s.store.head, first)
	return from, s.store.search(from, end)
}

// skip says that windows of lower number are not needed any more.
func (s *windowSide) skip(number int64) { s.min = max(s.min, number) }

// advance takes a task's watermark and count after its rows were stored. Rows are in
// order, so the last one is a bound too.
func (s *windowSide) advance(t *Task) {
	s.ended = s.ended || t.End
	if n := len(s.store.order); n > 0 {
		s.frontier = max(s.frontier, s.store.order[n-1])
	}
	switch {
	case !s.timed && !s.carried:
		s.frontier = t.First + int64(t.Rows)
	case t.End:
		s.frontier = math.MaxInt64
	case !s.timed:
	case s.carried && t.Watermark > stream.MinTime && t.Watermark < stream.MaxTime:
		s.frontier = max(s.frontier, t.Watermark+1)
	default:
		s.frontier = max(s.frontier, t.Watermark)
	}
}

func (s *windowSide) snapshot(w *state.Writer) {
	w.Int(s.frontier)
	w.Bool(s.ended)
	w.Int(s.min)
	s.store.snapshot(w)
}

func (s *windowSide) restore(r *state.Reader) error {
	s.frontier, s.ended, s.min = r.Int(), r.Bool(), r.Int()
	return s.store.restore(r)
}

// targetWindow is the lowest window that can still give rows, or less when neither side
// has rows: windows whose ends never meet would be counted through for ever. Of an outer join
// each window with rows on the left gives some.
func targetWindow(sides [2]*windowSide, outer bool) int64 {
	if outer {
		number := sides[0].next()
		sides[1].skip(number)
		sides[1].next() // forgets what no window needs
		return number
	}
	for {
		l, r := sides[0].next(), sides[1].next()
		number := max(l, r)
		if l == r || sides[0].store.len()+sides[1].store.len() == 0 {
			return number
		}
		sides[0].skip(number)
		sides[1].skip(number)
	}
}

// nextWindow returns the next window if both sides have all of it.
func nextWindow(sides [2]*windowSide, outer bool) (number int64, ok bool) {
	number = targetWindow(sides, outer)
	if outer {
		right := sides[1].complete(number) || sides[1].ended
		return number, number != noWindow && sides[0].store.len() > 0 && sides[0].complete(number) && right
	}
	ok = number != noWindow && sides[0].store.len() > 0 && sides[1].store.len() > 0 &&
		sides[0].complete(number) && sides[1].complete(number)
	return number, ok
}

// joinWatermark is what the next pair's window_time cannot be below.
func joinWatermark(sides [2]*windowSide, outer bool) int64 {
	number := targetWindow(sides, outer)
	switch {
	case number == noWindow || sides[0].ended && sides[1].ended:
		return stream.MaxTime
	case !sides[0].timed || number == stream.MinTime:
		return stream.MinTime
	}
	return number - 1
}

// wantsSide reports whether a side of which size bytes are kept can take more rows.
func wantsSide(sides [2]*windowSide, outer bool, input int, size int64) bool {
	side, other := sides[input], sides[1-input]
	if other.ended || size <= bufferSoftBytes {
		return true
	}
	return !side.complete(targetWindow(sides, outer))
}
