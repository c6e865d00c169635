package operator

import (
	"cmp"
	"slices"

	"github.com/millrace/millrace/stream"
)

// session is the open session of a partition. Its rows are a chain in the lane's rows,
// oldest first.
type session struct {
	key         string
	start, last int64
	head, tail  int32
	older       *session // neighbours by the time of the last row
	newer       *session
}

// sessionLane is a lane's open sessions and their rows. Rows that have been put out stay
// in their places until compact; seq of them is -1.
type sessionLane struct {
	fn     *sessions
	byKey  map[string]*session
	oldest *session
	newest *session
	free   []*session

	rows, spare *stream.Batch
	seq         []int64 // place in the input
	next        []int32 // following row of the session; -1: none
	gone        int
	ended       []*session // scratch: by the task being worked on
	sel         []int32    // scratch
	moved       []int32    // scratch: by row
}

func newSessionLane(f *sessions) *sessionLane {
	return &sessionLane{fn: f, byKey: map[string]*session{}, rows: stream.NewBatch(f.in.schema, f.in.stored), spare: stream.NewBatch(f.in.schema, f.in.stored)}
}

// sessionResult is what a task has ended in a lane: rows with their windows, by (end,
// start, place in the input).
type sessionResult struct {
	rows                     *stream.Batch
	ends, starts, times, seq []int64
	at                       int
	part                     *sessionPart
	frontier, sizeBytes      int64
}

func (r *sessionResult) reset() {
	clearBatch(r.rows)
	r.ends, r.starts, r.times, r.seq, r.at = r.ends[:0], r.starts[:0], r.times[:0], r.seq[:0], 0
}

// before reports whether row i stands before the next row of another result.
func (r *sessionResult) before(i int, o *sessionResult) bool {
	return cmp.Or(cmp.Compare(r.ends[i], o.ends[o.at]), cmp.Compare(r.starts[i], o.starts[o.at]), cmp.Compare(r.seq[i], o.seq[o.at])) < 0
}

// add takes the lane's rows of a task into their sessions.
func (l *sessionLane) add(p *sessionPart, own []int32) {
	l.compact()
	at := l.rows.Len
	l.rows.AppendSelected(p.rows.rows, own)
	times := p.rows.rows.Cols[l.fn.time].I64
	for n, i := range own {
		row := int32(at + n)
		l.seq, l.next = append(l.seq, p.rows.order[i]), append(l.next, -1)
		l.enter(p.keys.at(int(i)), times[i], row)
	}
}

// enter puts a row into its partition's session, or begins one.
func (l *sessionLane) enter(key []byte, time int64, row int32) {
	s := l.byKey[string(key)]
	if s != nil && time >= saturatingEnd(s.last, l.fn.gap) {
		l.end(s)
		s = nil
	}
	if s == nil {
		s = l.begin(string(key), time, row)
	} else {
		l.next[s.tail] = row
		l.unlink(s)
	}
	s.last, s.tail = time, row
	if s.older = l.newest; s.older != nil {
		s.older.newer = s
	} else {
		l.oldest = s
	}
	l.newest = s
}

func (l *sessionLane) begin(key string, time int64, row int32) *session {
	var s *session
	if n := len(l.free); n > 0 {
		s, l.free = l.free[n-1], l.free[:n-1]
	} else {
		s = &session{}
	}
	*s = session{key: key, start: time, head: row}
	l.byKey[key] = s
	return s
}

func (l *sessionLane) unlink(s *session) {
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		l.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		l.newest = s.older
	}
	s.older, s.newer = nil, nil
}

// end takes a session out of those that are open.
func (l *sessionLane) end(s *session) {
	l.unlink(s)
	delete(l.byKey, s.key)
	l.ended = append(l.ended, s)
}

// close puts out the sessions that have ended at the frontier.
func (l *sessionLane) close(frontier int64, r *sessionResult) {
	for s := l.oldest; s != nil && saturatingEnd(s.last, l.fn.gap) <= frontier; s = l.oldest {
		l.end(s)
	}
	slices.SortFunc(l.ended, compareSessions)
	l.sel = l.sel[:0]
	for i := 0; i < len(l.ended); {
		from, same := len(l.sel), i+1
		for ; same < len(l.ended) && l.ended[same].last == l.ended[i].last && l.ended[same].start == l.ended[i].start; same++ {
		}
		for _, s := range l.ended[i:same] {
			l.putOut(s, r)
		}
		if same > i+1 { // sessions of several partitions are one window
			slices.SortFunc(l.sel[from:], func(a, b int32) int { return cmp.Compare(l.seq[a], l.seq[b]) })
		}
		i = same
	}
	r.rows.AppendSelected(l.rows, l.sel)
	for _, row := range l.sel {
		r.seq = append(r.seq, l.seq[row])
		l.seq[row] = -1
	}
	l.gone += len(l.sel)
	l.free = append(l.free, l.ended...)
	l.ended = l.ended[:0]
}

func compareSessions(a, b *session) int {
	return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.start, b.start))
}

// putOut selects a session's rows and notes their window.
func (l *sessionLane) putOut(s *session, r *sessionResult) {
	end := saturatingEnd(s.last, l.fn.gap)
	for row := s.head; row >= 0; row = l.next[row] {
		l.sel = append(l.sel, row)
		r.ends, r.starts, r.times = append(r.ends, end), append(r.starts, s.start), append(r.times, end-1)
	}
}

// compact moves the rows of open sessions together when more than half are others.
func (l *sessionLane) compact() {
	if l.gone == l.rows.Len {
		clearBatch(l.rows)
		l.seq, l.next, l.gone = l.seq[:0], l.next[:0], 0
		return
	}
	if l.gone < storeCompactRows || l.gone < l.rows.Len-l.gone {
		return
	}
	l.sel, l.moved = l.sel[:0], resizeRaw(l.moved, l.rows.Len)
	for i, seq := range l.seq {
		l.moved[i] = int32(len(l.sel))
		if seq >= 0 {
			l.sel = append(l.sel, int32(i))
		}
	}
	l.spare.AppendSelected(l.rows, l.sel)
	l.rows, l.spare = l.spare, l.rows
	clearBatch(l.spare)
	for to, from := range l.sel {
		l.seq[to], l.next[to] = l.seq[from], l.next[from]
		if l.next[to] >= 0 {
			l.next[to] = l.moved[l.next[to]]
		}
	}
	for s := l.oldest; s != nil; s = s.newer {
		s.head, s.tail = l.moved[s.head], l.moved[s.tail]
	}
	l.seq, l.next, l.gone = l.seq[:len(l.sel)], l.next[:len(l.sel)], 0
}

// sizeBytes is what the lane's rows and open sessions occupy.
func (l *sessionLane) sizeBytes() int64 {
	const perRow, perSession = 12, 160
	return int64(l.rows.SizeBytes() + perRow*l.rows.Len + perSession*len(l.byKey))
}

func (l *sessionLane) checkText() error {
	for c := range l.rows.Cols {
		if n := len(l.rows.Cols[c].Bytes); n > storeTextBytesMax {
			return textError("session buffer", int64(n))
		}
	}
	return nil
}
