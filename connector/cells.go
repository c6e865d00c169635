package connector

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/millrace/millrace/stream"
)

// Decoding has two steps. A format's scanner walks a block once and notes, for every
// record that is well formed, where the cells of the needed columns stand (a span
// each). Then each column is converted on its own in one tight loop. A record with a
// cell that cannot be read is taken out of the spans and the columns are converted
// again; that costs a second pass only for blocks that hold bad records.

// span is where a cell stands: bytes [start, end) of the block, or of cells.extra.
// The top bits of end say what it is.
type span struct{ start, end uint32 }

const (
	spanNull    = 1 << 31 // NULL
	spanQuoted  = 1 << 30 // text in quotes
	spanExtra   = 1 << 29 // unescaped into cells.extra
	spanLiteral = 1 << 28 // JSON true or false
	spanNested  = 1 << 27 // JSON object or array
	spanFlags   = spanNull | spanQuoted | spanExtra | spanLiteral | spanNested
)

// cells is what the scanner of either format fills and the conversion reads.
type cells struct {
	schema  *stream.Schema
	readers []cellReader // by schema column

	data, extra []byte
	columns     []int // schema column of cell j
	spans       []span
	rows        int
	starts      []uint32 // of each row's record
	stops       []uint32
	failures    []failure
	bad         stream.Bitmap // rows that failed conversion
	ascii       bool
	typed       bool // quotes make a string (JSON), not just text (CSV)
}

// failure is a record that is no row. Those found by the scanner stand before row
// `row`; those found by the conversion are row `row`.
type failure struct {
	row         int
	start, stop uint32
	reason      string
	converted   bool
}

// cellReader converts a cell of one column; only the field for its type is set.
type cellReader struct {
	i32  func(b []byte, flags uint32) (int32, bool)
	i64  func(b []byte, flags uint32) (int64, bool)
	f32  func(b []byte, flags uint32) (float32, bool)
	f64  func(b []byte, flags uint32) (float64, bool)
	bool func(b []byte, flags uint32) (value, ok bool)
	text func(dst, b []byte, flags uint32) ([]byte, bool) // nil: the cell's text is the value
}

// readDecimals makes r read numbers, also from quotes, where takes says so.
func (r *cellReader) readDecimals(t stream.Type, takes func(flags uint32) bool) {
	if t.Storage() == stream.BigInt {
		r.i64 = func(b []byte, flags uint32) (int64, bool) {
			x, fits, ok := stream.ParseDecimal(t, bytes.TrimSpace(b))
			return int64(x.Lo), fits && ok && takes(flags)
		}
		return
	}
	r.text = func(dst, b []byte, flags uint32) ([]byte, bool) {
		x, fits, ok := stream.ParseDecimal(t, bytes.TrimSpace(b))
		return x.AppendBytes(dst), fits && ok && takes(flags)
	}
}

// readNested makes r read JSON, from cells that have the flags of wanted.
func (r *cellReader) readNested(t stream.Type, wanted uint32) {
	r.text = func(dst, b []byte, flags uint32) ([]byte, bool) {
		if flags&wanted != wanted {
			return dst, false
		}
		return stream.ParseNested(dst, t, b)
	}
}

// readBytes makes r read base64 into a BYTEA where takes says so.
func (r *cellReader) readBytes(takes func(flags uint32) bool) {
	r.text = func(dst, b []byte, flags uint32) ([]byte, bool) {
		if !takes(flags) {
			return dst, false
		}
		out, err := base64.StdEncoding.AppendDecode(dst, bytes.TrimSpace(b))
		return out, err == nil
	}
}

func (c *cells) begin(data []byte) {
	c.data, c.extra = data, c.extra[:0]
	c.spans, c.starts, c.stops, c.failures = c.spans[:0], c.starts[:0], c.stops[:0], c.failures[:0]
	c.rows = 0
}

func (c *cells) fail(start, stop int, reason string) {
	c.failures = append(c.failures, failure{row: c.rows, start: uint32(start), stop: uint32(stop), reason: reason})
}

