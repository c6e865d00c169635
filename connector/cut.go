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

// scan looks at the bytes of data behind those it has seen already.
func (c *cutter) scan(data []byte) {
	rest := data[c.at:]
	if c.quote == 0 || c.state != inQuotes && c.state != afterQuote && bytes.IndexByte(rest, c.quote) < 0 {
		c.scanLines(data, rest)
		return
	}
	for c.at < len(data) {
		if c.state == inQuotes {
			i := bytes.IndexByte(data[c.at:], c.quote)
			if i < 0 {
				c.at = len(data)
				return
			}
			c.at += i + 1
			c.state = afterQuote
			continue
		}
		c.step(data[c.at])
	}
}

func (c *cutter) scanLines(data, rest []byte) {
	if len(rest) == 0 {
		return
	}
	if i := bytes.LastIndexByte(rest, '\n'); i >= 0 {
		c.border = c.at + i + 1
	}
	c.at, c.state = len(data), inPlain
	if last := rest[len(rest)-1]; last == '\n' || last == c.delimiter {
		c.state = atFieldStart
	}
}

// step takes one byte outside quotes.
func (c *cutter) step(b byte) {
	c.at++
	switch {
	case b == '\n':
		c.border, c.state = c.at, atFieldStart
	case b == c.delimiter:
		c.state = atFieldStart
	case b == c.quote && c.state != inPlain:
		c.state = inQuotes
	default:
		c.state = inPlain
	}
}

// first returns the end of the first whole record of data, or -1.
func (c cutter) first(data []byte) int {
	c.reset()
	for c.at < len(data) {
		if c.state == inQuotes {
			i := bytes.IndexByte(data[c.at:], c.quote)
			if i < 0 {
				return -1
			}
			c.at += i + 1
			c.state = afterQuote
			continue
		}
		if c.step(data[c.at]); c.border > 0 {
			return c.border
		}
	}
	return -1
}
