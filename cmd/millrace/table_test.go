package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/stream"
)

var tableSchema = stream.NewSchema(
	stream.Field{Name: "at", Type: stream.Timestamp},
	stream.Field{Name: "$time", Type: stream.Timestamp, Hidden: true},
	stream.Field{Name: "n", Type: stream.Integer},
	stream.Field{Name: "share", Type: stream.Double},
	stream.Field{Name: "ok", Type: stream.Boolean},
	stream.Field{Name: "name", Type: stream.Varchar},
)

func tableRow(n int, name string) []stream.Value {
	at := stream.Time(1767322800000000 + int64(n)*1500000)
	return []stream.Value{at, at, stream.Int(int32(n)), stream.Dbl(float64(n) / 8), stream.Bool(n%2 == 0), stream.Text(name)}
}

func tableBatch(rows ...[]stream.Value) *stream.Batch {
	b := stream.NewBatch(tableSchema, nil)
	for _, r := range rows {
		b.AppendRow(r)
	}
	return b
}

// golden compares with testdata/table/<name>.txt; -rewrite writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "table", name+".txt")
	if *rewrite {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-rewrite accepts it):\n%s\nwant:\n%s", file, got, want)
	}
}

func TestTable(t *testing.T) {
	null := stream.NullOf
	for _, c := range []struct {
		name string
		rows [][]stream.Value
	}{
		{"empty", nil},
		{"one", [][]stream.Value{tableRow(1, "one")}},
		{"values", [][]stream.Value{
			tableRow(0, ""), tableRow(12345, "über 日本"), tableRow(-1, "a\nb\x1b[31m\xff|"),
			{null(stream.Timestamp), null(stream.Timestamp), null(stream.Integer), null(stream.Double), null(stream.Boolean), null(stream.Varchar)},
			tableRow(2, strings.Repeat("long ", 15)), tableRow(3, "short"),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b buffers
			tab := newTable(&console{t: b.terminal()}, 0, "", tableSchema, tableSchema.Visible())
			if err := errors.Join(tab.WriteBatch(tableBatch(c.rows...), 0, len(c.rows)), tab.Flush(), tab.Close()); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name, b.out.String())
		})
	}
}

// TestTableStreams shows rows that come after the widths were chosen, and a value
// that is too wide for them.
func TestTableStreams(t *testing.T) {
	var b buffers
	tab := newTable(&console{t: b.terminal()}, 0, "", tableSchema, []int{2, 5})
	batch := tableBatch(tableRow(1, "one"), tableRow(2, "two"), tableRow(123456789, "a rather long name"))
	if err := errors.Join(tab.WriteBatch(batch, 0, 2), tab.Flush()); err != nil {
		t.Fatal(err)
	}
	if err := awaitShown(t, tab); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tab.WriteBatch(batch, 2, 3), tab.Close()); err != nil {
		t.Fatal(err)
	}
	golden(t, "streams", b.out.String())
}

