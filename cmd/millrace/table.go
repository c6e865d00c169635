package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// A table shows a result of unknown, perhaps endless length in aligned columns.
// Widths must be chosen before the first line is written, so a table holds back its
// first rows and takes the widths from them; the rows behind follow in the same
// widths, and a value that is too wide pushes its line out rather than being cut, unless
// it is a text and the terminal is small.
//
//   - A result of up to tableSampleRows rows is shown whole and exactly fitted.
//   - When input pauses (Flush) or rows have waited long enough, what is there is
//     shown, with room for the wider values that may come (roomFor).
//   - Tables of several queries that end whole are shown in the queries' order. Longer
//     ones take turns: each turn begins with the table's label and header.
type table struct {
	screen  *console
	query   int    // number among the job's results
	label   string // of a job with several results, else ""
	columns []int  // of the schema, visible
	schema  *stream.Schema
	wait    time.Duration
	blanks  bool // NULL is shown as nothing

	mu     sync.Mutex
	held   [][]string // rows that wait for the widths
	widths []int      // nil until settled
	// On a terminal that is too small for the columns some are narrowed (fit.go).
	narrowed, shortened bool
	rows                int64
	timer               *time.Timer
	due                 time.Time    // the rows held back are shown by then
	pending             bytes.Buffer // formatted rows of the current batch
	cell                []byte
	failed              error // of a write by the timer; reported by the next call
}

const (
	tableSampleRows = 1000                   // rows that choose the widths
	tableWait       = 300 * time.Millisecond // the longest they are held back
	tablesWait      = 2 * time.Second        // the same, if several tables share the screen
	tablePause      = 50 * time.Millisecond  // the same, once input pauses
	cellWidthMax    = 60                     // a column is not made wider for longer texts
)

func newTable(screen *console, query int, label string, schema *stream.Schema, columns []int) *table {
	t := &table{screen: screen, query: query, label: label, schema: schema, columns: columns, wait: tableWait}
	if label != "" {
		t.wait = tablesWait
	}
	return t
}

// WriteBatch shows rows [from, to), now or when the widths are chosen.
func (t *table) WriteBatch(b *stream.Batch, from, to int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for row := from; row < to && t.failed == nil; row++ {
		t.rows++
		if t.widths != nil {
			t.appendRow(func(i int) []byte {
				t.cell = appendCell(t.cell[:0], b.Column(t.columns[i]), row)
				return t.cell
			})
			continue
		}
		t.hold(b, row)
		if len(t.held) == tableSampleRows {
			t.settle(false)
		}
	}
	if t.failed == nil && t.pending.Len() > 0 {
		t.failed = t.show()
	}
	if t.timer == nil {
		t.showWithin(t.wait)
	}
	return t.failed
}

// showWithin shows the rows held back after a while, unless Close comes first.
func (t *table) showWithin(wait time.Duration) {
	if t.widths != nil || len(t.held) == 0 {
		return
	}
	t.stopTimer()
	if t.due.IsZero() {
		t.due = time.Now().Add(t.wait)
	}
	t.timer = time.AfterFunc(min(wait, time.Until(t.due)), func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.widths == nil && len(t.held) > 0 && t.failed == nil {
			t.settle(false)
			t.failed = t.show()
		}
	})
}

func (t *table) hold(b *stream.Batch, row int) {
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		if t.blanks && b.Column(c).IsNull(row) {
			continue
		}
		t.cell = appendCell(t.cell[:0], b.Column(c), row)
		cells[i] = string(t.cell)
	}
	t.held = append(t.held, cells)
}

// Flush shows what is held back, very soon: a Flush right before Close is the end of
// the result, whose widths Close then chooses knowing all rows.
func (t *table) Flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.showWithin(tablePause)
	return t.failed
}

// Close shows the rest and the number of rows.
func (t *table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopTimer()
	if t.failed != nil {
		return t.failed
	}
	if t.widths != nil {
		err := t.screen.show([]byte(t.footer()))
		return errors.Join(err, t.screen.finish(t.query, nil))
	}
	t.failed = t.screen.finish(t.query, t.whole(true))
	return t.failed
}

// Abort shows the rows held back: they are results, whatever happened behind them.
func (t *table) Abort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopTimer()
	if t.failed == nil && t.widths == nil && len(t.held) > 0 {
		t.failed = t.screen.finish(t.query, t.whole(false))
	} else {
		_ = t.screen.finish(t.query, nil) // writes nothing of this table
	}
	t.held = nil
}

