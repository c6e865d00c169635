// Package lifecycle tests that a job leaves nothing behind - no goroutine, open file or
// pooled buffer - however it ends, and that it ends.
package lifecycle

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// sink counts rows and fails after a number of them.
type sink struct {
	rows      atomic.Int64
	failAfter int64 // 0: never
}

var errSink = errors.New("the sink gave up")

func (s *sink) WriteBatch(_ *stream.Batch, from, to int) error {
	if n := s.rows.Add(int64(to - from)); s.failAfter > 0 && n > s.failAfter {
		return errSink
	}
	return nil
}
func (*sink) Flush() error                  { return nil }
func (*sink) Close() error                  { return nil }
func (*sink) Abort()                        {}
func (*sink) Snapshot(*state.Writer)        {}
func (*sink) Restore(r *state.Reader) error { return r.End() }

const endless = `CREATE STREAM s (ts TIMESTAMP, k INTEGER, v DOUBLE, WATERMARK FOR ts AS ts)
WITH (connector = 'datagen', fields.ts.step = '10 milliseconds', fields.k.min = 0, fields.k.max = 50);
`

var queries = map[string]string{
	"filter":    "SELECT * FROM s WHERE v > 0.5;",
	"aggregate": "SELECT window_end, k, AVG(v) FROM s [RANGE 10 SECONDS SLIDE 1 SECOND] GROUP BY k;",
	"rows":      "SELECT window_end, k FROM s [RANGE 2 SECONDS SLIDE 1 SECOND];",
	"join":      "SELECT a.k, b.v FROM s [RANGE 1 SECOND SLIDE 1 SECOND] AS a JOIN s [RANGE 1 SECOND SLIDE 1 SECOND] AS b ON a.k = b.k;",
	"union":     "SELECT k, v FROM s UNION ALL SELECT k, v FROM s WHERE k > 3;",
	"instant":   "SELECT k, SUM(v) FROM s [PARTITION BY k ROWS 3] GROUP BY k;",
	"sixteen":   strings.Repeat("SELECT k, v * 2 AS w FROM s WHERE v > 0.5;", 16),
	"two":       "SELECT k FROM s; SELECT COUNT(*) FROM s [ROWS 100 SLIDE 10];",
}

// machine is what a job runs on.
type machine struct {
	workers int
	device  *sim.Config // nil: none
}

var machines = map[string]machine{
	"1":    {workers: 1},
	"3":    {workers: 3},
	"sim":  {2, &sim.Config{ID: "sim", MemoryBytes: 64 << 20, Launch: 10 * time.Microsecond}},
	"full": {1, &sim.Config{ID: "full", MemoryBytes: 1 << 19, Launch: 10 * time.Microsecond}},
	"lost": {2, &sim.Config{ID: "lost", MemoryBytes: 64 << 20, Launch: 10 * time.Microsecond, Faults: []sim.Fault{
		{At: sim.Execute, N: 3, Effect: sim.Lose}, {At: sim.Execute, N: 9, Effect: sim.Hang}, {At: sim.Allocate, N: 12, Effect: sim.Full},
	}}},
}

func (m machine) options(t *testing.T, o millrace.Options) millrace.Options {
	o.Workers = m.workers
	if m.device == nil {
		return o
	}
	o.Processors, o.AwaitDevices = "cpu,sim", true
	o.Devices = func() ([]engine.DeviceConfig, error) {
		d := sim.New(*m.device)
		t.Cleanup(func() {
			// What a device that hung has had is freed in the background.
			for began := time.Now(); d.UsedBytes() > 0 && time.Since(began) < time.Second; time.Sleep(time.Millisecond) {
			}
			if n := d.UsedBytes(); n != 0 || len(d.Misuses()) > 0 {
				t.Errorf("%d bytes of the device are left; misuse: %v", n, d.Misuses())
			}
		})
		return []engine.DeviceConfig{{Device: d, Deadline: 300 * time.Millisecond}}, nil
	}
	return o
}

func start(t *testing.T, ctx context.Context, script string, on machine, out *sink) *millrace.Job {
	t.Helper()
	plan, err := millrace.Prepare([]millrace.Script{{Name: "test.sql", Text: script}}, on.options(t, millrace.Options{
		TaskBytes: 16 << 10,
		Results:   func(millrace.Query) millrace.ResultSink { return out },
	}))
	if err != nil {
		t.Fatal(err)
	}
	job, err := plan.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// end waits for the job and checks that no buffer is left.
func end(t *testing.T, job *millrace.Job) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := job.Wait()
		done <- err
	}()
	select {
	case err := <-done:
		if n := job.Outstanding(); n != 0 {
			t.Errorf("%d pooled batches were not given back", n)
		}
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the job did not end within 20 s")
		return nil
	}
}

func eachQuery(t *testing.T, f func(t *testing.T, script string, on machine)) {
	for name, q := range queries {
		for where, on := range machines {
			t.Run(name+"-"+where, func(t *testing.T) {
				leak.Check(t)
				f(t, endless+q, on)
			})
		}
	}
}

func waitForRows(t *testing.T, s *sink) {
	t.Helper()
	for began := time.Now(); s.rows.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("no row within 20 s")
		}
	}
}

func TestCancelled(t *testing.T) {
	eachQuery(t, func(t *testing.T, script string, on machine) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out := &sink{}
		job := start(t, ctx, script, on, out)
		waitForRows(t, out)
		cancel()
		if err := end(t, job); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

func TestStopped(t *testing.T) {
	eachQuery(t, func(t *testing.T, script string, on machine) {
		out := &sink{}
		job := start(t, t.Context(), script, on, out)
		waitForRows(t, out)
		job.Stop()
		if err := end(t, job); err != nil {
			t.Error(err)
		}
		if job.Snapshot() == nil {
			t.Error("a stopped job has a state to go on from")
		}
	})
}

func TestSinkFails(t *testing.T) {
	eachQuery(t, func(t *testing.T, script string, on machine) {
		job := start(t, t.Context(), script, on, &sink{failAfter: 500})
		if err := end(t, job); !errors.Is(err, errSink) {
			t.Errorf("got %v, want the sink's error", err)
		}
	})
}

func TestEnds(t *testing.T) {
	eachQuery(t, func(t *testing.T, script string, on machine) {
		out := &sink{}
		script = strings.Replace(script, "WITH (", "WITH (number_of_rows = 20000, ", 1)
		job := start(t, t.Context(), script, on, out)
		if err := end(t, job); err != nil {
			t.Error(err)
		}
		if out.rows.Load() == 0 || job.Snapshot() != nil {
			t.Errorf("%d rows, state %v: want rows and no state", out.rows.Load(), job.Snapshot() != nil)
		}
	})
}

func TestSourceFails(t *testing.T) {
	leak.Check(t)
	path := filepath.Join(t.TempDir(), "cut.csv.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	for i := 0; i < 200_000; i++ {
		fmt.Fprintf(z, "%d,%d\n", i, i*7919%1000)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	size, _ := f.Seek(0, 1)
	if err := errors.Join(f.Truncate(size*2/3), f.Close()); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("CREATE STREAM s (a BIGINT, b BIGINT) WITH (connector = 'file', path = '%s', header = false); SELECT a FROM s WHERE b > 500;", path)
	out := &sink{}
	err = end(t, start(t, t.Context(), script, machines["3"], out))
	if err == nil || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("got %v, want an error that says the file is truncated", err)
	}
}
