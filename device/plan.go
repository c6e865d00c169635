package device

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Plan is a program with its buffers on a processor. It is cold, holding nothing, or warm,
// holding its resident buffers and at least one slot.
type Plan struct {
	processor *Processor
	program   *Program
	sizes     Sizes
	stateful  bool     // kernels write resident buffers: one task in flight
	empty     bool     // until Fill gives it its buffers
	images    [][]byte // the host's copies of the resident buffers
	kernel    Kernel
	resident  []Resident
	changed   []bool // images newer than resident
	free      []*seat
	seats     int
	inflight  int
	used      uint64    // Processor.clock when it was used last
	asked     time.Time // in vain, for its program is not loaded
	wanted    time.Time // since when it was asked for again and again
	refusal   error     // why it does not run any more
}

// Work is one task. Its methods are called in the order below, each at most once, from
// different goroutines but never at the same time.
type Work interface {
	// CopyIn fills the slot's inputs and the call. What c holds is left from an earlier
	// task of the same slot, lengths included; c.Resident is set by the plan. An error
	// ends the submission, which returns it.
	CopyIn(s Slot, c *Call) error

	// CopyOut takes the result. An error (the result did not fit) is passed to Done.
	CopyOut(s Slot, c *Call) error

	// Done ends accepted work, exactly once. An error says to run the task elsewhere; the
	// device is lost only if it is ErrLost, ErrTimeout or ErrClosed. It must not block.
	Done(s Stages, err error)
}

// seat is a slot with everything that one task in flight needs beside it.
type seat struct {
	slot   Slot
	plan   *Plan
	kernel Kernel
	call   Call
	work   Work
	stages Stages
	start  chan struct{}
	done   chan waited

	stateful bool
	state    [][]byte // by resident buffer, what a task has written; nil where it does not
	lost     bool     // the slot is wait's to free, once it is not running
	owned    []Resident
}

type waited struct {
	timing Timing
	err    error
}

func (pl *Plan) newSeat(slot Slot) *seat {
	s := &seat{slot: slot, plan: pl, stateful: pl.stateful, state: pl.stateBuffers(), start: make(chan struct{}, 1), done: make(chan waited, 1)}
	s.call.InputBytes = make([]int, len(pl.sizes.Input))
	return s
}

// wait serves one seat: it turns Slot.Wait, which may never return, into a message.
func (s *seat) wait() {
	for range s.start {
		t, err := s.slot.Wait()
		if err == nil {
			err = s.readBack(&t)
		}
		s.done <- waited{t, err}
	}
	if s.lost {
		s.slot.Free()
		for _, r := range s.owned {
			r.Free()
		}
	}
}

