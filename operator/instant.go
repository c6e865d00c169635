package operator

import (
	"fmt"
	"slices"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Per-instant regions: CQL's sliding windows.
//
// Problem: a query over [RANGE d], [ROWS n] and [PARTITION BY k ROWS n] windows is a
// relation that changes with every row; what is put out is what is new in it at each
// instant (or all of it). Evaluating it anew per row costs the size of the windows.
// Idea: follow the changes. A row that enters a window, or leaves it, makes rows
// appear in the join, or vanish: its partners in the other window, found by key. What
// appears or vanishes there makes groups change, and what groups showed before
// vanishes. Nothing else does.
//
//	task ──Batch──▶ part ──Lane 0──▶ candidates ─▶ condition, ─▶ groups ─▶ changes ─┐
//	 (workers)   rows left by  │    ± rows or pairs   projections                   │
//	             side filters, └─Lane 1──▶ ..  (its buckets only)                   │
//	             keys, buckets                                                      │
//	                         Assemble, Next: merge by instant, cancel, order ◀──────┘
//
// Who is in a window does not depend on conditions over pairs. So a lane first walks
// the task's instants with hash operations alone, noting candidates (instant, left
// row, right row), and then computes columns for thousands of candidates at a time.
//
// Worked example, [RANGE 300] AS w JOIN [PARTITION BY cid ROWS 1] AS l ON cid: the row
// (cid 7, at 1000) comes. Leaving: rows of w with time <= 700 of any cid, each with
// the l row of its cid (-); the row of l for cid 7 (-, with each row of cid 7 still in
// w). Entering: the new row in w with what is in l (none), the new row in l with all
// of w's cid 7, itself included (+). A pair that left and one that came with equal
// values cancel in Next.
//
// Invariants:
//
//  1. At an instant, first rows leave - left window, then right - each meeting what is
//     in the other window then; after that rows enter, in the same order. So every pair
//     appears once and vanishes once.
//  2. A lane sees every instant of a task and owns the rows of its buckets. The bucket
//     is a function of values that partners, partitions and groups have in common
//     (Region.laneKeys), so that lanes need nothing of each other.
//  3. A row's place in a lane's store does not change within a task: candidates name
//     places and are evaluated before compact.
//  4. A pair is evaluated once when it appears and once when it vanishes, with the same
//     outcome; failures are reported when it appears.
//  5. The state is what the windows contain, and the rows that wait. Groups and the
//     relation of RSTREAM follow from it and are built again by Restore.
type instant struct {
	env     Env
	region  *Region
	intakes []*instantIntake
	byInput [][]int // sides that read each input
	timed   bool
	perTime bool
	waits   bool // rows wait for others: of another input, or of their time
	lanes   int
	lane    []*instantLane

	rowsNeed []bool // columns of the emitted relation that are computed
	keys     *stream.Schema
	parts    sync.Pool
	results  sync.Pool
	merge    instantMerge
	full     [2]bool
	errors   []ErrorRow
}

// NewInstant returns the function of a per-instant region; need tells which columns of
// the Emit operator's relation are read.
func NewInstant(env Env, region Region, need []bool) (Function, error) {
	f := &instant{env: env, region: &region, timed: region.relations[0].Time >= 0, perTime: region.perTime(), lanes: 1}
	f.waits = f.perTime || len(region.edges) > 1
	if pairs, columns := region.laneKeys(); len(pairs)+len(columns) > 0 {
		f.lanes = min(max(env.Lanes, 1), KeyBuckets)
	}
	width := region.Emit.Relation.Schema.Len()
	if f.timed {
		width-- // the instant's time
	}
	f.rowsNeed = allOf(width)
	if region.Emit.Emit == model.Rstream && need != nil {
		f.rowsNeed = need[:width]
	}
	if err := f.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", region.Emit.Name, err)
	}
	f.merge.init(f, need)
	return f, nil
}

