package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// oracle runs a plan's model as the script means it - not optimized, not bound - with
// the reference interpreter. Only the connectors are shared with the engine.
type oracle struct {
	job     *Job
	cancel  context.CancelFunc
	stopped atomic.Bool
	rowsIn  atomic.Int64
	rowsOut atomic.Int64
	done    chan struct{}
	err     error
	stats   *reference.Stats
	sources map[model.OpID]connector.Source
	sinks   map[string]*oracleSink
	samples map[string][]engine.ErrorRecord
	late    map[string][]engine.ErrorRecord
	errRows map[string]int64
}

func (j *Job) startReference(ctx context.Context) error {
	for _, op := range j.plan.model.Ops {
		if op.Kind == model.SourceOp && !op.Relation.Bounded {
			return &RequestError{fmt.Errorf("the reference engine reads its input whole: stream %s never ends (use --engine=millrace)", op.Name)}
		}
	}
	o := &oracle{job: j, done: make(chan struct{}), sinks: map[string]*oracleSink{}, samples: map[string][]engine.ErrorRecord{}, late: map[string][]engine.ErrorRecord{}, errRows: map[string]int64{}}
	sources, err := j.openSources(j.plan.model, func(op *model.Operator) connector.Reading {
		return connector.Reading{Need: o.need(op)}
	})
	if err != nil {
		return &RequestError{err}
	}
	sinks, err := j.openSinks(j.plan.model)
	if err != nil {
		closeSources(sources)
		return &RequestError{err}
	}
	for _, op := range j.plan.model.Ops {
		if op.Kind == model.SinkOp {
			o.sinks[op.Name] = newOracleSink(op, sinks[op.ID])
		}
	}
	o.sources = sources
	ctx, o.cancel = context.WithCancel(ctx)
	j.oracle = o
	go o.interpret(ctx)
	return nil
}

func (o *oracle) interpret(ctx context.Context) {
	defer close(o.done)
	defer o.cancel()
	defer closeSources(o.sources)
	o.stats, o.err = reference.Run(ctx, o.job.plan.model, o.records, o)
	for _, s := range o.sinks {
		if o.err == nil {
			o.err = s.flush()
		}
		if o.err != nil {
			s.sink.Abort()
		} else {
			o.err = s.named(s.sink.Close())
		}
	}
	if o.stopped.Load() && errors.Is(o.err, context.Canceled) {
		o.err = nil
	}
}

func (o *oracle) stop() {
	o.stopped.Store(true)
	o.cancel()
}

func (o *oracle) wait() error {
	<-o.done
	return o.err
}

// records reads a source through its connector, partitions one after another. It fills
// the columns that the bound plan reads: what is not read is not decoded, and so cannot
// be malformed.
func (o *oracle) records(ctx context.Context, op *model.Operator) iter.Seq2[reference.Record, error] {
	return func(yield func(reference.Record, error) bool) {
		src := o.sources[op.ID]
		for p := 0; p < src.Partitions(); p++ {
			if !o.partition(ctx, op, src, p, yield) {
				return
			}
		}
	}
}

func (o *oracle) need(op *model.Operator) []bool {
	for _, b := range o.job.plan.bound.Model.Ops {
		if b.Kind == model.SourceOp && b.Name == op.Name {
			return engine.SourceNeed(o.job.plan.bound, b)
		}
	}
	return make([]bool, op.Relation.Schema.Len())
}

func (o *oracle) partition(ctx context.Context, op *model.Operator, src connector.Source, p int, yield func(reference.Record, error) bool) bool {
	reader, err := src.Reader(ctx, p, connector.Position{})
	if err != nil {
		return yield(reference.Record{}, err)
	}
	defer reader.Close()
	decoder, block := src.NewDecoder(), &connector.Block{}
	for {
		err := reader.Next(ctx, block)
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return yield(reference.Record{}, fmt.Errorf("%s: %w", op.Name, err))
		}
		batch := stream.NewBatch(op.Relation.Schema, o.need(op))
		errs, err := decoder.Decode(block, batch, append([]connector.RecordError(nil), block.Errors...))
		if err != nil {
			return yield(reference.Record{}, err)
		}
		if !o.rows(p, block, batch, decoder, errs, yield) {
			return false
		}
	}
}

func (o *oracle) rows(p int, block *connector.Block, batch *stream.Batch, d connector.Decoder, errs []connector.RecordError, yield func(reference.Record, error) bool) bool {
	bad := func(e connector.RecordError) bool {
		return yield(reference.Record{Partition: p, Err: e.Reason, Raw: e.Record, File: block.File, Line: block.Start.Line + e.Line}, nil)
	}
	for i := 0; i <= batch.Len; i++ {
		for len(errs) > 0 && errs[0].Before <= i {
			if !bad(errs[0]) {
				return false
			}
			errs = errs[1:]
		}
		if i == batch.Len {
			break
		}
		text, line := d.Record(i)
		o.rowsIn.Add(1)
		if !yield(reference.Record{Partition: p, Row: physicalRow(batch, i), Raw: text, File: block.File, Line: block.Start.Line + line}, nil) {
			return false
		}
	}
	return true
}

