package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// sourceBody decodes blocks side by side and puts the rows in order.
type sourceBody struct {
	run      *run
	op       *model.Operator
	src      connector.Source
	need     []bool
	computer *operator.Computer
	in       *ingress
	places   []connector.Position // behind the last absorbed block, by partition
	out      *outlet
	late     *outlet
	arrival  *outlet
	errors   *errorPort
	tally    *Tally // late rows
	counts   sourceCounts
	finished bool
	buffered atomic.Int64   // bytes in ingress
	ahead    []atomic.Int64 // each partition's watermark, for readers
	floor    atomic.Int64   // the stream's
}

type sourceCounts struct{ rows, late, errors, bytes atomic.Int64 }

// decoded is what the parallel part makes of a block.
type decoded struct {
	batch     *stream.Batch
	errors    []placedError // in row order
	records   []connector.RecordError
	partition int
	end       bool // the partition ended; no block
	eof       connector.Position
}

// placedError is a failing record and the number of good rows before it.
type placedError struct {
	before int
	ErrorRecord
}

type sourceScratch struct {
	decoder connector.Decoder
	compute *operator.ComputerScratch
	bad     []bool
	keep    []int32
}

func (b *sourceBody) newScratch() any {
	return &sourceScratch{decoder: b.src.NewDecoder(), compute: b.computer.NewScratch()}
}

const errNullTime = "event time is NULL"

func (b *sourceBody) compute(sl *slot, scratch any) error {
	d := &sl.decoded
	d.errors = d.errors[:0]
	if d.end {
		return nil
	}
	s, block := scratch.(*sourceScratch), &sl.block
	d.batch = b.run.pool.Get(b.op.Relation.Schema, b.need)
	for _, e := range block.Errors {
		d.errors = append(d.errors, b.place(block, e, 0))
	}
	var err error
	d.records, err = s.decoder.Decode(block, d.batch, d.records[:0])
	if err != nil {
		return err
	}
	failed := b.computer.Compute(s.compute, d.batch)
	if b.in.timed {
		failed = b.nullTimes(d.batch, failed)
	}
	sl.task.Rows = d.batch.Len
	b.merge(d, s, block, failed)
	if len(failed) > 0 {
		d.batch = b.without(s, d.batch, failed)
	}
	return nil
}

func (b *sourceBody) place(block *connector.Block, e connector.RecordError, before int) placedError {
	return placedError{before, ErrorRecord{Operator: b.op.Name, Reason: e.Reason, Record: e.Record, File: block.File, Line: block.Start.Line + e.Line}}
}

// nullTimes adds the rows without event time to those that failed, in row order.
func (b *sourceBody) nullTimes(batch *stream.Batch, failed []operator.FailedRow) []operator.FailedRow {
	col := &batch.Cols[b.in.timeCol]
	if col.Valid == nil || col.Valid.Count(batch.Len) == batch.Len {
		return failed
	}
	var out []operator.FailedRow
	next := 0
	for i := 0; i < batch.Len; i++ {
		switch {
		case next < len(failed) && failed[next].Row == i:
			out = append(out, failed[next])
			next++
		case col.IsNull(i):
			out = append(out, operator.FailedRow{Row: i, Reason: errNullTime})
		}
	}
	return out
}

// merge puts decoding and computing failures in one list in record order.
func (b *sourceBody) merge(d *decoded, s *sourceScratch, block *connector.Block, failed []operator.FailedRow) {
	removed, r := 0, 0
	for _, f := range failed {
		for r < len(d.records) && d.records[r].Before <= f.Row {
			d.errors = append(d.errors, b.place(block, d.records[r], d.records[r].Before-removed))
			r++
		}
		text, line := s.decoder.Record(f.Row)
		d.errors = append(d.errors, b.place(block, connector.RecordError{Line: line, Record: text, Reason: f.Reason}, f.Row-removed))
		removed++
	}
	for ; r < len(d.records); r++ {
		d.errors = append(d.errors, b.place(block, d.records[r], d.records[r].Before-removed))
	}
}

// without copies the rows that did not fail and releases the batch.
func (b *sourceBody) without(s *sourceScratch, batch *stream.Batch, failed []operator.FailedRow) *stream.Batch {
	keep, next := s.keep[:0], 0
	for i := 0; i < batch.Len; i++ {
		if next < len(failed) && failed[next].Row == i {
			next++
			continue
		}
		keep = append(keep, int32(i))
	}
	s.keep = keep
	out := b.run.pool.Get(batch.Schema, b.need)
	out.AppendSelected(batch, keep)
	batch.Release()
	return out
}

func (b *sourceBody) absorb(sl *slot) error {
	d := &sl.decoded
	p := d.partition
	if d.end {
		b.in.parts[p].ended = true
		b.places[p] = d.eof
		return nil
	}
	batch := d.batch
	d.batch = nil
	b.counts.rows.Add(int64(batch.Len))
	b.counts.bytes.Add(int64(len(sl.block.Data)))
	for _, e := range d.errors {
		b.counts.errors.Add(1)
		if err := b.errors.send(e.ErrorRecord); err != nil {
			batch.Release()
			return err
		}
	}
	if b.arrival != nil {
		b.arrival.send(batch, 0, batch.Len)
	}
	b.places[p] = sl.block.End
	s := split{inOrder: true}
	if b.in.timed {
		s = b.in.judge(p, batch.Cols[b.in.timeCol].I64[:batch.Len])
	}
	if err := b.setAside(sl, batch, s); err != nil {
		batch.Release()
		return err
	}
	err := b.in.accept(p, batch, s)
	b.ahead[p].Store(subtract(b.in.parts[p].maxTime, b.in.delay))
	b.floor.Store(b.in.watermark())
	b.buffered.Store(b.in.bytes)
	b.run.admission.Broadcast()
	return err
}

