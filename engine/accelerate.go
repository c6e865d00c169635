package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/operator"
)

// Devices run the parallel part of tasks beside the CPU's workers. Of every class of
// tasks a program is written, if there are kernels for it (offer), and compiled for every
// device, which may refuse. A goroutine per device then takes tasks from the queue as
// workers do:
//
//	queue --Take--> hold --Submit--> copy-in | move-in | execute | move-out | copy-out
//	                                                                           |
//	                     ring <--publish-- body.compute with the device's rows <'
//
// What a device computes is the beginning of body.compute - the steps in front of an
// operator, or an aggregate's groups by pane; the rest runs on the device's finisher.
// Everything in order - absorbing, windows, joins - stays with the CPU.
//
// While programs are compiled the CPU runs everything, unless the run is to have its
// tasks on devices only: then compiling comes first, and a refusal fails Start.

// offer is a class as devices may run it.
type offer struct {
	program kernel.Pipeline
	rowsMax int // of a task that fits a device's slot
}

// accelerator is a device of a run.
type accelerator struct {
	run    *run
	id     schedule.Processor
	config DeviceConfig
	device *device.Processor
	scopes []scope // by class
	memory workerScratch
	works  sync.Pool
}

// DeviceConfig is a device that a run may use.
type DeviceConfig struct {
	Device   device.Device // the run owns it and closes it
	Depth    int           // of its pipeline; 0: found at run time
	Deadline time.Duration // of one task, after which the device counts as lost; 0: 10 s
}

// scope is what a device does of one class.
type scope struct {
	plan *device.Plan // nil: the device does not run it
	// refused says why; empty while nobody has said so.
	refused atomic.Pointer[string]

	mu        sync.Mutex
	ready     bool // plan is there
	stages    device.Stages
	tasks     int
	fallbacks map[string]int64 // tasks that went to the CPU after all, by reason
	paused    bool
}

// Limits.
const (
	fallbackReasonsMax = 16 // counted apart; the rest together
	memoryPause        = 20 * time.Millisecond
)

// RefusedError says that a run has to have its tasks on devices only, and cannot.
type RefusedError struct{ Pipeline, Reason string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s cannot run on a device: %s (add cpu to the processors)", e.Pipeline, e.Reason)
}

// Schedulers are the policies of Config.Scheduler: look-ahead, the oldest task that a
// processor can run, and each pipeline at home on one processor, a device if one takes it.
var Schedulers = []string{"hls", "fcfs", "static"}

func newQueue(cfg Config, plan *bind.Plan) *schedule.Queue {
	if len(cfg.Devices) == 0 {
		return schedule.NewQueue(schedule.FirstCome{})
	}
	lanes, classes := []int{cfg.Workers}, 0
	for range cfg.Devices {
		lanes = append(lanes, 1)
	}
	for _, p := range plan.Pipelines {
		classes += max(1, len(p.Inputs))
	}
	table := schedule.NewTable(lanes...)
	switch cfg.Scheduler {
	case "fcfs":
		return schedule.NewHybridQueue(schedule.FirstCome{}, table)
	case "static":
		home := make([]schedule.Processor, classes)
		for i := range home {
			home[i] = schedule.Processor(1 + i%len(cfg.Devices))
		}
		return schedule.NewHybridQueue(schedule.Static{Home: home}, table)
	}
	return schedule.NewHybridQueue(schedule.HLS{}, table)
}

func (r *run) hybrid() bool { return len(r.cfg.Devices) > 0 }

// offers finds what devices may run. It is called when all stages are there.
func (r *run) offers() {
	if !r.hybrid() {
		return
	}
	for i := range r.classes {
		c := &r.classes[i]
		program, rows, err := c.stage.program(c.input)
		if err != nil {
			c.declined, c.bare = err.Error(), errors.Is(err, operator.ErrNoSteps)
		}
		if program != nil {
			c.offer = &offer{program, rows}
		}
	}
	for _, s := range r.stages {
		if s.shared = s.offered(); s.shared {
			s.shares = make([]share, (1+len(r.cfg.Devices))*max(1, len(s.inlets)))
		}
	}
}

