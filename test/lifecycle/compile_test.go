package lifecycle

import (
	"sync/atomic"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
	"github.com/millrace/millrace/engine"
	"github.com/millrace/millrace/internal/leak"
)

// slowDriver is a device whose driver compiles until it is let go.
type slowDriver struct {
	device.Device
	compiling, let chan struct{}
	once           atomic.Bool
	closed         atomic.Bool
}

func (d *slowDriver) Compile(p *device.Program) (device.Kernel, error) {
	if d.once.CompareAndSwap(false, true) {
		close(d.compiling)
	}
	<-d.let
	return d.Device.Compile(p)
}

func (d *slowDriver) Close() error {
	d.closed.Store(true)
	return d.Device.Close()
}

// A job's end does not wait for a driver that compiles, and the device is closed, after all
// else, when the driver has come back.
func TestEndsWhileADriverCompiles(t *testing.T) {
	leak.Check(t)
	d := &slowDriver{Device: sim.New(sim.Config{ID: "sim", MemoryBytes: 1 << 26}), compiling: make(chan struct{}), let: make(chan struct{})}
	plan, err := millrace.Prepare([]millrace.Script{{Name: "test.sql", Text: `CREATE STREAM s (k INTEGER, v DOUBLE) WITH (connector = 'datagen', number_of_rows = 1000000);
SELECT k FROM s WHERE v > 0.5;`}}, millrace.Options{Workers: 1, Processors: "cpu,sim", Devices: func() ([]engine.DeviceConfig, error) {
		return []engine.DeviceConfig{{Device: d}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	job, err := plan.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-d.compiling
	if err := end(t, job); err != nil {
		t.Error(err)
	}
	if d.closed.Load() {
		t.Error("the device was closed while its driver compiled")
	}
	close(d.let)
}
