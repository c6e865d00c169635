//go:build !nogpu

package cuda

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// compilerVariable names the compiler's library, or the folder it lies in.
const compilerVariable = "MILLRACE_NVRTC"

// compiler is NVRTC. It needs neither device nor driver.
type compiler struct {
	name          string
	version       int   // 12040 is 12.4
	architectures []int // that it compiles for, ascending: 90 is compute capability 9.0
	one           sync.Mutex

	errorText, versionOf, architectureCount, architectureList uintptr
	create, compileProgram, destroy, logBytes, log            uintptr
	virtualBytes, virtualCode, binaryBytes, binaryCode        uintptr
}

func (c *compiler) symbols() map[string]*uintptr {
	return map[string]*uintptr{
		"nvrtcGetErrorString": &c.errorText, "nvrtcVersion": &c.versionOf,
		"nvrtcGetNumSupportedArchs": &c.architectureCount, "nvrtcGetSupportedArchs": &c.architectureList,
		"nvrtcCreateProgram": &c.create, "nvrtcCompileProgram": &c.compileProgram, "nvrtcDestroyProgram": &c.destroy,
		"nvrtcGetProgramLogSize": &c.logBytes, "nvrtcGetProgramLog": &c.log,
		"nvrtcGetPTXSize": &c.virtualBytes, "nvrtcGetPTX": &c.virtualCode,
		"nvrtcGetCUBINSize": &c.binaryBytes, "nvrtcGetCUBIN": &c.binaryCode,
	}
}

// compilerNames are the places where the compiler may be, the likeliest first: those of
// toolkits, and of Python packages, which bring it without a toolkit.
func compilerNames() []string {
	if named := os.Getenv(compilerVariable); named != "" {
		if i, err := os.Stat(named); err == nil && i.IsDir() {
			return newestFirst(filepath.Join(named, "libnvrtc.so*"))
		}
		return []string{named}
	}
	names := []string{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"}
	home, _ := os.UserHomeDir()
	for _, folder := range []string{os.Getenv("CUDA_HOME"), os.Getenv("CUDA_PATH"), "/usr/local/cuda", "/usr/local/cuda-*", "/opt/cuda"} {
		if folder != "" {
			names = append(names, newestFirst(filepath.Join(folder, "lib64", "libnvrtc.so*"))...)
		}
	}
	for _, folder := range []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX"), filepath.Join(home, ".local"), "/usr/local", "/usr"} {
		if folder == "" {
			continue
		}
		names = append(names, newestFirst(filepath.Join(folder, "lib", "libnvrtc.so*"))...)
		for _, packages := range []string{"site-packages", "dist-packages"} {
			names = append(names, newestFirst(filepath.Join(folder, "lib", "python3*", packages, "nvidia", "*", "lib", "libnvrtc.so*"))...)
		}
	}
	return names
}

func newestFirst(pattern string) []string {
	found, _ := filepath.Glob(pattern) // fails for a malformed pattern only
	slices.Sort(found)
	slices.Reverse(found)
	return found
}

// loadCompiler loads the first of the named compilers whose code a driver of a version
// takes: one of a later major version makes what it does not know.
func loadCompiler(names []string, driver int) (*compiler, error) {
	var reasons []error
	for _, name := range names {
		handle, err := openLibrary(name)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		c := &compiler{name: name}
		if err := bindSymbols(handle, c.symbols()); err != nil {
			reasons = append(reasons, fmt.Errorf("%s is too old, %s is needed: %w", name, versionText(rtcVersionMin), err))
			continue
		}
		if err := c.describe(); err != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if c.version/1000 > driver/1000 {
			reasons = append(reasons, fmt.Errorf("%s is of CUDA %s, the driver knows %s", name, versionText(c.version), versionText(driver)))
			continue
		}
		return c, nil
	}
	pip := "nvidia-cuda-nvrtc" // since 13 without the version in its name
	if driver < 13000 {
		pip = fmt.Sprintf("nvidia-cuda-nvrtc-cu%d", driver/1000)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no compiler NVRTC where %s says", compilerVariable)
	}
	return nil, fmt.Errorf("no compiler NVRTC (%s); install it (pip install %s) and name its library in %s", listed(reasons), pip, compilerVariable)
}

