//go:build !nogpu

package cuda

import (
	"fmt"
	"unsafe"

	"github.com/millrace/millrace/device"
)

// Resident is memory that stays on the device. Moving blocks, so the caller's memory may
// be Go's: the calls have used it when they return.
type Resident struct {
	g      *generation
	memory uintptr
	bytes  int
}

// NewResident allocates memory that stays on the device between tasks.
func (d *Device) NewResident(bytes int) (device.Resident, error) {
	if err := d.reserve(int64(bytes)); err != nil {
		return nil, err
	}
	r, err := d.newResident(bytes)
	if err != nil {
		d.giveBack(int64(bytes))
		return nil, err
	}
	return r, nil
}

func (d *Device) newResident(bytes int) (*Resident, error) {
	g, err := d.current()
	if err != nil {
		return nil, err
	}
	c := newCells()
	defer c.pins.Unpin()
	if err := g.enter(&c.caller); err != nil {
		return nil, err
	}
	defer g.leave()
	memory, err := g.newMemory(c, bytes)
	return &Resident{g: g, memory: memory, bytes: bytes}, err
}

// Bytes is its size.
func (r *Resident) Bytes() int { return r.bytes }

// Write copies p to the start of the buffer.
func (r *Resident) Write(p []byte) error {
	return r.move(p, func(l *library) error {
		if err := l.check("cuMemcpyHtoD", call(l.copyIn, r.memory, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))); err != nil {
			return err
		}
		return l.check("cuStreamSynchronize", call(l.streamSynchronize, 0)) // until then it may only be staged
	})
}

// Read copies the start of the buffer to p.
func (r *Resident) Read(p []byte) error {
	return r.move(p, func(l *library) error {
		return l.check("cuMemcpyDtoH", call(l.copyOut, uintptr(unsafe.Pointer(&p[0])), r.memory, uintptr(len(p))))
	})
}

func (r *Resident) move(p []byte, with func(*library) error) error {
	if len(p) > r.bytes {
		return fmt.Errorf("%d bytes do not fit in a resident buffer of %d", len(p), r.bytes)
	}
	if len(p) == 0 {
		return r.g.state()
	}
	if err := r.g.enter(&caller{}); err != nil {
		return err
	}
	defer r.g.leave()
	if err := with(r.g.d.lib); err != nil {
		return r.g.lose(err)
	}
	return nil
}

// Free gives the memory back.
func (r *Resident) Free() {
	if r.g == nil {
		return
	}
	c, g := &caller{}, r.g
	if g.enter(c) == nil { // else the context took it along, or will
		g.release(c, "cuMemFree", g.d.lib.memoryFree, r.memory)
		g.leave()
	}
	g.d.giveBack(int64(r.bytes))
	*r = Resident{}
}
