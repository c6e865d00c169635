package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What planted bugs replace stands where they say, exactly once, and names are different.
func TestUpToDate(t *testing.T) {
	names := map[string]bool{}
	for _, m := range slices.Concat(mutants, replayed) {
		text, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(text), m.old); n != 1 || m.old == m.new {
			t.Errorf("%s: %q stands %d times in %s", m.name, m.old, n, m.file)
		}
		if names[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		names[m.name] = true
	}
}
