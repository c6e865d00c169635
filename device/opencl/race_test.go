//go:build race && !nogpu

package opencl

// raceDetector: under it pools lose what is put back, so allocations mean nothing.
const raceDetector = true
