package schedule

import (
	"sync"
	"time"
)

// Queue is the queue of units that processors of a running engine wait at: a Scheduler
// with a lock, and the in-order units, which go first. It holds no more than the
// pipelines' rings have slots plus one drain and one unit per lane of each pipeline, so
// it needs no limit of its own.
type Queue struct {
	mu      sync.Mutex
	waiters []waiter // by processor
	urgent  fifo
	plain   fifo // after the tasks that have a choice: those are further down the stream
	tasks   *Scheduler
	hybrid  bool // processors differ: a unit may suit another one than is woken
	start   time.Time
	asked   bool // a timer for askAgain runs
	closed  bool
}

// waiter is the goroutines of one processor that have found nothing to do.
type waiter struct {
	wake  *sync.Cond
	count int
	// until is when a device is worth waking: one that left what there was to others would
	// only be asked again, with every task, what it said a moment ago.
	until time.Time
}

// leftAlone is how long a device that left waiting tasks to others is not woken for more.
const leftAlone = 200 * time.Microsecond

// NewQueue returns an empty queue under a policy for the CPU alone. Nothing is measured:
// Done need not be called.
func NewQueue(p Policy) *Queue {
	return newQueue(p, NewTable(1), false)
}

// NewHybridQueue returns an empty queue for the processors of a table, which belongs to
// the queue from now on. Every Compute unit that Take returned ends with Done or Return.
func NewHybridQueue(p Policy, t *Table) *Queue {
	return newQueue(p, t, true)
}

func newQueue(p Policy, t *Table, hybrid bool) *Queue {
	q := &Queue{tasks: New(p, t), hybrid: hybrid, start: time.Now()}
	q.waiters = make([]waiter, len(t.procs))
	for i := range q.waiters {
		q.waiters[i].wake = sync.NewCond(&q.mu)
	}
	return q
}

// wakeDevices wakes the devices that may want a new task. q.mu is held.
func (q *Queue) wakeDevices() {
	now := time.Now()
	for i := range q.waiters[1:] {
		if w := &q.waiters[1+i]; w.count > 0 && !now.Before(w.until) {
			w.wake.Broadcast()
		}
	}
}

// wakeAll has everybody look again: who is fastest may have changed. q.mu is held.
func (q *Queue) wakeAll() {
	for i := range q.waiters {
		q.waiters[i].wake.Broadcast()
	}
}

// wait blocks a goroutine of p. q.mu is held.
func (q *Queue) wait(p Processor) {
	w := &q.waiters[p]
	if p != CPU && q.tasks.Pending() {
		w.until = time.Now().Add(leftAlone)
	}
	w.count++
	w.wake.Wait()
	w.count--
}

// Push adds a unit. After Close it is dropped.
func (q *Queue) Push(u Unit) {
	q.mu.Lock()
	switch u.Kind {
	case Compute:
		q.tasks.Push(u)
		if len(q.waiters) > 1 {
			q.wakeDevices()
		}
	case Plain:
		q.plain.push(u)
	default:
		q.urgent.push(u)
	}
	q.mu.Unlock()
	q.waiters[CPU].wake.Signal() // who wakes finds the lock free
}

// Take waits for a unit for processor p; false after Close. Several goroutines may wait
// for the same processor.
func (q *Queue) Take(p Processor) (Unit, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return Unit{}, false
		}
		if p == CPU {
			if u, ok := q.urgent.take(0); ok {
				return u, true
			}
		}
		if u, ok := q.take(p); ok {
			return u, true
		}
		if p == CPU {
			if u, ok := q.plain.take(0); ok {
				return u, true
			}
		}
		q.askAgain()
		q.wait(p)
	}
}

func (q *Queue) take(p Processor) (Unit, bool) {
	if !q.tasks.Pending() {
		return Unit{}, false
	}
	if q.hybrid {
		return q.tasks.Take(p, time.Since(q.start))
	}
	v := &q.tasks.view
	v.Tasks = q.tasks.tasks.waiting()
	if d := q.tasks.policy.Pick(p, v); d.Action == Take {
		return q.tasks.tasks.take(d.At)
	}
	return Unit{}, false
}

// askAgain wakes idle processors after Recheck if a task waits or is waited for.
func (q *Queue) askAgain() {
	if !q.hybrid || q.asked || !q.tasks.Pending() {
		return
	}
	q.asked = true
	time.AfterFunc(Recheck, func() {
		q.mu.Lock()
		q.asked = false
		q.wakeAll()
		q.mu.Unlock()
	})
}

// Done reports that p has run u, as Scheduler.Done does.
func (q *Queue) Done(p Processor, u Unit, work float64, busy time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p != CPU && q.waiters[CPU].count > 0 && q.tasks.Waiting() > 0 {
		q.waiters[CPU].wake.Broadcast() // what was left to the device may have become the CPU's
	}
	return q.tasks.Done(p, u, work, busy, time.Since(q.start))
}

// Return hands u back undone, as Scheduler.Return does.
func (q *Queue) Return(p Processor, u Unit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.wakeAll()
	return q.tasks.Return(p, u, time.Since(q.start))
}

// HoldsUp asks for another processor to run u too, as Scheduler.HoldsUp does.
func (q *Queue) HoldsUp(u Unit) {
	q.mu.Lock()
	switch runner, news := q.tasks.HoldsUp(u); {
	case !news:
	case runner == CPU:
		q.wakeDevices()
	default:
		q.wakeAll()
	}
	q.mu.Unlock()
}

// Change lets f read or change the table: a processor comes or goes, or accepts a
// pipeline.
func (q *Queue) Change(f func(*Table)) {
	q.mu.Lock()
	f(q.tasks.Table())
	q.wakeAll()
	q.mu.Unlock()
}

// Waiting is the number of tasks nobody has taken yet.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.tasks.Waiting()
}

// Close makes every present and future Take return false.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.wakeAll()
	q.mu.Unlock()
}
