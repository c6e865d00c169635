//go:build !race && !nogpu

package opencl

const raceDetector = false
