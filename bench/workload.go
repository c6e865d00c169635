// Package bench measures the engine on standard workloads: queries in workloads/, rows
// in data/ or generated, run through the ordinary path with an in-memory source
// (connector replay). Before anything is measured the result over a prefix is compared
// with the reference interpreter's.
//
// Files: workload.go and micro.go (what there is), input.go (rows), check.go (right before fast),
// measure.go (windows of time), memory.go (what the memory gives), report.go.
package bench

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed workloads/*.sql
var workloadFiles embed.FS

// Workload is one query with its rows.
type Workload struct {
	Name, Title string
	SQL         string
	Input       string        // name of the rows, see input.go
	Bundle      int           // rows of a lap
	Lap         time.Duration // by which event time moves on
	RowBytes    int           // of the published row format
	Touched     int           // bytes of the columns that the query reads, per row
	CheckRows   int           // rows of the prefix that is compared
}

// refused are workloads that cannot run yet, and why.
var refused = map[string]string{
	"LRB3": "its toll pipeline needs per-vehicle state that SQL here does not have yet",
	"LRB4": "its toll pipeline needs per-vehicle state that SQL here does not have yet",
}

// Names lists the workloads, in the order in which they are reported.
func Names() []string {
	return []string{"CM1", "CM2", "SG1", "SG2", "SG3", "LRB1", "LRB2", "YSB", "ME1", "NX5LS", "SCAN", "SCANALL", "SELECT", "THETA", "EQUI"}
}

// Find returns the workload of a name, in any case.
func Find(name string) (*Workload, error) {
	name = strings.ToUpper(name)
	if why, ok := refused[name]; ok {
		return nil, fmt.Errorf("workload %s is not built yet: %s", name, why)
	}
	if strings.HasPrefix(name, "NX") && name != "NX5LS" {
		return nil, fmt.Errorf("workload %s is not built yet: Nexmark's queries need parts of Flink's dialect that are not there; NX5LS is a form of query 5 that runs", name)
	}
	if w, ok, err := findMicro(name); ok {
		return w, err
	}
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no workload %s; there are %s and those of --list", name, strings.Join(Names(), ", "))
	}
	text, err := workloadFiles.ReadFile("workloads/" + name + ".sql")
	if err != nil {
		return nil, err
	}
	return parseWorkload(name, string(text))
}

// parseWorkload reads the two comment lines at a workload's head: what it is, and
// "-- rows: INPUT N  lap: D  row: BYTES  touched: BYTES  check: N".
func parseWorkload(name, text string) (*Workload, error) {
	lines := strings.SplitN(text, "\n", 3)
	w := &Workload{Name: name, SQL: text, Title: strings.TrimPrefix(lines[0], "-- ")}
	var lap string
	_, err := fmt.Sscanf(strings.Join(strings.Fields(lines[1]), " "), "-- rows: %s %d lap: %s row: %d touched: %d check: %d",
		&w.Input, &w.Bundle, &lap, &w.RowBytes, &w.Touched, &w.CheckRows)
	if err != nil {
		return nil, fmt.Errorf("workload %s: its second line: %w", name, err)
	}
	w.Lap, err = time.ParseDuration(lap)
	return w, err
}

// Script is the workload's SQL with its source's options in place.
func (w *Workload) Script(folder, ingest string, copies int, rows int64, rate float64) string {
	source := fmt.Sprintf("connector = 'replay', path = '%s', format = 'csv', header = true, timestamp_unit = 'ms', bundle = '%d', copies = '%d', lap = '%s', ingest = '%s'",
		InputPath(folder, w.Input), w.Bundle, copies, w.Lap, ingest)
	if rows >= 0 {
		source += fmt.Sprintf(", number_of_rows = '%d'", rows)
	}
	if rate > 0 {
		source += fmt.Sprintf(", rows_per_second = '%g'", rate)
	}
	return strings.NewReplacer("${source}", source, "${folder}", folder).Replace(w.SQL)
}
