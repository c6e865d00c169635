package device

import (
	"math"
	"time"
)

// Stages is how long the five stages of a task took.
type Stages struct {
	CopyIn time.Duration // rows into pinned memory, by the goroutine that submits
	Timing
	CopyOut time.Duration // results out of pinned memory
}

func (s Stages) list() [5]time.Duration {
	return [5]time.Duration{s.CopyIn, s.MoveIn, s.Execute, s.MoveOut, s.CopyOut}
}

// Add adds the times of more tasks.
func (s *Stages) Add(o Stages) {
	s.CopyIn += o.CopyIn
	s.MoveIn += o.MoveIn
	s.Execute += o.Execute
	s.MoveOut += o.MoveOut
	s.CopyOut += o.CopyOut
}

// Sum is the time of a task that has the device for itself.
func (s Stages) Sum() time.Duration {
	return s.CopyIn + s.MoveIn + s.Execute + s.MoveOut + s.CopyOut
}

// Interval is the time from one result to the next in a pipeline of a depth that is kept
// full: that of the longest stage, or where the pipeline is too shallow to keep it busy,
// the sum shared by those in flight. It is what a scheduler counts as the device's busy
// time.
func (s Stages) Interval(depth int) time.Duration {
	longest := time.Duration(0)
	for _, d := range s.list() {
		longest = max(longest, d)
	}
	return max(longest, s.Sum()/time.Duration(max(depth, 1)))
}

// tuner finds the depth that keeps the longest stage busy: sum over longest. A deeper
// pipeline would be no faster, only later.
type tuner struct {
	mean  [5]float64 // seconds, decayed
	known bool
}

const (
	tunerKeep = 0.9  // weight of what was observed before
	tunerNear = 0.05 // a sum that exceeds a whole number of longest stages by less is as good
)

func (t *tuner) add(s Stages) {
	for i, d := range s.list() {
		if !t.known {
			t.mean[i] = d.Seconds()
		}
		t.mean[i] = tunerKeep*t.mean[i] + (1-tunerKeep)*d.Seconds()
	}
	t.known = true
}

func (t *tuner) depth(most int) int {
	sum, longest := 0.0, 0.0
	for _, s := range t.mean {
		sum += s
		longest = max(longest, s)
	}
	if longest == 0 {
		return 1
	}
	return min(most, max(1, int(math.Ceil(sum/longest-tunerNear))))
}
