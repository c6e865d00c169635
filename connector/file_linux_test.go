package connector

import (
	"context"
	"os"
	"runtime"
	"testing"
)

// No reader keeps a file open, however it ends.
func TestFilesAreClosed(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	path := writeFile(t, "in.csv", "a,b,c\nx,y,1\nx,y,2\n")
	packed := writeFile(t, "in.csv.gz", string(gzipped(t, messy)))
	wrong := writeFile(t, "wrong.csv", "only,two\n")
	readAll(t, open(t, testOptions(path), threeTexts, Env{}), 0, Position{})
	before, routines := count(), runtime.NumGoroutine()
	for range 20 {
		readAll(t, open(t, testOptions(path), threeTexts, Env{}), 0, Position{})
		readAll(t, open(t, testOptions(packed), threeTexts, Env{}), 0, Position{Offset: 5000})
		readAll(t, open(t, testOptions(wrong, "header", "true"), threeTexts, Env{}), 0, Position{})
		src := open(t, testOptions(packed), threeTexts, Env{BlockBytes: 10})
		r, _ := src.Reader(context.Background(), 0, Position{})
		var b Block
		if err := r.Next(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		r.Close()
		r.Close()
	}
	if after := count(); after > before {
		t.Errorf("%d files are open, %d before", after, before)
	}
	if after := runtime.NumGoroutine(); after > routines {
		t.Errorf("%d goroutines, %d before", after, routines)
	}
}
