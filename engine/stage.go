package engine

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine/dispatch"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/operator"
)

// A stage runs one pipeline. Everything a plan does - decoding, windows, joins,
// encoding - is the same two-part shape:
//
//	inlets --cut--> ring of slots --compute, any worker, any order--.
//	                   ^                                            |
//	                   |     absorb, produce: one at a time, in slot order --> outlets
//	                   '------------------ slot free ---------------'
//
// The parallel part (compute) touches only its slot and the worker's scratch. The
// serial part runs as a drain unit: at most one per stage is queued or running, so it
// needs no lock on the body, and no worker ever waits in it: when consumers have no
// room it stops, and the consumer asks for another drain once it has.
//
// Invariants:
//
//  1. A slot is computed once, then absorbed in order, then its outputs are produced
//     completely before the next slot is absorbed.
//  2. Outputs are produced only while every outlet has room (less than one full task
//     waiting at each reader), so waiting rows are bounded by tasks, not by input.
//  3. drains counts the requests; the unit that finds it at zero after its work ends.
//     A request made meanwhile is seen by that compare-and-swap: none is lost.
//  4. The spans of a task are held from the cut until its slot is freed.
type stage struct {
	run   *run
	id    int
	name  string
	body  body
	keyed operator.Keyed // the body's function, if it has lanes
	// function is the body, if it runs an operator's function.
	function *functionBody
	class    int     // number of its first class
	shared   bool    // devices can run tasks of it; see share
	shares   []share // by processor and input; nil unless shared
	spare    sync.Pool
	unsuited error      // why devices cannot run the function
	kinds    int        // classes
	pairs    *pairs     // nil: no join whose pairs devices may find
	mu       sync.Mutex // guards head, tail, inlets, wants and the slots outside head..tail
	space    *sync.Cond // a slot was freed; source readers wait here
	ring     []slot
	head     uint64
	tail     uint64
	inlets   []*inlet
	outlets  []*outlet
	lanes    []lane

	drains    atomic.Int32
	sink      bool  // the body is a sink
	born      int64 // by the drain: that of slot head
	producing bool  // by the drain: slot head is absorbed, its outputs are not all out
	finished  bool  // by the drain: the end was passed on

	// Written by every worker; the rest is mostly read.
	_                             cpu.CacheLinePad
	tasks, rows, bytes, busyNanos atomic.Int64
	_                             cpu.CacheLinePad
}

// slot is a task on its way through a stage. Bodies use the fields they need.
type slot struct {
	task    operator.Task
	partial operator.Partial
	// born is when the oldest row behind the slot arrived, by run.clock; 0: there is none.
	born int64

	block    connector.Block
	decoded  decoded
	encoded  encoded
	streamed streamed
	// Of a runner with a job of a join's pairs; the task is without rows.
	job     *operator.PairJob
	windows operator.Windows

	computed atomic.Uint64 // sequence number + 1 once the parallel part is done
	laned    atomic.Uint64 // the same for the lanes
	laneLeft atomic.Int32
	laneOut  []any
	// lanesOut is laneOut, as an interface made once.
	lanesOut any
}

// lane is written by the workers that compute its tasks and the one that runs it; lanes
// next to each other are run by different ones.
type lane struct {
	requests atomic.Int32
	next     uint64
	_        cpu.CacheLinePad
}

// body is what a pipeline does with its slots. compute may run concurrently; the rest
// is serial. produce sends at most about one batch per call and returns false when
// nothing is left to send for the slot.
type body interface {
	newScratch() any
	compute(sl *slot, scratch any) error
	absorb(sl *slot) error
	produce(sl *slot) (more bool, err error)
	// room reports whether produce may be called (besides the outlets' room).
	room() bool
	// watermark and ended describe the output behind the last produced slot.
	watermark() int64
	ended() bool
	wants(input int) bool
	// discard gives back what a slot holds that will not be finished; absorbed tells
	// whether absorb has had it.
	discard(sl *slot, absorbed bool)
	close()
}

// scratch memory of one worker, by stage.
type workerScratch []any

func (s *stage) scratch(w workerScratch) any {
	if w[s.id] == nil {
		w[s.id] = s.body.newScratch()
	}
	return w[s.id]
}

// submit gives a filled slot (the one at tail) to the workers. s.mu is held.
func (s *stage) submit() {
	i := s.tail % uint64(len(s.ring))
	s.ring[i].laneLeft.Store(int32(len(s.lanes)))
	s.tail++
	s.run.inflight.Add(1)
	s.run.taskSubmitted()
	if s.function != nil {
		s.function.preview(&s.ring[i].task)
	}
	s.run.queue.Push(s.unit(s.tail - 1))
	s.helpHead()
}

func (s *stage) full() bool { return s.tail-s.head >= uint64(len(s.ring)) }

