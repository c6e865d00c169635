// Package device is the contract of processors beside the CPU: GPUs and other
// accelerators, loaded at run time, each with memory of its own. On the path of a row it
// stands where a task is executed: the engine's scheduler gives a task to a device, a
// Pipeline moves it there, runs a Kernel and moves the result back. Start at Device;
// implementations are folders below this one.
package device

import (
	"encoding/binary"
	"errors"
	"time"
)

// Kind is what a device is.
type Kind uint8

// The kinds.
const (
	GPU         Kind = iota
	CPU              // an accelerator interface that runs on the CPU's cores
	Accelerator      // neither: an FPGA or a custom processor
	Simulated        // modelled time, results by Go functions
)

func (k Kind) String() string {
	return [...]string{"GPU", "CPU", "accelerator", "simulated"}[k]
}

// Info is what is known of a device without running anything on it.
type Info struct {
	ID                   string // backend and number, as in annotations: opencl:0
	Kind                 Kind
	Name, Vendor, Driver string
	MemoryBytes          int64
	AllocationBytesMax   int64
	SharedBytes          int           // memory that a work group shares
	GroupItemsMax        int           // work items in a work group
	FP64                 bool          // computes in double precision
	Int64Atomics         bool          // 64-bit atomic operations
	Unified              bool          // shares the host's memory: nothing has to be moved
	Precompiled          bool          // takes programs made ahead of time, by Program.Key
	LoadTime             time.Duration // how long loading a program takes about; long where Precompiled
	OneProgram           bool          // holds one program at a time: every Kernel is a Loader
}

// Failures. Of these only ErrNoMemory leaves the device in use: fewer slots will do.
var (
	ErrNoMemory = errors.New("no memory left on the device")
	ErrLost     = errors.New("the device is lost")           // its tasks are run elsewhere; Reset
	ErrTimeout  = errors.New("the device does not answer")   // as lost: a kernel cannot be stopped
	ErrClosed   = errors.New("the device is no longer used") // after Close
)

// Refusal says why a device does not take a program. The query then runs on the CPU, and
// EXPLAIN, metrics and log give the reason.
type Refusal struct {
	Device string // Info.ID
	Reason string // in words: "needs double precision"
	Log    string // the compiler's, may be empty
}

func (r *Refusal) Error() string { return r.Device + " refuses: " + r.Reason }

// Program is a pipeline of operators as something a device can run: kernels in the common
// C dialect (see package kernel) and the order to launch them. It is immutable.
type Program struct {
	Key      string   // names the program in caches, statistics and precompiled sets
	Source   string   // C, before the backend's prelude is put in front
	Launches []Launch // run in this order, each sees the writes of those before
	Outputs  []Extent // bytes of each output buffer to move out
	Resident int      // number of resident buffers that a Call must bring
	Mutable  []bool   // of each resident buffer, whether the kernels write it; nil: none

	// Host computes what the launches do, for devices without a compiler. A nil Host is
	// refused by them.
	Host func(b *Buffers) error
}

// Launch runs one entry point over a one-dimensional range of work items.
type Launch struct {
	Entry string
	Items Extent // work items, rounded up to a multiple of Group
	Group int    // work items per work group; 0: the backend's choice
	Args  []Arg  // in the order of the entry point's parameters
}

// ArgKind is where an argument comes from.
type ArgKind uint8

// Buffers are passed as pointers to global memory, scalars by value.
const (
	InputArg ArgKind = iota
	OutputArg
	TemporaryArg
	ResidentArg
	Int32Arg   // Call.Scalars[Index], its low 32 bits
	Int64Arg   // Call.Scalars[Index]
	Float64Arg // Call.Scalars[Index] as the bits of a double
)

// Arg is one argument: buffer or scalar number Index of its kind.
type Arg struct {
	Kind  ArgKind
	Index int
}

// Extent is an amount that may depend on the task: Fixed, plus ceil(n*Each/Per) where n is
// Call.Scalars[Scalar]; Per 0 counts as 1. If Counted, n is instead the int32 number Scalar
// (from 0) of output buffer 0, as the kernels left it. Only Outputs other than the first may
// be counted. An amount is never more than the buffer.
type Extent struct {
	Fixed   int
	Each    int
	Per     int
	Scalar  int
	Counted bool
}

// Of is the amount for n.
func (e Extent) Of(n int64) int {
	return e.Fixed + int((n*int64(e.Each)+int64(max(e.Per, 1))-1)/int64(max(e.Per, 1)))
}

