package engine

import (
	"fmt"

	"github.com/millrace/millrace/engine/dispatch"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// pump cuts tasks while there are slots for them and wakes the producers that were
// waiting for room and now have it. s.mu is held; asking a stage to drain takes no lock
// of a stage.
func (s *stage) pump() {
	for again := true; again; {
		again = false
		for i, in := range s.inlets {
			if s.full() || !in.wanted {
				continue
			}
			sl := &s.ring[s.tail%uint64(len(s.ring))]
			in.size = in.taskRows()
			if in.cutter.Cut(&sl.task, in.size, in.flush || in.eager && in.advanced) {
				sl.task.Input, sl.born = i, in.born
				if in.cutter.Rows() == 0 {
					in.born = 0
				} else {
					in.born = in.latest
				}
				s.submit()
				again = true
			} else {
				in.flush, in.advanced = false, false
			}
		}
	}
	for _, in := range s.inlets {
		if in.blocked && in.hasRoom() {
			in.blocked = false
			in.from.requestDrain()
		}
	}
}

func wake(stages []*stage) {
	for _, s := range stages {
		s.requestDrain()
	}
}

// taskScaleMax bounds how far a function may move the size of its tasks from the
// configured one.
const taskScaleMax = 64

// inlet is one input of a stage: the rows that wait to be cut.
type inlet struct {
	stage    *stage
	from     *stage
	cutter   *dispatch.Cutter
	schema   *stream.Schema
	rowsMax  int  // rows of a full task
	size     int  // what a full task was when pump last tried to cut one
	eager    bool // cut whatever a producer's task put out; else wait for full tasks
	wanted   bool // the function takes this input now
	advanced bool // an eager producer finished a task
	flush    bool // cut what is there (linger, stop)
	blocked  bool // the producer found no room
	// born is when the oldest waiting row arrived, latest that of the rows pushed last.
	born, latest int64
	live         bool // from a source whose input may pause
	// tied: another input of the stage comes from the same source. Refusing rows here
	// would stop that one too, which the function may be waiting for; so while it does
	// not want this input, rows pile up, to a limit.
	tied    bool
	fused   bool           // a sink's: the only producer encodes rows itself
	sizer   operator.Sizer // nil: rowsMax is the size
	rowSize int            // assumed bytes of a row
}

// taskRows is how many rows a full task has now. A latency target scales what the function
// asks for too: its tasks would not shrink otherwise.
func (in *inlet) taskRows() int {
	n := in.rowsMax
	if in.sizer != nil {
		n = min(max(n, in.sizer.TaskRows(n)), taskScaleMax*n)
	}
	return max(1, int(int64(n)*in.stage.run.share()/steerFull))
}

// hasRoom also while the run stops: what is in the rings must come to rest somewhere,
// and an input that its function does not want will not be cut any more. Room is measured
// by the size that pump has tried to cut, not by the present one, which may change at any
// moment: rows that were too few for a task and are too many for the producer would wait
// for each other. The input of a fused sink has room when a slot is free, which its producer
// may fill itself.
func (in *inlet) hasRoom() bool {
	if in.fused {
		return !in.stage.full() && !in.cutter.Pending()
	}
	return in.cutter.Rows() < in.size || in.tied && !in.wanted || in.stage.run.stopping.Load()
}

// room is hasRoom for a producer, which is woken later if there is none. Tasks may have
// become smaller since the last rows came, so that what waits is a full one now; nobody
// but the producer may ever look again.
func (in *inlet) room() bool {
	in.stage.mu.Lock()
	defer in.stage.mu.Unlock()
	if !in.hasRoom() {
		in.stage.pump()
	}
	if !in.hasRoom() {
		in.blocked = true
		return false
	}
	return true
}

func (in *inlet) push(b *stream.Batch, from, to int) {
	s := in.stage
	s.mu.Lock()
	in.cutter.Push(stream.Span{Batch: b, From: from, To: to})
	in.latest = in.from.born
	if in.born == 0 {
		in.born = in.latest
	}
	in.advanced = in.advanced || in.fused // nothing may wait behind which encoded rows would come
	s.pump()
	size := int64(in.cutter.Rows()) * int64(in.rowSize)
	s.mu.Unlock()
	if in.tied {
		if err := s.run.filling(s.id).Bound(operator.LimitQueue, size, s.run.cfg.BufferBytesMax); err != nil {
			s.run.fail(fmt.Errorf("%s: %w", s.name, err))
		}
	}
}

func (in *inlet) advance(wm int64, ended bool) {
	s := in.stage
	s.mu.Lock()
	in.cutter.Advance(wm)
	if ended {
		in.cutter.End()
	}
	in.advanced = true
	s.pump()
	s.mu.Unlock()
}

// outlet is a port that somebody reads: every batch goes to all readers, shared.
type outlet struct {
	readers []*inlet
	timed   bool // the port's rows have event time, so watermarks mean something
}

func (o *outlet) room() bool {
	room := true
	for _, in := range o.readers {
		if !in.room() {
			room = false
		}
	}
	return room
}

// send gives rows to every reader; the caller keeps its own hold on the batch.
func (o *outlet) send(b *stream.Batch, from, to int) {
	for _, in := range o.readers {
		in.push(b, from, to)
	}
}

func (o *outlet) advance(wm int64, ended bool) {
	if !o.timed && !ended {
		wm = stream.MinTime
	}
	for _, in := range o.readers {
		in.advance(wm, ended)
	}
}
