package connector

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/internal/curl"
	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// httpSink opens a sink of rows (page, n).
func httpSink(t *testing.T, notify func(string), pairs ...string) ByteSink {
	t.Helper()
	options := map[string]string{"connector": "http"}
	for i := 0; i < len(pairs); i += 2 {
		options[pairs[i]] = pairs[i+1]
	}
	info, err := CheckSink(options, clicks.Fields)
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenSink(&model.Sink{Connector: info.Connector, Options: info.Options}, clicks, clicks.Visible(), Env{Notify: notify})
	if err != nil {
		t.Fatal(err)
	}
	return s.(ByteSink)
}

// write gives a sink rows from n up to m, less one.
func write(t *testing.T, s ByteSink, from, to int) {
	t.Helper()
	b := stream.NewBatch(clicks, nil)
	for n := from; n < to; n++ {
		b.AppendRow([]stream.Value{stream.NullOf(stream.Varchar), stream.Value{Type: stream.Integer, I: int64(n)}})
	}
	if err := s.Write(s.NewEncoder().Encode(nil, b, 0, b.Len)); err != nil {
		t.Error(err)
	}
}

// endpoint is a server that keeps what it accepts; before that it answers as it is told.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  []string
	headers []http.Header
	answers []func(w http.ResponseWriter) // for the next requests; nil: accept
}

func newEndpoint(t *testing.T, answers ...func(w http.ResponseWriter)) *endpoint {
	e := &endpoint{answers: answers}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.headers = append(e.headers, r.Header)
	if len(e.answers) > 0 {
		answer := e.answers[0]
		e.answers = e.answers[1:]
		if answer != nil {
			answer(w)
			return
		}
	}
	e.bodies = append(e.bodies, r.Method+" "+string(body))
}

func status(code int, header ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "because\n")
	}
}

func rowLines(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "{\"page\":null,\"n\":%d}\n", n)
	}
	return b.String()
}

// Rows are cut into batches by number and size, in order, whatever pieces they come in.
func TestHTTPPostBatches(t *testing.T) {
	leak.Check(t)
	e := newEndpoint(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := httpSink(t, nil, "mode", "post", "url", e.URL, "batch_rows", "3", "linger", "0 s", "token_file", file, "headers", "X-A: 1\n\n x-b : two: 2\nX-A: 3")
	write(t, s, 0, 5)
	write(t, s, 5, 7)
	if err := s.Flush(); err != nil {
		t.Error(err)
	}
	write(t, s, 7, 9)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	want := []string{"POST " + rowLines(0, 3), "POST " + rowLines(3, 6), "POST " + rowLines(6, 7), "POST " + rowLines(7, 9)}
	if !slices.Equal(e.bodies, want) {
		t.Errorf("bodies %q, want %q", e.bodies, want)
	}
	keys := map[string]bool{}
	for _, h := range e.headers {
		keys[h.Get("Idempotency-Key")] = true
		if h.Get("Content-Type") != "application/x-ndjson" || h.Get("Authorization") != "Bearer s3cret" || !slices.Equal(h["X-A"], []string{"1", "3"}) || h.Get("X-B") != "two: 2" {
			t.Errorf("headers %v", h)
		}
	}
	if len(keys) != 4 {
		t.Errorf("keys of batches: %v", keys)
	}
	e = newEndpoint(t)
	s = httpSink(t, nil, "mode", "post", "url", e.URL, "batch_bytes", "50", "body", "array", "method", "put")
	write(t, s, 0, 3) // 23 bytes each
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	want = []string{`PUT [{"page":null,"n":0},{"page":null,"n":1}]`, `PUT [{"page":null,"n":2}]`}
	if !slices.Equal(e.bodies, want) || e.headers[0].Get("Content-Type") != "application/json" {
		t.Errorf("bodies %q, want %q", e.bodies, want)
	}
}

// Rows that linger are sent without another call.
func TestHTTPPostLingers(t *testing.T) {
	leak.Check(t)
	accepted := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { accepted <- true }))
	defer server.Close()
	s := httpSink(t, nil, "mode", "post", "url", server.URL, "linger", "1 ms")
	write(t, s, 0, 1)
	if err := s.Flush(); err != nil {
		t.Error(err)
	}
	<-accepted
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A batch is sent again where that may help, with the same key, and what the server asks
// for is waited for; one note tells of it.
func TestHTTPPostTriesAgain(t *testing.T) {
	leak.Check(t)
	e := newEndpoint(t, status(503, "Retry-After", "0"), status(429), nil, status(500))
	var said []string
	s := httpSink(t, func(m string) { said = append(said, m) }, "mode", "post", "url", e.URL+"/x?secret=1", "batch_rows", "1")
	write(t, s, 0, 2)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if want := []string{"POST " + rowLines(0, 1), "POST " + rowLines(1, 2)}; !slices.Equal(e.bodies, want) {
		t.Errorf("bodies %q, want %q", e.bodies, want)
	}
	key := func(i int) string { return e.headers[i].Get("Idempotency-Key") }
	if len(e.headers) != 5 || key(0) != key(1) || key(1) != key(2) || key(2) == key(3) || key(3) != key(4) {
		t.Errorf("%d requests", len(e.headers))
	}
	want := []string{"POST " + e.URL + "/x: answered with 503 Service Unavailable: because; trying again", "POST " + e.URL + "/x: answered with 500 Internal Server Error: because; trying again"}
	if !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	if c := s.(Counting).Counters(); c["requests"] != 5 || c["retries"] != 3 || c["rows_sent"] != 2 || c["rows_dropped"] != 0 {
		t.Errorf("counters %v", c)
	}
}

