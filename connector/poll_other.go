//go:build !unix

package connector

import "time"

// ready reports whether a Read is worth trying; here one may have to wait.
func (w *waitingReader) ready(d time.Duration) bool { return d > 0 }