// finish converts the noted cells into out and appends the failures to errs.
func (c *cells) finish(b *Block, out *stream.Batch, errs []RecordError) []RecordError {
	c.ascii = isASCII(c.data)
	scanned := len(c.failures)
	c.convertAll(out)
	if len(c.failures) > scanned {
		c.removeBad()
		for _, col := range c.columns {
			out.Cols[col].Reset(c.schema.Fields[col].Type)
		}
		c.convertAll(out)
	}
	out.Len = c.rows
	if len(c.failures) == 0 {
		return errs
	}
	slices.SortFunc(c.failures, func(x, y failure) int { return cmp.Compare(x.start, y.start) })
	removed, line, counted := 0, int64(1), 0
	for _, f := range c.failures {
		line += countLines(b.Data[counted:f.start])
		counted = int(f.start)
		errs = append(errs, RecordError{Before: f.row - removed, Line: line,
			Record: cutRecord(b.Data[f.start:f.stop]), Reason: f.reason})
		if f.converted {
			removed++
		}
	}
	return errs
}

func (c *cells) convertAll(out *stream.Batch) {
	for j, col := range c.columns {
		c.convert(&out.Cols[col], j, col)
	}
}

func (c *cells) convert(out *stream.Column, j, col int) {
	r := &c.readers[col]
	switch out.Type.Storage() {
	case stream.Boolean:
		c.convertBool(out, j, col)
	case stream.Integer:
		out.I32 = convertFixed(c, out, j, col, out.I32, r.i32)
	case stream.Real:
		out.F32 = convertFixed(c, out, j, col, out.F32, r.f32)
	case stream.Double:
		out.F64 = convertFixed(c, out, j, col, out.F64, r.f64)
	case stream.Varchar:
		c.convertText(out, j, col)
	default:
		out.I64 = convertFixed(c, out, j, col, out.I64, r.i64)
	}
}

func convertFixed[T any](c *cells, out *stream.Column, j, col int, dst []T, read func([]byte, uint32) (T, bool)) []T {
	dst = slices.Grow(dst[:0], c.rows)[:c.rows]
	width, data := len(c.columns), c.data
	for row, at := 0, j; row < len(dst); row, at = row+1, at+width {
		s := c.spans[at]
		if s.end&spanFlags == 0 && s.end <= uint32(len(data)) && s.start <= s.end {
			if v, ok := read(data[s.start:s.end], 0); ok {
				dst[row] = v
				continue
			}
		} else if s.end&spanNull == 0 {
			if v, ok := read(c.text(s), s.end&spanFlags); ok {
				dst[row] = v
				continue
			}
		}
		dst[row] = *new(T)
		c.nullOrFail(out, row, col, s)
	}
	return dst
}

func (c *cells) convertBool(out *stream.Column, j, col int) {
	words := stream.WordsFor(c.rows)
	out.Bits = slices.Grow(out.Bits[:0], words)[:words]
	clear(out.Bits)
	read := c.readers[col].bool
	for row := range c.rows {
		s := c.spans[row*len(c.columns)+j]
		if s.end&spanNull == 0 {
			if v, ok := read(c.text(s), s.end&spanFlags); ok {
				out.Bits.Put(row, v)
				continue
			}
		}
		c.nullOrFail(out, row, col, s)
	}
}

func (c *cells) convertText(out *stream.Column, j, col int) {
	off := slices.Grow(out.Off[:0], c.rows+1)[:c.rows+1]
	text, width, read := out.Bytes[:0], len(c.columns), c.readers[col].text
	off[0] = 0
	for row, at := 0, j; row < c.rows; row, at = row+1, at+width {
		s := c.spans[at]
		switch {
		case s.end&spanNull != 0:
			c.nullOrFail(out, row, col, s)
		case read != nil:
			if v, ok := read(text, c.text(s), s.end&spanFlags); ok {
				text = v
			} else {
				c.nullOrFail(out, row, col, s)
			}
		case c.ascii && s.end&spanExtra == 0:
			text = append(text, c.data[s.start:s.end&^spanFlags]...)
		default:
			v := c.text(s)
			if !utf8.Valid(v) {
				c.failRow(row, fmt.Sprintf("column %q: invalid UTF-8", c.schema.Fields[col].Name))
				break
			}
			text = append(text, v...)
		}
		off[row+1] = int32(len(text))
	}
	out.Off, out.Bytes = off, text
}

