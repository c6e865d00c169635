package engine

import (
	"sync"
	"time"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/operator"
)

// samplesMax is how many error and late rows are kept for display per operator.
const samplesMax = 100

// Tally counts rows set aside and keeps the first ones.
type Tally struct {
	mu      sync.Mutex
	count   int64
	samples []ErrorRecord
}

func (t *Tally) add(e ErrorRecord) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if len(t.samples) < samplesMax {
		t.samples = append(t.samples, e)
	}
}

func (t *Tally) read() (int64, []ErrorRecord) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count, append([]ErrorRecord(nil), t.samples...)
}

// StreamStats counts a source's rows. RowsIn are good records read, RowsOut those on
// time.
type StreamStats struct {
	Name      string `json:"name"`
	RowsIn    int64  `json:"rows_in"`
	RowsOut   int64  `json:"rows_out"`
	RowsLate  int64  `json:"rows_late"`
	RowsError int64  `json:"rows_error"`
	// RowsLateByClock are those of RowsLate that were on time for their own partition but
	// came after an idle timeout had let the stream go on without it.
	RowsLateByClock int64 `json:"rows_late_by_clock"`
	// RowsPassed were not read, because the file says of them together that no reader of
	// the stream wants them. They are in none of the other counts.
	RowsPassed int64 `json:"rows_passed,omitempty"`
	// FilesPassed were not read because of the names of their folders; FilesChanged were not
	// the same any more after they had been read from a folder that is watched.
	FilesPassed  int64 `json:"files_passed,omitempty"`
	FilesChanged int64 `json:"files_changed,omitempty"`
	BytesIn      int64 `json:"bytes_in"` // read of the input
	// Counters are what the connector counts beside rows.
	Counters connector.Counters `json:"counters,omitempty"`
	// LateDropped says that late rows were only counted (late = 'drop').
	LateDropped bool          `json:"late_dropped,omitempty"`
	LateSample  []ErrorRecord `json:"-"`
	ErrSample   []ErrorRecord `json:"-"`
}

// SinkStats is what a sink's connector counts beside rows.
type SinkStats struct {
	Name     string             `json:"name"`
	Counters connector.Counters `json:"counters"`
}

// PipelineStats counts what one pipeline did on one processor.
type PipelineStats struct {
	Name        string  `json:"name"`
	Form        string  `json:"form"`
	Processor   string  `json:"processor"`
	Tasks       int64   `json:"tasks"`
	RowsIn      int64   `json:"rows_in"`
	RowsOut     int64   `json:"rows_out"`
	BytesIn     int64   `json:"bytes_in"`
	BusySeconds float64 `json:"busy_seconds"`
	// Lost are results that came second: another processor ran the task, too.
	Lost int64 `json:"lost,omitempty"`
	// TasksPerSecond is what the scheduler believes, per busy second of the whole processor;
	// 0: it does not know.
	TasksPerSecond float64 `json:"tasks_per_second,omitempty"`
	// Stages are a device's, summed over its tasks.
	Stages *StageSeconds `json:"stages,omitempty"`
	// Fallbacks counts a device's tasks that the CPU ran after all, by reason. Refused says
	// why a device runs none.
	Fallbacks map[string]int64 `json:"fallbacks,omitempty"`
	Refused   string           `json:"refused,omitempty"`
	// TableBytes is the size of the lookup's table that a device has for the pipeline. Memory
	// for it may be taken away while it is idle.
	TableBytes int64 `json:"table_bytes,omitempty"`
	// Choices are the algorithms that the pipeline's operator has chosen so far.
	Choices []operator.Choice `json:"choices,omitempty"`
	// Buffers of rows that wait, with what they held at most (docs/limits.md).
	Buffers []operator.Fill `json:"buffers,omitempty"`
}

// StageSeconds is the time that tasks spent in each stage of a device's pipeline.
type StageSeconds struct {
	CopyIn  float64 `json:"copy_in_seconds"`
	MoveIn  float64 `json:"move_in_seconds"`
	Execute float64 `json:"execute_seconds"`
	MoveOut float64 `json:"move_out_seconds"`
	CopyOut float64 `json:"copy_out_seconds"`
}

// DeviceStats is what a device has done in a run.
type DeviceStats struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Kind      string       `json:"kind"`
	State     string       `json:"state"`
	Reason    string       `json:"reason,omitempty"` // why it is not up
	Depth     int          `json:"depth"`            // tasks in flight
	Tasks     int          `json:"tasks"`
	Returned  int          `json:"returned"` // handed back undone
	Resets    int          `json:"resets"`
	Evictions int          `json:"evictions"`
	BytesIn   int64        `json:"bytes_in"` // moved to the device
	BytesOut  int64        `json:"bytes_out"`
	UsedBytes int64        `json:"used_bytes"` // of its memory, now
	MaxBytes  int64        `json:"max_bytes"`  // that may be used
	Stages    StageSeconds `json:"stages"`
}

