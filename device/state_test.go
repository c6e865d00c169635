package device_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
)

// recorder appends each task's number to its state and gives the sum so far: resident
// buffer 1 holds the count and the numbers, buffer 0 is read only and holds a constant.
// A task done twice, not at all or out of order shows in the state for ever.
func recorder(key string) *device.Program {
	return &device.Program{Key: key, Resident: 2, Mutable: []bool{false, true}, Host: func(b *device.Buffers) error {
		record(b.Resident[1], binary.LittleEndian.Uint64(b.Input[0]))
		binary.LittleEndian.PutUint64(b.Output[0], recorded(b.Resident[1])+binary.LittleEndian.Uint64(b.Resident[0]))
		return nil
	}}
}

func record(state []byte, v uint64) {
	n := binary.LittleEndian.Uint64(state)
	binary.LittleEndian.PutUint64(state[8*(n+1):], v)
	binary.LittleEndian.PutUint64(state, n+1)
}

func recorded(state []byte) (sum uint64) {
	for i := range binary.LittleEndian.Uint64(state) {
		sum += binary.LittleEndian.Uint64(state[8*(i+1):])
	}
	return sum
}

const constant = 1000

// counter is a query with state and a backup on the CPU that knows the same state.
type counter struct {
	t     *testing.T
	name  string
	plan  *device.Plan
	tasks int

	onDevice, handedBack, refused int
}

func newCounter(t *testing.T, p *device.Processor, name string, tasks int) *counter {
	pl := plan(t, p, recorder(name), image(constant, 8), make([]byte, 8*(tasks+1)))
	return &counter{t: t, name: name, plan: pl, tasks: tasks}
}

// run does the tasks in order, each on the device, or where that fails or by the choice
// of cpu, by the backup.
func (c *counter) run(cpu func(i int) bool) {
	for i := range c.tasks {
		if cpu(i) || !c.submit(uint64(i)) {
			state := c.plan.State(1)
			record(state, uint64(i))
			if err := c.plan.Update(1, state); err != nil {
				c.t.Error(err)
			}
			time.Sleep(ms)
		}
	}
}

func (c *counter) submit(i uint64) bool {
	ended := make(chan error, 1)
	j := &job{value: i, want: i*(i+1)/2 + constant, copyTime: ms / 10}
	j.done = func(j *job, _ device.Stages, err error) {
		if err == nil && j.wrong {
			c.t.Errorf("%s: task %d has a wrong result", c.name, i)
		}
		ended <- err
	}
	if err := c.plan.Submit(j); err != nil {
		c.refused++
		return false
	}
	if err := <-ended; err != nil {
		c.handedBack++
		return false
	}
	c.onDevice++
	return true
}

// check looks whether every task was counted, once, and in order.
func (c *counter) check() {
	state := c.plan.State(1)
	var got []uint64
	for i := range binary.LittleEndian.Uint64(state) {
		got = append(got, binary.LittleEndian.Uint64(state[8*(i+1):]))
	}
	if len(got) != c.tasks || !slices.IsSorted(got) || c.tasks > 0 && (got[0] != 0 || got[c.tasks-1] != uint64(c.tasks-1)) {
		c.t.Errorf("%s: the state has seen tasks %v of %d", c.name, got, c.tasks)
	}
	if got := binary.LittleEndian.Uint64(c.plan.State(0)); got != constant {
		c.t.Errorf("%s: the constant is %d", c.name, got)
	}
}

func never(int) bool { return false }

// State is true at any task boundary, tasks of one plan follow each other, and those of
// two plans overlap.
func TestMutableState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{Depth: 4})
		c := newCounter(t, p, "a", 40)
		c.run(func(i int) bool { return i%7 == 3 })
		c.check()
		if c.onDevice != 34 || c.handedBack != 0 {
			t.Errorf("%d tasks on the device, %d handed back", c.onDevice, c.handedBack)
		}
		if s := p.Stats(); s.BytesOut != 34*(bytes+8*41) {
			t.Errorf("moved out %d bytes", s.BytesOut)
		}
		stop(t, d, p)
		c.check() // also when the device is gone
	})
}

