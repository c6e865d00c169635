package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/millrace/millrace"
)

// Config says what to measure.
type Config struct {
	Workers   int     // 0: all cores
	TaskBytes int64   // 0: the engine's default
	Ingest    string  // share, copy or both
	Large     bool    // working set at least 8 times the last-level cache
	Windows   int     // of measuring
	Seconds   float64 // of a window
	Warmup    time.Duration
	Rate      float64 // rows per second; 0: as fast as possible
	// LatencyTarget lets the job size its tasks by it, 0: no target; Pin ties its workers to
	// processors. See millrace.Options.
	LatencyTarget time.Duration
	Pin           bool
	// Processors, Scheduler and DeviceDepth are those of millrace.Options. Programs of devices
	// are compiled before anything is measured.
	Processors, Scheduler string
	DeviceDepth           int
	// MemoryBytesPerSecond is what MeasureMemory found to be read, for shares of it; 0: none.
	MemoryBytesPerSecond float64
	// CPUProfile receives a profile of what is measured, of the last workload; nil: none.
	CPUProfile io.Writer
	Progress   func(format string, args ...any) // what is going on, for people; may be nil
}

func (c Config) options() millrace.Options {
	return millrace.Options{Workers: c.Workers, TaskBytes: c.TaskBytes, LatencyTarget: c.LatencyTarget, Pin: c.Pin,
		Processors: c.Processors, Scheduler: c.Scheduler, DeviceDepth: c.DeviceDepth, AwaitDevices: true}
}

// devices tells whether others than the CPU are measured.
func (c Config) devices() bool { return c.Processors != "" && c.Processors != "cpu" }

// Spread is the middle and the ends of several measurements.
type Spread struct{ Median, Min, Max float64 }

func spread(v []float64) Spread {
	s := slices.Sorted(slices.Values(v))
	return Spread{s[len(s)/2], s[0], s[len(s)-1]}
}

// Result is one workload measured one way.
type Result struct {
	Workload, Ingest, Set string
	Workers               int
	RowsPerSecond         Spread
	RowsOutPerSecond      Spread
	CPUPerMillionRows     Spread // seconds
	RowBytes, Touched     int
	Rows                  int64 // that came in while measuring
	Seconds               float64
	PeakBytes             int64
	Checksum              uint64
	CheckedRows           int // that the reference agreed on
	Latency               *Latency
	Whole                 Whole
	MemoryBytesPerSecond  float64 // that the machine reads, see Config
	// LatencyTarget is what was asked for; TaskShare, if it is above 0, is the size of tasks
	// that it had led to in the end, of the configured size.
	LatencyTarget time.Duration
	TaskShare     float64
	// Pin says that workers were to be tied to processors, Pinned how many were.
	Pin    bool
	Pinned int64

	// Processors are those asked for, PerProcessor what each did of the whole run that was
	// measured, warming up included; the CPU first.
	Processors   string
	PerProcessor []millrace.ProcessorStats
	// Fallbacks are sentences: what devices left to the CPU of that run, and why.
	Fallbacks []string

	copies int
}

// Whole is one run with an end, from the job's start to its last row.
type Whole struct {
	Rows, RowsOut int64
	Seconds       float64
}

// MemoryShare is what the query read, as a share of what the machine's memory gives; 0
// if that was not measured. Rows in a cache can come to more than 1.
func (r *Result) MemoryShare() float64 {
	if r.MemoryBytesPerSecond == 0 {
		return 0
	}
	return r.TouchedBytesPerSecond() / r.MemoryBytesPerSecond
}

// Latency is in milliseconds, over the tasks whose rows went to the sink while measuring:
// from the arrival of the oldest row behind a task - with a rate, from when that row was
// due - to the sink.
type Latency struct {
	Tasks          int64
	P50, P99, P999 float64
}

// TouchedBytesPerSecond is what the query read of its columns.
func (r *Result) TouchedBytesPerSecond() float64 { return r.RowsPerSecond.Median * float64(r.Touched) }

// BytesPerSecond is in the published row format.
func (r *Result) BytesPerSecond() float64 { return r.RowsPerSecond.Median * float64(r.RowBytes) }

// runner measures workloads one after another.
type runner struct {
	config Config
	// folder has the workloads' inputs and what the reference made of them: a sweep
	// measures a workload many times.
	folder string
	known  map[string]bool // workloads of the folder
}

// newRunner returns a runner, and what removes its folder.
func newRunner(c Config) (*runner, func(), error) {
	folder, err := os.MkdirTemp("", "millrace-bench")
	if err != nil {
		return nil, nil, err
	}
	return &runner{config: c, folder: folder, known: map[string]bool{}}, func() { os.RemoveAll(folder) }, nil
}

// Run checks and measures the workloads one after another and hands each result to
// report as it is there.
func Run(ctx context.Context, workloads []*Workload, c Config, report func(*Result) error) error {
	r, remove, err := newRunner(c)
	if err != nil {
		return err
	}
	defer remove()
	for _, w := range workloads {
		if err := r.run(ctx, w, report); err != nil {
			return err
		}
	}
	return nil
}

