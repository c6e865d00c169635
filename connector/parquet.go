package connector

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// parquetSource reads Parquet files. A block is a unit: some rows of a row group. Its
// Position counts rows: Offset and Line are the rows of the file before it.
type parquetSource struct {
	name string // of the stream
	fileLists
	fields    []stream.Field
	physical  []bool
	unit      int64 // nanoseconds that whole numbers count in TIMESTAMP columns; 0: none
	need      []bool
	pruner    *parquet.Pruner
	blockRows int64

	bytesRead atomic.Int64
	mu        sync.Mutex
	opened    []*os.File // one for each reader and decoder, at most
}

const (
	unitBytes     = 1 << 20  // what the values of a unit should take in memory
	unitRowsMin   = 8 << 10  // .. but no fewer rows
	unitRowsMax   = 64 << 10 // .. and no more
	rowBytesLeast = 1
)

func newParquetSource(name string, src *model.Source, schema *stream.Schema, t textOptions, lists fileLists, reading Reading, env Env) Source {
	s := &parquetSource{name: name, fileLists: lists, fields: schema.Fields, physical: physicalColumns(src, schema), unit: nanosOf(t.unit), need: reading.Need}
	width := 0
	for i, f := range schema.Fields {
		if s.physical[i] && (reading.Need == nil || reading.Need[i]) {
			width += f.Type.Width()
		}
	}
	s.blockRows = int64(min(max(unitBytes/max(width, rowBytesLeast), unitRowsMin), unitRowsMax)) &^ 63
	if env.BlockBytes > 0 {
		s.blockRows = int64(max(1, env.BlockBytes/max(width, rowBytesLeast)))
	}
	s.pruner = parquet.NewPruner(reading.Where, reading.Time)
	if src.MaxJumpMicros > 0 {
		s.pruner = parquet.NewPruner(nil, -1) // whether a row is too far ahead depends on all before it
	}
	return s
}

// physicalColumns tells which columns of a stream stand in its connector's records.
func physicalColumns(src *model.Source, schema *stream.Schema) []bool {
	out, keys := make([]bool, schema.Len()), partitionKeys(src.Options)
	for i := range out {
		out[i] = (i >= len(src.Computed) || src.Computed[i] == nil) && !slices.Contains(keys, schema.Fields[i].Name)
	}
	return out
}

// nanosOf is a unit of timestamp_unit in nanoseconds.
func nanosOf(unit int64) int64 {
	if unit == nanosecondUnit {
		return 1
	}
	return unit * 1000
}

const namesShownMax = 20 // columns of a file in a hint

