package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Limits of a server, each with what happens when it is reached.
const (
	ConnectionsMax  = 1024             // of one address; further ones wait to be accepted
	HeaderBytesMax  = 64 << 10         // of a request: answered with 431
	HeaderTimeMax   = 10 * time.Second // until a request's header is there: the connection is closed
	IdleTimeMax     = time.Minute      // between two requests of a connection: it is closed
	ShutdownTimeMax = 5 * time.Second  // for running requests at the end: they are cut off
)

// Place is where a handler is mounted. Cert and Key are files; both or none are given.
type Place struct {
	Address   string // host:port; port 0 is any free one, the same for all who say so
	Path      string
	Role      string // two handlers of one path must differ in it; see Mount
	Cert, Key string
}

// ParsePlace takes a URL such as http://127.0.0.1:8080/ingest apart.
func ParsePlace(text string) (Place, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Place{}, errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return Place{}, errors.New("it must begin with http:// or https://")
	case u.Hostname() == "":
		return Place{}, errors.New("it names no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Place{}, errors.New("it has more than a host, a port and a path")
	}
	p := Place{Address: u.Host, Path: u.Path}
	if u.Port() == "" {
		p.Address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if p.Path == "" {
		p.Path = "/"
	}
	return p, nil
}

// The roles of handlers. A path may have one of each: what is sent to it, and what is got.
const (
	Receiver = "POST"
	Sender   = "GET"
)

// servers are the running ones of the process, by address as it was asked for.
var servers = struct {
	sync.Mutex
	at map[string]*server
}{at: map[string]*server{}}

// server is one address and the handlers behind it.
type server struct {
	place    Place
	listener net.Listener
	http     *http.Server
	served   chan struct{}

	mu     sync.Mutex
	routes map[routeKey]*Mounted
}

type routeKey struct{ path, role string }

// Mounted is a handler that gets requests until Close.
type Mounted struct {
	server  *server
	key     routeKey
	handler http.Handler
	url     string

	mu     sync.Mutex
	active int
	closed bool
	idle   chan struct{} // closed when closed and active is 0
}

// Mount lets handler answer the requests for a path, on a server that all of the process
// share that name the same address: the first starts it, the last that closes ends it.
// A POST or PUT goes to the path's Receiver, everything else to its Sender; where there is
// one of them only, it gets all.
func Mount(p Place, handler http.Handler) (*Mounted, error) {
	servers.Lock()
	defer servers.Unlock()
	s := servers.at[p.Address]
	if s != nil && (s.place.Cert != p.Cert || s.place.Key != p.Key) {
		return nil, fmt.Errorf("another stream uses %s with another certificate, or without", p.Address)
	}
	if s == nil {
		var err error
		if s, err = listen(p); err != nil {
			return nil, err
		}
		servers.at[p.Address] = s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := routeKey{p.Path, p.Role}
	if s.routes[key] != nil {
		return nil, fmt.Errorf("another stream uses %s with path %s already", p.Address, p.Path)
	}
	scheme := "http"
	if p.Cert != "" {
		scheme = "https"
	}
	m := &Mounted{server: s, key: key, handler: handler, idle: make(chan struct{}), url: scheme + "://" + s.listener.Addr().String() + p.Path}
	s.routes[key] = m
	return m, nil
}

func listen(p Place) (*server, error) {
	s := &server{place: p, routes: map[routeKey]*Mounted{}, served: make(chan struct{})}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: HeaderTimeMax, IdleTimeout: IdleTimeMax, MaxHeaderBytes: HeaderBytesMax,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if p.Cert != "" {
		pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", p.Cert, p.Key, err)
		}
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	l, err := net.Listen("tcp", p.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", p.Address, cause(err))
	}
	s.listener = newLimitListener(l, ConnectionsMax)
	go func() {
		defer close(s.served)
		if p.Cert != "" {
			_ = s.http.ServeTLS(s.listener, "", "")
			return
		}
		_ = s.http.Serve(s.listener)
	}()
	return s, nil
}

// cause is the reason of a network error without operation and address.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, second := Sender, Receiver
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		first, second = Receiver, Sender
	}
	s.mu.Lock()
	m := s.routes[routeKey{r.URL.Path, first}]
	if m == nil {
		m = s.routes[routeKey{r.URL.Path, second}]
	}
	s.mu.Unlock()
	if m == nil || !m.enter() {
		http.Error(w, "no stream is at this path", http.StatusNotFound)
		return
	}
	defer m.leave()
	m.handler.ServeHTTP(w, r)
}

func (m *Mounted) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.active++
	return true
}

func (m *Mounted) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active--; m.closed && m.active == 0 {
		close(m.idle)
	}
}

// URL is where the handler is, with the port that was found for port 0.
func (m *Mounted) URL() string { return m.url }

// Close takes the handler away and waits for the requests that run, ShutdownTimeMax at
// most: the caller has told them to end. It may be called once.
func (m *Mounted) Close() {
	m.mu.Lock()
	m.closed = true
	if m.active == 0 {
		close(m.idle)
	}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), ShutdownTimeMax)
	defer cancel()
	select {
	case <-m.idle:
	case <-ctx.Done():
	}
	servers.Lock()
	defer servers.Unlock()
	s := m.server
	s.mu.Lock()
	delete(s.routes, m.key)
	last := len(s.routes) == 0
	s.mu.Unlock()
	if !last {
		return
	}
	delete(servers.at, s.place.Address)
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.served
}

// limitListener accepts up to a number of connections and waits for one to end then.
type limitListener struct {
	net.Listener
	slots chan struct{}
	done  chan struct{}
	once  sync.Once
}

func newLimitListener(l net.Listener, limit int) *limitListener {
	return &limitListener{Listener: l, slots: make(chan struct{}, limit), done: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, slots: l.slots}, nil
}

// Close implements net.Listener.
func (l *limitListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}
