package main

import (
	"github.com/mattn/go-runewidth"

	"github.com/millrace/millrace/stream"
)

// textWidthMin is the width below which a column of text is not narrowed.
const textWidthMin = 8

// fit narrows columns of text, the widest first, so that a row takes one line of the
// terminal, if that can be had. Longer texts are then cut, and the footer says so. Other
// values are never cut, and nothing is on the way to a file or a pipe.
func (t *table) fit(longest []int) {
	if !t.screen.t.outTTY {
		return
	}
	excess := tableWidth(longest) - t.screen.t.width()
	if excess <= 0 {
		return
	}
	t.narrowed = true
	copy(t.widths, longest)
	for ; excess > 0; excess-- {
		widest := -1
		for i, c := range t.columns {
			f := t.schema.Fields[c]
			least := max(textWidthMin, runewidth.StringWidth(printable(f.Name)))
			if f.Type == stream.Varchar && t.widths[i] > least && (widest < 0 || t.widths[i] > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		t.widths[widest]--
	}
}

// tableWidth is that of a table's lines, with what separates the columns.
func tableWidth(columns []int) int {
	total := 2
	for i, width := range columns {
		if total += width; i > 0 {
			total += len(" | ")
		}
	}
	return total
}

// shorten cuts a text of column i that a narrowed table has no room for.
func (t *table) shorten(i int, text []byte) []byte {
	if !t.narrowed || t.schema.Fields[t.columns[i]].Type != stream.Varchar || displayWidth(text) <= t.widths[i] {
		return text
	}
	t.shortened = true
	return []byte(runewidth.Truncate(string(text), t.widths[i], "…"))
}
