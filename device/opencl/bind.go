//go:build !nogpu

package opencl

import (
	"fmt"
	"unsafe"

	"github.com/millrace/millrace/device"
)

// bind returns the kernel's objects for this slot, with its buffers as arguments.
func (s *Slot) bind(k *Kernel) (*bound, error) {
	if b := s.bound[k]; b != nil {
		return b, nil
	}
	b := &bound{}
	s.bound[k] = b
	for i := range k.program.Launches {
		l := &k.program.Launches[i]
		object, err := s.g.d.lib.newKernel(k.object, l.Entry)
		if err != nil {
			return nil, err
		}
		b.objects = append(b.objects, object)
		for at, a := range l.Args {
			b.scalars, b.set = append(b.scalars, 0), append(b.set, false)
			memory, err := s.memory(a)
			if err == nil && memory != 0 {
				err = s.setBuffer(object, at, memory)
			}
			if err != nil {
				return nil, fmt.Errorf("%s, argument %d: %w", l.Entry, at, err)
			}
		}
	}
	return b, nil
}

// memory is the slot's buffer that an argument stands for, 0 if it is none of the slot's.
func (s *Slot) memory(a device.Arg) (uintptr, error) {
	switch {
	case a.Kind == device.InputArg && a.Index < len(s.inputs):
		return s.inputs[a.Index].device, nil
	case a.Kind == device.OutputArg && a.Index < len(s.output):
		return s.output[a.Index].device, nil
	case a.Kind == device.TemporaryArg && a.Index < len(s.extra):
		return s.extra[a.Index], nil
	case a.Kind == device.InputArg || a.Kind == device.OutputArg || a.Kind == device.TemporaryArg:
		return 0, fmt.Errorf("the slot has no buffer %d of its kind", a.Index)
	}
	return 0, nil
}

// arguments sets what a launch reads of the call and what has changed since the last one.
// Its arguments are numbers first.. among all launches'.
func (s *Slot) arguments(b *bound, launch, first int) error {
	l, object := &s.running.program.Launches[launch], b.objects[launch]
	for at, a := range l.Args {
		var err error
		switch a.Kind {
		case device.ResidentArg:
			r, ok := s.call.Resident[a.Index].(*Resident)
			if !ok || r.g != s.g {
				return fmt.Errorf("resident buffer %d is of another device, or was made before a reset", a.Index)
			}
			err = s.setBuffer(object, at, r.buffer)
		case device.Int32Arg:
			err = s.setScalar(b, first+at, object, at, s.call.Scalars[a.Index], 4)
		case device.Int64Arg, device.Float64Arg:
			err = s.setScalar(b, first+at, object, at, s.call.Scalars[a.Index], 8)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setScalar sets an argument of width bytes if it is not what it was.
func (s *Slot) setScalar(b *bound, known int, object uintptr, at int, v int64, width uintptr) error {
	if b.set[known] && b.scalars[known] == v {
		return nil
	}
	s.cells.scalar = v // little-endian: the low 32 bits come first
	b.scalars[known], b.set[known] = v, true
	return check("clSetKernelArg", s.do(s.g.d.lib.setKernelArg, object, uintptr(at), width, address(&s.cells.scalar)))
}

func (s *Slot) setBuffer(object uintptr, at int, memory uintptr) error {
	s.cells.scalar = int64(memory)
	return check("clSetKernelArg", s.do(s.g.d.lib.setKernelArg, object, uintptr(at), unsafe.Sizeof(memory), address(&s.cells.scalar)))
}
