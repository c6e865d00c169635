package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/plain"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// columnWriter encodes one column of the row group that is being filled. Rows are kept
// as a column until a page is full. Text goes through a dictionary while that is small;
// what comes later is plain.
type columnWriter struct {
	field    stream.Field
	path     []string    // in the schema
	nested   *nestedPage // nil: the column is not nested
	physical format.Type
	codec    format.CompressionCodec
	protocol thrift.CompactProtocol
	zstd     *zstd.Encoder

	page     stream.Column
	rows     int // in page
	pages    bytes.Buffer
	index    chunkIndex
	encoded  int64 // bytes before compression, headers included
	count    int64 // rows of the pages
	entries  int64 // .. values and NULLs
	nulls    int64
	bounds   minMax
	plainIs  bool // a page is plain
	codes    map[string]int32
	words    []byte // dictionary: plain texts
	dict     []byte // its page
	levels   []byte
	packed   []byte
	payload  []byte
	selected stream.Column // the page's values, NULLs left out
}

// chunkIndex is the page index of a chunk. One of whose pages has values but no bounds
// (only NaN) leaves its column index out.
type chunkIndex struct {
	unbounded bool
	column    format.ColumnIndex
	offset    format.OffsetIndex
}

func newColumnWriter(f stream.Field, physical format.Type, codec format.CompressionCodec) columnWriter {
	c := columnWriter{field: f, physical: physical, codec: codec}
	if codec == format.Zstd {
		c.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)) // options are constant
	}
	c.reset()
	return c
}

func (c *columnWriter) reset() {
	c.page.Reset(c.field.Type)
	c.rows, c.encoded, c.count, c.entries, c.nulls, c.bounds, c.plainIs = 0, 0, 0, 0, 0, minMax{}, false
	c.index = chunkIndex{}
	c.pages.Reset()
	c.words, c.dict, c.codes = c.words[:0], nil, nil
	if c.physical == format.ByteArray {
		c.codes = map[string]int32{}
	}
}

// append takes rows [from, to) of a column, at most those of a page.
func (c *columnWriter) append(src *stream.Column, from, to int) error {
	c.page.AppendRange(src, from, to, c.rows)
	if c.rows += to - from; c.rows >= pageRows || c.page.SizeBytes() >= pageBytesAim {
		return c.flush()
	}
	return nil
}

// flush makes a page of the rows that have gathered.
func (c *columnWriter) flush() error {
	count, entries := c.valueCount()
	if entries == 0 {
		return nil
	}
	if c.field.NotNull && c.page.Valid != nil {
		return notNull(&c.field)
	}
	values := c.present()
	body, err := c.encodeLevels(c.packed[:0])
	if err != nil {
		return err
	}
	header := format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: int32(entries), Encoding: format.Plain, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE})}
	if codes, ok := c.encodeCodes(values, count); ok {
		header.DataPageHeader.V.Encoding = format.RLEDictionary
		body = append(body, codes...)
	} else {
		c.plainIs = true
		if body, err = c.encodePlain(body, values, count); err != nil {
			return err
		}
	}
	c.packed = body
	first := c.count
	at := c.pages.Len()
	if err := c.emit(&c.pages, &header, body); err != nil {
		return err
	}
	b := boundsOfColumn(values, count)
	c.note(b, entries-count, entries, format.PageLocation{Offset: int64(at), CompressedPageSize: int32(c.pages.Len() - at), FirstRowIndex: first})
	c.count, c.entries, c.nulls = c.count+int64(c.rows), c.entries+int64(entries), c.nulls+int64(entries-count)
	c.page.Reset(c.field.Type)
	if c.rows = 0; c.nested != nil {
		c.nested.reset()
	}
	return nil
}

func notNull(f *stream.Field) error {
	return fmt.Errorf("column %q is NOT NULL, but a row has none", f.Name)
}

// encodeLevels appends the page's levels.
func (c *columnWriter) encodeLevels(body []byte) (out []byte, err error) {
	if c.nested != nil {
		return c.nested.encode(body)
	}
	if c.field.NotNull {
		return body, nil
	}
	if c.levels, err = definitions.EncodeLevels(c.levels[:0], c.defined()); err != nil {
		return body, err
	}
	n := len(c.levels)
	return append(append(body, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)), c.levels...), nil
}

// emit compresses a page and writes it behind its header.
func (c *columnWriter) emit(out *bytes.Buffer, header *format.PageHeader, body []byte) error {
	packed, err := c.compress(body)
	if err != nil {
		return err
	}
	header.UncompressedPageSize, header.CompressedPageSize = int32(len(body)), int32(len(packed))
	header.CRC = int32(crc32.ChecksumIEEE(packed))
	head, err := thrift.Marshal(&c.protocol, header)
	if err != nil {
		return err
	}
	c.encoded += int64(len(head) + len(body))
	out.Write(head)
	out.Write(packed)
	return nil
}

func (c *columnWriter) compress(body []byte) ([]byte, error) {
	switch c.codec {
	case format.Snappy:
		c.payload = snappy.Encode(c.payload[:cap(c.payload)], body)
	case format.Zstd:
		c.payload = c.zstd.EncodeAll(body, c.payload[:0])
	case format.Gzip:
		buffer := bytes.NewBuffer(c.payload[:0])
		w := gzip.NewWriter(buffer)
		if _, err := w.Write(body); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		c.payload = buffer.Bytes()
	default:
		return body, nil
	}
	return c.payload, nil
}

