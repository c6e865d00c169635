// Package kernel writes programs for devices: from a pipeline of the model to C in a
// dialect that OpenCL C and CUDA C++ both are, with a prelude of a few lines for each. On
// the path of a row it stands where a pipeline is prepared for a device, and around the
// device: it also copies a task's columns to pinned memory and reads results from there.
// Start at New, which makes a Pipeline of what an operator offers, and at NewSelection
// (filters and projections); NewAggregation (groups by pane), NewLookup (a table that stays
// on the device) and NewPairing (window joins) are built like it.
//
// # Rules of the dialect
//
// Shared arrays stand at the start of a kernel; no arguments of types that differ between
// host and device (size_t, bool); work items meet in uniform control flow only; every loop
// is bounded, every index checked against the number of rows, every division guarded;
// whole numbers wrap by unsigned arithmetic; nothing is contracted; atomics are of 32 bits,
// and what one work item of a launch writes another one reads only through them or behind
// MEET. What needs more - order of text, functions without one right result - is refused, with
// the reason, and stays on the CPU. Text that is compared or grouped by is numbers (texts.go).
//
// # Results do not depend on the device
//
// No sum depends on the order in which work items happen to run: rows keep their order by
// prefix sums, and groups are summed over fixed ranges of rows, merged in the order of the
// rows. So a program gives the same bits on every device.
package kernel
