package connector

import (
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// ErrClosedPipe is wrapped by a sink's error when whoever read its output has gone.
// A program whose standard output is a pipe sees it only if it catches or ignores
// SIGPIPE.
var ErrClosedPipe = errors.New("output was closed by its reader")

const groupRowsMax = 16 << 20 // of a Parquet file that is written: they are held in memory

const sinkBufferBytes = 256 << 10 // collected before a write to the medium

// sinkOptions are a byte sink's options, checked.
type sinkOptions struct {
	path        string
	format      string
	prefix      string // stdout: in front of rows
	header      bool
	dialect     dialect
	compression string
	groupRows   int64          // Parquet
	streaming   bool           // Arrow: the stream format
	folder      *folderOptions // nil: a file
}

func (o *optionSet) takeSinkFormat(name, otherwise string, allowed []string) sinkOptions {
	t := sinkOptions{format: o.takeFormat(name, otherwise, allowed)}
	if t.format == FormatCSV {
		t.header = o.boolean("header", true)
		t.dialect = o.takeDialect()
		if t.dialect.quote == 0 {
			o.fail(o.written["quote"], "a sink cannot do without quotes", "remove the option quote")
		}
	}
	return t
}

// takeFileSink reads the options of a file or a folder that is written. Columns are the
// declared ones, or nil.
func (o *optionSet) takeFileSink(columns []stream.Field) sinkOptions {
	path, ok := o.take("path")
	if !ok || strings.TrimSpace(path) == "" {
		o.fail(o.written["path"], "connector file needs the option path", "add path = 'out.ndjson', or path = 'folder/'")
	}
	path = strings.TrimPrefix(path, fileScheme)
	folder := o.takeFolder(path, columns)
	if folder != nil {
		path = filepath.Clean(path)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		o.fail(o.written["path"], "folder not found: "+filepath.Dir(path), "make it first")
	}
	t := o.takeFileFormat(path)
	t.path, t.folder = path, folder
	return t
}

// takeFileFormat reads the options of the files' format.
func (o *optionSet) takeFileFormat(path string) sinkOptions {
	t := o.takeSinkFormat(path, "", fileFormats)
	if t.format == FormatArrow {
		t.compression = o.choice("compression", compressNone, arrow.Codecs...)
		t.streaming = strings.HasSuffix(strings.ToLower(path), ".arrows")
		return t
	}
	if t.format == FormatAvro {
		t.compression = o.choice("compression", compressNone, avro.Codecs...)
		return t
	}
	if t.format == FormatParquet {
		t.compression = o.choice("compression", compressZstd, sortedKeys(parquet.Codecs)...)
		t.groupRows = o.number("row_group_rows", parquet.GroupRowsDefault, 1)
		if t.groupRows > groupRowsMax {
			o.bad("row_group_rows", fmt.Sprintf("write at most %d", groupRowsMax))
		}
		return t
	}
	t.compression = o.choice("compression", compressAuto, compressAuto, compressNone, compressGzip, compressZstd)
	if t.compression == compressAuto {
		if t.compression = compressionByName(path); t.compression == "" {
			t.compression = compressNone
		}
	}
	return t
}

// text: the format is one of lines, or it is not known.
func (t *sinkOptions) text() bool { return !slices.Contains(columnFormats, t.format) }

func (t *sinkOptions) encoder(schema *stream.Schema, visible []int) Encoder {
	if t.format == FormatCSV {
		return &csvEncoder{visible: visible, dialect: t.dialect}
	}
	return newJSONEncoder(schema, visible, "")
}

func (t *sinkOptions) headerLine(schema *stream.Schema, visible []int) []byte {
	if !t.header {
		return nil
	}
	return (&csvEncoder{dialect: t.dialect}).appendHeader(nil, schema, visible)
}

// medium is what a file sink writes to. *os.File is one.
type medium interface {
	io.Writer
	Truncate(size int64) error
	Seek(offset int64, whence int) (int64, error)
	Sync() error
	Close() error
}

// fileSink writes rows to a file. Nothing is changed in the file before the first
// write or the end, so that Restore can still take up what an earlier job left.
//
// Invariants: committed is the length of the file's content that is whole rows; the
// buffer holds whole rows; after a failed write the file is cut back to whole rows and
// every later call returns the same error.
type fileSink struct {
	options   sinkOptions
	name      string
	schema    *stream.Schema
	visible   []int
	file      medium
	regular   bool
	begun     bool
	restored  bool
	committed int64
	buffer    []byte
	packer    packer // nil if not compressed
	err       error
}

// packer is a compressing writer.
type packer interface {
	io.WriteCloser
	Flush() error
}

func openFileSink(t sinkOptions, schema *stream.Schema, visible []int) (Sink, error) {
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", t.path, cause(err))
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot write %s: %w", t.path, cause(err))
	}
	return &fileSink{options: t, name: t.path, schema: schema, visible: visible, file: f, regular: info.Mode().IsRegular()}, nil
}

