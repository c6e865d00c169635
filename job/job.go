// Package job is the only assembly of the path: script -> model -> optimize -> bind ->
// engine (or the reference), with connectors at both ends. The root package, the
// command line, benchmarks and tests all come through here.
//
// Prepare makes a Plan of a script, Plan.Start a running Job.
package job

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/optimize"
	"github.com/millrace/millrace/sql"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// The engines.
const (
	EngineMillrace  = "millrace"
	EngineReference = "reference"
)

// Script is one file of a script. A name ending in .model holds a model's text form
// instead of SQL and must be alone.
type Script = sql.Script

// Query is a bare SELECT of a script.
type Query struct {
	Index, Count int    // its number among Count bare SELECTs
	Name         string // of its sink: "result", "result_1", ..
	Schema       *stream.Schema
	Visible      []int // columns to show
}

// ResultSink receives a bare SELECT's rows: a connector.ByteSink or BatchSink.
type ResultSink = connector.Sink

// Options say how a script is prepared and run. The zero value is usable.
type Options struct {
	Workers    int    // default: all cores
	TaskBytes  int64  // default: 1 MiB
	BlockBytes int    // size of the blocks that readers cut for decoding; default: 256 KiB
	Engine     string // EngineMillrace (default) or EngineReference
	// LatencyTarget is what 99 of 100 tasks should stay below, by smaller tasks; 0: what the
	// script's SET latency_target says, or none; below 0: none, whatever the script says.
	LatencyTarget time.Duration
	Pin           bool // tie workers to processors where the system can
	// Processors are what runs tasks: cpu (default), devices, or both; see ProcessorsHelp.
	// Without cpu the devices run all tasks that they can, and Start refuses a script of
	// which they cannot run some pipeline.
	Processors string
	Scheduler  string // who gets a task: hls (default), fcfs, static
	// Format is how whoever shows results does it; a job takes it from SET format only.
	Format      string
	TimeZone    string // the session's as shown; a job takes it from SET time_zone only
	DeviceDepth int    // tasks in flight on a device; 0: found at run time
	// AwaitDevices makes Start wait until devices have compiled their programs.
	AwaitDevices bool
	// Devices opens the devices in the place of those that Processors names; for tests.
	Devices     func() ([]engine.DeviceConfig, error)
	Optimize    optimize.Switches
	Vars        map[string]string // ${name} in the script
	MemoryBytes int64             // budget of all buffers together; 0: the limits' defaults
	Stdin       io.Reader
	Stdout      io.Writer
	// Results makes the sink of each bare SELECT, before rows flow. nil: rows are counted
	// and dropped.
	Results func(q Query) ResultSink
	// Errors receives the error rows nobody reads in the script, as NDJSON; nil: they are
	// counted and the first ones kept.
	Errors io.Writer
	Log    *slog.Logger
	// Notify is told what connectors have to say while the job runs, such as the address
	// that one listens on. It may be called from any goroutine.
	Notify func(message string)
	// Restore is a state that an earlier Job of the same script returned; it goes on there.
	Restore *state.Snapshot
	// Force makes operators run algorithms they would not choose; for tests.
	Force operator.Choices
	// StopAfterTasks stops the job, as Job.Stop does, after that many tasks; 0: never.
	StopAfterTasks int64

	notes []string // of AutoProcessors
}

