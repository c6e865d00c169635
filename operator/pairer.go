package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// The pairs of a window join as work that any processor may take.
//
// Other work for devices is the beginning of Batch (offload.go). A join's pairs are found
// behind that, when windows are whole; so they are pieces of work of their own. Where
// Env.Pairs is set the join has one lane, which says which windows are whole and cuts them
// into jobs. Whoever runs the join has each job done - by any processor, in any order, by
// several at once if it likes - and Next puts the results out in order, job by job.
//
//	Lane     | task 7: jobs 12 13 | task 8: none | task 9: job 14 ..
//	Hold     a runner's own job of the same windows
//	Pair     its pairs as batches: found here, or by somebody whom Pairs told what of
//	Finish   the first result of a job becomes the job's
//	Next     puts out the results of job 12, then of 13
//
// Invariants:
//
//  1. A job is written by Finish only, once, before Next comes to it; a runner's own job is
//     written by its runner. So one that loses disturbs nobody.
//  2. Jobs hold the rows that they read, each for itself.
//  3. What Pair leaves undone, because results that wait for their turn fill their room,
//     Next does when it comes there. So a job may be finished without any result.

// Pairer is a Keyed function whose lane leaves jobs to its caller: see above. All calls but
// those of Function and Keyed may be made by any goroutine; those about one job not at the
// same time, but for Hold, which reads it.
type Pairer interface {
	Keyed
	// Pairs says what is to be found. The answer does not change.
	Pairs() Pairs
	// Jobs are those of a task, in order; lane is what Lane returned.
	Jobs(lane any) []*PairJob
	// Hold returns an own job of the same windows, which has to be let go of.
	Hold(job *PairJob) *PairJob
	// Pair does an own job, as far as there is room; found are its pairs, nil if they are
	// not known.
	Pair(own *PairJob, found *Paired) error
	// Finish makes an own job's results those of the job.
	Finish(job, own *PairJob)
	// LetGo ends the use of an own job and drops its results, if it still has them.
	LetGo(own *PairJob)
	// Waits reports whether Next puts out results of a job next, which has to be finished
	// before. JobsOut is how many jobs it has put out. Both are of the serial half.
	Waits() bool
	JobsOut() uint64
	// Full reports whether the results that wait for their turn fill their room.
	Full() bool
}

// Pairs is which pairs of rows a join is to find, as its sides keep them.
type Pairs struct {
	Schemas [2]*stream.Schema
	Keys    [2][]int // columns that have to be equal, of each side as many
	// On are the other conditions. Column c of theirs is column c of the left side or, from
	// its width on, one of the right side.
	On []*model.Expr
	// Roles and Sizes tell of columns that On reads and nobody keeps: those of the window,
	// which has a size on each side.
	Roles []stream.Role
	Sizes [2]int64
}

// Windows are the rows of a job's windows.
type Windows struct {
	Spans [2][]stream.Span // of each side, one behind the other
	Rows  [2]int           // in Spans
	List  []WindowRows     // in the order in which their pairs go out
	Left  int              // left rows of all windows, those in several windows counted in each
	Tests int64            // left rows times right rows, summed over windows
}

// WindowRows are a window's number - its end, or index - and where its rows lie among those
// of each side.
type WindowRows struct {
	Number   int64
	From, To [2]int32
}

// Value returns what a column of a role shows in a window of a size.
func (w *WindowRows) Value(role stream.Role, size int64) int64 {
	return windowValues(w.Number, size)[role]
}

// windowValues are the values of a window's columns by role.
func windowValues(number, size int64) (v [5]int64) {
	v[stream.WindowStart], v[stream.WindowEnd], v[stream.WindowTime] = number-size, number, number-1
	v[stream.WindowIndex] = number
	return v
}

// Paired is the pairs of a job's windows, ordered by window, left row, right row. It belongs
// to whoever made it and has to stay as it is until Pair has returned.
type Paired struct {
	// Left tells, of each pair, the left row by its number among the left rows of all windows
	// (Windows.Left), or that number's complement (^) if a condition fails for the pair. Right
	// is where the right row lies among those of its side.
	Left, Right []int32
}
