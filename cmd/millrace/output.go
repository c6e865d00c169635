package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/millrace/millrace"
)

// outputs are the files that --errors and --stats name. They are opened before the
// job runs, so that a wrong name costs no work.
type outputs struct {
	errors *fileOutput
	stats  *fileOutput
}

func (f *runFlags) openOutputs(o *millrace.Options) (*outputs, error) {
	out := &outputs{}
	var err error
	if f.errorsFile != "" {
		if out.errors, err = createOutput("--errors", f.errorsFile); err != nil {
			return nil, err
		}
		o.Errors = out.errors
	}
	if f.statsFile != "" {
		if out.stats, err = createOutput("--stats", f.statsFile); err != nil {
			return nil, errors.Join(err, out.close())
		}
	}
	return out, nil
}

// report is what --stats writes: the job's statistics, and how it was run.
type report struct {
	Engine    string `json:"engine"`
	Scheduler string `json:"scheduler"`
	*millrace.Stats
}

// writeStats writes the file of --stats, if any. With processors of one kind every
// policy takes tasks first come, first served, which is what the file says.
func (o *outputs) writeStats(f *runFlags, stats *millrace.Stats) error {
	if o.stats == nil {
		return nil
	}
	r := report{Engine: f.engine, Scheduler: "fcfs", Stats: stats}
	if f.engine == "reference" {
		r.Scheduler = "none"
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write --stats: %w", err)
	}
	_, err = o.stats.Write(append(text, '\n'))
	return err
}

func (o *outputs) close() error {
	return errors.Join(o.errors.close(), o.stats.close())
}

// fileOutput is a buffered file. Any goroutine may write.
type fileOutput struct {
	flag string
	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
}

func createOutput(flag, name string) (*fileOutput, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot create %w", flag, withoutOperation(err))
	}
	return &fileOutput{flag: flag, file: f, buf: bufio.NewWriterSize(f, 64<<10)}, nil
}

// Write appends to the file.
func (f *fileOutput) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.buf.Write(p)
	return n, f.named(err)
}

func (f *fileOutput) close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.named(errors.Join(f.buf.Flush(), f.file.Close()))
}

func (f *fileOutput) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", f.flag, err)
}
