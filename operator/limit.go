package operator

import (
	"fmt"
	"sync/atomic"
)

// Limit is a buffer of rows that wait. Each may have half of a job's memory budget, so the
// budget says how much of a window, a table or a disorder a job can bear. What is in one is
// needed for the results, so a full one fails the job and says what to do.
type Limit struct {
	Name  string
	Holds string
	Else  string // what helps besides --memory, in the words of its message
}

// The names of buffers.
const (
	LimitIngress = "ingress buffer"
	LimitQueue   = "input queue"
	limitGroups  = "table of groups"
	limitSort    = "rows of a window to be sorted"
)

// Limits are the buffers of rows that wait, in the order in which rows come to them.
func Limits() []Limit { return limits[:] }

var limits = [...]Limit{
	{LimitIngress, "rows that wait for the watermark of their stream; late and error rows of one partition that wait for those of another", "a partition is far behind the others, or the watermark's delay is long for this rate"},
	{LimitQueue, "rows that wait for another input of the same operator that comes from the same source (a self-join, a union of two views of a stream); inputs from different sources wait instead", "one of two inputs that come from the same stream is far behind the other: make its windows smaller"},
	{"lookup table", "a lookup join's table", "filter the table, or select fewer of its columns"},
	{"window buffer", "rows of windows that are shown row by row; contents of per-instant windows", "make the window smaller, or aggregate it in windows that close"},
	{limitGroups, "groups and their partial results, of all open windows of an aggregate", "make the window smaller or its slide longer, or group by fewer values"},
	{limitSort, "rows of the open window, or bounded input, of an ORDER BY or ROW_NUMBER; with a limit at most twice as many as can be put out, of each group, 1,024 more (`operator:sortTrimRows`) and those of a task", "make the window smaller, or add a LIMIT"},
	{"session buffer", "the rows of open sessions, and 160 bytes for each session", "make the gap shorter"},
	{"join buffer", "rows of the open windows of both sides", "make the windows smaller, or filter what is joined"},
	{"union buffer", "rows that wait for the other input's time, beyond 4 MiB for inputs that can wait", "one input is far behind the other: make its windows smaller"},
}

// Full is the error of a buffer of Limits that is full; who runs the operator adds its name.
func Full(name string, size, limit int64) error {
	more := ""
	for _, l := range limits {
		if l.Name == name {
			more = "; " + l.Else
		}
	}
	return fmt.Errorf("%s: %.1f MiB, over its limit of %.1f MiB, half of --memory: raise --memory%s", name, float64(size)/(1<<20), float64(limit)/(1<<20), more)
}

// textError is the error of a buffer in which the text of one column is full.
func textError(name string, size int64) error {
	return fmt.Errorf("%s: %.1f MiB of text in one column, over its limit of %.1f MiB: make the window or table smaller", name, float64(size)/(1<<20), float64(storeTextBytesMax)/(1<<20))
}

// Fills tells how full the buffers of one operator were at most. Its methods are safe for
// use by several goroutines; nil is one that nobody asks.
type Fills [len(limits)]atomic.Int64

// Fill is a buffer of Limits that held something.
type Fill struct {
	Name       string `json:"name"`
	PeakBytes  int64  `json:"peak_bytes"`
	LimitBytes int64  `json:"limit_bytes"`
}

// Bound notes the size of a buffer and returns Full if it is over its limit.
func (f *Fills) Bound(name string, size, limit int64) error {
	for i := range limits {
		if f == nil || limits[i].Name != name {
			continue
		}
		for peak := f[i].Load(); size > peak && !f[i].CompareAndSwap(peak, size); {
			peak = f[i].Load()
		}
		break
	}
	if size > limit {
		return Full(name, size, limit)
	}
	return nil
}

// Peaks are the buffers that held something, in the order of Limits.
func (f *Fills) Peaks(limit int64) (out []Fill) {
	for i := range f {
		if peak := f[i].Load(); peak > 0 {
			out = append(out, Fill{limits[i].Name, peak, limit})
		}
	}
	return out
}

// bounded is Bound for a buffer of the operator's own.
func (e *Env) bounded(name string, size int64) error {
	return e.Fills.Bound(name, size, e.BufferBytesMax)
}
