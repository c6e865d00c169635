package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace/optimize"
	"github.com/millrace/millrace/sql"
)

// byteSize is a flag's value such as 1MiB, 64KB or 4096; zero if not given.
type byteSize int64

func (s *byteSize) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return errors.New("want a size such as 64KiB, 1MiB, 2GB or a number of bytes")
	}
	*s = byteSize(n)
	return nil
}

func (s *byteSize) String() string {
	if *s == 0 {
		return ""
	}
	return humanize.IBytes(uint64(*s))
}

func (s *byteSize) Type() string { return "SIZE" }

// switches is --optimize.
type switches struct {
	text  string
	value optimize.Switches
}

func (s *switches) Set(text string) (err error) {
	s.text = text
	s.value, err = optimize.ParseSwitches(text)
	return err
}

func (s *switches) String() string { return s.text }
func (s *switches) Type() string   { return "SWITCHES" }

const switchesHelp = "optimizations to switch off or on, such as -fusion or none,+reorder (default: all; docs/optimizations.md lists them)"

// variables collects --set name=value.
type variables map[string]string

func (v variables) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("want name=value")
	}
	v[name] = value
	return nil
}

func (v variables) String() string { return "" }
func (v variables) Type() string   { return "name=value" }

// oneOf returns an error unless value is among the known ones.
func oneOf(flag, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("--%s %q is unknown; it is one of %s", flag, value, strings.Join(known, ", "))
}

// What run and bench say of the flags that they share.
const (
	latencyHelp    = "cut smaller tasks where 99 of 100 would take longer than this, such as 5ms (default: none)"
	processorsHelp = "what runs tasks: auto (the cpu, and devices that have passed millrace devices --check) or, with commas, cpu, opencl or cuda (all such devices), opencl:N, cuda:N, sim (simulated); see millrace devices"
	schedulerHelp  = "who runs a task: hls (looks ahead to who is fastest), fcfs (who is idle) or static (devices where they can)"
	depthHelp      = "tasks in flight on each device (default: as many as keep it busy)"
	pinHelp        = "tie each worker to a processor, where the system can"
)

// checkLatency says what is wrong with --latency-target.
func checkLatency(target time.Duration) error {
	if target < 0 || target > 0 && target < sql.LatencyTargetMin {
		return fmt.Errorf("--latency-target %v: want at least %v", target, sql.LatencyTargetMin)
	}
	return nil
}
