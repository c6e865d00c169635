package engine

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// sinkBody encodes rows side by side and hands them in order to a writer.
type sinkBody struct {
	run    *run
	op     *model.Operator
	chain  *operator.Chain
	schema *stream.Schema
	need   []bool
	bytes  connector.ByteSink // one of the two
	rows   connector.BatchSink
	count  connector.Discarder // rows, if it wants no values
	steps  bool                // the chain has steps
	writer *writer
	errors errorPorts
	end    bool
	out    atomic.Int64
}

// encoded is what the parallel part makes of a task: bytes, or for a BatchSink batches.
type encoded struct {
	bytes   []byte
	rows    int
	batches []*stream.Batch
}

type sinkScratch struct {
	chain   *operator.ChainScratch
	encoder connector.Encoder
	view    stream.Batch
}

func (b *sinkBody) newScratch() any { return b.scratch() }

func (b *sinkBody) scratch() *sinkScratch {
	s := &sinkScratch{chain: b.chain.NewScratch()}
	s.view.Schema = b.schema
	if b.bytes != nil {
		s.encoder = b.bytes.NewEncoder()
	}
	return s
}

func (b *sinkBody) compute(sl *slot, scratch any) (err error) {
	sl.encoded.rows = 0
	sl.partial.Errors, err = b.encode(&sl.task, scratch.(*sinkScratch), &sl.encoded)
	return err
}

// encode adds a task's rows to e.
func (b *sinkBody) encode(t *operator.Task, s *sinkScratch, e *encoded) ([]operator.ErrorRow, error) {
	if b.count != nil && !b.steps {
		e.rows += t.Rows
		return nil, nil
	}
	if b.bytes != nil && e.bytes == nil {
		e.bytes = b.writer.buffer()
	}
	return b.chain.Run(t, s.chain, func(c *operator.Chunk) error {
		s.view.Len, s.view.Cols = c.Len, c.Cols
		e.rows += c.Len
		switch {
		case b.count != nil:
		case b.bytes != nil:
			e.bytes = s.encoder.Encode(e.bytes, &s.view, 0, c.Len)
		default:
			out := b.run.pool.Get(b.schema, b.need)
			out.AppendRange(&s.view, 0, c.Len)
			e.batches = append(e.batches, out)
		}
		return nil
	})
}

func (b *sinkBody) absorb(sl *slot) error {
	if err := b.errors.send(sl.partial.Errors); err != nil {
		return err
	}
	b.end = b.end || sl.task.End
	b.out.Add(int64(sl.encoded.rows))
	return nil
}

// produce gives the slot's rows to the writer, which has room (see room).
func (b *sinkBody) produce(sl *slot) (bool, error) {
	e := &sl.encoded
	if len(e.bytes) > 0 || len(e.batches) > 0 || b.count != nil && e.rows > 0 {
		b.writer.put(*e)
		*e = encoded{}
	}
	return false, nil
}

func (b *sinkBody) room() bool       { return b.writer.room() }
func (b *sinkBody) watermark() int64 { return stream.MinTime }
func (b *sinkBody) ended() bool      { return b.end }
func (b *sinkBody) wants(int) bool   { return true }
func (b *sinkBody) close()           {}

func (b *sinkBody) discard(sl *slot, _ bool) {
	for _, batch := range sl.encoded.batches {
		batch.Release()
	}
	sl.encoded = encoded{}
}

// writerQueue bounds the encoded tasks that wait for a sink's medium; when it is full
// the sink's stage stops, and with it everything before.
const writerQueue = 4

// writer does a sink's output in its own goroutine, so that no worker waits for a
// disk or a pipe.
type writer struct {
	sink  *sinkBody
	stage *stage
	live  bool // flush whenever nothing waits

	mu      sync.Mutex
	wake    *sync.Cond
	queue   []encoded
	busy    bool
	closing bool
	blocked bool // the stage found no room
	err     error
	spare   [][]byte
	done    chan struct{}
}

func newWriter(b *sinkBody, s *stage, live bool) *writer {
	w := &writer{sink: b, stage: s, live: live, done: make(chan struct{})}
	w.wake = sync.NewCond(&w.mu)
	return w
}

func (w *writer) room() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) >= writerQueue {
		w.blocked = true
		return false
	}
	return true
}

func (w *writer) put(e encoded) {
	w.mu.Lock()
	w.queue = append(w.queue, e)
	w.mu.Unlock()
	w.wake.Broadcast()
}

func (w *writer) buffer() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return nil
}

// loop writes until close; after a failure it only empties the queue.
func (w *writer) loop() {
	defer close(w.done)
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.queue) == 0 && !w.closing {
			w.wake.Wait()
		}
		if len(w.queue) == 0 {
			return
		}
		e := w.queue[0]
		n := copy(w.queue, w.queue[1:])
		w.queue[n] = encoded{}
		w.queue = w.queue[:n]
		w.busy = true
		flush, failed := w.live && n == 0, w.err != nil
		w.mu.Unlock()
		err := w.write(e, flush, failed)
		w.mu.Lock()
		w.busy = false
		if err != nil && w.err == nil {
			w.err = err
			w.stage.run.fail(fmt.Errorf("%s: %w", w.sink.op.Name, err))
		}
		w.recycle(e)
		blocked := w.blocked
		w.blocked = false
		w.wake.Broadcast()
		if blocked {
			w.stage.requestDrain()
		}
	}
}

func (w *writer) recycle(e encoded) {
	if cap(e.bytes) > 0 && len(w.spare) < writerQueue+len(w.stage.ring) {
		w.spare = append(w.spare, e.bytes[:0])
	}
}

func (w *writer) write(e encoded, flush, failed bool) (err error) {
	switch {
	case failed:
	case w.sink.count != nil:
		err = w.sink.count.Discard(e.rows)
	case w.sink.bytes != nil:
		if err = w.sink.bytes.Write(e.bytes); err == nil && flush {
			err = w.sink.bytes.Flush()
		}
	default:
		for _, b := range e.batches {
			if err == nil {
				err = w.sink.rows.WriteBatch(b, 0, b.Len)
			}
		}
		if err == nil && flush {
			err = w.sink.rows.Flush()
		}
	}
	for _, b := range e.batches {
		b.Release()
	}
	return err
}

// settle waits until everything put so far is written.
func (w *writer) settle() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for (len(w.queue) > 0 || w.busy) && w.err == nil {
		w.wake.Wait()
	}
	return w.err
}

// close lets the loop end after what is queued and waits for it.
func (w *writer) close() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.wake.Broadcast()
	<-w.done
}
