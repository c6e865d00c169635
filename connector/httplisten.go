package connector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/connector/web"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// httpListener is a source whose rows come in the bodies of requests.
//
// A request's handler reads the body, puts it into the queue and waits. The reader takes
// it from there and cuts it into blocks, as if it were a file. Whoever decodes a block
// reports to the delivery that the block is a part of, and with the last report the
// handler answers: a request is answered when its rows are in the engine's hands, and
// what the answer says of malformed records is what became error rows. Invariants:
//
//  1. A delivery is taken (by the reader) or withdrawn (by its handler, which then
//     answers that nothing was read), never both.
//  2. left counts blocks that are not reported, and one more until the body is cut up; the
//     report that makes it zero closes done. A block reports once, however often it is
//     decoded.
//  3. Bytes of a body come from the budget before they are read, and go back when its
//     handler ends. Handlers are counted: more than the queue has room for are refused.
//  4. Once closing is closed no delivery enters the queue, and every waiting handler ends.
type httpListener struct {
	*textSource
	options httpOptions
	mounted *web.Mounted
	queue   chan *delivery
	budget  *web.Budget
	active  atomic.Int64 // handlers that read or wait
	served  atomic.Int64 // requests the reader has taken

	closeOnce sync.Once
	closing   chan struct{} // no further requests
	ended     chan struct{} // no further reports
	counts    struct {
		requests, accepted, malformed, unauthorized, tooLarge, refused, withdrawn atomic.Int64
	}
}

