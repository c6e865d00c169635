package engine

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/engine/schedule"
)

// RefusedError says that a run has to have its tasks on devices only, and cannot.
type RefusedError struct{ Pipeline, Reason string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s cannot run on a device: %s (add cpu to the processors)", e.Pipeline, e.Reason)
}

// compile prepares every class that has an offer. It is called once.
func (a *accelerator) compile() {
	defer a.settle()
	for i := range a.run.classes {
		if o := a.run.classes[i].offer; o != nil {
			a.prepare(i, o)
		}
	}
}

func (a *accelerator) prepare(class int, o *offer) {
	program := o.program
	if a.device.Info().Kind == device.Simulated {
		program = simulated{program}
	}
	plan, err := a.device.Plan(program.Program(), program.Sizes(o.rowsMax))
	if err != nil {
		a.refuse(class, err)
		return
	}
	a.scopes[class].plan = plan // seen by whoever is given a task of it
	a.run.queue.Change(func(t *schedule.Table) {
		t.SetAble(class, a.id, true)
		if a.run.cfg.DevicesOnly {
			t.SetAble(class, schedule.CPU, false)
		}
	})
}

// refuse notes why a device does not run a class.
func (a *accelerator) refuse(class int, err error) {
	var refusal *device.Refusal
	reason := err.Error()
	switch {
	case errors.As(err, &refusal):
		reason = refusal.Reason
	case errors.Is(err, device.ErrClosed):
		reason = "the job was over before its program was compiled"
	}
	a.scopes[class].refused.Store(&reason)
	a.run.log().Info("a device does not run a pipeline", "device", a.name(), "pipeline", a.run.classes[class].stage.name, "reason", reason)
}

// compileFirst compiles everything.
func (r *run) compileFirst() error {
	for _, a := range r.accelerators {
		a.compile()
	}
	if !r.cfg.DevicesOnly {
		return nil
	}
	return r.demandDevices()
}

// demandDevices fails if what a pipeline computes is left to the CPU, or if nothing is for
// devices.
func (r *run) demandDevices() error {
	offers, idle, why := 0, "", ""
	for i := range r.classes {
		c := &r.classes[i]
		switch reason := r.refusal(i); {
		case c.declined != "" && !c.bare:
			return &RefusedError{c.stage.name, c.declined}
		case reason != "":
			return &RefusedError{c.stage.name, reason}
		case c.offer != nil:
			offers++
		case c.bare:
			idle, why = c.stage.name, c.declined
		}
	}
	if offers == 0 && idle != "" {
		return &RefusedError{idle, why}
	}
	if offers == 0 {
		return &RefusedError{"this script", "nothing in it is computed from rows"}
	}
	return nil
}

// refusal says why no device runs an offer; empty if one does, or there is no offer.
func (r *run) refusal(class int) (reason string) {
	if r.classes[class].offer == nil {
		return ""
	}
	for _, a := range r.accelerators {
		if a.scopes[class].plan != nil {
			return ""
		}
		if text := a.scopes[class].refused.Load(); text != nil {
			reason = *text
		}
	}
	return reason
}
