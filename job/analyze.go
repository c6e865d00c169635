package job

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine"
)

// Analysis says what a job did, as people read it, behind the Explain of its plan: who ran
// what, how long that took, and what was left to others or set aside.
func (s *Stats) Analysis() string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "\nmeasured: %s rows in, %s out, %s (%s of CPU), peak %s", humanize.Comma(s.RowsIn), humanize.Comma(s.RowsOut),
		seconds(s.WallSeconds), seconds(s.CPUSeconds), bytes(s.PeakBytes))
	if s.Latency.Tasks > 0 {
		fmt.Fprintf(&sb, ", arrival to sink %s (half), %s (99 of 100)", seconds(s.Latency.P50/1e3), seconds(s.Latency.P99/1e3))
	}
	sb.WriteByte('\n')
	s.writePipelines(&sb)
	s.writeTaken(&sb)
	for i := range s.Devices {
		writeDevice(&sb, &s.Devices[i])
	}
	s.writeNotes(&sb)
	return sb.String()
}

// writePipelines is a line for each pipeline and processor that ran some of it.
func (s *Stats) writePipelines(sb *strings.Builder) {
	w := tabwriter.NewWriter(sb, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tprocessor\ttasks\trows in\trows out\tbytes in\tbusy\tscheduler's rate\t  pipeline\n")
	id := -1
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		number, out, name := "", "", ""
		switch {
		case p.Processor != "cpu":
		case p.Form == engine.PairsForm:
			name = p.Name
		default: // the first line of each
			id++
			number, out, name = fmt.Sprint(id), humanize.Comma(p.RowsOut), p.Name
		}
		rate := ""
		if p.TasksPerSecond > 0 {
			rate = fmt.Sprintf("%.4g tasks/s", p.TasksPerSecond)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t  %s\n", number, p.Processor, humanize.Comma(p.Tasks), humanize.Comma(p.RowsIn), out,
			bytes(p.BytesIn), seconds(p.BusySeconds), rate, name)
	}
	_ = w.Flush() // into a string
}

// writeTaken shows the algorithms that ran.
func (s *Stats) writeTaken(sb *strings.Builder) {
	id, head := -1, "\nalgorithms taken, by tasks or windows\n"
	for i := range s.Pipelines {
		p := &s.Pipelines[i]
		if p.Processor == "cpu" && p.Form != engine.PairsForm {
			id++
		}
		for _, c := range p.Choices {
			if len(c.Taken) == 0 {
				continue
			}
			var taken []string
			for _, name := range slices.Sorted(maps.Keys(c.Taken)) {
				taken = append(taken, fmt.Sprintf("%s %s", name, humanize.Comma(c.Taken[name])))
			}
			fmt.Fprintf(sb, "%s  %2d  %s: %s\n", head, id, c.Part, strings.Join(taken, ", "))
			head = ""
		}
	}
}

func writeDevice(sb *strings.Builder, d *engine.DeviceStats) {
	fmt.Fprintf(sb, "\ndevice %s (%s): ", d.ID, d.Name)
	if d.State != device.Closed.String() { // as every device that is well is at the end
		fmt.Fprintf(sb, "%s (%s), ", d.State, d.Reason)
	}
	fmt.Fprintf(sb, "%d tasks, %d handed back, %s moved in, %s out, depth %d, %s of %s in use, %d resets, %d evictions\n",
		d.Tasks, d.Returned, bytes(d.BytesIn), bytes(d.BytesOut), d.Depth, bytes(d.UsedBytes), bytes(d.MaxBytes), d.Resets, d.Evictions)
	st := &d.Stages
	fmt.Fprintf(sb, "  copy in %s, move in %s, execute %s, move out %s, copy out %s\n",
		seconds(st.CopyIn), seconds(st.MoveIn), seconds(st.Execute), seconds(st.MoveOut), seconds(st.CopyOut))
}

// writeNotes says what was left to others or set aside.
func (s *Stats) writeNotes(sb *strings.Builder) {
	var notes []string
	notes = append(notes, s.Fallbacks...)
	for _, st := range s.Streams {
		if st.RowsLate > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s late", st.Name, plural(int(st.RowsLate), "row", "rows")))
		}
		if st.RowsError > 0 {
			notes = append(notes, fmt.Sprintf("%s: %s malformed", st.Name, plural(int(st.RowsError), "row", "rows")))
		}
	}
	for _, e := range s.Errors {
		notes = append(notes, fmt.Sprintf("%s: %s not computable", e.Operator, plural(int(e.Rows), "row", "rows")))
	}
	notes = append(notes, s.Warnings...)
	if len(notes) > 0 {
		sb.WriteString("\nnotes\n")
	}
	for _, n := range notes {
		_, _ = io.WriteString(sb, "  "+n+"\n")
	}
}

func bytes(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// seconds has three digits that count.
func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.3g s", s)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3g ms", s*1e3)
	default:
		return fmt.Sprintf("%.3g us", s*1e6)
	}
}
