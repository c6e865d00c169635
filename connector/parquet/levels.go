package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// entries are those of a page of a leaf below an ARRAY or ROW: a level of each kind for
// each.
type entries struct {
	reps, defs []byte
	rows       int // that begin among them
}

// readEntries reads a page of a chunk that is part of a nested column. The body's count is
// that of the values. It reads no dictionaries.
func (r *pageReader) readEntries(from io.ReaderAt, c *chunk, p page, e *entries) (body, error) {
	h, data, err := r.fetch(from, p)
	if err != nil {
		return body{}, err
	}
	b := body{}
	switch h.Type {
	case format.DataPage:
		b, err = r.entriesV1(c, h, data, e)
	case format.DataPageV2:
		b, err = r.entriesV2(c, h, data, e)
	default:
		err = fmt.Errorf("%w: a page of an unknown kind", errDamaged)
	}
	if err != nil {
		return b, err
	}
	b.count, e.rows = 0, 0
	for i, d := range e.defs {
		if int(d) == c.def {
			b.count++
		}
		if e.reps[i] == 0 {
			e.rows++
		}
	}
	return b, nil
}

func (r *pageReader) entriesV1(c *chunk, h *format.PageHeader, data []byte, e *entries) (body, error) {
	d := &h.DataPageHeader.V
	data, err := r.unpack(c, data, int(h.UncompressedPageSize))
	if err != nil {
		return body{}, err
	}
	cut := func(greatest int, encoding format.Encoding) ([]byte, error) {
		switch {
		case greatest == 0:
			return nil, nil
		case encoding != format.RLE:
			return nil, fmt.Errorf("levels in %s are not supported", encoding)
		case len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4):
			return nil, errDamaged
		}
		n := 4 + int(binary.LittleEndian.Uint32(data))
		out := data[4:n]
		data = data[n:]
		return out, nil
	}
	reps, err := cut(c.rep, d.RepetitionLevelEncoding)
	if err != nil {
		return body{}, err
	}
	defs, err := cut(c.def, d.DefinitionLevelEncoding)
	if err == nil {
		err = e.decode(c, reps, defs, d.NumValues)
	}
	return body{values: data, encoding: d.Encoding}, err
}

func (r *pageReader) entriesV2(c *chunk, h *format.PageHeader, data []byte, e *entries) (body, error) {
	d := &h.DataPageHeaderV2.V
	reps, defs := int(d.RepetitionLevelsByteLength), int(d.DefinitionLevelsByteLength)
	if reps < 0 || defs < 0 || reps+defs > len(data) {
		return body{}, fmt.Errorf("%w: the header of a page contradicts the page", errDamaged)
	}
	if err := e.decode(c, data[:reps], data[reps:reps+defs], d.NumValues); err != nil {
		return body{}, err
	}
	b := body{values: data[reps+defs:], encoding: d.Encoding}
	var err error
	if !d.IsCompressed.Valid || d.IsCompressed.V {
		b.values, err = r.unpack(c, b.values, int(h.UncompressedPageSize)-reps-defs)
	}
	return b, err
}

// decode decodes the levels of a page with so many entries.
func (e *entries) decode(c *chunk, reps, defs []byte, count int32) (err error) {
	if count < 0 || count > PageBytesMax {
		return fmt.Errorf("%w: a page with %d values", errDamaged, count)
	}
	if e.reps, err = decodeLevels(e.reps, reps, c.rep, int(count)); err == nil {
		e.defs, err = decodeLevels(e.defs, defs, c.def, int(count))
	}
	return err
}

// decodeLevels decodes levels up to the greatest; of a kind that has only 0 there are none
// in the file.
func decodeLevels(dst, data []byte, greatest, count int) ([]byte, error) {
	dst = grow(dst, count)
	if greatest == 0 {
		clear(dst)
		return dst, nil
	}
	width := bits.Len(uint(greatest))
	if err := checkRuns(data, width, count); err != nil {
		return dst, err
	}
	dst, err := (&rle.Encoding{BitWidth: width}).DecodeLevels(dst, data)
	if err != nil || len(dst) < count {
		return dst, fmt.Errorf("%w: the levels of a page cannot be read", errDamaged)
	}
	dst = dst[:count]
	for _, l := range dst {
		if int(l) > greatest {
			return dst, fmt.Errorf("%w: a level of %d is above the greatest, %d", errDamaged, l, greatest)
		}
	}
	return dst, nil
}

// countRows finds out how many rows begin in a page of the old form, whose header does not
// say it: the only page of a chunk has all.
func (c *chunk) countRows(r io.ReaderAt, p *page, rows, values int64) error {
	if p.first == 0 && len(c.pages) == 0 && values == c.meta.MetaData.NumValues {
		p.rows = rows
		return nil
	}
	var reader pageReader
	var e entries
	if _, err := reader.readEntries(r, c, *p, &e); err != nil {
		return err
	}
	p.rows, p.goesOn = int64(e.rows), len(e.reps) > 0 && e.reps[0] != 0
	return nil
}
