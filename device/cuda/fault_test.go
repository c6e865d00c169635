//go:build !nogpu

package cuda

import (
	"errors"
	"testing"
	"time"

	"github.com/millrace/millrace/device"
)

// A kernel that faults spoils its context: all of it fails, until a reset makes a new one.
func TestFaultAndReset(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	k, r, slot := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
	s.faultAt(2)
	if err := slot.Run(k, addCall(10, 3, r)); err != nil {
		t.Fatal(err) // that it faults shows later
	}
	if _, err := slot.Wait(); !errors.Is(err, device.ErrLost) {
		t.Fatalf("the kernel faulted: %v", err)
	}
	lost := func(when string) {
		t.Helper()
		if err := slot.Run(k, addCall(10, 3, r)); !errors.Is(err, device.ErrLost) {
			t.Errorf("%s: a slot runs: %v", when, err)
		}
		if _, err := slot.Wait(); !errors.Is(err, device.ErrLost) {
			t.Errorf("%s: a slot waits: %v", when, err)
		}
		if err := r.Write([]byte{1}); !errors.Is(err, device.ErrLost) {
			t.Errorf("%s: a resident buffer is written: %v", when, err)
		}
		if err := r.Read([]byte{1}); !errors.Is(err, device.ErrLost) {
			t.Errorf("%s: a resident buffer is read: %v", when, err)
		}
	}
	lost("after the fault")
	if _, err := d.NewSlot(device.Sizes{}); !errors.Is(err, device.ErrLost) {
		t.Errorf("a slot on a lost device: %v", err)
	}
	if _, err := d.Compile(addProgram); !errors.Is(err, device.ErrLost) {
		t.Errorf("a kernel on a lost device: %v", err)
	}
	if err := d.Reset(); err != nil {
		t.Fatal(err)
	}
	lost("after the reset")
	if n := s.count(contexts); n != 1 || s.count(memories) != 0 || s.count(modules) != 0 {
		t.Errorf("%d contexts, %d memories, %d modules after a reset", n, s.count(memories), s.count(modules))
	}
	for i := range slot.Input(0) { // the host's side stays until it is freed
		slot.Input(0)[i] = 1
	}
	k2, r2, slot2 := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
	if err := slot2.Run(k, addCall(1, 1, r2)); !errors.Is(err, device.ErrLost) {
		t.Errorf("a kernel from before the reset runs: %v", err)
	}
	runAdd(t, slot2, k2, r2, 10, 1, 3)
	for _, free := range []func(){k.Free, r.Free, slot.Free, k2.Free, r2.Free, slot2.Free} {
		free()
	}
}

// Freeing is where some faults come to light. The next one is told, and nothing is lost.
func TestFaultWhileFreeing(t *testing.T) {
	for _, function := range []string{"cuMemFree_v2", "cuMemHostUnregister", "cuStreamDestroy_v2", "cuModuleUnload", "cuCtxSetCurrent"} {
		t.Run(function, func(t *testing.T) {
			s := newStandIn(t)
			d := s.open(t, Options{})
			k, r, slot := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
			s.failAt(function, 1, 700)
			for _, free := range []func(){k.Free, r.Free, slot.Free} {
				free()
			}
			if _, err := d.NewResident(4); !errors.Is(err, device.ErrLost) {
				t.Errorf("the device is in use: %v", err)
			}
			if err := d.Reset(); err != nil {
				t.Fatal(err)
			}
			r = resident(t, d, 3)
			r.Free()
		})
	}
}

// A reset does not wait for a kernel that hangs. The context lives until the call under way
// comes back, and then goes.
func TestResetOfHungDevice(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*Device) error
		want error
	}{{"reset", (*Device).Reset, device.ErrLost}, {"close", (*Device).Close, device.ErrClosed}} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.open(t, Options{})
			k, r, slot := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
			s.hang(1)
			if err := slot.Run(k, addCall(10, 3, r)); err != nil {
				t.Fatal(err)
			}
			waited := make(chan error)
			go func() {
				_, err := slot.Wait()
				waited <- err
			}()
			s.awaitWaiting()
			old := d.now
			if err := c.end(d); err != nil {
				t.Fatal(err)
			}
			if n := s.count(contexts); (n == 2) != (c.want == device.ErrLost) {
				t.Errorf("%d contexts while a call is under way", n)
			}
			r.Free()
			k.Free()
			s.hang(0)
			if err := <-waited; !errors.Is(err, c.want) {
				t.Errorf("the wait under way ends with %v", err)
			}
			<-old.gone
			slot.Free()
			if c.want == device.ErrLost {
				k, r, slot := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
				runAdd(t, slot, k, r, 10, 1, 3)
				for _, free := range []func(){k.Free, r.Free, slot.Free} {
					free()
				}
			}
		})
	}
}

