// Package sim is a device that takes time but needs no hardware: results come from
// Go functions, moves and kernels last as long as its configuration says, and faults
// happen where a test wants them. Under testing/synctest its time is virtual and exact. It
// proves scheduling and what happens when devices fail, never speed. On the path of a row
// it stands in the place of any device. Entry point: New.
package sim

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/device"
)

// Config describes a simulated device.
type Config struct {
	ID           string
	MemoryBytes  int64
	MoveIn       float64 // bytes per second; 0: takes no time
	MoveOut      float64
	Launch       time.Duration      // each launch
	Rate         map[string]float64 // bytes of input per second, by Program.Key
	RateOther    float64            // of programs that Rate does not name; 0: takes no time
	Unified      bool               // moves take no time
	Precompiled  []string           // keys of the only programs that it takes; nil: any
	OneProgram   bool               // as an FPGA: holds one program at a time
	LoadTime     time.Duration      // of Compile, or of Load if OneProgram
	Refuse       map[string]string  // reasons, by Program.Key
	Faults       []Fault
	ResetFailing int  // how many resets fail at first
	ResetHangs   bool // a reset ends only with Close
}

// Event is where a fault can happen.
type Event uint8

// The events, each counted from 1.
const (
	Allocate Event = iota // NewSlot and NewResident
	Execute               // a task's kernels
	Launch                // Slot.Run
	Move                  // Resident.Write and Read
	Load                  // Loader.Load
)

// Effect is what happens then.
type Effect uint8

// The effects.
const (
	Lose  Effect = iota // the device is lost
	Hang                // it does not answer any more; at Launch as Lose
	Full                // there is no memory; nothing at Move and Load
	Wrong               // the result is wrong: the last byte of output 0 is changed; only at Execute
)

// Fault is one effect at the N-th event of a kind.
type Fault struct {
	At     Event
	N      int
	Effect Effect
}

// Device is a simulated device.
type Device struct {
	config Config

	mu      sync.Mutex
	gen     *generation
	used    int64
	counts  map[Event]int
	resets  int
	closed  bool
	misuses []string
	alive   int
	loads   int
}

// generation is what lives from one reset to the next.
type generation struct {
	lost      chan struct{} // closed when the device is lost
	reset     chan struct{} // closed by Reset and Close
	isLost    bool
	hung      bool
	key       string    // of the program loaded, if OneProgram
	loading   bool      // Load is under way
	held      int       // slots and resident buffers that were not freed
	running   int       // slots between Run and the end of Wait
	in        time.Time // when the engine is free again
	exec, out time.Time
}

func newGeneration() *generation {
	return &generation{lost: make(chan struct{}), reset: make(chan struct{})}
}

// New opens a simulated device.
func New(c Config) *Device {
	return &Device{config: c, gen: newGeneration(), counts: map[Event]int{}}
}

// Info describes it.
func (d *Device) Info() device.Info {
	c := &d.config
	return device.Info{
		ID: c.ID, Kind: device.Simulated, Name: "simulated", Vendor: "millrace", MemoryBytes: c.MemoryBytes, AllocationBytesMax: c.MemoryBytes,
		SharedBytes: 48 << 10, GroupItemsMax: 1024, FP64: true, Int64Atomics: true, Unified: c.Unified,
		Precompiled: c.Precompiled != nil, LoadTime: c.LoadTime, OneProgram: c.OneProgram,
	}
}

// Misuses are the violations of the contract that were seen.
func (d *Device) Misuses() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.misuses...)
}

// UsedBytes is the memory allocated now.
func (d *Device) UsedBytes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Loads is how often a program was loaded, if OneProgram.
func (d *Device) Loads() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.loads
}

func (d *Device) misuse(format string, args ...any) {
	d.misuses = append(d.misuses, fmt.Sprintf(format, args...))
}

// happens counts an event and gives the fault that it meets.
func (d *Device) happens(e Event) (Effect, bool) {
	d.counts[e]++
	for _, f := range d.config.Faults {
		if f.At == e && f.N == d.counts[e] {
			return f.Effect, true
		}
	}
	return 0, false
}

func (d *Device) lose() {
	if !d.gen.isLost {
		d.gen.isLost = true
		close(d.gen.lost)
	}
}

// state is why nothing can be done, with mu held.
func (d *Device) state() error {
	switch {
	case d.closed:
		return device.ErrClosed
	case d.gen.isLost:
		return device.ErrLost
	}
	return nil
}

