package connector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"mime"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/connector/web"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// httpIDsKept is how many ids of events are remembered by position: more than there are
// blocks on their way through the engine.
const httpIDsKept = 4096

// httpFetcher is a source that asks a server: for documents again and again, or for a
// stream of events. What fails in passing is tried again, after pauses that grow.
type httpFetcher struct {
	*textSource
	options httpOptions
	client  *http.Client
	say     func(string)
	retries int64

	mu  sync.Mutex
	ids []eventID // of blocks, ascending; those of events

	counts struct{ requests, failures, reconnects, unchanged, events, skipped atomic.Int64 }
}

// eventID is the id that was valid behind a number of events.
type eventID struct {
	events int64
	id     string
}

func newHTTPFetcher(name string, src *model.Source, schema *stream.Schema, h httpOptions, env Env) *httpFetcher {
	s := &httpFetcher{textSource: newTextSource(src, name, schema, h.text, env), options: h, client: newHTTPClient(), say: env.say, retries: h.retries}
	if s.retries < 0 {
		s.retries = math.MaxInt64
	}
	s.client.Transport.(*http.Transport).ResponseHeaderTimeout = h.timeout
	s.lists, s.bounded, s.live = []fileList{fixedFiles{publicURL(h.url)}}, h.bounded(), true
	return s
}

// Reader implements Source.
func (s *httpFetcher) Reader(_ context.Context, _ int, at Position) (Reader, error) {
	if s.options.mode == httpEvents {
		id, known := s.idBehind(at.Offset)
		if at.Offset > 0 && (!known || id == "") {
			s.warn(fmt.Sprintf("stream %s: events have no ids, so those between the saved state and now are missing", s.name))
		}
		return &eventReader{source: s, pos: at, lastID: id}, nil
	}
	if s.options.interval > 0 {
		at = Position{File: at.File} // a document that was half read is asked for again
	}
	return &pollReader{source: s, pos: at}, nil
}

// Close implements Source.
func (s *httpFetcher) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Counters implements Counting.
func (s *httpFetcher) Counters() Counters {
	c := &s.counts
	out := Counters{"requests": c.requests.Load(), "failures": c.failures.Load()}
	if s.options.mode == httpEvents {
		out["reconnects"], out["events"], out["events_skipped"] = c.reconnects.Load(), c.events.Load(), c.skipped.Load()
	} else {
		out["unchanged"] = c.unchanged.Load()
	}
	return out
}

// keepID remembers the id behind a number of events.
func (s *httpFetcher) keepID(events int64, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ids) >= httpIDsKept {
		s.ids = slices.Delete(s.ids, 0, httpIDsKept/2)
	}
	s.ids = append(s.ids, eventID{events, id})
}

func (s *httpFetcher) idBehind(events int64) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found := slices.BinarySearchFunc(s.ids, events, func(e eventID, n int64) int { return int(min(max(e.events-n, -1), 1)) })
	if !found {
		return "", false
	}
	return s.ids[at].id, true
}

// Remember implements Remembering: the id to go on behind.
func (s *httpFetcher) Remember(w *state.Writer, places []Position) {
	id, _ := s.idBehind(places[0].Offset)
	w.Text(id)
}

// Recall implements Remembering.
func (s *httpFetcher) Recall(r *state.Reader, places []Position) error {
	s.keepID(places[0].Offset, r.Text())
	return r.End()
}

// permanent is an error that trying again does not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// get sends a request. The answer is one with status 200 or, asked with a condition, 304,
// or for events 204. pause is what the server asks for.
func (s *httpFetcher) get(ctx context.Context, header http.Header) (response *http.Response, pause time.Duration, err error) {
	s.counts.requests.Add(1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.url, nil)
	if err != nil {
		return nil, 0, permanent{s.named(err)}
	}
	s.options.dress(request)
	for name, values := range header {
		request.Header[name] = values
	}
	if response, err = s.client.Do(request); err != nil {
		return nil, 0, s.named(err)
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusNotModified, http.StatusNoContent:
		return response, 0, nil
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, httpAnswerMax))
	_ = response.Body.Close()
	err = s.named(statusError(response, text))
	if !web.Passing(response.StatusCode) {
		err = permanent{err}
	}
	return nil, web.RetryAfter(response.Header, time.Now()), err
}

func (s *httpFetcher) named(err error) error { return s.options.named(http.MethodGet, err) }

