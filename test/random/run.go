package random

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/optimize"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// setting is how a case is run.
type setting struct {
	engine    string
	workers   int
	taskBytes int64
	blocks    int
	stopAfter int64
	restore   *state.Snapshot
	off       string // what is switched off, as millrace run --optimize takes it
	model     bool   // run the text form of the model
	out       string // folder of output files; "": a new one
	force     operator.Choices
	latency   time.Duration // target; 0: none
	devices   devices
}

func (s setting) String() string {
	text := fmt.Sprintf("engine %s, %d workers, tasks of %d bytes, blocks of %d", s.engine, s.workers, s.taskBytes, s.blocks)
	if s.off != "" {
		text += ", optimize " + s.off
	}
	if forced := s.force.String(); forced != "" {
		text += ", forced " + forced
	}
	if s.latency > 0 {
		text += ", latency target " + s.latency.String()
	}
	if s.model {
		text += ", from the model's text"
	}
	return text + s.devices.String()
}

// randomSetting is an engine setting; tasks go down to one row.
func randomSetting(r *rand.Rand) setting {
	sizes := []int64{1, 17, 100, 1000, 4 << 10, 64 << 10, 1 << 20}
	blocks := []int{0, 60, 200, 1000, 3000}
	return setting{
		engine: millrace.EngineMillrace, workers: []int{1, 2, 3, 4, 9}[r.IntN(5)],
		taskBytes: sizes[r.IntN(len(sizes))], blocks: blocks[r.IntN(len(blocks))],
		force: optest.RandomChoices(r), latency: []time.Duration{0, 0, time.Millisecond}[r.IntN(3)],
		devices: randomDevices(r),
	}
}

// answer is everything a run showed.
type answer struct {
	results  []string // per query: values, or the file
	errors   string   // error rows, sorted
	counts   string   // per stream: in, late, errors
	snapshot *state.Snapshot
}

// collector is the sink of one query's rows.
type collector struct {
	q   millrace.Query
	buf *bytes.Buffer
}

func (c collector) WriteBatch(b *stream.Batch, from, to int) error {
	for i := from; i < to; i++ {
		for n, col := range c.q.Visible {
			if n > 0 {
				c.buf.WriteByte(' ')
			}
			c.buf.Write(stream.AppendJSON(nil, b.Cols[col].Value(i)))
		}
		c.buf.WriteByte('\n')
	}
	return nil
}
func (collector) Flush() error                  { return nil }
func (collector) Close() error                  { return nil }
func (collector) Abort()                        {}
func (collector) Snapshot(*state.Writer)        {}
func (collector) Restore(r *state.Reader) error { return r.End() }

// hang is how long a case may run before it counts as a hang.
const hang = 30 * time.Second

// run runs the case once.
func (c *testCase) run(s setting) (*answer, error) {
	if s.out == "" && len(c.results) < len(c.queries) {
		var err error
		if s.out, err = c.outputDir(); err != nil {
			return nil, err
		}
		defer os.RemoveAll(s.out)
	}
	bufs := make([]*bytes.Buffer, len(c.results))
	var errorRows bytes.Buffer
	options := millrace.Options{
		Workers: s.workers, TaskBytes: s.taskBytes, BlockBytes: s.blocks, Engine: s.engine, Errors: &errorRows,
		StopAfterTasks: s.stopAfter, Restore: s.restore, Force: s.force, LatencyTarget: s.latency, Vars: map[string]string{"out": s.out},
		Results: func(q millrace.Query) millrace.ResultSink {
			bufs[q.Index] = &bytes.Buffer{}
			return collector{q, bufs[q.Index]}
		},
	}
	if s.engine == millrace.EngineMillrace {
		s.devices.options(&options)
	}
	plan, err := c.prepare(s, options)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	dump := time.AfterFunc(hang-5*time.Second, dumpStacks)
	defer dump.Stop()
	job, err := plan.Start(ctx)
	if refused := (*engine.RefusedError)(nil); errors.As(err, &refused) {
		if s.devices.ended != nil {
			s.devices.ended(refused, nil)
			s.devices.ended = nil
		}
		s.devices = s.devices.withCPU() // what millrace run says to do
		return c.run(s)
	}
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	stats, err := job.Wait()
	if n := job.Outstanding(); n != 0 {
		return nil, fmt.Errorf("%d pooled batches were not given back", n)
	}
	if err != nil {
		return nil, err
	}
	if c.drawn != nil && s.engine == millrace.EngineMillrace {
		c.drawn.add(s, stats)
	}
	if s.devices.ended != nil {
		s.devices.ended(nil, stats)
	}
	a := &answer{snapshot: job.Snapshot(), errors: sortLines(errorRows.String()), counts: counts(stats)}
	for i, q := range c.queries {
		text, err := c.result(i, q, s.out, bufs)
		if err != nil {
			return nil, err
		}
		a.results = append(a.results, text)
	}
	return a, nil
}

