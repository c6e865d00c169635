package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/bench"
)

type benchFlags struct {
	workers               int
	ingest                string
	set                   string
	taskSize              byteSize
	seconds               float64
	windows               int
	rate                  float64
	profile               string
	sweep                 string
	plot                  string
	json                  bool
	list                  bool
	latency               time.Duration
	pin                   bool
	processors, scheduler string
	depth                 int
}

const benchAbout = `Measure the standard workloads: published queries over published or generated
rows, replayed from memory through the ordinary parser, optimizer and engine. Before a
figure is printed the answer over a prefix is compared with the reference interpreter.

  millrace bench                    all workloads, all cores
  millrace bench CM1 LRB2 --workers 1 --ingest both
  millrace bench --sweep slide --plot slide.svg
  millrace bench memory             what the machine's memory gives
  millrace bench --list             what there is`

func benchCommand(t terminal) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench [WORKLOAD..]",
		Short: "measure the standard workloads",
		Long:  benchAbout,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.list {
				return listWorkloads(t)
			}
			if len(args) == 1 && strings.EqualFold(args[0], "memory") {
				return benchMemory(t)
			}
			return f.run(t, args)
		},
	}
	cmd.AddCommand(schedulingCommand(t))
	flags := cmd.Flags()
	flags.IntVar(&f.workers, "workers", runtime.NumCPU(), "threads that the engine keeps busy")
	flags.StringVar(&f.ingest, "ingest", "share", "share (batches alias the rows in memory), copy (rows are written into fresh batches) or both")
	flags.StringVar(&f.set, "set", "small", "small (rows fit a cache) or large (8 times the last-level cache)")
	flags.Var(&f.taskSize, "task-size", "bytes of a task's columns (default 1MiB)")
	flags.DurationVar(&f.latency, "latency-target", 0, latencyHelp)
	flags.BoolVar(&f.pin, "pin", false, pinHelp)
	flags.StringVar(&f.processors, "processors", "cpu", processorsHelp)
	flags.StringVar(&f.scheduler, "scheduler", "hls", schedulerHelp)
	flags.IntVar(&f.depth, "device-depth", 0, depthHelp)
	flags.Float64Var(&f.seconds, "seconds", 1, "length of a measurement")
	flags.IntVar(&f.windows, "windows", 5, "measurements; the median is shown, with the least and the most")
	flags.Float64Var(&f.rate, "rate", 0, "rows per second (default: as fast as possible)")
	flags.StringVar(&f.profile, "cpu-profile", "", "write a profile of the measurement to this `FILE` (one workload only)")
	flags.StringVar(&f.sweep, "sweep", "", "let one thing vary: "+strings.Join(sweepNames(), ", "))
	flags.StringVar(&f.plot, "plot", "", "draw the sweep to this SVG `FILE`")
	flags.BoolVar(&f.json, "json", false, "one JSON object a line")
	flags.BoolVar(&f.list, "list", false, "list the workloads")
	completeWords(cmd, "ingest", "share", "copy", "both")
	completeWords(cmd, "set", "small", "large")
	completeWords(cmd, "sweep", sweepNames()...)
	return cmd
}

