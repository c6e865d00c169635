package stream

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// AppendHex appends bytes as \x0aff, PostgreSQL's form of a BYTEA.
func AppendHex[B string | []byte](dst []byte, b B) []byte {
	return hex.AppendEncode(append(dst, `\x`...), []byte(b))
}

// ParseHex reads what AppendHex writes, digits of either case.
func ParseHex(s string) (b string, ok bool) {
	digits, ok := strings.CutPrefix(s, `\x`)
	if !ok {
		return "", false
	}
	out, err := hex.DecodeString(digits)
	return string(out), err == nil
}

// Blob returns a BYTEA.
func Blob(b string) Value { return Value{Type: Bytes, S: b} }

// AppendCompactJSON appends a JSON value without the blanks between its parts, and else as
// it is written; false, with dst unchanged, if text is none or is not UTF-8.
func AppendCompactJSON(dst, text []byte) ([]byte, bool) {
	if !utf8.Valid(text) {
		return dst, false
	}
	out := bytes.NewBuffer(dst)
	if json.Compact(out, text) != nil {
		return dst, false
	}
	return out.Bytes(), true
}

// CompactJSON is AppendCompactJSON for a text.
func CompactJSON(s string) (string, bool) {
	out, ok := AppendCompactJSON(nil, []byte(s))
	return string(out), ok
}
