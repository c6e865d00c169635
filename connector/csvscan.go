package connector

import (
	"math/bits"
	"slices"

	"github.com/millrace/millrace/stream"
)

// The scanner for blocks without quotes works in two steps, so that neither has a
// branch that depends on where fields happen to end. The first goes over 64 bytes at a
// time, makes a bit mask of delimiters and line ends, and lists where the ones are.
// The second takes record by record from the lists: a record is well formed if its
// n-th mark is the first line end behind its start.
//
//	bytes    1,abc,7\n22,d\n
//	marks     1   5 7   10 12      delimiters and line ends
//	newlines        7      12      line ends
//	3 fields: marks[2] = 7 = newlines[0]: good.  marks[5] is not newlines[1]: 2 fields.
//
// Invariant: marks[0] is the line end before the record that marks[1:] belong to, so
// field f of the record begins behind mark f and ends at mark f+1.

const (
	stepBytes  = 64
	pieceBytes = 64 * stepBytes // between the two steps, so that the lists stay small
	noMark     = ^uint32(0)     // the line end before the first record; +1 makes 0
	flatten    = 8              // marks listed at once, needed or not
)

// marks are the lists of the piece at hand.
type marks struct {
	all      []uint32
	newlines []uint32
	dropped  int // marks of the record at the end of the last piece that were not kept
}

// places has a bit set for every byte of step that equals the pattern's.
func places(step *[stepBytes]byte, pattern uint64) uint64 {
	return gather(zeroBytes(load(step[:], 0)^pattern)) | gather(zeroBytes(load(step[:], 8)^pattern))<<8 |
		gather(zeroBytes(load(step[:], 16)^pattern))<<16 | gather(zeroBytes(load(step[:], 24)^pattern))<<24 |
		gather(zeroBytes(load(step[:], 32)^pattern))<<32 | gather(zeroBytes(load(step[:], 40)^pattern))<<40 |
		gather(zeroBytes(load(step[:], 48)^pattern))<<48 | gather(zeroBytes(load(step[:], 56)^pattern))<<56
}

// gather makes one byte of the high bits of eight.
func gather(m uint64) uint64 { return (m >> 7) * 0x0102040810204080 >> 56 }

// list notes the marks of data[from:to].
func (m *marks) list(data []byte, from, to int, delimiter byte) {
	delimiters, newlines := uint64(delimiter)*everyByte, uint64('\n')*everyByte
	all := slices.Grow(m.all, pieceBytes+flatten)
	ends := slices.Grow(m.newlines[:0], pieceBytes+flatten)
	for ; from+stepBytes <= to; from += stepBytes {
		step := (*[stepBytes]byte)(data[from:])
		lines := places(step, newlines)
		all = appendBits(all, lines|places(step, delimiters), uint32(from))
		for ; lines != 0; lines &= lines - 1 {
			ends = append(ends, uint32(from+bits.TrailingZeros64(lines)))
		}
	}
	for ; from < to; from++ {
		if c := data[from]; c == '\n' {
			all, ends = append(all, uint32(from)), append(ends, uint32(from))
		} else if c == delimiter {
			all = append(all, uint32(from))
		}
	}
	m.all, m.newlines = all, ends
}

// appendBits appends base plus the place of every one in mask. There must be room for
// flatten more than that.
func appendBits(dst []uint32, mask uint64, base uint32) []uint32 {
	n, at := bits.OnesCount64(mask), len(dst)
	for done := 0; done < n; done += flatten {
		out := (*[flatten]uint32)(dst[at+done : at+done+flatten])
		out[0], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[1], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[2], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[3], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[4], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[5], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[6], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
		out[7], mask = base+uint32(bits.TrailingZeros64(mask)), mask&(mask-1)
	}
	return dst[:at+n]
}

// scanPlain finds the fields of a block that holds no quote.
func (d *csvDecoder) scanPlain(data []byte) {
	m := &d.marks
	m.all, m.dropped = append(m.all[:0], noMark), 0
	for from := 0; from < len(data); from += pieceBytes {
		m.list(data, from, min(from+pieceBytes, len(data)), d.dialect.delimiter)
		d.takeRecords(data)
	}
	if start := int(m.all[0] + 1); start < len(data) {
		m.all = append(m.all, uint32(len(data)))
		m.newlines = append(m.newlines[:0], uint32(len(data)))
		d.takeRecords(data)
	}
}