// setAside sends late rows and rows too far ahead to their ports.
func (b *sourceBody) setAside(sl *slot, batch *stream.Batch, s split) error {
	if n := len(s.late); n > 0 {
		b.counts.late.Add(int64(n))
		for _, row := range s.late {
			b.tally.add(ErrorRecord{Operator: b.op.Name, Reason: "late", Record: b.rowText(batch, int(row))})
		}
		if b.late != nil && b.op.Source.Late == model.LateToPort {
			out := b.run.pool.Get(batch.Schema, b.need)
			out.AppendSelected(batch, s.late)
			b.late.send(out, 0, out.Len)
			out.Release()
		}
	}
	for _, row := range s.ahead {
		b.counts.errors.Add(1)
		e := ErrorRecord{Operator: b.op.Name, Reason: "event time too far ahead of the watermark", Record: b.rowText(batch, int(row)), File: sl.block.File}
		if err := b.errors.send(e); err != nil {
			return err
		}
	}
	return nil
}

func (b *sourceBody) produce(*slot) (bool, error) {
	span, ok := b.in.next()
	if !ok {
		b.finished = b.in.allEnded()
		return false, nil
	}
	if b.out != nil {
		b.out.send(span.Batch, span.From, span.To)
	}
	span.Batch.Release()
	return true, nil
}

func (b *sourceBody) room() bool { return true }
func (b *sourceBody) watermark() int64 {
	if !b.in.timed && !b.in.allEnded() {
		return stream.MinTime
	}
	return b.in.watermark()
}
func (b *sourceBody) ended() bool    { return b.finished }
func (b *sourceBody) wants(int) bool { return true }
func (b *sourceBody) close()         { b.in.close() }
func (b *sourceBody) discard(sl *slot) {
	if sl.decoded.batch != nil {
		sl.decoded.batch.Release()
		sl.decoded.batch = nil
	}
}

// Snapshot writes where to read on and what ingress holds.
func (b *sourceBody) Snapshot(w *state.Writer) {
	for _, p := range b.places {
		w.Int(int64(p.File))
		w.Int(p.Offset)
		w.Int(p.Line)
	}
	w.Int(b.counts.rows.Load())
	w.Int(b.counts.late.Load())
	w.Int(b.counts.errors.Load())
	var inner state.Writer
	b.in.Snapshot(&inner)
	w.Text(string(inner.Bytes()))
}

// Restore reads what Snapshot wrote.
func (b *sourceBody) Restore(r *state.Reader) error {
	for i := range b.places {
		b.places[i] = connector.Position{File: int(r.Int()), Offset: r.Int(), Line: r.Int()}
	}
	b.counts.rows.Store(r.Int())
	b.counts.late.Store(r.Int())
	b.counts.errors.Store(r.Int())
	inner := r.Text()
	if err := r.End(); err != nil {
		return err
	}
	return b.in.Restore(state.NewReader([]byte(inner)))
}

// read feeds one partition's blocks into the stage until it ends or ctx is done.
func (s *stage) read(ctx context.Context, partition int, at connector.Position) error {
	body := s.body.(*sourceBody)
	reader, err := body.src.Reader(ctx, partition, at)
	if err != nil {
		return err
	}
	defer reader.Close()
	block := &connector.Block{}
	for {
		if !body.admitted(ctx, partition) {
			return nil
		}
		err := reader.Next(ctx, block)
		switch {
		case errors.Is(err, io.EOF):
			s.enter(ctx, func(sl *slot) {
				sl.decoded.partition, sl.decoded.end, sl.decoded.eof = partition, true, block.End
			})
			return nil
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", s.name, err)
		}
		block.Partition = partition
		if !s.enter(ctx, func(sl *slot) {
			sl.block, *block = *block, sl.block
			sl.decoded.partition, sl.decoded.end = partition, false
		}) {
			return nil
		}
	}
}

// enter waits for a slot, fills and submits it; false when ctx is done first.
func (s *stage) enter(ctx context.Context, fill func(*slot)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.full() && ctx.Err() == nil {
		s.space.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	fill(&s.ring[s.tail%uint64(len(s.ring))])
	s.submit()
	return true
}

// admitted waits while the partition is ahead of the others and ingress already holds
// much, so that one fast partition does not fill the buffer; false when ctx is done.
func (b *sourceBody) admitted(ctx context.Context, partition int) bool {
	if len(b.ahead) == 1 {
		return ctx.Err() == nil
	}
	return b.run.admission.Wait(ctx, func() bool {
		return b.buffered.Load() < ingressSoftBytes || b.ahead[partition].Load() <= b.floor.Load()
	})
}

// rowText is a row's visible columns as JSON, for display.
func (b *sourceBody) rowText(batch *stream.Batch, row int) string {
	return operator.RecordJSON(batch.Schema, batch.Schema.Visible(), batch.Cols, row)
}
