package main

import (
	"math"
	"os"
	"runtime/debug"
)

// heapOverhead is what a job needs besides the rows that wait: tasks, queues, results and
// idle batches.
const heapOverhead = 256 << 20

// limitHeap tells the garbage collector what a job with a memory budget may use: the budget,
// half of it again for what is garbage between two collections, and the overhead. Without
// a budget (0), or where the environment says GOMEMLIMIT, it is left as it is by default.
func limitHeap(budget int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(heapLimit(budget))
}

func heapLimit(budget int64) int64 {
	if budget <= 0 || budget > (math.MaxInt64-heapOverhead)/2 {
		return math.MaxInt64
	}
	return budget + budget/2 + heapOverhead
}
