package web

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Pauses between attempts.
const (
	PauseMin      = 100 * time.Millisecond // before the second attempt
	PauseMax      = 30 * time.Second       // however many failed
	RetryAfterMax = 5 * time.Minute        // that a server may ask for: a longer time is cut
)

// Pause is how long to wait after a number of failures in a row, 1 or more: from PauseMin
// twice as long each time up to PauseMax, and of that a random part of at least half, so
// that many clients do not come back together.
func Pause(failures int) time.Duration {
	d := PauseMax
	if shift := failures - 1; shift < 20 {
		d = min(d, PauseMin<<shift)
	}
	return d/2 + rand.N(d/2+1)
}

// RetryAfter is the pause that an answer asks for, at most RetryAfterMax; 0: none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(RetryAfterMax/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), RetryAfterMax)
}

// Passing reports whether a status may be another the next time.
func Passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}
