package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Sweep is a series of measurements in which one thing varies.
type Sweep struct {
	Name, Title, XLabel string
	families            []string // of micro-workloads, whose number varies; nil: Config varies
	workloads           []string // measured if none are named; only if Config varies
	values              func() []int
	set                 func(c *Config, n int)
}

var sweeps = []Sweep{
	{Name: "slide", Title: "Sliding windows of a minute", XLabel: "slide, seconds", families: []string{"SUM", "AVG", "MIN"}},
	{Name: "predicates", Title: "Selection by conditions of which one is to hold", XLabel: "predicates", families: []string{"FILTER"}},
	{Name: "selectivity", Title: "Selection by one condition", XLabel: "rows that pass, %", families: []string{"SELECTIVITY"}},
	{Name: "expressions", Title: "Projection", XLabel: "expressions", families: []string{"PROJECT"}},
	{Name: "groups", Title: "Sums by a BIGINT key", XLabel: "groups", families: []string{"GROUP", "GROUPZIPF"}},
	{Name: "pairs", Title: "Theta join of windows of 1024 rows", XLabel: "predicates", families: []string{"THETAJOIN"}},
	{Name: "task-size", Title: "Size of tasks", XLabel: "task, KiB", workloads: []string{"CM1", "SG1", "LRB1"}, values: taskKiB, set: func(c *Config, n int) { c.TaskBytes = int64(n) << 10 }},
	{Name: "workers", Title: "Workers", XLabel: "workers", workloads: []string{"CM1", "SG2", "LRB2"}, values: workerCounts, set: func(c *Config, n int) { c.Workers = n }},
}

func taskKiB() []int { return []int{64, 128, 256, 512, 1024, 2048, 4096} }

func workerCounts() []int {
	var out []int
	for n := 1; n < runtime.NumCPU(); n *= 2 {
		out = append(out, n)
	}
	return append(out, runtime.NumCPU())
}

// Sweeps lists the sweeps there are.
func Sweeps() []Sweep { return sweeps }

// FindSweep returns the sweep of a name.
func FindSweep(name string) (*Sweep, error) {
	var names []string
	for i := range sweeps {
		if strings.EqualFold(sweeps[i].Name, name) {
			return &sweeps[i], nil
		}
		names = append(names, sweeps[i].Name)
	}
	return nil, fmt.Errorf("there is no sweep %q; there are %s", name, strings.Join(names, ", "))
}

// step is one measurement of a sweep.
type step struct {
	series, workload string
	x                int
	config           Config
}

func (s *Sweep) steps(names []string, c Config) ([]step, error) {
	var out []step
	if s.families != nil {
		if len(names) > 0 {
			return nil, fmt.Errorf("the sweep %s measures %s; it takes no workloads", s.Name, strings.Join(s.families, ", "))
		}
		for _, f := range s.families {
			at := slices.IndexFunc(micros, func(m micro) bool { return m.name == f })
			for _, n := range micros[at].values {
				out = append(out, step{f, fmt.Sprintf("%s:%d", f, n), n, c})
			}
		}
		return out, nil
	}
	if len(names) == 0 {
		names = s.workloads
	}
	for _, name := range names {
		for _, n := range s.values() {
			at := step{strings.ToUpper(name), name, n, c}
			s.set(&at.config, n)
			out = append(out, at)
		}
	}
	return out, nil
}

// Check says whether the sweep can be run over these workloads.
func (s *Sweep) Check(names []string) error {
	steps, err := s.steps(names, Config{})
	for _, at := range steps {
		if _, e := Find(at.workload); err == nil {
			err = e
		}
	}
	return err
}

// Run measures the sweep's steps and hands each result to report as it is there. names
// are workloads for the sweeps that vary how they run; nil: a choice of the sweep's.
func (s *Sweep) Run(ctx context.Context, names []string, c Config, report func(*Result) error) (*Chart, error) {
	steps, err := s.steps(names, c)
	if err != nil {
		return nil, err
	}
	r, remove, err := newRunner(c)
	if err != nil {
		return nil, err
	}
	defer remove()
	chart := &Chart{Title: s.Title, XLabel: s.XLabel}
	for _, at := range steps {
		w, err := Find(at.workload)
		if err != nil {
			return nil, err
		}
		r.config = at.config
		err = r.run(ctx, w, func(res *Result) error {
			series := at.series
			if c.Ingest == "both" {
				series += " " + res.Ingest
			}
			chart.add(series, float64(at.x), res)
			return report(res)
		})
		if err != nil {
			return nil, err
		}
	}
	return chart, nil
}
