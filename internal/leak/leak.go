// Package leak finds what a test leaves behind: goroutines still running and files
// still open. Entry point: Check.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// SettleMillisMax is how long goroutines that are about to end get to do so.
const SettleMillisMax = 3000

// T is the part of testing.TB that Check uses.
type T interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Errorf(format string, args ...any)
}

// Check remembers what runs and what is open, and fails the test if at its end there
// is more. Call it first, so that its cleanup runs last. Tests that run in parallel
// with others cannot use it: they see each other's goroutines and files.
func Check(t T) {
	t.Helper()
	goroutines, files := goroutineIDs(), openFiles()
	t.Cleanup(func() {
		t.Helper()
		if t.Failed() {
			return // what a failing test leaves behind is not news
		}
		if more := waitFor(goroutines); len(more) > 0 {
			t.Errorf("%d goroutines still run after the test:\n\n%s", len(more), strings.Join(more, "\n\n"))
		}
		for name, target := range openFiles() {
			if files[name] != target {
				t.Errorf("still open after the test: %s", target)
			}
		}
	})
}

// waitFor returns the stacks of goroutines that are not in before, once none is left
// or the time is up.
func waitFor(before map[string]string) []string {
	for waited := 0; ; waited += 10 {
		var more []string
		for id, stack := range goroutineIDs() {
			if _, known := before[id]; !known {
				more = append(more, stack)
			}
		}
		if len(more) == 0 || waited >= SettleMillisMax {
			return more
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// goroutineIDs returns the stack of every goroutine by its number, without those that
// the runtime and the testing package own.
func goroutineIDs() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	out := map[string]string{}
	for _, stack := range strings.Split(string(buf), "\n\n") {
		header, body, _ := strings.Cut(stack, "\n")
		id, _, _ := strings.Cut(strings.TrimPrefix(header, "goroutine "), " ")
		first, _, _ := strings.Cut(body, "(")
		if strings.HasPrefix(first, "testing.") || strings.HasPrefix(first, "os/signal.") || strings.HasPrefix(first, "runtime.") {
			continue
		}
		out[id] = stack
	}
	return out
}

// openFiles returns what each descriptor stands for, where the system tells (Linux);
// the runtime's own are left out.
func openFiles() map[string]string {
	out := map[string]string{}
	const folder = "/proc/self/fd"
	entries, err := os.ReadDir(folder)
	if err != nil {
		return out
	}
	for _, e := range entries {
		target, err := os.Readlink(folder + "/" + e.Name())
		own := strings.HasPrefix(target, "anon_inode:") || strings.HasSuffix(target, fmt.Sprintf("/proc/%d/fd", os.Getpid()))
		if err == nil && !own {
			out[e.Name()] = target
		}
	}
	return out
}
