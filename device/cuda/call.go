//go:build !nogpu

package cuda

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Values of CUDA's header cuda.h.
const (
	contextBlockingSync = 4 // waiting threads sleep: the cores have rows to work on
	eventBlockingSync   = 1
	streamNonBlocking   = 1

	attributeGroupItems    = 1
	attributeShared        = 8
	attributeIntegrated    = 18
	attributeComputeMode   = 20
	attributeMajor         = 75
	attributeMinor         = 76
	attributeHostRegisters = 99

	computeModeProhibited = 2

	functionGroupItems = 0

	jitLog      = 5 // CU_JIT_ERROR_LOG_BUFFER
	jitLogBytes = 6

	codeOutOfMemory = 2

	jitLogMax = 16 << 10
)

// callError is a call that the driver refused.
type callError struct {
	call, name, text string
	code             int32
}

func (e *callError) Error() string {
	return fmt.Sprintf("%s: %s (%s, %d)", e.call, e.text, e.name, e.code)
}

// check turns a status into an error.
func (l *library) check(name string, status uintptr) error {
	code := int32(status)
	if code == 0 {
		return nil
	}
	e := &callError{call: name, code: code, name: "see cuda.h", text: "error"}
	var p uintptr
	if int32(call(l.errorName, uintptr(code), uintptr(unsafe.Pointer(&p)))) == 0 && p != 0 {
		e.name = textAt(p)
	}
	if int32(call(l.errorString, uintptr(code), uintptr(unsafe.Pointer(&p)))) == 0 && p != 0 {
		e.text = textAt(p)
	}
	return e
}

// call calls a function whose arguments are numbers and addresses of what the caller keeps.
//
//go:uintptrescapes
func call(function uintptr, arguments ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(function, arguments...)
	return r
}

// caller calls functions without allocating. One goroutine at a time uses it.
type caller struct {
	arguments [12]uintptr
}

func (c *caller) do(function uintptr, arguments ...uintptr) uintptr {
	n := copy(c.arguments[:], arguments)
	r, _, _ := purego.SyscallN(function, c.arguments[:n]...)
	return r
}

// pointerTo is a C address as a pointer.
func pointerTo(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// textAt copies a text of C.
func textAt(address uintptr) string {
	p, n := pointerTo(address), 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// attribute asks for a number about a device, 0 if the driver does not know it.
func (l *library) attribute(ordinal int32, name uintptr) int {
	var v int32
	if int32(call(l.deviceAttribute, uintptr(unsafe.Pointer(&v)), name, uintptr(ordinal))) != 0 {
		return 0
	}
	return int(v)
}

// newContext returns a context that is current nowhere. The calling goroutine is bound to
// its thread.
func (l *library) newContext(ordinal int32) (uintptr, error) {
	var context, popped uintptr
	if err := l.check("cuCtxCreate", call(l.contextCreate, uintptr(unsafe.Pointer(&context)), contextBlockingSync, uintptr(ordinal))); err != nil {
		return 0, err
	}
	return context, l.check("cuCtxPopCurrent", call(l.contextPop, uintptr(unsafe.Pointer(&popped))))
}

// loadModule loads what NVRTC made. log is what the driver's compiler said if it refused.
func (l *library) loadModule(image []byte) (module uintptr, log string, err error) {
	var pins runtime.Pinner // C writes it through an array of pointers
	defer pins.Unpin()
	text := make([]byte, jitLogMax)
	pins.Pin(&text[0])
	names := [2]int32{jitLog, jitLogBytes}
	values := [2]uintptr{address(&text[0]), uintptr(len(text))}
	status := call(l.moduleLoad, uintptr(unsafe.Pointer(&module)), uintptr(unsafe.Pointer(&image[0])), uintptr(len(names)), uintptr(unsafe.Pointer(&names[0])), uintptr(unsafe.Pointer(&values[0])))
	if err := l.check("cuModuleLoadDataEx", status); err != nil {
		return 0, zeroEnded(text), err
	}
	return module, "", nil
}

// function finds an entry point, and the most work items that a group of it can have.
func (l *library) function(module uintptr, name string) (f uintptr, items int, err error) {
	text := append([]byte(name), 0)
	if err := l.check("cuModuleGetFunction "+name, call(l.moduleFunction, uintptr(unsafe.Pointer(&f)), module, uintptr(unsafe.Pointer(&text[0])))); err != nil {
		return 0, 0, err
	}
	var n int32
	return f, int(n), l.check("cuFuncGetAttribute", call(l.functionAttribute, uintptr(unsafe.Pointer(&n)), functionGroupItems, f))
}