// What cannot be sent fails the job at once, nothing behind it is sent, and a snapshot has
// all of it; a sink that is restored sends it.
func TestHTTPPostFails(t *testing.T) {
	leak.Check(t)
	e := newEndpoint(t, nil, status(400))
	s := httpSink(t, nil, "mode", "post", "url", e.URL, "batch_rows", "2")
	failed := make(chan error, 2)
	s.(Failing).OnFailure(func(err error) { failed <- err })
	_ = s.Write([]byte(rowLines(0, 4))) // fails, if the second batch has been answered by then
	want := "POST " + e.URL + ": answered with 400 Bad Request: because"
	if err := <-failed; err == nil || err.Error() != want {
		t.Errorf("reported %v, want %s", err, want)
	}
	var w state.Writer
	err := s.Write([]byte(rowLines(4, 7)))
	s.Snapshot(&w)
	if err == nil || err.Error() != want || s.Flush() == nil || s.Close() == nil {
		t.Errorf("calls behind the failure: %v", err)
	}
	if len(e.bodies) != 1 || len(failed) != 0 {
		t.Errorf("bodies %q", e.bodies)
	}
	if warnings := s.(Warning).Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "5 rows were not sent") {
		t.Errorf("warnings %q", warnings)
	}
	e = newEndpoint(t)
	s = httpSink(t, nil, "mode", "post", "url", e.URL)
	if err := s.Restore(state.NewReader(w.Bytes())); err != nil {
		t.Error(err)
	}
	write(t, s, 7, 8)
	if err := s.Close(); err != nil || !slices.Equal(e.bodies, []string{"POST " + rowLines(2, 8)}) {
		t.Errorf("%v, bodies %q", err, e.bodies)
	}
}

