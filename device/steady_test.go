package device_test

import (
	"testing"

	"github.com/millrace/millrace/device"
)

// instant is a device that takes no time and allocates nothing.
type instant struct{ memory []byte }

func (*instant) Info() device.Info                                { return device.Info{ID: "instant", MemoryBytes: 1 << 30} }
func (*instant) Compile(p *device.Program) (device.Kernel, error) { return instantKernel{p}, nil }
func (d *instant) NewSlot(device.Sizes) (device.Slot, error)      { return d, nil }
func (*instant) NewResident(int) (device.Resident, error)         { return instantResident{}, nil }
func (*instant) Reset() error                                     { return nil }
func (*instant) Close() error                                     { return nil }
func (d *instant) Input(int) []byte                               { return d.memory }
func (d *instant) Output(int) []byte                              { return d.memory }
func (*instant) Run(device.Kernel, *device.Call) error            { return nil }
func (*instant) Wait() (device.Timing, error)                     { return device.Timing{}, nil }
func (*instant) Free()                                            {}

type instantKernel struct{ program *device.Program }

func (k instantKernel) Program() *device.Program { return k.program }
func (instantKernel) Free()                      {}

type instantResident struct{}

func (instantResident) Bytes() int         { return 64 }
func (instantResident) Write([]byte) error { return nil }
func (instantResident) Read([]byte) error  { return nil }
func (instantResident) Free()              {}

type counted struct {
	ended chan bool
}

func (counted) CopyIn(_ device.Slot, c *device.Call) error {
	c.InputBytes[0] = 8
	c.Scalars = append(c.Scalars[:0], 1)
	return nil
}
func (counted) CopyOut(device.Slot, *device.Call) error { return nil }
func (c counted) Done(device.Stages, error)             { c.ended <- true }

func newInstant(t testing.TB, mutable bool) (*device.Processor, *device.Plan, *counted) {
	p := device.Start(&instant{make([]byte, 64)}, device.Config{})
	t.Cleanup(func() { p.Close() })
	pl, err := p.Plan(&device.Program{Key: "nothing", Outputs: []device.Extent{{Each: 8}}, Resident: 1, Mutable: []bool{mutable}}, device.Sizes{Input: []int{64}, Output: []int{64}}, make([]byte, 64))
	if err != nil {
		t.Fatal(err)
	}
	return p, pl, &counted{make(chan bool, 1)}
}

func TestTasksDoNotAllocate(t *testing.T) {
	t.Run("no state", func(t *testing.T) { tasksDoNotAllocate(t, false) })
	t.Run("state", func(t *testing.T) { tasksDoNotAllocate(t, true) })
}

func tasksDoNotAllocate(t *testing.T, mutable bool) {
	p, pl, work := newInstant(t, mutable)
	task := func() {
		if err := p.Admit(); err != nil {
			t.Fatal(err)
		}
		if err := pl.Submit(work); err != nil {
			t.Fatal(err)
		}
		<-work.ended
	}
	if n := testing.AllocsPerRun(200, task); n >= 1 {
		t.Errorf("%v allocations for a task", n)
	}
}

// What the pipeline adds to a task: four hand-overs between goroutines.
func BenchmarkTask(b *testing.B) {
	_, pl, work := newInstant(b, false)
	for b.Loop() {
		if err := pl.Submit(work); err != nil {
			b.Fatal(err)
		}
		<-work.ended
	}
}
