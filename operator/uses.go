package operator

import (
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

// algorithm is one that operators count the uses of.
type algorithm uint8

const (
	usedTableRows algorithm = iota // groups: by the rows of a lookup table
	usedPacked                     // groups: by packed words
	usedIndex                      // groups: by a hash table
	usedLocal                      // windows: by the task in which they end
	usedAssembled                  // windows: from the tasks' panes, in order
	usedHash                       // a join's pairs
	usedBlocks
	usedPairs
	usedBitmaps
	usedRanges
	usedFound  // elsewhere
	usedInTurn // the order of a join's windows
	usedLanes
	usedJobs // of any processor
	algorithms
)

var algorithmNames = [algorithms]string{
	"table rows", "packed words", "hash table", "local", "assembled", "hash", "hash by blocks", "every pair", "bitmaps", "range bitmaps", "found elsewhere",
	"in turn", "lanes", "jobs",
}

// uses counts how often each algorithm ran: one count a task, or a join's window. Any
// number of goroutines may add and read.
type uses struct {
	_     cpu.CacheLinePad // workers write it, and mostly read what is around it
	count [algorithms]atomic.Int64
	_     cpu.CacheLinePad
}

func (u *uses) add(a algorithm) { u.count[a].Add(1) }

// taken is Choice.Taken of the algorithms from first to last.
func (u *uses) taken(first, last algorithm) map[string]int64 {
	var out map[string]int64
	for a := first; a <= last; a++ {
		if n := u.count[a].Load(); n > 0 {
			if out == nil {
				out = map[string]int64{}
			}
			out[algorithmNames[a]] = n
		}
	}
	return out
}
