package device_test

import (
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
	"github.com/millrace/millrace/engine/schedule"
)

// node is a small engine: queries whose tasks go through a queue to two CPU workers and
// some devices, and whose results are put in order.
type node struct {
	t       *testing.T
	name    string
	queue   *schedule.Queue
	devices []*device.Processor
	cpuTime []time.Duration // per query
	workers sync.WaitGroup
	all     sync.WaitGroup

	mu      sync.Mutex
	queries []ring
	wins    []int // per processor
}

type ring struct {
	tasks, size, head, tail int
	done                    map[int]bool
}

// cut pushes what the ring of query q has room for. mu is held.
func (n *node) cut(q int) {
	r := &n.queries[q]
	for r.tail < r.tasks && r.tail-r.head < r.size {
		n.queue.Push(schedule.Unit{Pipeline: q, Index: r.tail})
		r.tail++
	}
	if r.tail-r.head >= r.size*3/4 {
		n.queue.HoldsUp(schedule.Unit{Pipeline: q, Index: r.head})
	}
}

// end gives a task's result to its ring, if it is the first one.
func (n *node) end(p schedule.Processor, u schedule.Unit, busy time.Duration) {
	if !n.queue.Done(p, u, 1, busy) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &n.queries[u.Pipeline]
	if r.done[u.Index] || u.Index < r.head {
		n.t.Errorf("%s: task %d of query %d has two results", n.name, u.Index, u.Pipeline)
		return
	}
	n.wins[p]++
	r.done[u.Index] = true
	for r.done[r.head] {
		delete(r.done, r.head)
		r.head++
	}
	n.cut(u.Pipeline)
	n.all.Done()
}

func (n *node) worker() {
	defer n.workers.Done()
	for {
		u, ok := n.queue.Take(schedule.CPU)
		if !ok {
			return
		}
		time.Sleep(n.cpuTime[u.Pipeline])
		n.end(schedule.CPU, u, n.cpuTime[u.Pipeline])
	}
}

// deviceWorker is the goroutine that gives tasks to a device.
func (n *node) deviceWorker(p schedule.Processor, d *device.Processor, plans []*device.Plan) {
	defer n.workers.Done()
	for d.Admit() == nil {
		u, ok := n.queue.Take(p)
		if !ok {
			return
		}
		q := u.Pipeline
		want := uint64(u.Index) + uint64(q)
		j := &job{value: uint64(u.Index), want: want, copyTime: 50 * time.Microsecond}
		j.done = func(j *job, s device.Stages, err error) {
			if err != nil {
				n.queue.Return(p, u)
				return
			}
			if j.wrong {
				n.t.Errorf("%s: task %d of query %d has a wrong result", n.name, u.Index, q)
			}
			n.end(p, u, s.Interval(d.Stats().Depth))
		}
		var refused *device.Refusal
		var other *device.NotLoaded
		switch err := plans[q].Submit(j); {
		case errors.Is(err, device.ErrNoMemory):
			n.pause(p, u, 20*ms)
		case errors.As(err, &other):
			n.pause(p, u, other.Retry)
		case errors.As(err, &refused):
			n.queue.Change(func(t *schedule.Table) { t.SetAble(q, p, false) })
			n.queue.Return(p, u)
		case err != nil:
			n.queue.Return(p, u)
		}
	}
}

// pause returns a task and keeps p from its query for a while.
func (n *node) pause(p schedule.Processor, u schedule.Unit, d time.Duration) {
	n.queue.Change(func(t *schedule.Table) { t.SetPaused(u.Pipeline, p, true) })
	n.queue.Return(p, u)
	time.AfterFunc(d, func() {
		n.queue.Change(func(t *schedule.Table) { t.SetPaused(u.Pipeline, p, false) })
	})
}

// wait waits until all tasks have a result, but no longer than twice what the CPU alone
// would need, and a minute for what faults cost.
func (n *node) wait() {
	var alone time.Duration
	n.mu.Lock()
	for q, r := range n.queries {
		alone += time.Duration(r.tasks) * n.cpuTime[q] / 2
	}
	n.mu.Unlock()
	all := make(chan bool)
	go func() {
		n.all.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-time.After(2*alone + time.Minute):
		panic(n.name + ": gets stuck")
	}
}