// Alive is the number of slots, resident buffers and kernels that were not freed.
func (d *Device) Alive() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.alive
}

// free counts one of them, once, with mu held. While the device hangs it does not return.
func (d *Device) free(g *generation, freed *bool, what string) {
	if *freed {
		d.misuse("a %s was freed twice", what)
		return
	}
	if g == d.gen && g.hung && !d.closed { // as drivers do
		d.mu.Unlock()
		g.answer(true, 0)
		d.mu.Lock()
	}
	*freed = true
	d.alive--
	if what != "kernel" {
		g.held--
	}
}

type kernel struct {
	d       *Device
	gen     *generation
	program *device.Program
	freed   bool
}

func (k *kernel) Program() *device.Program { return k.program }

func (k *kernel) Free() {
	k.d.mu.Lock()
	defer k.d.mu.Unlock()
	k.d.free(k.gen, &k.freed, "kernel")
}

// Load takes LoadTime and puts the program in the place of another one.
func (k *kernel) Load() error {
	d, g := k.d, k.gen
	d.mu.Lock()
	if err := d.state(); err != nil {
		d.mu.Unlock()
		return err
	}
	if g != d.gen || g.loading || g.running > 0 || g.held > 0 || k.freed {
		d.misuse("Load: of this generation %v, loading %v, %d running, %d slots and buffers held, freed %v", g == d.gen, g.loading, g.running, g.held, k.freed)
	}
	g.loading, g.key = true, ""
	effect, fault := d.happens(Load)
	if fault && effect == Hang {
		g.hung = true
	}
	hangs := g.hung
	d.mu.Unlock()
	g.answer(hangs, d.config.LoadTime)
	d.mu.Lock()
	defer d.mu.Unlock()
	g.loading = false
	if fault && effect == Lose && g == d.gen {
		d.lose()
	}
	if g != d.gen || g.isLost || d.closed {
		return device.ErrLost
	}
	g.key = k.program.Key
	d.loads++
	return nil
}

// answer waits for a time to pass, or if the device hangs, for its end, with mu not held.
func (g *generation) answer(hangs bool, after time.Duration) {
	var over <-chan time.Time
	if !hangs {
		timer := time.NewTimer(after)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
	case <-g.lost:
	case <-g.reset:
	}
}

// Compile takes LoadTime, unless Load does, and refuses what the configuration says.
func (d *Device) Compile(p *device.Program) (device.Kernel, error) {
	if !d.config.OneProgram {
		time.Sleep(d.config.LoadTime)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.state(); err != nil {
		return nil, err
	}
	if reason, refused := d.refusal(p); refused {
		return nil, &device.Refusal{Device: d.config.ID, Reason: reason}
	}
	d.alive++
	return &kernel{d: d, gen: d.gen, program: p}, nil
}

func (d *Device) refusal(p *device.Program) (string, bool) {
	if reason, ok := d.config.Refuse[p.Key]; ok {
		return reason, true
	}
	if p.Host == nil {
		return "the program has no Go function", true
	}
	for _, key := range d.config.Precompiled {
		if key == p.Key {
			return "", false
		}
	}
	return "is not among the precompiled programs", d.config.Precompiled != nil
}

// allocate counts memory, with mu held.
func (d *Device) allocate(bytes int64) error {
	if err := d.state(); err != nil {
		return err
	}
	if d.gen.loading {
		d.misuse("an allocation while a program is loaded")
	}
	effect, fault := d.happens(Allocate)
	if fault && effect == Hang || d.gen.hung {
		g := d.gen
		g.hung = true
		d.mu.Unlock()
		g.answer(true, 0)
		d.mu.Lock()
		return device.ErrLost
	}
	switch {
	case fault && effect == Lose:
		d.lose()
		return device.ErrLost
	case fault && effect == Full, d.used+bytes > d.config.MemoryBytes:
		return device.ErrNoMemory
	}
	d.used += bytes
	d.alive++
	d.gen.held++
	return nil
}

// Reset starts anew; the first ResetFailing resets fail.
func (d *Device) Reset() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.resets++
	if d.config.ResetHangs && !d.closed {
		g := d.gen
		d.mu.Unlock()
		<-g.reset
		d.mu.Lock()
	}
	if d.closed {
		return device.ErrClosed
	}
	if d.resets <= d.config.ResetFailing {
		return errors.New("the reset failed")
	}
	close(d.gen.reset)
	d.gen, d.used = newGeneration(), 0
	return nil
}

// Close ends it.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		close(d.gen.reset)
	}
	return nil
}
