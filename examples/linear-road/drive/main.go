// Command drive rates an engine by the Linear Road benchmark: it makes the input, runs
// linear-road.sql on it while the reports come in at a multiple of real time, compares
// every answer with the published rules and says how long answers took.
//
//	go run ./examples/linear-road/drive -xways 1 -minutes 10 -speed 60
//
// A response time counts from when the report or request was due, by the clock, to when
// the driver read the answer from the engine's pipe; the benchmark allows 5 seconds. At
// a speed above 1 the input is denser by that factor and the 5 seconds stay 5 seconds.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/millrace/millrace/examples/linear-road/rules"
	"github.com/millrace/millrace/examples/linear-road/traffic"
)

// responseMax is what the benchmark allows.
const responseMax = 5 * time.Second

// options are the flags.
type options struct {
	traffic.Options
	speed    float64
	workers  int
	millrace string // command, or "" to build it
	script   string
	keep     string // folder for the data set
}

func main() {
	log.SetFlags(0)
	var o options
	flag.IntVar(&o.Xways, "xways", 1, "expressways: the L of the rating")
	flag.IntVar(&o.Minutes, "minutes", 10, "length of the input")
	flag.Float64Var(&o.speed, "speed", 60, "seconds of the input that pass in one of the clock")
	flag.IntVar(&o.workers, "workers", 2, "workers of the engine")
	flag.Uint64Var(&o.Seed, "seed", 1, "of the traffic")
	flag.IntVar(&o.Cars, "cars", 51000, "cars on an expressway at the end")
	flag.IntVar(&o.AccidentGap, "accident-gap", 600, "mean seconds between two accidents in one direction of an expressway")
	flag.StringVar(&o.millrace, "millrace", "", "the engine's command; without it, it is built from ./cmd/millrace")
	flag.StringVar(&o.script, "script", "examples/linear-road/linear-road.sql", "the queries")
	flag.StringVar(&o.keep, "data", "", "folder of the data set, which is made there unless one of the same flags is; without it a temporary one")
	flag.Parse()
	pass, err := drive(&o)
	if err != nil {
		log.Fatal(err)
	}
	if !pass {
		os.Exit(1)
	}
}

// drive does everything and says whether the engine passed.
func drive(o *options) (pass bool, err error) {
	temporary, err := os.MkdirTemp("", "linear-road")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(temporary)
	if o.millrace == "" {
		o.millrace = filepath.Join(temporary, "millrace")
		build := exec.Command("go", "build", "-o", o.millrace, "./cmd/millrace")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return false, fmt.Errorf("building millrace: %w", err)
		}
	}
	data := o.keep
	if data == "" {
		data = filepath.Join(temporary, "data")
	}
	if err := prepare(o.Options, data); err != nil {
		return false, err
	}
	run, err := replay(o, data, temporary)
	if err != nil {
		return false, err
	}
	road, err := rules.Expect(data)
	if err != nil {
		return false, err
	}
	return run.report(o, road), nil
}

// prepare makes the data set unless the folder has it. A file beside it says which it is.
func prepare(o traffic.Options, folder string) error {
	note := filepath.Join(folder, "flags.txt")
	flags := fmt.Sprintf("%+v\n", o)
	if made, err := os.ReadFile(note); err == nil && string(made) == flags {
		return nil
	}
	if err := os.RemoveAll(note); err != nil {
		return err
	}
	if _, err := o.Write(folder); err != nil {
		return err
	}
	return os.WriteFile(note, []byte(flags), 0o666)
}

// report prints the verdict and returns it.
func (r *result) report(o *options, road *rules.Road) (pass bool) {
	fmt.Printf("L = %d, %d minutes of traffic at %g times real time, %d workers\n", o.Xways, o.Minutes, o.speed, o.workers)
	fmt.Printf("%d records in %.1f s: %.0f a second, %.0f in the busiest second of the clock; at worst the engine took them %.2f s late\n",
		r.records, r.wall.Seconds(), float64(r.records)/r.wall.Seconds(), r.busiest, r.behind.Seconds())
	fmt.Printf("engine: %.1f CPU seconds, %d MB at most; %d accidents, summed over minutes\n", r.cpu.Seconds(), r.peakBytes/1e6, road.Crashes)
	pass = true
	for _, d := range rules.Compare(&road.Answers, &r.answers) {
		fmt.Println(d.String())
		pass = pass && d.Equal()
	}
	fmt.Println("response times, seconds        50 %     99 %   99.9 %      max")
	for q := range rules.Queries {
		times := r.times[q]
		fmt.Printf("%-12s              %9.3f%9.3f%9.3f%9.3f\n", q, at(times, 0.5), at(times, 0.99), at(times, 0.999), at(times, 1))
		pass = pass && at(times, 1) <= responseMax.Seconds()
	}
	verdict := "FAILED"
	if pass {
		verdict = "passed: every answer right and within 5 s"
	}
	fmt.Println(verdict)
	return pass
}