// failed decides what follows an error: nil after the pause, or the error that ends the
// stream. Some of many failures in a row are told.
func (s *httpFetcher) failed(ctx context.Context, err error, failures int, pause time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var final permanent
	if errors.As(err, &final) {
		return err
	}
	s.counts.failures.Add(1)
	if int64(failures) > s.retries {
		return fmt.Errorf("%w (%d attempts)", err, failures)
	}
	if bits.OnesCount(uint(failures)) == 1 {
		s.say(fmt.Sprintf("stream %s: %v; trying again (failure %d in a row)", s.name, err, failures))
	}
	return sleep(ctx, pause)
}

// pollReader reads the documents of a URL. A position's File is the number of documents
// before.
type pollReader struct {
	source *httpFetcher
	pos    Position
	next   time.Time // of the next request
	header http.Header
	text   *textReader
	bad    *web.Malformed
}

// Next implements Reader.
func (r *pollReader) Next(ctx context.Context, b *Block) error {
	for {
		if r.text == nil {
			if err := r.poll(ctx); err != nil {
				b.Rows, b.End = 0, r.pos
				return err
			}
			continue
		}
		err := r.text.Next(ctx, b)
		if err == nil {
			b.End.File, b.Start.File = r.pos.File, r.pos.File
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		_ = r.text.Close()
		r.text, r.pos = nil, Position{File: r.pos.File + 1}
		if bad := r.bad; bad != nil {
			r.bad = nil
			e := RecordError{Line: bad.Number, Record: cutRecord(bad.Rest), Reason: bad.Reason}
			b.Data, b.Rows, b.Errors, b.File, b.Start, b.End = b.Data[:0], 0, append(b.Errors[:0], e), publicURL(r.source.options.url), Position{}, r.pos
			return nil
		}
	}
}

// poll asks for the next document when it is time. Without a new one, text stays nil.
func (r *pollReader) poll(ctx context.Context) error {
	s := r.source
	if n := s.options.requests; n > 0 && int64(r.pos.File) >= n || s.options.interval == 0 && r.pos.File > 0 {
		return io.EOF
	}
	if err := sleep(ctx, time.Until(r.next)); err != nil {
		return err
	}
	r.next = time.Now().Add(s.options.interval)
	for failures := 1; ; failures++ {
		body, kind, pause, err := r.fetch(ctx)
		if err == nil && body == nil {
			s.counts.unchanged.Add(1)
			r.pos = Position{File: r.pos.File + 1}
			return nil
		}
		if err == nil {
			r.begin(body, kind)
			return nil
		}
		if err := s.failed(ctx, err, failures, max(pause, web.Pause(failures))); err != nil {
			return err
		}
	}
}

// fetch gets the document, or nil if it has not changed.
func (r *pollReader) fetch(ctx context.Context) (body []byte, kind string, pause time.Duration, err error) {
	s := r.source
	ctx, cancel := context.WithTimeout(ctx, s.options.timeout)
	defer cancel()
	response, pause, err := s.get(ctx, r.header)
	if err != nil {
		return nil, "", pause, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", 0, nil
	}
	h := response.Header
	limit := s.options.bodyBytes
	body, err = web.ReadBody(response.Body, h.Get("Content-Encoding"), response.ContentLength, limit, web.NewBudget(math.MaxInt64))
	switch {
	case errors.Is(err, web.ErrTooLarge):
		return nil, "", 0, permanent{s.named(fmt.Errorf("the answer is larger than %d bytes", limit))}
	case errors.Is(err, web.ErrEncoding):
		return nil, "", 0, permanent{s.named(err)}
	case err != nil:
		return nil, "", 0, s.named(err)
	}
	r.header = http.Header{}
	if tag := h.Get("ETag"); tag != "" {
		r.header.Set("If-None-Match", tag)
	}
	if at := h.Get("Last-Modified"); at != "" {
		r.header.Set("If-Modified-Since", at)
	}
	return body, h.Get("Content-Type"), 0, nil
}

func (r *pollReader) begin(body []byte, kind string) {
	s := r.source
	if s.options.text.format == FormatNDJSON {
		body, r.bad = web.Lines(body, kind)
	}
	r.text = &textReader{
		src: s.textSource, files: fixedFiles{publicURL(s.options.url)}, pos: Position{Offset: r.pos.Offset, Line: r.pos.Line},
		from: func(_ context.Context, name string) (input, error) {
			return &streamInput{name: name, reader: bytes.NewReader(body), kind: compressNone}, nil
		},
	}
}

// Close implements Reader.
func (r *pollReader) Close() error { return nil }

// eventReader reads server-sent events; a record is an event's data. A position's Offset
// and Line are the number of events before it.
type eventReader struct {
	source   *httpFetcher
	pos      Position
	lastID   string
	body     io.ReadCloser // nil: not connected
	events   *web.EventReader
	broken   error         // what the connection ended with
	failures int           // in a row
	retry    time.Duration // that the server wants between connections
	pause    time.Duration // that it asked for this time
	once     bool          // has been connected
}

// Next implements Reader.
func (r *eventReader) Next(ctx context.Context, b *Block) error {
	b.Data, b.Rows, b.Errors, b.Partition = b.Data[:0], 0, b.Errors[:0], 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.broken != nil {
			if err := r.recover(ctx); err != nil {
				b.End = r.pos
				return err
			}
		}
		if r.body == nil {
			if r.broken = r.connect(ctx); r.broken != nil {
				continue
			}
		}
		b.File, b.Start = publicURL(r.source.options.url), r.pos
		if r.source.csv {
			b.layout = r.source.positional()
		}
		r.fill(b)
		if b.End = r.pos; len(b.Data) > 0 || len(b.Errors) > 0 {
			r.source.keepID(r.pos.Offset, r.events.LastID)
			return nil
		}
	}
}

