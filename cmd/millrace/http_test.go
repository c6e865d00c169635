package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/curl"
)

// running is the command in a process of its own.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    bytes.Buffer
	errors *bufio.Reader
	said   strings.Builder
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.Command("millrace", args...)}
	r.cmd.Stdout = &r.out
	pipe, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	r.errors = bufio.NewReader(pipe)
	return r
}

// after waits for a message and returns what stands behind some words of it.
func (r *running) after(words string) string {
	r.t.Helper()
	for {
		line, err := r.errors.ReadString('\n')
		r.said.WriteString(line)
		if _, rest, ok := strings.Cut(line, words); ok {
			return strings.TrimSpace(rest)
		}
		if err != nil {
			r.t.Fatalf("no message says %q: %v\n%s", words, err, r.said.String())
		}
	}
}

// wait waits for the end, which must be a good one, and returns the lines of the results.
func (r *running) wait() []string {
	r.t.Helper()
	rest, _ := io.ReadAll(r.errors)
	r.said.Write(rest)
	if err := r.cmd.Wait(); err != nil {
		r.t.Fatalf("%v\n%s", err, r.said.String())
	}
	return strings.Split(strings.TrimSuffix(r.out.String(), "\n"), "\n")
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	a := curl.Send(t, http.DefaultClient, http.MethodPost, url, body, "Content-Type", "application/x-www-form-urlencoded") // as curl does
	return fmt.Sprintf("%d %s %s", a.Status, http.StatusText(a.Status), a.Text)
}

// Two streams behind one port, windows over what is sent to them, and a stop: all that was
// answered with 202 is in the results.
func TestHTTPListenEndToEnd(t *testing.T) {
	stats := filepath.Join(t.TempDir(), "stats.json")
	r := start(t, "run", "--format", "ndjson", "--stats", stats, "-e", `
		CREATE STREAM a (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/a');
		CREATE STREAM b (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/b', format='csv');
		SELECT n FROM a; SELECT n FROM b;`)
	a := r.after("stream a takes POST ")
	b := r.after("stream b takes POST ")
	if strings.TrimSuffix(a, "a") != strings.TrimSuffix(b, "b") {
		t.Errorf("two servers: %s and %s", a, b)
	}
	for _, x := range [][3]string{
		{a, "{\"n\":1}\n{\"n\":2}\n", `202 Accepted {"rows":2}`},
		{b, "n\n3\n", `202 Accepted {"rows":1}`},
		{a, "{\"n\":true}\n{\"n\":4}\n", `400 Bad Request {"rows":1,"errors":1,"line":1,"reason":"column \"n\": cannot read true as INTEGER"}`},
	} {
		if got := post(t, x[0], x[1]); got != x[2] {
			t.Errorf("%q was answered with %s, want %s", x[1], got, x[2])
		}
	}
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rows := r.wait()
	slices.Sort(rows)
	if want := []string{`{"_query":"result","n":1}`, `{"_query":"result","n":2}`, `{"_query":"result","n":4}`, `{"_query":"result_1","n":3}`}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if !strings.Contains(r.said.String(), "a: 1 row was malformed and set aside; first: /a#2:1: ") {
		t.Errorf("messages:\n%s", r.said.String())
	}
	var s struct {
		Streams []struct {
			Name     string
			Counters map[string]int64
		}
	}
	text, err := os.ReadFile(stats)
	if err != nil || json.Unmarshal(text, &s) != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, st := range s.Streams {
		if st.Name == "a" && (st.Counters["accepted"] != 1 || st.Counters["malformed"] != 1) {
			t.Errorf("counters %v", st.Counters)
		}
	}
}

