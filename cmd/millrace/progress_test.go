package main

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace"
)

func TestProgressLine(t *testing.T) {
	p := millrace.Progress{RowsIn: 12345678, RowsOut: 90, BytesIn: 1, BytesTotal: 3, Elapsed: 83 * time.Second}
	if got, want := progressLine(p, 4321.9), "  4,321 rows/s  |  12,345,678 rows in  |  90 out  |  33 %  |  1:23"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	p.BytesTotal = 0
	if got := progressLine(p, 0); strings.Contains(got, "%") {
		t.Errorf("share of an unknown total: %q", got)
	}
}

func TestRateFollowsTheRecentPast(t *testing.T) {
	var r rateMeter
	if got := r.update(time.Second, 1000); got != 1000 {
		t.Errorf("first second: %v rows/s, want 1000", got)
	}
	var got float64
	for s := 2; s <= 20; s++ {
		got = r.update(time.Duration(s)*time.Second, 1000+int64(s)*10)
	}
	if got != 10 {
		t.Errorf("after a long time at 10 rows/s: %v", got)
	}
}

// TestConsoleErasesProgress checks that neither results nor messages are mixed up with
// the progress line, which never wraps.
func TestConsoleErasesProgress(t *testing.T) {
	var b buffers
	target := b.terminal()
	target.outTTY, target.errTTY = true, true
	target.out = &b.err // one screen
	target.width = func() int { return 10 }
	c := &console{t: target}
	c.status("0123456789abc")
	if _, err := c.Write([]byte("row\n")); err != nil {
		t.Fatal(err)
	}
	c.status("again")
	c.say("note")
	c.status("")
	want := "\r012345678\x1b[K" + "\r\x1b[K" + "row\n" + "\ragain\x1b[K" + "\r\x1b[K" + "note\n"
	if got := b.err.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestProgressOnlyOnATerminal(t *testing.T) {
	var b buffers
	c := &console{t: b.terminal()}
	stop := c.progress(func() millrace.Progress { t.Error("asked for progress"); return millrace.Progress{} })
	time.Sleep(progressEvery + progressEvery/2)
	stop()
	if b.err.Len() > 0 {
		t.Errorf("wrote %q", b.err.String())
	}
}
