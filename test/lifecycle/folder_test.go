//go:build unix

package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// build makes the millrace of this tree.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "millrace")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/millrace/millrace/cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// collected keeps the numbers in the first column.
type collected struct {
	mu  sync.Mutex
	ids map[int64]int
}

func (c *collected) WriteBatch(b *stream.Batch, from, to int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := from; i < to; i++ {
		c.ids[b.Cols[0].I64[i]]++
	}
	return nil
}
func (*collected) Flush() error                  { return nil }
func (*collected) Close() error                  { return nil }
func (*collected) Abort()                        {}
func (*collected) Snapshot(*state.Writer)        {}
func (*collected) Restore(r *state.Reader) error { return r.End() }

// written reads what is in the folder now: every file that can be seen must be whole. While a
// job starts it takes away what a run that died had put there after the state: starting says
// that such files may be gone before they are read; nothing is returned then.
func written(t *testing.T, dir, format string, starting bool) map[int64]int {
	t.Helper()
	c := &collected{ids: map[int64]int{}}
	err := c.read(dir, format)
	if err != nil && (strings.Contains(err.Error(), "holds no file") || starting && strings.Contains(err.Error(), "no such file")) {
		return nil
	}
	if err != nil {
		t.Fatalf("a file that can be seen is not whole: %v", err)
	}
	return c.ids
}

func (c *collected) read(dir, format string) error {
	script := fmt.Sprintf("CREATE TABLE o (id BIGINT, city VARCHAR) PARTITIONED BY (city) WITH (connector = 'file', path = '%s', format = '%s', on_error = 'fail');\nSELECT id, city FROM o;", dir, format)
	plan, err := millrace.Prepare([]millrace.Script{{Name: "read.sql", Text: script}}, millrace.Options{Workers: 1,
		Results: func(millrace.Query) millrace.ResultSink { return c }})
	if err != nil {
		return err
	}
	job, err := plan.Start(context.Background())
	if err != nil {
		return err
	}
	_, err = job.Wait()
	return err
}

// folderJob is a job from one folder to another, as a process.
type folderJob struct {
	t                  *testing.T
	in, out, state, at string
	program, format    string
}

func (j *folderJob) start() (*exec.Cmd, *bytes.Buffer) {
	j.t.Helper()
	script := filepath.Join(j.at, "job.sql")
	text := fmt.Sprintf(`CREATE TABLE i (id BIGINT, city VARCHAR) WITH (connector = 'file', path = '%s', format = 'ndjson', watch = '10 ms');
CREATE TABLE o (id BIGINT, city VARCHAR) PARTITIONED BY (city) WITH (connector = 'file', path = '%s/', format = '%s', roll_size = '1 kB', roll_interval = '20 ms', roll_check = '5 ms');
INSERT INTO o SELECT id, city FROM i;`, j.in, j.out, j.format)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		j.t.Fatal(err)
	}
	args := []string{"run", "--processors", "cpu", "--workers", "2", "--save", j.state}
	if _, err := os.Stat(j.state); err == nil {
		args = append(args, "--restore", j.state)
	}
	cmd, messages := exec.Command(j.program, append(args, script)...), &bytes.Buffer{}
	cmd.Stderr = messages
	if err := cmd.Start(); err != nil {
		j.t.Fatal(err)
	}
	return cmd, messages
}

// stop asks a job to stop until it has.
func (j *folderJob) stop(cmd *exec.Cmd, messages *bytes.Buffer) {
	j.t.Helper()
	_ = cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return // it was not listening yet
	}
	if err != nil {
		j.t.Fatalf("%v: %s", err, messages)
	}
}

const crashRows = 600

// feed puts files of rows into a folder until all are there or done is closed.
func feed(dir string, r *rand.Rand, done chan struct{}) {
	for id, n := 0, 0; id < crashRows; n++ {
		var sb strings.Builder
		for range min(1+r.IntN(25), crashRows-id) {
			fmt.Fprintf(&sb, "{\"id\":%d,\"city\":\"c%d\"}\n", id, r.IntN(3))
			id++
		}
		name := fmt.Sprintf("%04d.ndjson", n)
		if os.WriteFile(filepath.Join(dir, "."+name), []byte(sb.String()), 0o600) != nil || os.Rename(filepath.Join(dir, "."+name), filepath.Join(dir, name)) != nil {
			return
		}
		select {
		case <-done:
			return
		case <-time.After(time.Duration(r.IntN(60)) * time.Millisecond):
		}
	}
}

// A job that is killed at any moment, and started again with its last state, loses and
// repeats nothing, and nothing half written is ever seen.
func TestKilledFolderJob(t *testing.T) {
	formats, rounds := []string{"csv", "parquet", "avro"}, 12
	if testing.Short() {
		formats, rounds = formats[:1], 4
	}
	program := build(t)
	for i, format := range formats {
		t.Run(format, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			dir := t.TempDir()
			j := &folderJob{t: t, program: program, in: filepath.Join(dir, "in"), out: filepath.Join(dir, "out"), state: filepath.Join(dir, "job.state"), at: dir, format: format}
			if err := errors.Join(os.Mkdir(j.in, 0o700), os.Mkdir(j.out, 0o700)); err != nil {
				t.Fatal(err)
			}
			for tries := 0; ; tries++ { // a state to go back to
				cmd, messages := j.start()
				time.Sleep(500 * time.Millisecond)
				j.stop(cmd, messages)
				if _, err := os.Stat(j.state); err == nil {
					break
				}
				if tries == 10 {
					t.Fatal("no state: ", messages)
				}
			}
			done := make(chan struct{})
			defer close(done)
			go feed(j.in, rand.New(rand.NewPCG(uint64(i), 8)), done)
			killed := 0
			for range rounds {
				cmd, messages := j.start()
				time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
				if r.IntN(3) == 0 {
					j.stop(cmd, messages)
				} else {
					killed++
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				}
				for id, n := range written(t, j.out, format, false) {
					if n != 1 {
						t.Fatalf("row %d is there %d times", id, n)
					}
				}
			}
			cmd, messages := j.start()
			for began := time.Now(); len(written(t, j.out, format, true)) < crashRows; time.Sleep(50 * time.Millisecond) {
				if time.Since(began) > 60*time.Second {
					t.Fatalf("%d of %d rows after a minute; %s", len(written(t, j.out, format, true)), crashRows, messages)
				}
			}
			j.stop(cmd, messages)
			for id, n := range written(t, j.out, format, false) {
				if n != 1 {
					t.Errorf("row %d is there %d times", id, n)
				}
			}
			left, _ := filepath.Glob(filepath.Join(j.out, "*", ".*"))
			if len(left) > 0 || killed == 0 && rounds > 4 {
				t.Errorf("%d were killed; left in progress: %q", killed, left)
			}
		})
	}
}
