package main

import (
	"github.com/millrace/millrace"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/state"
)

// resultSinks returns what makes the sink of each bare SELECT. With several of them
// tables and JSON rows carry the query's name.
func resultSinks(screen *console, format string) func(millrace.Query) millrace.ResultSink {
	return func(q millrace.Query) millrace.ResultSink {
		label := ""
		if q.Count > 1 {
			label = q.Name
		}
		if format == "table" {
			return newTable(screen, q.Index, label, q.Schema, q.Visible)
		}
		r := &rows{screen: screen, newEncoder: func() connector.Encoder {
			// The only error is an unknown format, which the flag's check has excluded.
			e, _ := connector.NewEncoder(format, q.Schema, q.Visible, label)
			return e
		}}
		if format == connector.FormatCSV {
			r.header = connector.AppendCSVHeader(nil, q.Schema, q.Visible)
		}
		return r
	}
}

// rows shows a result as lines of a machine-readable format. Workers encode; the
// lines reach the screen in order and whole.
type rows struct {
	screen     *console
	newEncoder func() connector.Encoder
	header     []byte // written before the first row, and alone if there is none
	begun      bool
}

// NewEncoder returns an encoder for one worker.
func (r *rows) NewEncoder() connector.Encoder { return r.newEncoder() }

// Write writes whole rows.
func (r *rows) Write(p []byte) error {
	if err := r.begin(); err != nil {
		return err
	}
	return r.screen.show(p)
}

func (r *rows) begin() error {
	if r.begun || len(r.header) == 0 {
		return nil
	}
	r.begun = true
	return r.screen.show(r.header)
}

// Flush has nothing to do: Write does not hold rows back.
func (r *rows) Flush() error { return nil }

// Close writes the header of an empty result.
func (r *rows) Close() error { return r.begin() }

// Abort has nothing to take back: rows were written whole.
func (r *rows) Abort() {}

// Snapshot keeps whether the header is written.
func (r *rows) Snapshot(w *state.Writer) { w.Bool(r.begun) }

// Restore is the inverse of Snapshot.
func (r *rows) Restore(in *state.Reader) error {
	r.begun = in.Bool()
	return in.End()
}
