package connector

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/stream"
)

// NewEncoder returns an encoder of format FormatNDJSON or FormatCSV for the columns of
// schema that visible lists, in that order. A query name, if there is one, becomes the
// key "_query" at the head of every NDJSON row; CSV has no place for it. A CSV header is
// not part of the rows: see AppendCSVHeader. An encoder belongs to one goroutine.
func NewEncoder(format string, schema *stream.Schema, visible []int, query string) (Encoder, error) {
	switch format {
	case FormatNDJSON:
		return newJSONEncoder(schema, visible, query), nil
	case FormatCSV:
		return &csvEncoder{visible: visible, dialect: dialect{delimiter: ',', quote: '"'}}, nil
	}
	return nil, fmt.Errorf("unknown format %q; use csv or ndjson", format)
}

// jsonEncoder writes an object a row. Keys are prepared with what stands before them.
type jsonEncoder struct {
	visible []int
	keys    [][]byte // `{"a":`, then `,"b":`
	close   string
}

func newJSONEncoder(schema *stream.Schema, visible []int, query string) *jsonEncoder {
	e := &jsonEncoder{visible: visible, close: "}\n"}
	lead := []byte{'{'}
	if query != "" {
		lead = append(appendJSONString(append(lead, `"_query":`...), []byte(query)), ',')
	}
	for _, col := range visible {
		key := append(appendJSONString(lead, []byte(schema.Fields[col].Name)), ':')
		e.keys, lead = append(e.keys, key), []byte{','}
	}
	if len(visible) == 0 {
		e.close = strings.TrimSuffix(string(lead), ",") + e.close
	}
	return e
}

// Encode implements Encoder.
func (e *jsonEncoder) Encode(dst []byte, b *stream.Batch, from, to int) []byte {
	for row := from; row < to; row++ {
		for i, col := range e.visible {
			dst = append(dst, e.keys[i]...)
			dst = appendJSONValue(dst, &b.Cols[col], row)
		}
		dst = append(dst, e.close...)
	}
	return dst
}

// AppendJSONRow appends one row's visible columns as a JSON object without a line end.
// It prepares its keys anew each time: for messages and single rows.
func AppendJSONRow(dst []byte, b *stream.Batch, visible []int, row int) []byte {
	dst = newJSONEncoder(b.Schema, visible, "").Encode(dst, b, row, row+1)
	return dst[:len(dst)-1]
}

func appendJSONValue(dst []byte, c *stream.Column, row int) []byte {
	if c.Absent() || c.IsNull(row) {
		return append(dst, "null"...)
	}
	if c.Type.IsNested() {
		return stream.AppendNested(dst, c.Type, c.Text(row))
	}
	switch c.Type {
	case stream.Real:
		return appendJSONFloat(dst, float64(c.F32[row]), 32)
	case stream.Double:
		return appendJSONFloat(dst, c.F64[row], 64)
	case stream.Varchar:
		return appendJSONString(dst, c.Text(row))
	case stream.Bytes:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), c.Text(row)), '"')
	case stream.JSON:
		return append(dst, c.Text(row)...)
	case stream.Timestamp:
		return append(appendTimestamp(append(dst, '"'), c.I64[row]), '"')
	case stream.Interval:
		return append(stream.AppendInterval(append(dst, '"'), c.I64[row]), '"')
	case stream.Date:
		return append(stream.AppendDate(append(dst, '"'), int64(c.I32[row])), '"')
	case stream.TimeOfDay:
		return append(stream.AppendTime(append(dst, '"'), c.I64[row]), '"')
	}
	return appendPlain(dst, c, row)
}

// appendPlain appends a value that every format writes alike: a number that is no float,
// or a boolean.
func appendPlain(dst []byte, c *stream.Column, row int) []byte {
	if c.Type.IsDecimal() {
		return c.AppendDecimal(dst, row)
	}
	switch c.Type.Storage() {
	case stream.Boolean:
		return strconv.AppendBool(dst, c.Bits.Get(row))
	case stream.Integer:
		return strconv.AppendInt(dst, int64(c.I32[row]), 10)
	}
	return strconv.AppendInt(dst, c.I64[row], 10)
}

func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(stream.AppendDouble(append(dst, '"'), f, bits), '"')
	}
	return appendFloat(dst, f, bits)
}

