package connector

import "bytes"

// cutter finds the borders between records in bytes that arrive bit by bit. For
// formats without quotes a record is a line. With quotes it follows the same rules as
// csvDecoder, so that both always agree: a quote opens a quoted field only as a
// field's first byte, a doubled one inside stands for itself, and line ends inside
// belong to the field.
type cutter struct {
	quote, delimiter byte // quote 0: lines

	at     int // bytes looked at
	border int // end of the last whole record among them
	state  cutState
}

type cutState uint8

const (
	atFieldStart cutState = iota
	inPlain               // in an unquoted field, or behind a closing quote
	inQuotes
	afterQuote // behind a quote inside quotes: closing, or the first of two
)

func (c *cutter) reset() { c.at, c.border, c.state = 0, 0, atFieldStart }

// open reports whether the bytes looked at end inside a quoted field.
func (c *cutter) open() bool { return c.state == inQuotes }

// scan looks at the bytes of data behind those it has seen already, from quote to quote.
func (c *cutter) scan(data []byte) {
	for c.at < len(data) {
		rest := data[c.at:]
		next := len(rest)
		if i := indexQuote(rest, c.quote); i >= 0 {
			next = i
		}
		switch c.state {
		case afterQuote:
			c.state = inPlain
			if next == 0 {
				c.at, c.state = c.at+1, inQuotes
			}
			continue
		case inQuotes:
			if next == len(rest) {
				c.at = len(data)
				return
			}
			c.at, c.state = c.at+next+1, afterQuote
			continue
		}
		if i := bytes.LastIndexByte(rest[:next], '\n'); i >= 0 {
			c.border = c.at + i + 1
		}
		if next > 0 {
			c.state = inPlain
			if last := rest[next-1]; last == '\n' || last == c.delimiter {
				c.state = atFieldStart
			}
		}
		if c.at += next; next == len(rest) {
			return
		}
		c.at++
		if c.state == atFieldStart {
			c.state = inQuotes
		}
	}
}

func indexQuote(b []byte, quote byte) int {
	if quote == 0 {
		return -1
	}
	return bytes.IndexByte(b, quote)
}

// first returns the end of the first whole record of data, or -1.
func (c cutter) first(data []byte) int {
	c.reset()
	for n := range data {
		if data[n] == '\n' || n == len(data)-1 {
			if c.scan(data[:n+1]); c.border > 0 {
				return c.border
			}
		}
	}
	return -1
}
