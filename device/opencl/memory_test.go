//go:build !nogpu

package opencl

import (
	"fmt"
	"os"
	"testing"
)

// residentBytes is the memory that the process has now, 0 where the system does not tell.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
