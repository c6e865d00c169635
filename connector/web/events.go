package web

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"time"
)

const (
	eventBufferBytes = 64 << 10 // read from the connection at a time
	eventIDBytesMax  = 1 << 10  // of an id: a longer one is passed over
)

// Event is a server-sent event.
type Event struct {
	Name string // "" is that of most: message
	Data []byte // valid until the next one; several data lines with line ends between
}

// EventReader reads the events of a text/event-stream, as the HTML standard says they are
// to be interpreted (section 9.2.6). It belongs to one goroutine.
type EventReader struct {
	// LastID is the id of the last event that was read, to be sent as Last-Event-ID.
	LastID string
	// Retry is the pause before a new connection that the server asked for, or 0.
	Retry time.Duration

	r       *bufio.Reader
	limit   int
	line    []byte
	data    []byte
	begun   bool
	skipEnd bool // the last line ended in \r: a \n belongs to it
}

// NewEventReader returns a reader of events of at most limit bytes each. lastID is that of
// an earlier connection.
func NewEventReader(r io.Reader, limit int, lastID string) *EventReader {
	return &EventReader{r: bufio.NewReaderSize(r, eventBufferBytes), limit: limit, LastID: lastID}
}

// Next reads the next event that has data. ErrTooLarge says that one was passed over; the
// next call goes on behind it. An event that is cut off by the end is none.
func (r *EventReader) Next(e *Event) error {
	e.Name, r.data = "", r.data[:0]
	some, large, id := false, false, r.LastID
	for {
		err := r.readLine(&large)
		if err != nil {
			return err
		}
		if len(r.line) == 0 && !large {
			if r.LastID = id; some {
				e.Data = bytes.TrimSuffix(r.data, []byte{'\n'})
				return nil
			}
			e.Name = ""
			continue
		}
		field, value, _ := bytes.Cut(r.line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			some = true
			r.data = append(append(r.data, value...), '\n')
			large = len(r.data) > r.limit+1
		case "event":
			e.Name = string(value)
		case "id":
			if len(value) <= eventIDBytesMax && bytes.IndexByte(value, 0) < 0 {
				id = string(value)
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 32); err == nil {
				r.Retry = min(time.Duration(ms)*time.Millisecond, PauseMax)
			}
		}
		if large {
			if err := r.passEvent(); err != nil {
				return err
			}
			return ErrTooLarge
		}
	}
}

// passEvent reads to the end of an event.
func (r *EventReader) passEvent() error {
	for {
		large := false
		if err := r.readLine(&large); err != nil {
			return err
		}
		if len(r.line) == 0 && !large {
			return nil
		}
	}
}

// readLine reads a line without its end, which is \n, \r\n or \r. Of a line that is longer
// than an event may be, it keeps nothing and sets large.
func (r *EventReader) readLine(large *bool) error {
	r.line = r.line[:0]
	for {
		if _, err := r.r.Peek(1); err != nil {
			return err
		}
		there, _ := r.r.Peek(r.r.Buffered())
		if r.skipEnd {
			r.skipEnd = false
			if there[0] == '\n' {
				_, _ = r.r.Discard(1)
				continue
			}
		}
		if !r.begun {
			r.begun = true
			if mark := []byte("\xef\xbb\xbf"); there[0] == mark[0] {
				if head, _ := r.r.Peek(len(mark)); bytes.Equal(head, mark) {
					_, _ = r.r.Discard(len(mark))
				}
				continue
			}
		}
		end := bytes.IndexAny(there, "\r\n")
		n := end
		if end < 0 {
			n = len(there)
		}
		if len(r.line)+n > r.limit+len("data: ") {
			*large, r.line = true, r.line[:0]
		}
		if !*large {
			r.line = append(r.line, there[:n]...)
		}
		if end < 0 {
			_, _ = r.r.Discard(n)
			continue
		}
		r.skipEnd = there[end] == '\r'
		_, _ = r.r.Discard(n + 1)
		return nil
	}
}

// Ready reports whether Next would return an event without waiting for bytes, as far as
// that is easily seen.
func (r *EventReader) Ready() bool {
	there, _ := r.r.Peek(r.r.Buffered())
	return bytes.Contains(there, []byte("\n\n")) || bytes.Contains(there, []byte("\n\r\n")) || bytes.Contains(there, []byte("\r\r"))
}
