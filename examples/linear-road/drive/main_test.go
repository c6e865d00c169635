package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/examples/linear-road/rules"
	"github.com/millrace/millrace/examples/linear-road/traffic"
)

// The built command, fed through a pipe at a hundred times real time, gives the right
// answers, each stamped between when it was due and the end.
func TestReplay(t *testing.T) {
	t.Chdir("../../..")
	data, temporary := t.TempDir(), t.TempDir()
	o := &options{Options: traffic.Options{Xways: 1, Minutes: 4, Cars: 2000, AccidentGap: 60, Seed: 1}, speed: 100, workers: 2,
		script: "examples/linear-road/linear-road.sql", millrace: filepath.Join(t.TempDir(), "millrace")}
	if out, err := exec.Command("go", "build", "-o", o.millrace, "./cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := prepare(o.Options, data); err != nil {
		t.Fatal(err)
	}
	run, err := replay(o, data, temporary)
	if err != nil {
		t.Fatal(err)
	}
	road, err := rules.Expect(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range rules.Compare(&road.Answers, &run.answers) {
		if !d.Equal() || d.Right == 0 {
			t.Error(d.String())
		}
		times := run.times[d.Query]
		if len(times) != d.Right || at(times, 0) < 0 || at(times, 1) > run.wall.Seconds() {
			t.Errorf("%s: %d times from %.3f to %.3f s in a run of %v", d.Query, len(times), at(times, 0), at(times, 1), run.wall)
		}
	}
	if run.wall < 2*time.Second {
		t.Errorf("four minutes of traffic took %v at a hundred times real time", run.wall)
	}
	if run.peakBytes == 0 || run.cpu == 0 {
		t.Errorf("peak %d bytes, %v of CPU time", run.peakBytes, run.cpu)
	}
}

func TestSecondEnds(t *testing.T) {
	input := []byte("0,1,a\n0,1,b\n2,3,c\n")
	if got, want := secondEnds(input, 5), []int{0, 12, 12, 18, 18}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A data set is made once, and anew for other flags.
func TestPrepareReuses(t *testing.T) {
	folder := t.TempDir()
	size := func(o traffic.Options) int64 {
		if err := prepare(o, folder); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(folder, "input.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	o := traffic.Options{Xways: 1, Minutes: 2, Cars: 500, Seed: 1}
	first := size(o)
	if err := os.Truncate(filepath.Join(folder, "input.csv"), 3); err != nil {
		t.Fatal(err)
	}
	if again := size(o); again != 3 {
		t.Errorf("the same flags: %d bytes, want the 3 that were left", again)
	}
	o.Xways = 2
	if other := size(o); other <= first {
		t.Errorf("two expressways: %d bytes, one: %d", other, first)
	}
}
