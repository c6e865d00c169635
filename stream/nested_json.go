package stream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendNested appends a nested value as JSON: arrays as arrays, rows as objects of all
// their members, in their order. raw is how it is written (see Items).
func AppendNested(dst []byte, t Type, raw []byte) []byte {
	it := ItemsOf(t, raw)
	members := t.Members()
	open, end := byte('['), byte(']')
	if it.row {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for n := 0; it.Next(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		if it.row {
			dst = append(AppendJSONString(dst, members[n].Name), ':')
		}
		switch {
		case it.Null:
			dst = append(dst, "null"...)
		case it.Type.IsNested():
			dst = AppendNested(dst, it.Type, it.Raw)
		default:
			dst = AppendJSON(dst, valueOfRaw(it.Type, it.Raw))
		}
	}
	return append(dst, end)
}

// ParseNested appends the nested value of type t that a JSON text says, in the form that
// AppendNested writes and with what JSON allows besides: blanks, members in any order and
// others, which are passed over; members that are missing are NULL, of several of one name
// the last counts. It reports whether the text is such a value.
func ParseNested(dst []byte, t Type, text []byte) ([]byte, bool) {
	if !json.Valid(text) || !utf8.Valid(text) {
		return dst, false
	}
	from := len(dst)
	dst, ok := appendParsed(dst, t, bytes.Trim(text, jsonBlanks))
	if !ok {
		dst = dst[:from]
	}
	return dst, ok
}

const jsonBlanks = " \t\r\n"

// appendParsed reads valid JSON without blanks around it.
func appendParsed(dst []byte, t Type, text []byte) ([]byte, bool) {
	switch {
	case t.IsArray():
		return appendParsedArray(dst, t, text)
	case t.IsNested():
		return appendParsedRow(dst, t.Members(), text)
	}
	v, ok := parseJSONValue(t, text)
	if !ok {
		return dst, false
	}
	return appendRaw(dst, v), true
}

func appendParsedItem(dst []byte, t Type, text []byte) ([]byte, bool) {
	if len(text) == 0 || text[0] == 'n' {
		return append(dst, nullMark), true
	}
	return appendParsed(append(dst, valueMark), t, text)
}

func appendParsedArray(dst []byte, t Type, text []byte) ([]byte, bool) {
	if text[0] != '[' {
		return dst, false
	}
	rest := text[1 : len(text)-1]
	for {
		var item []byte
		var ok bool
		if item, rest = cutJSON(rest); item == nil {
			return append(dst, endMark), true
		}
		if dst, ok = appendParsedItem(dst, t.Element(), item); !ok {
			return dst, false
		}
	}
}

func appendParsedRow(dst []byte, members []Member, text []byte) ([]byte, bool) {
	if text[0] != '{' {
		return dst, false
	}
	found := make([][]byte, len(members))
	rest := text[1 : len(text)-1]
	for {
		var key, value []byte
		if key, rest = cutJSON(rest); key == nil {
			break
		}
		value, rest = cutJSON(rest)
		name := jsonText(key)
		for i := range members {
			if string(name) == members[i].Name {
				found[i] = value
			}
		}
	}
	for i, m := range members {
		var ok bool
		if dst, ok = appendParsedItem(dst, m.Type, found[i]); !ok {
			return dst, false
		}
	}
	return dst, true
}

// cutJSON returns the next value of what stands between the brackets of valid JSON, nil at
// the end.
func cutJSON(rest []byte) (value, after []byte) {
	rest = bytes.TrimLeft(rest, jsonBlanks+",:")
	if len(rest) == 0 {
		return nil, nil
	}
	depth, inside := 0, false
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case depth == 0 && (c == ',' || c == ':'):
			return bytes.TrimRight(rest[:i], jsonBlanks), rest[i:]
		}
	}
	return bytes.TrimRight(rest, jsonBlanks), nil
}

// jsonText is what a JSON string means.
func jsonText(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil // not for valid JSON
	}
	return []byte(s)
}

// parseJSONValue reads a value that is not nested from valid JSON other than null.
func parseJSONValue(t Type, text []byte) (v Value, ok bool) {
	v = Value{Type: t}
	number := text[0] == '-' || text[0] >= '0' && text[0] <= '9'
	quoted := text[0] == '"'
	word := string(text)
	if quoted {
		word = string(jsonText(text))
	}
	switch t {
	case Boolean:
		if word == "true" {
			v.I = 1
		}
		return v, !number && !quoted && text[0] != '{' && text[0] != '['
	case Varchar:
		v.S = word
		return v, true
	case Bytes:
		b, err := base64.StdEncoding.DecodeString(word)
		v.S = string(b)
		return v, quoted && err == nil
	case JSON:
		v.S, ok = CompactJSON(string(text))
		return v, ok
	case Real, Double:
		bits := 64
		if t == Real {
			bits = 32
		}
		if v.F, ok = ParseDouble(word, bits); t == Real {
			v.F = float64(float32(v.F))
		}
		return v, ok && (number || quoted && (math.IsNaN(v.F) || math.IsInf(v.F, 0)))
	case Timestamp:
		v.I, ok = ParseTimestamp(word)
		return v, ok && quoted
	case Interval:
		v.I, ok = ParseInterval(word)
		return v, ok && quoted
	case Date:
		v.I, ok = ParseDate(word)
		return v, ok && quoted
	case TimeOfDay:
		v.I, ok = ParseTime(word)
		return v, ok && quoted
	}
	if t.IsDecimal() {
		x, fits, ok := ParseDecimal(t, word)
		return DecimalOf(t, x), ok && fits && (number || quoted)
	}
	v.I, ok = wholeOfJSON(word)
	low, high, whole := t.Range()
	return v, ok && number && whole && v.I >= low && v.I <= high
}

// wholeOfJSON reads a number without a fraction, however it is written.
func wholeOfJSON(word string) (int64, bool) {
	if i, err := strconv.ParseInt(word, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(word, 64)
	return int64(f), err == nil && math.Trunc(f) == f && math.Abs(f) <= 1<<53
}