// program writes the program of an input's tasks; nil without an error where there is
// nothing to compute.
func (s *stage) program(input int) (kernel.Pipeline, int, error) {
	var o operator.Offload
	var err error
	switch b := s.body.(type) {
	case *functionBody:
		if err = s.unsuited; err == nil {
			o, err = offload(b.fn, input)
		}
	case *sinkBody:
		if b.count != nil && !b.steps || s.inlets[0].fused {
			return nil, 0, nil
		}
		if o, err = b.chain.Offload(); errors.Is(err, operator.ErrNoSteps) {
			return nil, 0, nil
		}
	default:
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	program, err := kernel.New(o)
	return program, s.inlets[input].rowsMax, err
}

func offload(fn operator.Function, input int) (operator.Offload, error) {
	can, ok := fn.(operator.Offloader)
	if !ok {
		return operator.Offload{}, errors.New("there is no kernel for it")
	}
	return can.Offload(input)
}

// suits returns why devices cannot run a function's tasks; nil if they can those of some
// input.
func suits(fn operator.Function, inputs int) (err error) {
	for i := range inputs {
		var o operator.Offload
		if o, err = offload(fn, i); err == nil {
			_, err = kernel.New(o)
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// openDevices puts the run's devices to work, with nothing to do yet.
func (r *run) openDevices() {
	for i, c := range r.cfg.Devices {
		a := &accelerator{run: r, id: schedule.Processor(1 + i), config: c, scopes: make([]scope, len(r.classes)), memory: make(workerScratch, len(r.stages))}
		a.works.New = func() any { return &deviceTask{accelerator: a} }
		a.device = device.Start(c.Device, device.Config{Depth: c.Depth, Deadline: c.Deadline, Changed: a.changed})
		r.accelerators = append(r.accelerators, a)
	}
}

// closeDevices waits for what is in flight and closes every device.
func (r *run) closeDevices() {
	for _, a := range r.accelerators {
		if err := a.device.Close(); err != nil {
			r.log().Warn("closing a device", "device", a.name(), "error", err)
		}
	}
}

func (r *run) log() *slog.Logger {
	if r.cfg.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.cfg.Log
}

func (a *accelerator) name() string { return a.device.Info().ID }

// compile prepares every class that has an offer.
func (a *accelerator) compile() {
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
	sc := &a.scopes[class]
	sc.mu.Lock()
	sc.plan, sc.ready = plan, true
	sc.mu.Unlock()
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
	offers, idle := 0, ""
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
			idle = c.stage.name
		}
	}
	if offers == 0 && idle != "" {
		return &RefusedError{idle, operator.ErrNoSteps.Error()}
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

// changed is called when the device is lost and when it is back.
func (a *accelerator) changed(up bool, reason error) {
	a.run.queue.Change(func(t *schedule.Table) {
		t.SetUp(a.id, up)
		if a.run.cfg.DevicesOnly {
			a.run.backUp(t)
		}
	})
	if up {
		a.run.log().Info("a device is back", "device", a.name())
		return
	}
	a.run.log().Warn("a device is lost; its tasks go elsewhere until it is back", "device", a.name(), "error", reason)
}

// backUp lets the CPU run the classes that no device can run now.
func (r *run) backUp(t *schedule.Table) {
	for i := range r.classes {
		if r.classes[i].offer == nil {
			continue
		}
		able := false
		for _, a := range r.accelerators {
			able = able || t.Able(i, a.id)
		}
		t.SetAble(i, schedule.CPU, !able)
	}
}

// work takes tasks for a device until the queue or the device is closed.
func (a *accelerator) work() {
	defer a.run.workers.Done()
	defer a.run.recoverBug()
	for a.device.Admit() == nil {
		u, ok := a.run.queue.Take(a.id)
		if !ok {
			return
		}
		if a.run.failed() {
			a.run.queue.Done(a.id, u, 0, 0)
			continue
		}
		a.submit(u)
	}
}

func (a *accelerator) submit(u schedule.Unit) {
	s := a.run.classes[u.Pipeline].stage
	own := s.hold(u)
	if own == nil {
		a.run.queue.Done(a.id, u, 0, 0)
		return
	}
	t := a.works.Get().(*deviceTask)
	t.unit, t.own, t.redo = u, own, ""
	if err := a.scopes[u.Pipeline].plan.Submit(t); err != nil {
		a.decline(t, err)
		t.end()
	}
}

// decline finds another processor for a task that the device has not taken or not done.
func (a *accelerator) decline(t *deviceTask, err error) {
	sc, q := &a.scopes[t.unit.Pipeline], a.run.queue
	var refusal *device.Refusal
	var other *device.NotLoaded
	switch {
	case t.redo != "":
		sc.fellBack(t.redo)
		a.redo(t.unit)
		return
	case errors.Is(err, device.ErrNoMemory):
		sc.fellBack("the device's memory is full")
		a.pause(t.unit.Pipeline, memoryPause)
		if a.run.cfg.DevicesOnly {
			a.redo(t.unit)
			return
		}
	case errors.As(err, &other):
		sc.fellBack("the device has another program loaded")
		a.pause(t.unit.Pipeline, other.Retry)
		if a.run.cfg.DevicesOnly {
			a.redo(t.unit)
			return
		}
	case errors.As(err, &refusal):
		a.refuse(t.unit.Pipeline, err)
		q.Change(func(tb *schedule.Table) {
			tb.SetAble(t.unit.Pipeline, a.id, false)
			if a.run.cfg.DevicesOnly {
				a.run.backUp(tb)
			}
		})
	case !errors.Is(err, device.ErrClosed):
		sc.fellBack("the device was lost")
	}
	q.Return(a.id, t.unit)
}

// redo has the CPU run a task at once, if nobody else has run it.
func (a *accelerator) redo(u schedule.Unit) {
	if a.run.queue.Done(a.id, u, 0, 0) {
		u.Kind, u.Copy = schedule.Redo, false
		a.run.queue.Push(u)
	}
}

// pause keeps a class away from a device without its memory or program for a while.
func (a *accelerator) pause(class int, d time.Duration) {
	sc := &a.scopes[class]
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.paused {
		return
	}
	sc.paused = true
	set := func(paused bool) {
		a.run.queue.Change(func(t *schedule.Table) {
			t.SetPaused(class, a.id, paused)
			if a.run.cfg.DevicesOnly {
				a.run.backUp(t)
			}
		})
	}
	set(true)
	time.AfterFunc(d, func() {
		sc.mu.Lock()
		defer sc.mu.Unlock()
		sc.paused = false
		set(false)
	})
}

func (sc *scope) fellBack(reason string) {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.fallbacks == nil {
		sc.fallbacks = map[string]int64{}
	}
	if _, known := sc.fallbacks[reason]; !known && len(sc.fallbacks) >= fallbackReasonsMax {
		reason = "other reasons"
	}
	sc.fallbacks[reason]++
}

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

// CopyIn implements device.Work.
func (t *deviceTask) CopyIn(s device.Slot, c *device.Call) error {
	if rows := t.accelerator.run.classes[t.unit.Pipeline].offer.rowsMax; t.own.task.Rows > rows {
		t.redo = fmt.Sprintf("a task of more than %d rows", rows)
		return errRedo
	}
	return t.program().Load(&t.own.task, s, c)
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
	sc.mu.Lock()
	sc.stages.CopyIn += stages.CopyIn
	sc.stages.MoveIn += stages.MoveIn
	sc.stages.Execute += stages.Execute
	sc.stages.MoveOut += stages.MoveOut
	sc.stages.CopyOut += stages.CopyOut
	sc.tasks++
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
