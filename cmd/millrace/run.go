package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/sql"
)

// runFlags are the flags of millrace run as the user gave them.
type runFlags struct {
	statements []string
	format     string
	workers    int
	taskSize   byteSize
	memory     byteSize
	processors string
	scheduler  string
	depth      int
	engine     string
	optimize   switches
	checkpoint string
	vars       variables
	errorsFile string
	statsFile  string
	saveFile   string
	restore    string
	latency    time.Duration
	pin        bool
}

// workersMax is the number of workers above which --workers is taken for a mistake.
const workersMax = sql.WorkersMax

func runCommand(t terminal) *cobra.Command {
	f := &runFlags{vars: variables{}}
	cmd := &cobra.Command{
		Use:   "run [FILE.sql ... | -] [-e SQL] | FILE.model",
		Short: "run a script and show its results",
		Long: `Run a script. Several files are one script and one job; "-" is standard input;
FILE.model is the text form of a model (see millrace explain --model).

Results go to standard output, everything else to standard error. Exit status: 0 done,
1 the job failed, 2 the request is wrong. Ctrl-C stops reading, finishes what is
complete and exits with 0; a second Ctrl-C exits at once with 130.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd.Flags().Changed("workers")); err != nil {
				return err
			}
			f.given(cmd.Flags())
			if f.engine == "reference" && cmd.Flags().Changed("workers") {
				fmt.Fprintln(t.err, "note: the reference engine is sequential; --workers is ignored")
			}
			return run(t, f, args)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.statements, "execute", "e", nil, "run this `SQL`, behind the files; repeatable")
	flags.StringVar(&f.checkpoint, "checkpoint-dir", "", "not built yet")
	flags.StringVar(&f.errorsFile, "errors", "", "write error rows to this `FILE` as NDJSON")
	flags.StringVar(&f.saveFile, "save", "", "write the state of a job that is stopped before its input has ended to this `FILE`")
	flags.StringVar(&f.restore, "restore", "", "go on from the state that --save wrote to this `FILE`, with the same script")
	flags.StringVar(&f.statsFile, "stats", "", "write statistics to this `FILE` as JSON at the end")
	return cmd
}

// add adds the flags that run and sql share.
func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "of results: table, ndjson or csv (default: table on a terminal, else ndjson)")
	flags.IntVar(&f.workers, "workers", 0, "threads of the job (default: all cores)")
	flags.Var(&f.taskSize, "task-size", "bytes of input that make a task (default 1MiB)")
	flags.DurationVar(&f.latency, "latency-target", 0, latencyHelp)
	flags.BoolVar(&f.pin, "pin", false, pinHelp)
	flags.Var(&f.memory, "memory", "memory for rows that wait: a job that needs more fails, naming what was full (default: 512 MiB for each buffer)")
	flags.StringVar(&f.processors, "processors", millrace.Auto, processorsHelp)
	flags.StringVar(&f.scheduler, "scheduler", "hls", schedulerHelp)
	flags.IntVar(&f.depth, "device-depth", 0, depthHelp)
	flags.StringVar(&f.engine, "engine", "millrace", "millrace, or reference: the slow, obvious interpreter that judges it")
	flags.Var(&f.optimize, "optimize", switchesHelp)
	flags.Var(f.vars, "set", "substitute ${name} in the script; repeatable")
	cmd.ValidArgsFunction = completeScripts
	completeWords(cmd, "format", "table", "ndjson", "csv")
	completeWords(cmd, "engine", "millrace", "reference")
	completeWords(cmd, "scheduler", "hls", "fcfs", "static")
	completeWords(cmd, "processors", "auto", "cpu", "opencl", "cuda", "cpu,opencl", "cpu,cuda", "cpu,sim")
}

// given tells flags that were given from those that have their defaults, which a script's
// SET may change.
func (f *runFlags) given(flags *pflag.FlagSet) {
	if flags.Changed("latency-target") && f.latency == 0 {
		f.latency = -1 // none, whatever the script says
	}
	if !flags.Changed("scheduler") {
		f.scheduler = ""
	}
}

// check refuses what is wrong or not built yet.
func (f *runFlags) check(workersGiven bool) error {
	if f.checkpoint != "" {
		return errors.New("--checkpoint-dir (restart after a crash) is not built yet in this version; run without it")
	}
	if workersGiven && (f.workers < 1 || f.workers > workersMax) {
		return fmt.Errorf("--workers %d: want a number from 1 to %d", f.workers, workersMax)
	}
	if err := checkLatency(f.latency); err != nil {
		return err
	}
	if f.format == "json" || f.format == "jsonl" { // as for files
		f.format = "ndjson"
	}
	if f.format != "" {
		if err := oneOf("format", f.format, "table", "ndjson", "csv"); err != nil {
			return err
		}
	}
	if f.engine == "reference" && (f.saveFile != "" || f.restore != "") {
		return errors.New("the reference engine has no state to save or restore; use --engine=millrace")
	}
	return oneOf("engine", f.engine, "millrace", "reference")
}

// options turns flags into the root package's options.
func (f *runFlags) options(t terminal) millrace.Options {
	return millrace.Options{
		Workers:       f.workers,
		TaskBytes:     int64(f.taskSize),
		LatencyTarget: f.latency,
		Pin:           f.pin,
		Processors:    f.processors,
		Scheduler:     f.scheduler,
		DeviceDepth:   f.depth,
		Engine:        f.engine,
		Optimize:      f.optimize.value,
		Vars:          f.vars,
		MemoryBytes:   int64(f.memory),
		Format:        f.format,
		Stdin:         t.in,
	}
}

// settle takes a plan's settings in: its processors, its scheduler, its format.
func (f *runFlags) settle(t terminal, plan *millrace.Plan) {
	o := plan.Options()
	f.processors, f.scheduler, f.format = o.Processors, o.Scheduler, o.Format
	if f.scheduler == "" {
		f.scheduler = "hls"
	}
	if f.format == "" {
		f.format = "ndjson"
		if t.outTTY {
			f.format = "table"
		}
	}
}

// run prepares a job and runs it to its end.
func run(t terminal, f *runFlags, files []string) error {
	scripts, err := readScripts(files, f.statements, t.in)
	if err != nil {
		return err
	}
	screen := &console{t: t}
	options := f.options(t)
	options.Stdout = screen
	options.Results = func(q millrace.Query) millrace.ResultSink { return resultSinks(screen, f.format)(q) }
	options.Notify = func(m string) { screen.say("note: " + m) }
	if err := f.readState(&options); err != nil {
		return err
	}
	outputs := f.outputs(&options)
	plan, err := millrace.Prepare(scripts, options)
	if err != nil {
		return withOthers(err)
	}
	f.settle(t, plan)
	defer limitThreads(plan.Options().Workers, f.processors)()
	for _, n := range plan.Notes() {
		screen.say("note: " + n)
	}
	for _, w := range plan.Warnings() {
		screen.say("warning: " + w)
	}
	if n := plan.Results() + len(plan.Listings()); f.format == "csv" && n > 1 {
		return fmt.Errorf("--format csv shows one result, and the script has %d; use ndjson, or INSERT INTO a file each", n)
	}
	if err := showListings(screen, f.format, plan); err != nil {
		return failure{err}
	}
	if plan.Empty() {
		return writeExplained(screen, plan, files)
	}
	if n := len(plan.Explained()); n > 0 {
		screen.say("note: EXPLAIN beside other queries is not shown; give it alone, or use millrace explain")
	}
	if err := checkStandard(t, plan, files); err != nil {
		return err
	}
	if err := outputs.open(plan, files); err != nil {
		return err
	}
	return f.runJob(screen, plan, outputs)
}

// checkStandard refuses standard input that is the script and a stream at once, and
// standard output that is a file which the job reads: it would never come to its end.
func checkStandard(t terminal, plan *millrace.Plan, scripts []string) error {
	if plan.ReadsStdin() && slices.Contains(scripts, "-") {
		return errors.New("standard input cannot be both the script and a stream; name the script's file or use -e")
	}
	file, ok := t.out.(*os.File)
	if !ok {
		return nil
	}
	if info, err := file.Stat(); err == nil { // else writing will tell
		for _, used := range plan.Files() {
			if used.IsOpen(info) {
				return fmt.Errorf("standard output cannot be %s; name another file", used)
			}
		}
	}
	return nil
}

// runJob runs a plan and tells what became of it.
func (f *runFlags) runJob(screen *console, plan *millrace.Plan, outputs *outputs) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	limitHeap(plan.Options().MemoryBytes)
	job, err := plan.Start(ctx)
	var request *millrace.RequestError
	if errors.As(err, &request) {
		return errors.Join(err, outputs.close())
	}
	if err != nil {
		return failure{errors.Join(err, outputs.close())}
	}
	if plan.ReadsStdin() && screen.t.inTTY && screen.t.errTTY {
		screen.say("reading rows from the terminal; Ctrl-D ends them")
		screen.typing = true
	}
	if screen.t.listen != nil {
		screen.t.listen()
	}
	stats, err := await(screen, job)
	if errors.Is(err, errInterrupted) {
		return err
	}
	if screen.closed.Load() {
		err = nil // the reader of the results has seen enough
	} else if stats != nil {
		summarize(screen, stats, advice{kept: f.errorsFile != ""}, err != nil)
		if screen.t.errTTY && plan.Results() == 0 && err == nil {
			screen.say(fmt.Sprintf("%s rows read, %s written, %.1f s", humanize.Comma(stats.RowsIn), humanize.Comma(stats.RowsOut), stats.WallSeconds))
		}
	}
	if stats != nil {
		err = errors.Join(err, outputs.writeStats(f, stats))
	}
	if err == nil {
		err = f.writeState(screen, job)
	}
	if err = errors.Join(err, outputs.close()); err != nil {
		return failure{err}
	}
	return nil
}

// runningJob is what await needs of a job.
type runningJob interface {
	Progress() millrace.Progress
	Stop()
	Wait() (*millrace.Stats, error)
}

// await waits for the end of a job. The first signal stops it, the second gives it up.
func await(screen *console, job runningJob) (*millrace.Stats, error) {
	stop := screen.progress(job.Progress)
	defer stop()
	type outcome struct {
		stats *millrace.Stats
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		stats, err := job.Wait()
		done <- outcome{stats, err}
	}()
	stopping := false
	for {
		select {
		case o := <-done:
			return o.stats, o.err
		case <-screen.t.signals:
			if stopping {
				return nil, errInterrupted
			}
			stopping, screen.stopped = true, true
			if screen.t.errTTY {
				screen.say("stopping: finishing what has been read (Ctrl-C again does not wait for it)")
			}
			job.Stop()
		}
	}
}