func (c *compiler) describe() error {
	var major, minor, n int32
	if err := c.check("nvrtcVersion", call(c.versionOf, uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor)))); err != nil {
		return err
	}
	c.version = int(1000*major + 10*minor)
	if err := c.check("nvrtcGetNumSupportedArchs", call(c.architectureCount, uintptr(unsafe.Pointer(&n)))); err != nil {
		return err
	}
	if n <= 0 {
		return errors.New("it compiles for no architecture")
	}
	list := make([]int32, n)
	if err := c.check("nvrtcGetSupportedArchs", call(c.architectureList, uintptr(unsafe.Pointer(&list[0])))); err != nil {
		return err
	}
	for _, a := range list {
		c.architectures = append(c.architectures, int(a))
	}
	slices.Sort(c.architectures)
	return nil
}

func (c *compiler) check(name string, status uintptr) error {
	code := int32(status)
	if code == 0 {
		return nil
	}
	text := "error"
	if p := call(c.errorText, uintptr(code)); p != 0 {
		text = textAt(p)
	}
	return &callError{call: name, name: "NVRTC", text: text, code: code}
}

// target is the architecture to compile for, for a device of a compute capability and its
// driver; 0 if there is none. Code for a virtual one is finished by the driver and runs on
// later devices, too, but a driver reads only what is as old as itself; then it has to be
// binary code, for just this device.
func (c *compiler) target(capability, driver int) (architecture int, binary bool) {
	if c.version > driver {
		if slices.Contains(c.architectures, capability) {
			return capability, true
		}
		return 0, true
	}
	for _, a := range c.architectures {
		if a <= capability {
			architecture = a
		}
	}
	return architecture, false
}

// options make floats mean what IEEE 754 says: nothing is contracted or approximated.
func options(architecture int, binary bool) []string {
	kind := "compute"
	if binary {
		kind = "sm"
	}
	return []string{fmt.Sprintf("--gpu-architecture=%s_%d", kind, architecture), "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"}
}

// compile compiles source. log is what the compiler said if it refused.
func (c *compiler) compile(source string, architecture int, binary bool) (image []byte, log string, err error) {
	c.one.Lock() // some versions compile one program at a time
	defer c.one.Unlock()
	var pins runtime.Pinner // C reads options through an array of pointers
	defer pins.Unpin()
	var list []uintptr
	for _, o := range options(architecture, binary) {
		text := append([]byte(o), 0)
		pins.Pin(&text[0])
		list = append(list, address(&text[0]))
	}
	text, name := append([]byte(source), 0), []byte("program.cu\x00")
	var program uintptr
	if err := c.check("nvrtcCreateProgram", call(c.create, uintptr(unsafe.Pointer(&program)), uintptr(unsafe.Pointer(&text[0])), uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)); err != nil {
		return nil, "", err
	}
	defer func() { call(c.destroy, uintptr(unsafe.Pointer(&program))) }()
	if err := c.check("nvrtcCompileProgram", call(c.compileProgram, program, uintptr(len(list)), uintptr(unsafe.Pointer(&list[0])))); err != nil {
		said, _ := c.read("nvrtcGetProgramLog", c.logBytes, c.log, program) // the reason is err
		return nil, zeroEnded(said), err
	}
	if binary {
		image, err = c.read("nvrtcGetCUBIN", c.binaryBytes, c.binaryCode, program)
	} else {
		image, err = c.read("nvrtcGetPTX", c.virtualBytes, c.virtualCode, program)
	}
	if err == nil && len(image) == 0 {
		err = errors.New("nvrtcCompileProgram: nothing came out")
	}
	return image, "", err
}

// read asks for the size of something of a program, and then for it.
func (c *compiler) read(name string, sizeOf, get, program uintptr) ([]byte, error) {
	var n uintptr
	if err := c.check(name, call(sizeOf, program, uintptr(unsafe.Pointer(&n)))); err != nil || n == 0 {
		return nil, err
	}
	b := make([]byte, n)
	return b, c.check(name, call(get, program, uintptr(unsafe.Pointer(&b[0]))))
}

// zeroEnded is the text before the first zero.
func zeroEnded(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return strings.TrimSpace(string(before))
}
