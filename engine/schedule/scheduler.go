package schedule

import "time"

// Scheduler carries out what a policy decides: it holds the waiting tasks and knows the
// running ones. It is a step function too: the caller brings the time, and one goroutine
// at a time.
type Scheduler struct {
	policy  Policy
	view    View
	tasks   fifo
	running []run
}

// run is a task on a processor.
type run struct {
	unit  Unit
	on    Processor
	since time.Duration
	over  bool // somebody else's result was first
	probe bool // the task may be waiting, too
}

// New returns a scheduler without tasks.
func New(p Policy, t *Table) *Scheduler {
	return &Scheduler{policy: p, view: View{Table: t}}
}

// Table is what the scheduler knows of processors.
func (s *Scheduler) Table() *Table { return s.view.Table }

// Push adds a task.
func (s *Scheduler) Push(u Unit) { s.tasks.push(u) }

// Waiting is the number of tasks nobody has taken yet.
func (s *Scheduler) Waiting() int { return len(s.tasks.waiting()) }

// Pending reports whether an idle processor may find something to do.
func (s *Scheduler) Pending() bool { return s.Waiting() > 0 || len(s.view.Heads) > 0 }

// Take asks for a task for processor p. One that is marked Copy may be running elsewhere,
// or be started there.
func (s *Scheduler) Take(p Processor, now time.Duration) (Unit, bool) {
	v := &s.view
	v.Tasks, v.Now = s.tasks.waiting(), now
	s.late(now)
	d := s.policy.Pick(p, v)
	var u Unit
	switch d.Action {
	case Wait:
		return Unit{}, false
	case Take:
		u, _ = s.tasks.take(d.At)
		for i := range s.running {
			if s.running[i].unit.same(u) {
				u.Copy = true
			}
		}
	case Probe:
		u = v.Tasks[d.At]
		u.Copy = true
		c := v.Table.cell(u.Pipeline, p)
		c.probing, c.probe = true, u
	case Again:
		u = v.Heads[d.At].Unit
		u.Copy, v.Heads[d.At].Copied = true, true
	}
	v.Table.ran(u.Pipeline, p, 1)
	s.running = append(s.running, run{unit: u, on: p, since: now, probe: d.Action == Probe})
	return u, true
}

// late marks the devices whose oldest task is overdue.
func (s *Scheduler) late(now time.Duration) {
	t := s.view.Table
	for p := range t.procs {
		if d := &t.procs[p]; d.lanes > 1 || Processor(p) == CPU {
			continue
		}
		late := false
		for _, r := range s.running { // in the order of their starts
			if r.on == Processor(p) {
				late = t.overdue(r.unit.Pipeline, r.on, now-max(r.since, t.procs[p].ended))
				break
			}
		}
		t.setLate(Processor(p), late)
	}
}

// Done reports that p has run u: work tasks (1, or a fraction for a short one) in busy
// time, 0 if nothing is to be learned. It returns whether p's result is the first.
func (s *Scheduler) Done(p Processor, u Unit, work float64, busy, now time.Duration) bool {
	r, ok := s.leave(p, u, busy, now)
	if !ok {
		return false
	}
	if busy > 0 {
		s.view.Table.Observe(u.Pipeline, p, work, busy, now)
	}
	if r.over {
		return false
	}
	for i := range s.running {
		if s.running[i].unit.same(u) {
			s.running[i].over = true
		}
	}
	if r.probe {
		for i, w := range s.tasks.waiting() {
			if w.same(u) {
				s.tasks.take(i)
				break
			}
		}
	}
	s.forget(u)
	return true
}

// Return hands u back undone: its processor was lost. Unless somebody else has it or has
// done it, it goes to the front of the queue; Return says whether it did.
func (s *Scheduler) Return(p Processor, u Unit, now time.Duration) bool {
	r, ok := s.leave(p, u, 0, now)
	if !ok || r.over {
		return false
	}
	for _, r := range s.running {
		if r.unit.same(u) {
			return false
		}
	}
	for _, w := range s.tasks.waiting() {
		if w.same(u) {
			return false
		}
	}
	s.forget(u)
	u.Copy = false
	s.tasks.pushFront(u)
	return true
}

// leave ends u on p.
func (s *Scheduler) leave(p Processor, u Unit, busy, now time.Duration) (run, bool) {
	for i, r := range s.running {
		if r.on != p || !r.unit.same(u) {
			continue
		}
		s.running = append(s.running[:i], s.running[i+1:]...)
		c := s.view.Table.cell(u.Pipeline, p)
		s.view.Table.ran(u.Pipeline, p, -1)
		s.view.Table.procs[p].ended = now
		if c.probing && c.probe.same(u) {
			c.probing = false
			if busy == 0 {
				busy = now - r.since
			}
			s.view.Table.spent(p, busy, now)
		}
		return r, true
	}
	return run{}, false
}

// HoldsUp says that u is at the head of its pipeline's ring, that it is running, and that
// the ring is three quarters full. It may be said again. It returns who runs u, and whether
// that is news.
func (s *Scheduler) HoldsUp(u Unit) (runner Processor, news bool) {
	v := &s.view
	for i := range v.Heads {
		if v.Heads[i].Unit.same(u) {
			return v.Heads[i].Runner, false
		}
	}
	at, n := -1, 0
	for i := range s.running {
		if r := &s.running[i]; r.unit.same(u) {
			if r.over {
				return None, false // it was done a moment ago
			}
			at = i
			n++
		}
	}
	if at < 0 {
		return None, false
	}
	r := s.running[at]
	v.Heads = append(v.Heads, Head{Unit: r.unit, Runner: r.on, Since: r.since, Copied: n > 1})
	return r.on, true
}

func (s *Scheduler) forget(u Unit) {
	for i, h := range s.view.Heads {
		if h.Unit.same(u) {
			s.view.Heads = append(s.view.Heads[:i], s.view.Heads[i+1:]...)
			return
		}
	}
}

// fifo is a queue in a slice whose front is cut off and moved back when it grows.
type fifo struct {
	units []Unit
	head  int
}

func (f *fifo) waiting() []Unit { return f.units[f.head:] }

func (f *fifo) push(u Unit) {
	if len(f.units) == cap(f.units) && 2*f.head >= len(f.units) {
		n := copy(f.units, f.units[f.head:])
		f.units, f.head = f.units[:n], 0
	}
	f.units = append(f.units, u)
}

func (f *fifo) pushFront(u Unit) {
	if f.head == 0 {
		f.push(u)
		copy(f.units[1:], f.units)
		f.head = 0
		f.units[0] = u
		return
	}
	f.head--
	f.units[f.head] = u
}

func (f *fifo) take(i int) (Unit, bool) {
	w := f.waiting()
	if i >= len(w) {
		return Unit{}, false
	}
	u := w[i]
	copy(w[1:i+1], w[:i])
	f.head++
	if f.head == len(f.units) {
		f.units, f.head = f.units[:0], 0
	}
	return u, true
}
