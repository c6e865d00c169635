//go:build !race

// The race detector allocates by itself and makes a thousand tasks take minutes.

package lifecycle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/millrace/millrace"
)

// Tasks over which allocations are counted, after as many to warm up.
const allocationTasks = 1000

// allocationsMax is what the runtime and the test's own looking may allocate per that
// many tasks: a tenth of one allocation a task.
const allocationsMax = 100

const allocationStream = `CREATE STREAM s (ts TIMESTAMP, a INT, b INT, k BIGINT, v REAL, WATERMARK FOR ts AS ts)
WITH (connector = 'replay', path = '%s', format = 'csv', timestamp_unit = 'ms', lap = '20 s', copies = 4, ingest = '%s');
CREATE TABLE names (k BIGINT, n INT) WITH (connector = 'file', path = '%s', format = 'csv');
`

// TestTasksAllocateNothing counts what the whole process allocates while a job goes on,
// with the collector on and results put out.
func TestTasksAllocateNothing(t *testing.T) {
	dir := t.TempDir()
	input, table := filepath.Join(dir, "in.csv"), filepath.Join(dir, "names.csv")
	rows, names := "ts,a,b,k,v\n", "k,n\n"
	for i := range 20_000 {
		rows += fmt.Sprintf("%d,%d,%d,%d,%g\n", i, i*7919%10_007, i%97, i*31%500, float64(i%1000)/8)
	}
	for i := range 500 {
		names += fmt.Sprintf("%d,%d\n", i, i%10)
	}
	for path, text := range map[string]string{input: rows, table: names} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, query := range map[string]string{
		"select":   "SELECT ts, a, a + b AS c FROM s WHERE a < 1000 AND b > 10",
		"scan":     "SELECT window_end, SUM(v), COUNT(*) FROM s [RANGE 1 SECOND SLIDE 1 SECOND]",
		"sliding":  "SELECT window_end, AVG(v), MAX(a) FROM s [RANGE 10 SECONDS SLIDE 1 SECOND]",
		"grouped":  "SELECT window_end, b, AVG(v), COUNT(*) FROM s [RANGE 2 SECONDS SLIDE 100 MILLISECONDS] GROUP BY b HAVING COUNT(*) > 3",
		"tumbling": "SELECT window_end, k, MIN(v), MAX(v) FROM s [RANGE 2 SECONDS SLIDE 2 SECONDS] GROUP BY k",
		"lookup":   "SELECT window_end, names.n, COUNT(*) FROM s [RANGE 5 SECONDS SLIDE 5 SECONDS] JOIN names ON s.k = names.k GROUP BY names.n",
		"join":     "SELECT l.a, r.b FROM s [ROWS 500 SLIDE 500] AS l JOIN s [ROWS 500 SLIDE 500] AS r ON l.window_index = r.window_index AND l.a = r.a",
	} {
		for _, ingest := range []string{"share", "copy"} {
			t.Run(name+"-"+ingest, func(t *testing.T) {
				countAllocations(t, fmt.Sprintf(allocationStream, input, ingest, table)+query)
			})
		}
	}
}

func countAllocations(t *testing.T, script string) {
	plan, err := millrace.Prepare([]millrace.Script{{Name: "q.sql", Text: script}}, millrace.Options{Workers: 2, TaskBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	job, err := plan.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = job.Wait() }() // cancelled
	defer cancel()
	awaitTasks(t, job, 3*allocationTasks)
	allocations, tasks := uint64(0), int64(0)
	for pause, try := 250*time.Millisecond, 0; try < 5; try++ { // buffers may still grow a last time
		var before, after runtime.MemStats
		from := doneTasks(job)
		runtime.ReadMemStats(&before)
		time.Sleep(pause)
		runtime.ReadMemStats(&after)
		allocations, tasks = after.Mallocs-before.Mallocs, doneTasks(job)-from
		if tasks < allocationTasks {
			pause *= 2
			continue
		}
		if allocations <= allocationsMax*uint64(tasks)/allocationTasks {
			return
		}
	}
	t.Errorf("%d allocations while %d tasks ran, want %d per %d at most; go test -run '%s' -memprofile mem.out -memprofilerate 1 tells where",
		allocations, tasks, allocationsMax, allocationTasks, t.Name())
}

// doneTasks is about how many tasks the job has had, rather fewer: a task of 64 KiB has no
// more rows than that.
func doneTasks(job *millrace.Job) int64 { return job.Progress().RowsIn / 8192 }

func awaitTasks(t *testing.T, job *millrace.Job, n int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); doneTasks(job) < n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d tasks in 20 s, want %d", doneTasks(job), n)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