// prepare compiles the steps of the region.
func (f *instant) prepare() (err error) {
	r := f.region
	var project *model.Operator
	var after *Chain
	needs := [2][]bool{f.rowsNeed, nil}
	if r.aggregate != nil {
		project = contributions(r.aggregate)
		needs[0] = nil
		f.keys = stream.NewSchema(r.aggregate.Relation.Schema.Fields[:len(r.aggregate.Aggregate.Keys)]...)
		after, err = NewChain(Side{Relation: r.aggregate.Relation, Steps: r.after, Need: f.rowsNeed})
		if err != nil {
			return err
		}
	}
	var pairs *Chain
	if r.join != nil {
		if pairs, err = r.pairChain(needs[0], project); err != nil {
			return err
		}
		needs[0], needs[1] = pairs.Reads()[:r.split()], pairs.Reads()[r.split():]
	}
	if f.intakes, err = r.newIntakes(needs, project); err != nil {
		return err
	}
	if r.aggregate != nil {
		if pairs != nil {
			pairs.showAggregate(r.aggregate)
		}
		for _, in := range f.intakes {
			in.intake.chain.showAggregate(r.aggregate)
		}
	}
	f.byInput = make([][]int, len(r.edges))
	for i, s := range r.sides {
		f.byInput[s.input] = append(f.byInput[s.input], i)
	}
	for id := range f.lanes {
		f.lane = append(f.lane, f.newLane(id, pairs, project, after))
	}
	return nil
}

// pairChain is what is evaluated over joined rows.
func (r *Region) pairChain(need []bool, project *model.Operator) (*Chain, error) {
	var steps []*model.Operator
	if on := r.join.Join.On; len(on) > 0 {
		steps = append(steps, &model.Operator{ID: r.join.ID, Name: r.join.Name, Kind: model.FilterOp, Relation: r.join.Relation, Filter: on})
	}
	steps = append(steps, r.above...)
	if project != nil {
		steps = append(steps, project)
	}
	return NewChain(Side{Relation: r.join.Relation, Steps: steps, Need: need})
}

// contributions is the projection of an aggregate's input to its keys and arguments.
// An argument is NULL where the aggregate's filter is not TRUE.
func contributions(agg *model.Operator) *model.Operator {
	op := &model.Operator{ID: agg.ID, Name: agg.Name, Kind: model.ProjectOp, Relation: model.Relation{Time: -1}}
	op.Project = slices.Clone(agg.Aggregate.Keys)
	for i := range agg.Aggregate.Aggs {
		op.Project = append(op.Project, arguments(&agg.Aggregate.Aggs[i])...)
	}
	fields := make([]stream.Field, len(op.Project))
	for i, e := range op.Project {
		fields[i] = stream.Field{Name: fmt.Sprintf("$%d", i), Type: e.Type}
	}
	op.Relation.Schema = stream.NewSchema(fields...)
	return op
}

func (f *instant) newLane(id int, pairs *Chain, project *model.Operator, after *Chain) *instantLane {
	l := &instantLane{fn: f, id: id, frontier: stream.MinTime, eval: &instantEval{chain: pairs}}
	for i, s := range f.region.sides {
		l.sides = append(l.sides, newLaneSide(s.window.Window, f.intakes[i].intake.schema, f.intakes[i].intake.stored))
	}
	if pairs != nil {
		l.eval.scratch, l.eval.reads, l.eval.split = pairs.NewScratch(), pairs.Reads(), f.region.split()
		l.eval.cols = make([]stream.Column, len(l.eval.reads))
		if len(f.region.join.Join.LeftKeys) > 0 {
			l.keys = newKeyIDs()
		}
	}
	if after != nil {
		l.groups = newInstantGroups(f.region.aggregate, project.Relation.Schema, after)
	}
	if f.waits {
		l.queues = newQueues(len(f.region.edges), f.timed)
	}
	return l
}

// instantScratch is a worker's: one intake's per side.
type instantScratch []*intakeScratch

func (f *instant) NewScratch() Scratch {
	var s instantScratch
	for _, in := range f.intakes {
		s = append(s, in.intake.newScratch())
	}
	return s
}

func (f *instant) Batch(t *Task, scratch Scratch) (Partial, error) {
	p := f.getPart()
	t = settledTask(t)
	p.input, p.first, p.rows, p.watermark, p.ended = t.Input, t.First, t.Rows, t.Watermark, t.End
	if f.timed {
		p.times = rowTimes(p.times[:0], t, f.region.relations[t.Input].Time)
	}
	var failed []ErrorRow
	for _, i := range f.byInput[t.Input] {
		p.sides[i] = &p.store[i]
		errors, err := f.intakes[i].run(t, scratch.(instantScratch)[i], p.sides[i])
		if err != nil {
			return Partial{}, err
		}
		failed = append(failed, errors...)
	}
	return Partial{Value: p, Errors: failed}, nil
}

