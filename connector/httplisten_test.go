package connector

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace/millrace/internal/curl"
	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var clicks = stream.NewSchema(stream.Field{Name: "page", Type: stream.Varchar}, stream.Field{Name: "n", Type: stream.Integer})

// httpOpen opens a source or fails; it returns what the source said at its start.
func httpOpen(t *testing.T, schema *stream.Schema, notify func(string), pairs ...string) Source {
	t.Helper()
	options := map[string]string{"connector": "http"}
	for i := 0; i < len(pairs); i += 2 {
		options[pairs[i]] = pairs[i+1]
	}
	info, err := CheckSource(options, schema.Fields)
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenSource("clicks", &model.Source{Connector: info.Connector, Options: info.Options}, schema, Reading{}, Env{Notify: notify})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// listening opens a listening source on a free port; read reads it as the engine does.
func listening(t *testing.T, pairs ...string) (src Source, url string) {
	t.Helper()
	said := ""
	src = httpOpen(t, clicks, func(m string) { said = m }, append([]string{"mode", "listen", "url", "http://127.0.0.1:0/in"}, pairs...)...)
	_, url, ok := strings.Cut(said, "takes POST ")
	if !ok {
		t.Fatalf("the source said %q", said)
	}
	return src, url
}

// pumped reads a source until ctx is done or it ends, and closes it.
type pumped struct {
	src    Source
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	lines  []string
	last   Position
	err    error
}

func pump(src Source, at Position) *pumped {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pumped{src: src, cancel: cancel, done: make(chan struct{})}
	go p.run(ctx, at)
	return p
}

func (p *pumped) run(ctx context.Context, at Position) {
	defer close(p.done)
	reader, err := p.src.Reader(ctx, 0, at)
	if err != nil {
		p.err = err
		return
	}
	defer reader.Close()
	decoder, block := p.src.NewDecoder(), &Block{}
	for {
		if err := reader.Next(ctx, block); err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				p.err = err
			}
			return
		}
		p.decode(decoder, block)
	}
}

func (p *pumped) decode(decoder Decoder, block *Block) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = block.End
	out := stream.NewBatch(clicks, nil)
	errs, err := decoder.Decode(block, out, append([]RecordError(nil), block.Errors...))
	if err != nil {
		p.err = err
	}
	for i := range out.Len {
		p.lines = append(p.lines, string(AppendJSONRow(nil, out, clicks.Visible(), i)))
	}
	for _, e := range errs {
		p.lines = append(p.lines, fmt.Sprintf("%s:%d: %s", block.File, block.Start.Line+e.Line, e.Reason))
	}
}

