package engine

import (
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// A function that puts out rows while it computes a task (operator.Streamer) does so on
// any worker, in any order of tasks; the drain passes them on in the order of slots.
// What waits in a slot depends on who reads:
//
//   - a sink, and nobody else: the worker runs the sink's parallel part on every batch at
//     once, while the batch is in its cache, and the slot keeps encoded rows. They enter
//     the sink's ring as slots that are computed already, so they keep their place among
//     rows that Next gives, and the sink's limits hold;
//   - anybody else: the slot keeps the batches.

// streamed is what a slot keeps of the rows that its task put out.
type streamed struct {
	rows    int64 // put out
	batches []*stream.Batch
	pieces  []piece
	next    int // of either that is to be passed on
}

// piece is a run of rows that a sink's parallel part has had.
type piece struct {
	encoded encoded
	errors  []operator.ErrorRow
}

// pieceBytes is the size of encoded rows at which a piece ends.
const pieceBytes = 1 << 20

// release gives back what was not passed on.
func (st *streamed) release() {
	for ; st.next < len(st.batches); st.next++ {
		st.batches[st.next].Release()
	}
	for ; st.next < len(st.pieces); st.next++ {
		for _, b := range st.pieces[st.next].encoded.batches {
			b.Release()
		}
	}
	clear(st.batches)
	clear(st.pieces)
	st.rows, st.batches, st.pieces, st.next = 0, st.batches[:0], st.pieces[:0], 0
}

// fusedSink is the sink whose parallel part is run by the stage before it.
type fusedSink struct {
	stage *stage
	body  *sinkBody
}

// fuseSink joins a streaming stage with the sink that alone reads it.
func (s *stage) fuseSink() {
	b := s.function
	if b == nil || b.streamer == nil || b.out == nil || len(b.out.readers) != 1 {
		return
	}
	in := b.out.readers[0]
	if sink, ok := in.stage.body.(*sinkBody); ok && len(in.stage.inlets) == 1 {
		in.fused = true
		b.fused = &fusedSink{in.stage, sink}
	}
}

// streamScratch is one worker's working memory for a streaming function.
type streamScratch struct {
	body *functionBody
	fn   operator.Scratch
	sink *sinkScratch
	slot *slot
	task operator.Task // one batch, for the sink
	emit func(*stream.Batch) error
}

func (b *functionBody) newStreamScratch() *streamScratch {
	s := &streamScratch{body: b, fn: b.fn.NewScratch()}
	s.task.Spans = make([]stream.Span, 1)
	if b.fused != nil {
		s.sink = b.fused.body.scratch()
	}
	s.emit = s.take
	return s
}

func (s *streamScratch) batch(b *functionBody, sl *slot) (operator.Partial, error) {
	s.slot = sl
	sl.streamed.release()
	p, err := b.streamer.BatchTo(&sl.task, s.fn, s.emit)
	s.slot = nil
	return p, err
}

// take takes over a batch that the function put out.
func (s *streamScratch) take(b *stream.Batch) error {
	st := &s.slot.streamed
	st.rows += int64(b.Len)
	switch {
	case s.body.out == nil:
		b.Release()
	case s.sink == nil:
		st.batches = append(st.batches, b)
	default:
		defer b.Release()
		return s.encode(b)
	}
	return nil
}

// encode runs the sink's parallel part on a batch.
func (s *streamScratch) encode(b *stream.Batch) error {
	st := &s.slot.streamed
	n := len(st.pieces)
	if n == 0 || len(st.pieces[n-1].encoded.bytes) >= pieceBytes {
		st.pieces = append(st.pieces, piece{})
		n++
	}
	p := &st.pieces[n-1]
	s.task.Spans[0], s.task.Rows = stream.Span{Batch: b, To: b.Len}, b.Len
	failed, err := s.body.fused.body.encode(&s.task, s.sink, &p.encoded)
	s.task.Spans[0] = stream.Span{}
	p.errors = append(p.errors, failed...)
	return err
}

// sendStreamed passes on the next rows that wait in the slot; false when there are none.
// The reader has room.
func (b *functionBody) sendStreamed(sl *slot) bool {
	st := &sl.streamed
	i := st.next
	switch {
	case i < len(st.batches):
		batch := st.batches[i]
		st.next++
		batch.First = b.rowsOut.Load()
		b.rowsOut.Add(int64(batch.Len))
		b.out.send(batch, 0, batch.Len)
		batch.Release()
		return true
	case i < len(st.pieces):
		st.next++
		b.fused.stage.accept(&st.pieces[i], sl.born)
		st.pieces[i] = piece{}
		return true
	}
	if b.fused != nil || b.out == nil {
		b.rowsOut.Add(st.rows)
	}
	st.release()
	return false
}

// accept takes over rows that were encoded by the stage before this sink, which found a
// slot free.
func (s *stage) accept(p *piece, born int64) {
	s.mu.Lock()
	i := s.tail % uint64(len(s.ring))
	sl := &s.ring[i]
	sl.task = operator.Task{Spans: sl.task.Spans[:0]}
	sl.encoded, sl.partial.Errors, sl.born = p.encoded, p.errors, born
	seq := s.tail
	s.tail++
	s.run.inflight.Add(1)
	s.mu.Unlock()
	sl.computed.Store(seq + 1)
	s.requestDrain()
}
