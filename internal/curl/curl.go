// Package curl asks HTTP servers on behalf of tests. Entry point: Send.
package curl

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// T is the part of testing.TB that requests need.
type T interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// Request is a request that ends with the test at the latest. Its header is given as names
// and values in turn.
func Request(t T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return request
}

// Answer is what a server said.
type Answer struct {
	Status int
	Text   string // without blanks around it
	Header http.Header
}

// Send sends a request and reads the whole answer; the test fails if there is none. It is
// for the test's own goroutine, or for one that may end where it fails.
func Send(t T, c *http.Client, method, url, body string, header ...string) Answer {
	t.Helper()
	response, err := c.Do(Request(t, method, url, body, header...))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{response.StatusCode, strings.TrimSpace(string(text)), response.Header}
}