// end stops reading, closes the source and returns the rows.
func (p *pumped) end(t *testing.T) []string {
	t.Helper()
	p.cancel()
	<-p.done
	if err := p.src.Close(); err != nil || p.err != nil {
		t.Error(err, p.err)
	}
	return p.lines
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send posts a body and returns the status and the answer's text.
func send(t *testing.T, c *http.Client, url, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	a := curl.Send(t, c, http.MethodPost, url, body, header...)
	return a.Status, a.Text, a.Header
}

func packed(t *testing.T, kind, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if kind == "zstd" {
		z, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every form of a body, what its sender is told, and what becomes of its records.
func TestHTTPListenTakesBodies(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t, "body_bytes", "200")
	p := pump(src, Position{})
	for i, x := range []struct {
		body    string
		header  []string
		status  int
		answer  string
		records []string
	}{
		{body: "", status: 202, answer: `{"rows":0}`},
		{body: `{"page":"a","n":1}`, status: 202, answer: `{"rows":1}`, records: []string{`{"page":"a","n":1}`}},
		{body: "{\"page\":\"a\",\"n\":1}\r\n\n{\"n\":2}\n", status: 202, answer: `{"rows":2}`, records: []string{`{"page":"a","n":1}`, `{"page":null,"n":2}`}},
		{body: "{\"n\":1}\n{\"n\":\"x\"}\n{\"n\":3}\noops\n", status: 400, answer: `{"rows":2,"errors":2,"line":2,"reason":"column \"n\": cannot read string \"x\" as INTEGER"}`,
			records: []string{`{"page":null,"n":1}`, `{"page":null,"n":3}`, `/in#4:2: column "n": cannot read string "x" as INTEGER`, "/in#4:4: expected a JSON object"}},
		{body: "[ {\"n\":1},\n {\"n\":\n2} ]\n", status: 202, answer: `{"rows":2}`, records: []string{`{"page":null,"n":1}`, `{"page":null,"n":2}`}},
		{body: "[]", status: 202, answer: `{"rows":0}`},
		{body: `[{"n":1},{"n":2}`, status: 400, answer: `{"rows":2,"errors":1,"line":3,"reason":"invalid JSON: unexpected end of JSON input"}`,
			records: []string{`{"page":null,"n":1}`, `{"page":null,"n":2}`, "/in#7:3: invalid JSON: unexpected end of JSON input"}},
		{body: "{\n \"page\": \"b\",\n \"n\": 3\n}\n", status: 202, answer: `{"rows":1}`, records: []string{`{"page":"b","n":3}`}},
		{body: "{\"n\":1} {\"n\":2}", header: []string{"Content-Type", "application/json; charset=utf-8"}, status: 202, answer: `{"rows":2}`,
			records: []string{`{"page":null,"n":1}`, `{"page":null,"n":2}`}},
		{body: packed(t, "gzip", `{"n":4}`), header: []string{"Content-Encoding", "gzip"}, status: 202, answer: `{"rows":1}`, records: []string{`{"page":null,"n":4}`}},
		{body: packed(t, "zstd", `{"n":5}`), header: []string{"Content-Encoding", "zstd"}, status: 202, answer: `{"rows":1}`, records: []string{`{"page":null,"n":5}`}},
		{body: "x", header: []string{"Content-Encoding", "gzip"}, status: 400, answer: `{"error":"the body cannot be read: unexpected EOF"}`},
		{body: "x", header: []string{"Content-Encoding", "br"}, status: 415, answer: `{"error":"Content-Encoding must be gzip, zstd or identity"}`},
		{body: "n\n1\n", header: []string{"Content-Type", "text/csv"}, status: 415, answer: `{"error":"the stream takes ndjson, Content-Type application/x-ndjson"}`},
		{body: strings.Repeat("x", 201), status: 413, answer: `{"error":"the body is larger than 200 bytes"}`},
		{body: packed(t, "gzip", strings.Repeat("x", 1<<20)), header: []string{"Content-Encoding", "gzip"}, status: 413, answer: `{"error":"the body is larger than 200 bytes"}`},
		{body: `{"page":"` + strings.Repeat("x", 189) + `"}`, status: 202, answer: `{"rows":1}`, records: []string{`{"page":"` + strings.Repeat("x", 189) + `","n":null}`}},
	} {
		p.mu.Lock()
		before := len(p.lines)
		p.mu.Unlock()
		status, text, _ := send(t, c, url, x.body, x.header...)
		if status != x.status || text != x.answer {
			t.Errorf("%d: %.80q was answered with %d %s, want %d %s", i, x.body, status, text, x.status, x.answer)
		}
		p.mu.Lock()
		if got := p.lines[before:]; strings.Join(got, "\n") != strings.Join(x.records, "\n") {
			t.Errorf("%d: %.80q became %q, want %q", i, x.body, got, x.records)
		}
		p.mu.Unlock()
	}
	counts := src.(Counting).Counters()
	if counts["requests"] != 17 || counts["accepted"] != 10 || counts["malformed"] != 4 || counts["too_large"] != 2 {
		t.Errorf("counters: %v", counts)
	}
	c.CloseIdleConnections()
	p.end(t)
}

// Each request with CSV has its own header; one that does not fit is an error row.
func TestHTTPListenCSV(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t, "format", "csv", "header", "true")
	p := pump(src, Position{})
	for _, x := range []struct {
		body, answer string
		status       int
	}{
		{"n,page\n1,a\n2,\"b\nc\"\n", `{"rows":2}`, 202},
		{"page,n\r\nx,3", `{"rows":1}`, 202},
		{"page,n,more\nx,3,y\n", `{"rows":1}`, 202},
		{"a,b,c\n1,2,3\n", `{"rows":0,"errors":1,"line":1,"reason":"the header has 3 fields (a, b, c), the stream 2 columns (page, n)"}`, 400},
		{"page,n\nx\ny,4\n", `{"rows":1,"errors":1,"line":2,"reason":"expected 2 fields, found 1"}`, 400},
	} {
		if status, text, _ := send(t, c, url, x.body); status != x.status || text != x.answer {
			t.Errorf("%q was answered with %d %s, want %d %s", x.body, status, text, x.status, x.answer)
		}
	}
	if status, _, _ := send(t, c, url, "[]", "Content-Type", "application/json"); status != http.StatusUnsupportedMediaType {
		t.Errorf("JSON to a stream of CSV: status %d", status)
	}
	c.CloseIdleConnections()
	want := []string{`{"page":"a","n":1}`, `{"page":"b\nc","n":2}`, `{"page":"x","n":3}`, `{"page":"x","n":3}`,
		"/in#4:1: the header has 3 fields (a, b, c), the stream 2 columns (page, n)", `{"page":"y","n":4}`, "/in#5:2: expected 2 fields, found 1"}
	if got := p.end(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("records %q, want %q", got, want)
	}
}

// Without the token nothing is read, whatever the method.
func TestHTTPListenToken(t *testing.T) {
	leak.Check(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newClient(t)
	src, url := listening(t, "token_file", file)
	p := pump(src, Position{})
	for given, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer s3cret2": 401, "Basic s3cret": 401, "Bearer": 401, "Bearer s3cret": 202, "bearer s3cret": 202} {
		status, _, header := send(t, c, url, `{"n":1}`, "Authorization", given)
		if status != want || want == 401 && header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("Authorization %q: status %d, want %d, header %v", given, status, want, header)
		}
	}
	response, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("GET without token: %s", response.Status)
	}
	c.CloseIdleConnections()
	if got := p.end(t); len(got) != 2 {
		t.Errorf("records %q", got)
	}
}

