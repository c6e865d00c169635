package device

import (
	"bytes"
	"time"
)

// A program may write resident buffers (Program.Mutable): a running aggregate, a table
// that grows with the stream. Their content is then part of the query's state, and a
// device can fail at any moment. What must hold is that the content and the tasks done
// belong together: a task counts in the state if and only if its Done said that it has a
// result, whoever runs the next one.
//
// The host therefore has a copy as of the last task done. The goroutine that waits for a
// task's result reads the written buffers back before it says that the task has landed,
// into memory of the seat; once the result is copied out the seat's memory and the plan's
// images change places.
//
//	Run -> Wait -> Read, into seat.state -> CopyOut -> images <-> seat.state -> Done
//	 `-------------- any failure here: the images are those before the task --'
//
// Nothing has to be read when memory is taken from an idle plan, nothing is lost with the
// device, and the CPU can take over between any two tasks (Plan.State) and give the state
// back (Plan.Update). The price: a plan with mutable state has one task in flight, so its
// stages do not overlap with each other, though they do with those of other plans, and each
// task moves the mutable buffers once: with 12 GB/s, 85 us for a megabyte. Reading back only
// now and then would make that cheaper and hold back the results of the tasks between, which
// would all have to be done again after a failure: state of a size that calls for it belongs
// on the CPU. The host holds every mutable buffer twice.
//
// Invariants:
//
//  1. Only the finisher, for a task with a result, and Update change the images.
//  2. Kernels run on a mutable buffer only if it is equal to its image: otherwise changed
//     is set, and the image is written first.
//  3. A failed task leaves changed set, or no buffer at all.
//  4. The goroutine that reads for a task owns the plan's buffers until the task lands: once
//     the device is lost they are its to free.

// mutable reports whether kernels write resident buffer i.
func (p *Program) mutable(i int) bool { return i < len(p.Mutable) && p.Mutable[i] }

// stateful reports whether kernels write any.
func (p *Program) stateful() bool {
	for _, m := range p.Mutable {
		if m {
			return true
		}
	}
	return false
}

// readBack copies what a task has written, once its result is there, and counts the time
// as moving out.
func (s *seat) readBack(t *Timing) error {
	if !s.stateful {
		return nil
	}
	from := time.Now()
	for i, buffer := range s.state {
		if buffer == nil {
			continue
		}
		if err := s.call.Resident[i].Read(buffer); err != nil {
			return err
		}
	}
	t.MoveOut += time.Since(from)
	return nil
}

// stateBuffers is the memory that readBack needs.
func (pl *Plan) stateBuffers() [][]byte {
	if !pl.stateful {
		return nil
	}
	out := make([][]byte, len(pl.images))
	for i := range out {
		if pl.program.mutable(i) {
			out[i] = make([]byte, len(pl.images[i]))
		}
	}
	return out
}

// settle makes what a task has written the plan's state, unless its result was of no use.
func (p *Processor) settle(s *seat, err error) {
	if !s.stateful {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		s.rollBack()
		return
	}
	for i, buffer := range s.state {
		if buffer != nil {
			s.plan.images[i], s.state[i] = buffer, s.plan.images[i]
			p.stats.BytesOut += int64(len(buffer))
		}
	}
}

// rollBack ends a task that does not count, with mu held: what it wrote is overwritten
// before the next one.
func (s *seat) rollBack() {
	for i, buffer := range s.state {
		s.plan.changed[i] = s.plan.changed[i] || buffer != nil
	}
}

// State is a copy of resident buffer i as of the last task whose Done had no error, or of
// an Update since. It waits for a task in flight. A backup that goes on from it gives its
// own state back with Update.
func (pl *Plan) State(i int) []byte {
	p := pl.processor
	p.mu.Lock()
	defer p.mu.Unlock()
	for pl.inflight > 0 {
		p.wake.Wait()
	}
	return bytes.Clone(pl.images[i])
}
