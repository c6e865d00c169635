package connector

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/millrace/millrace/stream"
)

// jsonDecoder reads NDJSON: an object a line. A scanner that accepts exactly JSON's
// grammar walks a record once and notes the needed values; keys are expected in the
// order of the record before. Texts with escapes, and records the scanner gives up,
// go through encoding/json, which also words what is wrong with them.
type jsonDecoder struct {
	cells
	physical []bool
	keys     map[string]int // key -> cell
	order    []jsonKey      // keys of the record before
}

// jsonKey is a key as it stood in the last record, from its quote to the value.
type jsonKey struct {
	text []byte
	cell int // -1: not needed
}

const keysRemembered = 256 // of a record; later keys are looked up

func newJSONDecoder(schema *stream.Schema, physical []bool, readers []cellReader) *jsonDecoder {
	return &jsonDecoder{cells: cells{schema: schema, readers: readers, typed: true}, physical: physical}
}

// Decode implements Decoder.
func (d *jsonDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	d.begin(b.Data)
	d.arrange(out)
	binary := bytes.IndexByte(b.Data, 0) >= 0
	for at := 0; at < len(b.Data); {
		end := bytes.IndexByte(b.Data[at:], '\n')
		if end < 0 {
			end = len(b.Data)
		} else {
			end += at
		}
		d.record(at, end, binary)
		at = end + 1
	}
	return d.finish(b, out, errs), nil
}

// arrange notes which keys are needed.
func (d *jsonDecoder) arrange(out *stream.Batch) {
	var columns []int
	for col, physical := range d.physical {
		if physical && !out.Cols[col].Absent() {
			columns = append(columns, col)
		}
	}
	if d.keys != nil && slices.Equal(columns, d.columns) {
		return
	}
	d.columns, d.keys, d.order = columns, map[string]int{}, nil
	for cell, col := range columns {
		d.keys[d.schema.Fields[col].Name] = cell
	}
}

func (d *jsonDecoder) record(start, end int, binary bool) {
	for end > start && isBlank(d.data[end-1]) {
		end--
	}
	first := skipBlanks(d.data[:end], start)
	if first == end {
		return
	}
	if binary && bytes.IndexByte(d.data[start:end], 0) >= 0 {
		d.fail(start, end, "binary data (a NUL byte)")
		return
	}
	at, width := len(d.spans), len(d.columns)
	d.spans = slices.Grow(d.spans, width)[:at+width]
	slots := d.spans[at:]
	for i := range slots {
		slots[i] = span{end: spanNull}
	}
	if !d.object(d.data[:end], first, slots) {
		if reason := d.oddRecord(d.data[first:end], slots); reason != "" {
			d.spans = d.spans[:at]
			d.fail(start, end, reason)
			return
		}
	}
	d.rows++
	d.starts, d.stops = append(d.starts, uint32(start)), append(d.stops, uint32(end))
}

// object reads the object at p, which must be all of data, and reports success.
func (d *jsonDecoder) object(data []byte, p int, slots []span) bool {
	if data[p] != '{' {
		return false
	}
	if p = skipBlanks(data, p+1); p < len(data) && data[p] == '}' {
		return p+1 == len(data)
	}
	for n := 0; ; n++ {
		var cell int
		if n < len(d.order) && bytes.HasPrefix(data[p:], d.order[n].text) {
			cell, p = d.order[n].cell, p+len(d.order[n].text)
		} else if cell, p = d.key(data, p, n); p < 0 {
			return false
		}
		var s span
		if s, p = d.value(data, p, cell >= 0); p < 0 {
			return false
		}
		if cell >= 0 {
			slots[cell] = s
		}
		if p = skipBlanks(data, p); p >= len(data) {
			return false
		}
		switch data[p] {
		case ',':
			p = skipBlanks(data, p+1)
		case '}':
			return p+1 == len(data)
		default:
			return false
		}
	}
}

// key reads the n-th key with its colon and remembers it; it returns where the value
// begins, or -1.
func (d *jsonDecoder) key(data []byte, p, n int) (cell, next int) {
	start := p
	if p >= len(data) || data[p] != '"' {
		return -1, -1
	}
	end, escaped := stringEnd(data, p+1)
	if end < 0 || escaped {
		return -1, -1
	}
	cell, known := d.keys[string(data[p+1:end])]
	if !known {
		cell = -1
	}
	if p = skipBlanks(data, end+1); p >= len(data) || data[p] != ':' {
		return -1, -1
	}
	p = skipBlanks(data, p+1)
	if n == len(d.order) && n < keysRemembered {
		d.order = append(d.order, jsonKey{})
	}
	if n < len(d.order) {
		d.order[n] = jsonKey{append(d.order[n].text[:0], data[start:p]...), cell}
	}
	return cell, p
}

// value reads the value at p and returns its cell and what follows, or -1. Text with
// escapes is put into extra if the value is needed.
func (d *jsonDecoder) value(data []byte, p int, needed bool) (s span, next int) {
	if p >= len(data) {
		return s, -1
	}
	flags := uint32(0)
	switch c := data[p]; {
	case c == '"':
		end, escaped := stringEnd(data, p+1)
		if end < 0 {
			return s, -1
		}
		if escaped && needed {
			return d.unescape(data, p, end+1), end + 1
		}
		return span{uint32(p + 1), uint32(end) | spanQuoted}, end + 1
	case c == '-' || c-'0' <= 9:
		next = numberEnd(data, p)
	case c == '{' || c == '[':
		next, flags = nestedEnd(data, p, 0), spanNested
	default:
		next, flags = literalEnd(data, p)
	}
	if next < 0 {
		return s, -1
	}
	return span{uint32(p), uint32(next) | flags}, next
}

