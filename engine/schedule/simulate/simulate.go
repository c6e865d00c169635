// Package simulate runs the scheduler of package schedule over processors whose speeds are
// given, in virtual time: every decision is the one that the engine would take, and hours
// pass in milliseconds. It serves scenario tests and `millrace bench scheduling`. On the
// path of a row it stands nowhere. Entry point: Scenario.Run.
package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/engine/schedule"
)

// Scenario is a machine and its work.
type Scenario struct {
	Processors []Processor // the first one is the CPU
	Queries    []Query
	Queue      []int         // what waits at the start, as queries; without it sources push
	Until      time.Duration // sources stop here; 0: when all Query.Tasks are done
	Known      bool          // the throughput matrix is known at the start
	Home       []int         // policy static: the processor of each query; none: the fastest one
}

// Processor is a simulated one.
type Processor struct {
	Name  string
	Lanes int // tasks at the same time, each at 1/Lanes of the processor's speed
	Depth int // tasks it takes ahead and runs one after another; with Lanes 1 only
}

// Query is a pipeline. A source cuts its tasks as fast as the ring has room.
type Query struct {
	Name  string
	Tasks int // 0: no end before Scenario.Until
	Ring  int // tasks between the oldest without a result and the newest; 0: no bound
	Speed []Speed
}

// Speed holds from a time on.
type Speed struct {
	From time.Duration
	Task []time.Duration // per processor, time per task when all lanes are busy; 0: refuses
}

// Run is one task on one processor.
type Run struct {
	Query, Task, Processor int // Task counts from 0 within the scenario's queue or the query
	Start, End             time.Duration
	Copy                   bool
	First                  bool // its result was the one used
}

// Result is what came of a scenario.
type Result struct {
	Finish time.Duration   // when the last result was in order
	Runs   []Run           // in the order in which they ended
	Count  [][]int         // results used, by query and processor
	Busy   []time.Duration // per processor, of all lanes together
	Ended  []time.Duration // per query
}

// flight is a task on a processor.
type flight struct {
	unit       schedule.Unit
	start, end time.Duration
}

type source struct {
	head, tail int // tasks: results in order, cut
	done       map[int]bool
}

type machine struct {
	*Scenario
	sched   *schedule.Scheduler
	now     time.Duration
	flights [][]flight // per processor
	free    []time.Duration
	sources []source
	result  *Result
}

// speed is the time per task of q on p at a time; 0: refused.
func (s *Scenario) speed(q, p int, at time.Duration) time.Duration {
	var out time.Duration
	for _, v := range s.Queries[q].Speed {
		if v.From <= at {
			out = v.Task[p]
		}
	}
	return out
}

// Policies are the policies that are usually compared. Run also knows hls-first-fit, the
// rule as it was published.
func Policies() []string { return []string{"hls", "fcfs", "static"} }

func (s *Scenario) policy(name string) (schedule.Policy, error) {
	switch name {
	case "hls":
		return schedule.HLS{}, nil
	case "hls-first-fit":
		return schedule.HLS{FirstFit: true}, nil
	case "fcfs":
		return schedule.FirstCome{}, nil
	case "static":
		var home []schedule.Processor
		for q := range s.Queries {
			home = append(home, schedule.Processor(s.home(q)))
		}
		return schedule.Static{Home: home}, nil
	}
	return nil, fmt.Errorf("policy %q: want one of %v or hls-first-fit", name, Policies())
}

func (s *Scenario) home(q int) int {
	if q < len(s.Home) {
		return s.Home[q]
	}
	best := -1
	for p := range s.Processors {
		if v := s.speed(q, p, 0); v > 0 && (best < 0 || v < s.speed(q, best, 0)) {
			best = p
		}
	}
	return best
}

// ErrStuck means that tasks wait and no processor takes them: no policy may do that.
var ErrStuck = errors.New("tasks wait that no processor takes")

// Run plays the scenario under a policy.
func (s *Scenario) Run(policy string) (*Result, error) {
	p, err := s.policy(policy)
	if err != nil {
		return nil, err
	}
	m := s.machine(p)
	for i, q := range s.Queue {
		m.sched.Push(schedule.Unit{Pipeline: q, Index: i})
	}
	for {
		m.cut()
		m.assign()
		more, err := m.next()
		if err != nil || !more {
			return m.result, err
		}
	}
}

