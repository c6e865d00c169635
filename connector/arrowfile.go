package connector

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// arrowSource reads Arrow IPC files. The reader takes record batches from the file, the
// decoders copy columns; a block is some rows of a batch. Positions count rows.
type arrowSource struct {
	name       string
	partitions [][]string
	fields     []stream.Field
	physical   []bool
	blockRows  int
	bytesRead  atomic.Int64
}

func newArrowSource(name string, src *model.Source, schema *stream.Schema, partitions [][]string, _ Reading, env Env) Source {
	s := &arrowSource{name: name, partitions: partitions, fields: schema.Fields, physical: physicalColumns(src, schema), blockRows: unitRowsMax}
	if env.BlockBytes > 0 {
		s.blockRows = max(1, env.BlockBytes/100)
	}
	return s
}

// Partitions implements Source.
func (s *arrowSource) Partitions() int { return len(s.partitions) }

// Bounded implements Source.
func (s *arrowSource) Bounded() bool { return true }

// Live implements Source.
func (s *arrowSource) Live() bool { return false }

// Warnings implements Source.
func (s *arrowSource) Warnings() []string { return nil }

// BytesRead implements Counted.
func (s *arrowSource) BytesRead() int64 { return s.bytesRead.Load() }

// Close implements Source. Files belong to the readers.
func (s *arrowSource) Close() error { return nil }

// Reader implements Source.
func (s *arrowSource) Reader(_ context.Context, partition int, at Position) (Reader, error) {
	files := s.partitions[partition]
	if at.File < 0 || at.File > len(files) || at.Offset < 0 {
		return nil, fmt.Errorf("stream %s: position in file %d of %d: not the files of the checkpoint", s.name, at.File+1, len(files))
	}
	return &arrowReader{source: s, partition: partition, files: files, at: at}, nil
}

type arrowReader struct {
	source    *arrowSource
	partition int
	files     []string
	at        Position
	file      *os.File
	reader    *arrow.Reader
	batch     *arrow.Batch // nil: the next one is to be read
	row       int          // of the batch, next to be given
	skip      int64        // rows that a restored job has read
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

// Next implements Reader.
func (r *arrowReader) Next(ctx context.Context, b *Block) error {
	*b = Block{Data: b.Data[:0], Partition: r.partition}
	for ctx.Err() == nil {
		if r.reader == nil {
			if r.at.File >= len(r.files) {
				b.End = r.at
				return io.EOF
			}
			if err := r.open(); err != nil {
				return err
			}
		}
		if r.batch != nil && r.row < r.batch.Rows() {
			r.fill(b)
			return nil
		}
		if err := r.nextBatch(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *arrowReader) open() error {
	path := r.files[r.at.File]
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	r.file = f
	if r.reader, err = arrow.Open(path, countedFile{f, &r.source.bytesRead}); err != nil {
		return err
	}
	r.skip, r.batch = r.at.Offset, nil
	return r.reader.Bind(r.source.fields, r.source.physical)
}

// nextBatch takes the next batch that a restored job has not read, or leaves the file.
func (r *arrowReader) nextBatch() error {
	batch, err := r.reader.Next()
	if err == io.EOF {
		if r.skip > 0 {
			return fmt.Errorf("%s ends %d rows before the checkpoint: not the file of the checkpoint", r.files[r.at.File], r.skip)
		}
		r.at = Position{File: r.at.File + 1}
		return r.Close()
	}
	if err != nil {
		return err
	}
	r.batch, r.row = batch, int(min(r.skip, int64(batch.Rows())))
	r.skip -= int64(r.row)
	return nil
}

func (r *arrowReader) fill(b *Block) {
	n := min(r.source.blockRows, r.batch.Rows()-r.row)
	b.Rows, b.File, b.Start, b.unit = n, r.files[r.at.File], r.at, arrowUnit{r.batch, r.row}
	r.row += n
	r.at.Offset, r.at.Line = r.at.Offset+int64(n), r.at.Line+int64(n)
	b.End = r.at
}

// Close implements Reader.
func (r *arrowReader) Close() error {
	r.reader, r.batch = nil, nil
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// arrowUnit is rows of a batch from a place on.
type arrowUnit struct {
	batch *arrow.Batch
	from  int
}

// NewDecoder implements Source.
func (s *arrowSource) NewDecoder() Decoder { return &arrowDecoder{source: s} }

type arrowDecoder struct {
	source *arrowSource
	failed []arrow.Failure
	rows   rowTexts
}

// Decode implements Decoder.
func (d *arrowDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	if b.Rows == 0 {
		return errs, nil
	}
	u, failed := b.unit.(arrowUnit), d.failed[:0]
	for i := range out.Cols {
		if !out.Cols[i].Absent() && d.source.physical[i] {
			failed = u.batch.Append(&out.Cols[i], d.source.fields[i], i, out.Len, u.from, u.from+b.Rows, failed)
		}
	}
	d.failed, out.Len = failed, b.Rows
	return d.rows.settle(out, d.source.physical, sortedFailures(failed), errs), nil
}

// sortedFailures are failures in row order, the first of each row.
func sortedFailures(failed []arrow.Failure) []parquet.Failure {
	if len(failed) == 0 {
		return nil
	}
	first := map[int]string{}
	for _, f := range failed {
		if _, known := first[f.Row]; !known {
			first[f.Row] = f.Reason
		}
	}
	return orderedFailures(first)
}

// Record implements Decoder.
func (d *arrowDecoder) Record(row int) (text string, line int64) { return d.rows.record(row) }
