//go:build !nogpu

package opencl

import (
	"errors"
	"fmt"
	"sync"

	"github.com/millrace/millrace/device"
)

// Options of Open; the zero value is the default.
type Options struct {
	// MemoryShare of the device's memory is what slots and resident buffers may take
	// together. 0: 0.8.
	MemoryShare float64
}

const defaultMemoryShare = 0.8

// Device is an OpenCL device in use. It implements device.Device.
type Device struct {
	lib    *library
	found  Found
	budget int64
	// trace, if a test sets it before any slot runs, is told of every command of a task: its
	// stage, beginning and end in nanoseconds of the device's clock.
	trace func(s *Slot, stage int, from, to int64)

	mu     sync.Mutex
	now    *generation
	used   int64 // bytes of buffers of any generation that are not freed
	closed bool
}

// Open opens the device with an ID as Find gives it.
func Open(id string, o Options) (*Device, error) {
	l, err := theLibrary()
	if err != nil {
		return nil, err
	}
	all, err := l.find()
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.ID != id {
			continue
		}
		if f.Unusable != "" {
			return nil, fmt.Errorf("%s (%s): %s", f.ID, f.Name, f.Unusable)
		}
		share := o.MemoryShare
		if share == 0 {
			share = defaultMemoryShare
		}
		d := &Device{lib: l, found: f, budget: int64(share * float64(f.MemoryBytes))}
		if d.now, err = d.newGeneration(); err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, fmt.Errorf("there is no device %s: the machine has %d OpenCL devices, numbered from 0", id, len(all))
}

// Info describes the device.
func (d *Device) Info() device.Info { return d.found.Info }

// Used is the memory that slots and resident buffers take, in bytes, and the budget that
// bounds it.
func (d *Device) Used() (used, budget int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used, d.budget
}

// generation is a context and the objects made in it. They hold it by a count.
type generation struct {
	d       *Device
	context uintptr

	mu      sync.Mutex
	objects int   // and the device itself, until it is given up
	over    error // why nothing of it can be used any more
}

func (d *Device) newGeneration() (*generation, error) {
	c, err := d.lib.newContext(d.found.id)
	if err != nil {
		return nil, err
	}
	return &generation{d: d, context: c, objects: 1}, nil
}

// current returns the generation with an object added to its count.
func (d *Device) current() (*generation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, device.ErrClosed
	}
	if err := d.now.state(); err != nil {
		return nil, err
	}
	d.now.hold()
	return d.now, nil
}

func (g *generation) hold() {
	g.mu.Lock()
	g.objects++
	g.mu.Unlock()
}

// drop gives up one object's hold; the last one releases the context.
func (g *generation) drop() {
	g.mu.Lock()
	g.objects--
	last := g.objects == 0
	g.mu.Unlock()
	if last {
		g.d.lib.release(g.d.lib.releaseContext, g.context)
	}
}

// state is nil while the generation can be used.
func (g *generation) state() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// end makes every use from now on fail; the first reason stays.
func (g *generation) end(reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over == nil {
		g.over = reason
	}
}

// lose ends the generation because of a failure of the driver, which it returns as what
// the contract calls it.
func (g *generation) lose(err error) error {
	err = fmt.Errorf("%s: %w (%w)", g.d.found.ID, device.ErrLost, err)
	g.end(err)
	return err
}

// Reset abandons everything made before and begins anew.
func (d *Device) Reset() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return device.ErrClosed
	}
	next, err := d.newGeneration()
	if err != nil {
		return err
	}
	d.now.end(device.ErrLost)
	d.now.drop()
	d.now = next
	return nil
}

// Close ends all use. Memory goes when what holds it is freed.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.now.end(device.ErrClosed)
	d.now.drop()
	return nil
}

// reserve counts bytes against the budget.
func (d *Device) reserve(bytes int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bytes > d.budget-d.used {
		return fmt.Errorf("%s: %w: %d bytes wanted, %d of %d are in use", d.found.ID, device.ErrNoMemory, bytes, d.used, d.budget)
	}
	d.used += bytes
	return nil
}

func (d *Device) giveBack(bytes int64) {
	d.mu.Lock()
	d.used -= bytes
	d.mu.Unlock()
}

// buffer makes a buffer of the generation. Sizes are never zero, which OpenCL refuses.
func (g *generation) buffer(flags uintptr, bytes int) (uintptr, error) {
	if limit := g.d.found.AllocationBytesMax; int64(bytes) > limit {
		return 0, fmt.Errorf("%s: %w: a buffer of %d bytes, the device has at most %d", g.d.found.ID, device.ErrNoMemory, bytes, limit)
	}
	b, err := g.d.lib.newBuffer(g.context, flags, max(bytes, 8))
	return b, g.memoryError(err)
}

// Codes of OpenCL that mean that memory is short, not that the device is lost.
const (
	codeAllocation = -4
	codeResources  = -5
	codeHostMemory = -6
)

func (g *generation) memoryError(err error) error {
	var call *callError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &call) && (call.code == codeAllocation || call.code == codeResources || call.code == codeHostMemory):
		return fmt.Errorf("%s: %w (%w)", g.d.found.ID, device.ErrNoMemory, err)
	default:
		return g.lose(err)
	}
}