// takeRecords takes the whole records from the lists and keeps the marks of the last.
func (d *csvDecoder) takeRecords(data []byte) {
	m := &d.marks
	fields, width := d.fields, len(d.need)
	d.spans = slices.Grow(d.spans, len(m.newlines)*width)
	spans := d.spans[:len(d.spans)+len(m.newlines)*width]
	at, out := 0, len(d.spans)
	for _, end := range m.newlines {
		start := m.all[at] + 1
		stop := end
		if stop > start && data[stop-1] == '\r' {
			stop--
		}
		if next := at + fields; m.dropped > 0 || next >= len(m.all) || m.all[next] != end || start == stop {
			at = d.oddLine(at, int(start), int(stop), end)
			continue
		}
		record := m.all[at : at+fields+1]
		row := spans[out : out+width]
		for i, field := range d.need {
			s := span{record[field] + 1, record[field+1]}
			if s.start == s.end {
				s.end |= spanNull
			}
			row[i] = s
		}
		if stop != end {
			d.trimLast(row, stop)
		}
		if d.dialect.hasNull {
			d.markNulls(row)
		}
		at, out = at+fields, out+width
		d.rows++
		d.starts, d.stops = append(d.starts, start), append(d.stops, stop)
	}
	d.spans = spans[:out]
	m.keepFrom(at, fields)
}

// trimLast takes the carriage return off the row's last field, if that is needed.
func (d *csvDecoder) trimLast(row []span, stop uint32) {
	if n := len(row); n > 0 && d.need[n-1] == d.fields-1 {
		row[n-1].end = stop
		if row[n-1].start == stop {
			row[n-1].end |= spanNull
		}
	}
}

func (d *csvDecoder) markNulls(row []span) {
	for i, s := range row {
		if s.end&spanNull == 0 && string(d.data[s.start:s.end]) == d.dialect.null {
			row[i].end |= spanNull
		}
	}
}

// oddLine passes over a blank line or a record with another number of fields, and
// returns the mark that ends it.
func (d *csvDecoder) oddLine(at, start, stop int, end uint32) int {
	m := &d.marks
	found := m.dropped
	for at++; m.all[at] != end; at++ {
		found++
	}
	m.dropped = 0
	if start < stop {
		d.fail(start, stop, countReason(d.fields, found+1))
	}
	return at
}

// keepFrom moves the marks of the unfinished record to the front. Of a record that has
// too many fields already, the rest is only counted.
func (m *marks) keepFrom(at, fields int) {
	kept := copy(m.all, m.all[at:])
	if kept > fields+1 {
		m.dropped += kept - (fields + 1)
		kept = fields + 1
	}
	m.all = m.all[:kept]
}

// csvReaders returns how a CSV file's cells are read. Quotes make no difference.
func csvReaders(schema *stream.Schema, unit int64) []cellReader {
	readers := make([]cellReader, len(schema.Fields))
	for i, f := range schema.Fields {
		r := &readers[i]
		if f.Type.IsDecimal() {
			r.readDecimals(f.Type, func(uint32) bool { return true })
		}
		if f.Type.IsNested() {
			r.readNested(f.Type, 0)
		}
		switch f.Type {
		case stream.Boolean:
			r.bool = func(b []byte, _ uint32) (bool, bool) { return parseBool(b) }
		case stream.Integer:
			r.i32 = parseInt32
		case stream.TinyInt, stream.SmallInt:
			low, high, _ := f.Type.Range()
			r.i32 = func(b []byte, flags uint32) (int32, bool) {
				v, ok := parseInt32(b, flags)
				return v, ok && int64(v) >= low && int64(v) <= high
			}
		case stream.BigInt:
			r.i64 = parseInt64
		case stream.Real:
			r.f32 = parseFloat32
		case stream.Double:
			r.f64 = parseFloat64
		case stream.Timestamp:
			r.i64 = func(b []byte, _ uint32) (int64, bool) { return parseEventTime(b, unit) }
		case stream.Date:
			r.i32 = func(b []byte, _ uint32) (int32, bool) {
				v, ok := stream.ParseDate(string(b))
				return int32(v), ok
			}
		case stream.TimeOfDay:
			r.i64 = func(b []byte, _ uint32) (int64, bool) { return stream.ParseTime(string(b)) }
		case stream.Bytes:
			r.readBytes(func(uint32) bool { return true })
		case stream.JSON:
			r.text = func(dst, b []byte, _ uint32) ([]byte, bool) { return stream.AppendCompactJSON(dst, b) }
		case stream.Interval:
			r.i64 = func(b []byte, _ uint32) (int64, bool) { return stream.ParseInterval(string(b)) }
		}
	}
	return readers
}
