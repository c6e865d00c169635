package main

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/millrace/millrace"
)

// This file runs what is to be explained with what it did.

// writeExplained shows a script's EXPLAIN statements, and runs those that say ANALYZE.
func writeExplained(screen *console, plan *millrace.Plan, files []string) error {
	for _, e := range plan.Explained() {
		if e.Analyze {
			if err := analyze(screen, e.Plan, files); err != nil {
				return err
			}
		} else if _, err := io.WriteString(screen, e.Explain()); err != nil {
			return err
		}
	}
	return nil
}

// analyze runs a plan and shows it with what it did. Rows of bare SELECTs are computed and
// counted; INSERTs write.
func analyze(screen *console, plan *millrace.Plan, files []string) error {
	if err := checkStandard(screen.t, plan, files); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	limitHeap(plan.Options().MemoryBytes)
	job, err := plan.Start(ctx)
	var request *millrace.RequestError
	if errors.As(err, &request) {
		return err
	}
	if err != nil {
		return failure{err}
	}
	if screen.t.listen != nil {
		screen.t.listen()
	}
	stats, err := await(screen, job)
	switch {
	case errors.Is(err, errInterrupted):
		return err
	case err != nil:
		return failure{err}
	}
	_, err = io.WriteString(screen, plan.Explain()+stats.Analysis())
	return err
}

// limitThreads keeps the process to the job's workers until restore is called. Devices are
// fed by threads of their own, so that a job with devices is not limited.
func limitThreads(workers int, processors string) (restore func()) {
	if workers == 0 || processors != "cpu" && processors != "" {
		return func() {}
	}
	before := runtime.GOMAXPROCS(workers)
	return func() { runtime.GOMAXPROCS(before) }
}
