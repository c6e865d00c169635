package engine

import (
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// decoded is what the parallel part makes of a block.
type decoded struct {
	batch     *stream.Batch
	errors    []placedError // in row order
	records   []connector.RecordError
	kept      []int32 // rows of the block that batch has; nil: all
	ordered   bool    // event times do not descend
	partition int
	end       bool // the partition ended; no block
	idle      bool // the partition has been silent for the idle timeout; no block
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
	keep    []int32
}

func (b *sourceBody) newScratch() any {
	s := &sourceScratch{decoder: b.src.NewDecoder(), compute: b.computer.NewScratch()}
	if d, ok := s.decoder.(connector.Rebaser); ok && b.in.timed {
		d.LeaveBase(b.in.timeCol)
	}
	return s
}

const errNullTime = "event time is NULL"

func (b *sourceBody) compute(sl *slot, scratch any) error {
	d := &sl.decoded
	d.errors, d.kept = d.errors[:0], nil
	if d.end || d.idle {
		sl.task.Rows = 0
		sl.block.Data = sl.block.Data[:0]
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
	if !b.computer.Empty() {
		d.batch.Settle()
	}
	failed := b.computer.Compute(s.compute, d.batch)
	if b.in.timed {
		failed = b.nullTimes(d.batch, failed)
	}
	sl.task.Rows = d.batch.Len
	b.merge(d, s, block, failed)
	if len(failed) > 0 {
		d.batch = b.without(s, d.batch, failed)
		d.kept = append([]int32(nil), s.keep...)
	}
	if known, ok := s.decoder.(connector.Ordered); ok && b.in.timed && known.Ascends(b.in.timeCol) {
		d.ordered = true
		return nil
	}
	d.ordered = b.in.timed && vector.Ascending(d.batch.Cols[b.in.timeCol].I64[:d.batch.Len])
	if b.run.cfg.Force.Times == "based" && d.ordered {
		b.rebase(d.batch)
	}
	return nil
}

// rebase gives a batch a base, as sources that replay rows do.
func (b *sourceBody) rebase(batch *stream.Batch) {
	times := batch.Cols[b.in.timeCol].I64[:batch.Len]
	if len(times) == 0 || batch.Base != 0 || times[0] <= 0 {
		return
	}
	batch.Based, batch.Base = b.in.timeCol, times[0]
	for i := range times {
		times[i] -= batch.Base
	}
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
