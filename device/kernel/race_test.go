//go:build race && !nogpu

package kernel_test

// raceDetector: under it pools lose what is put back, so allocations mean nothing.
const raceDetector = true