// While nobody reads, requests wait up to the queue's size, further ones are told when to
// come again, and at the end those that wait learn that nothing was read.
func TestHTTPListenFullQueue(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t, "queue_requests", "3")
	listener := src.(*httpListener)
	statuses := make(chan int, 3)
	for range 3 {
		go func() {
			status, _, _ := send(t, c, url, `{"n":1}`)
			statuses <- status
		}()
	}
	for len(listener.queue) < 3 { // full
		response, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	status, text, header := send(t, c, url, `{"n":2}`)
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "1" || text != `{"error":"3 requests are waiting"}` {
		t.Errorf("to a full queue: %d %s %v", status, text, header)
	}
	c.CloseIdleConnections()
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("a request that waited was answered with %d", status)
		}
	}
	if counts := src.(Counting).Counters(); counts["withdrawn"] != 3 || counts["refused"] != 1 || counts["accepted"] != 0 {
		t.Errorf("counters: %v", counts)
	}
	c.CloseIdleConnections()
}

// Bytes of bodies in memory are bounded together, and given back.
func TestHTTPListenQueueBytes(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t, "queue_bytes", "1024", "timeout", "20 ms")
	big := `{"page":"` + strings.Repeat("x", 1000) + `"}`
	for range 3 { // not read in time: withdrawn, and its bytes are given back
		status, text, _ := send(t, c, url, big)
		if status != http.StatusServiceUnavailable || !strings.Contains(text, "not taken in 20ms") {
			t.Errorf("%d %s", status, text)
		}
	}
	if status, text, _ := send(t, c, url, big+"  \n"+big); status != http.StatusServiceUnavailable || !strings.Contains(text, "too many bytes") {
		t.Errorf("%d %s", status, text)
	}
	p := pump(src, Position{})
	if status, text, _ := send(t, c, url, `{"n":1}`); status != http.StatusAccepted {
		t.Errorf("%d %s", status, text)
	}
	c.CloseIdleConnections()
	if got := p.end(t); len(got) != 1 {
		t.Errorf("withdrawn requests were read: %q", got)
	}
	if used := src.(*httpListener).budget.Used(); used != 0 {
		t.Errorf("%d bytes are still taken", used)
	}
}

