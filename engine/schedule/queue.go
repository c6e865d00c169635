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
	mu     sync.Mutex
	wake   *sync.Cond
	urgent fifo
	tasks  *Scheduler
	hybrid bool // processors differ: a unit may suit another one than is woken
	start  time.Time
	asked  bool // a timer for askAgain runs
	closed bool
}

// NewQueue returns an empty queue under a policy for the CPU alone. Nothing is measured:
// Done need not be called.
func NewQueue(p Policy) *Queue {
	return newQueue(p, NewTable(1), false)
}

// NewHybridQueue returns an empty queue for the processors of a table, which belongs to
// the queue from now on. Every task that Take returned ends with Done or Return.
func NewHybridQueue(p Policy, t *Table) *Queue {
	return newQueue(p, t, true)
}

func newQueue(p Policy, t *Table, hybrid bool) *Queue {
	q := &Queue{tasks: New(p, t), hybrid: hybrid, start: time.Now()}
	q.wake = sync.NewCond(&q.mu)
	return q
}

// Push adds a unit. After Close it is dropped.
func (q *Queue) Push(u Unit) {
	q.mu.Lock()
	if u.Kind == Compute {
		q.tasks.Push(u)
	} else {
		q.urgent.push(u)
	}
	q.mu.Unlock()
	if q.hybrid {
		q.wake.Broadcast()
	} else {
		q.wake.Signal()
	}
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
		q.askAgain()
		q.wake.Wait()
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
		q.mu.Unlock()
		q.wake.Broadcast()
	})
}

// Done reports that p has run u, as Scheduler.Done does.
func (q *Queue) Done(p Processor, u Unit, work float64, busy time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.wake.Broadcast()
	return q.tasks.Done(p, u, work, busy, time.Since(q.start))
}

// Return hands u back undone, as Scheduler.Return does.
func (q *Queue) Return(p Processor, u Unit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.wake.Broadcast()
	return q.tasks.Return(p, u, time.Since(q.start))
}

// HoldsUp asks for another processor to run u too, as Scheduler.HoldsUp does.
func (q *Queue) HoldsUp(u Unit) {
	q.mu.Lock()
	q.tasks.HoldsUp(u)
	q.mu.Unlock()
	q.wake.Broadcast()
}

// Change lets f read or change the table: a processor comes or goes, or accepts a
// pipeline.
func (q *Queue) Change(f func(*Table)) {
	q.mu.Lock()
	f(q.tasks.Table())
	q.mu.Unlock()
	q.wake.Broadcast()
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
	q.mu.Unlock()
	q.wake.Broadcast()
}
