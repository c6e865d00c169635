package simulate

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// File is a scenario as text, one item a line, # for comments:
//
//	policy hls fcfs             what to play it under
//	processor CPU 16            a name and its lanes
//	processor GPU ahead 4       tasks that it takes ahead
//	query A CPU 3ms GPU 2ms     time per task; - refuses; optional: tasks 100, ring 24
//	at 5s A CPU 1ms GPU 2ms     from then on
//	queue A B B A               what waits at the start; without it, sources push
//	until 10s                   sources end
//	home A GPU                  policy static: where A is at home
//	known                       the throughput matrix is known at the start
//	share 1s                    report shares per interval instead of single tasks
type File struct {
	Scenario
	Policies []string
	Share    time.Duration
}

// Parse reads a scenario up to a line of three dashes or the end.
func Parse(in io.Reader) (*File, error) {
	f := &File{}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "---" {
			break
		}
		if err := f.item(words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return f, f.check()
}

func (f *File) check() error {
	switch {
	case len(f.Processors) == 0 || len(f.Queries) == 0:
		return fmt.Errorf("a scenario needs a processor and a query")
	case len(f.Policies) == 0:
		f.Policies = Policies()
	}
	for _, q := range f.Queries {
		if len(f.Queue) == 0 && q.Tasks == 0 && (f.Until == 0 || q.Ring == 0) {
			return fmt.Errorf("query %s has no end: give it tasks, or a ring and the scenario an end (until)", q.Name)
		}
	}
	return nil
}

func (f *File) item(key string, words []string) (err error) {
	switch key {
	case "policy":
		f.Policies = words
	case "processor":
		err = f.processor(words)
	case "query":
		err = f.query(words)
	case "at":
		err = f.later(words)
	case "queue":
		for _, w := range words {
			q, err := f.find(w)
			if err != nil {
				return err
			}
			f.Queue = append(f.Queue, q)
		}
	case "until":
		f.Until, err = one(words)
	case "share":
		f.Share, err = one(words)
	case "home":
		err = f.homeOf(words)
	case "known":
		f.Known = true
	default:
		err = fmt.Errorf("%q is none of policy, processor, query, at, queue, until, share, home, known", key)
	}
	return err
}

func one(words []string) (time.Duration, error) {
	if len(words) != 1 {
		return 0, fmt.Errorf("want one duration")
	}
	return time.ParseDuration(words[0])
}

func (f *File) processor(words []string) (err error) {
	if len(words) == 0 {
		return fmt.Errorf("a processor needs a name")
	}
	p := Processor{Name: words[0], Lanes: 1}
	switch {
	case len(words) == 2:
		p.Lanes, err = strconv.Atoi(words[1])
	case len(words) == 3 && words[1] == "ahead":
		p.Depth, err = strconv.Atoi(words[2])
	case len(words) != 1:
		err = fmt.Errorf("want: processor NAME [LANES | ahead TASKS]")
	}
	f.Processors = append(f.Processors, p)
	return err
}

func (f *File) query(words []string) (err error) {
	if len(words) == 0 {
		return fmt.Errorf("a query needs a name")
	}
	q := Query{Name: words[0]}
	words = words[1:]
	for len(words) >= 2 && (words[0] == "tasks" || words[0] == "ring") {
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		if words[0] == "tasks" {
			q.Tasks = n
		} else {
			q.Ring = n
		}
		words = words[2:]
	}
	s, err := f.speedOf(words)
	q.Speed = []Speed{s}
	f.Queries = append(f.Queries, q)
	return err
}

func (f *File) speedOf(words []string) (Speed, error) {
	s := Speed{Task: make([]time.Duration, len(f.Processors))}
	for ; len(words) >= 2; words = words[2:] {
		p := slices.IndexFunc(f.Processors, func(p Processor) bool { return p.Name == words[0] })
		if p < 0 {
			return s, fmt.Errorf("no processor %q", words[0])
		}
		if words[1] == "-" {
			continue
		}
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return s, err
		}
		s.Task[p] = d
	}
	if len(words) > 0 {
		return s, fmt.Errorf("%q: want pairs of a processor and a duration", words[0])
	}
	return s, nil
}

func (f *File) find(query string) (int, error) {
	q := slices.IndexFunc(f.Queries, func(q Query) bool { return q.Name == query })
	if q < 0 {
		return 0, fmt.Errorf("no query %q", query)
	}
	return q, nil
}

func (f *File) later(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("want: at TIME QUERY and pairs of a processor and a duration")
	}
	from, err := time.ParseDuration(words[0])
	if err != nil {
		return err
	}
	q, err := f.find(words[1])
	if err != nil {
		return err
	}
	s, err := f.speedOf(words[2:])
	s.From = from
	f.Queries[q].Speed = append(f.Queries[q].Speed, s)
	return err
}

func (f *File) homeOf(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("want: home QUERY PROCESSOR")
	}
	q, err := f.find(words[0])
	if err != nil {
		return err
	}
	p := slices.IndexFunc(f.Processors, func(p Processor) bool { return p.Name == words[1] })
	if p < 0 {
		return fmt.Errorf("no processor %q", words[1])
	}
	for len(f.Home) <= q {
		f.Home = append(f.Home, f.home(len(f.Home)))
	}
	f.Home[q] = p
	return nil
}

// Play runs the scenario under each of its policies and writes what came of it.
func (f *File) Play(out io.Writer) error {
	w := bufio.NewWriter(out)
	for _, p := range f.Policies {
		r, err := f.Run(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		fmt.Fprintf(w, "%s: finished at %v\n", p, r.Finish)
		switch {
		case f.Share > 0:
			f.shares(w, r)
		case len(f.Queue) > 0:
			f.tasks(w, r)
		}
		f.counts(w, r)
	}
	return w.Flush()
}

func (f *File) tasks(w io.Writer, r *Result) {
	runs := slices.Clone(r.Runs)
	slices.SortStableFunc(runs, func(a, b Run) int {
		if a.Start != b.Start {
			return int(a.Start - b.Start)
		}
		return a.Processor - b.Processor
	})
	for _, x := range runs {
		note := ""
		if x.Copy {
			note = "  copy"
		}
		fmt.Fprintf(w, "  %-4s T%-3d %s  %v..%v%s\n", f.Processors[x.Processor].Name, x.Task+1, f.Queries[x.Query].Name, x.Start, x.End, note)
	}
}

func (f *File) counts(w io.Writer, r *Result) {
	for q, c := range r.Count {
		fmt.Fprintf(w, "  %s:", f.Queries[q].Name)
		for p, n := range c {
			fmt.Fprintf(w, " %s %d", f.Processors[p].Name, n)
		}
		fmt.Fprintln(w)
	}
}

func (f *File) shares(w io.Writer, r *Result) {
	for from := time.Duration(0); from < r.Finish; from += f.Share {
		fmt.Fprintf(w, "  %6v", from)
		for q, c := range r.Shares(from, from+f.Share) {
			fmt.Fprintf(w, "  %s", f.Queries[q].Name)
			for p, n := range c {
				fmt.Fprintf(w, " %s %d", f.Processors[p].Name, n)
			}
		}
		fmt.Fprintln(w)
	}
}

// Shares are the results used that ended in an interval, by query and processor.
func (r *Result) Shares(from, to time.Duration) [][]int {
	out := make([][]int, len(r.Count))
	for q := range out {
		out[q] = make([]int, len(r.Busy))
	}
	for _, x := range r.Runs {
		if x.First && x.End >= from && x.End < to {
			out[x.Query][x.Processor]++
		}
	}
	return out
}