func (f *instant) getPart() *instantPart {
	if p, ok := f.parts.Get().(*instantPart); ok {
		return p
	}
	p := &instantPart{}
	if f.timed {
		p.times = []int64{}
	}
	return p
}

func (f *instant) putPart(p *instantPart) {
	for i, s := range p.sides {
		if s != nil {
			f.intakes[i].intake.put(s.left)
			s.clear()
			p.sides[i] = nil
		}
	}
	f.parts.Put(p)
}

// Lanes implements Keyed.
func (f *instant) Lanes() int { return f.lanes }

// Lane implements Keyed.
func (f *instant) Lane(lane int, _ *Task, partial Partial) (any, error) {
	l, p := f.lane[lane], partial.Value.(*instantPart)
	l.out = f.newResult()
	if f.waits {
		if !l.queues[p.input].put(p, f.timed) {
			l.out.part = p
		}
		if err := l.drain(); err != nil {
			return nil, err
		}
	} else if err := l.work(p); err != nil {
		return nil, err
	}
	l.out.watermark = l.frontier
	for i := range l.queues {
		q := &l.queues[i]
		l.out.sizeBytes += q.sizeBytes()
		if other := &l.queues[len(l.queues)-1-i]; other != q && other.empty() && !other.ended {
			l.out.full[i] = q.sizeBytes() > bufferSoftBytes
		}
	}
	return l.finish()
}

// work evaluates a part of which every row is an instant of its own.
func (l *instantLane) work(p *instantPart) error {
	l.out.part, l.out.instants = p, p.rows
	l.out.times = append(l.out.times[:0], p.times...)
	at := [2]int{}
	for i := range p.rows {
		if err := l.instant(p, i, &at, int32(i)); err != nil {
			return err
		}
	}
	l.frontier = max(l.frontier, p.watermark)
	if n := len(p.times); n > 0 {
		l.frontier = max(l.frontier, p.times[n-1])
	}
	if p.ended {
		l.frontier = stream.MaxTime
	}
	return nil
}

func (f *instant) newResult() *laneResult {
	r, ok := f.results.Get().(*laneResult)
	if !ok {
		s := f.region.Emit.Relation.Schema
		if f.timed {
			s = stream.NewSchema(s.Fields[:s.Len()-1]...)
		}
		return &laneResult{plus: newChanges(s, f.rowsNeed, f.keys), minus: newChanges(s, f.rowsNeed, f.keys)}
	}
	for _, c := range []*changes{r.plus, r.minus} {
		c.reset()
		if c.keys != nil {
			clearBatch(c.keys)
		}
	}
	*r = laneResult{plus: r.plus, minus: r.minus, times: r.times[:0], errors: r.errors[:0]}
	return r
}

func (f *instant) Assemble(_ *Task, partial Partial) error {
	size := int64(0)
	var results []*laneResult
	for _, v := range partial.Value.([]any) {
		r := v.(*laneResult)
		results = append(results, r)
		size += r.sizeBytes
	}
	if p := results[0].part; p != nil {
		f.putPart(p)
	}
	f.full = results[0].full
	f.takeErrors(results)
	f.merge.start(results)
	return f.env.bounded("window buffer", size)
}

// takeErrors collects the failures of all lanes by instant.
func (f *instant) takeErrors(results []*laneResult) {
	var all []laneError
	for _, r := range results {
		all = append(all, r.errors...)
	}
	slices.SortStableFunc(all, func(a, b laneError) int { return int(a.instant - b.instant) })
	for _, e := range all {
		f.errors = append(f.errors, e.row)
	}
}

func (f *instant) Next() (*stream.Batch, error) { return f.merge.next(), nil }
func (f *instant) Watermark() int64             { return f.merge.watermark }
func (f *instant) Wants(input int) bool         { return !f.full[input] }

func (f *instant) TakeErrors() []ErrorRow {
	out := f.errors
	f.errors = nil
	return out
}

// Discard implements Releaser; partial results hold nothing of the pool.
func (f *instant) Discard(Partial) {}

// Close implements Releaser.
func (f *instant) Close() { f.merge.out.close() }