// NewEncoder implements ByteSink.
func (s *fileSink) NewEncoder() Encoder { return s.options.encoder(s.schema, s.visible) }

// Write implements ByteSink.
func (s *fileSink) Write(p []byte) error {
	if err := s.begin(); err != nil {
		return err
	}
	if len(s.buffer)+len(p) > sinkBufferBytes {
		if err := s.drain(); err != nil {
			return err
		}
		if len(p) >= sinkBufferBytes {
			return s.put(p)
		}
	}
	s.buffer = append(s.buffer, p...)
	return nil
}

// begin empties the file, or what is behind the restored position, and writes the
// header.
func (s *fileSink) begin() error {
	if s.file == nil && s.err == nil {
		s.err = fmt.Errorf("cannot write %s: %w", s.name, os.ErrClosed)
	}
	if s.err != nil || s.begun {
		return s.err
	}
	s.begun = true
	if s.regular {
		if err := s.file.Truncate(s.committed); err != nil {
			return s.failed(err)
		}
		if _, err := s.file.Seek(s.committed, io.SeekStart); err != nil {
			return s.failed(err)
		}
	}
	if err := s.openPacker(); err != nil {
		return s.failed(err)
	}
	if !s.restored || s.committed == 0 {
		s.buffer = append(s.buffer, s.options.headerLine(s.schema, s.visible)...)
	}
	return nil
}

func (s *fileSink) openPacker() (err error) {
	switch s.options.compression {
	case compressGzip:
		s.packer, err = gzip.NewWriterLevel(s.file, flate.BestSpeed)
	case compressZstd:
		s.packer, err = zstd.NewWriter(s.file, zstd.WithEncoderConcurrency(1))
	}
	return err
}

func (s *fileSink) drain() error {
	if s.err != nil || len(s.buffer) == 0 {
		return s.err
	}
	err := s.put(s.buffer)
	s.buffer = s.buffer[:0]
	return err
}

// put writes whole rows to the medium.
func (s *fileSink) put(rows []byte) error {
	if s.packer == nil {
		if err := s.openPacker(); err != nil { // behind a snapshot
			return s.failed(err)
		}
	}
	if s.packer != nil {
		if _, err := s.packer.Write(rows); err != nil {
			return s.failed(err)
		}
		return nil
	}
	n, err := s.file.Write(rows)
	if err == nil && n < len(rows) {
		err = io.ErrShortWrite
	}
	if err == nil {
		s.committed += int64(n)
		return nil
	}
	cut := cutter{}
	if s.options.format == FormatCSV {
		cut = cutter{quote: s.options.dialect.quote, delimiter: s.options.dialect.delimiter}
	}
	cut.scan(rows[:max(n, 0)])
	s.committed += int64(cut.border)
	if s.regular {
		if e := s.file.Truncate(s.committed); e != nil {
			err = fmt.Errorf("%w (and the last row could not be cut off: %w)", err, cause(e))
		}
	}
	return s.failed(err)
}