// runCompute is the parallel part of a slot, where nobody else can have it.
func (s *stage) runCompute(u schedule.Unit, w workerScratch) error {
	seq := uint64(u.Index)
	sl, start := s.slotOf(seq), time.Now()
	if err := s.body.compute(sl, s.scratch(w)); err != nil {
		return err
	}
	busy := time.Since(start)
	s.tasks.Add(1)
	s.rows.Add(int64(sl.task.Rows))
	s.bytes.Add(s.sizeOf(sl))
	s.busyNanos.Add(int64(busy))
	s.computed(sl, seq)
	return nil
}

// computed says that the parallel part of a slot is done.
func (s *stage) computed(sl *slot, seq uint64) {
	sl.computed.Store(seq + 1)
	if s.keyed == nil {
		s.requestDrain()
		return
	}
	for l := range s.lanes {
		s.requestLane(l)
	}
}

// sizeOf is about how many bytes a slot's input has.
func (s *stage) sizeOf(sl *slot) int64 {
	switch {
	case len(s.inlets) == 0:
		return int64(len(sl.block.Data))
	case sl.job != nil:
		return s.pairs.bytes(sl)
	}
	return int64(sl.task.Rows) * int64(s.inlets[sl.task.Input].rowSize)
}

func (s *stage) requestLane(l int) {
	if s.lanes[l].requests.Add(1) == 1 {
		s.run.queue.Push(schedule.Unit{Pipeline: s.class, Kind: schedule.Lane, Index: l})
	}
}

// runLane processes lane l's share of all computed slots, in order.
func (s *stage) runLane(l int) error {
	ln, start := &s.lanes[l], time.Now()
	defer func() { s.busyNanos.Add(int64(time.Since(start))) }()
	for {
		seen := ln.requests.Load()
		for {
			sl := &s.ring[ln.next%uint64(len(s.ring))]
			if sl.computed.Load() != ln.next+1 {
				break
			}
			out, err := s.keyed.Lane(l, &sl.task, sl.partial)
			if err != nil {
				return err
			}
			sl.laneOut[l] = out
			if s.pairs != nil {
				s.pairs.planned(out)
			}
			seq := ln.next
			ln.next++
			if sl.laneLeft.Add(-1) == 0 {
				sl.laned.Store(seq + 1)
				s.requestDrain()
			}
		}
		if ln.requests.CompareAndSwap(seen, 0) {
			return nil
		}
	}
}

func (s *stage) requestDrain() {
	if s.drains.Add(1) == 1 {
		s.run.queue.Push(schedule.Unit{Pipeline: s.class, Kind: schedule.Drain})
	}
}

// runDrain is the serial part: it goes as far as slots are ready and consumers have room.
func (s *stage) runDrain() error {
	start := time.Now()
	defer func() { s.busyNanos.Add(int64(time.Since(start))) }()
	for {
		seen := s.drains.Load()
		if err := s.drain(); err != nil {
			return err
		}
		if s.drains.CompareAndSwap(seen, 0) {
			return nil
		}
	}
}

func (s *stage) drain() error {
	for {
		if s.run.failed() {
			return nil
		}
		sl := &s.ring[s.head%uint64(len(s.ring))]
		if !s.producing {
			if !s.ready(sl) {
				return nil
			}
			if s.keyed != nil {
				sl.partial.Value = sl.lanesOut
			}
			if err := s.body.absorb(sl); err != nil {
				return s.named(err)
			}
			s.producing, s.born = true, sl.born
		}
		for {
			if !s.roomBehind() {
				return nil
			}
			more, err := s.body.produce(sl)
			if err != nil {
				return s.named(err)
			}
			if !more {
				break
			}
		}
		s.finishSlot(sl)
	}
}

func (s *stage) ready(sl *slot) bool {
	if s.keyed != nil {
		return sl.laned.Load() == s.head+1
	}
	return sl.computed.Load() == s.head+1
}

// named says where an error is from. A failing row's error says it itself.
func (s *stage) named(err error) error {
	var row *RowError
	if errors.As(err, &row) {
		return err
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

func (s *stage) roomBehind() bool {
	room := s.body.room()
	for _, o := range s.outlets {
		if !o.room() {
			room = false
		}
	}
	return room
}

// finishSlot passes the watermark on, frees the slot and lets the inlets cut again.
func (s *stage) finishSlot(sl *slot) {
	s.producing = false
	ended := s.body.ended()
	wm := s.body.watermark()
	for _, o := range s.outlets {
		o.advance(wm, ended)
	}
	if ended {
		s.finished = true
	}
	if s.sink && sl.born > 0 {
		s.run.latency.add(time.Duration(s.run.clock() - sl.born))
	}
	s.born, sl.born = 0, 0
	s.mu.Lock()
	dispatch.Release(&sl.task) // a runner that is late may be about to hold the rows; see hold
	sl.partial = operator.Partial{}
	s.head++
	for i, in := range s.inlets {
		in.wanted = s.body.wants(i)
	}
	s.pump()
	s.space.Broadcast()
	s.mu.Unlock()
	if ended {
		s.run.stageEnded(s)
	}
	if s.run.inflight.Add(-1) == 0 {
		s.run.signalQuiet()
	}
}