// A slot that is freed while its context hangs keeps its memory mapped until the driver no
// longer knows it.
func TestFreeOnHungDevice(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	k, slot, idle := compile(t, d, reverseProgram), slotFor(t, d, 64), slotFor(t, d, 64)
	s.hang(1)
	if err := slot.Run(k, &device.Call{InputBytes: []int{256}, Scalars: []int64{64}}); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() {
		_, err := slot.Wait()
		waited <- err
	}()
	s.awaitWaiting()
	old := d.now
	if err := d.Reset(); err != nil {
		t.Fatal(err)
	}
	idle.Free()
	if len(old.left) != 1 || s.count(pinned) != 2 {
		t.Errorf("%d pieces of memory are kept, %d pinned", len(old.left), s.count(pinned))
	}
	s.hang(0)
	if err := <-waited; !errors.Is(err, device.ErrLost) {
		t.Error(err)
	}
	<-old.gone
	if old.left != nil {
		t.Error("memory is kept after its context is gone")
	}
	slot.Free()
	k.Free()
}

// A machine whose driver is broken for good makes no new context.
func TestResetFails(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	s.failAt("cuCtxCreate_v2", 1, 700)
	if err := d.Reset(); err == nil {
		t.Fatal("reset without a context")
	}
	if _, err := d.NewResident(4); !errors.Is(err, device.ErrLost) {
		t.Errorf("after a failed reset: %v", err)
	}
	if err := d.Reset(); err != nil {
		t.Fatal(err)
	}
	r := resident(t, d, 5)
	r.Free()
}

// Open and close many times, with objects freed before and after Close. What is left over
// would be counted.
func TestOpenCloseDoesNotLeak(t *testing.T) {
	s := newStandIn(t)
	l := s.library(t)
	for i := range 6 {
		d, err := l.open("cuda:0", Options{})
		if err != nil {
			t.Fatal(err)
		}
		k, r, slot := compile(t, d, addProgram), resident(t, d, 2), slotFor(t, d, 1000)
		runAdd(t, slot, k, r, 1000, 2, 500)
		free := func() { k.Free(); slot.Free(); r.Free() }
		if i%2 == 0 {
			free()
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			free()
		}
		if used, _ := d.Used(); used != 0 {
			t.Fatalf("%d bytes are counted after closing", used)
		}
		if _, err := d.NewSlot(device.Sizes{}); !errors.Is(err, device.ErrClosed) {
			t.Fatalf("a slot on a closed device: %v", err)
		}
		if err := d.Reset(); !errors.Is(err, device.ErrClosed) {
			t.Fatalf("a reset of a closed device: %v", err)
		}
		if n := s.count(contexts); n != 0 {
			t.Fatalf("%d contexts after closing", n)
		}
	}
}

// A reset voids what was made before, and only that.
func TestReset(t *testing.T) {
	onEvery(t, Options{}, func(t *testing.T, d *Device) {
		k, r, slot := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
		if err := d.Reset(); err != nil {
			t.Fatal(err)
		}
		if err := slot.Run(k, addCall(1, 1, r)); !errors.Is(err, device.ErrLost) {
			t.Errorf("a slot from before the reset runs: %v", err)
		}
		k2, r2, slot2 := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
		runAdd(t, slot2, k2, r2, 10, 1, 3)
		if err := slot2.Run(k2, addCall(1, 1, r)); !errors.Is(err, device.ErrLost) {
			t.Errorf("a resident buffer from before the reset is used: %v", err)
		}
		for _, free := range []func(){k.Free, r.Free, slot.Free, k2.Free, r2.Free, slot2.Free} {
			free()
		}
	})
}

// Slots and resident buffers are made, used and freed while the device is reset: each use
// ends well or with a loss, and nothing is left.
func TestResetsWhileInUse(t *testing.T) { onEvery(t, Options{}, resetsWhileInUse) }

func resetsWhileInUse(t *testing.T, d *Device) {
	done := make(chan int)
	for range 2 {
		go func() {
			used := 0
			for start := time.Now(); time.Since(start) < 300*time.Millisecond; {
				switch err := useOnce(d); {
				case err == nil:
					used++
				case !errors.Is(err, device.ErrLost):
					t.Error(err)
				}
			}
			done <- used
		}()
	}
	for range 3 {
		time.Sleep(60 * time.Millisecond)
		if err := d.Reset(); err != nil {
			t.Error(err)
		}
	}
	if used := <-done + <-done; used == 0 {
		t.Error("nothing was used")
	}
}

func useOnce(d *Device) error {
	s, err := d.NewSlot(device.Sizes{Input: []int{256}, Output: []int{4, 256}})
	if err != nil {
		return err
	}
	defer s.Free()
	r, err := d.NewResident(64)
	if err != nil {
		return err
	}
	defer r.Free()
	for i := range s.Input(0) {
		s.Input(0)[i] = byte(i)
	}
	return r.Write(s.Input(0)[:64])
}