func (s *Scenario) machine(p schedule.Policy) *machine {
	var lanes []int
	for _, p := range s.Processors {
		lanes = append(lanes, p.Lanes)
	}
	t := schedule.NewTable(lanes...)
	m := &machine{Scenario: s, sched: schedule.New(p, t), result: &Result{}}
	m.flights = make([][]flight, len(lanes))
	m.free = make([]time.Duration, len(lanes))
	m.result.Busy = make([]time.Duration, len(lanes))
	m.result.Ended = make([]time.Duration, len(s.Queries))
	for q := range s.Queries {
		m.sources = append(m.sources, source{done: map[int]bool{}})
		m.result.Count = append(m.result.Count, make([]int, len(lanes)))
		for p := range lanes {
			v := s.speed(q, p, 0)
			t.SetAble(q, schedule.Processor(p), v > 0)
			if s.Known && v > 0 {
				t.Observe(q, schedule.Processor(p), 1, v*time.Duration(lanes[p]), 0)
			}
		}
	}
	return m
}

// cut lets the sources push while their rings have room, in turns.
func (m *machine) cut() {
	for more := len(m.Queue) == 0; more; {
		more = false
		for q := range m.Queries {
			if m.room(q) {
				m.sched.Push(schedule.Unit{Pipeline: q, Index: m.sources[q].tail})
				m.sources[q].tail++
				more = true
			}
		}
	}
	for q, s := range m.sources {
		if ring := m.Queries[q].Ring; ring > 0 && s.tail-s.head >= ring*3/4 {
			m.sched.HoldsUp(schedule.Unit{Pipeline: q, Index: s.head})
		}
	}
}

func (m *machine) room(q int) bool {
	s, d := &m.sources[q], &m.Queries[q]
	switch {
	case d.Tasks > 0 && s.tail >= d.Tasks, m.Until > 0 && m.now >= m.Until, d.Tasks == 0 && m.Until == 0:
		return false
	}
	return d.Ring == 0 && d.Tasks > 0 || s.tail-s.head < d.Ring
}

// assign asks idle processors in the order of their ids until nobody takes anything.
func (m *machine) assign() {
	for more := true; more; {
		more = false
		for p := range m.Processors {
			d := &m.Processors[p]
			for len(m.flights[p]) < max(d.Lanes, d.Depth) {
				u, ok := m.sched.Take(schedule.Processor(p), m.now)
				if !ok {
					break
				}
				more = true
				m.start(p, u)
			}
		}
	}
}

func (m *machine) start(p int, u schedule.Unit) {
	f := flight{unit: u, start: m.now}
	v := m.speed(u.Pipeline, p, m.now) * time.Duration(m.Processors[p].Lanes)
	if m.Processors[p].Lanes == 1 {
		f.start = max(m.now, m.free[p])
		m.free[p] = f.start + v
	}
	f.end = f.start + v
	m.flights[p] = append(m.flights[p], f)
}

// next moves on to the end of the next task; false: there is none.
func (m *machine) next() (bool, error) {
	p, at := -1, 0
	for i := range m.flights {
		for k, f := range m.flights[i] {
			if p < 0 || f.end < m.flights[p][at].end {
				p, at = i, k
			}
		}
	}
	if p < 0 {
		if m.sched.Waiting() > 0 {
			return false, ErrStuck
		}
		return false, nil
	}
	f := m.flights[p][at]
	if again := m.now + schedule.Recheck; m.sched.Pending() && again < f.end {
		m.now = again
		return true, nil
	}
	m.flights[p] = append(m.flights[p][:at], m.flights[p][at+1:]...)
	m.now = f.end
	m.finish(p, f)
	return true, nil
}

func (m *machine) finish(p int, f flight) {
	u, r := f.unit, m.result
	first := m.sched.Done(schedule.Processor(p), u, 1, f.end-f.start, m.now)
	r.Runs = append(r.Runs, Run{u.Pipeline, u.Index, p, f.start, f.end, u.Copy, first})
	r.Busy[p] += f.end - f.start
	if !first {
		return
	}
	r.Count[u.Pipeline][p]++
	s := &m.sources[u.Pipeline]
	s.done[u.Index] = true
	for s.done[s.head] {
		delete(s.done, s.head)
		s.head++
	}
	r.Ended[u.Pipeline] = m.now
	r.Finish = m.now
}
