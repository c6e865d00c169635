package random

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
)

// devices are what a case runs on beside the workers, or in their place.
type devices struct {
	names     string // as --processors takes them
	scheduler string
	depth     int
	await     bool         // for programs
	simulated []sim.Config // nil: real ones, by name
	// ended is told of every run on devices, or that they refused; nil: nobody asks.
	ended func(refused *engine.RefusedError, stats *millrace.Stats)
}

func (d devices) String() string {
	if d.names == "" {
		return ""
	}
	text := fmt.Sprintf(", processors %s, depth %d, scheduler %s, await %t", d.names, d.depth, d.scheduler, d.await)
	for _, c := range d.simulated {
		text += fmt.Sprintf(", simulated %d bytes %.0f/s faults %v", c.MemoryBytes, c.RateOther, c.Faults)
	}
	return text
}

// options enters the devices.
func (d devices) options(o *millrace.Options) {
	o.Processors, o.Scheduler, o.DeviceDepth, o.AwaitDevices = d.names, d.scheduler, d.depth, d.await
	if d.simulated == nil {
		return
	}
	o.Devices = func() (list []engine.DeviceConfig, err error) {
		for _, c := range d.simulated {
			list = append(list, engine.DeviceConfig{Device: sim.New(c), Depth: d.depth, Deadline: 40 * time.Millisecond})
		}
		return list, nil
	}
}

// withCPU is the devices beside the workers.
func (d devices) withCPU() devices {
	if !strings.Contains(d.names, "cpu") {
		d.names = "cpu," + d.names
	}
	return d
}

// randomDevices are none, or simulated ones with faults.
func randomDevices(r *rand.Rand) devices {
	if r.IntN(3) > 0 {
		return devices{}
	}
	d := devices{names: "cpu,sim", scheduler: engine.Schedulers[r.IntN(len(engine.Schedulers))], depth: r.IntN(device.DepthMax + 1), await: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		d.names = "sim"
	}
	for range 1 + r.IntN(2) {
		c := sim.Config{
			ID: fmt.Sprint("sim:", len(d.simulated)), MemoryBytes: 1 << (16 + r.IntN(16)), MoveIn: 1e9, MoveOut: 1e9,
			Launch: time.Duration(r.IntN(50)) * time.Microsecond, RateOther: []float64{0, 1e8, 1e6}[r.IntN(3)], Unified: r.IntN(4) == 0,
		}
		for range r.IntN(4) {
			c.Faults = append(c.Faults, sim.Fault{At: sim.Event(r.IntN(3)), N: 1 + r.IntN(20), Effect: sim.Effect(r.IntN(3))})
		}
		if r.IntN(4) == 0 {
			c.ResetFailing = r.IntN(3)
		}
		d.simulated = append(d.simulated, c)
	}
	return d
}