// Plan compiles a program. images are the contents of its resident buffers; they belong
// to the plan now, which moves them to the device when it is used, takes them away when
// others need the memory, and keeps those that kernels write up to date. A *Refusal says that the device cannot run it, ErrLost that
// it is not up: ask again when it is. Without images of buffers that the program has the plan is
// empty: it takes tasks once Fill has given them.
func (p *Processor) Plan(program *Program, sizes Sizes, images ...[]byte) (*Plan, error) {
	pl := &Plan{processor: p, program: program, stateful: program.stateful(), empty: true}
	if images != nil || program.Resident == 0 {
		if err := pl.Fill(sizes, images...); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	k, err := p.compile(program, broken) // may take long; others go on
	if errors.Is(err, errAgain) {
		err = ErrLost
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := k.(Loader); p.info.OneProgram && !ok {
		go k.Free()
		return nil, &Refusal{Device: p.info.ID, Reason: unloadable}
	}
	if p.state == Closed {
		go k.Free()
		return nil, ErrClosed
	}
	if isClosed(broken) {
		go k.Free() // which may hang
		return nil, ErrLost
	}
	pl.kernel = k
	p.plans = append(p.plans, pl)
	return pl, nil
}

// Fill gives an empty plan the sizes of its slots and the contents of its resident buffers, as
// Plan would have. A *Refusal says that the device has too little memory for them.
func (pl *Plan) Fill(sizes Sizes, images ...[]byte) error {
	program, p := pl.program, pl.processor
	if len(images) != program.Resident || len(program.Mutable) > program.Resident {
		return fmt.Errorf("program %s has %d resident buffers and says of %d whether it writes them, %d images are given", program.Key, program.Resident, len(program.Mutable), len(images))
	}
	need := sizes.Total()
	for _, b := range images {
		need += int64(len(b))
	}
	if need > p.limit {
		return &Refusal{Device: p.info.ID, Reason: fmt.Sprintf("needs %d bytes of memory, %d may be used", need, p.limit)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !pl.empty {
		return fmt.Errorf("the plan of program %s has its buffers already", program.Key)
	}
	pl.sizes, pl.images, pl.changed, pl.empty = sizes, images, make([]bool, len(images)), false
	return nil
}

// ResidentBytes is the size of the plan's resident buffers, whether or not the device holds
// them now.
func (pl *Plan) ResidentBytes() int64 {
	pl.processor.mu.Lock()
	defer pl.processor.mu.Unlock()
	return pl.residentBytes()
}

func (pl *Plan) residentBytes() int64 {
	var n int64
	for _, b := range pl.images {
		n += int64(len(b))
	}
	return n
}

// Update gives resident buffer i a new content of the same length, which the plan owns
// from now on. It waits for tasks in flight: they see the old one.
func (pl *Plan) Update(i int, image []byte) error {
	p := pl.processor
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(image) != len(pl.images[i]) {
		return fmt.Errorf("resident buffer %d has %d bytes, not %d", i, len(pl.images[i]), len(image))
	}
	for pl.inflight > 0 {
		p.wake.Wait()
	}
	pl.images[i], pl.changed[i] = image, true
	return nil
}

// errEmpty: nobody may submit to a plan that has no buffers.
var errEmpty = errors.New("a task for a plan without buffers")

// Submit starts a task. It blocks while the device has no room. An error means that the
// task is not taken and Done will not be called: ErrNoMemory if the plan holds no memory
// and other plans hold what it needs, *NotLoaded if the device has another program loaded,
// ErrLost and the like while the device is not up, a *Refusal if the device does not run
// the plan any more.
func (pl *Plan) Submit(w Work) error {
	p := pl.processor
	s, err := p.seat(pl)
	if err != nil {
		return err
	}
	from := time.Now()
	s.work, s.stages = w, Stages{}
	err = w.CopyIn(s.slot, &s.call)
	s.stages.CopyIn = time.Since(from)
	if err == nil {
		if err = s.slot.Run(s.kernel, &s.call); err != nil {
			err = p.failed(s, err)
			return err
		}
		s.start <- struct{}{}
		p.flying <- s
		return nil
	}
	p.release(s)
	return err
}

// Close gives the plan's memory back when nothing of it is in flight.
func (pl *Plan) Close() {
	p := pl.processor
	p.memory <- struct{}{}
	defer p.memoryDone()
	p.mu.Lock()
	for pl.inflight > 0 {
		p.wake.Wait()
	}
	at := slices.Index(p.plans, pl)
	if at >= 0 {
		p.plans = slices.Delete(p.plans, at, at+1)
	}
	down := p.state != Up
	p.mu.Unlock()
	if at >= 0 {
		p.drop(pl, down)
	}
}

// seat waits for room on the device and takes one of the plan's seats, making one if it
// may have more.
func (p *Processor) seat(pl *Plan) (*seat, error) {
	p.mu.Lock()
	for {
		switch {
		case p.state != Up:
			err := failure(p.reason)
			p.mu.Unlock()
			return nil, err
		case pl.refusal != nil:
			p.mu.Unlock()
			return nil, pl.refusal
		case pl.empty:
			p.mu.Unlock()
			return nil, errEmpty
		case !p.has(pl):
			err := p.notLoaded(pl)
			p.mu.Unlock()
			return nil, err
		case p.inflight >= p.depth || pl.inflight > 0 && (pl.stateful || slices.Contains(pl.changed, true)):
			p.wake.Wait()
			continue
		}
		if len(pl.free) > 0 && !slices.Contains(pl.changed, true) {
			s := pl.take()
			p.mu.Unlock()
			return s, nil
		}
		p.mu.Unlock()
		err := p.warm(pl)
		p.mu.Lock()
		switch {
		case err == nil || len(pl.free) > 0 || errors.Is(err, errAgain):
		case errors.Is(err, ErrNoMemory) && pl.seats > 0:
			p.wake.Wait() // for one of its own, in flight
		case errors.Is(err, ErrNoMemory):
			p.stats.Refused++
			p.mu.Unlock()
			return nil, err
		default:
			p.mu.Unlock()
			return nil, err
		}
	}
}

// take is called with mu held, and a free seat.
func (pl *Plan) take() *seat {
	p := pl.processor
	s := pl.free[len(pl.free)-1]
	pl.free = pl.free[:len(pl.free)-1]
	pl.inflight++
	p.inflight++
	p.clock++
	pl.used = p.clock
	if p.info.OneProgram {
		p.loader.used = time.Now()
	}
	s.kernel, s.call.Resident = pl.kernel, pl.resident
	return s
}

// release ends a task's stay: its seat is free again, or given up if a plan without
// memory needs it more or the device is gone.
func (p *Processor) release(s *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pl := s.plan
	pl.inflight--
	p.inflight--
	s.work = nil
	defer p.wake.Broadcast()
	if isClosed(p.broken) {
		p.discard(s)
		return
	}
	if p.wanted > 0 && pl.seats > 1 {
		p.wanted = max(0, p.wanted-pl.sizes.Total())
		p.retire(s)
		p.sweepSoon()
		return
	}
	pl.free = append(pl.free, s)
}

// retire frees a seat that nobody uses, with mu held.
func (p *Processor) retire(s *seat) {
	close(s.start)
	s.plan.seats--
	p.trash.slots = append(p.trash.slots, s.slot)
	p.trash.bytes += s.plan.sizes.Total()
	p.used -= s.plan.sizes.Total()
}

// failed ends a task whose Run or Wait failed, and returns what to say of it.
func (p *Processor) failed(s *seat, err error) error {
	if !errors.Is(err, ErrNoMemory) {
		err = failure(err)
		p.fail(err)
		p.release(s)
		return err
	}
	// Allocation can be late: the slot is no good, and the budget was too big.
	p.mu.Lock()
	defer p.mu.Unlock()
	s.plan.inflight--
	p.inflight--
	s.work = nil
	if isClosed(p.broken) {
		p.discard(s)
	} else {
		s.rollBack()
		p.retire(s)
		p.full()
		p.sweepSoon()
	}
	p.wake.Broadcast()
	return err
}
