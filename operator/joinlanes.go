package operator

import (
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// The window join on several workers.
//
// Problem: pairing windows is most of a join's work, and the rows of different windows
// have nothing to do with one another, but pairs go out in the order of windows. Idea: the
// lanes of a keyed function are given every task in order, side by side. The lane that
// comes to a task first takes its rows in and says which windows are whole now; these,
// cut into jobs of some thousand rows, are the task's own, and all lanes take jobs of it
// until there are none. Next puts their results out, job by job.
//
//	tasks      | 7        | 8     | 9 ..        in order of submission
//	windows    | 3 4 5 6  |       | 7 8         whole with this task
//	jobs       | 3 4, 5 6 |       | 7 8         any lane takes the next one
//
// Results wait in a task until it is its turn, so there is a limit: with that much
// waiting, lanes take no job, and who is at one stops behind the batch it has filled.
// What lanes have not done Next does when it comes there, a batch at a time. The rows that
// jobs have to copy count too.
//
// Windows that share rows are copied with each job; one worker does without and goes
// through them in turn, over one store (join).
//
// Invariants:
//
//  1. mu guards sides and idle. Sides are as far as the last task that a lane has begun;
//     between tasks that is what has been put out, and the state.
//  2. A lane takes jobs of the task it is called for only, and a task is assembled after
//     all lanes have left it: nothing ever waits for a job.
//  3. A part is counted by the side that keeps it and by every job that reads it, and
//     goes back to the pool with the last one.
type laneJoin struct {
	*joinPlan
	mu    sync.Mutex
	sides [2]*heldSide
	idle  []*pairing
	tasks sync.Pool
	// waiting is the size of the results of lanes that have not been put out, and of the
	// rows that they have copied.
	waiting     atomic.Int64
	waitingMost int64

	// Of the serial half.
	task      *joinTask // nil: none is being put out
	jobsOut   uint64
	watermark int64
	rows      int64
	errors    []ErrorRow
}

// resultBytesMax and a quarter of the job's limit for buffers bound the results that wait
// for their turn; each lane may exceed it by a batch, one of them by a window's rows.
const resultBytesMax = 64 << 20

// joinTask is a task's rows and the windows that are whole with them.
type joinTask struct {
	part      *rowPart
	planned   bool // guarded by mu of the join
	jobs      []*PairJob
	taken     atomic.Int64 // jobs that lanes have taken
	at        int          // job that Next puts out
	watermark int64
}

func (j *joinPlan) wantsLanes() bool {
	if j.env.Pairs {
		return true
	}
	switch j.env.Force.Order {
	case "turn":
		return false
	case "lanes":
		return true
	}
	return j.env.Lanes > 1
}

func newLaneJoin(plan *joinPlan, sides [2]*windowSide, p *pairing) *laneJoin {
	j := &laneJoin{joinPlan: plan, idle: []*pairing{p}, watermark: stream.MinTime}
	j.waitingMost = min(resultBytesMax, plan.env.BufferBytesMax/4)
	for i, s := range sides {
		j.sides[i] = newHeldSide(s, plan.ins[i])
	}
	return j
}

func (j *laneJoin) windowSides() [2]*windowSide {
	return [2]*windowSide{j.sides[0].windowSide, j.sides[1].windowSide}
}

// Lanes implements Keyed.
func (j *laneJoin) Lanes() int {
	if j.env.Pairs {
		return 1
	}
	return max(1, j.env.Lanes)
}

// Batch implements Function.
func (j *laneJoin) Batch(t *Task, s Scratch) (Partial, error) {
	part, failed, err := j.ins[t.Input].run(t, s.(*joinScratch)[t.Input])
	task, ok := j.tasks.Get().(*joinTask)
	if !ok {
		task = &joinTask{}
	}
	task.part = part
	return Partial{Value: task, Errors: failed}, err
}

// Lane implements Keyed.
func (j *laneJoin) Lane(_ int, t *Task, p Partial) (any, error) {
	task := p.Value.(*joinTask)
	if err := j.plan(t, task); err != nil {
		return nil, err
	}
	for !j.env.Pairs && !j.Full() {
		i := task.taken.Add(1) - 1
		if i >= int64(len(task.jobs)) {
			break
		}
		if job := task.jobs[i]; j.reserve(job) {
			if err := j.work(job); err != nil {
				return nil, err
			}
		}
	}
	return task, nil
}

// reserve makes room for what the job copies; false if there is none. One alone may be
// larger than the limit.
func (j *laneJoin) reserve(job *PairJob) bool {
	n := job.copyBytes()
	for {
		w := j.waiting.Load()
		if w > 0 && w+n > j.waitingMost {
			return false
		}
		if j.waiting.CompareAndSwap(w, w+n) {
			job.reserved += n
			return true
		}
	}
}

// plan takes the task's rows in and makes jobs of the windows that are whole, once.
func (j *laneJoin) plan(t *Task, task *joinTask) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if task.planned {
		return nil
	}
	task.planned = true
	side, sides := j.sides[t.Input], j.windowSides()
	side.add(task.part)
	side.advance(t)
	task.part = nil
	if err := j.env.bounded("join buffer", j.sides[0].sizeBytes()+j.sides[1].sizeBytes()); err != nil {
		return err
	}
	if err := side.checkText(); err != nil {
		return err
	}
	for {
		number, ok := nextWindow(sides, j.op.Join.Outer)
		if !ok {
			break
		}
		w := jobWindow{number: number}
		for i, s := range j.sides {
			from, to := s.rowsOf(number)
			w.from[i], w.to[i] = s.base+int64(from), s.base+int64(to)
		}
		j.place(task, w)
		for _, s := range sides {
			s.skip(number + 1)
		}
	}
	task.watermark = joinWatermark(sides, j.op.Join.Outer)
	for _, job := range task.jobs {
		for i, s := range j.sides {
			job.hold(i, s)
		}
	}
	for _, s := range j.sides {
		s.forget()
	}
	return nil
}

