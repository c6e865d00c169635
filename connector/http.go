package connector

import (
	"fmt"
	"net/http"
	"net/url"
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
	httpPost   = "post"
	httpPoll   = "poll"
	httpEvents = "events"
)

var (
	httpSourceModes = []string{httpListen, httpPoll, httpEvents}
	httpSinkModes   = []string{httpPost, httpListen}
	httpSinkFormats = []string{FormatNDJSON, "json", "jsonl"}
)

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
	// Sinks that send.
	method     string
	headers    http.Header
	array      bool // the body is an array, not lines
	batchRows  int64
	batchBytes int64
	linger     time.Duration
	retries    int64 // less than 0: no end
	drop       bool  // what cannot be sent; otherwise the job fails
	// Sources that ask.
	interval  time.Duration // 0: once
	event     string        // the name of those that are read; *: all
	reconnect bool
	// Sinks that listen.
	clientsMax  int64
	clientBytes int64
	heartbeat   time.Duration
	origin      string
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
	h.bodyBytes = o.between("body_bytes", httpBodyBytesMax, 1, httpBodyBytesMax)
	if h.is(httpListen) {
		h.place.Role = web.Receiver
		h.takePlace(o)
		h.queueBytes = o.between("queue_bytes", httpQueueBytesDefault, 1<<10, httpQueueBytesMax)
		h.queueRequests = o.between("queue_requests", httpQueueDefault, 1, httpQueueMax)
	}
	if h.is(httpListen, httpPoll) {
		h.requests = o.number("requests", 0, 1)
	}
	if h.is(httpPoll, httpEvents) {
		h.takeFetch(o)
	}
	h.needs(o, httpSourceModes)
	return h
}

// takeHTTPSink reads the options of a sink.
func (o *optionSet) takeHTTPSink() httpOptions {
	h := httpOptions{mode: o.choice("mode", "", httpSinkModes...)}
	o.takeFormat("", FormatNDJSON, httpSinkFormats)
	h.url, _ = o.take("url")
	h.token = o.takeToken()
	h.timeout = o.takeTimeout()
	if h.is(httpPost) {
		h.checkURL(o)
		h.method = strings.ToUpper(o.choice("method", "post", "post", "put"))
		h.headers = o.takeHeaders()
		h.array = o.choice("body", "lines", "lines", "array") == "array"
		h.batchRows = o.between("batch_rows", 1000, 1, httpBatchRowsMax)
		h.batchBytes = o.between("batch_bytes", 1<<20, 1, httpBatchBytesMax)
		h.linger = o.span("linger", 100*time.Millisecond, 0)
		h.retries = o.between("retries", 10, 0, httpRetriesMax)
		h.drop = o.choice("on_failure", "fail", "fail", "drop") == "drop"
	}
	if h.is(httpListen) {
		h.place.Role = web.Sender
		h.takePlace(o)
		h.clientsMax = o.between("clients", httpClientsDefault, 1, httpClientsMax)
		h.clientBytes = o.between("client_bytes", httpClientBytesDefault, 1<<10, httpClientBytesMax)
		h.heartbeat = o.span("heartbeat", httpHeartbeatDefault, time.Millisecond)
		h.origin, _ = o.take("allow_origin")
	}
	h.needs(o, httpSinkModes)
	return h
}

// checkURL checks the URL of requests that are sent.
func (h *httpOptions) checkURL(o *optionSet) {
	u, err := url.Parse(h.url)
	if h.mode != "" && h.url != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		o.bad("url", "write for example 'https://example.org/path'")
	}
}

// takeHeaders reads headers that requests get, one a line.
func (o *optionSet) takeHeaders() http.Header {
	text, _ := o.take("headers")
	out := http.Header{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		name = strings.TrimSpace(name)
		switch {
		case strings.TrimSpace(line) == "":
			continue
		case !ok || name == "" || strings.ContainsAny(name, " \t\"(),/;<=>?@[]{}") || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }):
			o.bad("headers", "write a line 'Name: value' for each header")
			return out
		}
		out.Add(name, strings.TrimSpace(value))
	}
	return out
}

func (o *optionSet) span(name string, otherwise, low time.Duration) time.Duration {
	d := time.Duration(o.durationMicros(name, otherwise.Microseconds())) * time.Microsecond
	if d < low {
		o.bad(name, fmt.Sprintf("write at least '%v'", low))
	}
	return d
}

// takeFetch reads the options of sources that ask.
func (h *httpOptions) takeFetch(o *optionSet) {
	h.checkURL(o)
	h.headers = o.takeHeaders()
	if h.retries = o.number("retries", -1, 0); h.retries > httpRetriesMax {
		o.bad("retries", fmt.Sprintf("write at most %d, or leave it out to try for ever", httpRetriesMax))
	}
	if h.is(httpPoll) {
		h.interval = o.span("interval", 0, 0)
		if h.requests > 0 && h.interval == 0 {
			o.fail(o.written["requests"], "without an interval the URL is read once", "add interval = '10 s'")
		}
	}
	if h.is(httpEvents) {
		h.event = "message"
		if event, ok := o.take("event"); ok {
			h.event = event
		}
		h.reconnect = o.boolean("reconnect", true)
		if h.text.header != headerAuto && h.mode == httpEvents {
			o.fail(o.written["header"], "events have no header", "remove it; columns are matched by position")
		}
	}
}

// bounded: the stream ends.
func (h *httpOptions) bounded() bool {
	switch h.mode {
	case httpEvents:
		return !h.reconnect
	case httpPoll:
		return h.interval == 0 || h.requests > 0
	}
	return h.requests > 0
}

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
	return o.span("timeout", httpTimeoutDefault, time.Millisecond)
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
	if h.mode != httpListen {
		return newHTTPFetcher(name, src, schema, h, env), nil
	}
	return newHTTPListener(name, src, schema, h, env)
}

// openHTTPSink opens a sink of any mode.
func openHTTPSink(h httpOptions, schema *stream.Schema, visible []int, env Env) (Sink, error) {
	if h.mode == httpPost {
		return newHTTPPoster(h, schema, visible, env), nil
	}
	return newHTTPPublisher(h, schema, visible, env)
}

// Failing is a Sink that works on behind its calls. It tells a failure to report, once and
// from any goroutine, beside returning it from the next call.
type Failing interface {
	OnFailure(report func(error))
}

// Warning is a Sink with things to tell the user at the end.
type Warning interface {
	Warnings() []string
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
