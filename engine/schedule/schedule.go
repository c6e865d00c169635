// Package schedule hands units of work to processors. All running pipelines share one
// queue; an idle processor asks for work and a Policy says which unit it gets. On the
// path of a row it stands between dispatch, which cuts tasks, and the processor that
// executes them.
package schedule

import "sync"

// Processor identifies who asks: a CPU worker or, later, a device.
type Processor int

// Kind is what a unit asks for.
type Kind uint8

// The kinds. Drain and Lane units are the in-order parts: they go before tasks, because
// they free slots and memory.
const (
	Compute Kind = iota // the parallel part of task Index of pipeline Pipeline
	Lane                // lane Index of a keyed pipeline has input
	Drain               // the pipeline's result stage has input, or its consumers have room
)

// Unit is one piece of work.
type Unit struct {
	Pipeline int
	Kind     Kind
	Index    int
}

// Policy chooses the unit that an idle processor takes from the waiting tasks, oldest
// first; -1: none of them suits it. It is a pure function of its arguments and its own
// state, called by one goroutine at a time.
type Policy interface {
	Name() string
	Pick(p Processor, tasks []Unit) int
}

// FirstCome gives every processor the oldest task.
type FirstCome struct{}

// Name is the policy's name in flags and statistics.
func (FirstCome) Name() string { return "fcfs" }

// Pick returns the oldest task.
func (FirstCome) Pick(_ Processor, tasks []Unit) int {
	if len(tasks) == 0 {
		return -1
	}
	return 0
}

// Queue is the queue of units. It holds no more than the pipelines' rings have slots
// plus one drain and one unit per lane of each pipeline, so it needs no limit of its own.
type Queue struct {
	mu     sync.Mutex
	wake   *sync.Cond
	policy Policy
	urgent fifo
	tasks  fifo
	closed bool
}

// NewQueue returns an empty queue under a policy.
func NewQueue(p Policy) *Queue {
	q := &Queue{policy: p}
	q.wake = sync.NewCond(&q.mu)
	return q
}

// Push adds a unit. After Close it is dropped.
func (q *Queue) Push(u Unit) {
	q.mu.Lock()
	if u.Kind == Compute {
		q.tasks.push(u)
	} else {
		q.urgent.push(u)
	}
	q.mu.Unlock()
	q.wake.Signal()
}

// Take waits for a unit for processor p; false after Close.
func (q *Queue) Take(p Processor) (Unit, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return Unit{}, false
		}
		if u, ok := q.urgent.take(0); ok {
			return u, true
		}
		if i := q.policy.Pick(p, q.tasks.waiting()); i >= 0 {
			return q.tasks.take(i)
		}
		q.wake.Wait()
	}
}

// Waiting is the number of tasks nobody has taken yet.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.tasks.waiting())
}

// Close makes every present and future Take return false.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake.Broadcast()
}

// fifo is a queue in a slice whose front is cut off and moved back when it grows.
type fifo struct {
	units []Unit
	head  int
}

func (f *fifo) waiting() []Unit { return f.units[f.head:] }

func (f *fifo) push(u Unit) {
	if f.head > 0 && len(f.units) == cap(f.units) {
		n := copy(f.units, f.units[f.head:])
		f.units, f.head = f.units[:n], 0
	}
	f.units = append(f.units, u)
}

func (f *fifo) take(i int) (Unit, bool) {
	w := f.waiting()
	if i >= len(w) {
		return Unit{}, false
	}
	u := w[i]
	copy(w[1:i+1], w[:i])
	f.head++
	if f.head == len(f.units) {
		f.units, f.head = f.units[:0], 0
	}
	return u, true
}
