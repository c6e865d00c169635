//go:build !race && !nogpu

package kernel_test

const raceDetector = false