func (o Options) withDefaults() Options {
	if o.Engine == "" {
		o.Engine = EngineMillrace
	}
	if o.Stdin == nil {
		o.Stdin = strings.NewReader("")
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// RequestError says that the request is wrong, as opposed to a job that fails while it
// runs. It wraps the reason, an *sql.Error for instance.
type RequestError struct{ Err error }

func (e *RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RequestError) Unwrap() error { return e.Err }

// ModelError is a mistake in a model's text form, with the name of its file.
type ModelError struct {
	File string
	*model.ParseError
}

func (e *ModelError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Plan is a script ready to run. It is immutable and may be started several times.
type Plan struct {
	options   Options
	model     *model.Model // as the script means it
	optimized *optimize.Result
	bound     *bind.Plan
	warnings  []string
	inferred  []string // declarations that files in FROM stand for
	explains  []Explained
	listings  []Listing
	results   int
	done      string // what a statement of a Session has done already
}

// Prepare resolves, optimizes and binds scripts, which are one script in several files.
// Every error is a *RequestError.
func Prepare(scripts []Script, o Options) (*Plan, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, &RequestError{err}
	}
	p, err := prepare(scripts, o)
	if err != nil {
		return nil, &RequestError{err}
	}
	return p, nil
}

func (o Options) check() error {
	switch {
	case o.Engine != EngineMillrace && o.Engine != EngineReference:
		return fmt.Errorf("unknown engine %q: use millrace or reference", o.Engine)
	case o.Workers < 0:
		return fmt.Errorf("workers must be at least 1")
	case !slices.Contains(engine.Schedulers, o.Scheduler) && o.Scheduler != "":
		return fmt.Errorf("unknown scheduler %q: use %s", o.Scheduler, strings.Join(engine.Schedulers, ", "))
	case o.Engine == EngineReference && !slices.Contains([]string{"", Auto, "cpu"}, o.Processors):
		return errors.New("the reference engine runs on the cpu only")
	case o.DeviceDepth < 0 || o.DeviceDepth > device.DepthMax:
		return fmt.Errorf("a device's depth must be from 1 to %d, or 0: found at run time", device.DepthMax)
	case o.LatencyTarget > 0 && o.LatencyTarget < sql.LatencyTargetMin:
		return fmt.Errorf("a latency target must be at least %v", sql.LatencyTargetMin)
	case o.TaskBytes < 0:
		return fmt.Errorf("task size must be at least 1 byte")
	case o.MemoryBytes != 0 && o.MemoryBytes < memoryBytesMin:
		return fmt.Errorf("a memory budget below %d MiB is too small to run in", memoryBytesMin>>20)
	}
	if o.Processors != Auto {
		if err := CheckProcessors(o.Processors); err != nil {
			return err
		}
	}
	return o.Force.Check()
}

func prepare(scripts []Script, o Options) (*Plan, error) {
	for _, s := range scripts {
		if strings.HasSuffix(s.Name, ".model") {
			return prepareModel(scripts, o)
		}
	}
	res, err := sql.Resolve(scripts, catalog{}, o.Vars)
	if err != nil {
		return nil, err
	}
	if err := res.RequireQuery(); err != nil {
		return nil, err
	}
	if o, err = o.settle(&res.Settings, false); err != nil {
		return nil, err
	}
	return planOf(res, o)
}

// planOf makes the plan of a script that is resolved.
func planOf(res *sql.Result, o Options) (_ *Plan, err error) {
	p := &Plan{options: o, model: res.Model} // of a script that runs nothing
	if len(res.Model.Ops) > 0 {
		if p, err = plan(res.Model, o); err != nil {
			return nil, err
		}
	}
	p.warnings, p.inferred = res.Warnings, res.Inferred
	p.listings = listings(res, o)
	for _, e := range res.Explain {
		quiet := o
		quiet.Results = nil
		explained, err := plan(e.Model, quiet)
		if err != nil {
			return nil, err
		}
		p.explains = append(p.explains, Explained{explained, e.Analyze})
	}
	return p, nil
}

func prepareModel(scripts []Script, o Options) (*Plan, error) {
	if len(scripts) != 1 {
		return nil, errors.New("a .model file runs alone, without other files")
	}
	m, err := model.Parse(scripts[0].Text)
	var mistake *model.ParseError
	switch {
	case errors.As(err, &mistake):
		return nil, &ModelError{File: scripts[0].Name, ParseError: mistake}
	case err != nil:
		return nil, fmt.Errorf("%s: %w", scripts[0].Name, err)
	}
	if err := model.Verify(m); err != nil {
		return nil, fmt.Errorf("%s: %s", scripts[0].Name, strings.TrimPrefix(err.Error(), "model: "))
	}
	p, err := plan(m, o.settled())
	if err == nil && len(o.Vars) > 0 {
		p.warnings = append(p.warnings, "--set: a model has no variables; it changes nothing")
	}
	return p, err
}

func plan(m *model.Model, o Options) (*Plan, error) {
	p := &Plan{options: o, model: m}
	if err := model.Verify(m); err != nil {
		return nil, fmt.Errorf("internal error: the model of this script is inconsistent: %w", err)
	}
	if err := checkShared(m); err != nil {
		return nil, err
	}
	var err error
	if p.optimized, err = optimize.Run(m, o.Optimize); err != nil {
		return nil, err
	}
	if p.bound, err = bind.Bind(p.optimized.Model, bind.Needs(p.optimized.Needed), bind.Fused(p.optimized.Fused), regionEdges); err != nil {
		return nil, err
	}
	for _, op := range m.Ops {
		if op.Kind == model.SinkOp && op.Sink.Connector == model.ResultConnector {
			p.results++
		}
	}
	return p, nil
}

func regionEdges(m *model.Model, emit *model.Operator) ([]model.Edge, error) {
	region, err := operator.FindRegion(m, emit)
	if err != nil {
		return nil, err
	}
	return region.Edges(), nil
}

// Warnings are things the user should know about the script.
func (p *Plan) Warnings() []string { return p.warnings }

// Notes say which devices are not used, although Options.Processors is Auto.
func (p *Plan) Notes() []string { return p.options.notes }

// Explained is the query of an EXPLAIN statement, as a plan that shows no results. Analyze is
// EXPLAIN ANALYZE, which runs it.
type Explained struct {
	*Plan
	Analyze bool
}

// Explained are the script's EXPLAIN statements. Start does not run them.
func (p *Plan) Explained() []Explained { return p.explains }

// Empty reports whether nothing is to be started: the script consists of EXPLAIN, SHOW and
// DESCRIBE statements or, in a Session, of something that is done.
func (p *Plan) Empty() bool { return p.model == nil || len(p.model.Ops) == 0 }

// Done names what a statement of a Session did, such as CREATE STREAM; "" of a query.
func (p *Plan) Done() string { return p.done }

// Listings are the results of the script's SHOW and DESCRIBE statements.
func (p *Plan) Listings() []Listing { return p.listings }

// Results is the number of bare SELECTs, whose rows go to the sinks of Options.Results.
func (p *Plan) Results() int { return p.results }

// ModelText is the text form of what the script means, which Prepare reads back.
func (p *Plan) ModelText() string { return model.Format(p.subject().model) }

// DOT is the optimized dataflow as a Graphviz graph.
func (p *Plan) DOT() string {
	s := p.subject()
	if s.optimized == nil {
		return model.DOT(s.model)
	}
	return model.DOT(s.optimized.Model)
}

func (p *Plan) subject() *Plan {
	if p.Empty() && len(p.explains) > 0 {
		return p.explains[0].Plan
	}
	return p
}

// Explain says what will run, as people read it: the optimized model, what each
// optimization did or why it declined, and the pipelines with their processors.
func (p *Plan) Explain() string {
	var sb strings.Builder
	if len(p.inferred) > 0 {
		sb.WriteString("files, as they are read (declare a stream to read them otherwise)\n")
	}
	for _, text := range p.inferred {
		sb.WriteString("  " + text + "\n")
	}
	if len(p.inferred) > 0 {
		sb.WriteByte('\n')
	}
	if !p.Empty() {
		p.explain(&sb)
	}
	for _, e := range p.explains {
		e.explain(&sb)
	}
	return sb.String()
}

func (p *Plan) explain(sb *strings.Builder) {
	filled := func(op *model.Operator) []bool { return engine.SourceNeed(p.bound, op) }
	sb.WriteString("dataflow (its whole text form: millrace explain --model)\n" + model.Outline(p.optimized.Model, filled))
	p.explainPassed(sb)
	sb.WriteString("\noptimizations\n")
	for _, r := range p.optimized.Records {
		writeRecord(sb, r)
	}
	fmt.Fprintf(sb, "\nplan: %s on %s", plural(len(p.bound.Pipelines), "pipeline", "pipelines"), plural(p.options.Workers, "worker", "workers"))
	if p.options.LatencyTarget > 0 {
		fmt.Fprintf(sb, ", latency target %v", p.options.LatencyTarget)
	}
	fmt.Fprintf(sb, "\n%s", p.bound)
	p.explainDevices(sb)
	p.explainChoices(sb)
}

// explainChoices shows which algorithms operators choose before there are rows.
func (p *Plan) explainChoices(sb *strings.Builder) {
	choices, err := engine.Choices(p.bound, p.explained())
	if err != nil {
		return // Start says what is wrong
	}
	var rows [][]string
	widths := [3]int{}
	for i, pl := range p.bound.Pipelines {
		for _, c := range choices[i] {
			row := []string{fmt.Sprintf("%2d", pl.ID), c.Part, c.Algorithm, c.Reason}
			for k := range widths {
				widths[k] = max(widths[k], len(row[k]))
			}
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		sb.WriteString("\nalgorithms\n")
	}
	for _, r := range rows {
		fmt.Fprintf(sb, "  %-*s  %-*s  %-*s  %s\n", widths[0], r[0], widths[1], r[1], widths[2], r[2], r[3])
	}
}

// Summary counts what the script has, in words.
func (p *Plan) Summary() string {
	streams, sinks := 0, 0
	for _, op := range p.subject().model.Ops {
		switch op.Kind {
		case model.SourceOp:
			streams++
		case model.SinkOp:
			sinks++
		}
	}
	return plural(streams, "stream", "streams") + ", " + plural(sinks, "query", "queries")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func writeRecord(sb *strings.Builder, r optimize.Record) {
	switch {
	case r.Off:
		fmt.Fprintf(sb, "  %s: switched off\n", r.Name)
		return
	case len(r.Applied)+len(r.Declined) == 0:
		fmt.Fprintf(sb, "  %s: nothing to do\n", r.Name)
	default:
		fmt.Fprintf(sb, "  %s\n", r.Name)
	}
	for _, a := range r.Applied {
		fmt.Fprintf(sb, "    applied: %s\n", a)
	}
	for _, d := range r.Declined {
		fmt.Fprintf(sb, "    declined: %s\n", d)
	}
}
