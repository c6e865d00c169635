package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	response, err := http.Post(url, "application/x-www-form-urlencoded", strings.NewReader(body)) // as curl does
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status + " " + strings.TrimSpace(string(text))
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