// ErrorStats counts an operator's error rows.
type ErrorStats struct {
	Operator string        `json:"operator"`
	Rows     int64         `json:"rows"`
	Sample   []ErrorRecord `json:"-"`
}

// Stats is what a run has done so far.
type Stats struct {
	Streams   []StreamStats   `json:"streams"`
	Pipelines []PipelineStats `json:"pipelines"`
	Errors    []ErrorStats    `json:"errors"` // of operators other than sources
	RowsOut   int64           `json:"rows_out"`
	Sinks     []SinkStats     `json:"sinks,omitempty"` // of those that count more than rows
	Devices   []DeviceStats   `json:"devices,omitempty"`
	Latency   LatencyStats    `json:"latency"`
	// LatencyTarget is in milliseconds, TaskShare the size of tasks it led to, of the
	// configured size; both are left out without a target.
	LatencyTarget float64 `json:"latency_target_ms,omitempty"`
	TaskShare     float64 `json:"task_share,omitempty"`
	// Pinned is how many workers are tied to a processor.
	Pinned int64 `json:"pinned,omitempty"`
}

// Stats may be called at any time.
func (r *Run) Stats() Stats {
	out := Stats{Streams: []StreamStats{}, Errors: []ErrorStats{}}
	latency := r.Latencies()
	out.Latency, out.Pinned = latency.stats(), r.r.pinned.Load()
	if target := r.r.cfg.LatencyTarget; target > 0 {
		out.LatencyTarget = float64(target) / float64(time.Millisecond)
		out.TaskShare = float64(r.r.taskShare.Load()) / steerFull
	}
	for i, s := range r.r.stages {
		p := PipelineStats{Name: s.name, Form: r.r.plan.Pipelines[i].Form.String(), Processor: "cpu", Tasks: s.tasks.Load(), RowsIn: s.rows.Load(), BytesIn: s.bytes.Load(), BusySeconds: float64(s.busyNanos.Load()) / 1e9,
			Buffers: r.r.fills[i].Peaks(r.r.cfg.BufferBytesMax)}
		switch b := s.body.(type) {
		case *sourceBody:
			st := b.stats()
			p.RowsOut = st.RowsOut
			out.Streams = append(out.Streams, st)
		case *functionBody:
			p.RowsOut = b.rowsOut.Load()
			if c, ok := b.fn.(operator.Chooser); ok {
				p.Choices = c.Choices()
			}
		case *sinkBody:
			p.RowsOut = b.out.Load()
			out.RowsOut += p.RowsOut
			if counting, ok := r.r.cfg.Sinks[b.op.ID].(connector.Counting); ok {
				out.Sinks = append(out.Sinks, SinkStats{b.op.Name, counting.Counters()})
			}
		}
		out.Pipelines = append(out.Pipelines, s.byProcessor(p)...)
	}
	for _, a := range r.r.accelerators {
		out.Devices = append(out.Devices, a.stats())
	}
	for _, op := range r.r.plan.Model.Ops {
		port := r.r.ports[op.ID]
		if port == nil || op.Source != nil {
			continue
		}
		if n, sample := port.tally.read(); n > 0 {
			out.Errors = append(out.Errors, ErrorStats{op.Name, n, sample})
		}
	}
	return out
}

func (b *sourceBody) stats() StreamStats {
	_, errs := b.errors.tally.read()
	_, late := b.tally.read()
	s := StreamStats{
		Name: b.op.Name, RowsIn: b.counts.rows.Load(), RowsLate: b.counts.late.Load(), RowsLateByClock: b.counts.lateByClock.Load(),
		RowsError: b.counts.errors.Load(), BytesIn: b.counts.bytes.Load(), LateSample: late, ErrSample: errs,
	}
	s.RowsOut, s.RowsPassed = s.RowsIn-s.RowsLate, b.counts.passed.Load()
	if counted, ok := b.src.(connector.Counted); ok {
		s.BytesIn = counted.BytesRead()
	}
	if filed, ok := b.src.(connector.Filed); ok {
		files := filed.Files()
		s.FilesPassed, s.FilesChanged = files.Passed, files.Changed
	}
	if counting, ok := b.src.(connector.Counting); ok {
		s.Counters = counting.Counters()
	}
	return s
}