// place adds a window to the task's last job or to a new one.
func (j *laneJoin) place(task *joinTask, w jobWindow) {
	if n := len(task.jobs); n > 0 && task.jobs[n-1].takes(w) && (!j.env.Pairs || task.jobs[n-1].fits(w)) {
		task.jobs[n-1].add(w)
		return
	}
	n := len(task.jobs)
	if n == cap(task.jobs) {
		task.jobs = append(task.jobs, &PairJob{})
	} else if task.jobs = task.jobs[:n+1]; task.jobs[n] == nil {
		task.jobs[n] = &PairJob{}
	}
	task.jobs[n].add(w)
}

// work is a lane's part of a job.
func (j *laneJoin) work(job *PairJob) error {
	if err := j.begin(job); err != nil {
		return err
	}
	if j.env.Pairs {
		j.uses.add(usedJobs)
	} else {
		j.uses.add(usedLanes)
	}
	for !j.Full() {
		b, err := job.step(&j.uses)
		if err != nil {
			return err
		}
		if b != nil {
			job.results = append(job.results, b)
			j.waiting.Add(int64(b.SizeBytes()))
		}
		if job.done() {
			j.end(job)
			break
		}
	}
	return nil
}

func (j *laneJoin) begin(job *PairJob) error {
	j.mu.Lock()
	if n := len(j.idle); n > 0 {
		job.pairing, j.idle = j.idle[n-1], j.idle[:n-1]
	}
	sides := j.windowSides()
	j.mu.Unlock()
	if job.pairing == nil {
		var err error
		if job.pairing, err = j.newPairing(sides); err != nil {
			return err
		}
	}
	job.out = newOutputs(j.env, j.op.Relation.Schema, j.need)
	job.gather(j.ins)
	return nil
}

