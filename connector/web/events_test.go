package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The same events come with each kind of line end and however the bytes arrive.
func TestEventReader(t *testing.T) {
	text := "\ufeff: comment\n\ndata: a\n\nevent: x\ndata:b\ndata:  c\nid: 1\n\nid: 2\nevent: lost\n\ndata\n\nid: a\x00b\nother: y\nretry: 20\nretry: z\ndata: d:e\n\nid\ndata: f\n\n" +
		"data: " + strings.Repeat("x", 20) + "\ndata: y\n\ndata: " + strings.Repeat("x", 9) + "\ndata: y\n\ndata: g\n\nid: 9\ndata: cut off"
	want := "a|; x:b\n c|1; |2; d:e|2; f|; too large|; too large|; g|; "
	for name, end := range map[string]string{"LF": "\n", "CR LF": "\r\n", "CR": "\r"} {
		for _, r := range []io.Reader{strings.NewReader(strings.ReplaceAll(text, "\n", end)), slow{strings.NewReader(strings.ReplaceAll(text, "\n", end))}} {
			events := NewEventReader(r, 10, "")
			var got strings.Builder
			for {
				var e Event
				err := events.Next(&e)
				if errors.Is(err, ErrTooLarge) {
					e.Data = []byte("too large")
				} else if err != nil {
					if err != io.EOF {
						t.Error(err)
					}
					break
				}
				if e.Name != "" {
					got.WriteString(e.Name + ":")
				}
				fmt.Fprintf(&got, "%s|%s; ", e.Data, events.LastID)
			}
			if got.String() != want || events.Retry != 20*time.Millisecond {
				t.Errorf("%s: %q, want %q; retry %v", name, got.String(), want, events.Retry)
			}
		}
	}
}

// Ready sees an event that has come as a whole, and none that has not.
func TestEventReaderReady(t *testing.T) {
	r, w := io.Pipe()
	events := NewEventReader(r, 100, "")
	go func() {
		_, _ = io.WriteString(w, "data: 1\n\ndata: 2\n\ndata: 3")
		_ = w.Close()
	}()
	for _, want := range []bool{true, false} {
		var e Event
		if err := events.Next(&e); err != nil || events.Ready() != want {
			t.Errorf("behind %s (%v): ready is %v", e.Data, err, !want)
		}
	}
	if err := events.Next(&Event{}); err != io.EOF {
		t.Error(err)
	}
}

// Pauses grow to a limit and are never half of what they may be.
func TestPause(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		full := min(PauseMax, PauseMin<<min(failures-1, 20))
		if d := Pause(failures); d < full/2 || d > full {
			t.Errorf("after %d failures: %v of %v", failures, d, full)
		}
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "x": 0, "3": 3 * time.Second, "-1": 0, "999999999": RetryAfterMax, "Thu, 01 Jan 2026 00:00:07 GMT": 7 * time.Second,
		"Wed, 31 Dec 2025 00:00:00 GMT": 0, "Fri, 02 Jan 2026 00:00:00 GMT": RetryAfterMax,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("Retry-After %q: %v, want %v", text, got, want)
		}
	}
}