// physicalRow is a decoded row; computed columns are still empty and stay NULL.
func physicalRow(b *stream.Batch, i int) reference.Row {
	row := make(reference.Row, len(b.Cols))
	for c := range b.Cols {
		if col := &b.Cols[c]; col.Absent() || b.Schema.Fields[c].Type == stream.Invalid || !filled(col, b.Len) {
			row[c] = stream.NullOf(b.Schema.Fields[c].Type)
		} else {
			row[c] = col.Value(i)
		}
	}
	return row
}

// filled reports whether a decoder has put values into a column.
func filled(c *stream.Column, n int) bool {
	switch c.Type.Storage() {
	case stream.Boolean:
		return len(c.Bits) >= stream.WordsFor(n)
	case stream.Integer:
		return len(c.I32) >= n
	case stream.Real:
		return len(c.F32) >= n
	case stream.Double:
		return len(c.F64) >= n
	case stream.Varchar:
		return len(c.Off) > n
	default:
		return len(c.I64) >= n
	}
}

// Row receives what the reference puts out.
func (o *oracle) Row(op *model.Operator, port model.Port, row reference.Row) error {
	switch port {
	case model.Out:
		o.rowsOut.Add(1)
		return o.sinks[op.Name].row(row)
	case model.Errors:
		e := errorRecord(row)
		o.errRows[op.Name]++
		if len(o.samples[op.Name]) < 100 {
			o.samples[op.Name] = append(o.samples[op.Name], e)
		}
		if hook := o.job.errors.hook(); hook != nil {
			hook(op, e)
		}
	case model.Late:
		if len(o.late[op.Name]) < 100 {
			o.late[op.Name] = append(o.late[op.Name], engine.ErrorRecord{Operator: op.Name, Reason: "late", Record: rowText(op.Relation.Schema, o.need(op), row)})
		}
	}
	return nil
}

func rowText(s *stream.Schema, need []bool, row reference.Row) string {
	out := []byte{'{'}
	for _, c := range s.Visible() {
		if !need[c] {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = stream.AppendJSONString(out, s.Fields[c].Name)
		out = append(out, ':')
		out = stream.AppendJSON(out, row[c])
	}
	return string(append(out, '}'))
}

func errorRecord(row reference.Row) engine.ErrorRecord {
	return engine.ErrorRecord{Operator: row[0].S, Reason: row[1].S, Record: row[2].S, File: row[3].S, Line: row[4].I}
}

// counts translates the reference's statistics.
func (o *oracle) counts() engine.Stats {
	out := engine.Stats{Streams: []engine.StreamStats{}, Errors: []engine.ErrorStats{}}
	if o.stats == nil {
		return out
	}
	for _, op := range o.job.plan.model.Ops {
		c := o.stats.Operators[op.Name]
		switch {
		case op.Kind == model.SourceOp:
			out.Streams = append(out.Streams, engine.StreamStats{
				Name: op.Name, RowsIn: c.In - c.Errors, RowsOut: c.Out, RowsLate: c.Late, RowsError: c.Errors,
				LateSample: o.late[op.Name], ErrSample: o.samples[op.Name],
			})
		case op.Kind == model.SinkOp:
			out.RowsOut += c.Out
			out.Pipelines = append(out.Pipelines, engine.PipelineStats{Name: op.Name, Form: "sink", Processor: "reference", RowsIn: c.In, RowsOut: c.Out})
		case c.Errors > 0:
			out.Errors = append(out.Errors, engine.ErrorStats{Operator: op.Name, Rows: c.Errors, Sample: o.samples[op.Name]})
		}
	}
	return out
}

// oracleSink turns rows back into batches for the same sinks the engine uses.
type oracleSink struct {
	op      *model.Operator
	sink    connector.Sink
	encoder connector.Encoder
	schema  *stream.Schema
	visible []int
	batch   *stream.Batch
	buf     []byte
}

const oracleBatchRows = 1024

func newOracleSink(op *model.Operator, sink connector.Sink) *oracleSink {
	s := &oracleSink{op: op, sink: sink, schema: op.Relation.Schema, visible: op.Relation.Schema.Visible()}
	if b, ok := sink.(connector.ByteSink); ok {
		s.encoder = b.NewEncoder()
	}
	s.batch = stream.NewBatch(s.schema, nil)
	return s
}

func (s *oracleSink) row(row reference.Row) error {
	full := make([]stream.Value, s.schema.Len())
	for i, f := range s.schema.Fields {
		full[i] = stream.NullOf(f.Type)
	}
	for i, c := range s.visible {
		full[c] = row[i]
	}
	s.batch.AppendRow(full)
	if s.batch.Len < oracleBatchRows {
		return nil
	}
	return s.flush()
}

func (s *oracleSink) flush() error {
	b := s.batch
	if b.Len == 0 {
		return nil
	}
	s.batch = stream.NewBatch(s.schema, nil)
	switch sink := s.sink.(type) {
	case connector.ByteSink:
		s.buf = s.encoder.Encode(s.buf[:0], b, 0, b.Len)
		if err := sink.Write(s.buf); err != nil {
			return s.named(err)
		}
		return s.named(sink.Flush())
	case connector.BatchSink:
		return s.named(sink.WriteBatch(b, 0, b.Len))
	}
	return nil
}

// named says whose sink failed, as the engine does.
func (s *oracleSink) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.op.Name, err)
}
