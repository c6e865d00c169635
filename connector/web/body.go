package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What ReadBody returns, beside errors of the connection and of damaged compression.
var (
	ErrTooLarge = errors.New("the body is larger than allowed")
	ErrNoRoom   = errors.New("too many bytes of bodies are in memory")
	ErrEncoding = errors.New("Content-Encoding must be gzip, zstd or identity")
)

const (
	zstdWindowBytesMax = 8 << 20  // of a body; what Content-Encoding zstd may use
	bodyBytesFirst     = 16 << 10 // room for a body whose length is not known
)

// Budget is a number of bytes that several bodies share. It is safe for concurrent use.
type Budget struct {
	max  int64
	used atomic.Int64
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{max: limit} }

// Used is the number of bytes that are taken now.
func (b *Budget) Used() int64 { return b.used.Load() }

func (b *Budget) take(n int64) bool {
	if b.used.Add(n) > b.max {
		b.used.Add(-n)
		return false
	}
	return true
}

// Give returns what a body took: the capacity of what ReadBody returned.
func (b *Budget) Give(n int) { b.used.Add(-int64(n)) }

// ReadBody reads a whole body of at most limit bytes, decompressed. length is its
// Content-Length, or less than 0. Its memory is taken from the budget; after an error
// nothing is.
func ReadBody(r io.Reader, encoding string, length, limit int64, budget *Budget) ([]byte, error) {
	room := int64(bodyBytesFirst)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		if length > limit {
			return nil, ErrTooLarge
		}
		if length >= 0 {
			room = length + 1 // one more byte to see the end
		}
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindowBytesMax))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	default:
		return nil, ErrEncoding
	}
	return readUpTo(r, room, limit, budget)
}

func readUpTo(r io.Reader, room, limit int64, budget *Budget) ([]byte, error) {
	if !budget.take(room) {
		return nil, ErrNoRoom
	}
	body := make([]byte, 0, room)
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			err = ErrTooLarge
		case err == io.EOF:
			return body, nil
		case err == nil && len(body) < cap(body):
			continue
		case err == nil:
			more := max(1, min(int64(cap(body)), limit+1-int64(cap(body))))
			if budget.take(more) {
				grown := make([]byte, len(body), int64(cap(body))+more)
				copy(grown, body)
				body = grown
				continue
			}
			err = ErrNoRoom
		}
		budget.Give(cap(body))
		return nil, err
	}
}

// Malformed is a JSON document that cannot be read, and all behind it.
type Malformed struct {
	Number int64 // among the body's documents, 1 for the first
	Rest   []byte
	Reason string
}

// Lines makes a line each of a body's JSON documents: of one document, of several, or of
// the elements of one array. A body that is lines already is returned as it is: one whose
// Content-Type is not that of JSON documents and that does not begin with an array, or
// with a document of several lines.
func Lines(body []byte, contentType string) ([]byte, *Malformed) {
	text := bytes.TrimLeft(body, " \t\r\n")
	array := len(text) > 0 && text[0] == '['
	if !array && !isDocument(contentType) {
		first, rest, _ := bytes.Cut(text, []byte("\n"))
		if len(bytes.TrimSpace(rest)) == 0 || json.Valid(first) || !json.Valid(text) {
			return body, nil
		}
	}
	return documents(text, array)
}

func isDocument(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

func documents(text []byte, array bool) ([]byte, *Malformed) {
	d := json.NewDecoder(bytes.NewReader(text))
	var out bytes.Buffer
	out.Grow(len(text) + 1)
	number := int64(1)
	bad := func(err error) ([]byte, *Malformed) {
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("unexpected end of JSON input")
		}
		return out.Bytes(), &Malformed{Number: number, Rest: text[min(int(d.InputOffset()), len(text)):], Reason: "invalid JSON: " + err.Error()}
	}
	if array {
		if _, err := d.Token(); err != nil {
			return bad(err)
		}
	}
	for ; !array || d.More(); number++ {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == io.EOF && !array {
			return out.Bytes(), nil
		}
		if err == nil {
			err = json.Compact(&out, raw)
		}
		if err != nil {
			return bad(err)
		}
		out.WriteByte('\n')
	}
	if _, err := d.Token(); err != nil {
		return bad(err)
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return out.Bytes(), &Malformed{Number: number, Rest: rest, Reason: "invalid JSON: text after the array"}
	}
	return out.Bytes(), nil
}

// BodyFault is the status, and what to say, for an error of ReadBody.
func BodyFault(err error) (status int, text string) {
	var netError interface{ Timeout() bool }
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge, err.Error()
	case errors.Is(err, ErrNoRoom):
		return http.StatusServiceUnavailable, err.Error()
	case errors.Is(err, ErrEncoding):
		return http.StatusUnsupportedMediaType, err.Error()
	case errors.As(err, &netError) && netError.Timeout():
		return http.StatusRequestTimeout, "the body did not come in time"
	}
	return http.StatusBadRequest, "the body cannot be read: " + err.Error()
}
