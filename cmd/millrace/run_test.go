package main

import (
	"errors"
	"os"
	"testing"

	"github.com/millrace/millrace"
)

// slowJob ends some time after it is stopped: when end is closed.
type slowJob struct {
	end   chan struct{}
	stops int
}

func (j *slowJob) Progress() millrace.Progress { return millrace.Progress{} }
func (j *slowJob) Stop()                       { j.stops++ }
func (j *slowJob) Wait() (*millrace.Stats, error) {
	<-j.end
	return &millrace.Stats{}, nil
}

func TestSecondSignalGivesUp(t *testing.T) {
	var b buffers
	target := b.terminal()
	signals := make(chan os.Signal, 2)
	signals <- os.Interrupt
	signals <- os.Interrupt
	target.signals = signals
	job := &slowJob{end: make(chan struct{})}
	defer close(job.end)
	if _, err := await(&console{t: target}, job); !errors.Is(err, errInterrupted) || job.stops != 1 {
		t.Errorf("error %v after %d stops; want %v after 1", err, job.stops, errInterrupted)
	}
}

// TestFirstSignalStops runs an endless job that is stopped from the start.
func TestFirstSignalStops(t *testing.T) {
	var b buffers
	target := b.terminal()
	signals := make(chan os.Signal, 1)
	signals <- os.Interrupt
	target.signals = signals
	const endless = "CREATE STREAM s (n BIGINT) WITH (connector = 'datagen', rows_per_second = 100); SELECT n FROM s"
	if got := execute([]string{"run", "-e", endless}, target); got != statusDone {
		t.Errorf("exit status %d: %s", got, b.err.String())
	}
}
