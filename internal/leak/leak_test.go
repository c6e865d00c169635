package leak

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder is a T whose cleanup is called by hand.
type recorder struct {
	cleanup func()
	faults  []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = f }
func (r *recorder) Failed() bool     { return false }
func (r *recorder) Errorf(format string, a ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, a...))
}

func TestCheck(t *testing.T) {
	clean := &recorder{}
	Check(clean)
	clean.cleanup()
	if len(clean.faults) > 0 {
		t.Errorf("nothing was left behind, but: %v", clean.faults)
	}

	leaky := &recorder{}
	Check(leaky)
	stop := make(chan struct{})
	go func() { <-stop }()
	path := filepath.Join(t.TempDir(), "left-open")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	leaky.cleanup()
	close(stop)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	faults := strings.Join(leaky.faults, "\n")
	if !strings.Contains(faults, "1 goroutines still run") || !strings.Contains(faults, "left-open") {
		t.Errorf("found only: %s", faults)
	}
}
