package random

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/opencl"
	"github.com/millrace/millrace/engine"
)

// onDevices counts what became of cases on real devices alone.
type onDevices struct {
	cases, refused, accepted int
	why                      map[string]int
	tasks, redone, both      int64
}

// TestRandomQueriesOnOpenCL compares jobs whose tasks run on the machine's OpenCL devices, and on
// those and the workers together, with the reference.
func TestRandomQueriesOnOpenCL(t *testing.T) {
	if _, err := opencl.Find(); err != nil {
		if os.Getenv("MILLRACE_REQUIRE_OPENCL") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT RUN: %v", err)
	}
	seen := onDevices{why: map[string]int{}}
	for _, seed := range cases(t, 60) {
		withCase(t, seed, func(c *testCase) {
			if failure := seen.check(c); failure != "" {
				report(t, "TestRandomQueriesOnOpenCL", c, failure)
			}
		})
	}
	t.Logf("%d cases: %d ran on devices alone, %d were refused: %v; %d tasks ran on devices, %d were run again by the CPU, %d beside it",
		seen.cases, seen.accepted, seen.refused, seen.why, seen.tasks, seen.redone, seen.both)
	if *seedFlag == 0 && *casesFlag == 0 && *onlyFlag == "" && (seen.accepted < seen.cases/12 || seen.redone*100 > seen.tasks) {
		t.Errorf("%d of %d cases ran on devices alone, %d tasks there and %d again by the CPU", seen.accepted, seen.cases, seen.tasks, seen.redone)
	}
}

// check runs the case on devices alone, or if that is refused on both; and on both.
func (o *onDevices) check(c *testCase) string {
	r := rand.New(rand.NewPCG(c.seed, 17))
	want, wantErr := c.run(setting{engine: millrace.EngineReference, workers: 1})
	if wantErr != nil && !c.fails {
		return fmt.Sprintf("reference: %v", wantErr)
	}
	o.cases++
	for _, names := range []string{"opencl", "cpu,opencl"} {
		s := randomSetting(r)
		s.workers = min(s.workers, 2)
		s.devices = devices{names: names, scheduler: engine.Schedulers[r.IntN(len(engine.Schedulers))], depth: r.IntN(device.DepthMax + 1), await: true}
		s.devices.ended = func(refused *engine.RefusedError, stats *millrace.Stats) { o.count(names, refused, stats) }
		if failure := c.checkSetting(s, want, wantErr); failure != "" {
			return failure
		}
	}
	return ""
}

func (o *onDevices) count(names string, refused *engine.RefusedError, stats *millrace.Stats) {
	if refused != nil {
		o.refused++
		o.why[refused.Reason]++
		return
	}
	tasks := int64(0)
	for _, p := range stats.Pipelines {
		if p.Processor != "cpu" {
			tasks += p.Tasks
		}
		for _, n := range p.Fallbacks {
			o.redone += n
		}
	}
	if names == "opencl" {
		o.tasks += tasks
		o.accepted++
	} else {
		o.both += tasks
	}
}