// present is the page's values without its NULLs.
func (c *columnWriter) present() *stream.Column {
	if c.page.Valid == nil {
		return &c.page
	}
	var keep []int32
	for i := range c.rows {
		if !c.page.IsNull(i) {
			keep = append(keep, int32(i))
		}
	}
	c.selected.Reset(c.field.Type)
	c.selected.AppendSelected(&c.page, keep, 0)
	return &c.selected
}

// valueCount is how many values the page has, and how many with its NULLs.
func (c *columnWriter) valueCount() (values, entries int) {
	switch {
	case c.nested != nil:
		return c.nested.values, len(c.nested.defs)
	case c.page.Valid == nil:
		return c.rows, c.rows
	}
	return c.page.Valid.Count(c.rows), c.rows
}

// defined are definition levels: 1 for a value, 0 for NULL.
func (c *columnWriter) defined() []byte {
	out := slices.Grow(c.payload[:0], c.rows)[:c.rows]
	for i := range out {
		out[i] = 1
		if c.page.IsNull(i) {
			out[i] = 0
		}
	}
	c.payload = out
	return out
}

// encodeCodes encodes text by the dictionary, to which it adds; false: it would become
// too large, and from here on pages are plain.
func (c *columnWriter) encodeCodes(values *stream.Column, count int) ([]byte, bool) {
	if c.codes == nil {
		return nil, false
	}
	codes, before := make([]int32, count), len(c.codes)
	for i := range count {
		text := values.Text(i)
		code, known := c.codes[string(text)]
		if !known {
			if len(c.words)+len(text) > dictionaryBytesMax {
				c.forget(before)
				return nil, false
			}
			code = int32(len(c.codes))
			c.codes[string(text)] = code
			c.words = plain.AppendByteArray(c.words, text)
		}
		codes[i] = code
	}
	width := bitsFor(len(c.codes))
	out, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, codes)
	if err != nil {
		return nil, false
	}
	return append([]byte{byte(width)}, out...), true
}

// forget ends the dictionary with what pages before this one refer to.
func (c *columnWriter) forget(words int) {
	rest, n := c.words, 0
	for range words {
		step := 4 + plain.ByteArrayLength(rest)
		n, rest = n+step, rest[step:]
	}
	c.words = c.words[:n]
	c.codes = nil
}

func bitsFor(n int) (width int) {
	for n-1 > 0 {
		width, n = width+1, (n-1)/2+1
	}
	return max(width, 1)
}

func (c *columnWriter) encodePlain(dst []byte, v *stream.Column, count int) (out []byte, err error) {
	e, buf := &plain.Encoding{}, []byte(nil)
	switch c.physical {
	case format.Boolean:
		buf = make([]byte, (count+7)/8)
		for i := range count {
			if v.Bits.Get(i) {
				buf[i>>3] |= 1 << (i & 7)
			}
		}
	case format.FixedLenByteArray:
		for i := range count {
			dst = v.Decimal(i).AppendBigEndian(dst)
		}
	case format.Int32:
		if v.Type.Storage() == stream.BigInt { // a short DECIMAL
			for _, x := range v.I64[:count] {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(x))
			}
			break
		}
		buf, err = e.EncodeInt32(nil, v.I32[:count])
	case format.Int64:
		buf, err = e.EncodeInt64(nil, v.I64[:count])
	case format.Float:
		buf, err = e.EncodeFloat(nil, v.F32[:count])
	case format.Double:
		buf, err = e.EncodeDouble(nil, v.F64[:count])
	case format.ByteArray:
		for i := range count {
			dst = plain.AppendByteArray(dst, v.Text(i))
		}
	}
	return append(dst, buf...), err
}

// finish ends the chunk, which will stand at offset, and describes it.
func (c *columnWriter) finish(offset int64) (format.ColumnMetaData, chunkIndex, error) {
	if err := c.flush(); err != nil {
		return format.ColumnMetaData{}, chunkIndex{}, err
	}
	meta := format.ColumnMetaData{Type: c.physical, PathInSchema: c.path, Codec: c.codec, NumValues: c.entries,
		DataPageOffset: offset, Encoding: thrift.Slice[format.Encoding]{format.RLE}}
	if len(c.words) > 0 || c.physical == format.ByteArray && !c.plainIs {
		if err := c.dictionary(); err != nil {
			return meta, chunkIndex{}, err
		}
		meta.DictionaryPageOffset = offset
		meta.Encoding = append(meta.Encoding, format.RLEDictionary, format.Plain)
	} else {
		meta.Encoding = append(meta.Encoding, format.Plain)
	}
	meta.DataPageOffset += int64(len(c.dict))
	for i := range c.index.offset.PageLocations {
		c.index.offset.PageLocations[i].Offset += meta.DataPageOffset
	}
	meta.TotalCompressedSize, meta.TotalUncompressedSize = int64(len(c.dict)+c.pages.Len()), c.encoded
	meta.Statistics = format.Statistics{NullCount: c.nulls, MinValue: c.bounds.min, MaxValue: c.bounds.max}
	return meta, c.index, nil
}

func (c *columnWriter) dictionary() error {
	n := 0
	for rest := c.words; len(rest) > 0; n++ {
		rest = rest[4+plain.ByteArrayLength(rest):]
	}
	var out bytes.Buffer
	header := format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain})}
	if err := c.emit(&out, &header, c.words); err != nil {
		return err
	}
	c.dict = out.Bytes()
	return nil
}

// parts are the chunk's bytes, in order.
func (c *columnWriter) parts() [][]byte { return [][]byte{c.dict, c.pages.Bytes()} }
