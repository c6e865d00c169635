//go:build !nogpu

package opencl

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/millrace/millrace/device"
)

// pair is a buffer in both places: pinned memory of the host and memory of the device.
type pair struct {
	host   uintptr
	memory []byte // host, mapped
	device uintptr
}

// Slot is the buffers of one task in flight, with a queue of its own.
type Slot struct {
	g      *generation
	queue  uintptr
	total  int64
	inputs []pair
	output []pair
	extra  []uintptr
	bound  map[*Kernel]*bound

	running *Kernel
	call    *device.Call
	moved   int // the first of the events, which are of move-in
	ran     int // and those behind them, of launches
	given   int // events of all commands given

	cells *cells
	pins  runtime.Pinner
}

// cells is what calls read and write through addresses. It is pinned while the slot lives,
// so that the addresses stay good while they are but numbers.
type cells struct {
	arguments     [12]uintptr // of the call being made
	global, local uintptr
	scalar        int64
	started       int64
	ended         int64
	events        [commandsMax]uintptr // of the commands given, in order
}

// The most commands of a task, and inputs of a slot.
const (
	commandsMax = 512
	inputsMax   = 256
)

// do calls a function of the library without allocating.
func (s *Slot) do(function uintptr, arguments ...uintptr) uintptr {
	n := copy(s.cells.arguments[:], arguments)
	r, _, _ := purego.SyscallN(function, s.cells.arguments[:n]...)
	return r
}

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// bound is a kernel with the slot's buffers as arguments.
type bound struct {
	objects []uintptr // one for each launch
	scalars []int64   // as last set, in the order of all launches' arguments
	set     []bool    // whether they are
}

