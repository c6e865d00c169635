package operator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Session windows: rows of a partition that follow each other by less than the gap.
//
//	task ──Batch──▶ part ──Lane 0──▶ rows of sessions that have ended, ─┐
//	 (workers)  rows left, their │    by (end, start, place in the input) │
//	            partition, lane  └─Lane 1──▶ ..  (its partitions only)    │
//	                                              Assemble, Next: merge ◀─┘
//
// A session ends when a row at or behind last + gap can no longer belong to it: its own
// partition has one, or the frontier - the watermark, or the last row's time if that is
// later - is there. A lane keeps its open sessions in the order of their last rows, so
// those that end are found at the front, however many partitions there are.
//
// Invariants:
//
//  1. After a task with frontier f, open sessions end behind f, and every session that
//     ends at or before f has been put out: results are ordered by (end, start) across
//     tasks, wherever these are cut.
//  2. A lane owns the rows of its buckets; the bucket is a function of the partition.
//  3. The state is the rows of open sessions in their order, and the frontier. Sessions
//     follow from the rows and are built again by Restore, in any number of lanes.
type sessions struct {
	env   Env
	op    *model.Operator
	in    *intake
	gap   int64
	time  int   // column of event time
	keys  []int // columns of the partition
	cols  []roleColumn
	lanes []*sessionLane

	frontier int64
	merging  []*sessionResult // by lane: what the task has ended
	out      outputs
	parts    sync.Pool
	results  sync.Pool
}

// newSessions returns the function of a session window, the last step of the side.
func newSessions(env Env, side Side, op *model.Operator, need []bool) (Function, error) {
	w := op.Window
	side.Steps = side.Steps[:len(side.Steps)-1]
	in := side.Output()
	if in.Time < 0 || w.Size <= 0 {
		return nil, fmt.Errorf("%s: a session window of gap %d needs event time", op.Name, w.Size)
	}
	f := &sessions{env: env, op: op, gap: w.Size, time: in.Time, keys: w.PartitionBy, frontier: stream.MinTime, out: newOutputs(env, op.Relation.Schema, need)}
	reads := allOf(in.Schema.Len())
	if need != nil {
		reads = slices.Clone(need[:in.Schema.Len()])
	}
	reads[f.time] = true
	for _, k := range f.keys {
		reads[k] = true
	}
	for c, field := range op.Relation.Schema.Fields[in.Schema.Len():] {
		if c += in.Schema.Len(); need == nil || need[c] {
			f.cols = append(f.cols, roleColumn{c, field.Role})
		}
	}
	var err error
	if f.in, err = newIntake(op.ID, side, reads, nil, nil, orderIndex, -1); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	n := 1
	if len(f.keys) > 0 {
		n = min(max(env.Lanes, 1), KeyBuckets)
	}
	for range n {
		f.lanes = append(f.lanes, newSessionLane(f))
	}
	return f, nil
}

// sessionPart is what a task has for the lanes, which only read it.
type sessionPart struct {
	rows     *rowPart // order is the place in the input
	keys     texts    // partition of each row
	own      [][]int32
	frontier int64
	hash     []uint64
}

func (f *sessions) NewScratch() Scratch { return f.in.newScratch() }

func (f *sessions) Batch(t *Task, s Scratch) (Partial, error) {
	rows, failed, err := f.in.run(t, s.(*intakeScratch))
	if err != nil {
		return Partial{}, err
	}
	p := f.newPart(rows)
	p.frontier = t.Watermark
	if n := rows.rows.Len; n > 0 {
		p.frontier = max(p.frontier, rows.rows.Cols[f.time].I64[n-1])
	}
	if t.End {
		p.frontier = stream.MaxTime
	}
	return Partial{Value: p, Errors: failed}, nil
}

// newPart finds the partition and lane of every row.
func (f *sessions) newPart(rows *rowPart) *sessionPart {
	p, ok := f.parts.Get().(*sessionPart)
	if !ok {
		p = &sessionPart{own: make([][]int32, len(f.lanes))}
	}
	p.rows = rows
	p.keys.reset()
	for i := range p.own {
		p.own[i] = p.own[i][:0]
	}
	n := rows.rows.Len
	p.hash = resize(p.hash, n)
	clear(p.hash)
	for _, c := range f.keys {
		hashColumn(p.hash, &rows.rows.Cols[c], n)
	}
	for i := range n {
		for _, c := range f.keys {
			p.keys.bytes = appendKeyValue(p.keys.bytes, &rows.rows.Cols[c], i)
		}
		p.keys.end()
		lane := p.hash[i] % KeyBuckets % uint64(len(f.lanes))
		p.own[lane] = append(p.own[lane], int32(i))
	}
	return p
}

func (f *sessions) putPart(p *sessionPart) {
	f.in.put(p.rows)
	p.rows = nil
	f.parts.Put(p)
}

