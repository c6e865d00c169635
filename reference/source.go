package reference

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Reasons of error rows that only a source makes.
const (
	reasonNullTime = "event time is NULL"
	reasonJump     = "event time too far ahead of the watermark"
)

// partition is what a source has read of one of its partitions.
type partition struct {
	seen    bool  // a row has advanced the watermark
	maxTime int64 // greatest event time so far, if seen

	out, arrival []Row
	late, errors []placed
}

// placed is a row of the Late or Errors port and the number of rows that arrived in its
// partition before it.
type placed struct {
	position int
	row      Row
}

// source reads a source whole and stores the relations of its ports.
//
// The main output is in event-time order, equal times by partition and position;
// without event time, and on the Arrival port, partitions alternate: the first row of
// each, then the second of each. Late and error rows come by position, then partition.
func (r *run) source(op *model.Operator) error {
	counts := r.stats.Operators[op.Name]
	partitions := map[int]*partition{}
	for rec, err := range r.in(r.ctx, op) {
		if err != nil {
			return err
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		p := partitions[rec.Partition]
		if p == nil {
			p = &partition{}
			partitions[rec.Partition] = p
		}
		counts.In++
		reason := p.take(op, rec, counts)
		if reason == "" {
			continue
		}
		if op.Source.OnError == model.ErrorsFail {
			return fmt.Errorf("%s: %s: %s (on_error = 'fail')", op.Name, place(rec.File, rec.Line), reason)
		}
		p.errors = append(p.errors, placed{len(p.arrival), sourceError(op, rec, reason)})
	}
	r.keepSource(op, partitions)
	return nil
}

// take puts one record where it belongs or says why it failed.
func (p *partition) take(op *model.Operator, rec Record, counts *Counts) (reason string) {
	if rec.Err != "" {
		return rec.Err
	}
	row, reason := compute(op, rec.Row)
	if reason != "" {
		return reason
	}
	if op.Relation.Time < 0 {
		p.out, p.arrival = append(p.out, row), append(p.arrival, row)
		return ""
	}
	time := row[op.Relation.Time]
	if time.Null {
		return reasonNullTime
	}
	watermark := p.watermark(op.Source.WatermarkDelayMicros)
	if jump := op.Source.MaxJumpMicros; jump > 0 && watermark > stream.MinTime && time.I > watermark && uint64(time.I)-uint64(watermark) > uint64(jump) {
		return reasonJump
	}
	p.arrival = append(p.arrival, row)
	if time.I < watermark {
		counts.Late++
		if op.Source.Late == model.LateToPort {
			p.late = append(p.late, placed{len(p.arrival) - 1, row})
		}
		return ""
	}
	p.out = append(p.out, row)
	if !p.seen || time.I > p.maxTime {
		p.seen, p.maxTime = true, time.I
	}
	return ""
}

// watermark is the watermark before the next row.
func (p *partition) watermark(delayMicros int64) int64 {
	if !p.seen || p.maxTime < stream.MinTime+delayMicros {
		return stream.MinTime
	}
	return p.maxTime - delayMicros
}

// compute fills in the computed columns, which read physical ones only.
func compute(op *model.Operator, physical Row) (Row, string) {
	row := append(Row(nil), physical...)
	for i, e := range op.Source.Computed {
		if e == nil {
			continue
		}
		v, reason := Eval(e, physical)
		if reason != "" {
			return nil, reason
		}
		row[i] = v
	}
	return row, ""
}

func sourceError(op *model.Operator, rec Record, reason string) Row {
	file := stream.Text(rec.File)
	if rec.File == "" {
		file = stream.NullOf(stream.Varchar)
	}
	return Row{stream.Text(op.Name), stream.Text(reason), stream.Text(rec.Raw), file, stream.Big(rec.Line)}
}

func (r *run) keepSource(op *model.Operator, partitions map[int]*partition) {
	var out, arrival [][]Row
	var late, errors []placed
	for _, i := range slices.Sorted(maps.Keys(partitions)) {
		p := partitions[i]
		out, arrival = append(out, p.out), append(arrival, p.arrival)
		late, errors = append(late, p.late...), append(errors, p.errors...)
	}
	rows := alternate(out)
	if time := op.Relation.Time; time >= 0 {
		rows = slices.Concat(out...)
		slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a[time].I, b[time].I) })
	}
	r.stats.Operators[op.Name].Out = int64(len(rows))
	keep := func(port model.Port, rel *relation) { r.relations[model.Edge{Op: op.ID, Port: port}] = rel }
	keep(model.Out, plain(op.Relation.Time, rows))
	keep(model.Arrival, plain(-1, alternate(arrival)))
	keep(model.Late, plain(-1, byPosition(late)))
	keep(model.Errors, plain(-1, byPosition(errors)))
}

// alternate takes the first row of every list, then the second of every list, and so
// on; lists that have ended are passed over.
func alternate(lists [][]Row) []Row {
	var out []Row
	for i, more := 0, true; more; i++ {
		more = false
		for _, list := range lists {
			if i < len(list) {
				out, more = append(out, list[i]), true
			}
		}
	}
	return out
}

// byPosition orders rows, which come partition by partition, by position first.
func byPosition(rows []placed) []Row {
	slices.SortStableFunc(rows, func(a, b placed) int { return cmp.Compare(a.position, b.position) })
	out := make([]Row, len(rows))
	for i, p := range rows {
		out[i] = p.row
	}
	return out
}
