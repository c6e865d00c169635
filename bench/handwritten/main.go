// Command handwritten runs queries beside the same work written by hand: a loop in Go and
// one in C (-O3 -march=native) over the same columns, on one thread, with Millrace at
// --workers 1. It first checks that all give the same results and then prints what a
// million rows cost each. The loops are what the hardware allows: nothing in them is
// general, exact for other data, or able to stop and go on.
//
//	go run ./bench/handwritten
//	go run ./bench/handwritten -rounds 5 YSB SCAN
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/millrace/millrace/bench"
)

// outcome is what a run gave: the number of results, a sum over them that does not depend
// on their order, and the time it took.
type outcome struct {
	results, sum uint64
	seconds      float64
}

// contender does a loop's work over a number of rows. With sums it sums up the results,
// else it may only count them.
type contender struct {
	name string
	run  func(ctx context.Context, rows int64, sums bool) (outcome, error)
}

// loop is a workload of package bench that is also written by hand.
type loop struct {
	name    string
	columns []string // that the loops read, in this order
	check   int64    // rows of the comparison
	rows    int64    // rows that are timed
	summed  bool     // results are few: they are summed up while the time is taken too
	byHand  func(d *dataset, rows int64) outcome
}

var loops = []loop{
	{name: "YSB", columns: []string{"ts", "ad_id", "event_type"}, check: 1_000_000, rows: 200_000_000, summed: true, byHand: countViews},
	{name: "SCAN", columns: []string{"ts", "v"}, check: 1_000_000, rows: 400_000_000, summed: true},
	{name: "THETA", columns: []string{"a", "b"}, check: 1 << 16, rows: 1 << 20},
	{name: "EQUI", columns: []string{"k", "v"}, check: 400_000, rows: 20_000_000},
}

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 3, "runs of each; the median is shown")
	share := flag.Float64("rows", 1, "factor on the number of rows that are timed")
	flag.Parse()
	if err := run(context.Background(), *rounds, *share, flag.Args()); err != nil {
		log.Fatal("handwritten: ", err)
	}
}

func run(ctx context.Context, rounds int, share float64, names []string) error {
	folder, err := os.MkdirTemp("", "millrace-handwritten")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	compiler := findCompiler()
	if compiler == "" {
		log.Print("NO C COMPILER WAS FOUND (cc, gcc, clang): the loops in C are left out")
	}
	fmt.Printf("%s/%s, %s; one thread, rows in a cache; cost of a million rows, median of %d\n", runtime.GOOS, runtime.GOARCH, runtime.Version(), rounds)
	fmt.Printf("%-6s %-9s %10s %12s %10s  %s\n", "query", "by", "ms/M rows", "M rows/s", "to C", "results")
	for _, l := range loops {
		if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, l.name) }) {
			continue
		}
		l.rows = max(2_000_000, int64(float64(l.rows)*share)/2_000_000*2_000_000)
		if l.name == "THETA" {
			l.rows = max(1<<18, int64(share*(1<<20))>>18<<18)
		}
		if err := compare(ctx, l, folder, compiler, rounds); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// compare checks all contenders against each other, times them in turns and prints.
func compare(ctx context.Context, l loop, folder, compiler string, rounds int) error {
	w, err := bench.Find(l.name)
	if err != nil {
		return err
	}
	if err := bench.WriteInputs(folder, w); err != nil {
		return err
	}
	d, err := readDataset(folder, w, l.columns)
	if err != nil {
		return err
	}
	contenders := []contender{{"millrace", func(ctx context.Context, rows int64, sums bool) (outcome, error) {
		return runMillrace(ctx, w, folder, rows, sums)
	}}}
	if l.byHand != nil {
		contenders = append(contenders, contender{"Go", func(_ context.Context, rows int64, _ bool) (outcome, error) { return l.byHand(d, rows), nil }})
	}
	if compiler != "" {
		c, err := compile(ctx, compiler, folder, l.name, d)
		if err != nil {
			return err
		}
		contenders = append(contenders, c)
	}
	if err := agree(ctx, contenders, l); err != nil {
		return err
	}
	times := make([][]float64, len(contenders))
	results := uint64(0)
	for range rounds {
		for i, c := range contenders {
			o, err := c.run(ctx, l.rows, l.summed)
			if err != nil {
				return err
			}
			times[i] = append(times[i], o.seconds)
			results = max(results, o.results)
		}
	}
	show(l, contenders, times, results)
	return nil
}

// agree compares the results of all.
func agree(ctx context.Context, contenders []contender, l loop) error {
	var first outcome
	for i, c := range contenders {
		o, err := c.run(ctx, l.check, true)
		if err != nil {
			return err
		}
		if i == 0 {
			first = o
			if o.results == 0 {
				return errors.New("no results to compare")
			}
		}
		if o.results != first.results || o.sum != first.sum {
			return fmt.Errorf("over %d rows %s gives %d results with sum %016x, %s %d with sum %016x",
				l.check, contenders[0].name, first.results, first.sum, c.name, o.results, o.sum)
		}
	}
	return nil
}

func show(l loop, contenders []contender, times [][]float64, results uint64) {
	median := func(t []float64) float64 { return slices.Sorted(slices.Values(t))[len(t)/2] }
	last := len(contenders) - 1
	for i, c := range contenders {
		t := median(times[i])
		ratio := ""
		if contenders[last].name == "C" {
			ratio = fmt.Sprintf("%.2f", t/median(times[last]))
		}
		fmt.Printf("%-6s %-9s %10.3f %12.1f %10s  %d of %d rows\n", l.name, c.name, t*1e9/float64(l.rows), float64(l.rows)/t/1e6, ratio, results, l.rows)
	}
}

// adsOf is the lookup table of YSB.
func adsOf(folder string) (*dataset, error) {
	return readColumns(filepath.Join(folder, "ads.csv"), []string{"ad_id", "campaign_id"}, nil, 0)
}
