package reference

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"encode": encode, "decode": decode, "hex": hexOf, "unhex": unhex,
		"to_base64": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return text(base64.StdEncoding.EncodeToString([]byte(a[0].S)))
		},
		"from_base64": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			b, err := base64.StdEncoding.DecodeString(a[0].S)
			if err != nil || !utf8.Valid(b) {
				return stream.Value{}, function.ErrFormat
			}
			return text(string(b))
		},
	})
}

// latin are bytes as characters of their numbers.
func latin(b string) (out []rune) {
	for _, c := range []byte(b) {
		out = append(out, rune(c))
	}
	return out
}

// bytesOfLatin is the inverse of latin; false: a character is no byte.
func bytesOfLatin(chars []rune) (string, bool) {
	var out []byte
	for _, c := range chars {
		if c > 0xff {
			return "", false
		}
		out = append(out, byte(c))
	}
	return string(out), true
}

func encode(a []stream.Value, t stream.Type) (stream.Value, string) {
	name, s := strings.ToLower(a[1].S), a[0].S
	if t == stream.Varchar {
		switch name {
		case "hex":
			return text(fmt.Sprintf("%x", s))
		case "base64":
			return text(base64.StdEncoding.EncodeToString([]byte(s)))
		}
		return domainError()
	}
	ok := true
	switch name {
	case "utf-8":
	case "us-ascii":
		ok = !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
	case "iso-8859-1":
		s, ok = bytesOfLatin([]rune(s))
	case "utf-16be":
		s = string(units(s, binary.BigEndian))
	case "utf-16le":
		s = string(units(s, binary.LittleEndian))
	default:
		return domainError()
	}
	if !ok {
		return stream.Value{}, function.ErrFormat
	}
	return stream.Blob(s), ""
}

func units(s string, order binary.AppendByteOrder) (out []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func decode(a []stream.Value, t stream.Type) (stream.Value, string) {
	name, s := strings.ToLower(a[1].S), a[0].S
	out, ok := "", false
	switch {
	case t == stream.Bytes && name == "hex":
		out, ok = fromHex(s)
	case t == stream.Bytes && name == "base64":
		b, err := base64.StdEncoding.DecodeString(s)
		out, ok = string(b), err == nil
	case t == stream.Bytes:
		return domainError()
	case name == "utf-8":
		out, ok = s, utf8.ValidString(s)
	case name == "us-ascii":
		out, ok = s, !strings.ContainsFunc(string(latin(s)), func(r rune) bool { return r > 127 })
	case name == "iso-8859-1":
		out, ok = string(latin(s)), true
	case name == "utf-16be":
		out, ok = ofUnits(s, binary.BigEndian)
	case name == "utf-16le":
		out, ok = ofUnits(s, binary.LittleEndian)
	default:
		return domainError()
	}
	if !ok {
		return stream.Value{}, function.ErrFormat
	}
	return stream.Value{Type: t, S: out}, ""
}

// ofUnits decodes and encodes again: what is malformed does not come back.
func ofUnits(s string, order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}) (string, bool) {
	if len(s)%2 != 0 {
		return "", false
	}
	var all []uint16
	for at := 0; at < len(s); at += 2 {
		all = append(all, order.Uint16([]byte(s[at:])))
	}
	out := string(utf16.Decode(all))
	return out, string(units(out, order)) == s
}

const digits = "0123456789abcdef"

// fromHex reads pairs of digits.
func fromHex(s string) (string, bool) {
	if len(s)%2 != 0 {
		return "", false
	}
	var out []byte
	for at := 0; at < len(s); at += 2 {
		high, low := strings.IndexByte(digits, lowerByte(s[at])), strings.IndexByte(digits, lowerByte(s[at+1]))
		if high < 0 || low < 0 {
			return "", false
		}
		out = append(out, byte(16*high+low))
	}
	return string(out), true
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func hexOf(a []stream.Value, _ stream.Type) (stream.Value, string) {
	if a[0].Type == stream.BigInt {
		return text(fmt.Sprintf("%X", uint64(a[0].I)))
	}
	return text(fmt.Sprintf("%X", a[0].S))
}

func unhex(a []stream.Value, t stream.Type) (stream.Value, string) {
	s := a[0].S
	if len(s)%2 != 0 {
		s = "0" + s
	}
	out, ok := fromHex(s)
	if !ok {
		return stream.NullOf(t), ""
	}
	return stream.Blob(out), ""
}

// compactJSON leaves out the blanks outside strings.
func compactJSON(s string) (string, bool) {
	if !json.Valid([]byte(s)) || !utf8.ValidString(s) {
		return "", false
	}
	var out []byte
	inside := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case inside && c == '\\':
			out, i = append(out, c, s[i+1]), i+1
			continue
		case c == '"':
			inside = !inside
		case !inside && strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		}
		out = append(out, c)
	}
	return string(out), true
}