func (c *cells) text(s span) []byte {
	if s.end&spanExtra != 0 {
		return c.extra[s.start : s.end&^spanFlags]
	}
	return c.data[s.start : s.end&^spanFlags]
}

// unitHint says how numbers are read as times.
func (c *cells) unitHint(t stream.Type, s span) string {
	text := c.text(s)
	isText := c.typed && s.end&spanQuoted != 0
	if t != stream.Timestamp && t != stream.TimestampLTZ || isText || len(text) < len("1000000000") || len(bytes.Trim(text, "0123456789")) > 0 {
		return ""
	}
	return "; the option timestamp_unit says what numbers count"
}

// nullOrFail handles a cell that gave no value.
func (c *cells) nullOrFail(out *stream.Column, row, col int, s span) {
	field := c.schema.Fields[col]
	switch {
	case s.end&spanNull == 0:
		c.failRow(row, fmt.Sprintf("column %q: cannot read %s as %s%s", field.Name, c.show(s), field.Type, c.unitHint(field.Type, s)))
	case field.NotNull:
		c.failRow(row, fmt.Sprintf("column %q is NOT NULL", field.Name))
	default:
		if out.Valid == nil {
			out.Valid = stream.NewBitmap(c.rows)
			out.Valid.SetFirst(c.rows)
		}
		out.Valid.Clear(row)
	}
}

// show is a cell as messages quote it; where quotes make a type, they are told apart.
func (c *cells) show(s span) string {
	switch text := cutText(c.text(s), valueBytesMax); {
	case !c.typed:
		return strconv.Quote(text)
	case s.end&spanQuoted != 0:
		return "string " + strconv.Quote(text)
	default:
		return text
	}
}

func (c *cells) failRow(row int, reason string) {
	if c.bad == nil {
		c.bad = stream.NewBitmap(c.rows)
	}
	if c.bad.Get(row) {
		return
	}
	c.bad.Set(row)
	c.failures = append(c.failures, failure{row: row, start: c.starts[row], stop: c.stops[row], reason: reason, converted: true})
}

func (c *cells) removeBad() {
	kept, width := 0, len(c.columns)
	for row := range c.rows {
		if c.bad.Get(row) {
			continue
		}
		copy(c.spans[kept*width:(kept+1)*width], c.spans[row*width:(row+1)*width])
		c.starts[kept], c.stops[kept] = c.starts[row], c.stops[row]
		kept++
	}
	c.rows, c.bad = kept, nil
	c.spans, c.starts, c.stops = c.spans[:kept*width], c.starts[:kept], c.stops[:kept]
}

// Record implements Decoder.
func (c *cells) Record(row int) (text string, line int64) {
	start, stop := c.starts[row], c.stops[row]
	return cutRecord(c.data[start:stop]), 1 + countLines(c.data[:start])
}

const valueBytesMax = 64 // of a value shown in a reason

func cutRecord(b []byte) string {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return cutText(b, ErrorRecordBytesMax)
}

// cutText returns at most limit bytes of b as valid UTF-8, with "..." if cut.
func cutText(b []byte, limit int) string {
	mark := ""
	if len(b) > limit {
		for b, mark = b[:limit], "..."; len(b) > 0 && len(b) > limit-utf8.UTFMax; b = b[:len(b)-1] {
			if r, n := utf8.DecodeLastRune(b); r != utf8.RuneError || n != 1 {
				break
			}
		}
	}
	return toValidText(b) + mark
}
