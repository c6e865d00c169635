package connector

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/state"
)

// script is a server that answers the n-th request as the n-th step does; the last one
// stands for all behind it.
func scripted(t *testing.T, steps ...http.HandlerFunc) *httptest.Server {
	n := make(chan int, 1)
	n <- 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := <-n
		n <- i + 1
		steps[min(i, len(steps)-1)](w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

func eventsOf(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(w, text)
	}
}

// A stream of events that breaks off is taken up behind the last id, and ends with 204.
func TestHTTPEventsReconnect(t *testing.T) {
	leak.Check(t)
	var ids []string
	noting := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			ids = append(ids, r.Header.Get("Last-Event-ID"))
			next(w, r)
		}
	}
	server := scripted(t,
		noting(eventsOf("retry: 1\n: hello\n\nid: 7\ndata: {\"n\":1}\n\nevent: ping\ndata: x\n\nid: 8\ndata: {\ndata: \"n\":2}\n\nid: 9\ndata: {\"n\":99}\n")),
		noting(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }),
		noting(eventsOf("data: {\"n\":true}\n\nid:\ndata: {\"n\":3}\n\n")),
		noting(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }),
	)
	said := 0
	src := httpOpen(t, clicks, func(string) { said++ }, "mode", "events", "url", server.URL+"/s?key=1")
	if src.Bounded() || !src.Live() {
		t.Error("events have no end")
	}
	p := pump(src, Position{})
	<-p.done
	want := []string{`{"page":null,"n":1}`, `{"page":null,"n":2}`, server.URL + `/s:3: column "n": cannot read true as INTEGER`, `{"page":null,"n":3}`}
	got := p.end(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
	if want := []string{"", "8", "8", ""}; !slices.Equal(ids, want) {
		t.Errorf("Last-Event-ID %q, want %q", ids, want)
	}
	c := src.(Counting).Counters()
	if c["requests"] != 4 || c["reconnects"] != 3 || c["events"] != 4 || c["events_skipped"] != 1 || c["failures"] != 3 || said == 0 {
		t.Errorf("counters %v, %d notes", c, said)
	}
}

// A state has the id of its position's event, however far reading has come since.
func TestHTTPEventsGoOn(t *testing.T) {
	leak.Check(t)
	asked := make(chan string, 4)
	server := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Last-Event-ID")
		eventsOf("id: a\ndata: {}\n\nid: b\ndata: {}\n\n")(w, r)
	})
	src := httpOpen(t, clicks, nil, "mode", "events", "url", server.URL, "reconnect", "false")
	if !src.Bounded() {
		t.Error("one connection ends")
	}
	p := pump(src, Position{})
	<-p.done
	var w state.Writer
	src.(Remembering).Remember(&w, []Position{p.last})
	if got := p.end(t); len(got) != 2 || p.last.Offset != 2 {
		t.Errorf("records %q up to %+v", got, p.last)
	}
	src = httpOpen(t, clicks, nil, "mode", "events", "url", server.URL, "reconnect", "false")
	if err := src.(Remembering).Recall(state.NewReader(w.Bytes()), []Position{p.last}); err != nil {
		t.Fatal(err)
	}
	p = pump(src, p.last)
	<-p.done
	if p.end(t); p.last.Offset != 4 || len(src.Warnings()) != 0 {
		t.Errorf("up to %+v, warnings %q", p.last, src.Warnings())
	}
	if first, second := <-asked, <-asked; first != "" || second != "b" {
		t.Errorf("asked behind %q, then %q", first, second)
	}
	p = pump(httpOpen(t, clicks, nil, "mode", "events", "url", server.URL, "reconnect", "false"), Position{Offset: 1})
	<-p.done
	if p.end(t); len(p.src.Warnings()) != 1 {
		t.Errorf("warnings %q", p.src.Warnings())
	}
}

