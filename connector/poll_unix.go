//go:build unix

package connector

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// ready reports whether a Read returns at once, waiting for that up to d.
func (w *waitingReader) ready(d time.Duration) bool {
	if w.file == nil {
		return d > 0
	}
	fds := []unix.PollFd{{Fd: int32(w.file.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, int(d.Milliseconds()))
	return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
}
