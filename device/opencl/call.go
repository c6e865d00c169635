//go:build !nogpu

package opencl

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Values of the OpenCL headers.
const (
	deviceTypeAll = 0xFFFFFFFF

	queueProfiling = 1 << 1

	memReadWrite    = 1 << 0
	memAllocHostPtr = 1 << 4

	mapRead  = 1 << 0
	mapWrite = 1 << 1

	programBuildLog = 0x1183

	kernelWorkGroupSize = 0x11B0

	profilingStart = 0x1282
	profilingEnd   = 0x1283
)

// callError is a call that OpenCL refused.
type callError struct {
	call string
	code int32
}

var errorNames = map[int32]string{
	-1: "device not found", -2: "device not available", -3: "compiler not available",
	-4: "memory object allocation failure", -5: "out of resources", -6: "out of host memory",
	-11: "build program failure", -12: "map failure", -14: "a command waited for failed",
	-30: "invalid value", -33: "invalid device", -34: "invalid context", -36: "invalid command queue",
	-38: "invalid memory object", -45: "invalid program executable", -46: "invalid kernel name",
	-48: "invalid kernel", -49: "invalid argument index", -50: "invalid argument value",
	-51: "invalid argument size", -52: "invalid kernel arguments", -54: "invalid work group size",
	-58: "invalid event", -59: "invalid operation", -61: "invalid buffer size",
	-1001: "no platform is installed (ICD)",
}

func (e *callError) Error() string {
	name := errorNames[e.code]
	if name == "" {
		name = "see cl.h"
	}
	return fmt.Sprintf("%s: %s (%d)", e.call, name, e.code)
}

// check turns a status into an error.
func check(call string, status uintptr) error {
	if code := int32(status); code != 0 {
		return &callError{call, code}
	}
	return nil
}

