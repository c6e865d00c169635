package engine

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/engine/schedule"
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
// Everything in order - absorbing, windows - stays with the CPU, but for the pairs of window
// joins, which are tasks of their own (pairs.go).
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
	device *device.Processor
	scopes []scope // by class
	memory workerScratch
	works  sync.Pool
	// compiled is closed, once, when all programs are there or refused.
	compiled chan struct{}
	settled  sync.Once
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
	// filled: the plan has the table that its tasks look up. It is work's.
	filled bool
	table  atomic.Int64 // its bytes
	// refused says why; empty while nobody has said so.
	refused atomic.Pointer[string]
	inVain  atomic.Int64 // tasks in a row that the CPU had to run again

	mu        sync.Mutex
	stages    device.Stages
	fallbacks map[string]int64 // tasks that went to the CPU after all, by reason
	paused    bool
}

// Limits.
const (
	fallbackReasonsMax = 16 // counted apart; the rest together
	memoryPause        = 20 * time.Millisecond

	compilePatience = 20 * time.Millisecond // that a job's end has with a driver that compiles

	inVainMax   = 8 // tasks in a row that the device could not do well; then it has none for a while
	inVainPause = time.Second
)

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
		if p.Form == bind.Join {
			classes++
		}
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

// openDevices puts the run's devices to work, with nothing to do yet.
func (r *run) openDevices() {
	for i, c := range r.cfg.Devices {
		a := &accelerator{run: r, id: schedule.Processor(1 + i), scopes: make([]scope, len(r.classes)), memory: make(workerScratch, len(r.stages)), compiled: make(chan struct{})}
		a.works.New = func() any { return &deviceTask{accelerator: a} }
		a.device = device.Start(c.Device, device.Config{Depth: c.Depth, Deadline: c.Deadline, Changed: a.changed})
		r.accelerators = append(r.accelerators, a)
	}
}

// closeDevices waits for what is in flight and closes every device, all of them before
// finished.
func (r *run) closeDevices() {
	for _, a := range r.accelerators {
		a.device.Drain()
	}
	for _, a := range r.accelerators {
		a.close()
	}
}

func (a *accelerator) settle() { a.settled.Do(func() { close(a.compiled) }) }

// close closes the device, which nothing runs on. A driver that compiles cannot be
// interrupted: a job that is over before does not wait for it, and the device is closed
// when it has come back.
func (a *accelerator) close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-a.compiled
		if err := a.device.Close(); err != nil {
			a.run.log().Warn("closing a device", "device", a.name(), "error", err)
		}
	}()
	patience := time.NewTimer(compilePatience)
	defer patience.Stop()
	select {
	case <-a.compiled:
		<-closed
	case <-patience.C:
		a.run.log().Info("the job is over before a device's programs are compiled; the device is closed when they are", "device", a.name())
	}
}

func (r *run) log() *slog.Logger {
	if r.cfg.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.cfg.Log
}

func (a *accelerator) name() string { return a.device.Info().ID }

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
	err := a.fill(t)
	if err == nil {
		err = a.scopes[u.Pipeline].plan.Submit(t)
	}
	if err != nil {
		a.decline(t, err)
		t.end()
	}
}

// fill gives the plan of a task's class the table that its tasks look up, before the first
// one. The table is complete then, but for tasks without rows.
func (a *accelerator) fill(t *deviceTask) error {
	sc, o := &a.scopes[t.unit.Pipeline], a.run.classes[t.unit.Pipeline].offer
	program, ok := o.program.(kernel.ResidentPipeline)
	if !ok || sc.filled {
		return nil
	}
	images, err := program.Resident()
	switch {
	case errors.Is(err, kernel.ErrNoTable):
		t.redo = err.Error()
	case err != nil:
		err = &device.Refusal{Device: a.name(), Reason: err.Error()}
	default:
		err = sc.plan.Fill(program.Sizes(o.rowsMax), images...)
		if sc.filled = err == nil; sc.filled {
			sc.table.Store(sc.plan.ResidentBytes())
		}
	}
	return err
}

// decline finds another processor for a task that the device has not taken or not done.
func (a *accelerator) decline(t *deviceTask, err error) {
	sc, q := &a.scopes[t.unit.Pipeline], a.run.queue
	var refusal *device.Refusal
	var other *device.NotLoaded
	switch {
	case t.redo != "":
		sc.fellBack(t.redo)
		if sc.inVain.Add(1)%inVainMax == 0 {
			a.pause(t.unit.Pipeline, inVainPause)
		}
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
