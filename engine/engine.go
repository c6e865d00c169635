// Package engine runs a bound model on this node: it decides when each piece of work
// runs and on which processor. Start builds a stage per pipeline (stage.go says how a
// stage works), N workers pull units of work from one queue (engine/schedule), readers
// feed the sources, writers empty the sinks.
//
// The path of a row: source_read.go, source_decode.go, ingress.go (rows in order) -> inlet.go and
// engine/dispatch (cut into tasks) -> engine/schedule -> stage.go compute (the
// operator's Batch) -> stage.go drain (Assemble and Next, in order) -> the next inlet,
// or sink.go (encode, write). Watermarks and the end of a stream ride along in tasks.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/millrace/millrace/bind"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/engine/schedule"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Limits and defaults.
const (
	TaskBytesDefault      = 1 << 20
	BufferBytesMaxDefault = 512 << 20 // per operator and per ingress
	lingerInterval        = 10 * time.Millisecond
	ingressSoftBytes      = 16 << 20 // a partition ahead of the others waits beyond it
	slotsPerWorker        = 4        // ring slots of a stage, plus slotsBase
	slotsBase             = 4
	poolIdleMax           = 4096 // idle batches kept per width, within stream.PoolBytesMax
)

// Config is how a plan runs.
type Config struct {
	Workers   int   // CPU workers, at least 1
	TaskBytes int64 // of the columns a pipeline reads; at least one row per task
	// BufferBytesMax bounds each buffer of rows that wait (ingress, join sides, lookup
	// tables); 0: the default.
	BufferBytesMax int64
	Sources        map[model.OpID]connector.Source
	Sinks          map[model.OpID]connector.Sink
	// Restore is the state to go on from; nil: from the beginning. The sources must
	// serve the same input, the model must be the same; workers and task size may differ.
	Restore *state.Snapshot
	// StopAfterTasks stops the job as Stop does once that many tasks were cut; 0: never.
	StopAfterTasks int64
	// LatencyTarget is what 99 of 100 tasks should stay below, by smaller tasks where
	// needed (see steer); 0: none.
	LatencyTarget time.Duration
	// Pin ties each worker to a processor where the system can (Stats.Pinned).
	Pin bool
	// Force makes operators run algorithms they would not choose; for tests.
	Force operator.Choices
	// Devices are accelerators that run tasks beside the workers. DevicesOnly: they run all
	// tasks they can, the workers only what is left, and Start fails with a RefusedError if
	// a pipeline cannot run on any.
	Devices     []DeviceConfig
	DevicesOnly bool
	// AwaitDevices: Start returns when devices have compiled their programs. Else the CPU runs
	// everything until they have.
	AwaitDevices bool
	// Scheduler is one of Schedulers, and says which processor runs a task; empty: the first.
	// Without devices there is nothing to decide.
	Scheduler string
	Log       *slog.Logger // of what happens to devices; nil: nobody listens
	// ErrorRow is called for every error row, in order per operator, possibly from
	// several goroutines for different operators; may be nil.
	ErrorRow func(op *model.Operator, e ErrorRecord)
}

// Run is a running plan.
type Run struct{ r *run }

type run struct {
	cfg       Config
	plan      *bind.Plan
	pool      *stream.Pool
	queue     *schedule.Queue
	stages    []*stage
	classes   []class
	fills     []operator.Fills // by pipeline
	unpaired  map[int]error    // by pipeline: why devices do not find a join's pairs
	writers   []*writer
	outlets   map[model.Edge]*outlet
	ports     map[model.OpID]*errorPort
	admission *gate

	accelerators []*accelerator

	ctx         context.Context
	cancel      context.CancelFunc
	readCtx     context.Context
	stopReading context.CancelFunc
	workers     sync.WaitGroup
	readers     sync.WaitGroup

	begun   time.Time
	latency latencies
	// taskShare is the size of tasks in 1/steerFull of the configured one.
	taskShare atomic.Int64
	pinned    atomic.Int64 // workers tied to a processor

	_         cpu.CacheLinePad // what follows is written with every task
	inflight  atomic.Int64     // slots in use
	submitted atomic.Int64
	_         cpu.CacheLinePad
	stopping  atomic.Bool   // nothing is read any more; inlets take what comes
	quiet     chan struct{} // capacity 1: inflight was zero
	sinksLeft atomic.Int64
	completed chan struct{}
	stop      chan struct{}
	stopOnce  sync.Once
	done      chan struct{}

	mu       sync.Mutex
	err      error
	broken   atomic.Bool
	snapshot *state.Snapshot
}

// Start builds the plan's stages and lets them run. ctx cancels the run: it ends with
// ctx's error. The sources and sinks are closed when the run ends, also when Start fails.
func Start(ctx context.Context, plan *bind.Plan, cfg Config) (*Run, error) {
	r := newRun(ctx, plan, cfg)
	err := r.build()
	r.openDevices()
	if err == nil && cfg.Restore != nil {
		err = r.restore(cfg.Restore)
	}
	if err == nil && (cfg.DevicesOnly || cfg.AwaitDevices) {
		err = r.compileFirst()
	}
	if err != nil {
		for _, a := range r.accelerators {
			a.settle()
		}
		r.closeDevices()
		r.cancel()
		r.closeMedia(err)
		return nil, err
	}
	r.launch()
	return &Run{r}, nil
}

