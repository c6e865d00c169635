package engine

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// allowedCPUs are the processors that this process may run on, in ascending order.
func allowedCPUs() (cpus []int) {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// pin locks the calling goroutine to its thread and the thread to a processor, and
// reports whether the system let it. The goroutine must end without unlocking: the
// thread ends with it and no other goroutine runs on a pinned one.
func pin(cpu int) bool {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	return unix.SchedSetaffinity(0, &set) == nil
}
