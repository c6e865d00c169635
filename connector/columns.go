package connector

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/stream"
)

// checkColumns binds columns to those of a file of columns.
func (o *optionSet) checkColumns(t textOptions, path string, columns []stream.Field) {
	key := o.written["path"]
	if t.format == FormatArrow {
		var wrong *arrow.ColumnError
		if err := withArrow(path, func(r *arrow.Reader) error { return r.Bind(columns, nil) }); errors.As(err, &wrong) {
			o.fail(key, wrong.Error(), columnHint(wrong.Column, wrong.Names, wrong.Natural))
		} else if err != nil {
			o.fail(key, "cannot read "+err.Error(), "")
		}
		return
	}
	f, err := parquet.OpenPath(path)
	if err == nil {
		err = f.Bind(columns, nil, nanosOf(t.unit))
	}
	var wrong *parquet.ColumnError
	if errors.As(err, &wrong) {
		o.fail(key, wrong.Error(), columnHint(wrong.Column, wrong.Names, wrong.Natural))
	} else if err != nil {
		o.fail(key, "cannot read "+err.Error(), "")
	}
}

// withArrow opens a file for a look at its schema.
func withArrow(path string, look func(*arrow.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	r, err := arrow.Open(path, f)
	if err == nil {
		err = look(r)
	}
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s: truncated or damaged Arrow file, or none", path)
	}
	return err
}

// columnHint says what to do about a column that a file does not have, or not so.
func columnHint(column string, names []string, natural stream.Type) string {
	switch {
	case len(names) > 0:
		return missingHint(column, names)
	case natural != stream.Invalid:
		return "declare it " + natural.String()
	}
	return ""
}

// orderedFailures brings reasons by row into row order.
func orderedFailures(reasons map[int]string) []parquet.Failure {
	out := make([]parquet.Failure, 0, len(reasons))
	for row, reason := range reasons {
		out = append(out, parquet.Failure{Row: row, Reason: reason})
	}
	slices.SortFunc(out, func(a, b parquet.Failure) int { return a.Row - b.Row })
	return out
}
