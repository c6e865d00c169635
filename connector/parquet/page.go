package parquet

import (
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// headerBytes is how much is read at once to find a page's header; more is read if the
// header is longer.
const (
	headerBytes    = 512
	headerBytesMax = 1 << 20
)

// load finds the pages of a chunk: in its offset index, or from page to page.
func (c *chunk) load(r io.ReaderAt, rows int64) error {
	c.once.Do(func() {
		if err := c.check(); err != nil {
			c.err = err
			return
		}
		if c.meta.OffsetIndexOffset > 0 && c.meta.OffsetIndexLength > 0 {
			c.err = c.loadIndex(r, rows)
		} else {
			c.err = c.scan(r, rows)
		}
	})
	return c.err
}

func (c *chunk) check() error {
	m := &c.meta.MetaData
	switch {
	case c.meta.FilePath != "":
		return fmt.Errorf("its data is in another file, %s, which is not supported", c.meta.FilePath)
	case m.TotalCompressedSize < 0 || m.DataPageOffset < 0:
		return errDamaged
	}
	return nil
}

// start is where the chunk's first page stands, the dictionary included.
func (c *chunk) start() int64 {
	m := &c.meta.MetaData
	if m.DictionaryPageOffset > 0 {
		return min(m.DictionaryPageOffset, m.DataPageOffset)
	}
	return m.DataPageOffset
}

func (c *chunk) loadIndex(r io.ReaderAt, rows int64) error {
	data := make([]byte, c.meta.OffsetIndexLength)
	if err := readFull(r, data, c.meta.OffsetIndexOffset); err != nil {
		return err
	}
	var index format.OffsetIndex
	if err := decodeThrift(data, &index); err != nil {
		return fmt.Errorf("%w: its page index cannot be read: %w", errDamaged, err)
	}
	at := int64(0)
	for i, l := range index.PageLocations {
		end := rows
		if i+1 < len(index.PageLocations) {
			end = index.PageLocations[i+1].FirstRowIndex
		}
		if l.FirstRowIndex != at || end < at || end > rows || l.CompressedPageSize <= 0 {
			return fmt.Errorf("%w: its page index contradicts itself", errDamaged)
		}
		if c.rep > 0 && end == at { // nothing, or a part of a row, which must not be
			h, _, err := readHeader(r, l.Offset, l.Offset+int64(l.CompressedPageSize))
			if err != nil {
				return err
			}
			if h.DataPageHeader.V.NumValues != 0 || h.DataPageHeaderV2.V.NumValues != 0 {
				return errNoRow
			}
			continue
		}
		c.pages = append(c.pages, page{offset: l.Offset, size: int64(l.CompressedPageSize), first: at, rows: end - at})
		at = end
	}
	if at != rows {
		return fmt.Errorf("%w: its page index lacks rows", errDamaged)
	}
	if len(c.pages) > 0 && c.pages[0].offset > c.start() {
		c.dictionary = page{offset: c.start(), size: c.pages[0].offset - c.start()}
	}
	return nil
}

var errNoRow = fmt.Errorf("%w: a page has values and no row", errDamaged)

// scan goes from header to header.
func (c *chunk) scan(r io.ReaderAt, rows int64) error {
	at, end := c.start(), c.start()+c.meta.MetaData.TotalCompressedSize
	entries := int64(0) // of a repeated column, whose last row may have pages of its own
	for row := int64(0); row < rows || c.rep > 0 && entries < c.meta.MetaData.NumValues; {
		if at >= end {
			return fmt.Errorf("%w: a column has fewer rows than its row group", errDamaged)
		}
		h, n, err := readHeader(r, at, end)
		if err != nil {
			return err
		}
		p := page{offset: at, size: int64(n) + int64(h.CompressedPageSize), first: row}
		switch {
		case h.CompressedPageSize < 0 || at+p.size > end:
			return fmt.Errorf("%w: a page is larger than its column", errDamaged)
		case h.Type == format.DictionaryPage:
			c.dictionary = p
		case h.Type == format.DataPage:
			p.rows = int64(h.DataPageHeader.V.NumValues)
			if entries += p.rows; c.rep > 0 {
				if err := c.countRows(r, &p, rows, entries); err != nil {
					return err
				}
			}
		case h.Type == format.DataPageV2:
			p.rows = int64(h.DataPageHeaderV2.V.NumRows)
			entries += int64(h.DataPageHeaderV2.V.NumValues)
			if p.rows == 0 && h.DataPageHeaderV2.V.NumValues > 0 {
				return errNoRow
			}
		}
		if p.rows < 0 || row+p.rows > rows {
			return fmt.Errorf("%w: a page has more rows than its row group", errDamaged)
		}
		if p.rows > 0 || p.goesOn {
			c.pages = append(c.pages, p)
		}
		row += p.rows
		at += p.size
	}
	return nil
}

func readHeader(r io.ReaderAt, at, end int64) (h format.PageHeader, n int, err error) {
	for size := int64(headerBytes); ; size *= 8 {
		data := make([]byte, min(size, end-at))
		if err = readFull(r, data, at); err != nil {
			return h, 0, err
		}
		h = format.PageHeader{}
		if n, err = decodeThriftPrefix(data, &h); err == nil {
			return h, n, nil
		}
		if int64(len(data)) == end-at || size >= headerBytesMax {
			return h, 0, fmt.Errorf("%w: the header of a page cannot be read: %w", errDamaged, err)
		}
	}
}

// pageReader reads and unpacks pages; its buffers are used again.
type pageReader struct {
	raw      []byte
	unpacked []byte
	levels   []byte
}

// body is a page without its header, unpacked: its definition levels (nil: no value is
// NULL) and its values as they are encoded.
type body struct {
	levels   []byte // one for each row: 0 is NULL, 1 is a value
	values   []byte
	count    int // of the values, NULLs left out
	encoding format.Encoding
}

// read reads the page at p of a chunk. optional: the column may have NULLs.
func (r *pageReader) read(from io.ReaderAt, c *chunk, p page, optional bool) (body, error) {
	h, data, err := r.fetch(from, p)
	if err != nil {
		return body{}, err
	}
	switch h.Type {
	case format.DataPage:
		return r.dataV1(c, h, data, int(p.rows), optional)
	case format.DataPageV2:
		return r.dataV2(c, h, data, int(p.rows), optional)
	case format.DictionaryPage:
		data, err = r.unpack(c, data, int(h.UncompressedPageSize))
		return body{values: data, count: int(h.DictionaryPageHeader.V.NumValues), encoding: format.Plain}, err
	}
	return body{}, fmt.Errorf("%w: a page of an unknown kind", errDamaged)
}

// fetch reads the bytes of a page and its header.
func (r *pageReader) fetch(from io.ReaderAt, p page) (*format.PageHeader, []byte, error) {
	if p.size > PageBytesMax {
		return nil, nil, fmt.Errorf("a page of %d bytes is larger than %d MiB", p.size, PageBytesMax>>20)
	}
	r.raw = grow(r.raw, int(p.size))
	if err := readFull(from, r.raw, p.offset); err != nil {
		return nil, nil, err
	}
	h := &format.PageHeader{}
	n, err := decodeThriftPrefix(r.raw, h)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the header of a page cannot be read: %w", errDamaged, err)
	}
	if h.CompressedPageSize < 0 || n+int(h.CompressedPageSize) > len(r.raw) || h.UncompressedPageSize < 0 {
		return nil, nil, fmt.Errorf("%w: the header of a page contradicts the page", errDamaged)
	}
	if h.UncompressedPageSize > PageBytesMax {
		return nil, nil, fmt.Errorf("a page unpacks to %d bytes, more than %d MiB", h.UncompressedPageSize, PageBytesMax>>20)
	}
	data := r.raw[n : n+int(h.CompressedPageSize)]
	if h.CRC != 0 && crc32.ChecksumIEEE(data) != uint32(h.CRC) {
		return nil, nil, fmt.Errorf("%w: the checksum of a page is wrong", errDamaged)
	}
	return h, data, nil
}

