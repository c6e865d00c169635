package simulate

import "time"

// The workloads of the published comparison (SABER, SIGMOD 2016): two queries, each of
// which another processor runs better by a published factor.

// Ring is the number of tasks in a query's ring with w CPU workers and the device: four
// for everything that runs at the same time, and four more.
func Ring(w int) int { return 4*(w+depth) + 4 }

// W1 is a projection that the device runs 5 times faster and a grouped aggregation that
// the CPU runs 6 times faster, tasks tasks of each. The lengths of tasks are not
// published; these make it optimal that the device runs the published 1 % of the
// aggregation.
func W1(tasks, workers int) *Scenario {
	const g = 1075 * time.Microsecond
	return two(tasks, workers, "projection", [2]time.Duration{5 * unit, unit}, "grouped aggregation", [2]time.Duration{g, 6 * g})
}

// W2 is a projection that the device runs 1.5 times faster and an aggregation that the CPU
// runs 1.5 times faster, and is so much longer that the published third of it on the
// device is optimal.
func W2(tasks, workers int) *Scenario {
	return two(tasks, workers, "projection", [2]time.Duration{3 * unit / 2, unit}, "aggregation", [2]time.Duration{6 * unit, 9 * unit})
}

// Selectivity is the published experiment of a selection whose predicates become expensive
// for the CPU when more rows pass, and cheap again, twice, while the device stays as it is.
func Selectivity(workers int) *Scenario {
	const phase, cheap, expensive, gpu = 5 * time.Second, 2 * unit, 40 * unit, 4 * unit
	q := Query{Name: "selection", Ring: Ring(workers)}
	for i := range 5 {
		cpu := cheap
		if i%2 == 1 {
			cpu = expensive
		}
		q.Speed = append(q.Speed, Speed{From: time.Duration(i) * phase, Task: []time.Duration{cpu, gpu}})
	}
	return &Scenario{Processors: hybrid(workers), Queries: []Query{q}, Until: 5 * phase}
}

// unit is a usual length of a task.
const unit = time.Millisecond

func two(tasks, workers int, a string, ta [2]time.Duration, b string, tb [2]time.Duration) *Scenario {
	return &Scenario{
		Processors: hybrid(workers),
		Queries: []Query{
			{a, tasks, Ring(workers), []Speed{{Task: ta[:]}}},
			{b, tasks, Ring(workers), []Speed{{Task: tb[:]}}},
		},
	}
}

// depth of the device's pipeline in the standard scenarios.
const depth = 4

func hybrid(workers int) []Processor {
	return []Processor{{"CPU", workers, 0}, {"GPU", 1, depth}}
}

// Single is one query on a device that is ratio times as fast as the CPU with its
// workers. The faster of them takes a millisecond for a task.
func Single(tasks, workers int, ratio float64) *Scenario {
	cpu, gpu := unit, time.Duration(float64(unit)/ratio)
	if ratio > 1 {
		cpu, gpu = time.Duration(float64(unit)*ratio), unit
	}
	return &Scenario{
		Processors: hybrid(workers),
		Queries:    []Query{{"query", tasks, Ring(workers), []Speed{{Task: []time.Duration{cpu, gpu}}}}},
	}
}

// Measured is a query's published throughput in MB/s with the CPU alone, the GPU alone and
// both.
type Measured struct {
	Query            string
	CPU, GPU, Hybrid float64
}

// Published are the rates of the published figures (16 cores at 2.6 GHz and one GPU). In
// them dispatching limits the sum; here nothing does.
func Published() []Measured {
	return []Measured{
		{"projection, 4 columns", 2600, 4505, 4868},
		{"selection, 16 predicates", 1975, 3944, 4829},
		{"average", 3157, 4413, 5715},
		{"group-by, 8 groups", 3385, 1916, 4077},
		{"join, 1 predicate", 107, 93, 192},
		{"selection, 1 predicate", 6358, 3950, 5985},
		{"selection, 64 predicates", 600, 3950, 3859},
	}
}

// Scenario is the query alone on 16 workers and the device, in tasks of a megabyte.
func (m Measured) Scenario(tasks int) *Scenario {
	const workers = 16
	task := func(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }
	return &Scenario{
		Processors: hybrid(workers),
		Queries:    []Query{{m.Query, tasks, Ring(workers), []Speed{{Task: []time.Duration{task(m.CPU), task(m.GPU)}}}}},
	}
}
