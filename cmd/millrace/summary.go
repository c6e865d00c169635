package main

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace"
)

// recordShownMax is how much of a row a summary line shows, in bytes.
const recordShownMax = 160

// summarize tells, one line each, which rows were set aside: nothing vanishes
// silently. If errorsKept, the user has all error rows in a file already.
func summarize(screen *console, stats *millrace.Stats, errorsKept bool) {
	for _, w := range stats.Warnings {
		screen.say("warning: " + w)
	}
	for _, s := range stats.Streams {
		if s.RowsError > 0 {
			first, hint := "", ""
			if len(s.ErrSample) > 0 {
				first = s.ErrSample[0].String()
			}
			if !errorsKept {
				hint = fmt.Sprintf("--errors FILE or SELECT * FROM %s$errors shows all", s.Name)
			}
			screen.say(setAside(s.Name, s.RowsError, "malformed", first, hint))
		}
		if s.RowsLate > 0 {
			first, hint := "", ""
			if len(s.LateSample) > 0 {
				first = s.LateSample[0].Record
				hint = fmt.Sprintf("SELECT * FROM %s$late shows all", s.Name)
			}
			screen.say(setAside(s.Name, s.RowsLate, "late", first, hint))
		}
	}
	for _, e := range stats.Errors {
		first, hint := "", ""
		if len(e.Sample) > 0 {
			first = e.Sample[0].String()
		}
		if !errorsKept {
			hint = "--errors FILE shows all"
		}
		screen.say(setAside(e.Operator, e.Rows, "not computable", first, hint))
	}
}

// setAside is one summary line.
func setAside(name string, rows int64, what, first, hint string) string {
	var b strings.Builder
	if rows == 1 {
		fmt.Fprintf(&b, "%s: 1 row was %s and set aside", name, what)
	} else {
		fmt.Fprintf(&b, "%s: %s rows were %s and set aside", name, humanize.Comma(rows), what)
	}
	if first != "" {
		b.WriteString("; first: " + short(first))
	}
	if hint != "" {
		b.WriteString(" (" + hint + ")")
	}
	return b.String()
}

// short makes a row fit into a line of the screen.
func short(s string) string {
	if len(s) > recordShownMax {
		return printable(s[:recordShownMax]) + "..."
	}
	return printable(s)
}