// unpack undoes the chunk's compression.
func (r *pageReader) unpack(c *chunk, data []byte, size int) ([]byte, error) {
	codec := c.meta.MetaData.Codec
	if codec == format.Uncompressed {
		return data, nil
	}
	if size < 0 {
		return nil, errDamaged
	}
	r.unpacked = grow(r.unpacked, size)
	if err := unpackInto(r.unpacked, data, codec); err != nil {
		return nil, fmt.Errorf("%w: a page cannot be unpacked (%s): %w", errDamaged, codec, err)
	}
	return r.unpacked, nil
}

func (r *pageReader) dataV1(c *chunk, h *format.PageHeader, data []byte, rows int, optional bool) (body, error) {
	d := &h.DataPageHeader.V
	data, err := r.unpack(c, data, int(h.UncompressedPageSize))
	if err != nil {
		return body{}, err
	}
	b := body{count: rows, encoding: d.Encoding}
	if int(d.NumValues) != rows {
		return body{}, fmt.Errorf("%w: a page has %d values for %d rows", errDamaged, d.NumValues, rows)
	}
	if optional {
		if d.DefinitionLevelEncoding != format.RLE {
			return body{}, fmt.Errorf("definition levels in %s are not supported", d.DefinitionLevelEncoding)
		}
		if len(data) < 4 {
			return body{}, errDamaged
		}
		n := int(uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24)
		if n > len(data)-4 {
			return body{}, errDamaged
		}
		if err := r.defined(&b, data[4:4+n], rows); err != nil {
			return body{}, err
		}
		data = data[4+n:]
	}
	b.values = data
	return b, nil
}

