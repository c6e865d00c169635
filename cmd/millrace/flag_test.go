package main

import (
	"testing"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{
		"4096": 4096, "1B": 1, "64KiB": 64 << 10, "1MiB": 1 << 20, "1 MiB": 1 << 20, "2MB": 2e6, "1.5KiB": 1536, "3GiB": 3 << 30,
	} {
		var s byteSize
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "x", "1XiB", "99999999999EiB"} {
		var s byteSize
		if err := s.Set(text); err == nil {
			t.Errorf("%q was taken for %d", text, s)
		}
	}
}