func TestHTTPPostGivesUp(t *testing.T) {
	leak.Check(t)
	for _, x := range []struct {
		answer func(http.ResponseWriter)
		said   string
	}{
		{status(503), "503 Service Unavailable: because (2 attempts)"},
		{status(301, "Location", "/there"), "301 Moved Permanently to /there; name that URL"},
		{func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF (2 attempts)"},
	} {
		e := newEndpoint(t, x.answer, x.answer, x.answer)
		s := httpSink(t, nil, "mode", "post", "url", e.URL, "retries", "1")
		write(t, s, 0, 1)
		if err := s.Close(); err == nil || !strings.HasSuffix(err.Error(), x.said) {
			t.Errorf("%v, want %s", err, x.said)
		}
	}
}

// With on_failure = 'drop' the job goes on, and what was dropped is counted and told.
func TestHTTPPostDrops(t *testing.T) {
	leak.Check(t)
	e := newEndpoint(t, status(400), nil, status(422))
	var said []string
	s := httpSink(t, func(m string) { said = append(said, m) }, "mode", "post", "url", e.URL, "batch_rows", "2", "on_failure", "drop")
	write(t, s, 0, 5)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(e.bodies, []string{"POST " + rowLines(2, 4)}) {
		t.Errorf("bodies %q", e.bodies)
	}
	if c := s.(Counting).Counters(); c["rows_sent"] != 2 || c["rows_dropped"] != 3 {
		t.Errorf("counters %v", c)
	}
	if warnings := s.(Warning).Warnings(); len(said) != 1 || len(warnings) != 1 || !strings.Contains(warnings[0], "3 rows could not be sent and were dropped") {
		t.Errorf("said %q, warnings %q", said, warnings)
	}
}

// A server that does not answer holds the sink up and nothing else; Abort does not wait for
// it.
func TestHTTPPostAborts(t *testing.T) {
	leak.Check(t)
	arrived, release := make(chan bool), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- true
		<-release
	}))
	defer server.Close()
	defer close(release)
	s := httpSink(t, nil, "mode", "post", "url", server.URL, "batch_rows", "1")
	written := make(chan bool)
	go func() {
		_ = s.Write([]byte(rowLines(0, 10))) // more than wait
		close(written)
	}()
	<-arrived
	s.Abort()
	<-written
	s.Abort()
}

// listener connects to a sink and returns its events, one by one.
type sseClient struct {
	response *http.Response
	lines    *bufio.Scanner
}

