package operator

import (
	"math"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// instantQueue is one input's rows that wait for their instant.
type instantQueue struct {
	parts    []*instantPart
	row      int    // the next one, in parts[0]
	at       [2]int // the next row left of each side there
	frontier int64  // least order of a row still to come
	last     int64  // order of the last row that came
	ended    bool
}

// order is what places a row among those of all inputs: its event time, without one
// its index.
func (p *instantPart) order(row int) int64 {
	if p.times != nil {
		return p.times[row]
	}
	return p.first + int64(row)
}

func (q *instantQueue) empty() bool { return len(q.parts) == 0 }

// least is the least order of a row that waits or is still to come.
func (q *instantQueue) least() int64 {
	switch {
	case !q.empty():
		return q.parts[0].order(q.row)
	case q.ended:
		return math.MaxInt64
	}
	return q.frontier
}

// put adds a part.
func (q *instantQueue) put(p *instantPart, timed bool) (kept bool) {
	if p.rows > 0 {
		q.parts = append(q.parts, p)
		q.last = p.order(p.rows - 1)
	}
	if timed {
		q.frontier = max(q.frontier, p.watermark)
	} else {
		q.frontier = p.first + int64(p.rows)
	}
	if p.rows > 0 {
		q.frontier = max(q.frontier, q.last)
	}
	q.ended = q.ended || p.ended
	return p.rows > 0
}

func (q *instantQueue) sizeBytes() (size int64) {
	for _, p := range q.parts {
		size += p.sizeBytes()
	}
	return size
}

// bound returns the order below which rows of input i may come: no other input can
// show one before them. When instants are event times, the rows of the last one wait
// until it is certain that all have come.
func (l *instantLane) bound(i int) int64 {
	bound := int64(math.MaxInt64)
	for j := range l.queues {
		q := &l.queues[j]
		b := q.least()
		switch {
		case j == i && l.fn.perTime && !q.ended:
			b = q.frontier
		case j == i || b == math.MaxInt64:
			continue
		case i < j:
			b++
		}
		bound = min(bound, b)
	}
	return bound
}

// drain evaluates the instants that are due.
func (l *instantLane) drain() error {
	for {
		i := l.firstQueue()
		if i < 0 {
			break
		}
		q, bound := &l.queues[i], l.bound(i)
		p := q.parts[0]
		for ; q.row < p.rows && p.order(q.row) < bound; q.row++ {
			if err := l.instant(p, q.row, &q.at, l.number(p, q.row)); err != nil {
				return err
			}
		}
		if q.row < p.rows {
			if l.firstQueue() == i {
				break
			}
			continue
		}
		q.parts[0] = nil
		q.parts, q.row, q.at = q.parts[1:], 0, [2]int{}
		l.fn.putPart(p)
	}
	l.frontier = math.MaxInt64
	for i := range l.queues {
		l.frontier = min(l.frontier, l.queues[i].least())
	}
	return nil
}

// firstQueue returns the input whose waiting row comes first, or -1.
func (l *instantLane) firstQueue() int {
	best := -1
	for i := range l.queues {
		if q := &l.queues[i]; !q.empty() && (best < 0 || q.least() < l.queues[best].least()) {
			best = i
		}
	}
	return best
}

// number returns the number of the row's instant, a new one unless it is the last.
func (l *instantLane) number(p *instantPart, row int) int32 {
	time := int64(0)
	if p.times != nil {
		time = p.times[row]
	}
	out := l.out
	if l.fn.perTime && out.instants > 0 && out.times[out.instants-1] == time {
		return int32(out.instants - 1)
	}
	out.times = append(out.times, time)
	out.instants++
	return int32(out.instants - 1)
}

func (q *instantQueue) snapshot(w *state.Writer) {
	w.Int(q.frontier)
	w.Int(q.last)
	w.Bool(q.ended)
	w.Int(int64(len(q.parts)))
	for i, p := range q.parts {
		if i == 0 {
			p.snapshot(w, q.row, q.at)
		} else {
			p.snapshot(w, 0, [2]int{})
		}
	}
}

func (q *instantQueue) restore(r *state.Reader, newLeft [2]func() *rowPart) {
	q.frontier, q.last, q.ended = r.Int(), r.Int(), r.Bool()
	for n := r.Count(1); n > 0; n-- {
		p := &instantPart{}
		p.restore(r, newLeft)
		q.parts = append(q.parts, p)
	}
}

func newQueues(inputs int, timed bool) []instantQueue {
	out := make([]instantQueue, inputs)
	for i := range out {
		if timed {
			out[i].frontier = stream.MinTime
		}
	}
	return out
}
