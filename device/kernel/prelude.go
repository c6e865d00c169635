package kernel

import _ "embed"

// The preludes define the common dialect's words for a backend. A backend compiles its
// prelude followed by device.Program.Source.
var (
	//go:embed prelude_opencl.h
	PreludeOpenCL string

	//go:embed prelude_cuda.h
	PreludeCUDA string
)
