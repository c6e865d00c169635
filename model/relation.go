package model

import (
	"fmt"

	"github.com/millrace/millrace/stream"
)

// WindowKind is the form of a window.
type WindowKind uint8

// The window forms. Instant forms are CQL's sliding windows evaluated after each
// instant (a row, or for a lone RangeInstant a distinct event time).
const (
	NoWindow      WindowKind = iota
	Rows                     // [ROWS size SLIDE slide]: window i covers rows i*slide .. i*slide+size-1
	Range                    // [RANGE size SLIDE slide]: [k*slide, k*slide+size), k any integer
	Cumulate                 // [k*size, k*size + i*slide) for i = 1 .. size/slide, k any integer
	Session                  // [SESSION size]: rows of each PartitionBy that follow each other by less than size
	RowsInstant              // [ROWS size]: after each row the last size rows
	RangeInstant             // [RANGE size]: after each instant t the rows of (t-size, t]
	PartitionRows            // [PARTITION BY k ROWS size]: after each row the last size rows of each k
)

var windowKindNames = [...]string{"none", "rows", "range", "cumulate", "session", "rows-instant", "range-instant", "partition-rows"}

func (k WindowKind) String() string {
	if int(k) < len(windowKindNames) {
		return windowKindNames[k]
	}
	return fmt.Sprintf("WindowKind(%d)", uint8(k))
}

// ParseWindowKind is the inverse of String.
func ParseWindowKind(s string) (WindowKind, bool) {
	for i, n := range windowKindNames {
		if n == s {
			return WindowKind(i), true
		}
	}
	return NoWindow, false
}

// Instant reports whether the window is evaluated per instant.
func (k WindowKind) Instant() bool { return k >= RowsInstant }

// Timed reports whether size and slide are microseconds of event time.
func (k WindowKind) Timed() bool { return k.Spans() || k == RangeInstant }

// Spans reports whether the windows close and lie between two times, so that they have
// window_start, window_end and window_time.
func (k WindowKind) Spans() bool { return k == Range || k == Cumulate || k == Session }

// Window describes a window. Size and Slide are rows for the row forms and
// microseconds for the time forms; Slide is 0 for sessions and
// instant forms.
type Window struct {
	Kind        WindowKind
	Size, Slide int64
	PartitionBy []int // columns of the input; Session and PartitionRows only
}

// Relation is what an edge carries: a stream of rows of one schema and what is known
// about it.
//
// A relation that carries a (non-instant) window is an expanded one: it holds each
// row once for every window the row belongs to, ordered by (window_end, window_start)
// or by window_index, and has the window's columns, by role, hidden or visible.
type Relation struct {
	Schema *stream.Schema
	// Time is the column of event time, by which the rows are ordered; -1: arrival order.
	Time int
	// Window is the window carried; nil: none.
	Window *Window
	// Bounded: the rows end.
	Bounded bool
	// Changelog: rows have kinds. Always false in this version: every edge is append-only.
	Changelog bool
}

// Windowed reports whether the relation carries a window that closes (not per instant).
func (r *Relation) Windowed() bool { return r.Window != nil && !r.Window.Kind.Instant() }

// Instant reports whether the relation is re-evaluated at every instant, and so
// must end in an Emit operator before a sink.
func (r *Relation) Instant() bool { return r.Window != nil && r.Window.Kind.Instant() }