// NewSlot allocates the buffers of one task.
func (d *Device) NewSlot(sizes device.Sizes) (device.Slot, error) {
	if len(sizes.Input) > inputsMax {
		return nil, fmt.Errorf("%s: a slot of %d inputs, it has at most %d", d.found.ID, len(sizes.Input), inputsMax)
	}
	total := sizes.Total()
	if err := d.reserve(total); err != nil {
		return nil, err
	}
	g, err := d.current()
	if err != nil {
		d.giveBack(total)
		return nil, err
	}
	s := &Slot{g: g, total: total, bound: map[*Kernel]*bound{}, cells: &cells{}}
	s.pins.Pin(s.cells)
	if err := s.allocate(sizes); err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

func (s *Slot) allocate(sizes device.Sizes) (err error) {
	if s.queue, err = s.g.d.lib.newQueue(s.g.context, s.g.d.found.id); err != nil {
		return s.g.memoryError(err)
	}
	s.inputs, s.output = make([]pair, len(sizes.Input)), make([]pair, len(sizes.Output))
	s.extra = make([]uintptr, len(sizes.Temporary))
	for i, n := range sizes.Input {
		if err := s.pair(&s.inputs[i], n); err != nil {
			return err
		}
	}
	for i, n := range sizes.Output {
		if err := s.pair(&s.output[i], n); err != nil {
			return err
		}
	}
	for i, n := range sizes.Temporary {
		if s.extra[i], err = s.g.buffer(memReadWrite, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Slot) pair(p *pair, n int) (err error) {
	if p.device, err = s.g.buffer(memReadWrite, n); err != nil {
		return err
	}
	if p.host, err = s.g.buffer(memReadWrite|memAllocHostPtr, n); err != nil {
		return err
	}
	p.memory, err = s.g.d.lib.mapBuffer(s.queue, p.host, max(n, 8))
	if err != nil {
		return s.g.memoryError(err)
	}
	p.memory = p.memory[:n:n]
	return nil
}

// Input is the host side of input buffer i.
func (s *Slot) Input(i int) []byte { return s.inputs[i].memory }

// Output is the host side of output buffer i.
func (s *Slot) Output(i int) []byte { return s.output[i].memory }

// Run gives the commands of one task to the queue.
func (s *Slot) Run(k device.Kernel, c *device.Call) error {
	own, ok := k.(*Kernel)
	switch {
	case !ok || own.g != s.g:
		return fmt.Errorf("%s: %w: the kernel is of another device or was made before a reset", s.g.d.found.ID, device.ErrLost)
	case len(c.InputBytes) != len(s.inputs) || len(c.Resident) != own.program.Resident:
		return fmt.Errorf("%s: the call has %d inputs and %d resident buffers, program %s on this slot takes %d and %d", s.g.d.found.ID,
			len(c.InputBytes), len(c.Resident), own.program.Key, len(s.inputs), own.program.Resident)
	}
	if err := s.g.state(); err != nil {
		return err
	}
	s.running, s.call, s.given = own, c, 0
	if err := s.enqueue(); err != nil {
		s.drain()
		return s.g.lose(err)
	}
	return nil
}

func (s *Slot) enqueue() error {
	lib, p := s.g.d.lib, s.running.program
	b, err := s.bind(s.running)
	if err != nil {
		return err
	}
	for i, n := range s.call.InputBytes {
		if n > 0 {
			if err := s.copy(lib.enqueueWrite, "clEnqueueWriteBuffer", &s.inputs[i], n); err != nil {
				return err
			}
		}
	}
	s.moved = s.given
	first := 0
	for i := range p.Launches {
		if err := s.arguments(b, i, first); err != nil {
			return err
		}
		first += len(p.Launches[i].Args)
		if err := s.launch(b.objects[i], &p.Launches[i]); err != nil {
			return err
		}
	}
	s.ran = s.given - s.moved
	if err := s.moveOut(false); err != nil {
		return err
	}
	return check("clFlush", s.do(lib.flush, s.queue))
}

// copy moves the first n bytes of a pair, in the direction of the function given.
func (s *Slot) copy(function uintptr, call string, p *pair, n int) error {
	return s.enqueued(call, s.do(function, s.queue, p.device, 0, 0, uintptr(min(n, len(p.memory))),
		address(unsafe.SliceData(p.memory)), 0, 0, address(&s.cells.events[s.given])))
}

func (s *Slot) launch(object uintptr, l *device.Launch) error {
	of := int64(0)
	if l.Items.Each != 0 {
		of = s.call.Scalars[l.Items.Scalar]
	}
	items, local := uintptr(max(l.Items.Of(of), 0)), uintptr(0)
	if items == 0 {
		return nil
	}
	if l.Group > 0 {
		s.cells.local, local = uintptr(l.Group), address(&s.cells.local)
		items = (items + s.cells.local - 1) / s.cells.local * s.cells.local
	}
	s.cells.global = items
	return s.enqueued(l.Entry, s.do(s.g.d.lib.enqueueKernel, s.queue, object, 1, 0, address(&s.cells.global), local,
		0, 0, address(&s.cells.events[s.given])))
}

// enqueued counts a command that was taken.
func (s *Slot) enqueued(call string, status uintptr) error {
	if err := check(call, status); err != nil {
		return err
	}
	s.given++
	return nil
}

// moveOut reads the outputs whose size is counted by the kernels, or the others. It
// reports nothing when there are none.
func (s *Slot) moveOut(counted bool) error {
	for i, e := range s.running.program.Outputs {
		if e.Counted != counted {
			continue
		}
		if n := e.Bytes(s.call, s, len(s.output[i].memory)); n > 0 {
			if err := s.copy(s.g.d.lib.enqueueRead, "clEnqueueReadBuffer", &s.output[i], n); err != nil {
				return err
			}
		}
	}
	return nil
}

// Wait waits for the result of Run.
func (s *Slot) Wait() (device.Timing, error) {
	defer func() { s.running, s.call = nil, nil }()
	err := s.wait()
	if before := s.given; err == nil {
		if err = s.moveOut(true); err == nil && s.given > before {
			err = s.wait()
		}
	}
	if err != nil {
		s.drain()
		return device.Timing{}, s.g.lose(err)
	}
	t := device.Timing{
		MoveIn:  s.sum(moveIn, 0, s.moved),
		Execute: s.sum(execute, s.moved, s.moved+s.ran),
		MoveOut: s.sum(moveOut, s.moved+s.ran, s.given),
	}
	s.forget()
	return t, s.g.state()
}

// wait blocks until the last command given has ended; those before it have then, too.
func (s *Slot) wait() error {
	if s.given == 0 {
		return nil
	}
	return check("clWaitForEvents", s.do(s.g.d.lib.waitForEvents, 1, address(&s.cells.events[s.given-1])))
}

// The stages that a device's clock measures.
const (
	moveIn = iota
	execute
	moveOut
)

// sum is what the commands [from, to) of a stage took, by the device's clock.
func (s *Slot) sum(stage, from, to int) time.Duration {
	f, c, total := s.g.d.lib.getEventProfilingInfo, s.cells, int64(0)
	for _, e := range c.events[from:to] {
		if int32(s.do(f, e, profilingStart, 8, address(&c.started), 0)) == 0 && int32(s.do(f, e, profilingEnd, 8, address(&c.ended), 0)) == 0 {
			total += max(0, c.ended-c.started)
			if trace := s.g.d.trace; trace != nil {
				trace(s, stage, c.started, c.ended)
			}
		}
	}
	return time.Duration(total)
}

// forget releases the events.
func (s *Slot) forget() {
	for _, e := range s.cells.events[:s.given] {
		s.do(s.g.d.lib.releaseEventObject, e)
	}
	s.given = 0
}

// drain waits until the queue is empty, so that no command uses the buffers any more.
func (s *Slot) drain() {
	s.do(s.g.d.lib.finish, s.queue)
	s.forget()
}

// Free gives everything back.
func (s *Slot) Free() {
	if s.g == nil {
		return
	}
	lib := s.g.d.lib
	for _, b := range s.bound {
		for _, o := range b.objects {
			lib.release(lib.releaseKernel, o)
		}
	}
	for _, list := range [][]pair{s.inputs, s.output} {
		for _, p := range list {
			if p.memory != nil {
				_ = lib.unmapBuffer(s.queue, p.host, p.memory) // fails where the driver has lost it
			}
		}
	}
	if s.queue != 0 {
		s.do(lib.finish, s.queue)
	}
	for _, list := range [][]pair{s.inputs, s.output} {
		for _, p := range list {
			lib.release(lib.releaseMemObject, p.host)
			lib.release(lib.releaseMemObject, p.device)
		}
	}
	for _, b := range s.extra {
		lib.release(lib.releaseMemObject, b)
	}
	lib.release(lib.releaseQueue, s.queue)
	s.pins.Unpin()
	s.g.d.giveBack(s.total)
	s.g.drop()
	*s = Slot{}
}
