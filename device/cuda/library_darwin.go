//go:build !nogpu

package cuda

import "github.com/ebitengine/purego"

var driverNames []string

const howToInstall = "NVIDIA has no driver for this version of macOS"

func openLibrary(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
}
