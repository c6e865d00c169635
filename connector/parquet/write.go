package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// Defaults and limits of files that are written.
const (
	GroupRowsDefault   = 128 << 10 // rows of a row group
	pageRows           = 16 << 10  // rows of a page
	pageBytesAim       = 256 << 10 // .. or fewer, if its values take this much
	dictionaryBytesMax = 1 << 20   // of a text column; pages beyond it are plain
)

// Codecs are the compressions of files that are written, by name.
var Codecs = map[string]format.CompressionCodec{
	"none": format.Uncompressed, "snappy": format.Snappy, "gzip": format.Gzip, "zstd": format.Zstd,
}

// Writer writes rows as a Parquet file. It is for one goroutine. A row group is kept in
// memory, encoded, until it is full; the file can be read once Close has written its footer.
type Writer struct {
	out       io.Writer
	offset    int64
	visible   []int
	fields    []stream.Field // that are visible
	nests     []nest         // of them; those that are not nested have one leaf
	columns   []columnWriter // of the leaves
	groupRows int64
	rows      int64 // in the group so far
	meta      format.FileMetaData
	indexes   [][]chunkIndex // by group, column
	protocol  thrift.CompactProtocol
}

// NewWriter returns a writer of the visible columns of a schema.
func NewWriter(w io.Writer, schema *stream.Schema, visible []int, codec string, groupRows int64) (*Writer, error) {
	out := &Writer{out: w, visible: visible, groupRows: groupRows}
	out.meta = format.FileMetaData{Version: 2, CreatedBy: "millrace", Schema: thrift.Slice[format.SchemaElement]{{
		Name: "schema", NumChildren: thrift.New(int32(len(visible))),
	}}}
	for _, i := range visible {
		f := schema.Fields[i]
		n, err := out.declare(f, nil, 0, 0, Codecs[codec])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		out.fields, out.nests = append(out.fields, f), append(out.nests, n)
	}
	return out, nil
}

// elementOf is how a column stands in the file's schema.
func elementOf(f stream.Field) (format.SchemaElement, bool) {
	e := format.SchemaElement{Name: f.Name, RepetitionType: thrift.New(format.Optional)}
	if f.NotNull {
		e.RepetitionType = thrift.New(format.Required)
	}
	if f.Type.IsDecimal() {
		return decimalElement(e, f.Type), true
	}
	switch f.Type {
	case stream.Boolean:
		e.Type = thrift.New(format.Boolean)
	case stream.Integer:
		e.Type = thrift.New(format.Int32)
	case stream.TinyInt:
		e.Type, e.ConvertedType = thrift.New(format.Int32), thrift.New(deprecated.Int8)
		e.LogicalType.Value = &format.IntType{BitWidth: 8, IsSigned: true}
	case stream.SmallInt:
		e.Type, e.ConvertedType = thrift.New(format.Int32), thrift.New(deprecated.Int16)
		e.LogicalType.Value = &format.IntType{BitWidth: 16, IsSigned: true}
	case stream.Date:
		e.Type, e.ConvertedType = thrift.New(format.Int32), thrift.New(deprecated.Date)
		e.LogicalType.Value = &format.DateType{}
	case stream.TimeOfDay:
		e.Type, e.ConvertedType = thrift.New(format.Int64), thrift.New(deprecated.TimeMicros)
		e.LogicalType.Value = &format.TimeType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case stream.BigInt, stream.Interval:
		e.Type = thrift.New(format.Int64)
	case stream.Real:
		e.Type = thrift.New(format.Float)
	case stream.Double:
		e.Type = thrift.New(format.Double)
	case stream.Varchar:
		e.Type, e.ConvertedType = thrift.New(format.ByteArray), thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case stream.Bytes:
		e.Type = thrift.New(format.ByteArray)
	case stream.JSON:
		e.Type, e.ConvertedType = thrift.New(format.ByteArray), thrift.New(deprecated.Json)
		e.LogicalType.Value = &format.JsonType{}
	case stream.Timestamp:
		e.Type, e.ConvertedType = thrift.New(format.Int64), thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	default:
		return e, false
	}
	return e, true
}

// int32Digits is the precision up to which DECIMAL takes 32 bits.
const int32Digits = 9

