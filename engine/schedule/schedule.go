// Package schedule hands units of work to processors. All running pipelines share one
// queue; an idle processor asks for work and a Policy says which unit it gets, from what
// the Table knows of each pipeline's speed on each processor. On the path of a row it
// stands between dispatch, which cuts tasks, and the processor that executes them.
//
// Policies are step functions without clock or threads, Scheduler carries out what they
// decide, and Queue puts a lock around a Scheduler. Package simulate runs the same
// Scheduler in virtual time.
package schedule

import "time"

// Processor identifies who asks: all CPU workers together are one processor, each device
// is another.
type Processor int

// CPU is the processor of all CPU workers. No processor is the absence of one.
const (
	CPU  Processor = 0
	None Processor = -1
)

// Kind is what a unit asks for.
type Kind uint8

// The kinds. Drain and Lane units are the in-order parts: they go before tasks, because
// they free slots and memory, and so does what later results wait for. Only the CPU runs
// them.
const (
	Compute Kind = iota // the parallel part of task Index of pipeline Pipeline
	Lane                // lane Index of a keyed pipeline has input
	Drain               // the pipeline's result stage has input, or its consumers have room
	Plain               // as Compute, where only the CPU ever runs the pipeline's tasks
	Redo                // a task that a device could not do well, and that nobody else has
)

// Unit is one piece of work. Compute units in the queue or running differ in Pipeline or
// Index.
type Unit struct {
	Pipeline int
	Kind     Kind
	Index    int

	// Copy: another processor has this task too, or may get it. Whoever finishes first
	// wins (Scheduler.Done says who).
	Copy bool
}

func (u Unit) same(v Unit) bool {
	return u.Pipeline == v.Pipeline && u.Index == v.Index && u.Kind == v.Kind
}

// Action is what a policy wants an idle processor to do.
type Action uint8

// The actions. Probe and Again run a copy, and are for policies that measure.
const (
	Wait  Action = iota // nothing suits it
	Take                // run waiting task number At
	Probe               // run a copy of waiting task number At, which stays available
	Again               // run a copy of the running task View.Heads[At]
)

// Decision is an action and its task.
type Decision struct {
	Action Action
	At     int
}

// View is what a policy decides on.
type View struct {
	Tasks []Unit // nobody has taken them yet, oldest first
	Heads []Head
	Table *Table
	Now   time.Duration // since a start of the caller's choice
}

// Head is a running task whose result every later result of its pipeline waits for, while
// the pipeline's ring is nearly full.
type Head struct {
	Unit   Unit
	Runner Processor
	Since  time.Duration
	Copied bool // two processors run it already
}

// Policy decides what idle processor p does. It is a pure function of its arguments,
// called by one goroutine at a time.
type Policy interface {
	Name() string
	Pick(p Processor, v *View) Decision
}

// FirstCome gives every processor the oldest task that it can run.
type FirstCome struct{}

// Name is the policy's name in flags and statistics.
func (FirstCome) Name() string { return "fcfs" }

// Pick returns the oldest task that p accepts.
func (FirstCome) Pick(p Processor, v *View) Decision {
	for i, u := range v.Tasks {
		if v.Table.Able(u.Pipeline, p) {
			return Decision{Take, i}
		}
	}
	return Decision{}
}

// Static gives each pipeline's tasks to one processor: Home[pipeline], and where that
// cannot run them or none is named, the able processor with the lowest id.
type Static struct{ Home []Processor }

// Name is the policy's name in flags and statistics.
func (Static) Name() string { return "static" }

// Pick returns the oldest task of the pipelines that are at home on p.
func (s Static) Pick(p Processor, v *View) Decision {
	for i, u := range v.Tasks {
		home := None
		if u.Pipeline < len(s.Home) && v.Table.Able(u.Pipeline, s.Home[u.Pipeline]) {
			home = s.Home[u.Pipeline]
		}
		if home == None {
			home = v.Table.firstAble(u.Pipeline)
		}
		if home == p {
			return Decision{Take, i}
		}
	}
	return Decision{}
}
