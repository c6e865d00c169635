package engine

import (
	"testing"
	"time"
)

// TestSteer drives a system whose latency is a fixed part and one that is proportional
// to the size of tasks.
func TestSteer(t *testing.T) {
	for _, c := range []struct {
		name           string
		fixed, full    time.Duration
		target         time.Duration
		least, largest int64
	}{
		{"no pressure", 0, 4 * time.Millisecond, 50 * time.Millisecond, steerFull, steerFull},
		{"half", 0, 10 * time.Millisecond, 5 * time.Millisecond, steerFull * 3 / 8, steerFull / 2},
		{"fixed part", 2 * time.Millisecond, 80 * time.Millisecond, 10 * time.Millisecond, steerFull / 20, steerFull / 10},
		{"out of reach", 20 * time.Millisecond, 10 * time.Millisecond, time.Millisecond, steerFull / 4, steerFull / 4},
		{"smaller tasks are no faster", 20 * time.Millisecond, 0, time.Millisecond, steerFull, steerFull},
	} {
		s := steerer{share: steerFull}
		share := s.share
		for i := range steerHold - 1 {
			share = s.next(c.fixed+c.full*time.Duration(share)/steerFull, c.target)
			if share < steerLeast || share > steerFull {
				t.Fatalf("%s: step %d leaves the bounds: %d", c.name, i, share)
			}
		}
		// It may be on its way up towards the target, or just below it.
		if share < c.least*3/4 || share > c.largest*5/4 {
			t.Errorf("%s: settles at %d, want about %d to %d", c.name, share, c.least, c.largest)
		}
	}
	if got := (&steerer{share: steerLeast}).next(0, time.Second); got <= steerLeast {
		t.Errorf("the least size does not grow: %d", got)
	}
}
