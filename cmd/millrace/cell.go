package main

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"github.com/millrace/millrace/stream"
)

// appendCell appends value row of a column as tables show it: like its text, but a
// timestamp has a blank for the T and no zone (all times are UTC), and characters
// that would disturb the screen are escaped.
func appendCell(dst []byte, c *stream.Column, row int) []byte {
	if c.Absent() || c.IsNull(row) {
		return append(dst, "NULL"...)
	}
	switch c.Type {
	case stream.Varchar:
		return appendPrintable(dst, c.Text(row))
	case stream.Timestamp:
		start := len(dst)
		dst = stream.AppendTimestamp(dst, c.I64[row])
		if t := bytes.IndexByte(dst[start:], 'T'); t >= 0 {
			dst[start+t] = ' '
		}
		return bytes.TrimSuffix(dst, []byte("Z"))
	default:
		return stream.AppendValue(dst, c.Value(row))
	}
}

func printable(s string) string { return string(appendPrintable(nil, []byte(s))) }

// printableLines is printable for text of several lines, which may be indented by tabs.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		parts := strings.Split(line, "\t")
		for j, part := range parts {
			parts[j] = printable(part)
		}
		lines[i] = strings.Join(parts, "\t")
	}
	return strings.Join(lines, "\n")
}

func appendPrintable(dst, text []byte) []byte {
	for len(text) > 0 {
		if c := text[0]; c >= ' ' && c < 0x7f {
			dst, text = append(dst, c), text[1:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size <= 1 || !unicode.IsPrint(r) {
			quoted := strconv.AppendQuoteToASCII(nil, string(text[:size]))
			dst = append(dst, quoted[1:len(quoted)-1]...)
		} else {
			dst = append(dst, text[:size]...)
		}
		text = text[size:]
	}
	return dst
}

// displayWidth is the number of terminal columns that printable text takes.
func displayWidth(text []byte) int {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return runewidth.StringWidth(string(text))
		}
	}
	return len(text)
}
