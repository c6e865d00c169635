//go:build !nogpu

package opencl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/millrace/millrace/device"
)

// Names of the OpenCL headers for clGetDeviceInfo and clGetPlatformInfo.
const (
	platformName = 0x0902

	infoType           = 0x1000
	infoGroupItems     = 0x1004
	infoAllocationMax  = 0x1010
	infoSingleFloats   = 0x101B
	infoMemory         = 0x101F
	infoShared         = 0x1023
	infoLittleEndian   = 0x1026
	infoAvailable      = 0x1027
	infoCompiler       = 0x1028
	infoName           = 0x102B
	infoVendor         = 0x102C
	infoDriver         = 0x102D
	infoVersion        = 0x102F
	infoExtensions     = 0x1030
	infoDoubleFloats   = 0x1032
	infoUnified        = 0x1035
	typeCPU            = 1 << 1
	typeGPU            = 1 << 2
	floatDenormals     = 1 << 0
	floatInfinities    = 1 << 1
	floatRoundsNearest = 1 << 2
	floatsNeeded       = floatDenormals | floatInfinities | floatRoundsNearest
)

// Found is a device of the machine.
type Found struct {
	device.Info
	Platform string // whose driver it is
	Unusable string // why programs cannot run on it, empty if they can

	id           uintptr
	exactSingles bool // its singles round, and have denormals, as IEEE 754 wants it
}

// Find lists the machine's OpenCL devices in the order of platforms and devices, which is
// what the numbers in their IDs count. The error says why there is none: no library, no
// driver, or a driver without a device.
func Find() ([]Found, error) {
	l, err := theLibrary()
	if err != nil {
		return nil, err
	}
	return l.find()
}

func (l *library) find() ([]Found, error) {
	platforms, err := l.platforms()
	if len(platforms) == 0 {
		if err == nil {
			err = errors.New("it names no platform")
		}
		return nil, fmt.Errorf("%s is there, but no driver is (%w); install the GPU vendor's OpenCL driver", l.name, err)
	}
	var found []Found
	var reasons []error
	for _, p := range platforms {
		name := infoText(l.getPlatformInfo, p, platformName)
		ids, err := l.devices(p)
		if err != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", name, err))
		}
		for _, id := range ids {
			found = append(found, l.describe(id, name, len(found)))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no OpenCL device (%w)", errors.Join(reasons...))
	}
	return found, nil
}

func (l *library) describe(id uintptr, platform string, number int) Found {
	text := func(name uintptr) string { return infoText(l.getDeviceInfo, id, name) }
	value := func(name uintptr) uint64 { return infoNumber(l.getDeviceInfo, id, name) }
	extensions := strings.Fields(text(infoExtensions))
	has := func(extension string) bool {
		for _, e := range extensions {
			if e == extension {
				return true
			}
		}
		return false
	}
	f := Found{id: id, Platform: platform, exactSingles: value(infoSingleFloats)&floatsNeeded == floatsNeeded, Info: device.Info{
		ID: fmt.Sprintf("opencl:%d", number), Kind: kindOf(value(infoType)),
		Name: text(infoName), Vendor: text(infoVendor), Driver: strings.TrimSpace(text(infoVersion) + " " + text(infoDriver)),
		MemoryBytes: int64(value(infoMemory)), AllocationBytesMax: int64(value(infoAllocationMax)),
		SharedBytes: int(value(infoShared)), GroupItemsMax: int(value(infoGroupItems)),
		FP64:         value(infoDoubleFloats)&floatsNeeded == floatsNeeded,
		Int64Atomics: has("cl_khr_int64_base_atomics") && has("cl_khr_int64_extended_atomics"),
		Unified:      value(infoUnified) != 0,
	}}
	f.Unusable = unusable(text(infoVersion), value(infoAvailable), value(infoCompiler), value(infoLittleEndian))
	return f
}

func kindOf(deviceType uint64) device.Kind {
	switch {
	case deviceType&typeGPU != 0:
		return device.GPU
	case deviceType&typeCPU != 0:
		return device.CPU
	default:
		return device.Accelerator
	}
}

// unusable says why a device cannot run programs. Its version reads "OpenCL 1.2 ...".
func unusable(version string, available, compiler, littleEndian uint64) string {
	var major, minor int
	_, err := fmt.Sscanf(version, "OpenCL %d.%d", &major, &minor)
	switch {
	case err != nil:
		return fmt.Sprintf("its version %q is not one of OpenCL", version)
	case major < 1 || major == 1 && minor < 2:
		return fmt.Sprintf("it has OpenCL %d.%d, 1.2 is needed", major, minor)
	case available == 0:
		return "the driver says that it is not available"
	case compiler == 0:
		return "its driver has no compiler"
	case littleEndian == 0:
		return "it is big-endian, columns are not"
	}
	return ""
}
