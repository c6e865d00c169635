// Package vector has the loops over plain slices that cost most: comparisons to bitmaps,
// compaction by a bitmap, sums, extremes, arithmetic and tests of order.
//
// Every function exists in plain Go and, for those that the compiler leaves far from
// what a core can do, as generated AVX2 (folder generate), which is used where the
// processor has it. Both give the same result in every bit that is specified.
//
// Conventions. Slices may start anywhere and have any length. The first argument that
// holds values decides how many there are; other inputs and outputs must be as long and
// are sliced to it, so a shorter one panics. Bitmaps are words of 64 bits, least
// significant first; those that are written have zeros behind the last row. Nothing is
// written outside of the slices given. Values compare as in SQL here: NaN equals NaN and
// is greater than every other number, -0 equals 0. Nothing allocates, nothing keeps its
// arguments, and all functions are safe for concurrent use on distinct outputs.
package vector

import (
	"os"
	"sync/atomic"
)

//go:generate go run -C generate . -out ../kernel_amd64.s -stubs ../kernel_amd64.go -pkg vector

// Number are the types of values.
type Number interface {
	int32 | int64 | float32 | float64
}

// Test is a comparison of a value on the left with one on the right.
type Test uint8

// The comparisons.
const (
	Equal Test = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
)

// Switch is the environment variable that, set to "off", leaves the plain Go versions.
const Switch = "MILLRACE_VECTOR"

// enabled tells whether vector instructions are used.
var enabled atomic.Bool

func init() { Enable(os.Getenv(Switch) != "off") }

// Enable turns the use of vector instructions on, as far as the processor has them, or
// off. It returns what was in force before. Tests use it to compare; results do not
// depend on it.
func Enable(on bool) (was bool) { return enabled.Swap(on && supported) }

// Enabled reports whether vector instructions are in use.
func Enabled() bool { return enabled.Load() }

// words is the number of words that n bits need.
func words(n int) int { return (n + 63) >> 6 }

// first is a word with the lowest n bits set, n in [0, 64).
func first(n int) uint64 { return 1<<(uint(n)&63) - 1 }
