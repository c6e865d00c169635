package device

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Processor is a device at work: it keeps up to Depth tasks in flight, counts memory,
// watches for a device that does not answer, and brings a lost one back.
//
// A task passes five stages, each of which can be busy with another task:
//
//	copy-in     move-in     execute     move-out    copy-out
//	submitter   device      device      device      finisher
//	   T5  ------> T4  ------> T3  ------> T2  ------> T1
//
// The goroutine that submits copies in. One goroutine, the finisher, waits for results in
// the order of submission and copies out.
//
// Invariants:
//
//  1. Work that Submit accepted is done exactly once: with its result, or with an error
//     that says to run it elsewhere. Results of a plan come in the order of submission.
//  2. After a failure of the device nothing that was made before is used again: all seats
//     are abandoned, plans are cold, and memory counts as free only once Reset is over.
//  3. Nobody waits for memory while holding some: a plan that gets none says so, and the
//     caller runs the task elsewhere. So any number of plans make progress.
//  4. What plans hold on the device never exceeds the budget.
//  5. No call of the device that may not return while it hangs is made with a lock held, or
//     without a limit of time (guard). Run is: it starts a task and does not wait.
type Processor struct {
	device Device
	config Config
	info   Info

	mu        sync.Mutex
	wake      *sync.Cond
	state     State
	gone      bool // by Close
	reason    error
	broken    chan struct{} // closed when the state leaves Up
	inflight  int
	depth     int
	tuner     tuner
	limit     int64 // bytes that plans may hold
	used      int64
	trash     lot       // to be freed, with mu not held
	wanted    int64     // bytes that a plan was refused last
	fullSince time.Time // when the device failed to allocate last
	fullAt    int64     // and the bytes used then
	clock     uint64
	loader    loader
	plans     []*Plan
	void      void
	stats     Stats

	memory     chan struct{} // holds one while somebody allocates, frees or resets; before mu
	flying     chan *seat
	workers    sync.WaitGroup
	background sync.WaitGroup
}

// State is what a processor can do.
type State uint8

// The states.
const (
	Up     State = iota
	Down         // lost, and being brought back
	Off          // given up: resets did not help
	Closed       // by Close
)

func (s State) String() string { return [...]string{"up", "down", "off", "closed"}[s] }

// Config is how a device is used. The zero value is good.
type Config struct {
	Depth       int           // tasks in flight; 0: found at run time, up to DepthMax
	MemoryShare float64       // of Info.MemoryBytes that may be used; 0: 0.8
	Deadline    time.Duration // for one task, once it is its turn, and for giving a plan its memory; 0: 10 s
	Pause       time.Duration // before the second reset, doubled each time; 0: 100 ms

	// Changed is called without locks when the device stops being up and when it is again.
	Changed func(up bool, reason error)
}

// Limits.
const (
	DepthMax  = 8
	ResetsMax = 6 // in a row without a successful probe; then the device is off

	depthFirst = 3 // until stages have been measured
)

// Stats counts what a processor did. Durations are sums over tasks.
type Stats struct {
	Tasks      int // with a result
	Returned   int // handed back
	Refused    int // submissions that found no memory
	Evictions  int // times an idle plan's memory was taken
	Resets     int
	Loads      int // of programs, on a device that holds one at a time
	BytesIn    int64
	BytesOut   int64
	Stages     Stages
	Depth      int // now
	UsedBytes  int64
	LimitBytes int64
	State      State
	Reason     error
}

// Start puts an open device to work. The Processor closes it in the end.
func Start(d Device, c Config) *Processor {
	if c.MemoryShare == 0 {
		c.MemoryShare = 0.8
	}
	if c.Deadline == 0 {
		c.Deadline = 10 * time.Second
	}
	if c.Pause == 0 {
		c.Pause = 100 * time.Millisecond
	}
	p := &Processor{device: d, config: c, info: d.Info(), depth: depthFirst, broken: make(chan struct{}), flying: make(chan *seat, DepthMax), memory: make(chan struct{}, 1)}
	if c.Depth > 0 {
		p.depth = min(c.Depth, DepthMax)
	}
	p.limit = int64(c.MemoryShare * float64(p.info.MemoryBytes))
	p.wake = sync.NewCond(&p.mu)
	p.workers.Add(1)
	go p.finish()
	return p
}

// Info is the device's.
func (p *Processor) Info() Info { return p.info }

// Stats is a snapshot.
func (p *Processor) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Depth, s.UsedBytes, s.LimitBytes, s.State, s.Reason = p.depth, p.used+p.trash.bytes, p.limit, p.state, p.reason
	return s
}

// Admit waits until the device is up and has room for one more task: call it before
// choosing one. ErrClosed after Close, and what was wrong when the device is off.
func (p *Processor) Admit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.state == Closed:
			return ErrClosed
		case p.state == Off:
			return p.reason
		case p.state == Up && p.inflight < p.depth:
			return nil
		}
		p.wake.Wait()
	}
}

// Drain admits no more tasks and waits for those in flight. Close does so, too.
func (p *Processor) Drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != Closed {
		p.state, p.reason = Closed, ErrClosed
		p.wake.Broadcast()
	}
	for p.inflight > 0 {
		p.wake.Wait()
	}
}

// Close waits for what is in flight, frees all plans and closes the device. It waits for a
// program that is being compiled.
func (p *Processor) Close() error {
	p.Drain()
	p.mu.Lock()
	again := p.gone
	p.gone = true
	p.mu.Unlock()
	if again {
		return nil
	}
	p.background.Wait()
	close(p.flying)
	p.workers.Wait()
	p.memory <- struct{}{}
	defer p.memoryDone()
	p.mu.Lock()
	plans, down := p.plans, isClosed(p.broken)
	p.plans = nil
	p.mu.Unlock()
	for _, pl := range plans {
		p.drop(pl, down)
	}
	p.mu.Lock()
	p.void.lots = append(p.void.lots, p.takeTrash())
	p.mu.Unlock()
	err := p.device.Close()
	p.bury()
	return err
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (p *Processor) memoryDone() { <-p.memory }

// fail takes the device out of use, once.
func (p *Processor) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failLocked(err)
}

func (p *Processor) failLocked(err error) {
	if isClosed(p.broken) {
		return
	}
	close(p.broken)
	p.reason = err
	p.wake.Broadcast()
	if p.state == Closed {
		return
	}
	p.state = Down
	p.background.Add(1)
	go p.repair(err)
}

// failure is what Submit and Done say of an error of the device.
func failure(err error) error {
	if errors.Is(err, ErrLost) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}
