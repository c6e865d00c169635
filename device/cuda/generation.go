//go:build !nogpu

package cuda

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/millrace/millrace/device"
)

// resetPatience is how long Reset and Close wait for calls under way and for the driver to
// destroy the context. Only a kernel that hangs takes longer.
const resetPatience = time.Second

// generation is a context, from one reset to the next.
type generation struct {
	d       *Device
	context uintptr
	gone    chan struct{} // closed when the context is destroyed

	mu      sync.Mutex
	inside  int   // calls under way
	over    error // why nothing of it can be used any more
	retired bool  // nobody will need it: to be destroyed
	ended   bool  // gone is closed
	left    []hostMemory
}

func (d *Device) newGeneration() (*generation, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, err := d.lib.newContext(d.found.ordinal)
	if err != nil {
		return nil, err
	}
	return &generation{d: d, context: c, gone: make(chan struct{})}, nil
}

// enter makes the context the one that calls of this goroutine use, until leave.
func (g *generation) enter(c *caller) error {
	g.mu.Lock()
	if g.over != nil {
		g.mu.Unlock()
		return g.over
	}
	g.inside++
	g.mu.Unlock()
	runtime.LockOSThread()
	if err := g.d.lib.check("cuCtxSetCurrent", c.do(g.d.lib.contextSet, g.context)); err != nil {
		err = g.lose(err)
		g.leave()
		return err
	}
	return nil
}

// leave ends what enter began. The last one out of a retired generation destroys it.
func (g *generation) leave() {
	runtime.UnlockOSThread()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.retired && g.inside == 0 {
		go g.destroy()
	}
}

// state is nil while the generation can be used.
func (g *generation) state() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// lose ends the generation because of a failure of the driver, which it returns as what
// the contract calls it.
func (g *generation) lose(err error) error {
	err = fmt.Errorf("%s: %w (%w)", g.d.found.ID, device.ErrLost, err)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over == nil {
		g.over = err
	}
	return err
}

// retire ends the generation for a reason, unless it has ended, and destroys the context as
// soon as nobody is inside. It waits for that, but not for ever.
func (g *generation) retire(reason error) {
	g.mu.Lock()
	if g.over == nil {
		g.over = reason
	}
	first := !g.retired
	g.retired = true
	if first && g.inside == 0 {
		go g.destroy()
	}
	g.mu.Unlock()
	patience := time.NewTimer(resetPatience)
	defer patience.Stop()
	select {
	case <-g.gone:
	case <-patience.C:
	}
}

// destroy destroys the context, and with it all memory, streams and modules.
func (g *generation) destroy() {
	runtime.LockOSThread()
	status := call(g.d.lib.contextDestroy, g.context)
	runtime.UnlockOSThread()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	for _, m := range g.left {
		if int32(status) == 0 { // else the driver may still know it
			m.unmap()
		}
	}
	g.left = nil
	close(g.gone)
}

// bequeath unmaps a slot's host memory that was not unregistered, once the context is gone.
func (g *generation) bequeath(m hostMemory) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		m.unmap()
		return
	}
	g.left = append(g.left, m)
}

// release calls a function that gives something back. That it fails is how some errors of
// kernels come to light.
func (g *generation) release(c *caller, name string, function, object uintptr) {
	if object != 0 {
		if err := g.d.lib.check(name, c.do(function, object)); err != nil {
			_ = g.lose(err) // the next one who enters is told
		}
	}
}
