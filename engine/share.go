package engine

import (
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/operator"
)

// A task of a stage that devices can run may be on several processors at once: one takes
// it, another one runs a copy to be measured, or because the first one is late. Each works
// on a slot of its own; the scheduler says whose result is the first, and that one moves
// into the ring.
//
// Invariants:
//
//  1. Rows are read through holds of the runner's own, so the ring's slot may be freed, and
//     used again, while a loser still runs. Holding and freeing exclude each other (mu).
//  2. A slot of the ring is written by the first result only, before computed is set; what
//     a loser has made is discarded.
//  3. A task that a device did not finish, or not well, is in the queue again or is run by
//     the CPU as a Redo, which nobody else can have: none is lost.

// class is a kind of task for the scheduler: those of one input of a stage, or a join's pairs.
type class struct {
	stage *stage
	input int
	pairs bool
	offer *offer // nil: the CPU alone runs them
	// declined says why devices do not run them; empty for an offer and for sources.
	declined string
	bare     bool // there is nothing to compute before rows are stored
}

// share is what one processor has done of a class.
type share struct {
	tasks, rows, bytes, busyNanos atomic.Int64
	lost                          atomic.Int64 // results that came second
	_                             cpu.CacheLinePad
}

// classify numbers a stage's kinds of tasks.
func (r *run) classify(s *stage) {
	s.class = len(r.classes)
	for i := range max(1, len(s.inlets)) {
		r.classes = append(r.classes, class{stage: s, input: i})
	}
	if r.pairing(r.plan.Pipelines[s.id]) {
		r.classes = append(r.classes, class{stage: s, input: len(s.inlets), pairs: true})
	}
	s.kinds = len(r.classes) - s.class
}

// unit is the piece of work of the slot with a sequence number. s.mu is held.
func (s *stage) unit(seq uint64) schedule.Unit {
	input := 0
	if len(s.inlets) > 0 {
		input = s.slotOf(seq).task.Input
	}
	kind := schedule.Compute
	if s.run.hybrid() && !s.shared {
		kind = schedule.Plain
	}
	return schedule.Unit{Pipeline: s.class + input, Kind: kind, Index: int(seq)}
}

func (s *stage) slotOf(seq uint64) *slot { return &s.ring[seq%uint64(len(s.ring))] }

// helpHead asks for another processor where the ring is three quarters full and its head
// is not computed. s.mu is held.
func (s *stage) helpHead() {
	if s.shared && 4*(s.tail-s.head) >= 3*uint64(len(s.ring)) && s.slotOf(s.head).computed.Load() != s.head+1 {
		s.run.queue.HoldsUp(s.unit(s.head))
	}
}

// hold gives a runner a slot of its own with the task of u; nil if u has a result already.
func (s *stage) hold(u schedule.Unit) *slot {
	own, ok := s.spare.Get().(*slot)
	if !ok {
		own = &slot{}
	}
	if s.run.classes[u.Pipeline].pairs {
		if s.pairs.hold(u, own) {
			return own
		}
		s.spare.Put(own)
		return nil
	}
	seq := uint64(u.Index)
	s.mu.Lock()
	defer s.mu.Unlock()
	sl := s.slotOf(seq)
	if seq < s.head || sl.computed.Load() == seq+1 {
		s.spare.Put(own)
		return nil
	}
	spans := append(own.task.Spans[:0], sl.task.Spans...)
	own.task = sl.task
	own.task.Spans = spans
	for _, span := range spans {
		span.Batch.Retain()
	}
	return own
}

// letGo ends a runner's hold.
func (s *stage) letGo(own *slot) {
	if own.job != nil {
		s.pairs.letGo(own)
	}
	for i := range own.task.Spans {
		own.task.Spans[i].Batch.Release()
	}
	clear(own.task.Spans)
	own.task = operator.Task{Spans: own.task.Spans[:0]}
	own.partial = operator.Partial{}
	s.spare.Put(own)
}

// runShared is runCompute by the CPU for a task that a device may have, too.
func (s *stage) runShared(u schedule.Unit, w workerScratch) error {
	own := s.hold(u)
	if own == nil {
		s.run.queue.Done(schedule.CPU, u, 0, 0)
		return nil
	}
	defer s.letGo(own)
	start := time.Now()
	if err := s.body.compute(own, s.scratch(w)); err != nil {
		return err
	}
	s.publish(schedule.CPU, u, own, time.Since(start))
	return nil
}

// publish ends a task whose result is in own: the first result goes on.
func (s *stage) publish(p schedule.Processor, u schedule.Unit, own *slot, busy time.Duration) {
	rows, c := int64(own.task.Rows), s.shareOf(p, own.task.Input)
	c.busyNanos.Add(int64(busy))
	if p == schedule.CPU && own.job == nil {
		s.busyNanos.Add(int64(busy))
	}
	if u.Kind != schedule.Redo && !s.run.queue.Done(p, u, s.work(own), busy) {
		c.lost.Add(1)
		s.body.discard(own, false)
		return
	}
	c.tasks.Add(1)
	c.rows.Add(rows)
	c.bytes.Add(s.sizeOf(own))
	if own.job != nil {
		s.pairs.finish(u, own)
		return
	}
	seq := uint64(u.Index)
	sl := s.slotOf(seq)
	sl.partial = own.partial
	sl.encoded, own.encoded = own.encoded, encoded{}
	sl.streamed, own.streamed = own.streamed, sl.streamed
	s.computed(sl, seq)
}

// work is how much of a full task the slot's is.
func (s *stage) work(sl *slot) float64 {
	if sl.job != nil {
		return s.pairs.work(sl)
	}
	full := s.inlets[sl.task.Input].rowsMax
	return max(float64(sl.task.Rows)/float64(full), workLeast)
}

// workLeast is the least part of a full task that a task counts as: what a processor
// spends on any task.
const workLeast = 1.0 / 256

// shareOf returns what processor p has done of the stage's class number i.
func (s *stage) shareOf(p schedule.Processor, i int) *share {
	return &s.shares[int(p)*s.kinds+i]
}

// offered tells whether any input of the stage has an offer for devices.
func (s *stage) offered() bool {
	n := max(1, len(s.inlets))
	return slices.ContainsFunc(s.run.classes[s.class:s.class+n], func(c class) bool { return c.offer != nil })
}
