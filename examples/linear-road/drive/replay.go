package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/millrace/millrace/examples/linear-road/rules"
)

// result is what a replay brought.
type result struct {
	answers   [rules.Queries][]rules.Answer
	times     [rules.Queries][]float64 // responses, seconds, ascending
	records   int
	wall, cpu time.Duration
	behind    time.Duration // the longest that a second's records were taken after they were due
	busiest   float64       // most records due in a second of the clock
	peakBytes int64
}

// collector reads one output and stamps it.
type collector struct {
	query   rules.Query
	pipe    *os.File
	answers []rules.Answer
	arrived []time.Duration // since the replay began, by answer
	err     error
}

// replay runs the engine on the data set and returns when it has ended.
func replay(o *options, data, temporary string) (*result, error) {
	input, err := os.ReadFile(filepath.Join(data, "input.csv"))
	if err != nil {
		return nil, err
	}
	ends := secondEnds(input, o.Minutes*60)
	statistics := filepath.Join(temporary, "stats.json")
	engine := exec.Command(o.millrace, "run", o.script, "--set", "data="+data, "--set", "out="+temporary,
		"--workers", strconv.Itoa(o.workers), "--stats", statistics)
	engine.Stderr = os.Stderr
	collectors, err := connect(engine, temporary)
	if err != nil {
		return nil, err
	}
	stdin, err := engine.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := engine.Start(); err != nil {
		return nil, err
	}
	for _, f := range engine.ExtraFiles {
		f.Close() // the engine has its own
	}
	var reading sync.WaitGroup
	start := time.Now()
	for _, c := range collectors {
		reading.Go(func() { c.read(start) })
	}
	r := &result{records: bytes.Count(input, []byte{'\n'}), busiest: busiest(input, ends, o.speed)}
	r.behind, err = pace(stdin, input, ends, start, o.speed)
	reading.Wait()
	if failed := engine.Wait(); failed != nil {
		return nil, fmt.Errorf("the engine failed: %w", failed)
	}
	if err != nil {
		return nil, err
	}
	r.wall = time.Since(start)
	r.cpu = engine.ProcessState.UserTime() + engine.ProcessState.SystemTime()
	for q, c := range collectors {
		if c.err != nil {
			return nil, c.err
		}
		r.answers[q] = c.answers
		r.times[q] = responses(c, o.speed)
	}
	r.peakBytes, err = peak(statistics)
	return r, err
}

// connect gives the engine a pipe for each output: a link with the output's name leads to
// the descriptor that the engine inherits.
func connect(engine *exec.Cmd, folder string) (collectors []*collector, err error) {
	for q := range rules.Queries {
		ours, theirs, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		descriptor := fmt.Sprintf("/dev/fd/%d", 3+len(engine.ExtraFiles))
		if err := os.Symlink(descriptor, filepath.Join(folder, q.String()+".csv")); err != nil {
			return nil, err
		}
		engine.ExtraFiles = append(engine.ExtraFiles, theirs)
		collectors = append(collectors, &collector{query: q, pipe: ours})
	}
	return collectors, nil
}

// read stamps and keeps the rows of an output until it ends.
func (c *collector) read(start time.Time) {
	defer c.pipe.Close()
	buffer := make([]byte, 1<<20)
	kept := 0 // bytes of a line that is not whole
	for {
		n, err := c.pipe.Read(buffer[kept:])
		now := time.Since(start)
		rest := buffer[:kept+n]
		for {
			line, behind, whole := bytes.Cut(rest, []byte{'\n'})
			if !whole {
				break
			}
			a, err := c.query.Parse(string(line))
			c.err = errors.Join(c.err, err)
			c.answers = append(c.answers, a)
			c.arrived = append(c.arrived, now)
			rest = behind
		}
		kept = copy(buffer, rest)
		if err != nil {
			if err != io.EOF {
				c.err = errors.Join(c.err, err)
			}
			return
		}
	}
}

// pace writes each second's records when they are due and returns by how much the reader
// was behind at worst.
func pace(w io.WriteCloser, input []byte, ends []int, start time.Time, speed float64) (behind time.Duration, err error) {
	defer w.Close()
	from := 0
	for second, end := range ends {
		at := due(second, speed)
		time.Sleep(time.Until(start.Add(at)))
		if _, err := w.Write(input[from:end]); err != nil {
			return behind, fmt.Errorf("the engine takes no more records: %w", err)
		}
		behind = max(behind, time.Since(start)-at)
		from = end
	}
	return behind, nil
}

// due returns when the records of a second come, since the replay began.
func due(second int, speed float64) time.Duration {
	return time.Duration(float64(second) / speed * float64(time.Second))
}

// secondEnds returns where in the input each second's records end.
func secondEnds(input []byte, seconds int) []int {
	ends := make([]int, seconds)
	for at := 0; at < len(input); {
		end := at + bytes.IndexByte(input[at:], '\n') + 1
		field := bytes.Split(input[at:min(at+24, end)], []byte{','})[1]
		second, err := strconv.Atoi(string(field))
		if err == nil {
			ends[second] = end
		}
		at = end
	}
	for i := 1; i < len(ends); i++ {
		ends[i] = max(ends[i], ends[i-1]) // seconds without records
	}
	return ends
}

// busiest returns the most records of a second of the clock.
func busiest(input []byte, ends []int, speed float64) float64 {
	span := min(max(int(speed), 1), len(ends)-1)
	most := 0
	for i := span; i < len(ends); i++ {
		most = max(most, bytes.Count(input[ends[i-span]:ends[i]], []byte{'\n'}))
	}
	return float64(most) / float64(span) * speed
}

// responses returns the seconds from due to arrived, ascending.
func responses(c *collector, speed float64) []float64 {
	times := make([]float64, len(c.answers))
	for i, a := range c.answers {
		times[i] = (c.arrived[i] - due(int(a[0]), speed)).Seconds()
	}
	slices.Sort(times)
	return times
}

// at returns a quantile of ascending times, 0 if there are none.
func at(times []float64, share float64) float64 {
	if len(times) == 0 {
		return 0
	}
	return times[int(share*float64(len(times)-1))]
}

// peak returns the engine's resident memory at its largest.
func peak(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var s struct {
		PeakBytes int64 `json:"peak_bytes"`
	}
	return s.PeakBytes, json.Unmarshal(text, &s)
}