// Bytes is an output's amount after a run: no more than its buffer's size, which for a
// counted one was read from output 0 of the slot.
func (e Extent) Bytes(c *Call, s Slot, size int) int {
	n := int64(0)
	switch {
	case e.Counted:
		n = int64(int32(binary.NativeEndian.Uint32(s.Output(0)[4*e.Scalar:])))
	case e.Each != 0:
		n = c.Scalars[e.Scalar]
	}
	return min(max(e.Of(n), 0), size)
}

// Sizes are the bytes of a slot's buffers, numbered from 0 in each of the three kinds. A
// kernel finds in temporary buffers and outputs whatever an earlier task left there.
type Sizes struct {
	Input, Output, Temporary []int
}

// Total is the memory that a slot takes on the device, in bytes.
func (s Sizes) Total() int64 {
	var n int64
	for _, list := range [][]int{s.Input, s.Output, s.Temporary} {
		for _, b := range list {
			n += int64(b)
		}
	}
	return n
}

// Call is what one run of a kernel gets beside its slot. The caller owns it and leaves it
// alone from Run until Wait has returned.
type Call struct {
	InputBytes []int // of each input buffer, the bytes to move in
	Scalars    []int64
	Resident   []Resident
}

// Buffers is what Program.Host works on: the whole buffers of a slot, of the resident
// state, and the call.
type Buffers struct {
	Input, Output, Temporary, Resident [][]byte
	Call                               *Call
}

// Device is one accelerator, opened. Its methods may be called from several goroutines.
// After ErrLost or ErrTimeout from anything it made, Reset is the only call that helps.
type Device interface {
	Info() Info

	// Compile makes a program runnable. A device that cannot run it returns a *Refusal;
	// any other error is the device's. May take as long as Info.LoadTime and seconds more.
	Compile(p *Program) (Kernel, error)

	// NewSlot allocates the buffers of one task in flight. ErrNoMemory: none now.
	NewSlot(s Sizes) (Slot, error)

	// NewResident allocates memory that stays on the device between tasks.
	NewResident(bytes int) (Resident, error)

	// Reset brings a lost or hung device back to where it was after opening. Every kernel,
	// slot and resident buffer made before is void: a Wait under way returns ErrLost or, if
	// the driver never comes back, does not return. They are still to be freed, which gives
	// back what of them the host holds.
	Reset() error

	// Close ends all use. What is in flight ends with ErrClosed or ErrLost. What was made
	// may be freed before or after.
	Close() error
}

// Kernel is a compiled program. It may be run on several slots at the same time.
type Kernel interface {
	Program() *Program
	Free() // when no slot runs it any more
}

// Loader is a kernel of a device that holds one program at a time (Info.OneProgram), as an
// FPGA does. Compile only prepares it there.
type Loader interface {
	Kernel

	// Load puts the program on the device in place of the one that is there, in about
	// Info.LoadTime. Nothing may be in flight, and no slot or resident buffer made before
	// is of use afterwards: free them first. Kernels of another Program.Key must not be run
	// then. Reset leaves no program loaded.
	Load() error
}

// Slot holds the buffers of one task in flight: pinned memory of the host, outside of Go's
// heap, and its counterpart on the device. One goroutine at a time uses it:
//
//	fill Input, Run, Wait, read Output, and again
type Slot interface {
	// Input and Output are the host side of buffer i, in full length. They may be written
	// and read except between Run and the end of Wait, and not after Free.
	Input(i int) []byte
	Output(i int) []byte

	// Run starts move-in, execute and move-out, and returns without waiting for them.
	// Launches of one device may overlap those of its other slots.
	Run(k Kernel, c *Call) error

	// Wait blocks until the result of Run lies in Output.
	Wait() (Timing, error)

	// Free gives the memory back. Not between Run and Wait.
	Free()
}

// Resident is memory on the device that outlives tasks: a lookup table, the build side of
// a join, a program's state. Write and Read block, and like Free must not overlap runs that
// use it or each other. Only runs of kernels that leave it alone may overlap.
type Resident interface {
	Bytes() int
	Write(p []byte) error // from the buffer's start
	Read(p []byte) error
	Free()
}

// Timing is how long the three stages on the device took, as the device measured.
type Timing struct {
	MoveIn, Execute, MoveOut time.Duration
}