// fill takes the events that are there, at least one or the connection's end.
func (r *eventReader) fill(b *Block) {
	s := r.source
	for len(b.Data) < s.blockBytes {
		var e web.Event
		err := r.events.Next(&e)
		r.lastID, r.retry = r.events.LastID, r.events.Retry
		switch {
		case errors.Is(err, web.ErrTooLarge):
			b.Errors = append(b.Errors, RecordError{Line: r.pos.Line - b.Start.Line + 1, Reason: fmt.Sprintf("event longer than %d bytes", s.options.bodyBytes)})
			r.pos.Offset, r.pos.Line = r.pos.Offset+1, r.pos.Line+1
			return
		case err != nil:
			r.broken = s.named(err)
			return
		case !s.wanted(e.Name):
			s.counts.skipped.Add(1)
		default:
			if !s.csv {
				onOneLine(e.Data)
			}
			b.Data = append(append(b.Data, e.Data...), '\n')
			r.pos.Offset, r.pos.Line = r.pos.Offset+1, r.pos.Line+1
			s.counts.events.Add(1)
		}
		r.failures = 0
		if !r.events.Ready() {
			return
		}
	}
}

// onOneLine takes line ends out of JSON: they stand between tokens and say nothing.
func onOneLine(b []byte) {
	for i, c := range b {
		if c == '\n' {
			b[i] = ' '
		}
	}
}

func (s *httpFetcher) wanted(name string) bool {
	if name == "" {
		name = "message"
	}
	return s.options.event == "*" || s.options.event == name
}

// connect asks for the events behind the last one.
func (r *eventReader) connect(ctx context.Context) error {
	s := r.source
	header := http.Header{"Accept": {"text/event-stream"}, "Cache-Control": {"no-store"}}
	if r.lastID != "" {
		header.Set("Last-Event-ID", r.lastID)
	}
	if r.once {
		s.counts.reconnects.Add(1)
	}
	r.once = true
	response, pause, err := s.get(ctx, header)
	if err != nil {
		r.pause = pause
		return err
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode == http.StatusNoContent || kind != "text/event-stream" {
		_ = response.Body.Close()
		if response.StatusCode == http.StatusNoContent { // as the standard has it: do not come again
			return io.EOF
		}
		return permanent{s.named(fmt.Errorf("the answer is %q, not text/event-stream", kind))}
	}
	r.body, r.events = response.Body, web.NewEventReader(response.Body, int(s.options.bodyBytes), r.lastID)
	r.events.Retry = r.retry
	return nil
}

// recover waits before the next connection, or returns how the stream ends.
func (r *eventReader) recover(ctx context.Context) error {
	_ = r.Close()
	err := r.broken
	if err == io.EOF || errors.Is(err, io.EOF) && !r.source.options.reconnect {
		return io.EOF
	}
	if !r.source.options.reconnect && ctx.Err() == nil {
		return err
	}
	r.failures++
	if err := r.source.failed(ctx, err, r.failures, max(r.pause, r.retry+web.Pause(r.failures))); err != nil {
		return err
	}
	r.broken, r.pause = nil, 0
	return nil
}

// Close implements Reader.
func (r *eventReader) Close() error {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
	return nil
}
