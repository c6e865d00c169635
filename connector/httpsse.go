package connector

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/connector/web"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

const (
	httpClientsDefault     = 100
	httpClientsMax         = web.ConnectionsMax / 2
	httpClientBytesDefault = 1 << 20
	httpClientBytesMax     = 256 << 20
	httpHeartbeatDefault   = 15 * time.Second
)

// httpPublisher gives rows to whoever is connected, as server-sent events or lines.
//
// A client gets what is written while it is registered. Write appends a piece to each
// client's list - the same bytes for all - and its handler writes the list to the
// connection. Write never waits: a client whose list would hold more than client_bytes is
// dropped. Invariants: a client is in clients exactly while it gets rows; a client's
// pieces are written in order by its own handler; pieces are not changed.
type httpPublisher struct {
	options httpOptions
	schema  *stream.Schema
	visible []int
	mounted *web.Mounted

	mu      sync.Mutex
	clients map[*httpClient]bool
	rows    int64
	closed  bool
	closing chan struct{}
	aborted atomic.Bool
	counts  struct{ requests, unauthorized, refused, dropped atomic.Int64 }
}

type httpClient struct {
	lines   bool // not events
	mu      sync.Mutex
	pieces  [][]byte
	bytes   int64
	dropped bool
	wake    chan struct{} // of capacity 1
}

func newHTTPPublisher(h httpOptions, schema *stream.Schema, visible []int, env Env) (*httpPublisher, error) {
	s := &httpPublisher{options: h, schema: schema, visible: visible, clients: map[*httpClient]bool{}, closing: make(chan struct{})}
	var err error
	if s.mounted, err = web.Mount(h.place, s); err != nil {
		return nil, err
	}
	env.say("results at GET " + s.mounted.URL())
	return s, nil
}

// NewEncoder implements ByteSink.
func (s *httpPublisher) NewEncoder() Encoder { return newJSONEncoder(s.schema, s.visible, "") }

// Write implements ByteSink.
func (s *httpPublisher) Write(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.rows + 1
	s.rows += countLines(p)
	var lines, events []byte
	for c := range s.clients {
		piece := &events
		if c.lines {
			piece = &lines
		}
		if *piece == nil && c.lines {
			lines = bytes.Clone(p)
		} else if *piece == nil {
			events = appendEvents(nil, p, first)
		}
		if !c.give(*piece, s.options.clientBytes) {
			delete(s.clients, c)
			s.counts.dropped.Add(1)
		}
	}
	return nil
}

// appendEvents makes an event of each line; the first has the id first.
func appendEvents(dst, lines []byte, first int64) []byte {
	for id := first; len(lines) > 0; id++ {
		end := indexNewline(lines) + 1
		dst = strconv.AppendInt(append(dst, "id: "...), id, 10)
		dst = append(append(dst, "\ndata: "...), lines[:end]...)
		dst = append(dst, '\n')
		lines = lines[end:]
	}
	return dst
}

// give appends a piece, or drops the client, which is slow.
func (c *httpClient) give(piece []byte, limit int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes += int64(len(piece)); c.bytes > limit {
		c.dropped, c.pieces = true, nil
	} else {
		c.pieces = append(c.pieces, piece)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return !c.dropped
}

// take returns the pieces that wait.
func (c *httpClient) take() (pieces [][]byte, dropped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pieces, c.pieces = c.pieces, nil
	return pieces, c.dropped
}

func (c *httpClient) wrote(n int) {
	c.mu.Lock()
	c.bytes -= int64(n)
	c.mu.Unlock()
}

// ServeHTTP implements http.Handler.
func (s *httpPublisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.counts.requests.Add(1)
	if s.options.origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", s.options.origin)
	}
	switch {
	case !web.Authorized(r, s.options.token):
		s.counts.unauthorized.Add(1)
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "the request needs the header Authorization: Bearer with the sink's token")
		return
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET")
		refuse(w, http.StatusMethodNotAllowed, "results come with GET")
		return
	}
	c := &httpClient{lines: strings.Contains(r.Header.Get("Accept"), "ndjson"), wake: make(chan struct{}, 1)}
	if !s.register(c) {
		s.counts.refused.Add(1)
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("the job has ended, or %d clients are connected", s.options.clientsMax))
		return
	}
	defer s.remove(c)
	kind := "text/event-stream"
	if c.lines {
		kind = "application/x-ndjson"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	s.serve(w, r, c)
}

func (s *httpPublisher) register(c *httpClient) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || int64(len(s.clients)) >= s.options.clientsMax {
		return false
	}
	s.clients[c] = true
	return true
}

func (s *httpPublisher) remove(c *httpClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
}

// serve writes what a client is given until one of the two ends.
func (s *httpPublisher) serve(w http.ResponseWriter, r *http.Request, c *httpClient) {
	beat := time.NewTicker(s.options.heartbeat)
	defer beat.Stop()
	out := http.NewResponseController(w)
	write := func(p []byte) bool {
		_ = out.SetWriteDeadline(time.Now().Add(s.options.timeout))
		_, err := w.Write(p)
		return err == nil
	}
	pulse := []byte(": still here\n\n")
	if c.lines {
		pulse = newline
	}
	for alive := c.lines || write([]byte(": rows from now on\n\n")); alive; {
		if out.Flush() != nil {
			return
		}
		ending := false
		select {
		case <-r.Context().Done():
			return
		case <-s.closing:
			ending = true
		case <-c.wake:
		case <-beat.C:
			alive = write(pulse)
		}
		pieces, dropped := c.take()
		for _, p := range pieces {
			alive = alive && write(p)
			c.wrote(len(p))
		}
		if ending && alive && !c.lines && !s.aborted.Load() {
			write(s.farewell())
		}
		if alive = alive && !dropped && !ending; !alive {
			_ = out.Flush()
		}
	}
}

// farewell is the last event: how many rows there were.
func (s *httpPublisher) farewell() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Appendf(nil, "event: end\ndata: {\"rows\":%d}\n\n", s.rows)
}

// Flush implements ByteSink. Rows are given away as they come.
func (s *httpPublisher) Flush() error { return nil }

// Close implements Sink. Clients get what waits for them, within the time that running
// requests have.
func (s *httpPublisher) Close() error {
	s.mu.Lock()
	ended := s.closed
	s.closed = true
	s.mu.Unlock()
	if !ended {
		close(s.closing)
		s.mounted.Close()
	}
	return nil
}

// Abort implements Sink.
func (s *httpPublisher) Abort() {
	s.aborted.Store(true)
	_ = s.Close()
}

// Snapshot implements state.Element: events go on being numbered.
func (s *httpPublisher) Snapshot(w *state.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Int(s.rows)
}

// Restore implements state.Element.
func (s *httpPublisher) Restore(r *state.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = r.Int()
	return r.End()
}

// Counters implements Counting.
func (s *httpPublisher) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.counts
	return Counters{
		"requests": c.requests.Load(), "unauthorized": c.unauthorized.Load(), "refused": c.refused.Load(),
		"clients_dropped": c.dropped.Load(), "clients": int64(len(s.clients)),
	}
}
