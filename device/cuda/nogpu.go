//go:build nogpu

package cuda

import (
	"errors"

	"github.com/millrace/millrace/device"
)

// errLeftOut is the answer of a build without accelerators, which loads no library and so
// needs none, not even libc.
var errLeftOut = errors.New("this program was built without accelerators (build tag nogpu)")

// Found is a device of the machine.
type Found struct {
	device.Info
	Platform string // whose driver it is
	Unusable string // why programs cannot run on it, empty if they can
}

// Options of Open.
type Options struct{ MemoryShare float64 }

// Find says that there are none.
func Find() ([]Found, error) { return nil, errLeftOut }

// Open says that there are none.
func Open(string, Options) (device.Device, error) { return nil, errLeftOut }
