package connector

import (
	"context"
	"io"
	"os"

	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// avroSource reads Avro object container files. A block is one of the file's.
type avroSource struct{ recordFiles }

func newAvroSource(name string, src *model.Source, schema *stream.Schema, lists fileLists) Source {
	return &avroSource{newRecordFiles(name, src, schema, lists)}
}

// Reader implements Source.
func (s *avroSource) Reader(_ context.Context, partition int, at Position) (Reader, error) {
	files, err := s.files(s.name, partition, at)
	return &avroReader{source: s, partition: partition, files: files, at: at}, err
}

type avroReader struct {
	source    *avroSource
	partition int
	files     fileList
	path      string // of the file that is open
	at        Position
	file      *os.File
	reader    *avro.Reader
	skip      int64 // rows that a restored job has read
}

// Next implements Reader.
func (r *avroReader) Next(ctx context.Context, b *Block) error {
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
		records, data, err := r.reader.Next(b.Data)
		b.Data = data
		switch {
		case err == io.EOF && r.skip > 0:
			return errTooFew(r.path, r.skip)
		case err == io.EOF:
			r.files.finished(r.at)
			r.at = Position{File: r.at.File + 1}
			if err := r.Close(); err != nil {
				return err
			}
		case err != nil:
			return err
		case r.skip > 0: // positions are borders of blocks
			r.skip -= records
		case records > 0:
			b.Rows, b.File, b.Start, b.unit = int(records), r.path, r.at, r.reader.File()
			r.at.Offset, r.at.Line = r.at.Offset+records, r.at.Line+records
			b.End = r.at
			return nil
		}
	}
	return ctx.Err()
}

// open opens the file of the position, or returns io.EOF if there is none.
func (r *avroReader) open(ctx context.Context) error {
	path, err := r.files.path(ctx, r.at.File)
	if err != nil {
		return err
	}
	f, err := r.source.open(path)
	if err != nil {
		return err
	}
	r.file, r.path = f.File, path
	if r.reader, err = avro.Open(path, f); err != nil {
		return err
	}
	r.skip = r.at.Offset
	return r.reader.File().Bind(r.source.fields, r.source.physical)
}

// Close implements Reader.
func (r *avroReader) Close() error {
	r.reader = nil
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// NewDecoder implements Source.
func (s *avroSource) NewDecoder() Decoder { return s.decoder(&avroDecoder{source: s}) }

type avroDecoder struct {
	source *avroSource
	failed []rowFailure
	rows   rowTexts
}

// Decode implements Decoder.
func (d *avroDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	if b.Rows == 0 {
		return errs, nil
	}
	d.failed = d.failed[:0]
	fail := func(row int, reason string) { d.failed = append(d.failed, rowFailure{Row: row, Reason: reason}) }
	if err := b.unit.(*avro.File).Decode(b.Data, int64(b.Rows), out, fail); err != nil {
		return errs, err
	}
	return d.rows.settle(out, d.source.physical, orderedFailures(d.failed), errs), nil
}

// Record implements Decoder.
func (d *avroDecoder) Record(row int) (text string, line int64) { return d.rows.record(row) }
