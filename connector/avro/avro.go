// Package avro reads and writes Apache Avro object container files of flat records, with
// the codecs of goavro. It stands below package connector, whose source hands the file's
// blocks, as bytes, to decoders; Open, Block.Decode and NewWriter are the ways in and out.
//
// A container file is a header with the schema and then blocks, each a count of records,
// its length, the records and a mark that every block of the file ends with. Blocks are
// found without looking into them, so workers unpack and decode them side by side.
package avro

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/linkedin/goavro/v2"

	"github.com/millrace/millrace/stream"
)

// Limits of the package: what is larger is refused.
const (
	HeaderBytesMax = 16 << 20  // a text of the header
	BlockBytesMax  = 64 << 20  // a block as it is in the file
	UnpackedMax    = 256 << 20 // .. and unpacked
	headerPairsMax = 1000      // entries of the header
)

var (
	magic      = []byte("Obj\x01")
	errDamaged = errors.New("damaged Avro file")
	errShort   = errors.New("truncated Avro file: it ends before its data does")
)

// Reader reads the blocks of a file in order. It is for one goroutine.
type Reader struct {
	path   string
	in     *bufio.Reader
	schema *File
	sync   [16]byte
}

// File is what a file's header says, bound to the columns of a stream. It is safe for
// concurrent use.
type File struct {
	path   string
	codec  *goavro.Codec
	packed string
	fields []field
	bound  []int // field by column of the stream; -1: none
}

// Open reads a file's header.
func Open(path string, in io.Reader) (*Reader, error) {
	r := &Reader{path: path, in: bufio.NewReaderSize(in, 256<<10)}
	meta, err := r.header()
	if err == nil {
		r.schema, err = newFile(path, meta)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func newFile(path string, meta map[string]string) (*File, error) {
	f := &File{path: path, packed: meta["avro.codec"]}
	switch f.packed {
	case "", "null", "deflate", "snappy", "zstandard":
	default:
		return nil, fmt.Errorf("its compression %q is not supported", f.packed)
	}
	var err error
	if f.fields, err = parseSchema(meta["avro.schema"]); err != nil {
		return nil, err
	}
	schema, err := undecimal(meta["avro.schema"])
	if err == nil {
		f.codec, err = goavro.NewCodec(schema)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its schema cannot be read: %w", errDamaged, err)
	}
	return f, nil
}

// header reads the pairs of the header, and the mark.
func (r *Reader) header() (map[string]string, error) {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r.in, head); err != nil || !bytes.Equal(head, magic) {
		return nil, errors.New("not an Avro object container file: it does not begin with Obj 1")
	}
	meta := map[string]string{}
	for {
		n, err := r.long()
		if err != nil {
			return nil, err
		}
		if n < 0 { // the number of bytes stands behind a negative count
			if n = -n; n > 0 {
				_, err = r.long()
			}
		}
		if n == 0 || err != nil {
			break
		}
		if n > headerPairsMax || len(meta) > headerPairsMax {
			return nil, errDamaged
		}
		for range n {
			key, err := r.text()
			if err != nil {
				return nil, err
			}
			if meta[key], err = r.text(); err != nil {
				return nil, err
			}
		}
	}
	_, err := io.ReadFull(r.in, r.sync[:])
	return meta, short(err)
}

// short tells the end of the file in the middle of something.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}

func (r *Reader) long() (int64, error) {
	n, err := binary.ReadVarint(r.in)
	return n, short(err)
}

func (r *Reader) text() (string, error) {
	n, err := r.long()
	if err != nil {
		return "", err
	}
	if n < 0 || n > HeaderBytesMax {
		return "", errDamaged
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r.in, b)
	return string(b), short(err)
}

// File is the file's header.
func (r *Reader) File() *File { return r.schema }

// Next reads the next block into data, whose memory is used again, or returns io.EOF.
func (r *Reader) Next(data []byte) (records int64, block []byte, err error) {
	if _, err := r.in.Peek(1); err == io.EOF {
		return 0, data, io.EOF
	}
	records, err = r.long()
	size := int64(0)
	if err == nil {
		size, err = r.long()
	}
	if err == nil && (records < 0 || size < 0 || size > BlockBytesMax) {
		err = fmt.Errorf("%w: a block of %d records and %d bytes", errDamaged, records, size)
	}
	if err != nil {
		return 0, data, fmt.Errorf("%s: %w", r.path, err)
	}
	if int64(cap(data)) < size {
		data = make([]byte, size)
	}
	data = data[:size]
	var mark [16]byte
	_, err = io.ReadFull(r.in, data)
	if err == nil {
		_, err = io.ReadFull(r.in, mark[:])
	}
	if err = short(err); err == nil && mark != r.sync {
		err = fmt.Errorf("%w: a block does not end with the file's mark", errDamaged)
	}
	if err != nil {
		return 0, data, fmt.Errorf("%s: %w", r.path, err)
	}
	return records, data, nil
}

// unpack undoes the compression of a block.
func (f *File) unpack(data []byte) ([]byte, error) {
	switch f.packed {
	case "deflate":
		out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), UnpackedMax+1))
		if err == nil && len(out) > UnpackedMax {
			err = fmt.Errorf("a block unpacks to more than %d MiB", UnpackedMax>>20)
		}
		return out, err
	case "snappy":
		if len(data) < 4 {
			return nil, errDamaged
		}
		body, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
		if n, err := snappy.DecodedLen(body); err != nil || n > UnpackedMax {
			return nil, errors.Join(errDamaged, err)
		}
		out, err := snappy.Decode(nil, body)
		if err == nil && crc32.ChecksumIEEE(out) != sum {
			err = errors.New("the checksum of a block is wrong")
		}
		return out, err
	case "zstandard":
		d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(UnpackedMax), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(data, nil)
	}
	return data, nil
}

// Fields is the schema that the file has, with those fields left out that no type of a
// stream fits; skipped names them with their types.
func (f *File) Fields() (fields []stream.Field, skipped []string) {
	for _, c := range f.fields {
		if c.typ == stream.Invalid {
			skipped = append(skipped, fmt.Sprintf("%s (%s)", c.name, c.described))
			continue
		}
		fields = append(fields, stream.Field{Name: c.name, Type: c.typ, NotNull: !c.nullable})
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

// Bind finds a field of the file for each physical column of the stream, by its name in
// the same case or else in another.
func (f *File) Bind(columns []stream.Field, physical []bool) error {
	f.bound = make([]int, len(columns))
	for i, column := range columns {
		f.bound[i] = -1
		if physical != nil && !physical[i] {
			continue
		}
		for k := len(f.fields) - 1; k >= 0; k-- {
			exact := f.bound[i] >= 0 && f.fields[f.bound[i]].name == column.Name
			if f.fields[k].name == column.Name || !exact && strings.EqualFold(f.fields[k].name, column.Name) {
				f.bound[i] = k
			}
		}
		if f.bound[i] < 0 {
			e := &ColumnError{File: f.path, Column: column.Name, Reason: "the file has no such column"}
			for _, c := range f.fields {
				e.Names = append(e.Names, c.name)
			}
			return e
		}
		if c := f.fields[f.bound[i]]; !c.readable(column.Type) {
			return &ColumnError{File: f.path, Column: column.Name, Reason: fmt.Sprintf("it is %s, which cannot be read as %s", c.described, column.Type), Natural: c.typ}
		}
	}
	return nil
}
