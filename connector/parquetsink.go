package connector

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// parquetSink writes a Parquet file. Rows can be read once it is closed. The file is
// emptied when the first row comes, or at the end.
type parquetSink struct {
	options sinkOptions
	schema  *stream.Schema
	visible []int
	file    *os.File
	writer  *parquet.Writer // nil before the first row
	rows    int64
	err     error
}

func openParquetSink(t sinkOptions, schema *stream.Schema, visible []int) (Sink, error) {
	if _, err := parquet.NewWriter(io.Discard, schema, visible, t.compression, t.groupRows); err != nil {
		return nil, fmt.Errorf("%s: %w", t.path, err)
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", t.path, cause(err))
	}
	return &parquetSink{options: t, schema: schema, visible: visible, file: f}, nil
}

func (s *parquetSink) begin() error {
	if s.file == nil && s.err == nil {
		s.err = fmt.Errorf("cannot write %s: %w", s.options.path, os.ErrClosed)
	}
	if s.err != nil || s.writer != nil {
		return s.err
	}
	if err := s.file.Truncate(0); err != nil {
		return s.failed(err)
	}
	var err error
	if s.writer, err = parquet.NewWriter(s.file, s.schema, s.visible, s.options.compression, s.options.groupRows); err != nil {
		return s.failed(err)
	}
	return nil
}

func (s *parquetSink) failed(err error) error {
	if s.err == nil {
		s.err = writeError(s.options.path, err)
	}
	return s.err
}

// WriteBatch implements BatchSink.
func (s *parquetSink) WriteBatch(b *stream.Batch, from, to int) error {
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
func (s *parquetSink) Flush() error { return s.err }

// Close implements Sink.
func (s *parquetSink) Close() error {
	if s.file == nil {
		return s.err
	}
	err := s.begin()
	if err == nil {
		err = errors.Join(s.writer.Close(), s.file.Sync())
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		err = s.failed(err)
	}
	s.file = nil
	return err
}

// Abort implements Sink: the rows so far can be read, if there are any.
func (s *parquetSink) Abort() {
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
func (s *parquetSink) Snapshot(w *state.Writer) { w.Int(s.rows) }

// Restore implements state.Element.
func (s *parquetSink) Restore(r *state.Reader) error {
	rows := r.Int()
	if err := r.End(); err != nil {
		return err
	}
	if rows > 0 {
		return fmt.Errorf("cannot go on with %s: a Parquet file cannot be cut back to the checkpoint; write CSV or NDJSON", s.options.path)
	}
	return nil
}
