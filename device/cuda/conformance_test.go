//go:build !nogpu

package cuda

import (
	"testing"

	"github.com/millrace/millrace/device/devicetest"
)

// What the backend computes is what the reference says: on the stand-in, which runs the
// kernels' text on the host, and on every device of the machine.
func TestConformance(t *testing.T) {
	onEvery(t, Options{}, func(t *testing.T, d *Device) { devicetest.Run(t, d) })
}