// appendFloat is stream.AppendDouble with a short path for whole numbers and for those
// with up to three decimals. A decimal m/1000 that reads back as f, with so small an m
// that its neighbours read back as other floats, is the shortest there is once its
// zeros are cut.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if !(math.Abs(f) < floatShortMax) {
		return stream.AppendDouble(dst, f, bits)
	}
	if i := int64(f); float64(i) == f && i != 0 {
		return strconv.AppendInt(dst, i, 10)
	}
	m := math.RoundToEven(f * 1000)
	if m == 0 || m/1000 != f && (bits == 64 || float32(m)/1000 != float32(f)) {
		return stream.AppendDouble(dst, f, bits)
	}
	if m < 0 {
		dst, m = append(dst, '-'), -m
	}
	whole, rest := uint64(m)/1000, uint64(m)%1000
	dst = append(strconv.AppendUint(dst, whole, 10), '.', byte('0'+rest/100))
	if rest%100 != 0 {
		dst = append(dst, byte('0'+rest/10%10))
	}
	if rest%10 != 0 {
		dst = append(dst, byte('0'+rest%10))
	}
	return dst
}

const floatShortMax = 8000 // times 1000 it is below 2^23, where a REAL's neighbours are 1/2 apart

const hexDigits = "0123456789abcdef"

// appendJSONString appends text as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendJSONString(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, text[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = appendEscape(append(dst, text[start:i]...), c)
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// csvEncoder writes RFC 4180 lines: NULL is an empty field (or the null text), an empty
// text is "".
type csvEncoder struct {
	visible []int
	dialect dialect
}

// Encode implements Encoder.
func (e *csvEncoder) Encode(dst []byte, b *stream.Batch, from, to int) []byte {
	for row := from; row < to; row++ {
		for i, col := range e.visible {
			if i > 0 {
				dst = append(dst, e.dialect.delimiter)
			}
			dst = e.appendValue(dst, &b.Cols[col], row)
		}
		dst = append(dst, '\n')
	}
	return dst
}

func (e *csvEncoder) appendValue(dst []byte, c *stream.Column, row int) []byte {
	if c.Absent() || c.IsNull(row) {
		return append(dst, e.dialect.null...)
	}
	if c.Type.IsNested() {
		return e.appendText(dst, stream.AppendNested(nil, c.Type, c.Text(row)))
	}
	switch c.Type {
	case stream.Real:
		return appendFloat(dst, float64(c.F32[row]), 32)
	case stream.Double:
		return appendFloat(dst, c.F64[row], 64)
	case stream.Varchar, stream.JSON:
		return e.appendText(dst, c.Text(row))
	case stream.Bytes:
		if len(c.Text(row)) == 0 {
			return e.appendText(dst, nil) // "", not NULL
		}
		return base64.StdEncoding.AppendEncode(dst, c.Text(row))
	case stream.Timestamp:
		return appendTimestamp(dst, c.I64[row])
	case stream.Interval:
		return stream.AppendInterval(dst, c.I64[row])
	case stream.Date:
		return stream.AppendDate(dst, int64(c.I32[row]))
	case stream.TimeOfDay:
		return stream.AppendTime(dst, c.I64[row])
	}
	return appendPlain(dst, c, row)
}

func (e *csvEncoder) appendText(dst, text []byte) []byte {
	if !validText(text) {
		text = []byte(toValidText(text))
	}
	plain := len(text) > 0 && string(text) != e.dialect.null && text[0] != ' ' && text[len(text)-1] != ' '
	for _, c := range text {
		plain = plain && c != e.dialect.delimiter && c != e.dialect.quote && c != '\n' && c != '\r'
	}
	if plain {
		return append(dst, text...)
	}
	dst = append(dst, e.dialect.quote)
	for _, c := range text {
		if c == e.dialect.quote {
			dst = append(dst, c)
		}
		dst = append(dst, c)
	}
	return append(dst, e.dialect.quote)
}

// AppendCSVHeader appends the line of column names that goes before CSV rows.
func AppendCSVHeader(dst []byte, schema *stream.Schema, visible []int) []byte {
	return (&csvEncoder{dialect: dialect{delimiter: ',', quote: '"'}}).appendHeader(dst, schema, visible)
}

func (e *csvEncoder) appendHeader(dst []byte, schema *stream.Schema, visible []int) []byte {
	for i, col := range visible {
		if i > 0 {
			dst = append(dst, e.dialect.delimiter)
		}
		dst = e.appendText(dst, []byte(schema.Fields[col].Name))
	}
	return append(dst, '\n')
}