func (r *pageReader) dataV2(c *chunk, h *format.PageHeader, data []byte, rows int, optional bool) (body, error) {
	d := &h.DataPageHeaderV2.V
	repetition, definition := int(d.RepetitionLevelsByteLength), int(d.DefinitionLevelsByteLength)
	if repetition < 0 || definition < 0 || repetition+definition > len(data) || int(d.NumRows) != rows {
		return body{}, fmt.Errorf("%w: the header of a page contradicts the page", errDamaged)
	}
	b := body{count: rows, encoding: d.Encoding}
	if optional && definition > 0 {
		if err := r.defined(&b, data[repetition:repetition+definition], rows); err != nil {
			return body{}, err
		}
	}
	data = data[repetition+definition:]
	if !d.IsCompressed.Valid || d.IsCompressed.V {
		var err error
		if data, err = r.unpack(c, data, int(h.UncompressedPageSize)-repetition-definition); err != nil {
			return body{}, err
		}
	}
	b.values = data
	return b, nil
}

// definitions is how the levels of a column at the top are written: NULL or not.
var definitions = &rle.Encoding{BitWidth: 1}

// defined decodes definition levels and counts the values.
func (r *pageReader) defined(b *body, data []byte, rows int) error {
	if err := checkRuns(data, definitions.BitWidth, rows); err != nil {
		return err
	}
	levels, err := definitions.DecodeLevels(grow(r.levels, rows), data)
	r.levels = levels
	if err != nil || len(levels) < rows {
		return fmt.Errorf("%w: the definition levels of a page cannot be read", errDamaged)
	}
	levels = levels[:rows]
	count, all := 0, byte(0)
	for _, l := range levels {
		count += int(l & 1)
		all |= l
	}
	if all > 1 { // a run may say so
		return fmt.Errorf("%w: a level above the greatest, 1", errDamaged)
	}
	if b.count = count; count < rows {
		b.levels = levels
	}
	return nil
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