func newRun(ctx context.Context, plan *bind.Plan, cfg Config) *run {
	if cfg.BufferBytesMax == 0 {
		cfg.BufferBytesMax = BufferBytesMaxDefault
	}
	r := &run{
		begun: time.Now(), cfg: cfg, plan: plan, pool: stream.NewPool(poolIdleMax),
		queue: newQueue(cfg, plan), admission: newGate(),
		outlets: map[model.Edge]*outlet{}, ports: map[model.OpID]*errorPort{},
		fills: make([]operator.Fills, len(plan.Pipelines)),
		quiet: make(chan struct{}, 1), completed: make(chan struct{}),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	r.taskShare.Store(steerFull)
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.readCtx, r.stopReading = context.WithCancel(r.ctx)
	return r
}

// filling is where a pipeline's buffers note how full they are; nil: the run only asks what
// a pipeline would do.
func (r *run) filling(pipeline int) *operator.Fills {
	if pipeline >= len(r.fills) {
		return nil
	}
	return &r.fills[pipeline]
}

// Stop asks the run to stop reading, finish the tasks that exist and end without
// closing open windows. Wait then returns the state.
func (r *Run) Stop() { r.r.requestStop() }

// Wait blocks until the run has ended. It returns the state if the run was stopped
// before its input ended, else nil, and the error that failed it.
func (r *Run) Wait() (*state.Snapshot, error) {
	<-r.r.done
	return r.r.snapshot, r.r.err
}

// Outstanding is the number of pooled batches not given back; zero after Wait.
func (r *Run) Outstanding() int64 { return r.r.pool.Outstanding() }

func (r *run) requestStop() { r.stopOnce.Do(func() { close(r.stop) }) }

func (r *run) taskSubmitted() {
	if n := r.submitted.Add(1); r.cfg.StopAfterTasks > 0 && n == r.cfg.StopAfterTasks {
		r.stopReading()
		r.requestStop()
	}
}

func (r *run) failed() bool { return r.broken.Load() }

// fail ends the run with the first error it is given.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.err == nil {
		r.err = err
	}
	r.mu.Unlock()
	r.broken.Store(true)
	r.cancel()
}

func (r *run) signalQuiet() {
	select {
	case r.quiet <- struct{}{}:
	default:
	}
}

func (r *run) stageEnded(s *stage) {
	if _, sink := s.body.(*sinkBody); sink && r.sinksLeft.Add(-1) == 0 {
		close(r.completed)
	}
}

// launch starts every goroutine of the run.
func (r *run) launch() {
	if r.sinksLeft.Load() == 0 {
		close(r.completed)
	}
	r.startWorkers()
	for _, w := range r.writers {
		go w.loop()
	}
	live := false
	for _, s := range r.stages {
		s.mu.Lock()
		s.pump()
		s.mu.Unlock()
		if b, ok := s.body.(*sourceBody); ok {
			live = live || b.src.Live()
			r.startReaders(s, b)
		}
	}
	if live {
		r.readers.Add(1)
		go r.linger()
	}
	if r.cfg.LatencyTarget > 0 {
		r.readers.Add(1)
		go r.steering()
	}
	go r.supervise()
	go func() { // cancelled contexts do not wake condition variables by themselves
		<-r.readCtx.Done()
		for _, s := range r.stages {
			s.mu.Lock()
			s.space.Broadcast()
			s.mu.Unlock()
		}
		r.admission.Broadcast()
	}()
}

func (r *run) startReaders(s *stage, b *sourceBody) {
	if b.op.Source.IdleTimeoutMicros > 0 && !b.src.Bounded() {
		for p := range b.heard {
			b.heard[p].Store(time.Now().UnixNano())
		}
		r.readers.Add(1)
		go func() {
			defer r.readers.Done()
			s.watchSilence(r.readCtx)
		}()
	}
	for p := range b.places {
		if b.in.parts[p].ended {
			continue
		}
		r.readers.Add(1)
		go func() {
			defer r.readers.Done()
			defer r.recoverBug()
			if err := s.read(r.readCtx, p, b.places[p]); err != nil {
				r.fail(err)
			}
		}()
	}
}

func (r *run) startWorkers() {
	var cpus []int
	if r.cfg.Pin {
		cpus = allowedCPUs()
	}
	for w := range r.cfg.Workers {
		r.workers.Add(1)
		go func() {
			if len(cpus) > 0 && pin(cpus[w%len(cpus)]) {
				r.pinned.Add(1)
			}
			r.work(schedule.CPU)
		}()
	}
	for _, a := range r.accelerators {
		r.workers.Add(1)
		go a.work()
		if !r.cfg.DevicesOnly && !r.cfg.AwaitDevices {
			go a.compile()
		}
	}
}

