// Package opencl runs programs on OpenCL 1.2 devices of any vendor: device.Device over a
// library that is loaded at run time, without cgo. On the path of a row it is one of the
// places where a task is executed. Start at Find and Open; call.go holds the raw calls.
//
// # Why it looks as it does
//
// The library is loaded by name, so that one binary runs with and without a GPU. Calls go
// through purego.SyscallN with addresses as numbers: some 100 ns each, and a task makes ten
// to twenty.
//
// A slot has an in-order queue of its own. Order within a task then needs no events, tasks
// of different slots overlap as the device can, and events remain for what they are good
// at: waiting and timing. Results whose size the kernels decide are read in a second step,
// when the first output has told it.
//
// Invariants:
//
//  1. No memory of Go's heap is handed to a call that returns before it has used it. Input
//     and Output are buffers of the driver, mapped for as long as the slot lives; what is
//     moved is copied between them and buffers of the device.
//  2. A kernel object holds arguments, so each slot makes its own.
//  3. A task in steady state allocates nothing: what calls write to (events, sizes) are
//     fields of the slot.
//  4. Everything made belongs to the generation of its device, a context. The context goes
//     when the last of its objects does. Reset abandons a generation and begins another;
//     objects of the old one fail with ErrLost, and still have to be freed.
//  5. Memory is counted against a budget when it is asked for. Drivers promise what they do
//     not have.
package opencl
