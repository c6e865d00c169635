package main

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestLimitHeap: the collector's limit follows the budget, and the environment goes before it.
func TestLimitHeap(t *testing.T) {
	now := func() int64 { return debug.SetMemoryLimit(-1) }
	before := now()
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	t.Setenv("GOMEMLIMIT", "")
	for budget, want := range map[int64]int64{64 << 20: 96<<20 + heapOverhead, 0: math.MaxInt64, math.MaxInt64: math.MaxInt64} {
		if limitHeap(budget); now() != want {
			t.Errorf("a budget of %d sets a limit of %d, want %d", budget, now(), want)
		}
	}
	limitHeap(64 << 20)
	t.Setenv("GOMEMLIMIT", "1GiB")
	if limitHeap(1 << 30); now() != 96<<20+heapOverhead {
		t.Errorf("GOMEMLIMIT is set, and the limit became %d", now())
	}
}
