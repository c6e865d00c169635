package connector

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync/atomic"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/model"
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
	if t.format == FormatAvro {
		var wrong *avro.ColumnError
		if err := withAvro(path, func(f *avro.File) error { return f.Bind(columns, nil) }); errors.As(err, &wrong) {
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

// withAvro opens a file for a look at its schema.
func withAvro(path string, look func(*avro.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	defer f.Close()
	r, err := avro.Open(path, f)
	if err != nil {
		return err
	}
	return look(r.File())
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

// rowFailure is a row of a block that is none.
type rowFailure = parquet.Failure

// orderedFailures brings failures into row order, the first of each row.
func orderedFailures(failed []rowFailure) []rowFailure {
	slices.SortStableFunc(failed, func(a, b rowFailure) int { return a.Row - b.Row })
	return slices.CompactFunc(failed, func(a, b rowFailure) bool { return a.Row == b.Row })
}

// recordFiles are the files of a source that is read batch by batch; positions count rows.
type recordFiles struct {
	name string
	fileLists
	fields    []stream.Field
	physical  []bool
	bytesRead *atomic.Int64
}

func newRecordFiles(name string, src *model.Source, schema *stream.Schema, lists fileLists) recordFiles {
	return recordFiles{name: name, fileLists: lists, fields: schema.Fields, physical: physicalColumns(src, schema), bytesRead: &atomic.Int64{}}
}

// Bounded implements Source.
func (s *recordFiles) Bounded() bool { return !s.watched() }

// Live implements Source.
func (s *recordFiles) Live() bool { return s.watched() }

// Warnings implements Source.
func (s *recordFiles) Warnings() []string { return s.notes() }

// BytesRead implements Counted.
func (s *recordFiles) BytesRead() int64 { return s.bytesRead.Load() }

// Close implements Source. Files belong to the readers.
func (s *recordFiles) Close() error { return nil }

// open opens a file and counts what is read of it.
func (s *recordFiles) open(path string) (countedFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return countedFile{}, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return countedFile{f, s.bytesRead}, nil
}

// countedFile counts what is read of a file.
type countedFile struct {
	*os.File
	count *atomic.Int64
}

// Read implements io.Reader.
func (f countedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.count.Add(int64(n))
	return n, err
}

// ReadAt implements io.ReaderAt.
func (f countedFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := f.File.ReadAt(p, at)
	f.count.Add(int64(n))
	return n, err
}

// errTooFew says that a file ends before a restored job's position.
func errTooFew(path string, rows int64) error {
	return fmt.Errorf("%s ends %d rows before the checkpoint: not the file of the checkpoint", path, rows)
}