// result is what query i gave: its file, or what its sink collected.
func (c *testCase) result(i int, q *query, out string, bufs []*bytes.Buffer) (string, error) {
	if q.file != "" {
		return q.output(out)
	}
	return bufs[slices.Index(c.results, i)].String(), nil
}

func (c *testCase) prepare(s setting, o millrace.Options) (*millrace.Plan, error) {
	script := millrace.Script{Name: "case.sql", Text: c.script}
	var err error
	if o.Optimize, err = optimize.ParseSwitches(s.off); err != nil {
		return nil, err
	}
	plan, err := millrace.Prepare([]millrace.Script{script}, o)
	if err != nil || !s.model {
		return plan, err
	}
	return millrace.Prepare([]millrace.Script{{Name: "case.model", Text: plan.ModelText()}}, o)
}

// dumpStacks shows where a job hangs.
func dumpStacks() {
	buf := make([]byte, 1<<20)
	fmt.Fprintf(os.Stderr, "a case hangs:\n%s\n", buf[:runtime.Stack(buf, true)])
}

func counts(s *millrace.Stats) string {
	var lines []string
	for _, st := range s.Streams {
		if st.Name != "t" {
			lines = append(lines, fmt.Sprintf("%s: %d in, %d late, %d errors", st.Name, st.RowsIn, st.RowsLate, st.RowsError))
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "; ")
}

func sortLines(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' })
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// compare describes the first difference, or returns "".
func (c *testCase) compare(want, got *answer) string {
	for i := range want.results {
		if d := firstDifference(want.results[i], got.results[i]); d != "" {
			return fmt.Sprintf("query %d: %s\n  %s", i, d, c.queries[i].sql)
		}
	}
	if d := firstDifference(want.errors, got.errors); d != "" {
		return "error rows: " + d
	}
	return ""
}

func firstDifference(want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	at := func(l []string) string {
		if i < len(l) && (i < len(l)-1 || l[i] != "") {
			return l[i]
		}
		return "(end)"
	}
	return fmt.Sprintf("line %d of %d (got %d lines): want %s got %s", i+1, len(w)-1, len(g)-1, at(w), at(g))
}

// check runs the case under the reference and under n engine settings; a description of
// the failure, or "".
func (c *testCase) check(n int) string {
	r := rand.New(rand.NewPCG(c.seed, 7))
	want, wantErr := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if wantErr != nil && !c.fails {
		return fmt.Sprintf("reference: %v", wantErr)
	}
	for ; n > 0; n-- {
		if failure := c.checkSetting(randomSetting(r), want, wantErr); failure != "" {
			return failure
		}
	}
	return ""
}

// checkSetting runs the case and compares; want is nil if the run must fail with wantErr.
func (c *testCase) checkSetting(s setting, want *answer, wantErr error) string {
	got, err := c.run(s)
	switch {
	case wantErr != nil && err != nil && (c.anyFail || wantErr.Error() == err.Error()):
		return ""
	case wantErr != nil:
		return fmt.Sprintf("%s: got error %v, want %v", s, err, wantErr)
	case err != nil:
		return fmt.Sprintf("%s: %v", s, err)
	}
	if d := c.compare(want, got); d != "" {
		return fmt.Sprintf("%s: %s", s, d)
	}
	if want.counts != got.counts {
		return fmt.Sprintf("%s: counts: want %s, got %s", s, want.counts, got.counts)
	}
	return ""
}

// checkRestore stops the case at random tasks, twice, and goes on under other settings.
func (c *testCase) checkRestore() (stops int, failure string) {
	r := rand.New(rand.NewPCG(c.seed, 11))
	want, err := c.run(randomSetting(r))
	if err != nil {
		if c.fails {
			return 0, ""
		}
		return 0, err.Error()
	}
	out, err := c.outputDir()
	if err != nil {
		return 0, err.Error()
	}
	total := &answer{results: make([]string, len(c.queries))}
	var restore *state.Snapshot
	var trail []string
	for part := 0; ; part++ {
		s := randomSetting(r)
		s.restore, s.out = restore, out
		if part < 3 {
			s.stopAfter = 1 + r.Int64N(c.reach)
			s.blocks = 40 << r.IntN(5)
		}
		trail = append(trail, s.String())
		got, err := c.run(s)
		if err != nil {
			return stops, fmt.Sprintf("part %d (%s): %v", part, strings.Join(trail, "; "), err)
		}
		for i, q := range c.queries {
			if q.file != "" {
				total.results[i] = ""
			}
			total.results[i] += got.results[i]
		}
		total.errors += "\n" + got.errors
		if got.snapshot == nil {
			break
		}
		stops++
		if restore, err = state.Decode(got.snapshot.Encode()); err != nil {
			return stops, err.Error()
		}
	}
	total.errors = sortLines(total.errors)
	if d := c.compare(want, total); d != "" {
		return stops, strings.Join(trail, "; ") + ": " + d
	}
	return stops, ""
}

// tempDir is removed by the caller.
func tempDir() (string, error) { return os.MkdirTemp("", "millrace-random") }