func (r *run) work(p schedule.Processor) {
	defer r.workers.Done()
	defer r.recoverBug()
	scratch := make(workerScratch, len(r.stages))
	for {
		u, ok := r.queue.Take(p)
		if !ok {
			return
		}
		if r.failed() {
			continue
		}
		s := r.classes[u.Pipeline].stage
		var err error
		switch u.Kind {
		case schedule.Compute, schedule.Plain, schedule.Redo:
			if s.shared || r.classes[u.Pipeline].pairs {
				err = s.runShared(u, scratch)
			} else {
				err = s.runCompute(u, scratch)
			}
		case schedule.Lane:
			err = s.runLane(u.Index)
		case schedule.Drain:
			err = s.runDrain()
		}
		if err != nil {
			r.fail(err)
		}
	}
}

func (r *run) recoverBug() {
	if v := recover(); v != nil {
		r.fail(fmt.Errorf("internal error: %v (this is a bug in millrace; please report it)\n%s", v, debug.Stack()))
	}
}

// linger makes the inputs of live sources cut what they hold at every interval, so that
// latency does not depend on rate. Inputs of other sources wait for full tasks: there
// is always more, until the end.
func (r *run) linger() {
	defer r.readers.Done()
	tick := time.NewTicker(r.lingerEvery())
	defer tick.Stop()
	for {
		select {
		case <-r.readCtx.Done():
			return
		case <-r.completed:
			return
		case <-tick.C:
		}
		for _, s := range r.stages {
			s.mu.Lock()
			for _, in := range s.inlets {
				in.flush = in.flush || in.live && !in.eager && in.cutter.Pending()
			}
			s.pump()
			s.mu.Unlock()
		}
	}
}

// supervise waits for the end - of the input, by failure, or on request - and takes the
// run down in order.
func (r *run) supervise() {
	defer close(r.done)
	select {
	case <-r.completed:
	case <-r.ctx.Done():
	case <-r.stop:
		r.stopReading()
		r.readers.Wait()
		r.quiesce()
	}
	r.stopReading()
	if err := r.ctx.Err(); err != nil {
		r.fail(err)
	}
	r.readers.Wait()
	r.queue.Close()
	r.closeDevices()
	r.workers.Wait()
	for _, w := range r.writers {
		w.close()
	}
	if !r.failed() && !r.isComplete() {
		r.snapshot = r.takeSnapshot()
	}
	r.release()
	r.closeMedia(r.err)
	r.cancel()
}

func (r *run) isComplete() bool {
	select {
	case <-r.completed:
		return true
	default:
		return false
	}
}

// quiesce waits until no task is left and nothing more can be cut.
func (r *run) quiesce() {
	r.stopping.Store(true)
	wake(r.stages)
	for !r.failed() && !r.isComplete() {
		for r.inflight.Load() != 0 {
			select {
			case <-r.quiet:
			case <-r.ctx.Done():
				return
			}
		}
		for _, s := range r.stages {
			s.mu.Lock()
			for _, in := range s.inlets {
				in.flush = in.flush || in.cutter.Pending()
			}
			s.pump()
			s.mu.Unlock()
		}
		if r.inflight.Load() == 0 {
			break
		}
	}
	for _, w := range r.writers {
		if err := w.settle(); err != nil {
			return
		}
	}
}

// release gives back what slots, inlets and functions still hold.
func (r *run) release() {
	for _, s := range r.stages {
		for seq := s.head; seq < s.tail; seq++ {
			s.discardSlot(&s.ring[seq%uint64(len(s.ring))], seq)
		}
		for _, in := range s.inlets {
			in.cutter.Discard()
		}
		s.body.close()
	}
}

// closeMedia closes sinks - giving up what is unfinished if the run failed - and sources.
func (r *run) closeMedia(failure error) {
	for id, s := range r.cfg.Sinks {
		if failure != nil {
			s.Abort()
			continue
		}
		if err := s.Close(); err != nil {
			r.fail(fmt.Errorf("%s: %w", r.plan.Model.Ops[id].Name, err))
		}
	}
	for _, s := range r.cfg.Sources {
		if err := s.Close(); err != nil && failure == nil && !errors.Is(err, context.Canceled) {
			r.fail(err)
		}
	}
}

// gate is a condition that waiting also leaves when a context ends.
type gate struct {
	mu   sync.Mutex
	cond *sync.Cond
}

func newGate() *gate {
	g := &gate{}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) Broadcast() {
	g.mu.Lock()
	g.mu.Unlock() //nolint:staticcheck // a waiter is between its check and Wait only while holding mu
	g.cond.Broadcast()
}

// Wait blocks until ok returns true or ctx is done, and reports the former.
func (g *gate) Wait(ctx context.Context, ok func() bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !ok() {
		if ctx.Err() != nil {
			return false
		}
		g.cond.Wait()
	}
	return ctx.Err() == nil
}
