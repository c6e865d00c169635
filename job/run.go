package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/optimize"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// memoryBytesMin is the smallest memory budget accepted: below it the fixed parts of a
// job (task slots, block buffers) do not fit.
const memoryBytesMin = 64 << 20

// Job is a running plan. Its methods may be called from any goroutine.
type Job struct {
	plan     *Plan
	started  time.Time
	cpu      time.Duration
	run      *engine.Run // nil under the reference
	oracle   *oracle     // nil under the engine
	sources  []connector.Source
	sinks    []connector.Sink
	errors   *errorWriter
	once     sync.Once
	stats    *Stats
	snapshot *state.Snapshot
	err      error
}

// Start opens sources and sinks and lets the plan run. ctx cancels the job. An input
// that cannot be opened is a *RequestError.
func (p *Plan) Start(ctx context.Context) (*Job, error) {
	j := &Job{plan: p, started: time.Now(), cpu: cpuTime(), errors: &errorWriter{w: p.options.Errors}}
	if p.options.Engine == EngineReference {
		if err := j.startReference(ctx); err != nil {
			return nil, err
		}
		return j, nil
	}
	sources, err := j.openSources(p.bound.Model, p.reading)
	if err != nil {
		return nil, &RequestError{err}
	}
	sinks, err := j.openSinks(p.bound.Model)
	if err != nil {
		closeSources(sources)
		return nil, &RequestError{err}
	}
	devices, only, err := p.devices()
	if err != nil {
		closeSources(sources)
		for _, s := range sinks {
			s.Abort()
		}
		return nil, &RequestError{err}
	}
	j.run, err = engine.Start(ctx, p.bound, engine.Config{
		Workers: p.options.Workers, TaskBytes: p.taskBytes(), BufferBytesMax: p.options.MemoryBytes / 2,
		Sources: sources, Sinks: sinks, Restore: p.options.Restore,
		LatencyTarget: max(0, p.options.LatencyTarget), Pin: p.options.Pin,
		StopAfterTasks: p.options.StopAfterTasks, Force: p.force(), ErrorRow: j.errors.hook(),
		Devices: devices, DevicesOnly: only, AwaitDevices: p.options.AwaitDevices, Scheduler: p.options.Scheduler, Log: p.options.Log,
	})
	var refused *engine.RefusedError
	if errors.As(err, &refused) {
		return nil, &RequestError{err}
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// force is what operators do not choose themselves: what a test asks for, and everything
// if the selection of algorithms is switched off.
func (p *Plan) force() operator.Choices {
	if !p.options.Optimize.On(optimize.Selection.Name) {
		return p.options.Force.Over(operator.Plain())
	}
	return p.options.Force
}

// taskBytes is the size of a task: as asked, or the default.
func (p *Plan) taskBytes() int64 {
	if p.options.TaskBytes > 0 {
		return p.options.TaskBytes
	}
	return engine.TaskBytesDefault
}

func (j *Job) openSources(m *model.Model, reading func(*model.Operator) connector.Reading) (map[model.OpID]connector.Source, error) {
	out := map[model.OpID]connector.Source{}
	for _, op := range m.Ops {
		if op.Kind != model.SourceOp {
			continue
		}
		s, err := j.openSource(op, reading(op))
		if err != nil {
			closeSources(out)
			return nil, err
		}
		out[op.ID] = s
		j.sources = append(j.sources, s)
	}
	return out, nil
}

func (j *Job) openSource(op *model.Operator, reading connector.Reading) (connector.Source, error) {
	s, err := connector.OpenSource(op.Name, op.Source, op.Relation.Schema, reading, j.env())
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", op.Name, err)
	}
	return s, nil
}

func (j *Job) env() connector.Env {
	return connector.Env{Stdin: j.plan.options.Stdin, Stdout: j.plan.options.Stdout, BlockBytes: j.plan.options.BlockBytes, Log: j.plan.options.Log, Notify: j.plan.options.Notify}
}

func closeSources(sources map[model.OpID]connector.Source) {
	for _, s := range sources {
		_ = s.Close()
	}
}

func (j *Job) openSinks(m *model.Model) (map[model.OpID]connector.Sink, error) {
	out := map[model.OpID]connector.Sink{}
	for _, op := range m.Ops {
		if op.Kind != model.SinkOp {
			continue
		}
		s, err := j.openSink(op)
		if err != nil {
			for _, o := range out {
				o.Abort()
			}
			return nil, err
		}
		out[op.ID] = s
		j.sinks = append(j.sinks, s)
	}
	return out, nil
}

func (j *Job) openSink(op *model.Operator) (connector.Sink, error) {
	schema := op.Relation.Schema
	if op.Sink.Connector != model.ResultConnector {
		s, err := connector.OpenSink(op.Sink, schema, schema.Visible(), j.env())
		if err != nil {
			return nil, fmt.Errorf("sink %s: %w", op.Name, err)
		}
		return s, nil
	}
	if j.plan.options.Results == nil {
		return discard{}, nil
	}
	return j.plan.options.Results(Query{
		Index: op.Sink.Result, Count: j.plan.results, Name: op.Name, Schema: schema, Visible: schema.Visible(),
	}), nil
}

// discard is the sink of results nobody asked for.
type discard struct{}

func (discard) WriteBatch(*stream.Batch, int, int) error { return nil }

// Discard implements connector.Discarder.
func (discard) Discard(int) error             { return nil }
func (discard) Flush() error                  { return nil }
func (discard) Close() error                  { return nil }
func (discard) Abort()                        {}
func (discard) Snapshot(*state.Writer)        {}
func (discard) Restore(r *state.Reader) error { return r.End() }

// Stop asks the job to stop reading, finish what is complete and end; open windows are
// not closed. Wait then returns as if the input had been cut there.
func (j *Job) Stop() {
	if j.run != nil {
		j.run.Stop()
		return
	}
	j.oracle.stop()
}

// Wait blocks until the job has ended and returns its statistics, also when it failed.
func (j *Job) Wait() (*Stats, error) {
	j.once.Do(func() {
		if j.run != nil {
			j.snapshot, j.err = j.run.Wait()
		} else {
			j.err = j.oracle.wait()
		}
		if err := j.errors.err(); err != nil && j.err == nil {
			j.err = err
		}
		j.stats = j.collect()
	})
	return j.stats, j.err
}

// Snapshot is the state to restore from if the job was stopped before its input ended,
// else nil. Valid after Wait.
func (j *Job) Snapshot() *state.Snapshot { return j.snapshot }

// Outstanding is the number of pooled buffers not given back: zero after Wait.
func (j *Job) Outstanding() int64 {
	if j.run == nil {
		return 0
	}
	return j.run.Outstanding()
}

// errorWriter writes error rows as NDJSON.
type errorWriter struct {
	mu      sync.Mutex
	w       io.Writer
	buf     []byte
	failure error
}

func (w *errorWriter) hook() func(*model.Operator, engine.ErrorRecord) {
	if w.w == nil {
		return nil
	}
	return func(_ *model.Operator, e engine.ErrorRecord) { w.write(e) }
}

func (w *errorWriter) write(e engine.ErrorRecord) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = e.AppendJSON(w.buf[:0])
	w.buf = append(w.buf, '\n')
	if _, err := w.w.Write(w.buf); err != nil && w.failure == nil {
		w.failure = fmt.Errorf("cannot write error rows: %w", err)
	}
}

func (w *errorWriter) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}