func (s *fileSink) failed(err error) error {
	if s.err == nil {
		s.err = writeError(s.name, err)
	}
	return s.err
}

// writeError names the output and the cause.
func writeError(name string, err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("cannot write %s: %w", name, ErrClosedPipe)
	}
	return fmt.Errorf("cannot write %s: %w", name, cause(err))
}

// Flush implements ByteSink.
func (s *fileSink) Flush() error {
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.drain(); err != nil || s.packer == nil {
		return err
	}
	if err := s.packer.Flush(); err != nil {
		return s.failed(err)
	}
	return nil
}

// Close implements Sink.
func (s *fileSink) Close() error {
	if s.file == nil {
		return s.err
	}
	err := s.begin()
	if err == nil {
		err = s.drain()
	}
	if err == nil && s.packer != nil {
		if e := s.packer.Close(); e != nil {
			err = s.failed(e)
		}
	}
	if err == nil && s.regular {
		if e := s.file.Sync(); e != nil {
			err = s.failed(e)
		}
	}
	if e := s.file.Close(); e != nil && err == nil {
		err = s.failed(e)
	}
	s.file = nil
	return err
}

// Abort implements Sink. Rows written so far stay; a file that got none is left as it
// was found.
func (s *fileSink) Abort() {
	if s.file == nil {
		return
	}
	if s.begun && s.err == nil && s.drain() == nil && s.packer != nil {
		s.packer.Close()
	}
	s.file.Close()
	s.file = nil
}

// Snapshot implements state.Element. A compressed stream is ended: what comes behind is
// another one, which readers take for its continuation.
func (s *fileSink) Snapshot(w *state.Writer) {
	s.Flush() // a failure is kept and comes back from the next call
	packed := s.packer != nil
	if packed && s.err == nil {
		s.endPacked()
	}
	w.Bool(packed)
	w.Int(s.committed)
	w.Int(s.tail())
}

// tailBytes in front of the place where a job stopped tell whether a file is still its.
const tailBytes = 4 << 10

// tail is a checksum of what stands in front of the end of the whole rows, or tailUnknown.
func (s *fileSink) tail() int64 {
	from := max(s.committed-tailBytes, 0)
	if !s.regular {
		return tailUnknown
	}
	f, err := os.Open(s.name)
	if err != nil {
		return tailUnknown
	}
	defer f.Close()
	bytes := make([]byte, s.committed-from)
	if _, err := f.ReadAt(bytes, from); err != nil {
		return tailUnknown
	}
	return int64(crc32.ChecksumIEEE(bytes))
}

const tailUnknown = -1 // the file may not be read, or it cannot be

// endPacked closes the compressed stream and notes where it ends. A failure is kept.
func (s *fileSink) endPacked() {
	err := s.packer.Close()
	if err == nil && s.regular {
		s.committed, err = s.file.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		_ = s.failed(err)
	}
	s.packer = nil
}

// Restore implements state.Element.
func (s *fileSink) Restore(r *state.Reader) error {
	packed, committed, tail := r.Bool(), r.Int(), r.Int()
	if err := r.End(); err != nil {
		return err
	}
	if packed != (s.options.compression != compressNone) {
		return fmt.Errorf("cannot go on with %s: it was written with another compression", s.name)
	}
	if s.regular {
		end, err := s.file.Seek(0, io.SeekEnd)
		if err != nil {
			return writeError(s.name, err)
		}
		if end < committed {
			return fmt.Errorf("cannot go on with %s: it has %d bytes, the checkpoint %d", s.name, end, committed)
		}
	}
	if committed < 0 {
		return fmt.Errorf("cannot go on with %s: the checkpoint says %d bytes", s.name, committed)
	}
	s.restored, s.committed = true, committed
	if now := s.tail(); tail != tailUnknown && now != tailUnknown && now != tail {
		return fmt.Errorf("cannot go on with %s: another file has been put in its place, or its %d bytes were changed, since the checkpoint", s.name, committed)
	}
	return nil
}
