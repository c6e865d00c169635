package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/millrace/millrace"
)

// outputs are the files that --errors and --stats name. They are opened when the plan
// stands, before rows flow: a mistake in the script empties no file, and a wrong name
// costs no work.
type outputs struct {
	errors *fileOutput
	stats  *fileOutput
}

func (f *runFlags) outputs(o *millrace.Options) *outputs {
	out := &outputs{}
	if f.errorsFile != "" {
		out.errors = &fileOutput{flag: "--errors", name: f.errorsFile}
		o.Errors = out.errors
	}
	if f.statsFile != "" {
		out.stats = &fileOutput{flag: "--stats", name: f.statsFile}
	}
	return out
}

// open makes the files, unless one of them is used for something else.
func (o *outputs) open(plan *millrace.Plan, scripts []string) error {
	if o.errors != nil && o.stats != nil && sameFile(o.errors.name, o.stats.name) {
		return fmt.Errorf("--errors and --stats cannot both write %s; name two files", o.stats.name)
	}
	for _, f := range []*fileOutput{o.errors, o.stats} {
		if f == nil {
			continue
		}
		for _, used := range plan.Files() {
			if used.Is(f.name) {
				return fmt.Errorf("%s cannot write %s; name another file", f.flag, used)
			}
		}
		if slices.ContainsFunc(scripts, func(script string) bool { return sameFile(script, f.name) }) {
			return fmt.Errorf("%s cannot write %s, which is the script; name another file", f.flag, f.name)
		}
		if err := f.open(); err != nil {
			return errors.Join(err, o.close())
		}
	}
	return nil
}

// sameFile reports whether two names are those of one regular file, now or once made.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil {
		return errA != nil && errB != nil && filepath.Clean(a) == filepath.Clean(b)
	}
	return infoA.Mode().IsRegular() && os.SameFile(infoA, infoB)
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
	if len(stats.Devices) > 0 {
		r.Scheduler = f.scheduler
	}
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

// fileOutput is a buffered file. Any goroutine may write once it is open.
type fileOutput struct {
	flag string
	name string
	mu   sync.Mutex
	file *os.File
	buf  *bufio.Writer
}

func (f *fileOutput) open() error {
	file, err := os.Create(f.name)
	if err != nil {
		return fmt.Errorf("%s: cannot create %w", f.flag, withoutOperation(err))
	}
	f.file, f.buf = file, bufio.NewWriterSize(file, 64<<10)
	return nil
}

// Write appends to the file.
func (f *fileOutput) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.buf.Write(p)
	return n, f.named(err)
}

func (f *fileOutput) close() error {
	if f == nil || f.file == nil {
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
	return fmt.Errorf("%s: cannot write %w", f.flag, withoutOperation(err))
}