// A plan may submit ahead: its tasks wait for each other, those of other plans do not.
func TestStatefulPlansOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{Depth: 4})
		var all sync.WaitGroup
		from := time.Now()
		const plans, tasks = 4, 50
		for k := range plans {
			c := newCounter(t, p, fmt.Sprint(k), tasks)
			ended := 0
			all.Go(func() {
				for i := range uint64(tasks) {
					j := &job{value: i, want: i*(i+1)/2 + constant, done: func(j *job, _ device.Stages, err error) {
						if ended++; err != nil || j.wrong || j.value != uint64(ended-1) {
							t.Errorf("task %d, the %dth: %v, wrong %v", j.value, ended, err, j.wrong)
						}
					}}
					if err := c.plan.Submit(j); err != nil {
						t.Error(err)
					}
				}
				c.check()
			})
		}
		all.Wait()
		took, alone := time.Since(from), plans*tasks*3*ms
		if took > alone/2 {
			t.Errorf("%d plans took %v, one after another it would be %v", plans, took, alone)
		}
		stop(t, d, p)
	})
}

// State and an update wait for the task in flight.
func TestUpdateIsAfterTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{})
		c := newCounter(t, p, "a", 3)
		if err := c.plan.Submit(&job{value: 7, done: func(*job, device.Stages, error) {}}); err != nil {
			t.Fatal(err)
		}
		if got := recorded(c.plan.State(1)); got != 7 {
			t.Errorf("the state has %d", got)
		}
		if err := c.plan.Submit(&job{value: 8, done: func(*job, device.Stages, error) {}}); err != nil {
			t.Fatal(err)
		}
		if err := c.plan.Update(1, make([]byte, 8*4)); err != nil {
			t.Fatal(err)
		}
		c.run(never)
		c.check()
		stop(t, d, p)
	})
}

// Two plans with state, memory for one of them: each task takes the memory of the other
// plan.
func TestEvictedAtEachTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = 60
		c := equal()
		c.MemoryBytes = slotBytes + 8 + 8*(tasks+1) + 100
		d, p := start(t, c, device.Config{MemoryShare: 1})
		a, b := newCounter(t, p, "a", tasks), newCounter(t, p, "b", tasks)
		for i := range uint64(tasks) {
			if !a.submit(i) || !b.submit(i) {
				t.Fatalf("task %d was not done", i)
			}
		}
		a.check()
		b.check()
		if s := p.Stats(); s.Evictions != 2*tasks-1 {
			t.Errorf("%d evictions", s.Evictions)
		}
		stop(t, d, p)
	})
}

// Every event of every kind in turn has every effect: whatever fails, the state has each
// task once.
func TestStateSurvivesFaults(t *testing.T) {
	const tasks = 12
	backup := 0
	for _, at := range []sim.Event{sim.Allocate, sim.Execute, sim.Launch, sim.Move} {
		for _, effect := range []sim.Effect{sim.Lose, sim.Hang, sim.Full} {
			for n := 1; n <= 3*tasks; n++ {
				synctest.Test(t, func(t *testing.T) {
					conf := equal()
					conf.Faults = []sim.Fault{{At: at, N: n, Effect: effect}, {At: at, N: n + 3, Effect: effect}}
					conf.MemoryBytes = 3 * slotBytes / 2
					d, p := start(t, conf, device.Config{Deadline: 50 * ms, MemoryShare: 1})
					a, b := newCounter(t, p, "a", tasks), newCounter(t, p, "b", tasks)
					a.name, b.name = fmt.Sprintf("event %d, effect %d, number %d: a", at, effect, n), fmt.Sprintf("event %d, effect %d, number %d: b", at, effect, n)
					var all sync.WaitGroup
					all.Go(func() { a.run(never) })
					b.run(func(i int) bool { return i%5 == 4 })
					all.Wait()
					a.check()
					b.check()
					backup += a.handedBack + a.refused + b.handedBack + b.refused
					stop(t, d, p)
				})
			}
		}
	}
	if backup < 100 {
		t.Errorf("the backup was needed %d times: the runs prove nothing", backup)
	}
}

