//go:build !nogpu

package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ebitengine/purego"
)

// requireVariable makes the absence of a compiler a failure. Continuous integration sets
// it, so that these tests cannot be skipped unnoticed.
const requireVariable = "MILLRACE_REQUIRE_OPENCL"

var folder string // of what tests build

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "millrace-cuda-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder) // of the system's temporary folder
	os.Exit(code)
}

// standIn is a library that plays driver and compiler (testdata/standin.c, nvrtc.c).
type standIn struct {
	path                                            string
	fail, fault, hold, await, machine, alive, wrong uintptr
}

var buildStandIn = sync.OnceValues(func() (*standIn, error) {
	for _, compiler := range []string{"cc", "c++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			return nil, err
		}
	}
	header, err := filepath.Abs("testdata/host.h")
	if err != nil {
		return nil, err
	}
	s := &standIn{path: filepath.Join(folder, "standin.so")}
	out, err := exec.Command("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-pthread", "-DHOST_HEADER="+fmt.Sprintf("%q", header),
		"-DFOLDER="+fmt.Sprintf("%q", folder), "-o", s.path, "testdata/standin.c", "testdata/nvrtc.c", "-ldl").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	handle, err := openLibrary(s.path)
	if err != nil {
		return nil, err
	}
	return s, bindSymbols(handle, map[string]*uintptr{
		"standin_fail": &s.fail, "standin_fault": &s.fault, "standin_hold": &s.hold, "standin_await": &s.await,
		"standin_machine": &s.machine, "standin_alive": &s.alive, "standin_wrong": &s.wrong,
	})
})

// Kinds of things that the stand-in counts.
const (
	contexts = iota
	modules
	functions
	streams
	eventsAlive
	memories
	pinned
	kindsAlive
)

// newStandIn is the stand-in for one test, at whose end nothing may have been wrong, and
// nothing be left.
func newStandIn(t testing.TB) *standIn {
	t.Helper()
	s, err := buildStandIn()
	if err != nil {
		if os.Getenv(requireVariable) != "" {
			t.Fatalf("%s is set, and the stand-in cannot be built: %v", requireVariable, err)
		}
		t.Skipf("NOT TESTED: the stand-in for a GPU's driver cannot be built (%v). apt-get install g++ gives compilers", err)
	}
	s.play(12040, 12040, 1, 0)
	s.failAt("", 0, 0)
	t.Cleanup(func() {
		if wrong := s.complaints(); wrong != "" {
			t.Errorf("the driver was misused:\n%s", wrong)
		}
		for kind := range kindsAlive {
			if n := s.count(kind); n != 0 {
				t.Errorf("%d things of kind %d are left", n, kind)
			}
		}
	})
	return s
}

// play sets what machine it plays: versions of driver and compiler, devices, cuInit's code.
func (s *standIn) play(driver, compiler, devices, start int) {
	call(s.machine, uintptr(driver), uintptr(compiler), uintptr(devices), uintptr(start))
}

// failAt makes the n-th call of a function from now fail.
func (s *standIn) failAt(function string, n, code int) {
	name := append([]byte(function), 0)
	purego.SyscallN(s.fail, address(&name[0]), uintptr(n), uintptr(code))
}

// faultAt makes the n-th kernel from now fault.
func (s *standIn) faultAt(n int) { call(s.fault, uintptr(n)) }

func (s *standIn) hang(on uintptr)    { call(s.hold, on) }
func (s *standIn) awaitWaiting()      { call(s.await) }
func (s *standIn) count(kind int) int { return int(int32(call(s.alive, uintptr(kind)))) }
func (s *standIn) complaints() string { return textAt(call(s.wrong)) }

func (s *standIn) library(t testing.TB) *library {
	t.Helper()
	l, err := loadLibrary([]string{s.path}, []string{s.path})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// open opens the stand-in's device, closed at the test's end.
func (s *standIn) open(t testing.TB, o Options) *Device {
	t.Helper()
	d, err := s.library(t).open("cuda:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if used, _ := d.Used(); used != 0 {
			t.Errorf("%d bytes were not freed", used)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// A stand-in that noticed nothing would prove nothing.
func TestStandInNotices(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	other, err := d.newGeneration()
	if err != nil {
		t.Fatal(err)
	}
	defer other.retire(errAny)
	slot := slotFor(t, d, 16).(*Slot)
	l, g, c, kept := d.lib, d.now, newCells(), newCells()
	defer c.pins.Unpin()
	defer kept.pins.Unpin()
	inside := func(in *generation, do func()) func() {
		return func() {
			if err := in.enter(&c.caller); err != nil {
				t.Fatal(err)
			}
			defer in.leave()
			do()
		}
	}
	unpinned := make([]byte, 4)
	for _, wrong := range []struct {
		notice string
		do     func()
	}{
		{"no pinned memory", inside(g, func() { c.do(l.copyInAsync, slot.inputs[0].device, address(&kept.values[0]), 4, slot.stream) })},
		{"no memory of the context", inside(g, func() { c.do(l.copyInAsync, 64, address(&slot.host[0]), 4, slot.stream) })},
		{"no memory of the context", inside(other, func() { call(l.copyOut, address(&unpinned[0]), slot.inputs[0].device, 4) })},
		{"of another context", inside(other, func() { c.do(l.streamSynchronize, slot.stream) })},
		{"before the events came", inside(g, func() {
			c.do(l.eventRecord, slot.events[begun], slot.stream)
			c.do(l.eventElapsed, address(&c.elapsed), slot.events[begun], slot.events[begun])
			c.do(l.streamSynchronize, slot.stream)
		})},
		{"pinned twice", inside(g, func() { c.do(l.hostRegister, address(&slot.host[0]), 8, 0) })},
		{"is no stream", inside(g, func() { c.do(l.streamSynchronize, slot.inputs[0].device) })},
		{"wrote out of a buffer", inside(g, func() {
			m, err := g.newMemory(c, 16)
			if err != nil {
				t.Fatal(err)
			}
			*(*byte)(pointerTo(m + 16)) = 1
			c.do(l.memoryFree, m)
		})},
		{"has ended", inside(g, func() {
			c.do(l.eventCreate, address(&c.made), 0)
			c.do(l.eventDestroy, c.made)
			c.do(l.eventDestroy, c.made)
		})},
	} {
		wrong.do()
		if got := s.complaints(); !strings.Contains(got, wrong.notice) {
			t.Errorf("%q is not noticed: %q", wrong.notice, got)
		}
	}
	slot.Free()
}

// The text is compiled for the host, with work items that meet, and shared memory.
func TestStandInRunsGroups(t *testing.T) {
	s := newStandIn(t)
	d := s.open(t, Options{})
	k := compile(t, d, reverseProgram)
	defer k.Free()
	slot := slotFor(t, d, 128)
	defer slot.Free()
	reverse(t, slot, k, 128)
}
