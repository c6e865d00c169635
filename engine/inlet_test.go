package engine

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/engine/dispatch"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// restless answers with the sizes of a list in turn, as a function whose tasks grow and
// shrink while a producer asks for room.
type restless struct {
	sizes []int
	asked int
}

func (r *restless) TaskRows(int) int {
	r.asked++
	return r.sizes[(r.asked-1)%len(r.sizes)]
}

// TestRoomWhileSizesChange: rows that are too few for a task never keep their producer
// out while there is a slot, whatever the size is by the time anybody looks again; else
// the two would wait for each other.
func TestRoomWhileSizesChange(t *testing.T) {
	for _, sizes := range [][]int{{20, 4}, {4, 20}, {20, 20, 4}, {4, 20, 20}, {20, 4, 4}, {4, 4, 20}} {
		for offset := range sizes {
			r := newRun(t.Context(), &bind.Plan{}, Config{Workers: 1, TaskBytes: 1})
			schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.BigInt})
			s := &stage{run: r, ring: make([]slot, 4)}
			r.classes = []class{{stage: s}}
			in := &inlet{
				stage: s, from: s, cutter: dispatch.NewCutter(), schema: schema, rowsMax: 1, size: 1, wanted: true,
				sizer: &restless{sizes: sizes, asked: offset},
			}
			s.inlets = []*inlet{in}
			b := stream.NewBatch(schema, nil)
			for i := range 10 {
				b.AppendRow([]stream.Value{stream.Big(int64(i))})
			}
			in.push(b, 0, b.Len)
			if !in.room() && !s.full() {
				t.Errorf("sizes %v from %d: %d rows wait for more, and their producer for room", sizes, offset, in.cutter.Rows())
			}
		}
	}
}

// TestInputQueueIsFull: an input that must not be refused rows, because another one comes
// from the same source, fails the job when its rows are too many.
func TestInputQueueIsFull(t *testing.T) {
	r := newRun(t.Context(), &bind.Plan{}, Config{Workers: 1, TaskBytes: 1, BufferBytesMax: 72})
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.BigInt})
	s := &stage{run: r, name: "pairs", ring: make([]slot, 4)}
	r.classes = []class{{stage: s}}
	in := &inlet{stage: s, from: s, cutter: dispatch.NewCutter(), schema: schema, rowsMax: 100, size: 100, rowSize: 8, tied: true}
	s.inlets = []*inlet{in}
	b := stream.NewBatch(schema, nil)
	for i := range 10 {
		b.AppendRow([]stream.Value{stream.Big(int64(i))})
	}
	in.push(b, 0, 9)
	if r.err != nil {
		t.Errorf("%v, with as much as may wait", r.err)
	}
	in.push(b, 9, 10)
	if r.err == nil || !strings.Contains(r.err.Error(), "pairs: "+operator.LimitQueue+":") || !strings.Contains(r.err.Error(), "raise --memory; one of two inputs") {
		t.Errorf("the job fails with %v", r.err)
	}
}
