package engine

import (
	"sync"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/operator"
)

// The pairs of a window join are tasks of their own where devices can find them
// (operator/pairer.go). They come up behind the parallel part: the join's lane says which
// windows are whole and cuts them into jobs, and the jobs of all slots stand in one row.
//
//	slots     | 7 planned | 8 planned  | 9 computed
//	jobs      12 13 14    | 15 16 .. 30
//	          |  |         |
//	          |  |         `- pushed: those from here on wait for room
//	          |  `----------- given out: in the queue, on processors, or finished
//	          `-------------- head: the next one to be put out, by the drain of slot 7
//
// A job is a unit of the class of the join's pairs, so any processor may take it, copies of it
// run, the first result counts and a device hands back what it does not finish, as with tasks
// of other classes (share.go). The drain puts the results out in order; it stops in front of a
// job that is not finished, and is asked for again when one is.
//
// Invariants:
//
//  1. No more than ahead jobs are given out and not put out; while the results that wait fill
//     their room, none but the head is.
//  2. The head is always given out. So it will be finished, and the drain goes on.
//  3. A job is touched under mu until it is finished, and by the drain afterwards: a runner
//     works on an own job of the same windows, which holds its rows itself.
type pairs struct {
	stage *stage
	fn    operator.Pairer
	class int
	keyed bool // the CPU finds pairs by key

	mu     sync.Mutex
	jobs   []pairJob // from head on
	head   uint64    // sequence number of the first one
	pushed uint64    // and of the first one not given out
	ahead  uint64
}

type pairJob struct {
	job      *operator.PairJob
	finished bool
}

// Of the work of a job: what counts as one task.
const (
	pairTaskRows  = 4096
	pairTaskTests = pairTaskRows * pairTaskRows / 4
)

// pairing reports whether a pipeline is a join that runs beside devices.
func (r *run) pairing(p *bind.Pipeline) bool { return r.hybrid() && p.Form == bind.Join }

// tryPairs finds out whether devices can find a pipeline's pairs, if it is a join. If not the
// join finds them as it does without devices.
func (r *run) tryPairs(p *bind.Pipeline) error {
	if _, known := r.unpaired[p.ID]; known || !r.pairing(p) {
		return nil
	}
	fn, err := r.function(p, false)
	if err != nil {
		return err
	}
	_, declined := pairProgram(fn)
	r.leavePairs(p, declined)
	return nil
}

// leavePairs notes why devices do not find a pipeline's pairs; nil: they do.
func (r *run) leavePairs(p *bind.Pipeline, why error) {
	if why == nil {
		return
	}
	if r.unpaired == nil {
		r.unpaired = map[int]error{}
	}
	r.unpaired[p.ID] = why
}

// newPairs has any processor find the pairs of a stage's function.
func (s *stage) newPairs(fn operator.Pairer) *pairs {
	return &pairs{
		stage: s, fn: fn, class: s.class + len(s.inlets), keyed: len(fn.Pairs().Keys[0]) > 0,
		ahead: uint64(len(s.ring)),
	}
}

// pairProgram writes the program that finds a join's pairs.
func pairProgram(fn operator.Function) (kernel.Pipeline, error) {
	return kernel.NewPairs(fn.(operator.Pairer).Pairs())
}

// planned adds the jobs of a slot that the join's lane has taken in.
func (p *pairs) planned(lane any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, job := range p.fn.Jobs(lane) {
		p.jobs = append(p.jobs, pairJob{job: job})
	}
	p.push()
}

// push gives out jobs, as far as there is room. p.mu is held.
func (p *pairs) push() {
	end := p.head + uint64(len(p.jobs))
	for p.pushed < end && p.pushed-p.head < p.ahead && (p.pushed == p.head || !p.fn.Full()) {
		p.stage.run.queue.Push(p.unit(p.pushed))
		p.pushed++
	}
	if p.pushed > p.head && 4*(p.pushed-p.head) >= 3*p.ahead && !p.jobs[0].finished {
		p.stage.run.queue.HoldsUp(p.unit(p.head))
	}
}

func (p *pairs) unit(seq uint64) schedule.Unit {
	return schedule.Unit{Pipeline: p.class, Kind: schedule.Compute, Index: int(seq)}
}

// ready reports whether Next can go on. It is called by the drain.
func (p *pairs) ready() bool {
	if !p.fn.Waits() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.jobs[0].finished
}

// proceed gives out jobs behind those that Next has put out, and reports whether the absorbed
// slot has more. It is called by the drain.
func (p *pairs) proceed() (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if out := p.fn.JobsOut(); out > p.head {
		n := copy(p.jobs, p.jobs[out-p.head:])
		clear(p.jobs[n:])
		p.jobs, p.head = p.jobs[:n], out
	}
	p.push()
	return p.fn.Waits()
}

// hold gives a runner a job of its own in own; false if u has a result already.
func (p *pairs) hold(u schedule.Unit, own *slot) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	seq := uint64(u.Index)
	if seq < p.head || p.jobs[seq-p.head].finished {
		return false
	}
	own.job = p.fn.Hold(p.jobs[seq-p.head].job)
	w := &own.windows
	own.job.Describe(w)
	own.task = operator.Task{Spans: own.task.Spans[:0], Input: len(p.stage.inlets), Windows: w, Rows: w.Rows[0] + w.Rows[1]}
	return true
}

// letGo ends a runner's hold.
func (p *pairs) letGo(own *slot) {
	p.fn.LetGo(own.job)
	own.job = nil
	for i := range own.windows.Spans {
		clear(own.windows.Spans[i])
	}
}

// finish ends a job with the first result.
func (p *pairs) finish(u schedule.Unit, own *slot) {
	p.mu.Lock()
	at := &p.jobs[uint64(u.Index)-p.head]
	p.fn.Finish(at.job, own.job)
	at.finished = true
	p.push()
	p.mu.Unlock()
	p.stage.requestDrain()
}

// work is how much of a full task the job of a slot is.
func (p *pairs) work(sl *slot) float64 {
	if p.keyed {
		return max(float64(sl.task.Rows)/pairTaskRows, workLeast)
	}
	return max(float64(sl.windows.Tests)/pairTaskTests, workLeast)
}

// bytes is about how many bytes the rows of a slot's job have.
func (p *pairs) bytes(sl *slot) (n int64) {
	for i, in := range p.stage.inlets {
		n += int64(sl.windows.Rows[i]) * int64(in.rowSize)
	}
	return n
}
