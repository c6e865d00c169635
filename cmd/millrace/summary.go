package main

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace"
)

// recordShownMax is how much of a row a summary line shows, in bytes.
const recordShownMax = 160

// advice says how the user sees all error rows: not at all if they are kept in a file
// already, and in the shell without a flag of millrace run.
type advice struct{ kept, shell bool }

func (a advice) stream(name string) string {
	switch {
	case a.kept:
		return ""
	case a.shell:
		return fmt.Sprintf("SELECT * FROM %s$errors shows all", name)
	}
	return fmt.Sprintf("--errors FILE or SELECT * FROM %s$errors shows all", name)
}

func (a advice) query() string {
	switch {
	case a.kept:
		return ""
	case a.shell:
		return "millrace run --errors FILE shows all"
	}
	return "--errors FILE shows all"
}

// summarize tells, one line each, which rows were set aside: nothing vanishes
// silently. Of a job that failed only the warnings are told, which may explain why.
func summarize(screen *console, stats *millrace.Stats, all advice, failed bool) {
	for _, w := range stats.Warnings {
		screen.say("warning: " + w)
	}
	if failed {
		return
	}
	for _, f := range stats.Fallbacks {
		screen.say("note: " + f)
	}
	for _, s := range stats.Streams {
		if s.RowsError > 0 {
			first := ""
			if len(s.ErrSample) > 0 {
				first = s.ErrSample[0].String()
			}
			screen.say(setAside(s.Name, s.RowsError, "malformed", first, all.stream(s.Name)))
		}
		if s.LateDropped && s.RowsLate > 0 {
			screen.say(counted(s.Name, s.RowsLate, "late and dropped"))
		} else if s.RowsLate > 0 {
			first, hint := "", ""
			if len(s.LateSample) > 0 {
				first = s.LateSample[0].Record
				hint = fmt.Sprintf("SELECT * FROM %s$late shows all", s.Name)
			}
			screen.say(setAside(s.Name, s.RowsLate, "late", first, hint))
		}
	}
	for _, e := range stats.Errors {
		first := ""
		if len(e.Sample) > 0 {
			first = e.Sample[0].String()
		}
		screen.say(setAside(e.Operator, e.Rows, "not computable", first, all.query()))
	}
}

// setAside is one summary line.
func setAside(name string, rows int64, what, first, hint string) string {
	var b strings.Builder
	b.WriteString(counted(name, rows, what+" and set aside"))
	if first != "" {
		b.WriteString("; first: " + short(first))
	}
	if hint != "" {
		b.WriteString(" (" + hint + ")")
	}
	return b.String()
}

func counted(name string, rows int64, what string) string {
	if rows == 1 {
		return fmt.Sprintf("%s: 1 row was %s", name, what)
	}
	return fmt.Sprintf("%s: %s rows were %s", name, humanize.Comma(rows), what)
}

// short makes a row fit into a line of the screen.
func short(s string) string {
	if len(s) > recordShownMax {
		return printable(s[:recordShownMax]) + "..."
	}
	return printable(s)
}
