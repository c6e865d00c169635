package stream

import (
	"encoding/base64"
	"math"
	"unicode/utf8"
)

// AppendJSON appends v as a JSON value: numbers as numbers (NaN and infinities, which
// JSON lacks, as strings), dates, times and intervals as strings in their text form, a BYTEA
// in base64, a JSON as it is.
func AppendJSON(dst []byte, v Value) []byte {
	if v.Null {
		return append(dst, "null"...)
	}
	if v.Type.IsNested() {
		return AppendNested(dst, v.Type, []byte(v.S))
	}
	switch v.Type {
	case Varchar:
		return AppendJSONString(dst, v.S)
	case Bytes:
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, []byte(v.S)), '"')
	case Date, TimeOfDay, Timestamp, Interval:
		dst = append(dst, '"')
		return append(AppendValue(dst, v), '"')
	case Real, Double:
		if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
			dst = append(dst, '"')
			return append(AppendValue(dst, v), '"')
		}
	}
	return AppendValue(dst, v)
}

const hexDigits = "0123456789abcdef"

// AppendJSONString appends s as a JSON string. Only what must be is escaped; bytes
// that are not UTF-8 become U+FFFD.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