// run checks and measures one workload.
func (r *runner) run(ctx context.Context, w *Workload, report func(*Result) error) error {
	ingests := []string{r.config.Ingest}
	if r.config.Ingest == "both" {
		ingests = []string{"share", "copy"}
	}
	found, err := r.checkAll(ctx, w, ingests)
	if err != nil {
		return err
	}
	for i, ingest := range ingests {
		res, err := r.measure(ctx, w, ingest, found[i])
		if err == nil {
			err = r.whole(ctx, w, ingest, res)
		}
		if err == nil {
			err = report(res)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) say(format string, args ...any) {
	if r.config.Progress != nil {
		r.config.Progress(format, args...)
	}
}

// checkAll compares before anything is measured, and leaves no garbage behind.
func (r *runner) checkAll(ctx context.Context, w *Workload, ingests []string) ([]checked, error) {
	defer runtime.GC()
	r.say("%s: comparing %d rows with the reference", w.Name, w.CheckRows)
	want, err := r.reference(ctx, w)
	if err != nil {
		return nil, err
	}
	var out []checked
	for _, ingest := range ingests {
		found, err := r.check(ctx, w, ingest, want)
		if err != nil {
			return nil, err
		}
		out = append(out, found)
	}
	return out, nil
}

func (r *runner) measure(ctx context.Context, w *Workload, ingest string, found checked) (*Result, error) {
	res := &Result{Workload: w.Name, Ingest: ingest, Set: "small", Workers: r.config.Workers, RowBytes: w.RowBytes, Touched: w.Touched,
		Checksum: found.checksum, CheckedRows: found.rowsOut, MemoryBytesPerSecond: r.config.MemoryBytesPerSecond,
		LatencyTarget: r.config.LatencyTarget, Pin: r.config.Pin, Processors: cmp.Or(r.config.Processors, "cpu")}
	copies := smallCopies(w)
	if r.config.Large {
		res.Set, copies = "large", largeCopies(w)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res.copies = copies
	resetPeak()
	job, err := r.start(ctx, w.Script(r.folder, ingest, copies, -1, r.config.Rate), w.Name, r.config.options())
	if err != nil {
		return nil, err
	}
	r.say("%s: measuring, %s, %s set (%d rows, %d MB of columns that are read)", w.Name, ingest, res.Set, copies*w.Bundle, copies*w.Bundle*w.Touched>>20)
	err = r.windows(ctx, job, res)
	cancel()
	stats, failed := job.Wait()
	if failed != nil && !errors.Is(failed, context.Canceled) {
		err = failed // it says why the windows found nothing
	}
	if err != nil {
		return nil, fmt.Errorf("workload %s: %w", w.Name, err)
	}
	res.PeakBytes, res.TaskShare, res.Pinned = stats.PeakBytes, stats.TaskShare, stats.Pinned
	if r.config.devices() {
		res.PerProcessor, res.Fallbacks = stats.Processors, stats.Fallbacks
	}
	return res, nil
}

// whole times a run with an end, over whole laps that take about as long as a window.
func (r *runner) whole(ctx context.Context, w *Workload, ingest string, res *Result) error {
	laps := max(1, int64(res.RowsPerSecond.Median*r.config.Seconds)/int64(w.Bundle))
	job, err := r.start(ctx, w.Script(r.folder, ingest, res.copies, laps*int64(w.Bundle), r.config.Rate), w.Name, r.config.options())
	if err != nil {
		return err
	}
	from := time.Now()
	stats, err := job.Wait()
	if err != nil {
		return fmt.Errorf("workload %s: %w", w.Name, err)
	}
	res.Whole = Whole{Rows: stats.RowsIn, RowsOut: stats.RowsOut, Seconds: time.Since(from).Seconds()}
	return nil
}

// windows reads the counters once per window of time.
func (r *runner) windows(ctx context.Context, job *millrace.Job, res *Result) error {
	if err := pause(ctx, r.config.Warmup); err != nil {
		return err
	}
	if r.config.CPUProfile != nil {
		if err := pprof.StartCPUProfile(r.config.CPUProfile); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var in, out, cpu []float64
	lateBefore := job.Latencies()
	before, cpuBefore, at := job.Progress(), processorTime(), time.Now()
	for range r.config.Windows {
		if err := pause(ctx, time.Duration(r.config.Seconds*float64(time.Second))); err != nil {
			return err
		}
		now, cpuNow, end := job.Progress(), processorTime(), time.Now()
		seconds, rows := end.Sub(at).Seconds(), float64(now.RowsIn-before.RowsIn)
		if rows == 0 {
			return fmt.Errorf("workload %s: no row came in within %.1f s", res.Workload, seconds)
		}
		in = append(in, rows/seconds)
		out = append(out, float64(now.RowsOut-before.RowsOut)/seconds)
		cpu = append(cpu, (cpuNow-cpuBefore).Seconds()/rows*1e6)
		res.Rows += now.RowsIn - before.RowsIn
		res.Seconds += seconds
		before, cpuBefore, at = now, cpuNow, end
	}
	late := job.Latencies()
	if late = late.Since(&lateBefore); late.Count() > 0 {
		ms := func(q float64) float64 { return float64(late.Quantile(q)) / float64(time.Millisecond) }
		res.Latency = &Latency{late.Count(), ms(0.5), ms(0.99), ms(0.999)}
	}
	res.RowsPerSecond, res.RowsOutPerSecond, res.CPUPerMillionRows = spread(in), spread(out), spread(cpu)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// smallBytes is the size of the small sets in the published row format: the columns of
// such a ring stay in a last-level cache.
const smallBytes = 16 << 20

func smallCopies(w *Workload) int { return max(1, smallBytes/(w.Bundle*w.RowBytes)) }

// largeFactor is how many times the last-level cache the columns of a large set are.
const largeFactor = 8

func largeCopies(w *Workload) int {
	rows := min(largeFactor*lastLevelCache()/int64(w.Touched), largeBytesMax/int64(w.RowBytes))
	return max(1, int(rows)/w.Bundle)
}

// largeBytesMax, in row format, keeps a large set within the memory of a small machine.
const largeBytesMax = 4 << 30
