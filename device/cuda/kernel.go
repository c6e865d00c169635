//go:build !nogpu

package cuda

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
)

// Kernel is a program compiled for a device.
type Kernel struct {
	g       *generation
	program *device.Program
	module  uintptr
	entries []entry // of the launches
	freed   bool
}

type entry struct {
	function uintptr
	group    int // work items
}

// groupItems is the size of a group where a launch leaves it to us.
const groupItems = 256

// Compile compiles a program. The refusal of one that a compiler rejects has its log.
func (d *Device) Compile(p *device.Program) (device.Kernel, error) {
	for i := range p.Launches {
		if l := &p.Launches[i]; len(l.Args) > argumentsMax {
			return nil, d.refusal(fmt.Sprintf("%s has %d arguments, %d is the limit", l.Entry, len(l.Args), argumentsMax), "")
		}
	}
	g, err := d.current()
	if err != nil {
		return nil, err
	}
	architecture, binary := d.lib.compiler.target(d.found.capability, d.lib.version)
	image, log, err := d.lib.compiler.compile(kernel.PreludeCUDA+p.Source, architecture, binary)
	if err != nil {
		return nil, d.refusal("its compiler fails: "+err.Error(), log)
	}
	if err := g.enter(&caller{}); err != nil {
		return nil, err
	}
	defer g.leave()
	k := &Kernel{g: g, program: p}
	if k.module, log, err = d.lib.loadModule(image); err != nil {
		return nil, g.refused(err, log)
	}
	for i := range p.Launches {
		e, err := k.entry(&p.Launches[i])
		if err != nil {
			g.release(&caller{}, "cuModuleUnload", d.lib.moduleUnload, k.module)
			return nil, err
		}
		k.entries = append(k.entries, e)
	}
	return k, nil
}

func (d *Device) refusal(reason, log string) *device.Refusal {
	return &device.Refusal{Device: d.found.ID, Reason: reason, Log: log}
}

// Codes of the driver that blame a program: of its image, of its names, and that the
// driver has no compiler that finishes it.
var blaming = map[int32]bool{1: true, 200: true, 209: true, 218: true, 220: true, 221: true, 222: true, 223: true, 301: true, 500: true}

// refused says whether the driver rejects the program, has no memory, or is lost.
func (g *generation) refused(err error, log string) error {
	var call *callError
	if errors.As(err, &call) && blaming[call.code] {
		return g.d.refusal("the driver does not load it: "+err.Error(), log)
	}
	return g.made(err)
}

func (k *Kernel) entry(l *device.Launch) (entry, error) {
	f, limit, err := k.g.d.lib.function(k.module, l.Entry)
	switch {
	case err != nil:
		return entry{}, k.g.refused(err, "")
	case l.Group > limit:
		return entry{}, k.g.d.refusal(fmt.Sprintf("%s needs groups of %d work items, %d is the limit", l.Entry, l.Group, limit), "")
	case l.Group > 0:
		return entry{f, l.Group}, nil
	}
	return entry{f, min(groupItems, limit)}, nil
}

// Program returns what was compiled.
func (k *Kernel) Program() *device.Program { return k.program }

// Free gives the program back.
func (k *Kernel) Free() {
	if k.freed {
		return
	}
	k.freed = true
	c := &caller{}
	if k.g.enter(c) == nil { // else the context took it along, or will
		defer k.g.leave()
		k.g.release(c, "cuModuleUnload", k.g.d.lib.moduleUnload, k.module)
	}
}
