package main

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/stream"
)

// showListings shows what a script's SHOW and DESCRIBE statements ask for. Beside other
// results each has its name.
func showListings(screen *console, format string, plan *millrace.Plan) error {
	all := plan.Listings()
	for _, l := range all {
		label := ""
		if len(all)+plan.Results() > 1 {
			label = l.Name
		}
		if err := showListing(screen, format, label, l); err != nil {
			return err
		}
	}
	return nil
}

func showListing(screen *console, format, label string, l millrace.Listing) error {
	if format == "table" && l.Text != "" {
		return screen.showTable([]byte(printableLines(l.Text)))
	}
	batch := stream.NewBatch(l.Schema, nil)
	for _, row := range l.Rows {
		batch.AppendRow(row)
	}
	if format != "table" {
		return showEncoded(screen, format, label, batch)
	}
	// A console of its own: in the screen's, tables wait for those of earlier queries.
	own := &console{t: screen.t, written: screen.written}
	t := newTable(own, 0, label, l.Schema, l.Schema.Visible())
	t.blanks = true
	err := errors.Join(t.WriteBatch(batch, 0, batch.Len), t.Close())
	screen.written = true
	for _, note := range l.Notes {
		err = errors.Join(err, screen.show([]byte(printable(note)+"\n")))
	}
	return err
}

func showEncoded(screen *console, format, label string, batch *stream.Batch) error {
	columns := batch.Schema.Visible()
	encoder, err := connector.NewEncoder(format, batch.Schema, columns, label)
	if err != nil {
		return fmt.Errorf("cannot show the result: %w", err)
	}
	var text []byte
	if format == connector.FormatCSV {
		text = connector.AppendCSVHeader(text, batch.Schema, columns)
	}
	return screen.show(encoder.Encode(text, batch, 0, batch.Len))
}
