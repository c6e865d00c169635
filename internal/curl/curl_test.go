package curl_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/millrace/millrace/internal/curl"
)

// failing notes that a test would have ended.
type failing struct {
	*testing.T
	ended bool
}

func (f *failing) Fatal(...any) {
	f.ended = true
	panic(f)
}

func TestSend(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Answer", r.Header.Get("X-Question"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s\n", r.Method, body)
		if r.URL.Path == "/cut" {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	got := curl.Send(t, server.Client(), "PUT", server.URL, "a body", "X-Question", "why")
	if got.Status != http.StatusTeapot || got.Text != "PUT a body" || got.Header.Get("X-Answer") != "why" {
		t.Errorf("%+v", got)
	}
	for _, url := range []string{"::", server.URL + "/cut", "http://127.0.0.1:1/"} {
		f := &failing{T: t}
		func() {
			defer func() { _ = recover() }()
			curl.Send(f, server.Client(), "GET", url, "")
		}()
		if !f.ended {
			t.Errorf("%s: the test goes on", url)
		}
	}
	if r := curl.Request(t, "GET", server.URL, ""); r.Context() == context.Background() {
		t.Error("a request may outlast the test")
	}
}
