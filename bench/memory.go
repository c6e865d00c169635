package bench

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Memory is what the machine's memory gives, in bytes a second.
type Memory struct {
	Threads    int
	Read, Copy float64
}

const (
	memoryRounds  = 5
	memoryFactor  = 8 // times the last-level cache
	memoryWordsLo = 1 << 24
	memoryWordsHi = 1 << 27
)

// MeasureMemory reads and copies arrays much larger than the last-level cache with the
// given number of threads; the best of several rounds counts, since only disturbance
// can make one slower. Copies count bytes read and written.
func MeasureMemory(threads int) Memory {
	words := min(max(int(memoryFactor*lastLevelCache()/8), memoryWordsLo), memoryWordsHi) / threads
	src, dst := make([][]int64, threads), make([][]int64, threads)
	for t := range threads {
		src[t], dst[t] = make([]int64, words), make([]int64, words)
		for i := range src[t] {
			src[t][i] = int64(i)
		}
		copy(dst[t], src[t])
	}
	sums := make([]int64, threads)
	read := best(threads, func(t int) { sums[t] = sumWords(src[t]) })
	copied := best(threads, func(t int) { copy(dst[t], src[t]) })
	runtime.KeepAlive(sums)
	size := float64(words) * 8 * float64(threads)
	return Memory{threads, size / read.Seconds(), 2 * size / copied.Seconds()}
}

func best(threads int, f func(t int)) time.Duration {
	var times []time.Duration
	for range memoryRounds {
		start := time.Now()
		var all sync.WaitGroup
		for t := range threads {
			all.Go(func() { f(t) })
		}
		all.Wait()
		times = append(times, time.Since(start))
	}
	return slices.Min(times)
}

func sumWords(v []int64) int64 {
	var a, b, c, d int64
	for ; len(v) >= 16; v = v[16:] {
		w := (*[16]int64)(v)
		a += w[0] + w[4] + w[8] + w[12]
		b += w[1] + w[5] + w[9] + w[13]
		c += w[2] + w[6] + w[10] + w[14]
		d += w[3] + w[7] + w[11] + w[15]
	}
	for _, x := range v {
		a += x
	}
	return a + b + c + d
}
