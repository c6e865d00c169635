package web

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/curl"
	"github.com/millrace/millrace/internal/leak"
)

func saying(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

// Several handlers share an address, by path and by role; the last one ends the server.
func TestMountShares(t *testing.T) {
	leak.Check(t)
	transport := &http.Transport{}
	c := &http.Client{Transport: transport}
	at := func(path, role string) Place { return Place{Address: "127.0.0.1:0", Path: path, Role: role} }
	in, err := Mount(at("/a", Receiver), saying("in"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := Mount(at("/a", Sender), saying("out"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Mount(at("/b", Receiver), saying("other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Mount(at("/a", Sender), saying("again")); err == nil || !strings.Contains(err.Error(), "/a already") {
		t.Errorf("a path twice: %v", err)
	}
	if _, err := Mount(Place{Address: "127.0.0.1:0", Path: "/c", Cert: "x", Key: "x"}, saying("")); err == nil {
		t.Error("a certificate beside none was accepted")
	}
	for _, x := range [][3]string{{"POST", in.URL(), "in"}, {"PUT", in.URL(), "in"}, {"GET", in.URL(), "out"}, {"GET", other.URL(), "other"}, {"POST", other.URL(), "other"},
		{"GET", other.URL() + "x", "no stream is at this path"}} {
		if got := curl.Send(t, c, x[0], x[1], "").Text; got != x[2] {
			t.Errorf("%s %s: %q, want %q", x[0], x[1], got, x[2])
		}
	}
	in.Close()
	if got := curl.Send(t, c, "POST", in.URL(), "").Text; got != "out" {
		t.Errorf("after one of two was closed: %q", got)
	}
	out.Close()
	transport.CloseIdleConnections()
	other.Close()
	if _, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(other.URL(), "http://"), "/b")); err == nil {
		t.Error("the server still listens")
	}
	if _, err := Mount(Place{Address: "256.0.0.1:1", Path: "/"}, saying("")); err == nil {
		t.Error("no such address")
	}
}

// Close waits for a request that runs.
func TestCloseWaits(t *testing.T) {
	leak.Check(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	m, err := Mount(Place{Address: "127.0.0.1:0", Path: "/", Role: Receiver}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	}))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	text := make(chan string)
	go func() { text <- curl.Send(t, &http.Client{Transport: transport}, "POST", m.URL(), "").Text }()
	<-begun
	closed := make(chan struct{})
	go func() { m.Close(); close(closed) }()
	select {
	case <-closed:
		t.Error("closed while a request ran")
	default:
	}
	close(finish)
	if got := <-text; got != "done" {
		t.Errorf("the request was answered with %q", got)
	}
	transport.CloseIdleConnections()
	<-closed
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestMountTLS(t *testing.T) {
	leak.Check(t)
	cert, key := certificate(t)
	p, err := ParsePlace("https://127.0.0.1:0/s")
	if err != nil {
		t.Fatal(err)
	}
	p.Cert, p.Key, p.Role = cert, key, Sender
	m, err := Mount(p, saying("safe"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cert)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	if got := curl.Send(t, &http.Client{Transport: transport}, "GET", m.URL(), "").Text; got != "safe" || !strings.HasPrefix(m.URL(), "https://") {
		t.Errorf("%s: %q", m.URL(), got)
	}
	transport.CloseIdleConnections()
	m.Close()
	p.Key = cert
	if _, err := Mount(p, saying("")); err == nil {
		t.Error("a certificate with a wrong key was accepted")
	}
}

func TestParsePlace(t *testing.T) {
	for text, want := range map[string]Place{
		"http://localhost:1/x/y": {Address: "localhost:1", Path: "/x/y"},
		"http://[::1]":           {Address: "[::1]:80", Path: "/"},
		"https://0.0.0.0/":       {Address: "0.0.0.0:443", Path: "/"},
	} {
		if got, err := ParsePlace(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "localhost:80", "ftp://x/", "http://:80/", "http://u:p@x/", "http://x/?a", "http://x/#a", "http://[::1"} {
		if p, err := ParsePlace(text); err == nil {
			t.Errorf("%q was taken for %+v", text, p)
		}
	}
}

// slow gives one byte at a time.
type slow struct{ r io.Reader }

func (s slow) Read(p []byte) (int, error) { return s.r.Read(p[:min(1, len(p))]) }

// A body of every length around the limit and the budget; nothing stays taken after an error.
func TestReadBodyLimits(t *testing.T) {
	for length := range 40 {
		for _, known := range []int64{-1, int64(length)} {
			budget := NewBudget(bodyBytesFirst + 25)
			body, err := ReadBody(slow{strings.NewReader(strings.Repeat("x", length))}, "", known, 30, budget)
			if (err == nil) != (length <= 30) || err != nil && !errors.Is(err, ErrTooLarge) || err == nil && len(body) != length {
				t.Errorf("length %d, said to be %d: %d bytes, %v", length, known, len(body), err)
			}
			if err == nil {
				budget.Give(cap(body))
			}
			if budget.Used() != 0 {
				t.Errorf("length %d: %d bytes are still taken", length, budget.Used())
			}
		}
	}
	budget := NewBudget(bodyBytesFirst + 10)
	if _, err := ReadBody(bytes.NewReader(make([]byte, 1<<20)), "", -1, 1<<20, budget); !errors.Is(err, ErrNoRoom) || budget.Used() != 0 {
		t.Errorf("beyond the budget: %v, %d bytes taken", err, budget.Used())
	}
}

func TestLines(t *testing.T) {
	for _, x := range []struct{ body, kind, want, rest, reason string }{
		{body: "", want: ""},
		{body: "{}\n{}", want: "{}\n{}"},
		{body: "{}", kind: "application/json", want: "{}\n"},
		{body: "\n {\"a\":\n1}", want: "{\"a\":1}\n"},
		{body: "{\"a\":\n1}\n{}", want: "{\"a\":\n1}\n{}"}, // lines, the first of them malformed
		{body: "{\"a\":\n1}\n{}", kind: "application/vnd.x+json", want: "{\"a\":1}\n{}\n"},
		{body: "[1, [2],\n{\"b\" : \"\\n\"}]  ", want: "1\n[2]\n{\"b\":\"\\n\"}\n"},
		{body: "[1 2]", want: "1\n", rest: "2]", reason: "invalid JSON: expected comma after array element"},
		{body: "[1,]", want: "1\n", rest: "]", reason: "invalid JSON: invalid character ']' looking for beginning of value"},
		{body: "[1] x", want: "1\n", rest: "x", reason: "invalid JSON: text after the array"},
		{body: "[", want: "", rest: "", reason: "invalid JSON: unexpected end of JSON input"},
		{body: "{} x", kind: "application/json", want: "{}\n", rest: " x", reason: "invalid JSON: invalid character 'x' looking for beginning of value"},
	} {
		lines, bad := Lines([]byte(x.body), x.kind)
		if string(lines) != x.want {
			t.Errorf("%q %s: %q, want %q", x.body, x.kind, lines, x.want)
		}
		if bad == nil && x.reason != "" || bad != nil && (bad.Reason != x.reason || strings.TrimSpace(string(bad.Rest)) != strings.TrimSpace(x.rest)) {
			t.Errorf("%q %s: %+v, want %q with rest %q", x.body, x.kind, bad, x.reason, x.rest)
		}
	}
}
