package main

import (
	"context"
	"time"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/bench"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// runMillrace runs a workload's query over a number of rows with one worker. The time
// begins when the rows are in memory and the job has started, and ends with the job.
func runMillrace(ctx context.Context, w *bench.Workload, folder string, rows int64, sums bool) (outcome, error) {
	sink := &sumSink{}
	o := millrace.Options{Workers: 1}
	if sums {
		o.Results = func(q millrace.Query) millrace.ResultSink {
			sink.visible = q.Visible
			return sink
		}
	}
	plan, err := millrace.Prepare([]millrace.Script{{Name: w.Name + ".sql", Text: w.Script(folder, "share", 1, rows, 0)}}, o)
	if err != nil {
		return outcome{}, err
	}
	job, err := plan.Start(ctx)
	if err != nil {
		return outcome{}, err
	}
	from := time.Now()
	stats, err := job.Wait()
	sink.out.seconds = time.Since(from).Seconds()
	if err == nil && !sums {
		sink.out.results = uint64(stats.RowsOut)
	}
	return sink.out, err
}

// sumSink sums up rows as c/loop.h does. It is a connector.BatchSink.
type sumSink struct {
	visible []int
	out     outcome
}

// WriteBatch implements connector.BatchSink.
func (s *sumSink) WriteBatch(b *stream.Batch, from, to int) error {
	for i := from; i < to; i++ {
		h := uint64(0)
		for _, c := range s.visible {
			v := b.Cols[c].Value(i)
			if v.Type == stream.Double || v.Type == stream.Real {
				v.I = int64(v.F) // whole numbers in these workloads
			}
			h = with(h, v.I)
		}
		s.out.add(h)
	}
	return nil
}

// Flush implements connector.BatchSink.
func (s *sumSink) Flush() error { return nil }

// Close implements connector.Sink.
func (s *sumSink) Close() error { return nil }

// Abort implements connector.Sink.
func (s *sumSink) Abort() {}

// Snapshot implements state.Element; there is nothing to go on from.
func (s *sumSink) Snapshot(*state.Writer) {}

// Restore implements state.Element.
func (s *sumSink) Restore(r *state.Reader) error { return r.End() }

var _ connector.BatchSink = (*sumSink)(nil)
