// Package arrow reads and writes Apache Arrow IPC, the file format (`.arrow`, `.feather`)
// and the stream format (`.arrows`), with arrow-go. It stands below package connector, whose
// source hands record batches to decoders that call Append for each column; Open and
// NewWriter are the ways in and out.
//
// A column of package stream has Arrow's memory layout, so writing copies nothing, and
// reading copies a column once.
package arrow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/millrace/millrace/stream"
)

// Limits: a batch beyond them is refused.
const (
	MetadataBytesMax = 64 << 20
	BodyBytesMax     = 1 << 30
)

var fileMagic = []byte("ARROW1")

// Input is what is read: a file from its start.
type Input interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

// Reader reads the record batches of a file in order. It is for one goroutine; batches
// that it gave may be used by others, and for as long as they like.
type Reader struct {
	path   string
	file   *ipc.FileReader // nil: the stream format
	stream *ipc.Reader
	next   int
	bound  []int // column of the file, by column of the stream; -1: none
}

// Open reads the schema of a file of either format.
func Open(path string, in Input) (r *Reader, err error) {
	defer func() { err = explain(path, err, recover()) }()
	var head [6]byte
	n, err := in.ReadAt(head[:], 0)
	if n < len(head) {
		return nil, errors.New("not an Arrow file, or cut off: it is too short")
	}
	limits := []ipc.Option{ipc.WithMetadataSizeLimit(MetadataBytesMax), ipc.WithBodySizeLimit(BodyBytesMax)}
	r = &Reader{path: path}
	if bytes.Equal(head[:], fileMagic) {
		r.file, err = ipc.NewFileReader(in, limits...)
		return r, err
	}
	r.stream, err = ipc.NewReader(in, limits...)
	return r, err
}

// explain names the file in an error, or makes one of a panic over damaged input.
func explain(path string, err error, panicked any) error {
	switch {
	case panicked != nil:
		return fmt.Errorf("%s: damaged Arrow file: %v", path, panicked)
	case err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return fmt.Errorf("%s: truncated or damaged Arrow file, or none: %w", path, err)
}

func (r *Reader) schema() *arrow.Schema {
	if r.file != nil {
		return r.file.Schema()
	}
	return r.stream.Schema()
}

// Fields is the schema that the file has, with those columns left out that no type of a
// stream fits; skipped names them with their types.
func (r *Reader) Fields() (fields []stream.Field, skipped []string) {
	for _, f := range r.schema().Fields() {
		t := natural(f.Type)
		if t == stream.Invalid {
			skipped = append(skipped, fmt.Sprintf("%s (%s)", f.Name, f.Type))
			continue
		}
		fields = append(fields, stream.Field{Name: f.Name, Type: t, NotNull: !f.Nullable})
	}
	return fields, skipped
}

// ColumnError says that a declared column cannot be read from a file.
type ColumnError struct {
	File, Column, Reason string
	Names                []string
	Natural              stream.Type
}

func (e *ColumnError) Error() string {
	return fmt.Sprintf("%s: column %q: %s", e.File, e.Column, e.Reason)
}

// Bind finds a column of the file for each physical column of the stream, by its name in
// the same case or else in another.
func (r *Reader) Bind(fields []stream.Field, physical []bool) error {
	has := r.schema().Fields()
	r.bound = make([]int, len(fields))
	for i, f := range fields {
		r.bound[i] = -1
		if physical != nil && !physical[i] {
			continue
		}
		for k := len(has) - 1; k >= 0; k-- {
			exact := r.bound[i] >= 0 && has[r.bound[i]].Name == f.Name
			if has[k].Name == f.Name || !exact && strings.EqualFold(has[k].Name, f.Name) {
				r.bound[i] = k
			}
		}
		if r.bound[i] < 0 {
			e := &ColumnError{File: r.path, Column: f.Name, Reason: "the file has no such column"}
			for _, c := range has {
				e.Names = append(e.Names, c.Name)
			}
			return e
		}
		if t := has[r.bound[i]].Type; !readable(t, f.Type) {
			return &ColumnError{File: r.path, Column: f.Name, Reason: fmt.Sprintf("it is %s, which cannot be read as %s", t, f.Type), Natural: natural(t)}
		}
	}
	return nil
}

// Batch is a record batch of a bound file.
type Batch struct {
	record arrow.RecordBatch
	bound  []int
}

// Rows is the number of the batch's rows.
func (b *Batch) Rows() int { return int(b.record.NumRows()) }

// Next returns the next batch, or io.EOF.
func (r *Reader) Next() (b *Batch, err error) {
	defer func() { err = explain(r.path, err, recover()) }()
	var record arrow.RecordBatch
	if r.file != nil {
		if r.next >= r.file.NumRecords() {
			return nil, io.EOF
		}
		record, err = r.file.RecordBatchAt(r.next)
		r.next++
	} else if record, err = r.stream.Read(); err == nil {
		record.Retain()
	}
	if err != nil {
		return nil, err
	}
	return &Batch{record, r.bound}, nil
}
