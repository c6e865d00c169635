//go:build !nogpu

package cuda

import (
	"fmt"
	"math"
	"runtime"
	"time"
	"unsafe"

	"github.com/millrace/millrace/device"
)

// pair is a buffer in both places: pinned memory of the host and memory of the device.
type pair struct {
	memory []byte
	device uintptr
}

// Slot is the buffers of one task in flight, with a stream of its own.
type Slot struct {
	g          *generation
	stream     uintptr
	total      int64
	host       hostMemory
	registered bool
	inputs     []pair
	output     []pair
	extra      []uintptr
	events     [eventCount]uintptr

	running *Kernel
	call    *device.Call
	counted bool // outputs were moved in a second step

	cells *cells
}

// Events of a task, in the order of the stream.
const (
	begun = iota
	movedIn
	executed
	movedOut
	countedBegun
	countedOut
	eventCount
)

// argumentsMax is the most arguments of a launch; CUDA takes 4 KiB of them.
const argumentsMax = 512

// cells is what calls read and write through addresses. It is pinned, so that the
// addresses stay good while they are but numbers.
type cells struct {
	caller
	made       uintptr
	elapsed    float32 // milliseconds
	values     [argumentsMax]uint64
	parameters [argumentsMax]uintptr // addresses of values

	pins runtime.Pinner
}

func newCells() *cells {
	c := &cells{}
	c.pins.Pin(c)
	return c
}

