//go:build !nogpu

package opencl

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
)

const kernelSharedBytes = 0x11B2 // name for clGetKernelWorkGroupInfo

// Kernel is a program compiled for a device.
type Kernel struct {
	g       *generation
	program *device.Program
	object  uintptr
	freed   bool
}

// Compile compiles a program. The refusal of one that the compiler rejects has its log.
func (d *Device) Compile(p *device.Program) (device.Kernel, error) {
	if reason := d.lacks(p); reason != "" {
		return nil, d.refusal(reason, "")
	}
	g, err := d.current()
	if err != nil {
		return nil, err
	}
	object, log, err := d.lib.build(g.context, d.found.id, kernel.PreludeOpenCL+p.Source, "-cl-std=CL1.2 -w") // nobody reads the warnings that a compiler has
	if err != nil {
		g.drop()
		return nil, d.refusal("its compiler fails: "+err.Error(), log)
	}
	k := &Kernel{g: g, program: p, object: object}
	for i := range p.Launches {
		if reason := k.misfit(&p.Launches[i]); reason != "" {
			k.Free()
			return nil, d.refusal(reason, "")
		}
	}
	return k, nil
}

func (d *Device) refusal(reason, log string) *device.Refusal {
	return &device.Refusal{Device: d.found.ID, Reason: reason, Log: log}
}

// lacks says what a program needs and the device has not.
func (d *Device) lacks(p *device.Program) string {
	switch {
	case 2*len(p.Outputs)+len(p.Launches)+inputsMax > commandsMax:
		return fmt.Sprintf("it has %d launches and %d outputs, a task has at most %d commands", len(p.Launches), len(p.Outputs), commandsMax)
	case !d.found.FP64 && strings.Contains(p.Source, "f64"):
		return "it needs double precision"
	case !d.found.exactSingles && strings.Contains(p.Source, "f32"):
		return "it needs single precision that rounds to nearest and keeps denormal numbers"
	}
	return ""
}

// misfit says why an entry point cannot be launched as the program wants.
func (k *Kernel) misfit(l *device.Launch) string {
	d := k.g.d
	object, err := d.lib.newKernel(k.object, l.Entry)
	if err != nil {
		return err.Error()
	}
	defer d.lib.release(d.lib.releaseKernel, object)
	if limit := d.lib.workGroupNumber(object, d.found.id, kernelWorkGroupSize); l.Group > int(limit) {
		return fmt.Sprintf("%s needs groups of %d work items, %d is the limit", l.Entry, l.Group, limit)
	}
	if shared := d.lib.workGroupNumber(object, d.found.id, kernelSharedBytes); shared > uint64(d.found.SharedBytes) {
		return fmt.Sprintf("%s needs %d bytes of shared memory, there are %d", l.Entry, shared, d.found.SharedBytes)
	}
	return ""
}

// Program returns what was compiled.
func (k *Kernel) Program() *device.Program { return k.program }

// Free gives the program back. Slots that have run it keep what they need of it.
func (k *Kernel) Free() {
	if k.freed {
		return
	}
	k.freed = true
	k.g.d.lib.release(k.g.d.lib.releaseProgram, k.object)
	k.g.drop()
}
