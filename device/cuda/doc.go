// Package cuda runs programs on NVIDIA GPUs: device.Device over the driver's library and the
// run-time compiler NVRTC, both loaded at run time, without cgo. On the path of a row it is
// one of the places where a task is executed. Start at Find and Open; call.go holds the raw
// calls, nvrtc.go the compiler.
//
// # Why it looks as it does
//
// CUDA keeps the context of a call in the operating system's thread, and a goroutine moves
// between threads. One thread for all calls would hold up every task behind a Wait, and cost
// two switches a call. So each method binds its goroutine to the thread it is on, makes the
// context current and lets go at the end: some hundred nanoseconds a method.
//
// A slot has a stream of its own: order within a task needs nothing else, and tasks of
// different slots overlap as the device can. Its streams do not wait for the default stream
// (CU_STREAM_NON_BLOCKING), so moves of resident buffers, which go there, end with a
// synchronisation of it: a copy from pageable memory returns when it is staged, not when it
// has arrived. Events between the stages take the times. A stage's time so includes what it
// waited for a copy engine that another slot had. Results whose size the kernels decide are
// read in a second step, when the first output has told it.
//
// An error of a kernel sticks to its context: every later call returns it. Only destroying
// the context helps, and destroying it takes the memory that was allocated through it along,
// also the host's. The contract lets callers touch a slot's memory until they free it, long
// after a reset. Therefore the host's side is our own memory, pinned by
// cuMemHostRegister, not the driver's of cuMemHostAlloc.
//
// A context must not be destroyed under a call that uses it, and a kernel that hangs keeps
// such a call for ever. So calls are counted. Reset destroys the context when nobody is
// inside; it waits for resetPatience, and then leaves that to the last one to come out. A
// kernel that never ends costs its context's memory, and the new context shares the device
// with it. Some errors leave the process without CUDA until it ends (the driver's manual says
// so of all that stick); then Reset fails, and device.Processor gives the device up.
//
// Invariants:
//
//  1. No memory of Go's heap is handed to an asynchronous call. Input and Output are mapped
//     memory outside of it, registered for as long as the slot lives.
//  2. Every call that needs a context is made between enter and leave of its generation,
//     which hold the goroutine on its thread.
//  3. A context is destroyed once, when it is retired and nobody is inside. Nobody enters a
//     generation that is over.
//  4. A slot's host memory is unmapped when the driver no longer knows it: after it was
//     unregistered, or after its context is gone.
//  5. A task in steady state allocates nothing: what calls read and write lies in the slot.
//  6. Memory is counted against a budget when it is asked for.
package cuda