// TestTableShowsAStreamThatNeverPauses: what is held back is shown even if more rows come
// all the time.
func TestTableShowsAStreamThatNeverPauses(t *testing.T) {
	var b buffers
	tab := newTable(&console{t: b.terminal()}, 0, "", tableSchema, []int{2})
	batch := tableBatch(tableRow(1, ""))
	for begin := time.Now(); time.Since(begin) < 2*tableWait; time.Sleep(tablePause / 5) {
		if err := errors.Join(tab.WriteBatch(batch, 0, 1), tab.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if tab.widths == nil {
		t.Errorf("%d rows are held back after %v", len(tab.held), 2*tableWait)
	}
}

// awaitShown waits until a pause of the input has made a table show its rows.
func awaitShown(t *testing.T, tab *table) error {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		tab.mu.Lock()
		shown := tab.widths != nil
		tab.mu.Unlock()
		if shown {
			return nil
		}
	}
	return errors.New("a pause of the input did not show the rows")
}

// TestTablesTakeTurns shows two results on one screen.
func TestTablesTakeTurns(t *testing.T) {
	var b buffers
	screen := &console{t: b.terminal()}
	first := newTable(screen, 0, "result", tableSchema, []int{2})
	second := newTable(screen, 1, "result_1", tableSchema, []int{5})
	batch := tableBatch(tableRow(1, "one"), tableRow(2, "two"))
	if err := errors.Join(
		first.WriteBatch(batch, 0, 1), first.Flush(), awaitShown(t, first),
		second.WriteBatch(batch, 0, 1), second.Flush(), awaitShown(t, second),
		first.WriteBatch(batch, 1, 2),
		first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	golden(t, "turns", b.out.String())
}

// TestTablesKeepTheQueriesOrder closes the second of two short results first.
func TestTablesKeepTheQueriesOrder(t *testing.T) {
	var b buffers
	screen := &console{t: b.terminal()}
	first := newTable(screen, 0, "result", tableSchema, []int{2})
	second := newTable(screen, 1, "result_1", tableSchema, []int{5})
	batch := tableBatch(tableRow(1, "one"))
	if err := errors.Join(second.WriteBatch(batch, 0, 1), second.Close()); err != nil {
		t.Fatal(err)
	}
	if b.out.Len() > 0 {
		t.Errorf("the second result was shown first:\n%s", b.out.String())
	}
	if err := errors.Join(first.WriteBatch(batch, 0, 1), first.Close()); err != nil {
		t.Fatal(err)
	}
	golden(t, "order", b.out.String())
}

// TestTableOfAFailedJob shows the rows there are, and those of other queries.
func TestTableOfAFailedJob(t *testing.T) {
	var b buffers
	screen := &console{t: b.terminal()}
	first := newTable(screen, 0, "result", tableSchema, []int{2})
	second := newTable(screen, 1, "result_1", tableSchema, []int{5})
	batch := tableBatch(tableRow(1, "one"))
	if err := errors.Join(first.WriteBatch(batch, 0, 1), second.Close()); err != nil {
		t.Fatal(err)
	}
	first.Abort()
	golden(t, "failed", b.out.String())
}

func TestTableHoldsAtMostTheSample(t *testing.T) {
	var b buffers
	tab := newTable(&console{t: b.terminal()}, 0, "", tableSchema, []int{2})
	batch := tableBatch()
	for n := range tableSampleRows {
		batch.AppendRow(tableRow(n, ""))
	}
	if err := tab.WriteBatch(batch, 0, tableSampleRows); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.out.String(), "\n"); got != tableSampleRows+2 {
		t.Errorf("%d lines, want header and all %d rows of the sample", got, tableSampleRows)
	}
	tab.Abort()
}

type brokenPipe struct{ io.Writer }

func (brokenPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("write: %w", syscall.EPIPE) }

func TestTableReportsClosedPipe(t *testing.T) {
	var b buffers
	target := b.terminal()
	target.out = brokenPipe{}
	screen := &console{t: target}
	tab := newTable(screen, 0, "", tableSchema, []int{2})
	err := errors.Join(tab.WriteBatch(tableBatch(tableRow(1, "")), 0, 1), tab.Close())
	if !errors.Is(err, syscall.EPIPE) || !screen.closed.Load() {
		t.Errorf("error %v, closed %v; want EPIPE, true", err, screen.closed.Load())
	}
}

// TestTableFits shows a table on a terminal that is too small for its texts.
func TestTableFits(t *testing.T) {
	var b buffers
	target := b.terminal()
	target.outTTY = true
	tab := newTable(&console{t: target}, 0, "", tableSchema, tableSchema.Visible())
	rows := tableBatch(tableRow(1, "short"), tableRow(2, strings.Repeat("long ", 30)), tableRow(3, strings.Repeat("日本", 30)))
	if err := errors.Join(tab.WriteBatch(rows, 0, rows.Len), tab.Flush(), tab.Close()); err != nil {
		t.Fatal(err)
	}
	golden(t, "fits", b.out.String())
	for line := range strings.Lines(b.out.String()) {
		if width := displayWidth([]byte(strings.TrimSuffix(line, "\n"))); width > target.width() {
			t.Errorf("%d columns wide: %s", width, line)
		}
	}
}
