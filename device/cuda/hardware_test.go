//go:build !nogpu

package cuda

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
)

// hardwareVariable makes it a failure that the machine has no usable device.
const hardwareVariable = "MILLRACE_REQUIRE_CUDA"

// onEvery runs a test on the stand-in and on every device of the machine.
func onEvery(t *testing.T, o Options, test func(*testing.T, *Device)) {
	t.Helper()
	t.Run("stand-in", func(t *testing.T) { test(t, newStandIn(t).open(t, o)) })
	found, _ := Find() // TestHardware says why there is none
	for _, f := range found {
		if f.Unusable == "" {
			t.Run(f.ID, func(t *testing.T) { test(t, opened(t, f.ID, o)) })
		}
	}
}

func opened(t testing.TB, id string, o Options) *Device {
	t.Helper()
	d, err := Open(id, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if used, _ := d.Used(); used != 0 {
			t.Errorf("%d bytes were not freed", used)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestHardware says what the machine has.
func TestHardware(t *testing.T) {
	found, err := Find()
	usable := 0
	for _, f := range found {
		t.Logf("%s: %s, %s, %d MiB; unusable: %q", f.ID, f.Name, f.Driver, f.MemoryBytes>>20, f.Unusable)
		if f.Unusable == "" {
			usable++
		}
	}
	switch {
	case usable > 0:
	case os.Getenv(hardwareVariable) != "":
		t.Fatalf("%s is set, and there is no usable CUDA device: %v", hardwareVariable, err)
	default:
		t.Skipf("NOT TESTED on hardware: no usable CUDA device (%v)", err)
	}
}

// straying is a kernel that writes where nothing is. On the stand-in it would take the
// process along.
var straying = &device.Program{
	Key:      "test/stray",
	Source:   "KERNEL stray(GLOBAL i32 *out, i64 far) { out[far] = 1; }",
	Launches: []device.Launch{{Entry: "stray", Items: device.Extent{Fixed: 32}, Args: []device.Arg{{Kind: device.OutputArg}, {Kind: device.Int64Arg}}}},
	Outputs:  []device.Extent{{Fixed: 4}},
}

// TestHardwareFault provokes a real fault. The driver's manual says that CUDA may then be of
// no use to the process; what a reset does is logged, and has to be right if it succeeds.
func TestHardwareFault(t *testing.T) {
	found, err := Find()
	tried := 0
	for _, f := range found {
		if f.Unusable != "" || strings.HasPrefix(f.Name, "stand-in") {
			continue
		}
		tried++
		d := opened(t, f.ID, Options{})
		k, s := compile(t, d, straying), slotFor(t, d, 64)
		if err := s.Run(k, &device.Call{InputBytes: []int{0}, Scalars: []int64{1 << 40}}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Wait()
		t.Logf("%s: a kernel that strays: %v", f.ID, err)
		if !errors.Is(err, device.ErrLost) {
			t.Error("it is not noticed")
		}
		binary.NativeEndian.PutUint32(s.Input(0), 7)
		err = d.Reset()
		t.Logf("%s: the reset after it: %v", f.ID, err)
		if err == nil {
			k, r, s := compile(t, d, addProgram), resident(t, d, 1), slotFor(t, d, 10)
			runAdd(t, s, k, r, 10, 1, 3)
			for _, free := range []func(){k.Free, r.Free, s.Free} {
				free()
			}
		}
		if got := binary.NativeEndian.Uint32(s.Input(0)); got != 7 {
			t.Errorf("the host's side of a slot holds %d after a reset, not 7", got)
		}
		s.Free()
		k.Free()
	}
	if tried == 0 {
		t.Skipf("NOT TESTED: no usable CUDA device (%v)", err)
	}
}
