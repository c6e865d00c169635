package engine

import (
	"testing"
	"time"
)

func TestLatencyBuckets(t *testing.T) {
	last := -1
	for us := int64(0); us < 5_000_000; us += 1 + us/37 {
		d := time.Duration(us) * time.Microsecond
		b := latencyBucket(d)
		if b < last {
			t.Fatalf("%v is in bucket %d, a shorter one in %d", d, b, last)
		}
		last = b
		if lo, hi := latencyFloor(b), latencyFloor(b+1); d < lo || d >= hi || hi-lo > max(time.Microsecond, lo/16) {
			t.Fatalf("%v is in bucket %d of [%v, %v)", d, b, lo, hi)
		}
	}
}

func TestLatencyQuantiles(t *testing.T) {
	var l latencies
	for i := range 1000 {
		l.add(time.Duration(i) * time.Millisecond)
	}
	before := l.read()
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := before.Quantile(q); got < want || got > want+want/15 {
			t.Errorf("quantile %g is %v, want about %v", q, got, want)
		}
	}
	l.add(time.Second)
	now := l.read()
	if since := now.Since(&before); since.Count() != 1 || since.Quantile(0.5) < time.Second {
		t.Errorf("%d tasks since, median %v", since.Count(), since.Quantile(0.5))
	}
	if empty := now.Since(&now); empty.Quantile(0.99) != 0 {
		t.Error("a quantile of nothing")
	}
}
