package schedule

// HLS is heterogeneous look-ahead scheduling (SABER, SIGMOD 2016). An idle processor p
// looks through the queue from its head. A task whose pipeline runs fastest on p is p's. A
// task that another processor would do faster is left to it, unless p would be done with
// it before the other one could even begin:
//
//	queue   T1 T2 T3 ..    delay = 0
//	        |  |  |
//	        |  |  `- delay is now 1/C[A][fast] + 1/C[B][fast]: the time that the fast
//	        |  |     processors need for what was left to them; p takes T3 if it needs
//	        |  |     no longer than that
//	        |  `---- left: delay += 1/C[B][fast]
//	        `------- left: delay += 1/C[A][fast]
//
// Invariants:
//
//  1. The preferred processor of a task never leaves it. (SABER's published code lets it
//     refuse once it has run a number of tasks in a row, so that the other processor gets
//     measured; that holds a device that is 100 times faster to a ninth of its speed, and
//     stops for ever where the other one declines the pipeline. Probes do the measuring
//     here.)
//  2. A processor is given only what it is able to run, so one that declines a pipeline
//     costs nothing but the look.
//  3. A cell that nobody uses is measured by copies of tasks that stay available to the
//     others, one at a time and ProbeShare of the processor's time: a wrong belief, in
//     either direction, costs no more than that and lasts for Interval.
//  4. A device whose oldest task is overdue counts as absent until it finishes something:
//     nothing is left to it.
//  5. No pipeline waits for a slow processor while a faster one idles: a task that holds
//     up a nearly full ring is run again (Heads).
type HLS struct {
	// LookAhead is how many waiting tasks are looked at; 0: LookAheadTasks.
	LookAhead int
	// FirstFit is the rule as published: the first task that passes either test. A long
	// queue for one processor then lures the other one away from its own tasks.
	FirstFit bool
}

// LookAheadTasks is the usual length of a look. Rings bound the queue to about four
// tasks per worker and pipeline.
const LookAheadTasks = 512

// outlast bounds how long one lane may have a task that another processor would do
// faster: so many times what the others need for everything that waits. A longer one would
// hold up the ring, and be done again by somebody else.
const outlast = 2

// rounding: delays are sums of quotients.
const rounding = 1e-9

// Name is the policy's name in flags and statistics.
func (HLS) Name() string { return "hls" }

// Pick looks for a probe that is due, then for a task, then for a result that others wait
// for.
func (h HLS) Pick(p Processor, v *View) Decision {
	n := h.LookAhead
	if n == 0 {
		n = LookAheadTasks
	}
	if v.Table.procs[p].late {
		return Decision{}
	}
	tasks := v.Tasks[:min(n, len(v.Tasks))]
	if at, ok := v.Table.probe(p, tasks, v.Now, false); ok {
		return Decision{Probe, at}
	}
	if at, ok := h.find(p, tasks, v.Table); ok {
		return Decision{Take, at}
	}
	if d := again(p, v); d.Action != Wait {
		return d
	}
	if at, ok := v.Table.probe(p, tasks, v.Now, true); ok {
		return Decision{Probe, at}
	}
	return Decision{}
}

// find applies the rule of the look ahead.
func (h HLS) find(p Processor, tasks []Unit, t *Table) (int, bool) {
	delay, late := 0.0, -1
	for i, u := range tasks {
		q := u.Pipeline
		r := t.row(q)
		c := &r.cells[p]
		switch {
		case !t.Able(q, p) || c.probing && c.probe.same(u):
		case c.fast:
			return i, true
		case !r.known && c.running < t.procs[p].lanes:
			return i, true // nobody knows anything: one per lane
		case r.known && late < 0 && delay*(1+rounding) >= t.wait(q, p):
			if h.FirstFit {
				return i, true
			}
			late = i
		}
		delay += r.drain
	}
	if late >= 0 {
		q := tasks[late].Pipeline
		lane := t.seconds(q, p) * float64(t.procs[p].lanes)
		return late, lane*(1-rounding) <= outlast*delay
	}
	return 0, false
}

// again finds a head that p would finish before the processor that has it, or that is
// overdue there.
func again(p Processor, v *View) Decision {
	t := v.Table
	for i, h := range v.Heads {
		q := h.Unit.Pipeline
		if h.Copied || h.Runner == p || !t.Able(q, p) {
			continue
		}
		mine := t.seconds(q, p) * float64(t.procs[p].lanes)
		expected := t.seconds(q, h.Runner) * float64(t.procs[h.Runner].lanes)
		ran := v.Now - h.Since
		if t.overdue(q, h.Runner, ran) || mine < expected-ran.Seconds() {
			return Decision{Again, i}
		}
	}
	return Decision{}
}
