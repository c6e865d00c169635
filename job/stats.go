package job

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/model"
)

// Stats is what a job did, for --stats and for people.
type Stats struct {
	engine.Stats
	RowsIn      int64            `json:"rows_in"`
	Workers     int              `json:"workers"`
	Processors  []ProcessorStats `json:"processors"`
	Fallbacks   []string         `json:"fallbacks"`
	WallSeconds float64          `json:"wall_seconds"`
	CPUSeconds  float64          `json:"cpu_seconds"`
	PeakBytes   int64            `json:"peak_bytes"` // of the process, so far
	Warnings    []string         `json:"warnings,omitempty"`
}

// ProcessorStats is what one processor did for all pipelines together.
type ProcessorStats struct {
	Name        string  `json:"name"`
	Tasks       int64   `json:"tasks"`
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`
	BusySeconds float64 `json:"busy_seconds"`
	// SharedRows are those of pipelines that several processors can run.
	SharedRows int64 `json:"shared_rows,omitempty"`
	// BytesMoved is what went to a device and back, Stages the time that took and the rest.
	BytesMoved int64                `json:"bytes_moved,omitempty"`
	Stages     *engine.StageSeconds `json:"stages,omitempty"`
}

// Progress is how far a job is.
type Progress struct {
	RowsIn, RowsOut     int64
	BytesIn, BytesTotal int64 // BytesTotal 0: unknown
	Elapsed             time.Duration
	Processors          []ProcessorStats // the CPU first; what each has done so far
}

// Latencies is how long tasks took from the arrival of their rows to the sinks so far;
// of the reference, which has no tasks, none. It may be called at any time.
func (j *Job) Latencies() engine.Latencies {
	if j.run == nil {
		return engine.Latencies{}
	}
	return j.run.Latencies()
}

// Progress may be called at any time.
func (j *Job) Progress() Progress {
	p := Progress{Elapsed: time.Since(j.started)}
	if j.run == nil {
		p.RowsIn, p.RowsOut = j.oracle.rowsIn.Load(), j.oracle.rowsOut.Load()
		return p
	}
	s := j.run.Stats()
	p.RowsOut = s.RowsOut
	p.Processors, _ = byProcessor(&s)
	for _, st := range s.Streams {
		p.RowsIn += st.RowsIn
		p.BytesIn += st.BytesIn
	}
	for _, src := range j.sources {
		sized, ok := src.(interface{ BytesTotal() int64 })
		if !ok || sized.BytesTotal() == 0 {
			p.BytesTotal = 0
			break
		}
		p.BytesTotal += sized.BytesTotal()
	}
	return p
}

func (j *Job) collect() *Stats {
	s := &Stats{Workers: j.plan.options.Workers}
	if j.run != nil {
		s.Stats = j.run.Stats()
	} else {
		s.Stats, s.Workers = j.oracle.counts(), 1
	}
	s.Processors, s.Fallbacks = byProcessor(&s.Stats)
	for i := range s.Streams {
		st := &s.Streams[i]
		s.RowsIn += st.RowsIn
		if j.plan.dropsLate(st.Name) {
			st.LateDropped, st.LateSample = true, nil
		}
	}
	for _, src := range j.sources {
		s.Warnings = append(s.Warnings, src.Warnings()...)
	}
	for _, sink := range j.sinks {
		if warning, ok := sink.(connector.Warning); ok {
			s.Warnings = append(s.Warnings, warning.Warnings()...)
		}
	}
	s.WallSeconds = time.Since(j.started).Seconds()
	s.CPUSeconds = (cpuTime() - j.cpu).Seconds()
	s.PeakBytes = peakBytes()
	return s
}

// byProcessor sums over pipelines, the CPU first, and lists what devices left to the CPU.
func byProcessor(s *engine.Stats) (list []ProcessorStats, fallbacks []string) {
	list, fallbacks = []ProcessorStats{{Name: "cpu"}}, []string{}
	for _, d := range s.Devices {
		list = append(list, ProcessorStats{Name: d.ID, BytesMoved: d.BytesIn + d.BytesOut, Stages: &d.Stages})
	}
	shared := map[string]bool{}
	for _, p := range s.Pipelines {
		shared[p.Name] = shared[p.Name] || p.Processor != "cpu"
	}
	for _, p := range s.Pipelines {
		at := slices.IndexFunc(list, func(q ProcessorStats) bool { return q.Name == p.Processor })
		to := &list[max(0, at)]
		to.Tasks += p.Tasks
		to.Rows += p.RowsIn
		to.Bytes += p.BytesIn
		to.BusySeconds += p.BusySeconds
		if shared[p.Name] {
			to.SharedRows += p.RowsIn
		}
		if p.Refused != "" {
			fallbacks = append(fallbacks, fmt.Sprintf("%s is not run by %s: %s", p.Name, devicesOf(p.Processor), p.Refused))
		}
		for _, reason := range slices.Sorted(maps.Keys(p.Fallbacks)) {
			fallbacks = append(fallbacks, fmt.Sprintf("%s: %s went from %s to the cpu: %s", p.Name, plural(int(p.Fallbacks[reason]), "task", "tasks"), p.Processor, reason))
		}
	}
	return list, fallbacks
}

func devicesOf(processor string) string {
	if processor == "cpu" {
		return "devices"
	}
	return processor
}

func (p *Plan) dropsLate(name string) bool {
	for _, op := range p.model.Ops {
		if op.Kind == model.SourceOp && op.Name == name {
			return op.Source.Late == model.LateDrop
		}
	}
	return false
}

// cpuTime is the processor time the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakBytes is the largest resident size the process has had.
func peakBytes() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss << 10
}
