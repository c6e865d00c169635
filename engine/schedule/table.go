package schedule

import (
	"math"
	"time"
)

// Limits of measuring.
const (
	// Interval is how long a measurement stays good: an idle cell is measured anew after
	// it, and changes are followed within two of it.
	Interval = time.Second
	// StaleTasks is the number of tasks of a pipeline run elsewhere after which a cell is
	// measured anew even before Interval is over.
	StaleTasks = 1000
	// ProbeShare is the part of a processor's time that probes may take while it has other
	// work, IdleProbeShare while it has none.
	ProbeShare     = 0.01
	IdleProbeShare = 0.1
	// Alike is how fast a processor must be, compared with the fastest, to count as
	// preferred too: several devices of one kind share their tasks, whatever noise is in
	// the measurements.
	Alike = 0.95
	// Recheck is how often idle processors ask again while tasks wait: time passing can
	// make a probe due or a task overdue.
	Recheck = Interval / 50

	memory     = Interval / 8 // after so long an observation weighs 1/e
	lateFactor = 3            // times as long as expected is overdue
)

// Table is the matrix C[pipeline][processor] of observed throughput in tasks per busy
// second, who is able to run what, and what is needed to keep C true. Busy seconds, not
// wall seconds: by the wall clock a processor that is never asked would be slow, and
// would never be asked again. A processor with several lanes (the CPU with its workers)
// counts the busy seconds of all lanes together and is as fast as all of them.
//
// It is not safe for concurrent use; Scheduler's owner locks.
type Table struct {
	procs []processor
	rows  []row
}

type processor struct {
	lanes   int
	up      bool
	late    bool          // its oldest task takes far longer than expected
	ended   time.Duration // when its last task was over
	running int
	probes  time.Duration // when the next probe may start
	idle    time.Duration // the same if there is nothing else to do
}

type row struct {
	cells []cell
	known bool    // an able processor has been observed
	drain float64 // seconds per task of all preferred processors together
}

type cell struct {
	able    bool
	paused  bool
	tasks   float64 // observed, decayed
	busy    float64 // seconds that they took, decayed alike
	rate    float64 // tasks per busy second of all lanes; 0: not known
	fast    bool    // preferred
	at      time.Duration
	others  int // tasks of the pipeline finished elsewhere since at
	running int
	probing bool
	probe   Unit
}

// NewTable describes the processors by their lanes: how many tasks each runs at the same
// time, each at a fraction of its speed. A device has one lane, whatever the depth of its
// pipeline. The CPU is able to run everything; devices are added by SetAble.
func NewTable(lanes ...int) *Table {
	t := &Table{}
	for _, n := range lanes {
		t.procs = append(t.procs, processor{lanes: n, up: true})
	}
	return t
}

func (t *Table) row(q int) *row {
	for len(t.rows) <= q {
		r := row{cells: make([]cell, len(t.procs))}
		if len(r.cells) > 0 {
			r.cells[CPU].able = true
		}
		t.rows = append(t.rows, r)
	}
	return &t.rows[q]
}

func (t *Table) cell(q int, p Processor) *cell { return &t.row(q).cells[p] }

// SetAble says whether p accepts pipeline q's tasks. What was observed is forgotten.
func (t *Table) SetAble(q int, p Processor, able bool) {
	r := t.row(q)
	c := &r.cells[p]
	*c = cell{able: able, running: c.running, probing: c.probing, probe: c.probe}
	t.prefer(q)
}

// SetPaused says that p cannot run pipeline q's tasks for the moment: it lacks memory.
// What was observed stays.
func (t *Table) SetPaused(q int, p Processor, paused bool) {
	t.cell(q, p).paused = paused
	t.prefer(q)
}

// SetUp says whether p is there: false after a device was lost.
func (t *Table) SetUp(p Processor, up bool) {
	t.procs[p].up = up
	for i := range t.rows {
		t.prefer(i)
	}
}

// setLate says that p, a device, hangs or is slow beyond what is usual: until it has
// finished something, its tasks are not left to it.
func (t *Table) setLate(p Processor, late bool) {
	if t.procs[p].late == late {
		return
	}
	t.procs[p].late = late
	for q := range t.rows {
		t.prefer(q)
	}
}

