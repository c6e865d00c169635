package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// instantLane is one owner's share of a per-instant region: the contents of the
// windows for its buckets, and its groups.
type instantLane struct {
	fn    *instant
	id    int
	sides []*laneSide
	keys  *keyIDs
	begun bool // there has been an instant
	// queues are the inputs' rows that wait, if they have to; then there is one lane.
	queues []instantQueue
	// frontier is the least event time of an instant still to come.
	frontier int64

	plus, minus candidates
	eval        *instantEval
	groups      *instantGroups // nil: no aggregate
	out         *laneResult
	restoring   bool
}

// candidates are rows, or pairs of rows, that appear or vanish at an instant if they
// pass the rest of the region.
type candidates struct {
	instant []int32
	pairs   [2][]int32
}

func (c *candidates) reset() {
	c.instant, c.pairs[0], c.pairs[1] = c.instant[:0], c.pairs[0][:0], c.pairs[1][:0]
}

// laneResult is what a lane made of a task.
type laneResult struct {
	part        *instantPart // to be given back; nil if the lane keeps it
	times       []int64      // event time of each instant
	instants    int
	plus, minus *changes
	errors      []laneError
	watermark   int64
	full        [2]bool // the input is past its soft limit and waits for the other
	sizeBytes   int64
}

// laneError is a failed row and the instant at which it came.
type laneError struct {
	instant int32
	row     ErrorRow
}

// instant evaluates instant k: row i of a part comes. at are the places of the next
// rows left of each side.
func (l *instantLane) instant(p *instantPart, i int, at *[2]int, k int32) error {
	l.begin(k)
	time := int64(0)
	if p.times != nil {
		time = p.times[i]
	}
	for s := range l.sides {
		l.expire(s, p, i, time, k)
	}
	for s := range l.sides {
		l.enter(s, p, i, &at[s], time, k)
	}
	if len(l.plus.instant) >= ChunkRows || len(l.minus.instant) >= ChunkRows {
		return l.flush()
	}
	return nil
}

// begin makes an aggregate without keys have its row from the first instant on.
func (l *instantLane) begin(k int32) {
	if !l.begun && l.groups != nil {
		l.groups.begin(k)
	}
	l.begun = true
}

// expire takes out of a window the rows that are too old at this instant.
func (l *instantLane) expire(s int, p *instantPart, i int, time int64, k int32) {
	side := l.sides[s]
	part := p.sides[s]
	switch w := side.window; w.Kind {
	case model.RangeInstant:
		for row := side.oldest(); row >= 0 && side.time[row] <= time-w.Size; row = side.oldest() {
			l.leave(s, row, k)
		}
	case model.RowsInstant:
		if part == nil {
			return
		}
		for row := side.oldest(); row >= 0 && side.index[row] <= p.first+int64(i)-w.Size; row = side.oldest() {
			l.leave(s, row, k)
		}
	case model.PartitionRows:
		if part == nil || !l.owns(part.homes[i]) {
			return
		}
		home := side.partitions[string(part.partitions.at(i))]
		side.home = home
		if home == nil || int64(len(home.rows)) < w.Size {
			return
		}
		if row := home.rows[0].row; row >= 0 {
			l.leave(s, row, k)
		}
		home.rows = home.rows[:copy(home.rows, home.rows[1:])]
	}
}

func (l *instantLane) owns(bucket uint16) bool { return int(bucket)%l.fn.lanes == l.id }

// enter puts the row into a window.
func (l *instantLane) enter(s int, p *instantPart, i int, at *int, time int64, k int32) {
	part, side := p.sides[s], l.sides[s]
	if part == nil {
		return
	}
	index, row := p.first+int64(i), int32(-1)
	if *at < len(part.left.order) && part.left.order[*at] == index {
		if l.owns(part.buckets[*at]) {
			key := int32(0)
			if l.keys != nil {
				key = l.keys.take(part.keys.at(*at))
			}
			row = side.add(part.left.rows, *at, index, time, part.buckets[*at], key)
			l.meet(s, row, k, &l.plus)
		}
		*at++
	}
	if side.partitions != nil && l.owns(part.homes[i]) {
		home := side.home
		if home == nil {
			home = &partition{bucket: part.homes[i]}
			side.partitions[string(part.partitions.at(i))] = home
		}
		home.rows = append(home.rows, partitionRow{index, row})
	}
}

