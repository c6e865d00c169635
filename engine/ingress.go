package engine

import (
	"fmt"
	"sort"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// ingress puts a source's rows in order, once. Decoded batches come in per partition in
// order; rows go out merged by (event time, partition, position), up to the watermark.
//
//	partition 0: [1 2 4 3 6]  --late?--> sorted run [1 2 3 4 6] --.
//	partition 1: [2 2 5]      --late?--> sorted run [2 2 5]     --+-- heap of run heads --> spans
//
// A row is late when its time is below the partition's watermark: the greatest earlier
// time of that partition minus the delay. A run that is in order already is passed on
// as spans of its batch, without copying; short spans (much interleaving) are copied
// together.
//
// Without event time the key of a row is its ordinal in its partition, so several
// partitions alternate; the watermark of a partition is the next ordinal.
//
// Invariants:
//  1. A run is sorted by key; equal keys keep position order.
//  2. What goes out has keys below the stream's watermark (with one partition: not
//     above it), so nothing that comes later belongs before it.
//  3. Lateness depends on the partition's earlier rows only, never on batches or time -
//     except for a partition that was idle: while it is silent the stream's watermark
//     goes on without it, and what it brings afterwards from before is late by the clock.
type ingress struct {
	timed    bool
	timeCol  int
	delay    int64
	jump     int64
	parts    []partition
	heap     []*sortedRun
	bytes    int64
	bytesMax int64
	fills    *operator.Fills
	pool     *stream.Pool
	schema   *stream.Schema
	need     []bool
	passed   int64         // the watermark so far; it never goes back
	gathered *stream.Batch // short spans copied together, not yet handed out
	idle     []*sortedRun  // to be used again; no more than were ever in the heap
}

type partition struct {
	maxTime  int64 // greatest event time so far; stream.MinTime before the first row
	ordinal  int64 // rows so far (keys of a stream without event time)
	sequence int64 // runs so far
	floor    int64 // the stream's watermark when the partition came back from idleness
	ended    bool
	idle     bool
}

type sortedRun struct {
	batch     *stream.Batch
	keys      []int64 // nil: rows come in the order of their batches
	base      int64   // to be added to the keys
	at        int     // first row not yet out
	partition int
	sequence  int64
	bytes     int64
}

func newIngress(op *model.Operator, partitions int, need []bool, pool *stream.Pool, bytesMax int64, fills *operator.Fills) *ingress {
	in := &ingress{
		timed: op.Relation.Time >= 0, timeCol: op.Relation.Time,
		delay: op.Source.WatermarkDelayMicros, jump: op.Source.MaxJumpMicros,
		parts: make([]partition, partitions), bytesMax: bytesMax, fills: fills,
		pool: pool, schema: op.Relation.Schema, need: need,
	}
	for i := range in.parts {
		in.parts[i].maxTime, in.parts[i].floor = stream.MinTime, stream.MinTime
	}
	in.passed = stream.MinTime
	return in
}

// split divides a batch's rows into those on time, late ones and ones too far ahead
// (indices; onTime nil means all rows, in time order already).
type split struct {
	byClock             int // late rows that are late only because their partition was idle
	onTime, late, ahead []int32
	inOrder             bool
}

func subtract(t, d int64) int64 {
	if t == stream.MinTime || t < stream.MinTime+d {
		return stream.MinTime
	}
	return t - d
}

// judge applies the watermark to the next batch of partition p and moves it on. ordered
// tells whether the times do not descend: then two of them say all.
func (in *ingress) judge(p int, b *stream.Batch, ordered bool) split {
	part := &in.parts[p]
	part.wake(in)
	times := b.Cols[in.timeCol].I64[:b.Len]
	if in.jump == 0 && ordered && (len(times) == 0 || times[0]+b.Base >= max(part.floor, subtract(part.maxTime, in.delay))) {
		if n := len(times); n > 0 {
			part.maxTime = max(part.maxTime, times[n-1]+b.Base)
		}
		return split{inOrder: true}
	}
	b.Settle()
	times = b.Cols[in.timeCol].I64[:b.Len]
	out := split{onTime: make([]int32, 0, len(times)), inOrder: true}
	last := stream.MinTime
	for i, t := range times {
		wm := subtract(part.maxTime, in.delay)
		switch {
		case t < wm || t < part.floor:
			out.late = append(out.late, int32(i))
			if t >= wm {
				out.byClock++
			}
			continue
		case in.jump > 0 && wm != stream.MinTime && t-in.jump > wm:
			out.ahead = append(out.ahead, int32(i))
			continue
		}
		part.maxTime = max(part.maxTime, t)
		out.inOrder = out.inOrder && t >= last
		last = t
		out.onTime = append(out.onTime, int32(i))
	}
	return out
}

// pass notes rows of partition p that were not read, before the next batch's.
func (in *ingress) pass(p int, passed connector.Passed) {
	if passed.Rows > 0 {
		in.parts[p].ordinal += passed.Rows
		in.parts[p].maxTime = max(in.parts[p].maxTime, passed.Time)
	}
}

// accept takes over a batch of partition p (one hold) whose rows have been judged.
func (in *ingress) accept(p int, b *stream.Batch, s split) error {
	part := &in.parts[p]
	if s.onTime != nil {
		b = in.arrange(b, s)
	}
	if b.Len == 0 {
		b.Release()
		return nil
	}
	var keys []int64
	if in.timed {
		keys = b.Cols[in.timeCol].I64[:b.Len]
	} else if len(in.parts) > 1 {
		keys = make([]int64, b.Len)
		for i := range keys {
			keys[i] = part.ordinal + int64(i)
		}
	}
	part.ordinal += int64(b.Len)
	return in.add(p, b, keys, b.Base)
}

func (in *ingress) takeRun() *sortedRun {
	n := len(in.idle)
	if n == 0 {
		return &sortedRun{}
	}
	run := in.idle[n-1]
	in.idle = in.idle[:n-1]
	return run
}

// add takes over a batch of partition p whose rows have the given keys, ascending, with
// base added.
func (in *ingress) add(p int, b *stream.Batch, keys []int64, base int64) error {
	part := &in.parts[p]
	run := in.takeRun()
	*run = sortedRun{batch: b, keys: keys, base: base, partition: p, sequence: part.sequence, bytes: int64(b.SizeBytes())}
	part.sequence++
	in.bytes += run.bytes
	if err := in.fills.Bound(operator.LimitIngress, in.bytes, in.bytesMax); err != nil {
		run.batch.Release()
		return err
	}
	in.push(run)
	return nil
}

// arrange copies the rows on time, sorted by time, and releases b.
func (in *ingress) arrange(b *stream.Batch, s split) *stream.Batch {
	times := b.Cols[in.timeCol].I64
	if !s.inOrder {
		sort.SliceStable(s.onTime, func(i, j int) bool { return times[s.onTime[i]] < times[s.onTime[j]] })
	}
	out := in.pool.Get(in.schema, in.need)
	out.AppendSelected(b, s.onTime)
	b.Release()
	return out
}

// watermark is the stream's: the minimum over active partitions.
func (in *ingress) watermark() int64 {
	wm, idle := stream.MaxTime, false
	for i := range in.parts {
		p := &in.parts[i]
		idle = idle || p.idle && !p.ended
		if p.ended || p.idle {
			continue
		}
		if in.timed {
			wm = min(wm, subtract(p.maxTime, in.delay))
		} else {
			wm = min(wm, p.ordinal)
		}
	}
	if idle && wm == stream.MaxTime {
		return in.passed // nobody moves it
	}
	if wm != stream.MaxTime {
		in.passed = max(in.passed, wm)
		wm = in.passed
	}
	return wm
}

// wake ends a partition's idleness. Rows from before what the stream has passed
// meanwhile are late.
func (p *partition) wake(in *ingress) {
	if p.idle {
		p.floor, p.idle = in.watermark(), false
	}
}

// shortRows is the span length below which rows are copied together.
const shortRows = 64

// next returns the next rows in order that may go out, with a hold for the caller;
// false when none are left below the watermark.
func (in *ingress) next() (stream.Span, bool) {
	limit := in.watermark()
	inclusive := len(in.parts) == 1 || limit == stream.MaxTime
	for len(in.heap) > 0 {
		run := in.heap[0]
		to := in.reach(run, limit, inclusive)
		if to == run.at {
			break
		}
		if to-run.at >= shortRows || in.gathered == nil && to == run.batch.Len && len(in.heap) == 1 {
			if in.gathered != nil {
				return in.takeGathered(), true
			}
			span := stream.Span{Batch: run.batch, From: run.at, To: to}
			run.batch.Retain()
			in.consume(run, to)
			return span, true
		}
		if in.gathered == nil {
			in.gathered = in.pool.Get(in.schema, in.need)
		}
		in.gathered.AppendRange(run.batch, run.at, to)
		in.consume(run, to)
		if in.gathered.Len >= gatherRows {
			return in.takeGathered(), true
		}
	}
	if in.gathered != nil {
		return in.takeGathered(), true
	}
	return stream.Span{}, false
}

const gatherRows = 4096

func (in *ingress) takeGathered() stream.Span {
	b := in.gathered
	in.gathered = nil
	return stream.Span{Batch: b, To: b.Len}
}

// reach is how far the first run may go: to the next run's head and to the limit.
func (in *ingress) reach(run *sortedRun, limit int64, inclusive bool) int {
	if run.keys == nil {
		return run.batch.Len
	}
	keys, base := run.keys[run.at:], run.base
	n := len(keys)
	if last := keys[n-1] + base; last > limit || last == limit && !inclusive {
		n = sort.Search(n, func(i int) bool { return keys[i]+base > limit || keys[i]+base == limit && !inclusive })
	}
	for _, c := range []int{1, 2} {
		if c >= len(in.heap) {
			continue
		}
		other := in.heap[c]
		head, first := other.head(), run.before(other)
		if n > 0 && (keys[n-1]+base > head || keys[n-1]+base == head && !first) {
			n = sort.Search(n, func(i int) bool { return keys[i]+base > head || keys[i]+base == head && !first })
		}
	}
	return run.at + n
}

// head is the key of the run's next row.
func (r *sortedRun) head() int64 { return r.keys[r.at] + r.base }

// before orders runs with equal keys.
func (r *sortedRun) before(o *sortedRun) bool {
	if r.partition != o.partition {
		return r.partition < o.partition
	}
	return r.sequence < o.sequence
}

func (r *sortedRun) less(o *sortedRun) bool {
	if r.keys == nil {
		return r.before(o)
	}
	if a, b := r.head(), o.head(); a != b {
		return a < b
	}
	return r.before(o)
}

func (in *ingress) consume(run *sortedRun, to int) {
	run.at = to
	if to == run.batch.Len {
		in.bytes -= run.bytes
		run.batch.Release()
		*run = sortedRun{}
		in.idle = append(in.idle, run)
		last := len(in.heap) - 1
		in.heap[0] = in.heap[last]
		in.heap[last] = nil
		in.heap = in.heap[:last]
	}
	in.sink(0)
}

func (in *ingress) push(r *sortedRun) {
	in.heap = append(in.heap, r)
	for i := len(in.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !in.heap[i].less(in.heap[up]) {
			return
		}
		in.heap[i], in.heap[up] = in.heap[up], in.heap[i]
		i = up
	}
}

func (in *ingress) sink(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(in.heap); c++ {
			if in.heap[c].less(in.heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		in.heap[i], in.heap[least] = in.heap[least], in.heap[i]
		i = least
	}
}

func (in *ingress) allEnded() bool {
	for i := range in.parts {
		if !in.parts[i].ended {
			return false
		}
	}
	return true
}

// close gives the buffered batches back.
func (in *ingress) close() {
	for _, r := range in.heap {
		r.batch.Release()
	}
	in.heap = nil
	if in.gathered != nil {
		in.gathered.Release()
		in.gathered = nil
	}
}

// Snapshot writes the partitions' progress and the rows that wait.
func (in *ingress) Snapshot(w *state.Writer) {
	w.Int(int64(len(in.parts)))
	for _, p := range in.parts {
		w.Int(p.maxTime)
		w.Int(p.ordinal)
		w.Int(p.sequence)
		w.Int(p.floor)
		w.Bool(p.ended)
		w.Bool(p.idle)
	}
	w.Int(in.passed)
	w.Int(int64(len(in.heap)))
	for _, r := range in.heap {
		w.Int(int64(r.partition))
		w.Int(r.sequence)
		w.Batch(r.batch, r.at, r.batch.Len)
		if in.keyed() {
			for _, k := range r.keys[r.at:] {
				w.Int(k)
			}
		}
	}
}

// keyed reports whether runs have keys that are not a column of theirs.
func (in *ingress) keyed() bool { return !in.timed && len(in.parts) > 1 }

// Restore reads what Snapshot wrote.
func (in *ingress) Restore(r *state.Reader) error {
	if n := r.Count(4); n != len(in.parts) {
		return fmt.Errorf("state: the stream had %d partitions and has %d now", n, len(in.parts))
	}
	for i := range in.parts {
		in.parts[i] = partition{maxTime: r.Int(), ordinal: r.Int(), sequence: r.Int(), floor: r.Int(), ended: r.Bool(), idle: r.Bool()}
	}
	in.passed = r.Int()
	for n := r.Count(4); n > 0; n-- {
		run := &sortedRun{partition: int(r.Int()), sequence: r.Int()}
		b := in.pool.Get(in.schema, in.need)
		r.Batch(b)
		run.batch, run.bytes = b, int64(b.SizeBytes())
		if in.timed {
			run.keys = b.Cols[in.timeCol].I64
		}
		for i := 0; in.keyed() && i < b.Len; i++ {
			run.keys = append(run.keys, r.Int())
		}
		if r.Err() != nil || run.partition < 0 || run.partition >= len(in.parts) || b.Len == 0 {
			b.Release()
			return r.End()
		}
		in.bytes += run.bytes
		in.push(run)
	}
	return r.End()
}