// overdue reports whether a task that ran so long on p takes far longer than expected.
func (t *Table) overdue(q int, p Processor, ran time.Duration) bool {
	c := t.cell(q, p)
	return c.rate > 0 && ran > Recheck && ran.Seconds()*c.rate > lateFactor*float64(t.procs[p].lanes)
}

// Able reports whether p is there and accepts pipeline q's tasks.
func (t *Table) Able(q int, p Processor) bool {
	if p < 0 || int(p) >= len(t.procs) {
		return false
	}
	c := &t.row(q).cells[p]
	return t.procs[p].up && c.able && !c.paused
}

func (t *Table) firstAble(q int) Processor {
	for p := range t.procs {
		if t.Able(q, Processor(p)) {
			return Processor(p)
		}
	}
	return None
}

// Rate is C[q][p] in tasks per second; 0: not known.
func (t *Table) Rate(q int, p Processor) float64 { return t.cell(q, p).rate }

// seconds is 1/C[q][p], positive infinity if not known.
func (t *Table) seconds(q int, p Processor) float64 { return 1 / t.cell(q, p).rate }

// Preferred reports whether p is the able processor that is fastest for q, or Alike.
func (t *Table) Preferred(q int, p Processor) bool { return t.cell(q, p).fast }

// prefer finds the preferred processors of q anew.
func (t *Table) prefer(q int) {
	r := t.row(q)
	best, sum := 0.0, 0.0
	for p := range r.cells {
		c := &r.cells[p]
		c.fast = c.rate > 0 && t.Able(q, Processor(p)) && !t.procs[p].late
		if c.fast {
			best = max(best, c.rate)
		}
	}
	for p := range r.cells {
		c := &r.cells[p]
		if c.fast = c.fast && c.rate >= Alike*best; c.fast {
			sum += c.rate
		}
	}
	r.known, r.drain = best > 0, 0
	if r.known {
		r.drain = 1 / sum
	}
}

// Observe adds work (in tasks; a short task is a fraction) that kept one lane of p busy.
// A device's busy time is its steady interval: the longest stage of its pipeline.
func (t *Table) Observe(q int, p Processor, work float64, busy, now time.Duration) {
	r := t.row(q)
	for i := range r.cells {
		r.cells[i].others++
	}
	c := &r.cells[p]
	keep := math.Exp(-float64(now-c.at) / float64(memory))
	c.tasks = float64(c.tasks*keep) + work // not fused: the same on every processor
	c.busy = float64(c.busy*keep) + max(busy, 1).Seconds()
	c.rate = c.tasks * float64(t.procs[p].lanes) / c.busy
	c.at, c.others = now, 0
	t.prefer(q)
}

func (t *Table) ran(q int, p Processor, more int) {
	t.cell(q, p).running += more
	t.procs[p].running += more
}

// stale reports whether p should measure q anew.
func (t *Table) stale(q int, p Processor, now time.Duration) bool {
	r := t.row(q)
	c := &r.cells[p]
	if !t.Able(q, p) || c.probing || c.running > 0 || !r.known || c.fast {
		return false
	}
	return c.rate == 0 || c.others >= StaleTasks || now-c.at >= Interval
}

// probe finds a task that p should run a copy of, to measure.
func (t *Table) probe(p Processor, tasks []Unit, now time.Duration, idle bool) (int, bool) {
	due := &t.procs[p].probes
	if idle {
		due = &t.procs[p].idle
	}
	if *due > now {
		return 0, false
	}
	for i, u := range tasks {
		if t.stale(u.Pipeline, p, now) {
			return i, true
		}
	}
	*due = now + Recheck
	return 0, false
}

// wait is the time in seconds until p would be done with one more task of q: a device
// runs first what it has taken ahead.
func (t *Table) wait(q int, p Processor) float64 {
	s := t.seconds(q, p)
	if t.procs[p].lanes > 1 {
		return s
	}
	return s * float64(1+t.procs[p].running)
}

// spent books the time of a probe: the next one may start when it was the share of the
// time since.
func (t *Table) spent(p Processor, busy, now time.Duration) {
	d := &t.procs[p]
	d.probes, d.idle = now+pause(busy, ProbeShare, d.lanes), now+pause(busy, IdleProbeShare, d.lanes)
}

func pause(busy time.Duration, share float64, lanes int) time.Duration {
	return time.Duration(float64(busy) * (1/share - 1) / float64(lanes))
}
