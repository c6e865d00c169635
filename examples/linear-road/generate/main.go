// Command generate makes the input of the Linear Road benchmark:
//
//	go run ./examples/linear-road/generate -xways 1 -minutes 10 -out DIR
//
// writes input.csv, history.csv and segments.csv into the folder; without -out the records
// go to standard output. The same flags give the same bytes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/millrace/millrace/examples/linear-road/traffic"
)

func main() {
	log.SetFlags(0)
	var o traffic.Options
	flag.IntVar(&o.Xways, "xways", 1, "expressways")
	flag.IntVar(&o.Minutes, "minutes", 10, "length")
	flag.Uint64Var(&o.Seed, "seed", 1, "another one gives other traffic")
	flag.IntVar(&o.Cars, "cars", 51000, "cars on an expressway at the end")
	flag.IntVar(&o.AccidentGap, "accident-gap", 600, "mean seconds between two accidents in one direction of an expressway")
	out := flag.String("out", "", "folder")
	flag.Parse()
	if err := run(o, *out); err != nil {
		log.Fatal(err)
	}
}

func run(o traffic.Options, out string) error {
	if out != "" {
		n, err := o.Write(out)
		fmt.Fprintf(os.Stderr, "%d records in %s\n", n, out)
		return err
	}
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	var line []byte
	err := o.Run(func(r *traffic.Record) {
		line = r.AppendCSV(line[:0])
		_, _ = w.Write(line) // a failure stays in w until the end
	})
	if err != nil {
		return err
	}
	return w.Flush()
}
