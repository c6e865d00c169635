//go:build !nogpu

package opencl

import (
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/millrace/millrace/device"
)

// Resident is memory that stays on the device. Moving blocks, so the caller's memory may
// be Go's: the calls have used it when they return.
type Resident struct {
	g      *generation
	queue  uintptr
	buffer uintptr
	bytes  int
}

// NewResident allocates memory that stays on the device between tasks.
func (d *Device) NewResident(bytes int) (device.Resident, error) {
	if err := d.reserve(int64(bytes)); err != nil {
		return nil, err
	}
	g, err := d.current()
	if err != nil {
		d.giveBack(int64(bytes))
		return nil, err
	}
	r := &Resident{g: g, bytes: bytes}
	if r.queue, err = d.lib.newQueue(g.context, d.found.id); err != nil {
		err = g.memoryError(err)
	} else {
		r.buffer, err = g.buffer(memReadWrite, bytes)
	}
	if err != nil {
		r.Free()
		return nil, err
	}
	return r, nil
}

// Bytes is its size.
func (r *Resident) Bytes() int { return r.bytes }

// Write copies p to the start of the buffer.
func (r *Resident) Write(p []byte) error { return r.move(r.g.d.lib.enqueueWrite, p) }

// Read copies the start of the buffer to p.
func (r *Resident) Read(p []byte) error { return r.move(r.g.d.lib.enqueueRead, p) }

func (r *Resident) move(function uintptr, p []byte) error {
	if len(p) > r.bytes {
		return fmt.Errorf("%d bytes do not fit in a resident buffer of %d", len(p), r.bytes)
	}
	if err := r.g.state(); err != nil || len(p) == 0 {
		return err
	}
	status, _, _ := purego.SyscallN(function, r.queue, r.buffer, 1, 0, uintptr(len(p)), uintptr(unsafe.Pointer(&p[0])), 0, 0, 0)
	if err := check("moving a resident buffer", status); err != nil {
		return r.g.lose(err)
	}
	return nil
}

// Free gives the memory back.
func (r *Resident) Free() {
	if r.g == nil {
		return
	}
	lib := r.g.d.lib
	lib.release(lib.releaseMemObject, r.buffer)
	lib.release(lib.releaseQueue, r.queue)
	r.g.d.giveBack(int64(r.bytes))
	r.g.drop()
	*r = Resident{}
}