func listWorkloads(t terminal) error {
	for _, name := range bench.Names() {
		w, err := bench.Find(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%-7s %s\n", w.Name, w.Title)
	}
	fmt.Fprintln(t.out, "\nfamilies, with a number behind the colon:")
	for _, name := range bench.Micros() {
		w, err := bench.Find(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%-17s %s\n", w.Name, w.Title)
	}
	fmt.Fprintln(t.out, "\nsweeps:")
	for _, s := range bench.Sweeps() {
		fmt.Fprintf(t.out, "%-11s %s, by %s\n", s.Name, s.Title, s.XLabel)
	}
	return nil
}

func benchMemory(t terminal) error {
	for _, threads := range []int{1, runtime.NumCPU()} {
		m := bench.MeasureMemory(threads)
		fmt.Fprintf(t.out, "%d threads: read %.1f GB/s, copy %.1f GB/s (read and written)\n", m.Threads, m.Read/1e9, m.Copy/1e9)
	}
	return nil
}

func (f *benchFlags) check() error {
	switch {
	case f.workers < 1 || f.workers > workersMax:
		return fmt.Errorf("--workers %d: want a number from 1 to %d", f.workers, workersMax)
	case f.ingest != "share" && f.ingest != "copy" && f.ingest != "both":
		return fmt.Errorf("--ingest %q: want share, copy or both", f.ingest)
	case f.set != "small" && f.set != "large":
		return fmt.Errorf("--set %q: want small or large", f.set)
	case !(f.seconds > 0) || f.windows < 1:
		return fmt.Errorf("--seconds and --windows must be above 0")
	case f.plot != "" && f.sweep == "":
		return fmt.Errorf("--plot draws a sweep: add --sweep with one of %s", strings.Join(sweepNames(), ", "))
	case f.profile != "" && (f.sweep != "" || f.ingest == "both"):
		return fmt.Errorf("--cpu-profile is of one workload with one kind of ingest")
	}
	return checkLatency(f.latency)
}

func sweepNames() []string {
	var out []string
	for _, s := range bench.Sweeps() {
		out = append(out, s.Name)
	}
	return out
}

// config is what the flags ask for. It measures the machine's memory first.
func (f *benchFlags) config(t terminal) bench.Config {
	c := bench.Config{
		Workers: f.workers, TaskBytes: int64(f.taskSize), Ingest: f.ingest, Large: f.set == "large", Windows: f.windows, Seconds: f.seconds,
		Warmup: time.Second, Rate: f.rate, LatencyTarget: f.latency, Pin: f.pin,
		Processors: f.processors, Scheduler: f.scheduler, DeviceDepth: f.depth,
		Progress: func(format string, args ...any) { fmt.Fprintf(t.err, format+"\n", args...) },
	}
	m := bench.MeasureMemory(min(f.workers, runtime.NumCPU()))
	c.Progress("memory: %d threads read %.1f GB/s; mem %% below is a share of it", m.Threads, m.Read/1e9)
	c.MemoryBytesPerSecond = m.Read
	return c
}

// reporter writes results as the flags ask.
func (f *benchFlags) reporter(t terminal, c bench.Config) func(*bench.Result) error {
	first := true
	return func(r *bench.Result) error {
		if f.json {
			return bench.WriteJSON(t.out, r)
		}
		if first {
			first = false
			if err := bench.WriteHead(t.out, c); err != nil {
				return err
			}
		}
		return bench.WriteRow(t.out, r)
	}
}

func (f *benchFlags) run(t terminal, names []string) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if f.sweep != "" {
		return f.runSweep(ctx, t, names)
	}
	if len(names) == 0 {
		names = bench.Names()
	}
	var workloads []*bench.Workload
	for _, name := range names {
		w, err := bench.Find(name)
		if err != nil {
			return err
		}
		workloads = append(workloads, w)
	}
	if f.profile != "" && len(workloads) != 1 {
		return fmt.Errorf("--cpu-profile is of one workload with one kind of ingest")
	}
	c := f.config(t)
	if f.profile != "" {
		file, err := os.Create(f.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		c.CPUProfile = file
	}
	return failed(bench.Run(ctx, workloads, c, f.reporter(t, c)))
}

func (f *benchFlags) runSweep(ctx context.Context, t terminal, names []string) error {
	sweep, err := bench.FindSweep(f.sweep)
	if err == nil {
		err = sweep.Check(names)
	}
	if err != nil {
		return err
	}
	c := f.config(t)
	chart, err := sweep.Run(ctx, names, c, f.reporter(t, c))
	if err != nil || f.plot == "" {
		return failed(err)
	}
	file, err := os.Create(f.plot)
	if err != nil {
		return err
	}
	return failed(errors.Join(chart.WriteSVG(file), file.Close()))
}

// failed says that a request was right and could not be met.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}
