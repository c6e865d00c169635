//go:build !nogpu

package opencl

import (
	"errors"
	"fmt"
	"sync"

	"github.com/ebitengine/purego"
)

// library holds the addresses of the functions of a loaded OpenCL library. All of them
// are in version 1.2; clCreateCommandQueue is deprecated since 2.0, but the only one that
// every version has.
type library struct {
	name string

	getPlatformIDs, getPlatformInfo, getDeviceIDs, getDeviceInfo uintptr
	createContext, releaseContext                                uintptr
	createQueue, releaseQueue, flush, finish                     uintptr
	createProgram, buildProgram, getBuildInfo, releaseProgram    uintptr
	createKernel, setKernelArg, getWorkGroupInfo, releaseKernel  uintptr
	createBuffer, releaseMemObject                               uintptr
	enqueueWrite, enqueueRead, enqueueKernel                     uintptr
	enqueueMap, enqueueUnmap                                     uintptr
	waitForEvents, getEventProfilingInfo, releaseEventObject     uintptr
}

func (l *library) symbols() map[string]*uintptr {
	return map[string]*uintptr{
		"clGetPlatformIDs": &l.getPlatformIDs, "clGetPlatformInfo": &l.getPlatformInfo,
		"clGetDeviceIDs": &l.getDeviceIDs, "clGetDeviceInfo": &l.getDeviceInfo,
		"clCreateContext": &l.createContext, "clReleaseContext": &l.releaseContext,
		"clCreateCommandQueue": &l.createQueue, "clReleaseCommandQueue": &l.releaseQueue,
		"clFlush": &l.flush, "clFinish": &l.finish,
		"clCreateProgramWithSource": &l.createProgram, "clBuildProgram": &l.buildProgram,
		"clGetProgramBuildInfo": &l.getBuildInfo, "clReleaseProgram": &l.releaseProgram,
		"clCreateKernel": &l.createKernel, "clSetKernelArg": &l.setKernelArg,
		"clGetKernelWorkGroupInfo": &l.getWorkGroupInfo, "clReleaseKernel": &l.releaseKernel,
		"clCreateBuffer": &l.createBuffer, "clReleaseMemObject": &l.releaseMemObject,
		"clEnqueueWriteBuffer": &l.enqueueWrite, "clEnqueueReadBuffer": &l.enqueueRead,
		"clEnqueueNDRangeKernel": &l.enqueueKernel,
		"clEnqueueMapBuffer":     &l.enqueueMap, "clEnqueueUnmapMemObject": &l.enqueueUnmap,
		"clWaitForEvents":         &l.waitForEvents,
		"clGetEventProfilingInfo": &l.getEventProfilingInfo, "clReleaseEvent": &l.releaseEventObject,
	}
}

// loadLibrary loads the first of the named libraries that there is. A loaded library is
// never unloaded: drivers have threads that would run into nothing.
func loadLibrary(names []string) (*library, error) {
	var reasons []error
	for _, name := range names {
		handle, err := openLibrary(name)
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		l := &library{name: name}
		for symbol, address := range l.symbols() {
			if *address, err = purego.Dlsym(handle, symbol); err != nil {
				return nil, fmt.Errorf("%s lacks %s: OpenCL 1.2 is needed: %w", name, symbol, err)
			}
		}
		return l, nil
	}
	return nil, fmt.Errorf("no OpenCL library (%w); %s", errors.Join(reasons...), howToInstall)
}

// theLibrary is the machine's OpenCL library, loaded when first asked for.
var theLibrary = sync.OnceValues(func() (*library, error) { return loadLibrary(libraryNames) })
