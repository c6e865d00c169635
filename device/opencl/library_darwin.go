//go:build !nogpu

package opencl

import "github.com/ebitengine/purego"

var libraryNames = []string{"/System/Library/Frameworks/OpenCL.framework/OpenCL"}

const howToInstall = "this version of macOS has none"

func openLibrary(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
}