// A result that does not fit is handed back: what the task wrote does not count.
func TestSpilledTaskDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{})
		c := newCounter(t, p, "a", 9)
		spill := errors.New("does not fit")
		for i := range uint64(9) {
			got := make(chan error, 1)
			if i%3 == 1 {
				j := &job{value: i, spill: spill, done: func(_ *job, _ device.Stages, err error) { got <- err }}
				if err := c.plan.Submit(j); err != nil {
					t.Fatal(err)
				}
				if err := <-got; !errors.Is(err, spill) {
					t.Error(err)
				}
			}
			if !c.submit(i) {
				t.Errorf("task %d was not done", i)
			}
		}
		c.check()
		stop(t, d, p)
	})
}

// A task that ran out of memory half way and is given to the device again counts once: its
// plan's buffers are still there, and what it wrote must not be.
func TestTaskAgainOnTheDevice(t *testing.T) {
	for n := 1; n <= 8; n++ {
		synctest.Test(t, func(t *testing.T) {
			conf := equal()
			conf.Faults = []sim.Fault{{At: sim.Execute, N: n, Effect: sim.Full}, {At: sim.Execute, N: n + 1, Effect: sim.Full}}
			d, p := start(t, conf, device.Config{})
			c := newCounter(t, p, "a", 10)
			for i := range uint64(10) {
				for !c.submit(i) {
					time.Sleep(ms)
				}
			}
			c.check()
			if s := p.Stats(); c.handedBack != 2 || s.Returned != 2 || s.Evictions != 0 {
				t.Errorf("%d tasks handed back, %+v", c.handedBack, s)
			}
			stop(t, d, p)
		})
	}
}

// Random plans with and without state, choices, faults and memory.
func TestStateRandomly(t *testing.T) {
	onDevice, failed, evicted := 0, 0, 0
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			c := randomDevice(rng, 0)
			c.Precompiled = nil
			c.MemoryBytes = int64(slotBytes * (2 + rng.IntN(6)))
			d, p := start(t, c, device.Config{Deadline: 100 * ms})
			var all sync.WaitGroup
			var list []*counter
			for k := range 1 + rng.IntN(5) {
				pl := newCounterOn(t, p, fmt.Sprintf("seed %d, query %d", seed, k), rng.IntN(50))
				if pl == nil {
					continue
				}
				choice := make([]bool, pl.tasks)
				for i := range choice {
					choice[i] = rng.IntN(4) == 0
				}
				list = append(list, pl)
				all.Go(func() { pl.run(func(i int) bool { return choice[i] }) })
			}
			all.Wait()
			for _, c := range list {
				c.check()
				onDevice += c.onDevice
				failed += c.handedBack + c.refused
			}
			evicted += p.Stats().Evictions
			stop(t, d, p)
		})
	}
	t.Logf("%d tasks on the device, %d not done by it, %d evictions", onDevice, failed, evicted)
	if onDevice < 10*seeds || failed < seeds || evicted < seeds {
		t.Errorf("%d tasks on the device, %d not done by it, %d evictions: the runs prove nothing", onDevice, failed, evicted)
	}
}

// newCounterOn is nil if the device is not up.
func newCounterOn(t *testing.T, p *device.Processor, name string, tasks int) *counter {
	pl, err := p.Plan(recorder(name), sizes, image(constant, 8), make([]byte, 8*(tasks+1)))
	if err != nil {
		return nil
	}
	return &counter{t: t, name: name, plan: pl, tasks: tasks}
}
