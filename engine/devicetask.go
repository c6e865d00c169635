package engine

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/operator"
)

// deviceTask is a task on its way through a device: device.Work.
type deviceTask struct {
	accelerator *accelerator
	unit        schedule.Unit
	own         *slot
	result      kernel.Result
	redo        string // why the CPU has to run it
}

var errRedo = errors.New("the device's result is no good")

func (t *deviceTask) program() kernel.Pipeline {
	a := t.accelerator
	p := a.run.classes[t.unit.Pipeline].offer.program
	if a.device.Info().Kind == device.Simulated {
		return simulated{p}
	}
	return p
}

// CopyIn implements device.Work. What cannot be loaded now cannot be later: the CPU runs it.
func (t *deviceTask) CopyIn(s device.Slot, c *device.Call) error {
	err := t.program().Load(&t.own.task, s, c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kernel.ErrTooManyRows):
		err = kernel.ErrTooManyRows // without this task's numbers
	}
	t.redo = err.Error()
	return errRedo
}

// CopyOut implements device.Work: the rest of the parallel part runs here.
func (t *deviceTask) CopyOut(s device.Slot, _ *device.Call) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error: %v (this is a bug in millrace; please report it)", v)
			t.accelerator.run.fail(err)
		}
	}()
	if t.redo = t.program().Result(s, &t.own.task, &t.result); t.redo != "" {
		return errRedo
	}
	st := t.accelerator.run.classes[t.unit.Pipeline].stage
	if err := st.body.compute(t.own, st.scratch(t.accelerator.memory)); err != nil {
		t.accelerator.run.fail(err) // it would fail on the CPU, too
		return err
	}
	return nil
}

// Done implements device.Work.
func (t *deviceTask) Done(stages device.Stages, err error) {
	a := t.accelerator
	defer t.end()
	if err != nil {
		a.decline(t, err)
		return
	}
	sc := &a.scopes[t.unit.Pipeline]
	sc.inVain.Store(0)
	sc.mu.Lock()
	sc.stages.Add(stages)
	sc.mu.Unlock()
	a.run.classes[t.unit.Pipeline].stage.publish(a.id, t.unit, t.own, stages.Interval(a.device.Stats().Depth))
}

func (t *deviceTask) end() {
	t.accelerator.run.classes[t.unit.Pipeline].stage.letGo(t.own)
	t.own = nil
	t.accelerator.works.Put(t)
}

// simulated is a program for devices without a compiler: they take the time, and the CPU
// computes the result while it is copied out.
type simulated struct{ kernel.Pipeline }

// Program returns the program without kernels.
func (s simulated) Program() *device.Program {
	p := *s.Pipeline.Program()
	p.Source, p.Host = "", func(*device.Buffers) error { return nil }
	return &p
}

// Result leaves everything to the CPU.
func (simulated) Result(device.Slot, *operator.Task, *kernel.Result) string { return "" }
