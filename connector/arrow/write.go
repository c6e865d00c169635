package arrow

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/millrace/millrace/stream"
)

// Codecs are the compressions of batches that are written.
var Codecs = []string{"none", "lz4", "zstd"}

// Writer writes batches. It is for one goroutine.
type Writer struct {
	out interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	schema  *arrow.Schema
	visible []int
}

// NewWriter returns a writer of the visible columns of a schema, in the stream format or
// else in the file format, which ends with a footer.
func NewWriter(w io.Writer, schema *stream.Schema, visible []int, codec string, streaming bool) (*Writer, error) {
	var fields []arrow.Field
	for _, i := range visible {
		f := schema.Fields[i]
		t, ok := typeOf(f.Type)
		if !ok {
			return nil, fmt.Errorf("column %q: %s cannot be written to an Arrow file", f.Name, f.Type)
		}
		fields = append(fields, arrow.Field{Name: f.Name, Type: t, Nullable: !f.NotNull})
	}
	out := &Writer{schema: arrow.NewSchema(fields, nil), visible: visible}
	options := []ipc.Option{ipc.WithSchema(out.schema)}
	switch codec {
	case "lz4":
		options = append(options, ipc.WithLZ4())
	case "zstd":
		options = append(options, ipc.WithZstd())
	}
	if streaming {
		out.out = ipc.NewWriter(w, options...)
		return out, nil
	}
	var err error
	out.out, err = ipc.NewFileWriter(w, options...)
	return out, err
}

func typeOf(t stream.Type) (arrow.DataType, bool) {
	if t.IsNested() {
		return nestedType(t)
	}
	if t.IsDecimal() {
		return &arrow.Decimal128Type{Precision: int32(t.Precision()), Scale: int32(t.Scale())}, true
	}
	out, ok := map[stream.Type]arrow.DataType{
		stream.Boolean: arrow.FixedWidthTypes.Boolean, stream.TinyInt: arrow.PrimitiveTypes.Int8, stream.SmallInt: arrow.PrimitiveTypes.Int16,
		stream.Integer: arrow.PrimitiveTypes.Int32, stream.BigInt: arrow.PrimitiveTypes.Int64,
		stream.Real: arrow.PrimitiveTypes.Float32, stream.Double: arrow.PrimitiveTypes.Float64, stream.Varchar: arrow.BinaryTypes.String,
		stream.Bytes: arrow.BinaryTypes.Binary, stream.JSON: arrow.BinaryTypes.String,
		stream.Date: arrow.FixedWidthTypes.Date32, stream.TimeOfDay: arrow.FixedWidthTypes.Time64us,
		stream.Timestamp: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, stream.Interval: arrow.FixedWidthTypes.Duration_us,
	}[t]
	return out, ok
}

// Write writes rows [from, to) of a batch without base.
func (w *Writer) Write(b *stream.Batch, from, to int) error {
	columns := make([]arrow.Array, len(w.visible))
	for i, c := range w.visible {
		column := b.Cols[c].Slice(from, to)
		columns[i] = arrayOf(&column, w.schema.Field(i).Type, to-from)
	}
	return w.out.Write(array.NewRecordBatch(w.schema, columns, int64(to-from)))
}

// arrayOf makes an array that shares the column's buffers, but for the small integers,
// decimals and nested types.
func arrayOf(c *stream.Column, t arrow.DataType, rows int) arrow.Array {
	buffers, nulls := []*memory.Buffer{nil}, 0
	if c.Valid != nil {
		nulls = rows - c.Valid.Count(rows)
		buffers[0] = memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(c.Valid))
	}
	add := func(p []byte) { buffers = append(buffers, memory.NewBufferBytes(p)) }
	var below []arrow.ArrayData
	switch {
	case c.Type.IsNested():
		children, length, offsets := childrenOf(c, rows)
		for k := range children {
			below = append(below, arrayOf(&children[k], childType(t, k), length).Data())
		}
		if offsets != nil {
			add(arrow.Int32Traits.CastToBytes(offsets))
		}
	case c.Type == stream.TinyInt:
		add(arrow.Int8Traits.CastToBytes(narrow[int8](c.I32)))
	case c.Type == stream.SmallInt:
		add(arrow.Int16Traits.CastToBytes(narrow[int16](c.I32)))
	case c.Type.IsDecimal():
		numbers := make([]decimal128.Num, rows)
		for i := range numbers {
			x := c.Decimal(i)
			numbers[i] = decimal128.New(x.Hi, x.Lo)
		}
		add(arrow.Decimal128Traits.CastToBytes(numbers))
	case c.Type.Storage() == stream.Boolean:
		add(arrow.Uint64Traits.CastToBytes(c.Bits))
	case c.Type.Storage() == stream.Integer:
		add(arrow.Int32Traits.CastToBytes(c.I32))
	case c.Type.Storage() == stream.Real:
		add(arrow.Float32Traits.CastToBytes(c.F32))
	case c.Type.Storage() == stream.Double:
		add(arrow.Float64Traits.CastToBytes(c.F64))
	case c.Type.Storage() == stream.Varchar:
		add(arrow.Int32Traits.CastToBytes(c.Off))
		add(c.Bytes)
	default:
		add(arrow.Int64Traits.CastToBytes(c.I64))
	}
	return array.MakeFromData(array.NewData(t, rows, buffers, below, nulls, 0))
}

func narrow[T int8 | int16](values []int32) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}

// Close ends the file or stream.
func (w *Writer) Close() error { return w.out.Close() }
