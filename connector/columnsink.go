package connector

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// columnWriter writes a file of columns. Close writes what stands at its end.
type columnWriter interface {
	Write(b *stream.Batch, from, to int) error
	Close() error
}

// columnSink writes a Parquet, Arrow or Avro file. Rows can be read once it is closed. The file
// is emptied when the first row comes, or at the end. Such a file is finished by what
// stands at its end, so a job that goes on from a snapshot writes another one beside it:
// out.parquet, out-5f3a9c01-1.parquet, out-5f3a9c01-2.parquet. The first number is drawn when
// the job first starts and stays with it: a file so called is this job's and may be written
// anew from the same snapshot, where out-1.parquet could be anybody's.
type columnSink struct {
	options sinkOptions // path is that of the file being written
	whole   string      // the path without numbers
	id      string      // of the job, as in the names of parts
	number  int64       // of the file; 0: the first
	made    bool        // the file was not there when the sink was opened
	schema  *stream.Schema
	visible []int
	file    *os.File
	writer  columnWriter // nil before the first row
	rows    int64
	err     error
}

func openColumnSink(t sinkOptions, schema *stream.Schema, visible []int) (Sink, error) {
	if _, err := t.columnWriter(io.Discard, schema, visible); err != nil {
		return nil, fmt.Errorf("%s: %w", t.path, err)
	}
	_, missing := os.Stat(t.path)
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, writeError(t.path, err)
	}
	return &columnSink{options: t, whole: t.path, id: newPartID(), made: errors.Is(missing, fs.ErrNotExist), schema: schema, visible: visible, file: f}, nil
}

func (t *sinkOptions) columnWriter(w io.Writer, schema *stream.Schema, visible []int) (columnWriter, error) {
	if t.format == FormatArrow {
		return arrow.NewWriter(w, schema, visible, t.compression, t.streaming)
	}
	if t.format == FormatAvro {
		return avro.NewWriter(w, schema, visible, t.compression)
	}
	return parquet.NewWriter(w, schema, visible, t.compression, t.groupRows)
}

func (s *columnSink) begin() error {
	if s.file == nil && s.err == nil {
		s.err = fmt.Errorf("cannot write %s: %w", s.options.path, os.ErrClosed)
	}
	if s.err != nil || s.writer != nil {
		return s.err
	}
	info, err := s.file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = s.file.Truncate(0)
	}
	if err != nil {
		return s.failed(err)
	}
	if s.writer, err = s.options.columnWriter(s.file, s.schema, s.visible); err != nil {
		return s.failed(err)
	}
	return nil
}

func (s *columnSink) failed(err error) error {
	if s.err == nil {
		s.err = writeError(s.options.path, err)
	}
	return s.err
}

// WriteBatch implements BatchSink.
func (s *columnSink) WriteBatch(b *stream.Batch, from, to int) error {
	if err := s.begin(); err != nil {
		return err
	}
	if b.Base != 0 {
		span := stream.Span{Batch: b, From: from, To: to}.Settled()
		b, from, to = span.Batch, span.From, span.To
	}
	if err := s.writer.Write(b, from, to); err != nil {
		return s.failed(err)
	}
	s.rows += int64(to - from)
	return nil
}

// Flush implements BatchSink: a file without its footer cannot be read anyway.
func (s *columnSink) Flush() error { return s.err }

// Close implements Sink.
func (s *columnSink) Close() error {
	if s.file == nil {
		return s.err
	}
	err := s.begin()
	if err == nil {
		err = errors.Join(s.writer.Close(), s.sync())
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		err = s.failed(err)
	}
	s.file = nil
	return err
}

// sync waits for the disk, if that is what is written to.
func (s *columnSink) sync() error {
	if info, err := s.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return s.file.Sync()
}

// Abort implements Sink: the rows so far can be read, if there are any.
func (s *columnSink) Abort() {
	if s.file == nil {
		return
	}
	if s.writer != nil && s.err == nil {
		_ = s.writer.Close()
	}
	_ = s.file.Close()
	s.file = nil
}

// Snapshot implements state.Element.
func (s *columnSink) Snapshot(w *state.Writer) {
	w.Int(s.rows)
	w.Int(s.number)
	w.Text(s.id)
}

// Restore implements state.Element. A file that has rows stays as it is; if it has been taken
// away, no empty one comes in its place.
func (s *columnSink) Restore(r *state.Reader) error {
	rows, number, id := r.Int(), r.Int(), r.Text()
	if err := r.End(); err != nil {
		return err
	}
	if !isPartID(id) {
		return fmt.Errorf("cannot go on with %s: %q is no number of a job", s.whole, id)
	}
	s.id = id
	if rows > 0 {
		number++
	}
	if number == 0 {
		return nil
	}
	ext := filepath.Ext(s.whole)
	s.number, s.options.path = number, fmt.Sprintf("%s-%s-%d%s", strings.TrimSuffix(s.whole, ext), id, number, ext)
	f, err := os.OpenFile(s.options.path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return writeError(s.options.path, err)
	}
	err = s.file.Close()
	s.file = f
	if s.made {
		err = errors.Join(err, removeFile(s.whole))
	}
	return err
}
