//go:build race && !nogpu

package cuda

// raceDetector: under it pools lose what is put back, so allocations mean nothing.
const raceDetector = true
