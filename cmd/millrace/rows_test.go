package main

import (
	"errors"
	"testing"
)

func TestRowsWriteTheHeaderOnce(t *testing.T) {
	var b buffers
	sink := &rows{screen: &console{t: b.terminal()}, header: []byte("n\n")}
	if err := errors.Join(sink.Write([]byte("1\n")), sink.Write([]byte("2\n")), sink.Flush(), sink.Close()); err != nil {
		t.Fatal(err)
	}
	empty := &rows{screen: sink.screen, header: []byte("m\n")}
	if err := empty.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.out.String(), "n\n1\n2\nm\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
