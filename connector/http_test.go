package connector

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/model"
)

// Wrong options, each with the option that is told and a part of what is said.
func TestHTTPSourceMistakes(t *testing.T) {
	for _, x := range []struct {
		options map[string]string
		option  string
		said    string
	}{
		{map[string]string{}, "", "needs the option mode"},
		{map[string]string{"mode": "listem"}, "mode", "did you mean 'listen'"},
		{map[string]string{"mode": "listen"}, "", "needs the option url"},
		{map[string]string{"mode": "listen", "url": "localhost:1"}, "url", "must begin with http"},
		{map[string]string{"mode": "listen", "url": "https://h/"}, "url", "add tls_cert"},
		{map[string]string{"mode": "listen", "url": "http://h/", "tls_cert": "a"}, "tls_cert", "give both"},
		{map[string]string{"mode": "listen", "url": "http://h/", "tls_cert": "a", "tls_key": "b"}, "url", "write https"},
		{map[string]string{"mode": "listen", "url": "http://h/", "token": "a b"}, "token", "one word"},
		{map[string]string{"mode": "listen", "url": "http://h/", "token": "a", "token_file": "b"}, "token_file", "two ways"},
		{map[string]string{"mode": "listen", "url": "http://h/", "token_file": "/no/such"}, "token_file", "cannot read the token"},
		{map[string]string{"mode": "listen", "url": "http://h/", "body_bytes": "99999999"}, "body_bytes", "at most 16777216"},
		{map[string]string{"mode": "listen", "url": "http://h/", "timeout": "0 s"}, "timeout", "at least"},
		{map[string]string{"mode": "listen", "url": "http://h/", "format": "parquet"}, "format", "cannot be"},
		{map[string]string{"mode": "poll", "url": "http://h/", "requests": "3"}, "requests", "read once"},
		{map[string]string{"mode": "poll", "url": "h"}, "url", "cannot be"},
		{map[string]string{"mode": "poll", "url": "http://h/", "queue_bytes": "3000"}, "queue_bytes", "for another mode than 'poll'"},
		{map[string]string{"mode": "events", "url": "http://h/", "interval": "3 s"}, "interval", "for another mode than 'events'"},
		{map[string]string{"mode": "events", "url": "http://h/", "format": "csv", "header": "true"}, "header", "have no header"},
		{map[string]string{"mode": "events", "url": "http://h/", "retries": "1001"}, "retries", "at most 1000"},
		{map[string]string{"mode": "listen", "url": "http://h/", "queue": "1"}, "queue", "has no option"},
	} {
		x.options["connector"] = "http"
		_, err := CheckSource(x.options, clicks.Fields)
		var e *model.OptionError
		if !errors.As(err, &e) || e.Option != x.option || !strings.Contains(e.Message+" "+e.Hint, x.said) {
			t.Errorf("%v: %v (%+v), want option %q and %q", x.options, err, e, x.option, x.said)
		}
	}
}

// An address that is taken is told when the source is opened.
func TestHTTPListenAddressTaken(t *testing.T) {
	leak.Check(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = OpenSource("s", &model.Source{Connector: "http", Options: map[string]string{"mode": "listen", "url": "http://" + l.Addr().String() + "/"}}, clicks, Reading{}, Env{})
	if err == nil || !strings.Contains(err.Error(), "cannot listen on "+l.Addr().String()) {
		t.Errorf("%v", err)
	}
}
