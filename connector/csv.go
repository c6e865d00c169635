package connector

import (
	"bytes"
	"fmt"

	"github.com/millrace/millrace/stream"
)

// dialect is how a CSV file is written.
type dialect struct {
	delimiter byte
	quote     byte // 0: none
	null      string
	hasNull   bool
}

// layout says which fields of a CSV record feed which columns of the schema.
type layout struct {
	fields []int // schema column of each field, -1: none
}

// csvDecoder reads CSV as RFC 4180 has it: fields may stand in quotes, a quote inside
// is doubled, line ends in quotes belong to the field. A quote that does not open a
// field is an ordinary character. Blocks without any quote take a shorter path
// (csvscan.go).
type csvDecoder struct {
	cells
	dialect dialect
	need    []int // field numbers, ascending, of the cells 0..len-1
	fields  int   // of a record
	marks   marks
	watch   *delimiterWatch // may be nil
}

func newCSVDecoder(schema *stream.Schema, d dialect, readers []cellReader) *csvDecoder {
	return &csvDecoder{cells: cells{schema: schema, readers: readers}, dialect: d}
}

// Decode implements Decoder.
func (d *csvDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	d.begin(b.Data)
	if len(b.Data) == 0 {
		return errs, nil
	}
	if b.layout == nil {
		return errs, fmt.Errorf("%s: block without a CSV layout", b.File)
	}
	d.arrange(b.layout, out)
	binary := bytes.IndexByte(b.Data, 0) >= 0
	if binary || d.dialect.quote != 0 && bytes.IndexByte(b.Data, d.dialect.quote) >= 0 {
		d.scanQuoted(b.Data, binary)
	} else {
		d.scanPlain(b.Data)
	}
	before := len(errs)
	errs = d.finish(b, out, errs)
	d.watch.look(d.rows, d.fields, errs[before:])
	return errs, nil
}

// arrange notes which fields the present columns of out come from.
func (d *csvDecoder) arrange(l *layout, out *stream.Batch) {
	d.fields = len(l.fields)
	d.columns, d.need = d.columns[:0], d.need[:0]
	for field, col := range l.fields {
		if col >= 0 && !out.Cols[col].Absent() {
			d.columns, d.need = append(d.columns, col), append(d.need, field)
		}
	}
}

func countReason(expected, found int) string {
	return fmt.Sprintf("expected %d fields, found %d", expected, found)
}

// scanQuoted finds the fields of a block that holds quotes or NUL bytes.
func (d *csvDecoder) scanQuoted(data []byte, binary bool) {
	for at := 0; at < len(data); {
		at = d.quotedRecord(data, at, binary)
	}
}

// quotedRecord takes the record at start and returns where the next one is.
func (d *csvDecoder) quotedRecord(data []byte, start int, binary bool) int {
	field, next, firstSpan, firstExtra := 0, 0, len(d.spans), len(d.extra)
	reason := ""
	for at := start; ; at++ {
		s, end, problem := d.field(data, at)
		if problem != "" && reason == "" {
			reason = problem
		}
		if n := len(d.spans) - firstSpan; n < len(d.need) && d.need[n] == field {
			d.spans = append(d.spans, s)
		}
		field++
		if at = end; at >= len(data) || data[at] == '\n' {
			next = at + 1
			break
		}
	}
	end := min(next-1, len(data))
	if end > start && data[end-1] == '\r' {
		end--
	}
	switch {
	case binary && bytes.IndexByte(data[start:end], 0) >= 0:
		reason = "binary data (a NUL byte)"
	case reason == "" && start < end && field != d.fields:
		reason = countReason(d.fields, field)
	}
	if reason != "" || start == end {
		d.spans, d.extra = d.spans[:firstSpan], d.extra[:firstExtra]
		if reason != "" {
			d.fail(start, end, reason)
		}
		return next
	}
	d.rows++
	d.starts, d.stops = append(d.starts, uint32(start)), append(d.stops, uint32(end))
	return next
}

// field reads the field at start; end is its delimiter, line end or the data's end.
func (d *csvDecoder) field(data []byte, start int) (s span, end int, problem string) {
	if d.dialect.quote == 0 || start >= len(data) || data[start] != d.dialect.quote {
		end = d.fieldEnd(data, start)
		stop := end
		if stop > start && data[stop-1] == '\r' && (end == len(data) || data[end] == '\n') {
			stop--
		}
		s = span{uint32(start), uint32(stop)}
		if start == stop || d.dialect.hasNull && string(data[start:stop]) == d.dialect.null {
			s.end |= spanNull
		}
		return s, end, ""
	}
	at, doubled := start+1, false
	for {
		i := bytes.IndexByte(data[at:], d.dialect.quote)
		if i < 0 {
			return s, len(data), "quoted field is not closed"
		}
		if at += i; at+1 == len(data) || data[at+1] != d.dialect.quote {
			break
		}
		at, doubled = at+2, true
	}
	s = span{uint32(start + 1), uint32(at) | spanQuoted}
	if doubled {
		s = d.undouble(data[start+1 : at])
	}
	end = d.fieldEnd(data, at+1)
	if rest := data[at+1 : end]; len(rest) > 0 && !(len(rest) == 1 && rest[0] == '\r' && (end == len(data) || data[end] == '\n')) {
		problem = "text after the closing quote of a field"
	}
	return s, end, problem
}

func (d *csvDecoder) fieldEnd(data []byte, at int) int {
	for at < len(data) && data[at] != d.dialect.delimiter && data[at] != '\n' {
		at++
	}
	return at
}

// undouble copies a quoted field's text, doubled quotes made one.
func (d *csvDecoder) undouble(text []byte) span {
	start := len(d.extra)
	for {
		i := bytes.IndexByte(text, d.dialect.quote)
		if i < 0 {
			break
		}
		d.extra = append(d.extra, text[:i+1]...)
		text = text[i+2:]
	}
	d.extra = append(d.extra, text...)
	return span{uint32(start), uint32(len(d.extra)) | spanQuoted | spanExtra}
}