// What is sent to one job is sent on to another and pushed to a client, until the first
// is stopped: all rows come, in order.
func TestHTTPSinksEndToEnd(t *testing.T) {
	last := start(t, "run", "--format", "ndjson", "-e", `
		CREATE STREAM b (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/b', requests='2');
		SELECT n * 10 AS n FROM b;`)
	b := last.after("stream b takes POST ")
	stats := filepath.Join(t.TempDir(), "stats.json")
	first := start(t, "run", "--stats", stats, "--set", "to="+b, "-e", `
		CREATE STREAM a (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/a');
		CREATE STREAM live (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/a');
		CREATE STREAM onwards (n INT) WITH (connector='http', mode='post', url='${to}', batch_rows='2', linger='0 s');
		BEGIN STATEMENT SET; INSERT INTO live SELECT n FROM a; INSERT INTO onwards SELECT n + 1 FROM a; END;`)
	url := first.after("stream a takes POST ")
	if got := first.after("results at GET "); got != url {
		t.Errorf("results at %s, rows to %s", got, url)
	}
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := post(t, url, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n"); got != `202 Accepted {"rows":4}` {
		t.Error(got)
	}
	if rows, want := last.wait(), []string{`{"n":20}`, `{"n":30}`, `{"n":40}`, `{"n":50}`}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	if err := first.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	events, err := io.ReadAll(response.Body)
	want := ": rows from now on\n\nid: 1\ndata: {\"n\":1}\n\nid: 2\ndata: {\"n\":2}\n\nid: 3\ndata: {\"n\":3}\n\nid: 4\ndata: {\"n\":4}\n\nevent: end\ndata: {\"rows\":4}\n\n"
	if err != nil || string(events) != want {
		t.Errorf("%v, events:\n%s", err, events)
	}
	first.wait()
	var s struct {
		Sinks []struct {
			Name     string
			Counters map[string]int64
		}
	}
	text, err := os.ReadFile(stats)
	if err != nil || json.Unmarshal(text, &s) != nil || len(s.Sinks) != 2 {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, sink := range s.Sinks {
		if sink.Counters["requests"] < 1 || sink.Name == "onwards" && sink.Counters["rows_sent"] != 4 {
			t.Errorf("%+v", sink)
		}
	}
}

// A job whose results nobody takes fails at once, though its input goes on.
func TestHTTPPostFailsTheJob(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	r := start(t, "run", "--set", "to="+server.URL, "-e", `
		CREATE STREAM a (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/a');
		CREATE STREAM b (n INT) WITH (connector='http', mode='post', url='${to}', linger='1 ms');
		INSERT INTO b SELECT n FROM a;`)
	post(t, r.after("stream a takes POST "), `{"n":1}`)
	r.after("POST " + server.URL + ": answered with 404 Not Found: ")
	_, _ = io.Copy(io.Discard, r.errors)
	var exit *exec.ExitError
	if err := r.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v", err)
	}
}

// One job reads the events of another, up to its end.
func TestHTTPEventsEndToEnd(t *testing.T) {
	first := start(t, "run", "-e", `
		CREATE STREAM a (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/a');
		CREATE STREAM live (n INT) WITH (connector='http', mode='listen', url='http://127.0.0.1:0/live', heartbeat='1 ms');
		INSERT INTO live SELECT n * 2 AS n FROM a;`)
	to := first.after("stream a takes POST ")
	out, in := io.Pipe()
	second := exec.Command("millrace", "run", "--format", "ndjson", "--set", "from="+first.after("results at GET "), "-e", `
		CREATE STREAM b (n INT) WITH (connector='http', mode='events', url='${from}', reconnect='false');
		SELECT n + 1 AS n FROM b;`)
	second.Stdout = in
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- second.Wait()
		_ = in.Close()
	}()
	rows := bufio.NewReader(out)
	stop := make(chan bool)
	go func() { // until the second job is connected
		for {
			select {
			case <-stop:
				return
			default:
				if response, err := http.Post(to, "", strings.NewReader(`{"n":1}`)); err == nil {
					_ = response.Body.Close()
				}
			}
		}
	}()
	row, err := rows.ReadString('\n')
	close(stop)
	if err != nil || row != "{\"n\":3}\n" {
		t.Errorf("%q, %v", row, err)
	}
	if err := first.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, rows)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	first.wait()
}

// The README of the example says what is answered and what is seen.
func TestHTTPExample(t *testing.T) {
	const folder = "../../examples/webhook/"
	readme, err := os.ReadFile(folder + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	views, err := os.ReadFile(folder + "views.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		_, rest, _ := strings.Cut(string(readme), "```"+kind+"\n")
		text, _, _ := strings.Cut(rest, "```")
		return text
	}
	r := start(t, "run", "--set", "port=0", folder+"webhook.sql")
	to := r.after("stream views takes POST ")
	response, err := http.Get(r.after("results at GET "))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, want := post(t, to, string(views)), "400 Bad Request "+strings.TrimSpace(block("json")); got != want {
		t.Errorf("answered with %s, the README has %s", got, want)
	}
	want := []byte(block("text"))
	seen := make([]byte, len(want))
	if _, err := io.ReadFull(response.Body, seen); err != nil || !bytes.Equal(seen, want) {
		t.Errorf("%v, seen:\n%s\nthe README has\n%s", err, seen, want)
	}
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "event: end\ndata: {\"rows\":4}\n\n" {
		t.Errorf("%v, at the end:\n%s", err, rest)
	}
	r.wait()
}