func (j *laneJoin) end(job *PairJob) {
	job.release()
	j.waiting.Add(-job.reserved)
	job.reserved = 0
	j.mu.Lock()
	j.idle = append(j.idle, job.pairing)
	j.mu.Unlock()
	job.pairing = nil
}

// Assemble implements Function.
func (j *laneJoin) Assemble(_ *Task, p Partial) error {
	j.task = p.Value.([]any)[0].(*joinTask)
	j.watermark = j.task.watermark
	return nil
}

// Next implements Function.
func (j *laneJoin) Next() (*stream.Batch, error) {
	switch {
	case j.task == nil:
		return nil, nil
	case j.env.Pairs:
		return j.nextFinished()
	}
	for ; j.task.at < len(j.task.jobs); j.task.at++ {
		b, err := j.nextOf(j.task.jobs[j.task.at])
		if b != nil || err != nil {
			return b, err
		}
	}
	j.drop(j.task)
	j.task = nil
	return nil, nil
}

// nextOf returns the job's next batch: one of a lane, or one that it fills itself.
func (j *laneJoin) nextOf(job *PairJob) (*stream.Batch, error) {
	j.errors = append(j.errors, job.takeErrors()...)
	b := job.result()
	if b != nil {
		j.waiting.Add(-int64(b.SizeBytes()))
	}
	for b == nil && !job.done() {
		if job.pairing == nil {
			if err := j.begin(job); err != nil {
				return nil, err
			}
		}
		var err error
		b, err = job.step(&j.uses)
		if err != nil {
			return nil, err
		}
		j.errors = append(j.errors, job.takeErrors()...)
		if job.done() {
			j.end(job)
		}
	}
	if b != nil {
		j.rows += int64(b.Len)
	}
	return b, nil
}

// drop gives back what a task holds, and the task.
func (j *laneJoin) drop(task *joinTask) {
	for _, job := range task.jobs {
		j.clear(job)
	}
	task.jobs, task.at, task.planned = task.jobs[:0], 0, false
	task.taken.Store(0)
	j.tasks.Put(task)
}

// clear drops what is left of a job.
func (j *laneJoin) clear(job *PairJob) {
	for b := job.result(); b != nil; b = job.result() {
		j.waiting.Add(-int64(b.SizeBytes()))
		b.Release()
	}
	j.waiting.Add(-job.reserved)
	if job.pairing != nil {
		j.mu.Lock()
		j.idle = append(j.idle, job.pairing)
		j.mu.Unlock()
	}
	job.clear()
}

// Watermark implements Function.
func (j *laneJoin) Watermark() int64 { return j.watermark }

// Wants implements Function.
func (j *laneJoin) Wants(input int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return wantsSide(j.windowSides(), j.op.Join.Outer, input, j.sides[input].sizeBytes())
}

// TakeErrors implements Function.
func (j *laneJoin) TakeErrors() []ErrorRow {
	out := j.errors
	j.errors = nil
	return out
}

// Discard implements Releaser. The value is the task, or that of the lanes.
func (j *laneJoin) Discard(p Partial) {
	value := p.Value
	if lanes, ok := value.([]any); ok {
		value = lanes[0]
	}
	if task, ok := value.(*joinTask); ok {
		j.drop(task)
	}
}

// Close implements Releaser.
func (j *laneJoin) Close() {
	if j.task != nil {
		j.drop(j.task)
		j.task = nil
	}
}

// Snapshot implements state.Element: as join does it.
func (j *laneJoin) Snapshot(w *state.Writer) {
	w.Int(j.rows)
	for _, s := range j.sides {
		s.snapshot(w)
	}
}

// Restore implements state.Element.
func (j *laneJoin) Restore(r *state.Reader) error {
	j.rows = r.Int()
	for _, s := range j.sides {
		if err := s.restore(r); err != nil {
			return err
		}
	}
	j.watermark = joinWatermark(j.windowSides(), j.op.Join.Outer)
	return r.End()
}
