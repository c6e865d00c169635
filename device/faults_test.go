package device_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
)

// faultClass is one way in which devices fail or fall short, in a random setting that
// everything else leaves alone.
type faultClass struct {
	name    string
	queries int // 0: one to six
	set     func(c *sim.Config, seed uint64, rng *rand.Rand)
	proof   func(s *device.Stats) int // what shows that it happened
}

func resets(s *device.Stats) int { return s.Resets }

func faultClasses() []faultClass {
	one := func(at sim.Event, effect sim.Effect) func(*sim.Config, uint64, *rand.Rand) {
		return func(c *sim.Config, seed uint64, _ *rand.Rand) {
			c.Faults = []sim.Fault{{At: at, N: 1 + int(seed)%50, Effect: effect}}
		}
	}
	small := func(c *sim.Config, _ uint64, rng *rand.Rand) { c.MemoryBytes = int64(bytes * (6 + rng.IntN(8))) }
	return []faultClass{
		{"lost at each task in turn", 0, one(sim.Execute, sim.Lose), resets},
		{"lost at each launch in turn", 0, one(sim.Launch, sim.Lose), resets},
		{"lost at each allocation in turn", 0, one(sim.Allocate, sim.Lose), resets},
		{"lost at random tasks", 0, func(c *sim.Config, _ uint64, rng *rand.Rand) {
			for range 1 + rng.IntN(6) {
				c.Faults = append(c.Faults, sim.Fault{At: sim.Execute, N: 1 + rng.IntN(80), Effect: sim.Lose})
			}
		}, resets},
		{"hangs at each task in turn", 0, one(sim.Execute, sim.Hang), resets},
		{"hangs at each move in turn", 6, func(c *sim.Config, seed uint64, rng *rand.Rand) {
			small(c, seed, rng)
			c.Faults = []sim.Fault{{At: sim.Move, N: 1 + int(seed)%12, Effect: sim.Hang}}
		}, resets},
		{"no memory at each allocation in turn", 0, func(c *sim.Config, seed uint64, rng *rand.Rand) {
			small(c, seed, rng)
			c.Faults = []sim.Fault{{At: sim.Allocate, N: 1 + int(seed)%50, Effect: sim.Full}}
		}, func(s *device.Stats) int { return s.Evictions }},
		{"more resident state than memory", 6, small, func(s *device.Stats) int { return s.Evictions }},
		{"sixteen queries on a small device", 16, small, func(s *device.Stats) int { return s.Evictions }},
		{"refuses to compile", 0, func(c *sim.Config, _ uint64, rng *rand.Rand) {
			c.Refuse = map[string]string{}
			for q := range 6 {
				if rng.IntN(2) == 0 {
					c.Refuse[fmt.Sprint(q)] = "by chance"
				}
			}
		}, func(s *device.Stats) int { return s.Tasks }},
		{"resets fail", 0, func(c *sim.Config, seed uint64, rng *rand.Rand) {
			one(sim.Execute, sim.Lose)(c, seed, rng)
			c.ResetFailing = rng.IntN(10)
		}, resets},
		{"one program at a time, loads lost", 4, func(c *sim.Config, _ uint64, rng *rand.Rand) {
			c.OneProgram, c.LoadTime = true, time.Duration(1+rng.IntN(20))*ms
			c.Faults = []sim.Fault{{At: sim.Load, N: 1 + rng.IntN(4), Effect: sim.Effect(rng.IntN(2))}}
		}, func(s *device.Stats) int { return s.Loads }},
	}
}

const faultSeeds = 300 // of each class

// Each class of faults alone: every task has one result, in order and right, and the end
// comes in time (run sees to it).
func TestFaults(t *testing.T) {
	for _, class := range faultClasses() {
		t.Run(class.name, func(t *testing.T) {
			t.Parallel()
			proof, done := 0, 0
			for seed := range uint64(faultSeeds) {
				synctest.Test(t, func(t *testing.T) {
					stats := class.run(t, seed)
					if class.proof(&stats) > 0 {
						proof++
					}
					done += stats.Tasks
				})
			}
			t.Logf("it happened in %d of %d runs; the device did %d tasks", proof, faultSeeds, done)
			if proof < faultSeeds/4 || done < faultSeeds {
				t.Errorf("it happened in %d of %d runs, the device did %d tasks: the runs prove nothing", proof, faultSeeds, done)
			}
		})
	}
}

func (f *faultClass) run(t *testing.T, seed uint64) device.Stats {
	rng := rand.New(rand.NewPCG(seed, 13))
	queries := f.queries
	if queries == 0 {
		queries = 1 + rng.IntN(6)
	}
	var rings []ring
	var cpu []time.Duration
	for range queries {
		rings = append(rings, ring{tasks: 10 + rng.IntN(30), size: 4 + rng.IntN(20)})
		cpu = append(cpu, time.Duration(20+rng.IntN(200))*100*time.Microsecond)
	}
	c := equal()
	f.set(&c, seed, rng)
	_, stats := run(t, fmt.Sprintf("%s, seed %d", f.name, seed), rings, cpu, []sim.Config{c})
	return stats[0]
}