// run plays a node to its end and returns the tasks that each processor won, and what the
// devices did.
func run(t *testing.T, name string, rings []ring, cpuTime []time.Duration, configs []sim.Config) ([]int, []device.Stats) {
	n := &node{t: t, name: name, queries: rings, cpuTime: cpuTime, wins: make([]int, 1+len(configs))}
	table := schedule.NewTable(slices.Concat([]int{2}, slices.Repeat([]int{1}, len(configs)))...)
	n.queue = schedule.NewHybridQueue(schedule.HLS{}, table)
	var sims []*sim.Device
	for i, c := range configs {
		p := schedule.Processor(1 + i)
		s, d := start(t, c, device.Config{Deadline: 300 * ms, Changed: func(up bool, _ error) {
			n.queue.Change(func(t *schedule.Table) { t.SetUp(p, up) })
		}})
		sims, n.devices = append(sims, s), append(n.devices, d)
		var plans []*device.Plan
		for q := range rings {
			pl, err := d.Plan(adder(fmt.Sprint(q), 1), sizes, image(uint64(q), residentBytes(q)))
			n.queue.Change(func(t *schedule.Table) { t.SetAble(q, p, err == nil) })
			plans = append(plans, pl)
		}
		n.workers.Add(1)
		go n.deviceWorker(p, d, plans)
	}
	for range 2 {
		n.workers.Add(1)
		go n.worker()
	}
	n.mu.Lock()
	for q := range rings {
		n.queries[q].done = map[int]bool{}
		n.all.Add(rings[q].tasks)
		n.cut(q)
	}
	n.mu.Unlock()
	n.wait()
	n.queue.Close()
	var stats []device.Stats
	for i, d := range n.devices {
		stop(t, sims[i], d)
		s := d.Stats()
		stats = append(stats, s)
		if s.UsedBytes > s.LimitBytes {
			t.Errorf("%s: device %d used %d bytes of %d", name, i, s.UsedBytes, s.LimitBytes)
		}
	}
	n.workers.Wait()
	time.Sleep(time.Second) // timers
	synctest.Wait()
	return n.wins, stats
}

func residentBytes(q int) int { return bytes * (1 + q%5) / 2 }

const seeds = 600

// Random queries on random devices with random faults: every task has one result, in
// order, and the right one; nothing gets stuck.
func TestRandomFaults(t *testing.T) {
	wins, loads := 0, 0
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			var rings []ring
			var cpu []time.Duration
			for range 1 + rng.IntN(6) {
				rings = append(rings, ring{tasks: 1 + rng.IntN(60), size: 1 + rng.IntN(24)})
				cpu = append(cpu, time.Duration(1+rng.IntN(200))*100*time.Microsecond)
			}
			var devices []sim.Config
			for range 1 + rng.IntN(3) {
				devices = append(devices, randomDevice(rng, len(rings)))
			}
			won, stats := run(t, fmt.Sprintf("seed %d", seed), rings, cpu, devices)
			for i, s := range stats {
				wins += won[1+i]
				loads += s.Loads
			}
		})
	}
	if wins < seeds || loads < seeds/10 {
		t.Errorf("devices won %d tasks and loaded %d programs in %d runs: the runs prove nothing", wins, loads, seeds)
	}
}

func randomDevice(rng *rand.Rand, queries int) sim.Config {
	c := equal()
	c.MemoryBytes = int64(bytes * (2 + rng.IntN(40)))
	c.RateOther = bytes * (100 + 5000*rng.Float64())
	c.Unified = rng.IntN(3) == 0
	c.LoadTime = time.Duration(rng.IntN(3)) * 5 * ms
	c.Refuse = map[string]string{}
	for q := range queries {
		if rng.IntN(5) == 0 {
			c.Refuse[fmt.Sprint(q)] = "by chance"
		}
	}
	if rng.IntN(3) == 0 {
		c.Precompiled, c.OneProgram = []string{}, true
		for q := range queries {
			if rng.IntN(3) > 0 {
				c.Precompiled = append(c.Precompiled, fmt.Sprint(q))
			}
		}
	}
	for range rng.IntN(5) {
		c.Faults = append(c.Faults, sim.Fault{At: sim.Event(rng.IntN(5)), N: 1 + rng.IntN(40), Effect: sim.Effect(rng.IntN(3))})
	}
	if rng.IntN(4) == 0 {
		c.ResetFailing = rng.IntN(10)
	}
	return c
}

// Sixteen queries on a device with memory for three.
func TestManyQueriesOnASmallDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 16 * bytes
		var rings []ring
		var cpu []time.Duration
		for range 16 {
			rings = append(rings, ring{tasks: 100, size: 12})
			cpu = append(cpu, 20*ms)
		}
		wins, _ := run(t, "sixteen", rings, cpu, []sim.Config{c})
		if wins[1] < 800 {
			t.Errorf("the device did %d of 1600 tasks, at 20 times the speed of a CPU worker", wins[1])
		}
		t.Logf("CPU %d, device %d", wins[0], wins[1])
	})
}
