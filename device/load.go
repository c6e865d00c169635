package device

import (
	"errors"
	"fmt"
	"time"
)

// Some devices hold one program at a time (Info.OneProgram) and take long to load another
// one: an FPGA is configured anew, which takes seconds where a task takes milliseconds. Two
// queries that got the device in turns, task by task, would make it load all the time.
//
// So a task never waits for a load. A submission to a plan whose program is not on the
// device is refused with NotLoaded, which says what is there and when to ask again; the
// task is run elsewhere. The refused submissions are also what a change of programs is
// decided on:
//
//	the device       [load A][ A: runs tasks ........... ][load B][ B: runs tasks ....
//	who submits      A   A A  A A A B A B A A B A B A B A B  B  B   B B A B A B A B B
//	                                `-- B is wanted --------'           `-- A is wanted --
//	                         `-- at least holdLoads load times --'
//
// A change takes the device from the other plans, so who wants it must want it for a
// while: a query with a task now and then does not get it, unless nobody else uses it.
// With holdLoads = 20, two busy queries share the device in turns of twenty load times, and
// a twentieth of its time goes into loading.
//
// A load ends all that is on the device: slots and resident buffers are given up first, as
// if memory had been taken from idle plans. The host has all it needs to make them again.
//
// Invariants:
//
//  1. From one load to the next of another program at least holdLoads load times pass,
//     except after a reset, when no program is on the device.
//  2. While a program is loaded, nothing is in flight, and nothing is on the device.
//  3. No submission waits for a load, and none of a plan runs while another's program is
//     on the device.
type loader struct {
	key     string    // of the program on the device
	pending *Plan     // whose program is to be loaded; no other task starts
	since   time.Time // key was loaded
	used    time.Time // a task ran last
	takes   time.Duration
}

const (
	holdLoads  = 20 // load times that a program stays at least
	wantLoads  = 2  // load times that another one must be wanted, or this one be unused
	retryLoads = 4  // asks in one load time
	retryLeast = time.Millisecond
	unloadable = "its kernels cannot be loaded one at a time"
	loadFactor = 10 // of Info.LoadTime, and the deadline of a task: then the device hangs
)

// NotLoaded says that a device has another program loaded, or none yet. It is no failure:
// the task is to be run elsewhere, and a later one may succeed.
type NotLoaded struct {
	Device  string        // Info.ID
	Program string        // Program.Key of the plan
	Loaded  string        // that of the program on the device; "": none
	Loading bool          // the plan's own program is being loaded now
	Retry   time.Duration // when to ask again: a plan that stops asking is taken to be idle
}

func (e *NotLoaded) Error() string {
	there := "no program"
	if e.Loaded != "" {
		there = "program " + e.Loaded
	}
	if e.Loading {
		return fmt.Sprintf("%s is loading program %s", e.Device, e.Program)
	}
	return fmt.Sprintf("%s has %s loaded, not %s", e.Device, there, e.Program)
}

// has reports whether the plan's tasks can start as far as programs are concerned, with mu
// held.
func (p *Processor) has(pl *Plan) bool {
	return !p.info.OneProgram || p.loader.pending == nil && p.loader.key == pl.program.Key
}

// notLoaded is what a submission to a plan gets whose program is not there, with mu held.
// It starts the load if it is the plan's turn.
func (p *Processor) notLoaded(pl *Plan) error {
	l, now := &p.loader, time.Now()
	if l.takes == 0 {
		l.takes = p.info.LoadTime
	}
	retry := max(l.takes/retryLoads, retryLeast)
	if now.Sub(pl.asked) > 2*retry {
		pl.wanted = now
	}
	pl.asked = now
	long := wantLoads * l.takes
	turn := now.Sub(l.since) >= holdLoads*l.takes && (now.Sub(l.used) >= long || now.Sub(pl.wanted) >= long) && p.waitsLongest(pl, 2*retry)
	if l.pending == nil && (l.key == "" || turn) {
		l.pending = pl
		p.background.Add(1)
		go p.load(pl)
	}
	return &NotLoaded{Device: p.info.ID, Program: pl.program.Key, Loaded: l.key, Loading: l.pending != nil && l.pending.program.Key == pl.program.Key, Retry: retry}
}

// waitsLongest reports whether no other plan has been asked for longer, up to now, with mu
// held.
func (p *Processor) waitsLongest(pl *Plan, gap time.Duration) bool {
	for _, other := range p.plans {
		if other.wanted.Before(pl.wanted) && pl.asked.Sub(other.asked) <= gap && other.program.Key != p.loader.key {
			return false
		}
	}
	return true
}

// load puts the program of the pending plan on the device when all that is in flight has
// ended.
func (p *Processor) load(pl *Plan) {
	defer p.background.Done()
	p.mu.Lock()
	for p.inflight > 0 {
		p.wake.Wait()
	}
	p.mu.Unlock()
	p.memory <- struct{}{}
	defer p.memoryDone()
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		p.loader.pending = nil
		p.wake.Broadcast()
	}()
	if p.state != Up || pl.kernel == nil {
		return
	}
	for _, other := range p.plans {
		p.evict(other)
	}
	p.loader.key = ""
	trash := p.takeTrash()
	p.mu.Unlock()
	from := time.Now()
	err := p.loadNow(pl, trash)
	p.mu.Lock()
	var refused *Refusal
	switch {
	case err == nil:
		now := time.Now()
		p.loader = loader{key: pl.program.Key, since: now, used: now, takes: max(p.info.LoadTime, now.Sub(from))}
		p.stats.Loads++
	case errors.As(err, &refused):
		pl.refusal = refused
	case !errors.Is(err, errAgain):
		p.failLocked(failure(err))
	}
}

// loadNow is the load itself, when the trash is gone, with mu not held. A kernel whose load never ends is given up.
func (p *Processor) loadNow(pl *Plan, trash *lot) error {
	p.mu.Lock()
	kernel, broken := &lot{kernel: pl.kernel}, p.broken
	p.mu.Unlock()
	left, err := p.guard(kernel, p.config.Deadline+loadFactor*p.info.LoadTime, broken, func() error {
		trash.free()
		return kernel.kernel.(Loader).Load()
	})
	if left {
		p.mu.Lock()
		pl.kernel = nil
		p.mu.Unlock()
	}
	return err
}