func connect(t *testing.T, c *http.Client, url string, header ...string) *sseClient {
	t.Helper()
	response, err := c.Do(curl.Request(t, http.MethodGet, url, "", header...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return &sseClient{response, bufio.NewScanner(response.Body)}
}

func (c *sseClient) next(t *testing.T, n int) string {
	t.Helper()
	var out []string
	for range n {
		if !c.lines.Scan() {
			t.Fatalf("the connection ended after %q: %v", out, c.lines.Err())
		}
		out = append(out, c.lines.Text())
	}
	return strings.Join(out, "\n")
}

func publishing(t *testing.T, pairs ...string) (s ByteSink, url string) {
	t.Helper()
	said := ""
	s = httpSink(t, func(m string) { said = m }, append([]string{"mode", "listen", "url", "http://127.0.0.1:0/out"}, pairs...)...)
	_, url, ok := strings.Cut(said, "results at GET ")
	if !ok {
		t.Fatalf("the sink said %q", said)
	}
	return s, url
}

// A client gets the rows from when it connects to the end, as events or as lines.
func TestHTTPListenSink(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	s, url := publishing(t, "clients", "2", "allow_origin", "*")
	write(t, s, 0, 2)
	events := connect(t, c, url)
	if h := events.response.Header; h.Get("Content-Type") != "text/event-stream" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	if got := events.next(t, 2); got != ": rows from now on\n" {
		t.Errorf("got %q", got)
	}
	write(t, s, 2, 4)
	if got, want := events.next(t, 6), "id: 3\ndata: {\"page\":null,\"n\":2}\n\nid: 4\ndata: {\"page\":null,\"n\":3}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	lines := connect(t, c, url, "Accept", "application/x-ndjson")
	third := connect(t, c, url)
	if third.response.StatusCode != http.StatusServiceUnavailable || third.response.Header.Get("Retry-After") == "" {
		t.Errorf("a client too many: %s", third.response.Status)
	}
	write(t, s, 4, 5)
	if got := lines.next(t, 1) + "\n"; got != rowLines(4, 5) {
		t.Errorf("got %q", got)
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	if got, want := events.next(t, 6), "id: 5\ndata: {\"page\":null,\"n\":4}\n\nevent: end\ndata: {\"rows\":5}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if events.lines.Scan() || lines.lines.Scan() {
		t.Error("there is more behind the end")
	}
	c.CloseIdleConnections()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if n := s.(Counting).Counters(); n["requests"] != 3 || n["refused"] != 1 || n["clients_dropped"] != 0 {
		t.Errorf("counters %v", n)
	}
	var w state.Writer
	s.Snapshot(&w)
	again, _ := publishing(t)
	if err := again.Restore(state.NewReader(w.Bytes())); err != nil || again.(*httpPublisher).rows != 5 {
		t.Errorf("restored: %v", err)
	}
	again.Abort()
}

// A client that does not read is dropped when its buffer is full; rows never wait for it,
// and others get them all.
func TestHTTPListenSinkDropsSlowClients(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	s, url := publishing(t, "client_bytes", "65536", "timeout", "50 ms")
	slow := connect(t, c, url)
	counters := func() Counters { return s.(Counting).Counters() }
	for n := 0; counters()["clients_dropped"] == 0; n += 100 { // until the network's buffers are full, too
		write(t, s, n, n+100)
	}
	if left := counters()["clients"]; left != 0 {
		t.Errorf("%d clients are left", left)
	}
	fast := connect(t, c, url)
	fast.next(t, 2)
	write(t, s, 0, 1)
	if got := fast.next(t, 2); !strings.HasSuffix(got, `"n":0}`) {
		t.Errorf("got %q", got)
	}
	for slow.lines.Scan() { // to where it was cut off
		_ = slow.lines.Text()
	}
	_ = fast.response.Body.Close()
	c.CloseIdleConnections()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Clients that nobody sends rows are sent signs of life; only those with the token are let in.
func TestHTTPListenSinkHeartbeat(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	s, url := publishing(t, "heartbeat", "1 ms", "token", "s3cret")
	if got := connect(t, c, url).response.StatusCode; got != http.StatusUnauthorized {
		t.Errorf("without token: %d", got)
	}
	client := connect(t, c, url, "Authorization", "Bearer s3cret")
	if got := client.next(t, 6); got != ": rows from now on\n\n: still here\n\n: still here\n" {
		t.Errorf("got %q", got)
	}
	if status, _, _ := send(t, c, url, "x", "Authorization", "Bearer s3cret"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST to a sink: %d", status)
	}
	closed := make(chan bool)
	go func() { s.Abort(); close(closed) }()
	for client.lines.Scan() {
		if strings.Contains(client.lines.Text(), "end") {
			t.Error("a job that failed says that it came to its end")
		}
	}
	c.CloseIdleConnections()
	<-closed
}

func TestHTTPSinkMistakes(t *testing.T) {
	for _, x := range []struct {
		options map[string]string
		option  string
		said    string
	}{
		{map[string]string{"url": "http://h"}, "", "needs the option mode"},
		{map[string]string{"mode": "post"}, "", "needs the option url"},
		{map[string]string{"mode": "post", "url": "h:1"}, "url", "cannot be"},
		{map[string]string{"mode": "post", "url": "http://h", "format": "csv"}, "format", "cannot be"},
		{map[string]string{"mode": "post", "url": "http://h", "headers": "no colon"}, "headers", "Name: value"},
		{map[string]string{"mode": "post", "url": "http://h", "headers": "a b: c"}, "headers", "Name: value"},
		{map[string]string{"mode": "post", "url": "http://h", "linger": "-1 s"}, "linger", "duration"},
		{map[string]string{"mode": "post", "url": "http://h", "retries": "-1"}, "retries", "at least 0"},
		{map[string]string{"mode": "post", "url": "http://h", "on_failure": "ignore"}, "on_failure", "'fail', 'drop'"},
		{map[string]string{"mode": "post", "url": "http://h", "clients": "3"}, "clients", "for another mode than 'post'"},
		{map[string]string{"mode": "listen", "url": "http://h", "retries": "3"}, "retries", "for another mode than 'listen'"},
		{map[string]string{"mode": "listen", "url": "http://h/?q"}, "url", "more than a host"},
		{map[string]string{"mode": "listen", "url": "http://h/", "client_bytes": "1"}, "client_bytes", "at least 1024"},
	} {
		x.options["connector"] = "http"
		_, err := CheckSink(x.options, clicks.Fields)
		var e *model.OptionError
		if !errors.As(err, &e) || e.Option != x.option || !strings.Contains(e.Message+" "+e.Hint, x.said) {
			t.Errorf("%v: %v (%+v), want option %q and %q", x.options, err, e, x.option, x.said)
		}
	}
}