// unescape reads the string token data[start:end]. One that is not UTF-8 stays as it
// is, for the conversion to refuse.
func (d *jsonDecoder) unescape(data []byte, start, end int) span {
	var text string
	if !validText(data[start:end]) || json.Unmarshal(data[start:end], &text) != nil {
		return span{uint32(start + 1), uint32(end-1) | spanQuoted}
	}
	at := len(d.extra)
	d.extra = append(d.extra, text...)
	return span{uint32(at), uint32(len(d.extra)) | spanQuoted | spanExtra}
}

// oddRecord reads a record by way of encoding/json, or says what is wrong with it.
func (d *jsonDecoder) oddRecord(record []byte, slots []span) (reason string) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(record, &object)
	switch {
	case record[0] != '{':
		return "expected a JSON object"
	case err != nil:
		return "invalid JSON: " + err.Error()
	}
	for cell := range slots {
		slots[cell] = span{end: spanNull}
		raw, ok := object[d.schema.Fields[d.columns[cell]].Name]
		if !ok {
			continue
		}
		s, next := d.value(raw, 0, true)
		if next < 0 { // nested deeper than the scanner goes
			s = span{0, uint32(len(raw)) | spanNested}
		}
		if s.end&(spanExtra|spanNull) == 0 {
			at := len(d.extra)
			d.extra = append(d.extra, raw[s.start:s.end&^spanFlags]...)
			s = span{uint32(at), uint32(len(d.extra)) | s.end&spanFlags | spanExtra}
		}
		slots[cell] = s
	}
	return ""
}

// jsonReaders returns how JSON values are read: numbers from numbers, text forms from
// strings.
func jsonReaders(schema *stream.Schema, unit int64) []cellReader {
	readers := make([]cellReader, len(schema.Fields))
	for i, f := range schema.Fields {
		r := &readers[i]
		if f.Type.IsDecimal() {
			r.readDecimals(f.Type, func(flags uint32) bool { return flags&(spanLiteral|spanNested) == 0 })
		}
		if f.Type.IsNested() {
			r.readNested(f.Type, spanNested)
		}
		switch f.Type {
		case stream.Bytes:
			r.readBytes(func(flags uint32) bool { return flags&spanQuoted != 0 })
		case stream.JSON:
			r.text = jsonOfCell
		case stream.Boolean:
			r.bool = func(b []byte, flags uint32) (v, ok bool) {
				ok = flags&spanLiteral != 0
				return ok && b[0] == 't', ok
			}
		case stream.TinyInt, stream.SmallInt, stream.Integer:
			low, high, _ := f.Type.Range()
			r.i32 = func(b []byte, flags uint32) (int32, bool) {
				v, ok := jsonInt(b, flags)
				return int32(v), ok && v >= low && v <= high
			}
		case stream.BigInt:
			r.i64 = jsonInt
		case stream.Real:
			r.f32 = func(b []byte, flags uint32) (float32, bool) {
				if flags&^spanExtra == 0 {
					return parseFloat32(b, 0)
				}
				f, ok := namedFloat(b, flags)
				return float32(f), ok
			}
		case stream.Double:
			r.f64 = func(b []byte, flags uint32) (float64, bool) {
				if flags&^spanExtra == 0 {
					return parseFloat64(b, 0)
				}
				return namedFloat(b, flags)
			}
		case stream.Timestamp:
			r.i64 = func(b []byte, flags uint32) (int64, bool) { return jsonTimestamp(b, flags, unit) }
		case stream.Interval:
			r.i64 = func(b []byte, flags uint32) (int64, bool) {
				v, ok := stream.ParseInterval(string(b))
				return v, ok && flags&spanQuoted != 0
			}
		case stream.Date:
			r.i32 = func(b []byte, flags uint32) (int32, bool) {
				v, ok := stream.ParseDate(string(b))
				return int32(v), ok && flags&spanQuoted != 0
			}
		case stream.TimeOfDay:
			r.i64 = func(b []byte, flags uint32) (int64, bool) {
				v, ok := stream.ParseTime(string(b))
				return v, ok && flags&spanQuoted != 0
			}
		}
	}
	return readers
}

// jsonOfCell is any value but null as a JSON; quotes are not in b.
func jsonOfCell(dst, b []byte, flags uint32) ([]byte, bool) {
	if flags&spanQuoted == 0 {
		return stream.AppendCompactJSON(dst, b)
	}
	return appendJSONString(dst, b), utf8.Valid(b)
}

func jsonInt(b []byte, flags uint32) (int64, bool) {
	if flags&^spanExtra != 0 {
		return 0, false
	}
	return parseIntegral(b)
}

// namedFloat reads what an encoder writes for floats that JSON has no number for.
func namedFloat(b []byte, flags uint32) (float64, bool) {
	if flags&spanQuoted == 0 {
		return 0, false
	}
	switch string(b) {
	case "NaN", "Infinity", "-Infinity":
		return stream.ParseDouble(string(b), 64)
	}
	return 0, false
}

func jsonTimestamp(b []byte, flags uint32, unit int64) (int64, bool) {
	if flags&spanQuoted != 0 {
		return parseTimestamp(b)
	}
	v, ok := jsonInt(b, flags)
	if !ok || unit == 0 {
		return 0, false
	}
	return epochMicros(v, unit)
}