// NewSlot allocates the buffers of one task.
func (d *Device) NewSlot(sizes device.Sizes) (device.Slot, error) {
	total := sizes.Total()
	if err := d.reserve(total); err != nil {
		return nil, err
	}
	g, err := d.current()
	if err != nil {
		d.giveBack(total)
		return nil, err
	}
	s := &Slot{g: g, total: total, cells: newCells()}
	for i := range s.cells.parameters {
		s.cells.parameters[i] = address(&s.cells.values[i])
	}
	if err = g.enter(&s.cells.caller); err == nil {
		err = s.allocate(sizes)
		g.leave()
	}
	if err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

func (s *Slot) allocate(sizes device.Sizes) error {
	g, c := s.g, s.cells
	if err := s.pin(sizes); err != nil {
		return err
	}
	err := g.d.lib.check("cuStreamCreate", c.do(g.d.lib.streamCreate, address(&c.made), streamNonBlocking))
	if err != nil {
		return g.made(err)
	}
	s.stream = c.made
	for i := range s.events {
		if err := g.d.lib.check("cuEventCreate", c.do(g.d.lib.eventCreate, address(&c.made), eventBlockingSync)); err != nil {
			return g.made(err)
		}
		s.events[i] = c.made
	}
	for _, list := range [][]pair{s.inputs, s.output} {
		for i := range list {
			if list[i].device, err = g.newMemory(c, len(list[i].memory)); err != nil {
				return err
			}
		}
	}
	s.extra = make([]uintptr, len(sizes.Temporary))
	for i, n := range sizes.Temporary {
		if s.extra[i], err = g.newMemory(c, n); err != nil {
			return err
		}
	}
	return nil
}

// pin makes the host's side, one piece for all buffers.
func (s *Slot) pin(sizes device.Sizes) (err error) {
	bytes := 0
	place := func(n int) int {
		at := bytes
		bytes += (n + hostAlign - 1) / hostAlign * hostAlign
		return at
	}
	var starts []int
	for _, n := range append(append([]int{}, sizes.Input...), sizes.Output...) {
		starts = append(starts, place(n))
	}
	if s.host, err = mapHost(bytes); err != nil {
		return fmt.Errorf("%s: %w", s.g.d.found.ID, err)
	}
	s.inputs, s.output = make([]pair, len(sizes.Input)), make([]pair, len(sizes.Output))
	for i, n := range sizes.Input {
		s.inputs[i].memory = s.host[starts[i]:][:n:n]
	}
	for i, n := range sizes.Output {
		s.output[i].memory = s.host[starts[len(sizes.Input)+i]:][:n:n]
	}
	if bytes == 0 {
		return nil
	}
	err = s.g.d.lib.check("cuMemHostRegister", s.cells.do(s.g.d.lib.hostRegister, address(&s.host[0]), uintptr(bytes), 0))
	s.registered = err == nil
	return s.g.made(err)
}

// Input is the host side of input buffer i.
func (s *Slot) Input(i int) []byte { return s.inputs[i].memory }

// Output is the host side of output buffer i.
func (s *Slot) Output(i int) []byte { return s.output[i].memory }

// Run gives the commands of one task to the stream.
func (s *Slot) Run(k device.Kernel, c *device.Call) error {
	own, ok := k.(*Kernel)
	switch {
	case !ok || own.g != s.g:
		return fmt.Errorf("%s: %w: the kernel is of another device or was made before a reset", s.g.d.found.ID, device.ErrLost)
	case len(c.InputBytes) != len(s.inputs) || len(c.Resident) != own.program.Resident:
		return fmt.Errorf("%s: the call has %d inputs and %d resident buffers, program %s on this slot takes %d and %d", s.g.d.found.ID,
			len(c.InputBytes), len(c.Resident), own.program.Key, len(s.inputs), own.program.Resident)
	case len(own.program.Outputs) > len(s.output):
		return fmt.Errorf("%s: program %s has %d outputs, the slot %d", s.g.d.found.ID, own.program.Key, len(own.program.Outputs), len(s.output))
	}
	if err := s.g.enter(&s.cells.caller); err != nil {
		return err
	}
	defer s.g.leave()
	s.running, s.call, s.counted = own, c, false
	if err := s.enqueue(); err != nil {
		return s.g.lose(err)
	}
	return nil
}

func (s *Slot) enqueue() error {
	if err := s.record(begun); err != nil {
		return err
	}
	for i, n := range s.call.InputBytes {
		p := &s.inputs[i]
		if n = min(n, len(p.memory)); n > 0 {
			status := s.cells.do(s.g.d.lib.copyInAsync, p.device, address(&p.memory[0]), uintptr(n), s.stream)
			if err := s.g.d.lib.check("cuMemcpyHtoDAsync", status); err != nil {
				return err
			}
		}
	}
	if err := s.record(movedIn); err != nil {
		return err
	}
	for i := range s.running.program.Launches {
		if err := s.launch(&s.running.program.Launches[i], s.running.entries[i]); err != nil {
			return err
		}
	}
	if err := s.record(executed); err != nil {
		return err
	}
	if _, err := s.moveOut(false); err != nil {
		return err
	}
	return s.record(movedOut)
}

func (s *Slot) record(event int) error {
	return s.g.d.lib.check("cuEventRecord", s.cells.do(s.g.d.lib.eventRecord, s.events[event], s.stream))
}

// launch starts one entry point. The driver has copied the arguments when it returns.
func (s *Slot) launch(l *device.Launch, e entry) error {
	of := int64(0)
	if l.Items.Each != 0 {
		of = s.call.Scalars[l.Items.Scalar]
	}
	items := max(l.Items.Of(of), 0)
	if items == 0 {
		return nil
	}
	if items > math.MaxInt32-e.group {
		return fmt.Errorf("%s: %d work items, a launch has at most 2^31", l.Entry, items)
	}
	for at, a := range l.Args {
		v, err := s.value(a)
		if err != nil {
			return fmt.Errorf("%s, argument %d: %w", l.Entry, at, err)
		}
		s.cells.values[at] = v
	}
	groups := (items + e.group - 1) / e.group
	return s.g.d.lib.check(l.Entry, s.cells.do(s.g.d.lib.launchKernel, e.function, uintptr(groups), 1, 1, uintptr(e.group), 1, 1,
		0, s.stream, address(&s.cells.parameters[0]), 0))
}

// value is what the kernel is given for an argument. A number of 32 bits is the lower half
// of its cell: CUDA's processors and hosts are little-endian.
func (s *Slot) value(a device.Arg) (uint64, error) {
	switch {
	case a.Kind == device.Int32Arg || a.Kind == device.Int64Arg || a.Kind == device.Float64Arg:
		return uint64(s.call.Scalars[a.Index]), nil
	case a.Kind == device.ResidentArg:
		r, ok := s.call.Resident[a.Index].(*Resident)
		if !ok || r.g != s.g {
			return 0, fmt.Errorf("resident buffer %d is of another device, or was made before a reset", a.Index)
		}
		return uint64(r.memory), nil
	case a.Kind == device.InputArg && a.Index < len(s.inputs):
		return uint64(s.inputs[a.Index].device), nil
	case a.Kind == device.OutputArg && a.Index < len(s.output):
		return uint64(s.output[a.Index].device), nil
	case a.Kind == device.TemporaryArg && a.Index < len(s.extra):
		return uint64(s.extra[a.Index]), nil
	}
	return 0, fmt.Errorf("the slot has no buffer %d of its kind", a.Index)
}

// moveOut moves the outputs whose size is counted by the kernels, or the others. It says
// whether there was anything to move; of counted ones it is between events of their own.
func (s *Slot) moveOut(counted bool) (moved bool, err error) {
	for i, e := range s.running.program.Outputs {
		if e.Counted != counted {
			continue
		}
		p := &s.output[i]
		n := e.Bytes(s.call, s, len(p.memory))
		if n == 0 {
			continue
		}
		if counted && !moved {
			if err := s.record(countedBegun); err != nil {
				return false, err
			}
		}
		moved = true
		status := s.cells.do(s.g.d.lib.copyOutAsync, address(&p.memory[0]), p.device, uintptr(n), s.stream)
		if err := s.g.d.lib.check("cuMemcpyDtoHAsync", status); err != nil {
			return false, err
		}
	}
	if counted && moved {
		return true, s.record(countedOut)
	}
	return moved, nil
}

// Wait waits for the result of Run.
func (s *Slot) Wait() (device.Timing, error) {
	defer func() { s.running, s.call = nil, nil }()
	if err := s.g.enter(&s.cells.caller); err != nil {
		return device.Timing{}, err
	}
	defer s.g.leave()
	t, err := s.finish()
	if err != nil {
		return device.Timing{}, s.g.lose(err)
	}
	return t, s.g.state()
}

func (s *Slot) finish() (t device.Timing, err error) {
	if err := s.wait(movedOut); err != nil {
		return t, err
	}
	if s.counted, err = s.moveOut(true); err != nil {
		return t, err
	}
	if s.counted {
		if err := s.wait(countedOut); err != nil {
			return t, err
		}
	}
	if t.MoveIn, err = s.between(begun, movedIn); err != nil {
		return t, err
	}
	if t.Execute, err = s.between(movedIn, executed); err != nil {
		return t, err
	}
	if t.MoveOut, err = s.between(executed, movedOut); err != nil || !s.counted {
		return t, err
	}
	second, err := s.between(countedBegun, countedOut)
	t.MoveOut += second
	return t, err
}

// wait blocks until the stream has come to an event.
func (s *Slot) wait(event int) error {
	return s.g.d.lib.check("cuEventSynchronize", s.cells.do(s.g.d.lib.eventSynchronize, s.events[event]))
}

// between is the time between two events, by the device's clock.
func (s *Slot) between(from, to int) (time.Duration, error) {
	c := s.cells
	err := s.g.d.lib.check("cuEventElapsedTime", c.do(s.g.d.lib.eventElapsed, address(&c.elapsed), s.events[from], s.events[to]))
	return time.Duration(float64(c.elapsed) * float64(time.Millisecond)), err
}

// Free gives everything back.
func (s *Slot) Free() {
	if s.g == nil {
		return
	}
	g, c, lib := s.g, s.cells, s.g.d.lib
	if g.enter(&c.caller) == nil { // else the context took all of it along, or will
		for _, list := range [][]pair{s.inputs, s.output} {
			for _, p := range list {
				g.release(&c.caller, "cuMemFree", lib.memoryFree, p.device)
			}
		}
		for _, m := range s.extra {
			g.release(&c.caller, "cuMemFree", lib.memoryFree, m)
		}
		for _, e := range s.events {
			g.release(&c.caller, "cuEventDestroy", lib.eventDestroy, e)
		}
		g.release(&c.caller, "cuStreamDestroy", lib.streamDestroy, s.stream)
		s.unpin()
		g.leave()
	}
	if s.registered {
		g.bequeath(s.host)
	} else {
		s.host.unmap()
	}
	c.pins.Unpin()
	g.d.giveBack(s.total)
	*s = Slot{}
}

// unpin takes the host's side from the driver, which may fail when the device is lost.
func (s *Slot) unpin() {
	if s.registered {
		err := s.g.d.lib.check("cuMemHostUnregister", s.cells.do(s.g.d.lib.hostUnregister, uintptr(unsafe.Pointer(&s.host[0]))))
		if s.registered = err != nil; err != nil {
			_ = s.g.lose(err) // the next one who enters is told
		}
	}
}