// missingHint says what a column that is not there was meant to be.
func missingHint(column string, names []string) string {
	if near := nearest(column, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	more := ""
	if len(names) > namesShownMax {
		names, more = names[:namesShownMax], ", .."
	}
	return fmt.Sprintf("it has %s%s", strings.Join(names, ", "), more)
}

// Bounded implements Source.
func (s *parquetSource) Bounded() bool { return !s.watched() }

// Live implements Source.
func (s *parquetSource) Live() bool { return s.watched() }

// Warnings implements Source.
func (s *parquetSource) Warnings() []string { return s.notes() }

// BytesRead implements Counted.
func (s *parquetSource) BytesRead() int64 { return s.bytesRead.Load() }

// Close implements Source.
func (s *parquetSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.opened {
		_ = f.Close()
	}
	s.opened = nil
	return nil
}

// handle is an open file of one reader or decoder.
type handle struct {
	source *parquetSource
	path   string
	file   *os.File
}

// open makes the handle one for path.
func (h *handle) open(path string) error {
	if h.file != nil && h.path == path {
		return nil
	}
	h.close()
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	h.source.mu.Lock()
	h.source.opened = append(h.source.opened, f)
	h.source.mu.Unlock()
	h.path, h.file = path, f
	return nil
}

func (h *handle) close() {
	if h.file == nil {
		return
	}
	h.source.mu.Lock()
	if i := slices.Index(h.source.opened, h.file); i >= 0 {
		h.source.opened = slices.Delete(h.source.opened, i, i+1)
	}
	h.source.mu.Unlock()
	_ = h.file.Close()
	h.file = nil
}

// ReadAt implements io.ReaderAt and counts.
func (h *handle) ReadAt(p []byte, at int64) (int, error) {
	n, err := h.file.ReadAt(p, at)
	h.source.bytesRead.Add(int64(n))
	return n, err
}

// Reader implements Source.
func (s *parquetSource) Reader(_ context.Context, partition int, at Position) (Reader, error) {
	files, err := s.files(s.name, partition, at)
	return &parquetReader{source: s, handle: handle{source: s}, partition: partition, files: files, at: at}, err
}

// parquetReader cuts the ranges of each row group that have to be read into units.
type parquetReader struct {
	source    *parquetSource
	handle    handle
	partition int
	files     fileList
	at        Position // behind the last block
	file      *parquet.File
	group     int
	ranges    []parquet.Range // of the group, still to be read
	passed    Passed
	steps     int64 // rows of a unit in this group
}

// Next implements Reader.
func (r *parquetReader) Next(ctx context.Context, b *Block) error {
	*b = Block{Data: b.Data[:0], Partition: r.partition}
	for ctx.Err() == nil {
		if r.file == nil {
			err := r.open(ctx)
			if err == io.EOF {
				b.End, b.Passed = r.at, r.passed
			}
			if err != nil {
				return err
			}
		}
		for len(r.ranges) > 0 {
			if r.unit(b) {
				return nil
			}
		}
		if err := r.nextGroup(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// open reads the footer of the current file and passes over the groups that a restored
// job has read. It returns io.EOF if there is no such file.
func (r *parquetReader) open(ctx context.Context) error {
	path, err := r.files.path(ctx, r.at.File)
	if err != nil {
		return err
	}
	if err := r.handle.open(path); err != nil {
		return err
	}
	info, err := r.handle.file.Stat()
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	if r.file, err = parquet.Open(path, &r.handle, info.Size()); err != nil {
		return err
	}
	if err := r.file.Bind(r.source.fields, r.source.physical, r.source.unit); err != nil {
		return err
	}
	if r.at.Offset > r.file.Rows {
		return fmt.Errorf("%s has %d rows, but the checkpoint is behind row %d: not the file of the checkpoint", path, r.file.Rows, r.at.Offset)
	}
	r.group, r.ranges = -1, nil
	return nil
}

// nextGroup finds the ranges of the next group, or leaves the file behind its last one.
func (r *parquetReader) nextGroup() error {
	for r.group++; r.group < r.file.Groups(); r.group++ {
		first, rows := r.file.Group(r.group)
		if first+rows <= r.at.Offset {
			continue
		}
		ranges, err := r.source.pruner.Group(r.file, &r.handle, r.group)
		if err != nil {
			return err
		}
		done := r.at.Offset - first
		for len(ranges) > 0 && ranges[0].To <= done && done > 0 {
			ranges = ranges[1:]
		}
		if len(ranges) > 0 && ranges[0].From < done {
			ranges[0].From, ranges[0].Passed = done, stream.MinTime
		}
		r.ranges = ranges
		r.steps, err = r.file.Step(&r.handle, r.group, r.source.need, r.source.blockRows)
		return err
	}
	r.files.finished(r.at)
	r.at = Position{File: r.at.File + 1}
	r.file = nil
	r.handle.close()
	return nil
}

// unit fills b with the next unit of the group; false: what was left of it is passed over.
func (r *parquetReader) unit(b *Block) bool {
	g := &r.ranges[0]
	first, _ := r.file.Group(r.group)
	if gap := first + g.From - r.at.Offset; gap > 0 {
		r.passed.add(gap, g.Passed)
		r.at.Offset, r.at.Line = r.at.Offset+gap, r.at.Line+gap
		g.Passed = stream.MinTime
	}
	u := parquet.Unit{Group: r.group, From: g.From, To: min(g.To, (g.From/r.steps+1)*r.steps)}
	if g.From = u.To; g.From >= g.To {
		r.ranges = r.ranges[1:]
	}
	rows := u.To - u.From
	if rows <= 0 {
		return false
	}
	b.Rows, b.File, b.Start, b.unit = int(rows), r.file.Path, r.at, parquetUnit{r.file, u}
	r.at.Offset, r.at.Line = r.at.Offset+rows, r.at.Line+rows
	b.End, b.Passed, r.passed = r.at, r.passed, Passed{}
	return true
}

// Close implements Reader.
func (r *parquetReader) Close() error {
	r.handle.close()
	return nil
}

// parquetUnit is what a block of a Parquet file refers to.
type parquetUnit struct {
	file *parquet.File
	parquet.Unit
}

// NewDecoder implements Source.
func (s *parquetSource) NewDecoder() Decoder {
	return s.decoder(&parquetDecoder{source: s, handle: handle{source: s}})
}

// parquetDecoder reads the pages of a block and decodes them.
type parquetDecoder struct {
	source  *parquetSource
	handle  handle
	decoder parquet.Decoder
	rows    rowTexts
}

// Decode implements Decoder.
func (d *parquetDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	if b.Rows == 0 {
		return errs, nil
	}
	u := b.unit.(parquetUnit)
	if err := d.handle.open(u.file.Path); err != nil {
		return errs, err
	}
	failed, err := d.decoder.Decode(u.file, &d.handle, u.Unit, out)
	if err != nil {
		return errs, err
	}
	return d.rows.settle(out, d.source.physical, failed, errs), nil
}

// Record implements Decoder.
func (d *parquetDecoder) Record(row int) (text string, line int64) { return d.rows.record(row) }

// rowTexts knows the rows of the batch decoded last by their place in the block, for
// formats that have no text.
type rowTexts struct {
	batch *stream.Batch
	shown []int   // columns that were read
	kept  []int32 // rows of the block that the batch has; nil: all
}

// settle takes failing rows out of a batch and makes error records of them.
func (t *rowTexts) settle(out *stream.Batch, physical []bool, failed []parquet.Failure, errs []RecordError) []RecordError {
	t.batch, t.shown, t.kept = out, t.shown[:0], nil
	for i := range out.Cols {
		if physical[i] && !out.Cols[i].Absent() {
			t.shown = append(t.shown, i)
		}
	}
	if len(failed) == 0 {
		return errs
	}
	next := 0
	t.kept = make([]int32, 0, out.Len-len(failed))
	for row := range out.Len {
		if next == len(failed) || failed[next].Row != row {
			t.kept = append(t.kept, int32(row))
			continue
		}
		text := cutText(AppendJSONRow(nil, out, t.shown, row), ErrorRecordBytesMax)
		errs = append(errs, RecordError{Before: row - next, Line: int64(row) + 1, Record: text, Reason: failed[next].Reason})
		next++
	}
	good := stream.Batch{Schema: out.Schema, Cols: make([]stream.Column, len(out.Cols))}
	for i := range out.Cols {
		good.Cols[i].Reset(out.Cols[i].Type)
		if !slices.Contains(t.shown, i) {
			good.Cols[i] = stream.Column{}
		}
	}
	good.AppendSelected(out, t.kept)
	for _, i := range t.shown {
		out.Cols[i] = good.Cols[i]
	}
	out.Len = good.Len
	return errs
}

func (t *rowTexts) record(row int) (text string, line int64) {
	text = cutText(AppendJSONRow(nil, t.batch, t.shown, row), ErrorRecordBytesMax)
	if t.kept != nil {
		row = int(t.kept[row])
	}
	return text, int64(row) + 1
}

// PassedOver are those of a source's conjuncts (Reading.Where) by which it may leave out
// rows without reading them.
func PassedOver(src *model.Source, schema *stream.Schema, time int, conjuncts []*model.Expr) (out []*model.Expr) {
	options := newOptionSet(src.Options).values
	format := options["format"]
	if format == "" {
		format = formatByName(options["path"])
	}
	if canonicalConnector(src.Connector) != connectorFile || src.MaxJumpMicros > 0 {
		return nil
	}
	physical, keys := physicalColumns(src, schema), partitionKeys(options)
	for _, e := range conjuncts {
		column, ok := parquet.Decides(e)
		if ok && (physical[column] && format == FormatParquet || slices.Contains(keys, schema.Fields[column].Name) && time < 0) {
			out = append(out, e)
		}
	}
	return out
}
