package connector

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/connector/web"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

const (
	httpPostQueue     = 2        // batches that wait while one is sent; then the sink waits, and what is before it
	httpAnswerMax     = 64 << 10 // of an answer that is read; a connection with more is not used again
	httpAnswerShown   = 200      // bytes of an answer that messages show
	httpBatchRowsMax  = 1 << 20
	httpBatchBytesMax = 64 << 20
	httpRetriesMax    = 1000
)

// httpPoster sends rows as the bodies of requests, one after the other and in order.
//
// Write cuts rows into batches. A batch that is full, or has waited for the linger, goes
// to a goroutine that sends it, as often as it takes. Invariants:
//
//  1. mu guards the batch that is collected; batches go into work under it, so they are
//     sent in the order of their rows.
//  2. unsettled is the number of batches in work or being sent, changed under settled's
//     lock.
//  3. Once a batch is given up with on_failure = 'fail', nothing is sent any more: it and
//     all behind it are unsent, in order, and in the state of a snapshot.
type httpPoster struct {
	options httpOptions
	schema  *stream.Schema
	visible []int
	client  *http.Client
	run     string // of the keys of batches: no other run has it
	say     func(string)
	ctx     context.Context
	cancel  context.CancelFunc

	mu     sync.Mutex
	batch  httpBatch
	timer  *time.Timer // armed while rows linger
	armed  bool
	closed bool
	work   chan httpBatch
	done   chan struct{}

	failing bool // of the goroutine: the last attempt failed, and was told

	settled   sync.Cond // its lock guards what follows
	unsettled int
	unsent    []byte
	unsentN   int64
	err       error
	onFailure func(error)

	counts struct{ requests, retries, rows, dropped atomic.Int64 }
}

type httpBatch struct {
	rows  []byte // lines
	count int64
}

func newHTTPPoster(h httpOptions, schema *stream.Schema, visible []int, env Env) *httpPoster {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails
	s := &httpPoster{
		options: h, schema: schema, visible: visible, client: newHTTPClient(), run: hex.EncodeToString(id), say: env.say,
		work: make(chan httpBatch, httpPostQueue), done: make(chan struct{}), settled: sync.Cond{L: &sync.Mutex{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.timer = time.AfterFunc(time.Hour, s.lingered)
	s.timer.Stop()
	go s.send()
	return s
}

// newHTTPClient returns a client that follows no redirection: one could turn a POST into a
// GET, or carry a token to somebody else.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// NewEncoder implements ByteSink.
func (s *httpPoster) NewEncoder() Encoder { return newJSONEncoder(s.schema, s.visible, "") }

// OnFailure implements Failing.
func (s *httpPoster) OnFailure(report func(error)) {
	s.settled.L.Lock()
	defer s.settled.L.Unlock()
	s.onFailure = report
}

// Write implements ByteSink.
func (s *httpPoster) Write(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collect(p)
	return s.failure()
}

func (s *httpPoster) collect(p []byte) {
	for len(p) > 0 {
		end := indexNewline(p) + 1
		if end == 0 {
			end = len(p)
		}
		if len(s.batch.rows) > 0 && int64(len(s.batch.rows)+end) > s.options.batchBytes {
			s.submit()
		}
		s.batch.rows = append(s.batch.rows, p[:end]...)
		s.batch.count++
		if p = p[end:]; s.batch.count >= s.options.batchRows {
			s.submit()
		}
	}
}

// submit hands the batch over; the caller holds mu.
func (s *httpPoster) submit() {
	if s.armed {
		s.timer.Stop()
		s.armed = false
	}
	if s.batch.count == 0 || s.closed {
		return
	}
	s.settled.L.Lock()
	s.unsettled++
	s.settled.L.Unlock()
	s.work <- s.batch
	s.batch = httpBatch{}
}

// Flush implements ByteSink: rows are sent once they have lingered.
func (s *httpPoster) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.options.linger == 0:
		s.submit()
	case s.batch.count > 0 && !s.armed:
		s.timer.Reset(s.options.linger)
		s.armed = true
	}
	return s.failure()
}

func (s *httpPoster) lingered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.armed {
		s.submit()
	}
}

func (s *httpPoster) failure() error {
	s.settled.L.Lock()
	defer s.settled.L.Unlock()
	return s.err
}

// send is the goroutine that sends batches.
func (s *httpPoster) send() {
	defer close(s.done)
	for number := int64(1); ; number++ {
		b, ok := <-s.work
		if !ok {
			return
		}
		err := s.failure()
		if err == nil {
			err = s.deliver(b, number)
		}
		s.settle(b, err)
	}
}

// settle notes what became of a batch.
func (s *httpPoster) settle(b httpBatch, err error) {
	if err == nil {
		s.counts.rows.Add(b.count)
	} else if s.options.drop && s.ctx.Err() == nil {
		if s.counts.dropped.Add(b.count) == b.count {
			s.say(fmt.Sprintf("%v; its %d rows are dropped and counted, as on_failure = 'drop' says", err, b.count))
		}
		err = nil
	}
	s.settled.L.Lock()
	s.unsettled--
	var report func(error)
	if err != nil {
		if s.err == nil {
			s.err, report = err, s.onFailure
		}
		s.unsent, s.unsentN = append(s.unsent, b.rows...), s.unsentN+b.count
	}
	s.settled.Broadcast()
	s.settled.L.Unlock()
	if report != nil && s.ctx.Err() == nil {
		report(err)
	}
}