func (l *instantLane) leave(s int, row, k int32) {
	l.meet(s, row, k, &l.minus)
	side := l.sides[s]
	side.remove(row)
	if l.keys != nil {
		l.keys.give(side.key[row])
	}
}

// meet notes what a row that comes or goes makes come or go: itself, or its pairs with
// the other window's rows of its key.
func (l *instantLane) meet(s int, row, k int32, to *candidates) {
	if len(l.sides) == 1 {
		to.instant, to.pairs[0] = append(to.instant, k), append(to.pairs[0], row)
		return
	}
	other := l.sides[1-s]
	for match := other.first(l.sides[s].key[row]); match >= 0; match = other.next[match] {
		to.instant = append(to.instant, k)
		to.pairs[s], to.pairs[1-s] = append(to.pairs[s], row), append(to.pairs[1-s], match)
	}
}

// flush evaluates the candidates so far.
func (l *instantLane) flush() error {
	for _, sign := range []struct {
		from *candidates
		gone bool
	}{{&l.plus, false}, {&l.minus, true}} {
		to := l.out.plus
		if sign.gone {
			to = l.out.minus
		}
		if l.groups != nil {
			to = l.groups.incoming(sign.gone)
		}
		l.eval.run(l, sign.from, to, sign.gone)
		sign.from.reset()
	}
	if l.groups != nil {
		l.groups.apply()
	}
	return nil
}

// finish ends the work on a task.
func (l *instantLane) finish() (*laneResult, error) {
	if err := l.flush(); err != nil {
		return nil, err
	}
	if l.groups != nil {
		if err := l.groups.finish(l.out); err != nil {
			return nil, err
		}
	}
	out := l.out
	l.out = nil
	if l.fn.region.Emit.Emit != model.Rstream {
		out.plus.hashAll()
		out.minus.hashAll()
	}
	for _, s := range l.sides {
		s.compact()
		out.sizeBytes += s.sizeBytes()
	}
	if l.groups != nil {
		out.sizeBytes += l.groups.sizeBytes
	}
	return out, nil
}

// instantEval computes, from candidates, the columns behind the join: its residual
// condition, the filters and projections above it and the aggregate's keys and
// arguments. For a region of one side all of that was done in Batch.
type instantEval struct {
	chain   *Chain // nil: one side
	scratch *ChainScratch
	reads   []bool
	split   int
	cols    []stream.Column
}

// run evaluates candidates in chunks and appends what passes.
func (e *instantEval) run(l *instantLane, from *candidates, to *changes, gone bool) {
	for at := 0; at < len(from.instant); at += ChunkRows {
		end := min(at+ChunkRows, len(from.instant))
		instants := from.instant[at:end]
		left := from.pairs[0][at:end]
		if e.chain == nil {
			to.rows.AppendSelected(l.sides[0].rows, left)
			to.instant = append(to.instant, instants...)
			for _, row := range left {
				to.a, to.b = append(to.a, l.sides[0].index[row]), append(to.b, 0)
			}
			continue
		}
		e.pairs(l, instants, left, from.pairs[1][at:end], to, gone)
	}
}

func (e *instantEval) pairs(l *instantLane, instants, left, right []int32, to *changes, gone bool) {
	n := len(left)
	for c, read := range e.reads {
		if !read {
			continue
		}
		side, sel, column := l.sides[0], left, c
		if c >= e.split {
			side, sel, column = l.sides[1], right, c-e.split
		}
		src := &side.rows.Cols[column]
		e.cols[c].Reset(src.Type)
		e.cols[c].AppendSelected(src, sel, 0)
	}
	chunk := e.chain.runColumns(e.scratch, e.cols, n)
	if !gone && !l.restoring {
		for _, f := range e.scratch.errors {
			l.out.errors = append(l.out.errors, laneError{instants[f.pos], f.row})
		}
	}
	e.scratch.errors = e.scratch.errors[:0]
	if chunk.Len == 0 {
		return
	}
	chunk.AppendTo(to.rows, 0, chunk.Len)
	for _, p := range chunk.Positions() {
		to.instant = append(to.instant, instants[p])
		to.a = append(to.a, l.sides[0].index[left[p]])
		to.b = append(to.b, l.sides[1].index[right[p]])
	}
}

// runColumns sends up to ChunkRows rows that are already columns through the steps.
// Failures stay in the scratch.
func (c *Chain) runColumns(s *ChainScratch, cols []stream.Column, n int) *Chunk {
	s.begin(cols, n, 0)
	c.runChunk(s)
	return &s.chunk
}
