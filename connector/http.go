package connector

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/connector/web"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Limits of the connector http; those of its servers are in package web.
const (
	httpBodyBytesMax      = RecordBytesMax // of a request or an answer: 413, or an error; option body_bytes
	httpQueueBytesDefault = 64 << 20       // of bodies in memory: 503; option queue_bytes
	httpQueueBytesMax     = 4 << 30        // that queue_bytes can be
	httpQueueDefault      = 256            // requests that are read or wait: 503; option queue_requests
	httpQueueMax          = 64 << 10       // that queue_requests can be
	httpTimeoutDefault    = 30 * time.Second
)

// The modes of the connector http.
const (
	httpListen = "listen"
)

var httpSourceModes = []string{httpListen}

// httpOptions are the options of the connector http, checked.
type httpOptions struct {
	mode  string
	url   string
	text  textOptions
	token string
	// Servers.
	place         web.Place
	bodyBytes     int64
	queueBytes    int64
	queueRequests int64
	requests      int64 // after which the stream ends; 0: never
	timeout       time.Duration
}

// takeHTTPSource reads the options of a source.
func (o *optionSet) takeHTTPSource() httpOptions {
	h := httpOptions{mode: o.choice("mode", "", httpSourceModes...)}
	h.text = textOptions{format: o.takeFormat("", FormatNDJSON, textFormats)}
	o.takeRecords(&h.text)
	h.text.unit = o.takeUnit()
	h.url, _ = o.take("url")
	h.token = o.takeToken()
	h.timeout = o.takeTimeout()
	if h.is(httpListen) {
		h.place.Role = web.Receiver
		h.takePlace(o)
		h.bodyBytes = o.between("body_bytes", httpBodyBytesMax, 1, httpBodyBytesMax)
		h.queueBytes = o.between("queue_bytes", httpQueueBytesDefault, 1<<10, httpQueueBytesMax)
		h.queueRequests = o.between("queue_requests", httpQueueDefault, 1, httpQueueMax)
		h.requests = o.number("requests", 0, 1)
	}
	h.needs(o, httpSourceModes)
	return h
}

// bounded: the stream ends.
func (h *httpOptions) bounded() bool { return h.requests > 0 }

// onlyOf refuses options that were not asked for, because the mode has no use for them.
func (o *optionSet) onlyOf(mode string) {
	for _, name := range optionNames(connectorHTTP, o.direction, o.format) {
		if key, given := o.written[name]; given && !slices.Contains(o.asked, name) {
			o.fail(key, fmt.Sprintf("option %q is for another mode than '%s'", key, mode), "remove it")
		}
	}
}

// is reports whether the mode is one of some, or not known, so that all options are.
func (h *httpOptions) is(modes ...string) bool {
	for _, m := range modes {
		if h.mode == m {
			return true
		}
	}
	return h.mode == ""
}

// needs tells which of the options are missing that there must be.
func (h *httpOptions) needs(o *optionSet, modes []string) {
	if h.mode == "" {
		o.fail("", "connector http needs the option mode", "add mode = '"+strings.Join(modes, "' or '")+"'")
	}
	if h.url == "" {
		o.fail("", "connector http needs the option url", "add url = 'http://127.0.0.1:8080/path'")
	}
	o.onlyOf(h.mode)
}

// takePlace reads where a server listens.
func (h *httpOptions) takePlace(o *optionSet) {
	role := h.place.Role
	cert, hasCert := o.take("tls_cert")
	key, hasKey := o.take("tls_key")
	if h.url == "" {
		return
	}
	place, err := web.ParsePlace(h.url)
	if err != nil {
		o.bad("url", err.Error()+"; write for example 'http://127.0.0.1:8080/path'")
	}
	place.Role, place.Cert, place.Key = role, cert, key
	h.place = place
	secure := strings.HasPrefix(strings.ToLower(h.url), "https:")
	switch {
	case hasCert != hasKey:
		o.fail(o.written["tls_cert"]+o.written["tls_key"], "tls_cert and tls_key belong together", "give both")
	case secure && !hasCert:
		o.bad("url", "add tls_cert and tls_key, or write http://")
	case !secure && hasCert:
		o.bad("url", "write https://, or leave out tls_cert and tls_key")
	}
}

// takeToken reads the secret that requests carry.
func (o *optionSet) takeToken() string {
	token, given := o.take("token")
	file, inFile := o.take("token_file")
	switch {
	case given && inFile:
		o.fail(o.written["token_file"], "token and token_file are two ways to say the same", "keep one of them")
	case given && (token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })):
		o.fail(o.written["token"], "a token is one word of ASCII characters", "")
	case inFile:
		var err error
		if token, err = web.ReadToken(file); err != nil {
			o.fail(o.written["token_file"], "cannot read the token: "+err.Error(), "")
		}
	}
	return token
}

func (o *optionSet) takeTimeout() time.Duration {
	d := time.Duration(o.durationMicros("timeout", httpTimeoutDefault.Microseconds())) * time.Microsecond
	if d < time.Millisecond {
		o.bad("timeout", "write at least '1 ms'")
	}
	return d
}

// between is number with a greatest value.
func (o *optionSet) between(name string, otherwise, low, high int64) int64 {
	n := o.number(name, otherwise, low)
	if n > high {
		o.bad(name, fmt.Sprintf("write at most %d", high))
	}
	return n
}

// openHTTPSource opens a source of any mode.
func openHTTPSource(name string, src *model.Source, schema *stream.Schema, h httpOptions, env Env) (Source, error) {
	return newHTTPListener(name, src, schema, h, env)
}

// Counters are what a connector counts beside rows, by name: requests, refusals.
type Counters map[string]int64

// Counting is a Source or Sink that counts more than rows. Counters may be called from
// any goroutine.
type Counting interface {
	Counters() Counters
}

// contradicts reports whether a Content-Type says that a body is not of the format. Types
// that clients send without having been asked to contradict nothing.
func contradicts(contentType, format string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch kind = strings.TrimSpace(kind); {
	case strings.HasPrefix(kind, "multipart/"):
		return true
	case format == FormatCSV:
		return strings.Contains(kind, "json")
	}
	return kind == "text/csv"
}

func mediaType(format string) string {
	if format == FormatCSV {
		return "text/csv"
	}
	return "application/x-ndjson"
}

// answer writes a JSON object as the answer to a request.
func answer(w http.ResponseWriter, status int, object []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(object, '\n'))
}

// refuse answers with a reason, and for 503 when to come again.
func refuse(w http.ResponseWriter, status int, reason string) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, append(appendJSONString([]byte(`{"error":`), []byte(reason)), '}'))
}
