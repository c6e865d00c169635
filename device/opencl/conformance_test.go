//go:build !nogpu

package opencl

import (
	"testing"

	"github.com/millrace/millrace/device/devicetest"
)

// Every usable device gives what the reference says.
func TestConformance(t *testing.T) {
	open(t, Options{}) // says when there is none
	found, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Unusable != "" {
			t.Logf("%s is not usable: %s", f.ID, f.Unusable)
			continue
		}
		t.Run(f.ID, func(t *testing.T) {
			d, err := Open(f.ID, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			devicetest.Run(t, d)
			if used, _ := d.Used(); used != 0 {
				t.Errorf("%d bytes were not freed", used)
			}
		})
	}
}