func newHTTPListener(name string, src *model.Source, schema *stream.Schema, h httpOptions, env Env) (*httpListener, error) {
	s := &httpListener{
		textSource: newTextSource(src, name, schema, h.text, env), options: h, queue: make(chan *delivery, h.queueRequests),
		budget: web.NewBudget(h.queueBytes), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	s.lists, s.bounded, s.live = []fileList{fixedFiles{h.place.Path}}, h.bounded(), true
	var err error
	if s.mounted, err = web.Mount(h.place, s); err != nil {
		return nil, err
	}
	env.say(fmt.Sprintf("stream %s takes POST %s", name, s.mounted.URL()))
	if host, _, _ := net.SplitHostPort(h.place.Address); h.token == "" && !isLoopback(host) {
		s.warn(fmt.Sprintf("stream %s: everybody who reaches %s can send rows; the option token asks for a secret", name, h.place.Address))
	}
	return s, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// delivery is a request's body on its way to the engine.
type delivery struct {
	source *httpListener
	lines  []byte
	bad    *web.Malformed // what could not be made lines
	name   string         // in error rows
	state  atomic.Int32   // waiting, taken or withdrawn
	left   atomic.Int64
	done   chan struct{}
	rows   atomic.Int64

	mu     sync.Mutex
	errors int64
	line   int64 // of the first malformed record
	reason string
}

const (
	deliveryWaiting = iota
	deliveryTaken
	deliveryWithdrawn
)

func (d *delivery) finishOne() {
	if d.left.Add(-1) == 0 {
		close(d.done)
	}
}

// note keeps the first of a block's malformed records.
func (d *delivery) note(start int64, errs []RecordError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range errs {
		if d.errors++; d.reason == "" || start+e.Line < d.line {
			d.line, d.reason = start+e.Line, e.Reason
		}
	}
}

// part is what a block has of a delivery.
type part struct {
	delivery *delivery
	reported atomic.Bool
}

// ServeHTTP implements http.Handler.
func (s *httpListener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.counts.requests.Add(1)
	switch {
	case !web.Authorized(r, s.options.token):
		s.counts.unauthorized.Add(1)
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "the request needs the header Authorization: Bearer with the stream's token")
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		answer(w, http.StatusOK, s.describe())
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		w.Header().Set("Allow", "POST, PUT, GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "send rows with POST")
	case contradicts(r.Header.Get("Content-Type"), s.options.text.format):
		refuse(w, http.StatusUnsupportedMediaType, "the stream takes "+s.options.text.format+", Content-Type "+mediaType(s.options.text.format))
	case s.isClosing():
		s.counts.refused.Add(1)
		refuse(w, http.StatusServiceUnavailable, "the stream has ended")
	default:
		s.receive(w, r)
	}
}

func (s *httpListener) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// describe says what is here, for people and for whoever looks whether it works.
func (s *httpListener) describe() []byte {
	out := append([]byte(`{"stream":`), stream.AppendJSONString(nil, s.name)...)
	out = append(out, `,"takes":"POST","format":`...)
	out = append(stream.AppendJSONString(out, s.options.text.format), `,"columns":[`...)
	for i, column := range s.columnNames() {
		if i > 0 {
			out = append(out, ',')
		}
		out = stream.AppendJSONString(out, column)
	}
	out = append(out, `],"waiting":`...)
	out = strconv.AppendInt(out, int64(len(s.queue)), 10)
	return append(out, '}')
}

// receive reads a body, hands it on and answers.
func (s *httpListener) receive(w http.ResponseWriter, r *http.Request) {
	defer s.active.Add(-1)
	if s.active.Add(1) > s.options.queueRequests {
		s.counts.refused.Add(1)
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d requests are waiting", s.options.queueRequests))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.options.timeout)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.options.timeout))
	body, err := web.ReadBody(r.Body, r.Header.Get("Content-Encoding"), r.ContentLength, s.options.bodyBytes, s.budget)
	if err != nil {
		status, text := web.BodyFault(err)
		s.countFault(status)
		if status == http.StatusRequestEntityTooLarge {
			text = fmt.Sprintf("the body is larger than %d bytes", s.options.bodyBytes)
		}
		refuse(w, status, text)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	defer s.budget.Give(cap(body))
	d := &delivery{source: s, lines: body, done: make(chan struct{})}
	d.left.Store(1)
	if s.options.text.format == FormatNDJSON {
		d.lines, d.bad = web.Lines(body, r.Header.Get("Content-Type"))
	}
	select {
	case s.queue <- d:
	case <-s.closing:
		s.counts.refused.Add(1)
		refuse(w, http.StatusServiceUnavailable, "the stream has ended")
		return
	case <-ctx.Done(): // the queue is full of withdrawn ones
		s.counts.refused.Add(1)
		refuse(w, http.StatusServiceUnavailable, "the queue is full; nothing was read")
		return
	}
	s.await(ctx, w, d)
}

func (s *httpListener) countFault(status int) {
	switch status {
	case http.StatusRequestEntityTooLarge:
		s.counts.tooLarge.Add(1)
	case http.StatusServiceUnavailable:
		s.counts.refused.Add(1)
	default:
		s.counts.malformed.Add(1)
	}
}

// await answers when the rows are taken, or when it is known that they will not be.
func (s *httpListener) await(ctx context.Context, w http.ResponseWriter, d *delivery) {
	late := false
	select {
	case <-d.done:
	case <-s.closing:
	case <-ctx.Done():
		late = true
	}
	if d.state.CompareAndSwap(deliveryWaiting, deliveryWithdrawn) {
		s.counts.withdrawn.Add(1)
		reason := "the stream has ended; nothing was read"
		if late {
			reason = fmt.Sprintf("the rows were not taken in %v; nothing was read", s.options.timeout)
		}
		refuse(w, http.StatusServiceUnavailable, reason)
		return
	}
	select {
	case <-d.done:
		s.answerTaken(w, d)
		return
	case <-s.ended:
	case <-ctx.Done():
	}
	select {
	case <-d.done:
		s.answerTaken(w, d)
	default:
		refuse(w, http.StatusServiceUnavailable, "the job stopped or is behind; rows of the request may have been read")
	}
}

// answerTaken says how many rows there were and what was wrong with others.
func (s *httpListener) answerTaken(w http.ResponseWriter, d *delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := strconv.AppendInt([]byte(`{"rows":`), d.rows.Load(), 10)
	if d.errors == 0 {
		s.counts.accepted.Add(1)
		answer(w, http.StatusAccepted, append(out, '}'))
		return
	}
	s.counts.malformed.Add(1)
	out = strconv.AppendInt(append(out, `,"errors":`...), d.errors, 10)
	out = strconv.AppendInt(append(out, `,"line":`...), d.line, 10)
	out = appendJSONString(append(out, `,"reason":`...), []byte(d.reason))
	answer(w, http.StatusBadRequest, append(out, '}'))
}

// Counters implements Counting.
func (s *httpListener) Counters() Counters {
	c := &s.counts
	return Counters{
		"requests": c.requests.Load(), "accepted": c.accepted.Load(), "malformed": c.malformed.Load(), "unauthorized": c.unauthorized.Load(),
		"too_large": c.tooLarge.Load(), "refused": c.refused.Load(), "withdrawn": c.withdrawn.Load(),
	}
}

func (s *httpListener) stop() { s.closeOnce.Do(func() { close(s.closing) }) }

// Close implements Source. It waits for the answers of requests whose rows were read.
func (s *httpListener) Close() error {
	s.stop()
	close(s.ended)
	s.mounted.Close()
	return nil
}

// Reader implements Source. What was answered before at cannot be read again.
func (s *httpListener) Reader(_ context.Context, _ int, at Position) (Reader, error) {
	if at.Offset > 0 {
		s.warn(fmt.Sprintf("stream %s goes on behind request number %d; requests that were answered after the state was saved cannot be read again", s.name, at.Offset))
	}
	s.served.Store(at.Offset)
	return &httpReader{source: s, pos: at}, nil
}

// NewDecoder implements Source.
func (s *httpListener) NewDecoder() Decoder { return &httpDecoder{Decoder: s.textSource.NewDecoder()} }

// httpReader cuts deliveries into blocks. A position's Offset is the number of requests
// before it, its Line that of their lines.
type httpReader struct {
	source *httpListener
	pos    Position
	now    *delivery
	text   *textReader
}

// Next implements Reader.
func (r *httpReader) Next(ctx context.Context, b *Block) error {
	for {
		if r.now == nil {
			if err := r.take(ctx); err != nil {
				b.Rows, b.End = 0, r.pos
				return err
			}
		}
		err := r.text.Next(ctx, b)
		b.Partition = 0
		switch {
		case err == nil:
			r.own(b)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, io.EOF): // a header that does not fit
			r.now.bad = &web.Malformed{Number: 1, Rest: firstLine(r.now.lines), Reason: strings.TrimPrefix(err.Error(), r.now.name+": ")}
		}
		d := r.now
		if d.bad != nil {
			e := RecordError{Line: d.bad.Number, Record: cutRecord(d.bad.Rest), Reason: d.bad.Reason}
			b.Data, b.Rows, b.Errors, b.File, b.Start = b.Data[:0], 0, append(b.Errors[:0], e), d.name, Position{}
			d.bad, r.text.files = nil, noFiles
			r.own(b)
			return nil
		}
		_ = r.text.Close()
		r.now, r.text = nil, nil
		d.finishOne()
	}
}

// own makes a block a part of the delivery.
func (r *httpReader) own(b *Block) {
	r.now.left.Add(1)
	b.unit, b.End = &part{delivery: r.now}, r.pos
}

// take waits for the next delivery.
func (r *httpReader) take(ctx context.Context) error {
	s := r.source
	if n := s.options.requests; n > 0 && r.pos.Offset >= n {
		s.stop()
		return io.EOF
	}
	for {
		select {
		case <-ctx.Done():
			s.stop()
			return ctx.Err()
		case d := <-s.queue:
			if !d.state.CompareAndSwap(deliveryWaiting, deliveryTaken) {
				continue
			}
			r.pos.Offset = s.served.Add(1)
			r.pos.Line += countLines(d.lines)
			d.name = fmt.Sprintf("%s#%d", s.options.place.Path, r.pos.Offset)
			r.now = d
			r.text = &textReader{src: s.textSource, files: fixedFiles{d.name}, from: func(context.Context, string) (input, error) {
				return &streamInput{name: d.name, reader: bytes.NewReader(d.lines), kind: compressNone}, nil
			}}
			return nil
		}
	}
}

// Close implements Reader. Requests that wait are told that nothing was read.
func (r *httpReader) Close() error {
	r.source.stop()
	return nil
}

func firstLine(body []byte) []byte {
	if i := indexNewline(body); i >= 0 {
		return body[:i]
	}
	return body
}

// httpDecoder reports what it decodes to the delivery that it is a part of.
type httpDecoder struct{ Decoder }

// Decode implements Decoder.
func (d *httpDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	before := len(errs)
	errs, err := d.Decoder.Decode(b, out, errs)
	p, ok := b.unit.(*part)
	if !ok || err != nil || p.reported.Swap(true) {
		return errs, err
	}
	p.delivery.rows.Add(int64(out.Len))
	p.delivery.note(b.Start.Line, b.Errors)
	p.delivery.note(b.Start.Line, errs[before:])
	p.delivery.finishOne()
	return errs, nil
}
