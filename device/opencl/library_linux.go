//go:build !nogpu

package opencl

import "github.com/ebitengine/purego"

var libraryNames = []string{"libOpenCL.so.1", "libOpenCL.so"}

const howToInstall = "install the GPU vendor's driver and the loader (Debian: ocl-icd-libopencl1)"

func openLibrary(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
}
