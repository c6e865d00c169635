package engine

import (
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/stream"
)

// quietBody is a body that has nothing to say behind a slot.
type quietBody struct{ body }

func (quietBody) watermark() int64 { return stream.MinTime }
func (quietBody) ended() bool      { return false }

// TestHoldWhileFreed: between a runner's look at a slot and its hold of the rows, another
// runner's result may come, and the slot may be on its way out. Its rows stay until then.
func TestHoldWhileFreed(t *testing.T) {
	r := newRun(t.Context(), &bind.Plan{}, Config{Workers: 1, TaskBytes: 1})
	s := &stage{run: r, body: quietBody{}, ring: make([]slot, 4)}
	s.space = sync.NewCond(&s.mu)
	r.classes = []class{{stage: s}}
	b := r.pool.Get(stream.NewSchema(stream.Field{Name: "a", Type: stream.BigInt}), nil)
	b.AppendRow([]stream.Value{stream.Big(7)})
	sl := s.slotOf(0)
	sl.task.Spans = append(sl.task.Spans, stream.Span{Batch: b, To: 1})
	s.tail = 1

	s.mu.Lock() // as hold does
	freed := make(chan struct{})
	go func() {
		sl.computed.Store(1)
		s.finishSlot(sl)
		close(freed)
	}()
	select {
	case <-freed:
		t.Error("a slot was freed while a runner looked at it")
	case <-time.After(20 * time.Millisecond):
	}
	if r.pool.Outstanding() != 1 || len(sl.task.Spans) != 1 {
		t.Error("the rows of a slot were given back while a runner looked at it")
	}
	s.mu.Unlock()
	<-freed
	if s.hold(schedule.Unit{}) != nil {
		t.Error("a slot that is freed can be held")
	}
	if r.pool.Outstanding() != 0 {
		t.Error("the rows of a freed slot are still out")
	}
}
