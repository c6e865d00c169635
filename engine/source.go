package engine

import (
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
	late     *sidePort // nil: nobody reads it
	arrival  *sidePort
	failed   *sidePort
	errors   *errorPort
	seen     []int64        // positions passed, by partition
	tally    *Tally         // late rows
	again    *sourceScratch // decodes a block once more, for the text of a record
	counts   sourceCounts
	finished bool
	buffered atomic.Int64   // bytes in ingress
	heard    []atomic.Int64 // when each partition last had a block, in nanoseconds
	ahead    []atomic.Int64 // each partition's watermark, for readers
	floor    atomic.Int64   // the stream's
}

type sourceCounts struct{ rows, late, lateByClock, errors, bytes, passed atomic.Int64 }

func (b *sourceBody) absorb(sl *slot) error {
	d := &sl.decoded
	p := d.partition
	if d.idle {
		b.in.parts[p].idle = true
		return nil
	}
	if d.end {
		b.in.parts[p].ended = true
		b.places[p] = d.eof
		b.reached(p, true)
		return nil
	}
	batch := d.batch
	d.batch = nil
	b.counts.rows.Add(int64(batch.Len))
	b.counts.bytes.Add(int64(len(sl.block.Data)))
	b.places[p] = sl.block.End
	b.counts.passed.Add(sl.block.Passed.Rows)
	b.in.pass(p, sl.block.Passed)
	s := split{inOrder: true}
	if b.in.timed {
		s = b.in.judge(p, batch, d.ordered)
	}
	if err := b.setAside(sl, batch, s); err != nil {
		batch.Release()
		return err
	}
	b.seen[p] += int64(batch.Len - len(s.ahead))
	b.reached(p, false)
	err := b.in.accept(p, batch, s)
	b.ahead[p].Store(subtract(b.in.parts[p].maxTime, b.in.delay))
	b.floor.Store(b.in.watermark())
	b.buffered.Store(b.in.bytes)
	b.run.admission.Broadcast()
	return err
}

func (b *sourceBody) sidePorts() [3]*sidePort { return [3]*sidePort{b.late, b.arrival, b.failed} }

func (b *sourceBody) reached(p int, ended bool) {
	for _, port := range b.sidePorts() {
		port.reached(p, b.seen[p], ended)
	}
}

// setAside sends failing, late and arriving rows to their ports, each in row order.
func (b *sourceBody) setAside(sl *slot, batch *stream.Batch, s split) error {
	if err := b.sendErrors(sl, s.ahead); err != nil {
		return err
	}
	p := sl.decoded.partition
	if len(s.late) > 0 {
		b.counts.late.Add(int64(len(s.late)))
		b.counts.lateByClock.Add(int64(s.byClock))
		for _, row := range s.late {
			b.tally.add(ErrorRecord{Operator: b.op.Name, Reason: "late", Record: b.rowText(batch, int(row))})
		}
		if b.late != nil && b.op.Source.Late == model.LateToPort {
			if err := b.late.send(p, b.selected(batch, s.late), b.positions(p, s.late, s.ahead)); err != nil {
				return err
			}
		}
	}
	if b.arrival == nil {
		return nil
	}
	rows := others(batch.Len, s.ahead)
	return b.arrival.send(p, b.selected(batch, rows), b.positions(p, rows, s.ahead))
}

// others are the rows of n that are not among some, ascending.
func others(n int, some []int32) []int32 {
	out := make([]int32, 0, n-len(some))
	for i := int32(0); int(i) < n; i++ {
		if len(some) > 0 && some[0] == i {
			some = some[1:]
			continue
		}
		out = append(out, i)
	}
	return out
}

func (b *sourceBody) selected(batch *stream.Batch, rows []int32) *stream.Batch {
	out := b.run.pool.Get(batch.Schema, b.need)
	out.AppendSelected(batch, rows)
	return out
}

// positions are those of rows in their partition; rows too far ahead have none.
func (b *sourceBody) positions(p int, rows, ahead []int32) []int64 {
	out, first := make([]int64, len(rows)), b.seen[p]
	for i, row := range rows {
		for len(ahead) > 0 && ahead[0] < row {
			ahead = ahead[1:]
			first--
		}
		out[i] = first + int64(row)
	}
	return out
}

