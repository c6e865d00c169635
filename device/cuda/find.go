//go:build !nogpu

package cuda

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/millrace/millrace/device"
)

// Found is a device of the machine.
type Found struct {
	device.Info
	Platform string // whose driver it is
	Unusable string // why programs cannot run on it, empty if they can

	ordinal    int32
	capability int // compute capability: 90 is 9.0
}

// capabilityMin is the least compute capability of a device that is used: 5.0.
const capabilityMin = 50

// Find lists the machine's CUDA devices in the driver's order, which is what the numbers in
// their IDs count. The error says why there is none: no driver, an old one, one that does
// not start, or one without a device. A device without a compiler is found, and unusable.
func Find() ([]Found, error) {
	l, err := theLibrary()
	if err != nil {
		return nil, err
	}
	return l.find()
}

func (l *library) find() ([]Found, error) {
	var n int32
	if err := l.check("cuDeviceGetCount", call(l.deviceCount, uintptr(unsafe.Pointer(&n)))); err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, errors.New("the CUDA driver is there and has no device")
	}
	found := make([]Found, n)
	for i := range found {
		f, err := l.describe(i)
		if err != nil {
			return nil, err
		}
		found[i] = f
	}
	return found, nil
}

func (l *library) describe(number int) (Found, error) {
	var ordinal int32
	if err := l.check("cuDeviceGet", call(l.deviceGet, uintptr(unsafe.Pointer(&ordinal)), uintptr(number))); err != nil {
		return Found{}, err
	}
	var name [256]byte
	if err := l.check("cuDeviceGetName", call(l.deviceName, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)), uintptr(ordinal))); err != nil {
		return Found{}, err
	}
	var memory uintptr
	if err := l.check("cuDeviceTotalMem", call(l.deviceMemory, uintptr(unsafe.Pointer(&memory)), uintptr(ordinal))); err != nil {
		return Found{}, err
	}
	attribute := func(name uintptr) int { return l.attribute(ordinal, name) }
	capability := 10*attribute(attributeMajor) + attribute(attributeMinor)
	driver := fmt.Sprintf("CUDA %s, compute capability %d.%d", versionText(l.version), capability/10, capability%10)
	if l.compiler != nil {
		driver += ", NVRTC " + versionText(l.compiler.version)
	}
	f := Found{ordinal: ordinal, capability: capability, Platform: "NVIDIA CUDA", Info: device.Info{
		ID: fmt.Sprintf("cuda:%d", number), Kind: device.GPU, Name: zeroEnded(name[:]), Vendor: "NVIDIA", Driver: driver,
		MemoryBytes: int64(memory), AllocationBytesMax: int64(memory),
		SharedBytes: attribute(attributeShared), GroupItemsMax: attribute(attributeGroupItems),
		FP64: true, Int64Atomics: true, // every capability that is used has them
		Unified: attribute(attributeIntegrated) != 0,
	}}
	f.Unusable = l.unusable(capability, attribute(attributeComputeMode), attribute(attributeHostRegisters))
	return f, nil
}

// unusable says why programs cannot run on a device.
func (l *library) unusable(capability, mode, registers int) string {
	switch {
	case l.missing != nil:
		return l.missing.Error()
	case capability < capabilityMin:
		return fmt.Sprintf("its compute capability is %d.%d, %d.%d is needed", capability/10, capability%10, capabilityMin/10, capabilityMin%10)
	case mode == computeModeProhibited:
		return "its compute mode forbids all use (nvidia-smi --compute-mode)"
	case registers == 0:
		return "it cannot pin memory of the host (cuMemHostRegister)"
	}
	if target, binary := l.compiler.target(capability, l.version); target == 0 {
		if binary {
			return fmt.Sprintf("%s is of CUDA %s, the driver knows %s, and it makes no binary code for compute capability %d.%d: name one of CUDA %s or before in %s",
				l.compiler.name, versionText(l.compiler.version), versionText(l.version), capability/10, capability%10, versionText(l.version), compilerVariable)
		}
		oldest := l.compiler.architectures[0]
		return fmt.Sprintf("%s compiles for compute capability %d.%d and later, it has %d.%d: name an older NVRTC in %s",
			l.compiler.name, oldest/10, oldest%10, capability/10, capability%10, compilerVariable)
	}
	return ""
}
