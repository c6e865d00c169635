//go:build unix

package connector

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the only lock of an open file, which the system gives back when the
// process ends; false: another holder lives.
func tryLock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }
