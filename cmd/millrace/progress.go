package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace"
)

const (
	progressEvery = 200 * time.Millisecond // between two redraws
	rateOver      = 2 * time.Second        // the rate shown is that of the last two seconds
)

// progress draws the progress line of a running job until stop is called, which
// takes it away and returns when nothing more is drawn.
func (c *console) progress(read func() millrace.Progress) (stop func()) {
	if !c.t.errTTY || c.t.outPipe || c.typing {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		var rate rateMeter
		for {
			select {
			case <-quit:
				c.status("")
				return
			case <-ticker.C:
				p := read()
				c.status(progressLine(p, rate.update(p.Elapsed, p.RowsIn)))
			}
		}
	}()
	return func() { close(quit); <-done }
}

// progressLine is plain ASCII, so that it can be cut at the terminal's width.
func progressLine(p millrace.Progress, rowsPerSecond float64) string {
	parts := []string{
		fmt.Sprintf("%s rows/s", humanize.Comma(int64(rowsPerSecond))),
		fmt.Sprintf("%s rows in", humanize.Comma(p.RowsIn)),
		fmt.Sprintf("%s out", humanize.Comma(p.RowsOut)),
	}
	if p.BytesTotal > 0 {
		parts = append(parts, fmt.Sprintf("%d %%", min(100, 100*p.BytesIn/p.BytesTotal)))
	}
	parts = append(parts, fmt.Sprintf("%d:%02d", int(p.Elapsed.Minutes()), int(p.Elapsed.Seconds())%60))
	if who := shares(p.Processors); who != "" {
		parts = append(parts, who)
	}
	return "  " + strings.Join(parts, "  |  ")
}

// shares says which part of the rows that several processors can compute with each has had.
func shares(list []millrace.ProcessorStats) string {
	total := int64(0)
	for _, p := range list {
		total += p.SharedRows
	}
	if len(list) < 2 || total == 0 {
		return ""
	}
	var parts []string
	for _, p := range list {
		parts = append(parts, fmt.Sprintf("%s %d %%", p.Name, (100*p.SharedRows+total/2)/total))
	}
	return strings.Join(parts, ", ")
}

// rateMeter turns a growing count into a rate over the recent past.
type rateMeter struct {
	at   []time.Duration
	rows []int64
}

func (r *rateMeter) update(at time.Duration, rows int64) float64 {
	if len(r.at) == 0 {
		r.at, r.rows = append(r.at, 0), append(r.rows, 0)
	}
	r.at, r.rows = append(r.at, at), append(r.rows, rows)
	for len(r.at) > 2 && at-r.at[1] >= rateOver {
		r.at, r.rows = r.at[1:], r.rows[1:]
	}
	if at <= r.at[0] {
		return 0
	}
	return float64(rows-r.rows[0]) / (at - r.at[0]).Seconds()
}
