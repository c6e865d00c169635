//go:build unix

package connector

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openWithoutWaiting opens a file for reading. A pipe is opened although nobody writes
// to it yet: waiting for that is ready's part.
func openWithoutWaiting(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// ready reports whether a Read returns at once, waiting for that up to d.
func (w *waitingReader) ready(d time.Duration) bool {
	if w.file == nil {
		return d > 0
	}
	fds := []unix.PollFd{{Fd: int32(w.file.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(d.Milliseconds()))
	return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
}