// decimalElement makes e the element of a DECIMAL: the least of 32, 64 and 128 bits.
func decimalElement(e format.SchemaElement, t stream.Type) format.SchemaElement {
	p, s := int32(t.Precision()), int32(t.Scale())
	e.LogicalType.Value, e.ConvertedType = &format.DecimalType{Precision: p, Scale: s}, thrift.New(deprecated.Decimal)
	e.Precision, e.Scale = thrift.New(p), thrift.New(s)
	switch {
	case p <= int32Digits:
		e.Type = thrift.New(format.Int32)
	case t.Storage() == stream.BigInt:
		e.Type = thrift.New(format.Int64)
	default:
		e.Type, e.TypeLength = thrift.New(format.FixedLenByteArray), thrift.New(int32(decimal.Size))
	}
	return e
}

// Write appends rows [from, to) of a batch without base.
func (w *Writer) Write(b *stream.Batch, from, to int) error {
	for from < to {
		n := min(to-from, pageRows, int(w.groupRows-w.rows))
		for k := range w.fields {
			if err := w.append(k, &b.Cols[w.visible[k]], from, from+n); err != nil {
				return err
			}
		}
		from += n
		if w.rows += int64(n); w.rows == w.groupRows {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// append takes rows [from, to) of column k, at most those of a page.
func (w *Writer) append(k int, src *stream.Column, from, to int) error {
	if w.fields[k].Type.IsNested() {
		return w.shred(&w.nests[k], &w.fields[k], src, from, to)
	}
	return w.columns[w.nests[k].first].append(src, from, to)
}

// flush writes the row group.
func (w *Writer) flush() error {
	if w.rows == 0 {
		return nil
	}
	if w.offset == 0 {
		if err := w.emit([]byte(magic)); err != nil {
			return err
		}
	}
	group := format.RowGroup{NumRows: w.rows, FileOffset: w.offset, Ordinal: int16(min(len(w.meta.RowGroups), 1<<15-1))}
	var indexes []chunkIndex
	for k := range w.columns {
		meta, index, err := w.columns[k].finish(w.offset)
		if err != nil {
			return err
		}
		for _, part := range w.columns[k].parts() {
			if err := w.emit(part); err != nil {
				return err
			}
		}
		group.Columns = append(group.Columns, format.ColumnChunk{MetaData: meta})
		group.TotalByteSize += meta.TotalUncompressedSize
		group.TotalCompressedSize += meta.TotalCompressedSize
		indexes = append(indexes, index)
		w.columns[k].reset()
	}
	w.meta.NumRows += w.rows
	w.meta.RowGroups = append(w.meta.RowGroups, group)
	w.indexes, w.rows = append(w.indexes, indexes), 0
	return nil
}

func (w *Writer) emit(p []byte) error {
	n, err := w.out.Write(p)
	w.offset += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

var errFooter = errors.New("the footer of a Parquet file would be too large")

// Close writes what is left, the page indexes and the footer.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if w.offset == 0 {
		if err := w.emit([]byte(magic)); err != nil {
			return err
		}
	}
	for g := range w.indexes {
		for k := range w.indexes[g] {
			c := &w.meta.RowGroups[g].Columns[k]
			if w.indexes[g][k].unbounded {
				continue
			}
			if err := w.index(&w.indexes[g][k].column, &c.ColumnIndexOffset, &c.ColumnIndexLength); err != nil {
				return err
			}
		}
	}
	for g := range w.indexes {
		for k := range w.indexes[g] {
			c := &w.meta.RowGroups[g].Columns[k]
			if err := w.index(&w.indexes[g][k].offset, &c.OffsetIndexOffset, &c.OffsetIndexLength); err != nil {
				return err
			}
		}
	}
	footer, err := thrift.Marshal(&w.protocol, &w.meta)
	if err != nil {
		return err
	}
	if len(footer) > FooterBytesMax {
		return errFooter
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.emit(append(footer, magic...))
}

func (w *Writer) index(v any, offset *int64, length *int32) error {
	data, err := thrift.Marshal(&w.protocol, v)
	if err != nil {
		return err
	}
	*offset, *length = w.offset, int32(len(data))
	return w.emit(data)
}