// sendErrors sends the block's failing records and its rows too far ahead, in order.
func (b *sourceBody) sendErrors(sl *slot, ahead []int32) error {
	errs := sl.decoded.errors
	for passed := range ahead {
		row := int(ahead[passed])
		for len(errs) > 0 && errs[0].before <= row {
			if err := b.sendError(sl, errs[0].ErrorRecord, errs[0].before-passed); err != nil {
				return err
			}
			errs = errs[1:]
		}
		e, err := b.recordOf(sl, row)
		if err != nil {
			return err
		}
		b.counts.rows.Add(-1) // it is no good record
		if err := b.sendError(sl, e, row-passed); err != nil {
			return err
		}
	}
	for _, e := range errs {
		if err := b.sendError(sl, e.ErrorRecord, e.before-len(ahead)); err != nil {
			return err
		}
	}
	return nil
}

func (b *sourceBody) sendError(sl *slot, e ErrorRecord, row int) error {
	b.counts.errors.Add(1)
	if err := b.errors.send(e); err != nil || b.failed == nil {
		return err
	}
	p := sl.decoded.partition
	out := b.run.pool.Get(model.ErrorSchema, nil)
	out.AppendRow(e.row())
	return b.failed.send(p, out, []int64{b.seen[p] + int64(row)})
}

const errTooFarAhead = "event time too far ahead of the watermark"

// recordOf is the error row of a record whose time is too far ahead. Its text is found
// by decoding the block once more.
func (b *sourceBody) recordOf(sl *slot, row int) (ErrorRecord, error) {
	if b.again == nil {
		b.again = b.newScratch().(*sourceScratch)
	}
	if sl.decoded.kept != nil {
		row = int(sl.decoded.kept[row])
	}
	whole := stream.NewBatch(b.op.Relation.Schema, b.need)
	if _, err := b.again.decoder.Decode(&sl.block, whole, nil); err != nil {
		return ErrorRecord{}, err
	}
	text, line := b.again.decoder.Record(row)
	return b.place(&sl.block, connector.RecordError{Line: line, Record: text, Reason: errTooFarAhead}, 0).ErrorRecord, nil
}

func (b *sourceBody) produce(*slot) (bool, error) {
	if b.late.next() || b.arrival.next() || b.failed.next() {
		return true, nil
	}
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

func (b *sourceBody) ended() bool { return b.finished }

func (b *sourceBody) wants(int) bool { return true }

func (b *sourceBody) close() {
	b.in.close()
	for _, port := range b.sidePorts() {
		port.close()
	}
}

func (b *sourceBody) discard(sl *slot, _ bool) {
	if sl.decoded.batch != nil {
		sl.decoded.batch.Release()
		sl.decoded.batch = nil
	}
}

// Snapshot writes where to read on and what ingress holds.
func (b *sourceBody) Snapshot(w *state.Writer) {
	var memory state.Writer
	if src, ok := b.src.(connector.Remembering); ok {
		src.Remember(&memory, b.places)
	}
	w.Text(string(memory.Bytes()))
	for i, p := range b.places {
		w.Int(int64(p.File))
		w.Int(p.Offset)
		w.Int(p.Line)
		w.Int(b.seen[i])
	}
	for _, port := range b.sidePorts() {
		port.snapshot(w)
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
	memory := r.Text()
	for i := range b.places {
		b.places[i] = connector.Position{File: int(r.Int()), Offset: r.Int(), Line: r.Int()}
		b.seen[i] = r.Int()
	}
	for _, port := range b.sidePorts() {
		if err := port.restore(r); err != nil {
			return err
		}
	}
	b.counts.rows.Store(r.Int())
	b.counts.late.Store(r.Int())
	b.counts.errors.Store(r.Int())
	inner := r.Text()
	if err := r.End(); err != nil {
		return err
	}
	if src, ok := b.src.(connector.Remembering); ok {
		if err := src.Recall(state.NewReader([]byte(memory)), b.places); err != nil {
			return err
		}
	}
	return b.in.Restore(state.NewReader([]byte(inner)))
}

// rowText is a row's visible columns as JSON, for display.
func (b *sourceBody) rowText(batch *stream.Batch, row int) string {
	return operator.RecordJSON(batch.Schema, batch.Schema.Visible(), batch.Cols, row)
}