// deliver sends a batch until it is accepted or given up.
func (s *httpPoster) deliver(b httpBatch, number int64) error {
	body, kind := b.rows, "application/x-ndjson"
	if s.options.array {
		body, kind = arrayOf(b.rows), "application/json"
	}
	for failures := 1; ; failures++ {
		again, pause, err := s.attempt(body, kind, number)
		if err == nil {
			s.failing = false
			return nil
		}
		if !again || int64(failures) > s.options.retries {
			if failures > 1 {
				err = fmt.Errorf("%w (%d attempts)", err, failures)
			}
			return err
		}
		if pause = max(pause, web.Pause(failures)); !s.failing {
			s.failing = true
			s.say(fmt.Sprintf("%v; trying again", err))
		}
		s.counts.retries.Add(1)
		if err := sleep(s.ctx, pause); err != nil {
			return err
		}
	}
}

// arrayOf makes a JSON array of lines.
func arrayOf(lines []byte) []byte {
	out := append(make([]byte, 0, len(lines)+2), '[')
	out = append(out, bytes.ReplaceAll(bytes.TrimSuffix(lines, newline), newline, []byte{','})...)
	return append(out, ']')
}

// attempt sends a body once. It tells whether another attempt may go better, and when at
// the earliest.
func (s *httpPoster) attempt(body []byte, kind string, number int64) (again bool, pause time.Duration, err error) {
	s.counts.requests.Add(1)
	ctx, cancel := context.WithTimeout(s.ctx, s.options.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, s.options.method, s.options.url, bytes.NewReader(body))
	if err != nil {
		return false, 0, s.named(err)
	}
	s.options.dress(request)
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Idempotency-Key", s.run+"-"+strconv.FormatInt(number, 10))
	response, err := s.client.Do(request)
	if err != nil {
		return true, 0, s.named(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, httpAnswerMax))
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return false, 0, nil
	}
	return web.Passing(response.StatusCode), web.RetryAfter(response.Header, time.Now()), s.named(statusError(response, text))
}

// statusError words an answer that is no success.
func statusError(r *http.Response, text []byte) error {
	said := cutText(bytes.TrimSpace(text), httpAnswerShown)
	switch {
	case r.StatusCode >= 300 && r.StatusCode < 400:
		return fmt.Errorf("answered with %s to %s; name that URL", r.Status, r.Header.Get("Location"))
	case said != "":
		return fmt.Errorf("answered with %s: %s", r.Status, said)
	}
	return fmt.Errorf("answered with %s", r.Status)
}

func (s *httpPoster) named(err error) error { return s.options.named(s.options.method, err) }

// named puts method and URL, without what may be secret in it, before an error.
func (h *httpOptions) named(method string, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in %v", h.timeout)
	}
	return fmt.Errorf("%s %s: %w", method, publicURL(h.url), err)
}

func publicURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the URL"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// dress gives a request the headers of the options.
func (h *httpOptions) dress(r *http.Request) {
	r.Header.Set("User-Agent", "millrace")
	for name, values := range h.headers {
		r.Header[name] = values
	}
	if h.token != "" {
		r.Header.Set("Authorization", "Bearer "+h.token)
	}
}

// drain sends what there is and waits until nothing is left to send.
func (s *httpPoster) drain() error {
	s.mu.Lock()
	s.submit()
	s.mu.Unlock()
	s.settled.L.Lock()
	defer s.settled.L.Unlock()
	for s.unsettled > 0 {
		s.settled.Wait()
	}
	return s.err
}

// Close implements Sink.
func (s *httpPoster) Close() error {
	err := s.drain()
	s.end()
	return err
}

// Abort implements Sink. Rows that wait are not sent.
func (s *httpPoster) Abort() {
	s.cancel()
	s.end()
}

// end stops the goroutine. A submit that waits for room gets it, for sending goes on or
// fails at once.
func (s *httpPoster) end() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed, s.armed = true, false
	s.timer.Stop()
	close(s.work)
	left := s.batch.count
	s.mu.Unlock()
	<-s.done
	s.settled.L.Lock()
	s.unsentN += left
	s.settled.L.Unlock()
	s.cancel()
	s.client.CloseIdleConnections()
}

// Snapshot implements state.Element. What could not be sent is a part of the state.
func (s *httpPoster) Snapshot(w *state.Writer) {
	_ = s.drain() // kept, and comes back from Close
	s.settled.L.Lock()
	defer s.settled.L.Unlock()
	w.Text(string(s.unsent))
}

// Restore implements state.Element.
func (s *httpPoster) Restore(r *state.Reader) error {
	rows := r.Text()
	if err := r.End(); err != nil {
		return err
	}
	return s.Write([]byte(rows))
}

// Counters implements Counting.
func (s *httpPoster) Counters() Counters {
	c := &s.counts
	return Counters{"requests": c.requests.Load(), "retries": c.retries.Load(), "rows_sent": c.rows.Load(), "rows_dropped": c.dropped.Load()}
}

// Warnings implements Warning.
func (s *httpPoster) Warnings() []string {
	s.settled.L.Lock()
	defer s.settled.L.Unlock()
	var out []string
	if n := s.counts.dropped.Load(); n > 0 {
		out = append(out, fmt.Sprintf("%s %s: %d rows could not be sent and were dropped", s.options.method, publicURL(s.options.url), n))
	}
	if s.unsentN > 0 {
		out = append(out, fmt.Sprintf("%s %s: %d rows were not sent", s.options.method, publicURL(s.options.url), s.unsentN))
	}
	return out
}
