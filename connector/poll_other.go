//go:build !unix

package connector

import (
	"os"
	"time"
)

// openWithoutWaiting opens a file for reading; here one may have to wait.
func openWithoutWaiting(name string) (*os.File, error) { return os.Open(name) }

// ready reports whether a Read is worth trying; here one may have to wait.
func (w *waitingReader) ready(d time.Duration) bool { return d > 0 }
