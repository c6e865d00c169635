package connector

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// arrowSource reads Arrow IPC files. The reader takes record batches from the file, the
// decoders copy columns; a block is some rows of a batch. Positions count rows.
type arrowSource struct {
	recordFiles
	blockRows int
}

func newArrowSource(name string, src *model.Source, schema *stream.Schema, lists fileLists, env Env) Source {
	s := &arrowSource{recordFiles: newRecordFiles(name, src, schema, lists), blockRows: unitRowsMax}
	if env.BlockBytes > 0 {
		s.blockRows = max(1, env.BlockBytes/100)
	}
	return s
}

// Reader implements Source.
func (s *arrowSource) Reader(_ context.Context, partition int, at Position) (Reader, error) {
	files, err := s.files(s.name, partition, at)
	return &arrowReader{source: s, partition: partition, files: files, at: at}, err
}

type arrowReader struct {
	source    *arrowSource
	partition int
	files     fileList
	path      string // of the file that is open
	at        Position
	file      *os.File
	reader    *arrow.Reader
	batch     *arrow.Batch // nil: the next one is to be read
	row       int          // of the batch, next to be given
	skip      int64        // rows that a restored job has read
}

// Next implements Reader.
func (r *arrowReader) Next(ctx context.Context, b *Block) error {
	*b = Block{Data: b.Data[:0], Partition: r.partition}
	for ctx.Err() == nil {
		if r.reader == nil {
			err := r.open(ctx)
			if err == io.EOF {
				b.End = r.at
			}
			if err != nil {
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

// open opens the file of the position, or returns io.EOF if there is none.
func (r *arrowReader) open(ctx context.Context) error {
	path, err := r.files.path(ctx, r.at.File)
	if err != nil {
		return err
	}
	f, err := r.source.open(path)
	if err != nil {
		return err
	}
	r.file, r.path = f.File, path
	if r.reader, err = arrow.Open(path, f); err != nil {
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
			return errTooFew(r.path, r.skip)
		}
		r.files.finished(r.at)
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
	b.Rows, b.File, b.Start, b.unit = n, r.path, r.at, arrowUnit{r.batch, r.row}
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
func (s *arrowSource) NewDecoder() Decoder { return s.decoder(&arrowDecoder{source: s}) }

type arrowDecoder struct {
	source *arrowSource
	failed []rowFailure
	rows   rowTexts
}

// Decode implements Decoder.
func (d *arrowDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) (_ []RecordError, err error) {
	if b.Rows == 0 {
		return errs, nil
	}
	defer func() {
		if p := recover(); p != nil { // offsets that lead nowhere
			err = fmt.Errorf("%s: damaged Arrow file: %v", b.File, p)
		}
	}()
	u := b.unit.(arrowUnit)
	d.failed = d.failed[:0]
	fail := func(row int, reason string) { d.failed = append(d.failed, rowFailure{Row: row, Reason: reason}) }
	for i := range out.Cols {
		if !out.Cols[i].Absent() && d.source.physical[i] {
			u.batch.Append(&out.Cols[i], d.source.fields[i], i, out.Len, u.from, u.from+b.Rows, fail)
		}
	}
	out.Len = b.Rows
	return d.rows.settle(out, d.source.physical, orderedFailures(d.failed), errs), nil
}

// Record implements Decoder.
func (d *arrowDecoder) Record(row int) (text string, line int64) { return d.rows.record(row) }
