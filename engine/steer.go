package engine

import "time"

// A latency target is met by cutting smaller tasks: at saturation a row waits behind
// what is in the rings, whose number of slots is fixed, so that latency is about
// proportional to the size of a task, while throughput hardly depends on it until the
// fixed cost of a task shows. steer therefore looks for the largest size inside the
// target. Where smaller tasks are no faster, the target is out of reach for them: the size
// goes back to what it was and stays there a while. Results do not depend on it.

const (
	steerInterval = 50 * time.Millisecond
	steerTasksMin = 20 // fewer tasks say nothing about their slowest ones
	steerFull     = 4096
	steerLeast    = steerFull / taskScaleMax
	steerHold     = 100 // looks until a size that did not help is tried again
)

// steerer is where the search for the size stands.
type steerer struct {
	share int64
	from  int64 // the size before, if the last step made tasks smaller; else 0
	was   time.Duration
	floor int64 // no smaller than this ..
	hold  int   // .. for so many looks
}

// next returns the size of tasks after those of the present one took p99.
func (s *steerer) next(p99, target time.Duration) int64 {
	if s.hold > 0 {
		s.hold--
	}
	if s.hold == 0 {
		s.floor = steerLeast
	}
	from := s.from
	s.from = 0
	if from > 0 && p99 > target && p99 > s.was*9/10 {
		s.share, s.floor, s.hold = from, from, steerHold
		return s.share
	}
	share := max(s.floor, steer(s.share, p99, target))
	if share < s.share {
		s.from, s.was = s.share, p99
	}
	s.share = share
	return share
}

// steer returns the size of tasks, in 1/steerFull of the configured one, after tasks of
// the size share took p99 at the 99th percentile. Too slow tasks shrink in proportion, by
// at most half; tasks well inside the target grow by an eighth.
func steer(share int64, p99, target time.Duration) int64 {
	switch {
	case p99 > target:
		share = max(share/2, share*int64(target)*9/(int64(p99)*10))
	case p99 < target*3/4:
		share += max(1, share/8)
	}
	return min(steerFull, max(steerLeast, share))
}

// share is the size of the next task, in 1/steerFull of the configured one.
func (r *run) share() int64 {
	if r.cfg.Force.Tasks == "vary" {
		// Knuth's multiplicative hash: one of the taskScaleMax sizes after every task.
		return steerLeast * (1 + int64(uint32(r.submitted.Load())*2654435769>>16)%taskScaleMax)
	}
	return r.taskShare.Load()
}

// steering keeps the run inside its latency target until it ends.
func (r *run) steering() {
	defer r.readers.Done()
	tick := time.NewTicker(steerInterval)
	defer tick.Stop()
	before, s := r.latency.read(), steerer{share: r.taskShare.Load()}
	for {
		select {
		case <-r.readCtx.Done():
			return
		case <-r.completed:
			return
		case <-tick.C:
		}
		now := r.latency.read()
		if recent := now.Since(&before); recent.Count() >= steerTasksMin {
			r.taskShare.Store(s.next(recent.Quantile(0.99), r.cfg.LatencyTarget))
			before = now
		}
	}
}

// lingerEvery is how long rows of a live source wait for more at most.
func (r *run) lingerEvery() time.Duration {
	if r.cfg.LatencyTarget <= 0 {
		return lingerInterval
	}
	return min(lingerInterval, max(time.Millisecond, r.cfg.LatencyTarget/4))
}