// What trying again does not mend ends the stream at once, the rest after some attempts.
func TestHTTPFetchGivesUp(t *testing.T) {
	leak.Check(t)
	for _, x := range []struct {
		answer  http.HandlerFunc
		options []string
		said    string
	}{
		{func(w http.ResponseWriter, _ *http.Request) { status(403)(w) }, []string{"mode", "events"}, "answered with 403 Forbidden: because"},
		{func(w http.ResponseWriter, _ *http.Request) { status(500)(w) }, []string{"mode", "events", "retries", "1"}, "500 Internal Server Error: because (2 attempts)"},
		{func(http.ResponseWriter, *http.Request) {}, []string{"mode", "events"}, `the answer is "", not text/event-stream`},
		{func(w http.ResponseWriter, _ *http.Request) { status(404)(w) }, []string{"mode", "poll"}, "answered with 404 Not Found: because"},
		{func(w http.ResponseWriter, _ *http.Request) { status(502)(w) }, []string{"mode", "poll", "retries", "0"}, "answered with 502 Bad Gateway: because (1 attempts)"},
		{func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 11)) }, []string{"mode", "poll", "body_bytes", "10"}, "the answer is larger than 10 bytes"},
	} {
		server := scripted(t, x.answer)
		p := pump(httpOpen(t, clicks, nil, append(x.options, "url", server.URL+"/?secret=1")...), Position{})
		<-p.done
		if p.err == nil || !strings.HasSuffix(p.err.Error(), x.said) || strings.Contains(p.err.Error(), "secret") {
			t.Errorf("%v: %v, want %s", x.options, p.err, x.said)
		}
		p.err = nil
		p.end(t)
		server.Close()
	}
}

// A stop reaches a reader that waits: for events, for an answer, for the next time.
func TestHTTPFetchStops(t *testing.T) {
	leak.Check(t)
	arrived := make(chan bool, 1)
	server := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		arrived <- true
		<-r.Context().Done()
	})
	p := pump(httpOpen(t, clicks, nil, "mode", "events", "url", server.URL), Position{})
	<-arrived
	p.end(t)
	server = scripted(t, func(http.ResponseWriter, *http.Request) { arrived <- true })
	p = pump(httpOpen(t, clicks, nil, "mode", "poll", "interval", "1 hour", "url", server.URL), Position{})
	<-arrived
	p.end(t)
}

// Documents are asked for again and again; one that has not changed is no row.
func TestHTTPPoll(t *testing.T) {
	leak.Check(t)
	server := scripted(t,
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"1"`)
			_, _ = io.WriteString(w, "[{\"n\":1},\n{\"n\":2}]")
		},
		func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("If-None-Match") != `"1"` || r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-A") != "b" {
				t.Errorf("headers %v", r.Header)
			}
			w.WriteHeader(http.StatusNotModified)
		},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{\"n\":3}\n[") },
	)
	src := httpOpen(t, clicks, nil, "mode", "poll", "url", server.URL, "interval", "1 ms", "requests", "3", "token", "s3cret", "headers", "x-a: b")
	if !src.Bounded() {
		t.Error("three documents end")
	}
	p := pump(src, Position{})
	<-p.done
	want := []string{`{"page":null,"n":1}`, `{"page":null,"n":2}`, `{"page":null,"n":3}`, server.URL + ":2: expected a JSON object"}
	if got := p.end(t); !slices.Equal(got, want) {
		t.Errorf("records %q, want %q", got, want)
	}
	if c := src.(Counting).Counters(); c["requests"] != 4 || c["unchanged"] != 1 || c["failures"] != 1 {
		t.Errorf("counters %v", c)
	}
}

// Without an interval a URL is read once, like a file; also from the middle.
func TestHTTPPollOnce(t *testing.T) {
	leak.Check(t)
	server := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		for n := range 5 {
			_, _ = fmt.Fprintf(w, "a,%d\n", n)
		}
	})
	options := []string{"mode", "poll", "url", server.URL, "format", "csv", "header", "false"}
	p := pump(httpOpen(t, clicks, nil, options...), Position{})
	<-p.done
	if got := p.end(t); len(got) != 5 || !p.src.Bounded() {
		t.Errorf("records %q", got)
	}
	p = pump(httpOpen(t, clicks, nil, options...), Position{Offset: 12, Line: 3})
	<-p.done
	if got := p.end(t); !slices.Equal(got, []string{`{"page":"a","n":3}`, `{"page":"a","n":4}`}) {
		t.Errorf("records %q", got)
	}
	reader, err := httpOpen(t, clicks, nil, options...).Reader(context.Background(), 0, Position{File: 1})
	if err != nil || reader.Next(context.Background(), &Block{}) != io.EOF {
		t.Errorf("behind the end: %v", err)
	}
}