// Lanes implements Keyed.
func (f *sessions) Lanes() int { return len(f.lanes) }

// Lane implements Keyed.
func (f *sessions) Lane(lane int, _ *Task, partial Partial) (any, error) {
	l, p := f.lanes[lane], partial.Value.(*sessionPart)
	r, ok := f.results.Get().(*sessionResult)
	if !ok {
		r = &sessionResult{rows: stream.NewBatch(f.in.schema, f.in.stored)}
	}
	r.reset()
	l.add(p, p.own[lane])
	l.close(p.frontier, r)
	r.part, r.frontier, r.sizeBytes = p, p.frontier, l.sizeBytes()
	return r, l.checkText()
}

func (f *sessions) Assemble(_ *Task, partial Partial) error {
	size := int64(0)
	f.merging = f.merging[:0]
	for _, v := range partial.Value.([]any) {
		r := v.(*sessionResult)
		f.merging = append(f.merging, r)
		size += r.sizeBytes
		f.frontier = max(f.frontier, r.frontier)
	}
	f.putPart(f.merging[0].part)
	return f.env.bounded("session buffer", size)
}

// Next merges what the lanes have ended.
func (f *sessions) Next() (*stream.Batch, error) {
	for {
		room := f.out.room()
		if room == 0 {
			break
		}
		first, second := f.heads()
		if first == nil {
			for _, r := range f.merging {
				r.part = nil
				f.results.Put(r)
			}
			f.merging = f.merging[:0]
			break
		}
		n := 1
		for n < room && first.at+n < len(first.ends) && (second == nil || first.before(first.at+n, second)) {
			n++
		}
		f.put(first, n)
	}
	return f.out.take(), nil
}

// heads returns the lanes' results whose next rows stand before those of the others.
func (f *sessions) heads() (first, second *sessionResult) {
	for _, r := range f.merging {
		switch {
		case r.at == len(r.ends):
		case first == nil:
			first = r
		case r.before(r.at, first):
			first, second = r, first
		case second == nil || r.before(r.at, second):
			second = r
		}
	}
	return first, second
}

// put adds the next n rows of a result to the output.
func (f *sessions) put(r *sessionResult, n int) {
	out, to := f.out.batch(), r.at+n
	for c := range r.rows.Cols {
		if dst := &out.Cols[c]; !dst.Absent() {
			dst.AppendRange(&r.rows.Cols[c], r.at, to, out.Len)
		}
	}
	for _, c := range f.cols {
		src := stream.Column{Type: stream.Timestamp, I64: r.ends}
		switch c.role {
		case stream.WindowStart:
			src.I64 = r.starts
		case stream.WindowTime:
			src.I64 = r.times
		}
		out.Cols[c.column].AppendRange(&src, r.at, to, out.Len)
	}
	out.Len += n
	r.at = to
}

// Watermark is the frontier: what is open ends behind it.
func (f *sessions) Watermark() int64 { return f.frontier }

func (f *sessions) Wants(int) bool         { return true }
func (f *sessions) TakeErrors() []ErrorRow { return nil }

// Offload implements Offloader: rows in front of the window.
func (f *sessions) Offload(int) (Offload, error) { return f.in.chain.Offload() }

// Discard implements Releaser; partial results hold nothing of the pool.
func (f *sessions) Discard(Partial) {}

// Close implements Releaser.
func (f *sessions) Close() { f.out.close() }

func (f *sessions) Snapshot(w *state.Writer) {
	w.Int(f.out.rows)
	w.Int(f.frontier)
	type place struct {
		lane *sessionLane
		row  int
	}
	var open []place
	for _, l := range f.lanes {
		for i, seq := range l.seq {
			if seq >= 0 {
				open = append(open, place{l, i})
			}
		}
	}
	slices.SortFunc(open, func(a, b place) int { return cmp.Compare(a.lane.seq[a.row], b.lane.seq[b.row]) })
	all := stream.NewBatch(f.in.schema, f.in.stored)
	for _, p := range open {
		all.AppendRange(p.lane.rows, p.row, p.row+1)
	}
	w.Batch(all, 0, all.Len)
	for _, p := range open {
		w.Int(p.lane.seq[p.row])
	}
}

func (f *sessions) Restore(r *state.Reader) error {
	f.out.rows, f.frontier = r.Int(), r.Int()
	rows := f.in.getPart()
	r.Batch(rows.rows)
	for range rows.rows.Len {
		if r.Err() != nil {
			return r.Err()
		}
		rows.order = append(rows.order, r.Int())
	}
	if err := r.End(); err != nil {
		return err
	}
	p := f.newPart(rows)
	for i, l := range f.lanes {
		l.add(p, p.own[i])
	}
	f.putPart(p)
	return nil
}

// saturatingEnd is where a session whose last row is at a time ends.
func saturatingEnd(last, gap int64) int64 {
	if last > math.MaxInt64-gap {
		return math.MaxInt64
	}
	return last + gap
}
