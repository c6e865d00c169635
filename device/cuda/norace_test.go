//go:build !race && !nogpu

package cuda

const raceDetector = false
