//go:build !nogpu

package cuda

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/device"
)

// hostMemory is memory outside of Go's heap.
type hostMemory []byte

// hostAlign is where buffers in host memory begin: the driver copies such fastest.
const hostAlign = 256

// mapHost maps memory of a size; nil for none.
func mapHost(bytes int) (hostMemory, error) {
	if bytes == 0 {
		return nil, nil
	}
	m, err := unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("%w: %d bytes of the host's memory: %w", device.ErrNoMemory, bytes, err)
	}
	return m, nil
}

func (m hostMemory) unmap() {
	if m != nil {
		_ = unix.Munmap(m) // fails for what is not mapped only
	}
}

// newMemory allocates memory of the device. Sizes are never zero, which CUDA refuses.
func (g *generation) newMemory(c *cells, bytes int) (uintptr, error) {
	if err := g.d.lib.check("cuMemAlloc", c.do(g.d.lib.memoryAllocate, address(&c.made), uintptr(max(bytes, 8)))); err != nil {
		return 0, g.made(err)
	}
	return c.made, nil
}