// whole formats a table that ends before its widths were chosen.
func (t *table) whole(footer bool) []byte {
	t.settle(true)
	var out bytes.Buffer
	t.appendHeader(&out)
	out.Write(t.pending.Bytes())
	if footer {
		out.WriteString(t.footer())
	}
	return out.Bytes()
}

// Snapshot keeps the count that the footer shows.
func (t *table) Snapshot(w *state.Writer) { w.Int(t.rows) }

// Restore goes on counting where Snapshot was.
func (t *table) Restore(r *state.Reader) error {
	t.rows = r.Int()
	return r.End()
}

func (t *table) stopTimer() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// settle chooses the widths and formats the rows held back. If complete, no rows
// will follow.
func (t *table) settle(complete bool) {
	t.widths = make([]int, len(t.columns))
	longest := make([]int, len(t.columns))
	for i, c := range t.columns {
		f := t.schema.Fields[c]
		t.widths[i] = runewidth.StringWidth(printable(f.Name))
		if !complete {
			t.widths[i] = max(t.widths[i], roomFor(f.Type))
		}
		longest[i] = t.widths[i]
		for _, row := range t.held {
			longest[i] = max(longest[i], runewidth.StringWidth(row[i]))
		}
		t.widths[i] = max(t.widths[i], min(longest[i], cellWidthMax))
	}
	t.fit(longest)
	for _, row := range t.held {
		t.appendRow(func(i int) []byte { return append(t.cell[:0], row[i]...) })
	}
	t.held = nil
}

// roomFor is the width of values that may still come.
func roomFor(typ stream.Type) int {
	switch typ {
	case stream.Timestamp:
		return len("2026-01-02 03:04:05")
	case stream.TimeOfDay:
		return len("03:04:05")
	case stream.Boolean:
		return len("false")
	default:
		return 10
	}
}

// show writes the formatted rows as one piece, below the table's header if another
// table, or none, wrote before.
func (t *table) show() error {
	s := t.screen
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != t {
		var head bytes.Buffer
		t.appendHeader(&head)
		if err := s.writeTable(head.Bytes()); err != nil {
			return err
		}
		s.holder = t
	}
	err := s.writeResults(t.pending.Bytes())
	t.pending.Reset()
	return err
}

func (t *table) appendHeader(w *bytes.Buffer) {
	if t.label != "" {
		fmt.Fprintf(w, "%s:\n", t.label)
	}
	for i, c := range t.columns {
		separate(w, i, " │ ")
		name := printable(t.schema.Fields[c].Name)
		pad(w, t.widths[i]-runewidth.StringWidth(name), t.rightAligned(i), i == len(t.columns)-1, []byte(name))
	}
	w.WriteByte('\n')
	for i, width := range t.widths {
		separate(w, i, "─┼─")
		for range width {
			w.WriteString("─")
		}
	}
	w.WriteString("─\n")
}

func (t *table) appendRow(cell func(i int) []byte) {
	for i := range t.columns {
		separate(&t.pending, i, " │ ")
		text := t.shorten(i, cell(i))
		pad(&t.pending, t.widths[i]-displayWidth(text), t.rightAligned(i), i == len(t.columns)-1, text)
	}
	t.pending.WriteByte('\n')
}

func separate(w *bytes.Buffer, i int, between string) {
	switch {
	case i > 0:
		w.WriteString(between)
	case between == "─┼─":
		w.WriteString("─")
	default:
		w.WriteByte(' ')
	}
}

// pad writes text with blanks before it, or behind it unless it is the last.
func pad(w *bytes.Buffer, blanks int, right, last bool, text []byte) {
	for ; right && blanks > 0; blanks-- {
		w.WriteByte(' ')
	}
	w.Write(text)
	for ; !last && blanks > 0; blanks-- {
		w.WriteByte(' ')
	}
}

func (t *table) rightAligned(i int) bool {
	typ := t.schema.Fields[t.columns[i]].Type
	return typ.IsNumeric() || typ == stream.Interval
}

func (t *table) footer() string {
	rows := fmt.Sprintf("%d rows", t.rows)
	if t.rows == 1 {
		rows = "1 row"
	}
	if t.label != "" {
		rows = t.label + ": " + rows
	}
	if t.shortened {
		rows += "; texts are cut to fit the screen, --format csv shows them whole"
	}
	return "(" + rows + ")\n"
}
