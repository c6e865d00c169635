// Package operator computes: the functions of every operator as the engine calls them,
// and the column kernels below. On the path of a row it is what a processor executes:
// the engine cuts a stream into tasks, Batch runs side by side on any number of
// workers, Assemble and Next run in task order.
//
// Files: chain.go (stateless steps fused in front of every operator), expr*.go
// (expressions over columns), aggregate*.go (windowed grouping), rows.go (windowed
// relations without aggregate), session*.go, sort*.go, join.go, union.go, instant*.go (per-instant regions,
// the keyed form).
package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Task is a run of consecutive rows of one input, cut by bytes, never by windows.
type Task struct {
	Input int           // number of the operator's input
	Spans []stream.Span // rows in stream order; may be empty
	First int64         // index in the input of the first row
	Rows  int           // rows in Spans
	// Watermark is the input's watermark after these rows: every later row has an event
	// time >= it. stream.MaxTime after the last row; stream.MinTime throughout for an
	// input without event time.
	Watermark int64
	End       bool // the input ends behind these rows
	Private   any  // the function's own, set by Preview
	// What has been computed of Batch already, by somebody whom Offload told what: at most one
	// of them is set, and on a copy of the task that Batch alone sees.
	Selected *Selected
	Grouped  *Grouped
	// Windows are those of a job of a Pairer, and Paired what somebody else has found of their
	// pairs. Such a task has nothing but these.
	Windows *Windows
	Paired  *Paired
}

// ErrorRow is a row that failed in an operator. Record is the row as JSON.
type ErrorRow struct {
	Op     model.OpID // the operator whose expression or result failed
	Reason string
	Record string
}

// Partial is what Batch computed from one task. Value is the operator's own (fragments
// per pane, rows routed by key, ..) and comes back in Assemble.
type Partial struct {
	Value  any
	Errors []ErrorRow // in row order
}

// Function is an operator as the engine runs it.
//
// Batch is called concurrently, each worker with its own scratch from NewScratch. It
// must not touch the operator's state. The task's spans stay valid until Assemble of
// that task has returned.
//
// Assemble and Next are called by one goroutine at a time. The engine calls Assemble
// for every task in order of submission (tasks of several inputs interleave; the
// result must not depend on how, beyond each input's own order). After each Assemble
// it calls Next until it returns nil, possibly pausing between calls while consumers
// are full. A batch returned by Next (at most OutputRows rows) belongs to the caller,
// who releases it. Watermark is asked after Next returned nil: what may be forwarded
// downstream. After the task with End of the last input, Next returns all that is left
// and Watermark stream.MaxTime.
//
// Wants reports whether Assemble can take more of an input now: false when its rows
// wait for another input and the buffer is past its soft limit while the other input
// still can make progress. Errors returned are fatal to the job (a named limit was
// exceeded); failing rows travel in Partial.Errors or in TakeErrors.
//
// Snapshot and Restore are called between tasks, when Next has returned nil.
type Function interface {
	NewScratch() Scratch
	Batch(t *Task, s Scratch) (Partial, error)
	Assemble(t *Task, p Partial) error
	Next() (*stream.Batch, error)
	Watermark() int64
	Wants(input int) bool
	// TakeErrors returns and forgets the error rows that Assemble and Next produced.
	TakeErrors() []ErrorRow
	state.Element
}

// Scratch is one worker's working memory for one operator.
type Scratch any

// Keyed is a Function whose serial part is split over lanes. After Batch the engine
// calls Lane for every lane 0..Lanes()-1, each lane in task order but side by side with
// other lanes, then Assemble with Partial.Value replaced by the []any of the lanes'
// results. State is kept per key bucket (KeyBuckets of them, bucket b owned by lane
// b % Lanes()), so that a snapshot does not depend on the number of lanes.
type Keyed interface {
	Function
	Lanes() int
	Lane(lane int, t *Task, p Partial) (any, error)
}

// Previewer is a Function that sees every task in order of submission, before its Batch
// can run and never concurrently with itself. It may retain batches of the task's spans
// and set Task.Private.
type Previewer interface {
	Preview(t *Task)
}

// Sizer is a Function that may want larger tasks: it is asked before a task is cut how
// many rows a full one should have, given the configured number. The caller bounds the
// answer.
type Sizer interface {
	TaskRows(now int) int
}

// Streamer is a Function that can put out rows while it computes a task: final rows,
// whose order is that of tasks and, within one, of emission. BatchTo takes the place of
// Batch for an instance whose Streams is true. Each batch belongs to emit, which
// releases it; what it returns as an error BatchTo returns. The rows of a task precede
// those that Next returns after its Assemble. First of the batches is the caller's to
// number.
type Streamer interface {
	Function
	Streams() bool
	BatchTo(t *Task, s Scratch, emit func(*stream.Batch) error) (Partial, error)
}

// Releaser is a Function that holds pooled batches: when a job fails or is cancelled
// the engine discards the partial results it will not assemble and then closes the
// function, after which nothing of the pool may be held. No other call follows Close.
type Releaser interface {
	Discard(p Partial)
	Close()
}

// Limits and sizes of the package.
const (
	ChunkRows  = 2048 // rows that move through a chain at a time: columns stay in L1/L2
	OutputRows = 8192 // rows of an output batch: handed on while still in L2
	KeyBuckets = 4096
)

// Env is what functions need from the job.
type Env struct {
	Pool *stream.Pool // output batches
	// BufferBytesMax bounds each operator's buffers (rows waiting for another input, a
	// lookup table, the groups of open windows); beyond it the job fails naming the limit.
	BufferBytesMax int64
	Fills          *Fills // what the buffers held at most; nil: nobody asks
	Lanes          int    // owners for keyed functions
	// Devices makes functions compute so that devices can do a part of any task, where they
	// would have chosen otherwise: see Offloader.
	Devices bool
	// Pairs makes a window join leave finding pairs to its caller: see Pairer.
	Pairs bool
	Force Choices
}
