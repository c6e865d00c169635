package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/millrace/millrace/engine/schedule/simulate"
)

// Scheduling compares the scheduling policies on simulated processors in virtual time: the
// policies are the engine's, only the time of a task is given. It needs no device and
// gives the same figures on every machine.
type Scheduling struct {
	Workers int // of the CPU
	Tasks   int // of each query
}

// SchedulingRow is a figure: a workload under a policy.
type SchedulingRow struct {
	Table    string  `json:"table"` // workloads, ratios, published or selectivity
	Workload string  `json:"workload"`
	Workers  int     `json:"workers"`
	Policy   string  `json:"policy"`
	Ratio    float64 `json:"device_to_cpu,omitempty"` // ratios: the device's speed, the CPU's being 1
	From     float64 `json:"from,omitempty"`          // selectivity: the second in which the row begins
	CPUTask  float64 `json:"cpu_task_ms,omitempty"`   // selectivity: what a task costs the CPU
	Seconds  float64 `json:"seconds"`
	// Better is the throughput relative to the faster processor alone (ratios, published)
	// or to the optimum of a linear program (workloads).
	Better float64  `json:"relative,omitempty"`
	Most   float64  `json:"possible,omitempty"` // the most that Better can be
	Counts [][]int  `json:"tasks"`              // by query and processor
	Paper  string   `json:"published,omitempty"`
	Rate   float64  `json:"published_mb_per_second,omitempty"` // workloads: under the row's policy
	names  []string // of queries
}

// ratios of the device's speed to the CPU's.
var schedulingRatios = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.33, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 50, 100}

var schedulingPolicies = append(simulate.Policies(), "hls-first-fit")