// A request that was cut into blocks but not decoded when the job ends is not accepted.
func TestHTTPListenEndsUndecoded(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t)
	status := make(chan int)
	go func() {
		s, _, _ := send(t, c, url, `{"n":1}`)
		status <- s
	}()
	ctx, cancel := context.WithCancel(context.Background())
	reader, err := src.Reader(ctx, 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	block := &Block{}
	if err := reader.Next(ctx, block); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = reader.Close()
	closed := make(chan error)
	go func() { closed <- src.Close() }()
	if s := <-status; s != http.StatusServiceUnavailable {
		t.Errorf("answered with %d", s)
	}
	c.CloseIdleConnections()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// The stream ends after as many requests as the option says. A job that goes on from a
// position says what it cannot read again.
func TestHTTPListenRequests(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t, "requests", "2")
	if !src.Bounded() || !src.Live() {
		t.Error("a stream of two requests ends, and may pause")
	}
	p := pump(src, Position{})
	for range 2 {
		if status, _, _ := send(t, c, url, "{}\n{}"); status != http.StatusAccepted {
			t.Errorf("status %d", status)
		}
	}
	<-p.done
	if status, _, _ := send(t, c, url, "{}"); status != http.StatusServiceUnavailable {
		t.Errorf("after the end: %d", status)
	}
	c.CloseIdleConnections()
	if got := p.end(t); len(got) != 4 || p.last.Offset != 2 {
		t.Errorf("records %q up to %+v", got, p.last)
	}
	src, url = listening(t, "requests", "3")
	p = pump(src, p.last)
	if status, _, _ := send(t, c, url, "oops"); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
	<-p.done
	c.CloseIdleConnections()
	if got := p.end(t); len(got) != 1 || !strings.HasPrefix(got[0], "/in#3:1: ") {
		t.Errorf("records %q", got)
	}
	if w := src.Warnings(); len(w) != 1 || !strings.Contains(w[0], "cannot be read again") {
		t.Errorf("warnings %q", w)
	}
}

// Senders at the same time: every accepted row is read once.
func TestHTTPListenManySenders(t *testing.T) {
	leak.Check(t)
	c := newClient(t)
	src, url := listening(t)
	p := pump(src, Position{})
	const senders, requests = 8, 25
	var wg sync.WaitGroup
	for s := range senders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := range requests {
				if status, text, _ := send(t, c, url, fmt.Sprintf("{\"n\":%d}\n{\"n\":-1}\n", s*requests+r)); status != http.StatusAccepted || text != `{"rows":2}` {
					t.Errorf("%d %s", status, text)
				}
			}
		}()
	}
	wg.Wait()
	c.CloseIdleConnections()
	seen := map[string]int{}
	for _, line := range p.end(t) {
		seen[line]++
	}
	for n := range senders * requests {
		if got := seen[fmt.Sprintf(`{"page":null,"n":%d}`, n)]; got != 1 {
			t.Errorf("row %d came %d times", n, got)
		}
	}
	if got := seen[`{"page":null,"n":-1}`]; got != senders*requests {
		t.Errorf("%d second rows", got)
	}
}
