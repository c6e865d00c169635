package engine

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Latency is measured per task of a sink: from the arrival of the oldest row behind it -
// when its block was read, or for a paced source when it was due - to the moment its
// rows have been given to the sink's writer. Waiting for a window to close is not in it:
// a task's rows answer the rows that closed the window.

// latencySteps is how many buckets a doubling has: a quantile is off by at most 1/16.
const (
	latencySteps   = 16
	latencyBuckets = 40 * latencySteps
)

// latencies counts durations in buckets. It may be added to and read by any number of
// goroutines.
type latencies struct{ counts [latencyBuckets]atomic.Int64 }

// latencyBucket is the number of a duration's bucket: linear below 16 microseconds, then
// 16 to every doubling.
func latencyBucket(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < latencySteps {
		return int(us)
	}
	exponent := bits.Len64(us) - 5 // us >> exponent is in [16, 32)
	return min(latencyBuckets-1, exponent*latencySteps+int(us>>exponent))
}

// latencyFloor is the shortest duration of a bucket.
func latencyFloor(bucket int) time.Duration {
	if bucket < 2*latencySteps {
		return time.Duration(bucket) * time.Microsecond
	}
	exponent := bucket/latencySteps - 1
	return time.Duration(latencySteps+bucket%latencySteps) << exponent * time.Microsecond
}

func (l *latencies) add(d time.Duration) { l.counts[latencyBucket(d)].Add(1) }

// Latencies is how many tasks took how long; see LatencyQuantile.
type Latencies struct{ counts [latencyBuckets]int64 }

func (l *latencies) read() (out Latencies) {
	for i := range l.counts {
		out.counts[i] = l.counts[i].Load()
	}
	return out
}

// Since returns what came after an earlier reading.
func (l *Latencies) Since(before *Latencies) (out Latencies) {
	for i := range l.counts {
		out.counts[i] = l.counts[i] - before.counts[i]
	}
	return out
}

// Count is the number of tasks.
func (l *Latencies) Count() (n int64) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

// Quantile is the duration that a share q of the tasks did not exceed, to 1/16; 0 if
// there were none.
func (l *Latencies) Quantile(q float64) time.Duration {
	left := int64(q * float64(l.Count()))
	for i, c := range l.counts {
		if left -= c; left < 0 {
			return latencyFloor(i + 1)
		}
	}
	return 0
}

// LatencyStats are quantiles over the whole run, in milliseconds.
type LatencyStats struct {
	Tasks int64   `json:"tasks"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
}

func (l *Latencies) stats() LatencyStats {
	ms := func(q float64) float64 { return float64(l.Quantile(q)) / float64(time.Millisecond) }
	return LatencyStats{l.Count(), ms(0.5), ms(0.99), ms(0.999)}
}

// Latencies may be called at any time.
func (r *Run) Latencies() Latencies { return r.r.latency.read() }

// clock is the time in nanoseconds since the run began, from 1.
func (r *run) clock() int64 { return int64(time.Since(r.begun)) + 1 }
