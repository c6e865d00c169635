//go:build !nogpu

package cuda

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library holds the addresses of the driver's functions. Where a function has versions, the
// name in the library has a suffix that CUDA's header hides; the one without is of the time
// when sizes had 32 bits.
type library struct {
	name     string
	version  int // of CUDA that the driver knows: 12040 is 12.4
	compiler *compiler
	missing  error // why there is no compiler

	init, driverVersion, errorName, errorString              uintptr
	deviceCount, deviceGet, deviceName, deviceMemory         uintptr
	deviceAttribute                                          uintptr
	contextCreate, contextDestroy, contextPop, contextSet    uintptr
	moduleLoad, moduleUnload, moduleFunction                 uintptr
	functionAttribute, launchKernel                          uintptr
	streamCreate, streamDestroy, streamSynchronize           uintptr
	eventCreate, eventDestroy, eventRecord                   uintptr
	eventSynchronize, eventElapsed                           uintptr
	memoryAllocate, memoryFree, hostRegister, hostUnregister uintptr
	copyIn, copyOut, copyInAsync, copyOutAsync               uintptr
}

func (l *library) symbols() map[string]*uintptr {
	return map[string]*uintptr{
		"cuInit": &l.init, "cuDriverGetVersion": &l.driverVersion,
		"cuGetErrorName": &l.errorName, "cuGetErrorString": &l.errorString,
		"cuDeviceGetCount": &l.deviceCount, "cuDeviceGet": &l.deviceGet, "cuDeviceGetName": &l.deviceName,
		"cuDeviceTotalMem_v2": &l.deviceMemory, "cuDeviceGetAttribute": &l.deviceAttribute,
		"cuCtxCreate_v2": &l.contextCreate, "cuCtxDestroy_v2": &l.contextDestroy,
		"cuCtxPopCurrent_v2": &l.contextPop, "cuCtxSetCurrent": &l.contextSet,
		"cuModuleLoadDataEx": &l.moduleLoad, "cuModuleUnload": &l.moduleUnload, "cuModuleGetFunction": &l.moduleFunction,
		"cuFuncGetAttribute": &l.functionAttribute, "cuLaunchKernel": &l.launchKernel,
		"cuStreamCreate": &l.streamCreate, "cuStreamDestroy_v2": &l.streamDestroy, "cuStreamSynchronize": &l.streamSynchronize,
		"cuEventCreate": &l.eventCreate, "cuEventDestroy_v2": &l.eventDestroy, "cuEventRecord": &l.eventRecord,
		"cuEventSynchronize": &l.eventSynchronize, "cuEventElapsedTime": &l.eventElapsed,
		"cuMemAlloc_v2": &l.memoryAllocate, "cuMemFree_v2": &l.memoryFree,
		"cuMemHostRegister_v2": &l.hostRegister, "cuMemHostUnregister": &l.hostUnregister,
		"cuMemcpyHtoD_v2": &l.copyIn, "cuMemcpyDtoH_v2": &l.copyOut,
		"cuMemcpyHtoDAsync_v2": &l.copyInAsync, "cuMemcpyDtoHAsync_v2": &l.copyOutAsync,
	}
}

// bindSymbols looks up every function of a loaded library.
func bindSymbols(handle uintptr, symbols map[string]*uintptr) (err error) {
	for symbol, address := range symbols {
		if *address, err = purego.Dlsym(handle, symbol); err != nil {
			return fmt.Errorf("it lacks %s: %w", symbol, err)
		}
	}
	return nil
}

// Versions below these lack functions or symbols that are called.
const (
	driverVersionMin = 11000
	rtcVersionMin    = 11020 // the architectures it knows can be asked for
)

// loadLibrary loads and initialises the first of the named drivers that there is, and the
// compiler beside it, without which devices can only be listed. A loaded library is never
// unloaded: drivers have threads that would run into nothing.
func loadLibrary(drivers, compilers []string) (*library, error) {
	var reasons []error
	for _, name := range drivers {
		handle, err := openLibrary(name)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		l := &library{name: name}
		if err := bindSymbols(handle, l.symbols()); err != nil {
			return nil, fmt.Errorf("%s is too old, CUDA %s is needed: %w", name, versionText(driverVersionMin), err)
		}
		if err := l.check("cuInit", call(l.init, 0)); err != nil {
			return nil, fmt.Errorf("%s is there and does not start: %w", name, err)
		}
		var version int32
		if err := l.check("cuDriverGetVersion", call(l.driverVersion, uintptr(unsafe.Pointer(&version)))); err != nil {
			return nil, err
		}
		if l.version = int(version); l.version < driverVersionMin {
			return nil, fmt.Errorf("%s has CUDA %s, %s is needed: install a newer driver", name, versionText(l.version), versionText(driverVersionMin))
		}
		l.compiler, l.missing = loadCompiler(compilers, l.version)
		return l, nil
	}
	if len(drivers) == 0 {
		return nil, errors.New(howToInstall)
	}
	return nil, fmt.Errorf("no CUDA driver (%s); %s", listed(reasons), howToInstall)
}

// listed puts reasons on one line.
func listed(reasons []error) string {
	var texts []string
	for _, r := range reasons {
		texts = append(texts, r.Error())
	}
	return strings.Join(texts, "; ")
}

// driverVariable names the driver's library where it lies in no usual place.
const driverVariable = "MILLRACE_CUDA"

// theLibrary is the machine's driver and compiler, loaded when first asked for.
var theLibrary = sync.OnceValues(func() (*library, error) {
	if named := os.Getenv(driverVariable); named != "" {
		return loadLibrary([]string{named}, compilerNames())
	}
	return loadLibrary(driverNames, compilerNames())
})

// versionText writes a version as CUDA's headers number them.
func versionText(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// address is that of something pinned.
func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