// pointerTo is a C address as a pointer.
func pointerTo(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// platforms returns the installed platforms.
func (l *library) platforms() ([]uintptr, error) {
	var n uint32
	r, _, _ := purego.SyscallN(l.getPlatformIDs, 0, 0, uintptr(unsafe.Pointer(&n)))
	if err := check("clGetPlatformIDs", r); err != nil || n == 0 {
		return nil, err
	}
	ids := make([]uintptr, n)
	r, _, _ = purego.SyscallN(l.getPlatformIDs, uintptr(n), uintptr(unsafe.Pointer(&ids[0])), 0)
	return ids, check("clGetPlatformIDs", r)
}

// devices returns a platform's devices of every type.
func (l *library) devices(platform uintptr) ([]uintptr, error) {
	var n uint32
	r, _, _ := purego.SyscallN(l.getDeviceIDs, platform, deviceTypeAll, 0, 0, uintptr(unsafe.Pointer(&n)))
	if err := check("clGetDeviceIDs", r); err != nil || n == 0 {
		return nil, err
	}
	ids := make([]uintptr, n)
	r, _, _ = purego.SyscallN(l.getDeviceIDs, platform, deviceTypeAll, uintptr(n), uintptr(unsafe.Pointer(&ids[0])), 0)
	return ids, check("clGetDeviceIDs", r)
}

// info asks one of the clGet..Info functions that take an object and a name. What the
// driver does not know is nil.
func info(function, object uintptr, name uintptr) []byte {
	var n uintptr
	r, _, _ := purego.SyscallN(function, object, name, 0, 0, uintptr(unsafe.Pointer(&n)))
	if int32(r) != 0 || n == 0 {
		return nil
	}
	b := make([]byte, n)
	if r, _, _ = purego.SyscallN(function, object, name, n, uintptr(unsafe.Pointer(&b[0])), 0); int32(r) != 0 {
		return nil
	}
	return b
}

func infoText(function, object, name uintptr) string {
	return strings.TrimSpace(strings.TrimRight(string(info(function, object, name)), "\x00"))
}

// infoNumber reads a number of any width.
func infoNumber(function, object, name uintptr) uint64 {
	var v uint64
	for i, b := range info(function, object, name) {
		if i < 8 {
			v |= uint64(b) << (8 * i)
		}
	}
	return v
}

// newContext returns a context of one device.
func (l *library) newContext(device uintptr) (uintptr, error) {
	var status int32
	r, _, _ := purego.SyscallN(l.createContext, 0, 1, uintptr(unsafe.Pointer(&device)), 0, 0, uintptr(unsafe.Pointer(&status)))
	return r, check("clCreateContext", uintptr(status))
}

// newQueue returns an in-order queue whose commands are timed.
func (l *library) newQueue(context, device uintptr) (uintptr, error) {
	var status int32
	r, _, _ := purego.SyscallN(l.createQueue, context, device, queueProfiling, uintptr(unsafe.Pointer(&status)))
	return r, check("clCreateCommandQueue", uintptr(status))
}

// newBuffer returns a buffer of size bytes.
func (l *library) newBuffer(context uintptr, flags uintptr, size int) (uintptr, error) {
	var status int32
	r, _, _ := purego.SyscallN(l.createBuffer, context, flags, uintptr(size), 0, uintptr(unsafe.Pointer(&status)))
	return r, check("clCreateBuffer", uintptr(status))
}

// mapBuffer maps a whole buffer and waits until it is: the memory belongs to the driver.
func (l *library) mapBuffer(queue, buffer uintptr, size int) ([]byte, error) {
	var status int32
	r, _, _ := purego.SyscallN(l.enqueueMap, queue, buffer, 1, mapRead|mapWrite, 0, uintptr(size), 0, 0, 0, uintptr(unsafe.Pointer(&status)))
	if err := check("clEnqueueMapBuffer", uintptr(status)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(pointerTo(r)), size), nil
}

func (l *library) unmapBuffer(queue, buffer uintptr, memory []byte) error {
	r, _, _ := purego.SyscallN(l.enqueueUnmap, queue, buffer, uintptr(unsafe.Pointer(&memory[0])), 0, 0, 0)
	return check("clEnqueueUnmapMemObject", r)
}

// build compiles source for a device. log is what the compiler said if it refused.
func (l *library) build(context, device uintptr, source, options string) (program uintptr, log string, err error) {
	text, flags := append([]byte(source), 0), append([]byte(options), 0)
	var pins runtime.Pinner
	pins.Pin(&text[0]) // C reads it through an array of pointers
	defer pins.Unpin()
	lines := []uintptr{uintptr(unsafe.Pointer(&text[0]))}
	var status int32
	program, _, _ = purego.SyscallN(l.createProgram, context, 1, uintptr(unsafe.Pointer(&lines[0])), 0, uintptr(unsafe.Pointer(&status)))
	if err := check("clCreateProgramWithSource", uintptr(status)); err != nil {
		return 0, "", err
	}
	r, _, _ := purego.SyscallN(l.buildProgram, program, 1, uintptr(unsafe.Pointer(&device)), uintptr(unsafe.Pointer(&flags[0])), 0, 0)
	if err := check("clBuildProgram", r); err != nil {
		log := l.buildLog(program, device)
		l.release(l.releaseProgram, program)
		return 0, log, err
	}
	return program, "", nil
}

func (l *library) buildLog(program, device uintptr) string {
	var n uintptr
	r, _, _ := purego.SyscallN(l.getBuildInfo, program, device, programBuildLog, 0, 0, uintptr(unsafe.Pointer(&n)))
	if int32(r) != 0 || n == 0 {
		return ""
	}
	b := make([]byte, n)
	r, _, _ = purego.SyscallN(l.getBuildInfo, program, device, programBuildLog, n, uintptr(unsafe.Pointer(&b[0])), 0)
	if int32(r) != 0 {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}

// newKernel returns an object for a kernel of a program. It holds arguments and so
// belongs to one slot.
func (l *library) newKernel(program uintptr, name string) (uintptr, error) {
	text := append([]byte(name), 0)
	var status int32
	r, _, _ := purego.SyscallN(l.createKernel, program, uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&status)))
	return r, check("clCreateKernel "+name, uintptr(status))
}

// workGroupNumber asks for a number about a kernel on a device.
func (l *library) workGroupNumber(kernel, device uintptr, name uintptr) uint64 {
	var n uint64
	r, _, _ := purego.SyscallN(l.getWorkGroupInfo, kernel, device, name, 8, uintptr(unsafe.Pointer(&n)), 0)
	if int32(r) != 0 {
		return 0
	}
	return n
}

// release gives an object back with the function for its kind. Objects are counted by
// the driver, so that one in use goes when its user does; a failure can only mean that
// it is gone already.
func (l *library) release(function, object uintptr) {
	if object != 0 {
		purego.SyscallN(function, object)
	}
}
