//go:build !nogpu

package cuda

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

// Device is a CUDA device in use. It implements device.Device.
type Device struct {
	lib    *library
	found  Found
	budget int64
	resets sync.Mutex // one reset at a time; before mu

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
	return l.open(id, o)
}

func (l *library) open(id string, o Options) (*Device, error) {
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
	return nil, fmt.Errorf("there is no device %s: the machine has %d CUDA devices, numbered from 0", id, len(all))
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

// current is the generation in use.
func (d *Device) current() (*generation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, device.ErrClosed
	}
	return d.now, d.now.state()
}

// Reset destroys the context with all that was made in it and begins anew. Where a call
// does not come back it leaves the old context to that call; see the package's comment.
func (d *Device) Reset() error {
	d.resets.Lock()
	defer d.resets.Unlock()
	d.mu.Lock()
	old, closed := d.now, d.closed
	d.mu.Unlock()
	if closed {
		return device.ErrClosed
	}
	old.retire(device.ErrLost)
	next, err := d.newGeneration()
	if err != nil {
		return fmt.Errorf("%s: %w", d.found.ID, err)
	}
	d.mu.Lock()
	closed = d.closed
	if !closed {
		d.now = next
	}
	d.mu.Unlock()
	if closed {
		next.retire(device.ErrClosed)
		return device.ErrClosed
	}
	return nil
}

// Close ends all use and destroys the context.
func (d *Device) Close() error {
	d.mu.Lock()
	closed, last := d.closed, d.now
	d.closed = true
	d.mu.Unlock()
	if !closed {
		last.retire(device.ErrClosed)
	}
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

// made turns the failure of a call that makes something into what the contract calls it.
func (g *generation) made(err error) error {
	var call *callError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &call) && call.code == codeOutOfMemory:
		return fmt.Errorf("%s: %w (%w)", g.d.found.ID, device.ErrNoMemory, err)
	default:
		return g.lose(err)
	}
}
