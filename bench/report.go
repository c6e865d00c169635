package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/millrace/millrace"
	"time"
)

// line is a result for machines: medians, then the ends.
type line struct {
	Workload     string  `json:"workload"`
	Ingest       string  `json:"ingest"`
	Set          string  `json:"set"`
	Workers      int     `json:"workers"`
	Processors   string  `json:"processors"`
	Rows         int64   `json:"rows"`
	Seconds      float64 `json:"seconds"`
	RowsPerSec   float64 `json:"rows_per_second"`
	RowsMin      float64 `json:"rows_per_second_min"`
	RowsMax      float64 `json:"rows_per_second_max"`
	OutPerSec    float64 `json:"rows_out_per_second"`
	BytesPerSec  float64 `json:"bytes_per_second"`
	TouchedBytes float64 `json:"touched_bytes_per_second"`
	MemoryShare  float64 `json:"memory_share,omitempty"`
	CPU          float64 `json:"cpu_seconds_per_million_rows"`
	CPUMin       float64 `json:"cpu_seconds_per_million_rows_min"`
	CPUMax       float64 `json:"cpu_seconds_per_million_rows_max"`
	P50          float64 `json:"p50_ms,omitempty"`
	P99          float64 `json:"p99_ms,omitempty"`
	P999         float64 `json:"p999_ms,omitempty"`
	LatencyTasks int64   `json:"latency_tasks,omitempty"`
	PeakBytes    int64   `json:"peak_bytes"`
	Checksum     string  `json:"checksum"`
	CheckedRows  int     `json:"checked_rows"`
	WholeRows    int64   `json:"whole_rows"`
	WholeOut     int64   `json:"whole_rows_out"`
	WholeSeconds float64 `json:"whole_seconds"`
	Target       float64 `json:"latency_target_ms,omitempty"`
	TaskShare    float64 `json:"task_share,omitempty"`
	Pinned       *int64  `json:"pinned,omitempty"` // only if asked for; 0: the system did not
	// PerProcessor is what each did, if there are others than the CPU.
	PerProcessor []millrace.ProcessorStats `json:"per_processor,omitempty"`
	// Fallbacks says what devices left to the CPU, and why.
	Fallbacks []string `json:"fallbacks,omitempty"`
}

// WriteJSON writes a result as one JSON object on a line.
func WriteJSON(w io.Writer, r *Result) error {
	l := line{
		Workload: r.Workload, Ingest: r.Ingest, Set: r.Set, Workers: r.Workers, Processors: r.Processors, PerProcessor: r.PerProcessor, Fallbacks: r.Fallbacks, Rows: r.Rows, Seconds: r.Seconds,
		RowsPerSec: r.RowsPerSecond.Median, RowsMin: r.RowsPerSecond.Min, RowsMax: r.RowsPerSecond.Max, OutPerSec: r.RowsOutPerSecond.Median,
		BytesPerSec: r.BytesPerSecond(), TouchedBytes: r.TouchedBytesPerSecond(),
		CPU: r.CPUPerMillionRows.Median, CPUMin: r.CPUPerMillionRows.Min, CPUMax: r.CPUPerMillionRows.Max,
		PeakBytes: r.PeakBytes, Checksum: fmt.Sprintf("%016x", r.Checksum), CheckedRows: r.CheckedRows,
		MemoryShare: r.MemoryShare(), WholeRows: r.Whole.Rows, WholeOut: r.Whole.RowsOut, WholeSeconds: r.Whole.Seconds,
	}
	if r.Latency != nil {
		l.P50, l.P99, l.P999, l.LatencyTasks = r.Latency.P50, r.Latency.P99, r.Latency.P999, r.Latency.Tasks
	}
	if r.LatencyTarget > 0 {
		l.Target, l.TaskShare = milliseconds(r.LatencyTarget), r.TaskShare
	}
	if r.Pin {
		l.Pinned = &r.Pinned
	}
	return json.NewEncoder(w).Encode(l)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// WriteHead writes the head of the table that WriteRow fills with results of c: its last
// columns, of the latency target and of pinned workers, are there if c has them.
func WriteHead(w io.Writer, c Config) error {
	_, err := fmt.Fprintf(w, "%-15s %-6s %-6s %3s %9s %19s %10s %9s %9s %6s %9s %7s %7s %7s %9s %7s%s\n",
		"query", "ingest", "set", "wrk", "M rows/s", "(min - max)", "M out/s", "GB/s", "read GB/s", "mem %", "CPU s/M", "p50 ms", "p99", "p99.9", "whole M/s", "peak MB", columnsIf(c.LatencyTarget > 0, "%10s %7s", "target ms", "share %")+columnsIf(c.Pin, "%7s", "pinned")+columnsIf(c.devices(), "rows by processor"))
	return err
}

// columnsIf are more columns of a line, or nothing.
func columnsIf(there bool, format string, args ...any) string {
	if !there {
		return ""
	}
	return " " + fmt.Sprintf(format, args...)
}

// WriteRow writes a result for people: rows in and out, row-format and touched bytes, the
// latter as a share of what memory gives, processor seconds per million rows, latency, the
// rate of the whole run, and what became of a latency target and of pinning.
func WriteRow(w io.Writer, r *Result) error {
	share := "-"
	if r.MemoryBytesPerSecond > 0 {
		share = fmt.Sprintf("%.0f", r.MemoryShare()*100)
	}
	p50, p99, p999 := "-", "-", "-"
	if l := r.Latency; l != nil {
		p50, p99, p999 = fmt.Sprintf("%.2f", l.P50), fmt.Sprintf("%.2f", l.P99), fmt.Sprintf("%.2f", l.P999)
	}
	_, err := fmt.Fprintf(w, "%-15s %-6s %-6s %3d %9.1f %19s %10.1f %9.2f %9.2f %6s %9.4f %7s %7s %7s %9.1f %7d%s\n", r.Workload, r.Ingest, r.Set, r.Workers,
		r.RowsPerSecond.Median/1e6, fmt.Sprintf("(%.1f - %.1f)", r.RowsPerSecond.Min/1e6, r.RowsPerSecond.Max/1e6), r.RowsOutPerSecond.Median/1e6,
		r.BytesPerSecond()/1e9, r.TouchedBytesPerSecond()/1e9, share, r.CPUPerMillionRows.Median, p50, p99, p999, float64(r.Whole.Rows)/r.Whole.Seconds/1e6, r.PeakBytes>>20,
		columnsIf(r.LatencyTarget > 0, "%10.1f %7.1f", milliseconds(r.LatencyTarget), r.TaskShare*100)+columnsIf(r.Pin, "%7d", r.Pinned)+columnsIf(len(r.PerProcessor) > 0, "%s", r.shares()))
	return err
}

// shares says who had which part of the rows that several processors can compute with.
func (r *Result) shares() string {
	total := int64(0)
	for _, p := range r.PerProcessor {
		total += p.SharedRows
	}
	if total == 0 {
		return "cpu only"
	}
	var parts []string
	for _, p := range r.PerProcessor {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", p.Name, 100*float64(p.SharedRows)/float64(total)))
	}
	return strings.Join(parts, ", ")
}