// Run plays everything and gives the rows, table by table.
func (s Scheduling) Run() ([]SchedulingRow, error) {
	var out []SchedulingRow
	for _, part := range []func() ([]SchedulingRow, error){s.workloads, s.ratios, s.published, s.selectivity} {
		rows, err := part()
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func (s Scheduling) row(table, workload, policy string, sc *simulate.Scenario) (SchedulingRow, error) {
	r, err := sc.Run(policy)
	if err != nil {
		return SchedulingRow{}, fmt.Errorf("%s under %s: %w", workload, policy, err)
	}
	row := SchedulingRow{Table: table, Workload: workload, Workers: sc.Processors[0].Lanes, Policy: policy, Seconds: r.Finish.Seconds(), Counts: r.Count}
	for _, q := range sc.Queries {
		row.names = append(row.names, q.Name)
	}
	return row, nil
}

func (s Scheduling) workloads() (out []SchedulingRow, err error) {
	for _, w := range []struct {
		name, paper string
		rates       map[string]float64
		scenario    *simulate.Scenario
	}{
		{"W1", "the device runs about 1 % of the aggregation", map[string]float64{"hls": 1249, "fcfs": 259, "static": 994}, simulate.W1(s.Tasks, s.Workers)},
		{"W2", "CPU:GPU 1:2.5 and 1:0.5", map[string]float64{"hls": 4091, "fcfs": 3545, "static": 2912}, simulate.W2(s.Tasks, s.Workers)},
	} {
		best := simulate.Optimum(w.scenario.Rates())
		for _, p := range schedulingPolicies {
			row, err := s.row("workloads", w.name, p, w.scenario)
			if err != nil {
				return nil, err
			}
			row.Better, row.Most, row.Paper, row.Rate = best/row.Seconds, 1, w.paper, w.rates[p]
			out = append(out, row)
		}
	}
	return out, nil
}

// alone compares hls and fcfs with the faster of two processors alone.
func (s Scheduling) alone(table, name string, sc *simulate.Scenario) (out []SchedulingRow, err error) {
	times := sc.Queries[0].Speed[0].Task
	cpu, gpu := times[0].Seconds(), times[1].Seconds()
	for _, p := range []string{"hls", "fcfs"} {
		row, err := s.row(table, name, p, sc)
		if err != nil {
			return nil, err
		}
		row.Ratio = cpu / gpu
		row.Better = float64(sc.Queries[0].Tasks) * min(cpu, gpu) / row.Seconds
		row.Most = 1 + min(cpu, gpu)/max(cpu, gpu)
		out = append(out, row)
	}
	return out, nil
}

func (s Scheduling) ratios() (out []SchedulingRow, err error) {
	for _, r := range schedulingRatios {
		rows, err := s.alone("ratios", fmt.Sprintf("device at %g", r), simulate.Single(s.Tasks, s.Workers, r))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func (s Scheduling) published() (out []SchedulingRow, err error) {
	for _, m := range simulate.Published() {
		rows, err := s.alone("published", m.Query, m.Scenario(s.Tasks))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			rows[i].Paper = fmt.Sprintf("%.0f %.0f %.0f", m.CPU, m.GPU, m.Hybrid)
		}
		out = append(out, rows...)
	}
	return out, nil
}

// schedulingStep is what a row of selectivity covers.
const schedulingStep = 500 * time.Millisecond

func (s Scheduling) selectivity() (out []SchedulingRow, err error) {
	sc := simulate.Selectivity(s.Workers)
	r, err := sc.Run("hls")
	if err != nil {
		return nil, fmt.Errorf("selectivity: %w", err)
	}
	speeds := sc.Queries[0].Speed
	for from := time.Duration(0); from < sc.Until; from += schedulingStep {
		for len(speeds) > 1 && speeds[1].From <= from {
			speeds = speeds[1:]
		}
		out = append(out, SchedulingRow{
			Table: "selectivity", Workload: "selectivity", Workers: s.Workers, Policy: "hls",
			From: from.Seconds(), CPUTask: 1e3 * speeds[0].Task[0].Seconds(), Seconds: schedulingStep.Seconds(), Counts: r.Shares(from, from+schedulingStep),
		})
	}
	return out, nil
}

// WriteScheduling writes the rows as tables.
func WriteScheduling(out io.Writer, rows []SchedulingRow) error {
	for from, to := 0, 0; from < len(rows); from = to {
		for to < len(rows) && rows[to].table() == rows[from].table() {
			to++
		}
		if from > 0 {
			fmt.Fprintln(out)
		}
		if err := writeSchedulingTable(out, rows[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// table is what a row's table has in common.
func (r *SchedulingRow) table() string {
	if r.Table == "workloads" {
		return r.Workload
	}
	return r.Table
}

func writeSchedulingTable(out io.Writer, rows []SchedulingRow) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	r := rows[0]
	switch r.Table {
	case "workloads":
		fmt.Fprintf(out, "%s: %s, %d tasks of each, %d workers\n", r.Workload, strings.Join(r.names, " and "), sum(r.Counts[0]), r.Workers)
		fmt.Fprintf(out, "published: %s\n", r.Paper)
		fmt.Fprintf(w, "\tseconds\tof optimum\tCPU:GPU, %s\t%s\tpublished MB/s\t\n", r.names[0], r.names[1])
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%.3f\t%.1f %%\t%s\t%s\t%s\t\n", r.Policy, r.Seconds, 100*r.Better, split(r.Counts[0]), split(r.Counts[1]), rateOrNone(r.Rate))
		}
	case "ratios":
		fmt.Fprintf(out, "One query, a device at a ratio of the CPU's speed, %d workers; throughput, the faster one alone being 1\n", r.Workers)
		fmt.Fprintln(w, "ratio\thls\tfcfs\tsum\ttasks CPU\tGPU\t")
		for i, r := range rows {
			if r.Policy == "hls" {
				fmt.Fprintf(w, "%.3g\t%.3f\t%.3f\t%.3f\t%d\t%d\t\n", r.Ratio, r.Better, rows[i+1].Better, r.Most, r.Counts[0][0], r.Counts[0][1])
			}
		}
	case "published":
		fmt.Fprintf(out, "One query at published rates in MB/s, %d workers: what the policies make of both processors\n", r.Workers)
		fmt.Fprintln(w, "\tCPU, GPU, both published\thls\tfcfs\tsum\t")
		for i, r := range rows {
			if r.Policy == "hls" {
				rate := float64(sum(r.Counts[0])) / r.Seconds
				fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f\t%.0f\t\n", r.Workload, r.Paper, rate, rate*rows[i+1].Better/r.Better, rate*r.Most/r.Better)
			}
		}
	case "selectivity":
		fmt.Fprintf(out, "One query under hls, %d workers, whose tasks become expensive on the CPU and cheap again: tasks per second\n", r.Workers)
		fmt.Fprintln(w, "seconds\tCPU, ms a task\tCPU\tGPU\t")
		for ; len(rows) >= schedulingSum; rows = rows[schedulingSum:] {
			cpu, gpu, seconds := 0, 0, 0.0
			for _, r := range rows[:schedulingSum] {
				cpu, gpu, seconds = cpu+r.Counts[0][0], gpu+r.Counts[0][1], seconds+r.Seconds
			}
			fmt.Fprintf(w, "%.1f-%.1f\t%.0f\t%.0f\t%.0f\t\n", rows[0].From, rows[0].From+seconds, rows[0].CPUTask, float64(cpu)/seconds, float64(gpu)/seconds)
		}
	}
	return w.Flush()
}

// schedulingSum is how many rows of selectivity make one in the table.
const schedulingSum = 5

func rateOrNone(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", v)
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// split is how a query's tasks went to the CPU and the device.
func split(counts []int) string {
	if counts[0] == 0 {
		return "0:1"
	}
	return fmt.Sprintf("1:%.3g", float64(counts[1])/float64(counts[0]))
}

// WriteSchedulingJSON writes one object a line.
func WriteSchedulingJSON(out io.Writer, rows []SchedulingRow) error {
	e := json.NewEncoder(out)
	for i := range rows {
		if err := e.Encode(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}
