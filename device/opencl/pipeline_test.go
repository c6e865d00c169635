//go:build !nogpu

package opencl

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/device"
)

// losing is a device that says it is lost when its lostAt-th task is run.
type losing struct {
	*Device
	mu     sync.Mutex
	runs   int
	lostAt int
}

type losingSlot struct {
	device.Slot
	d *losing
}

func (d *losing) NewSlot(s device.Sizes) (device.Slot, error) {
	slot, err := d.Device.NewSlot(s)
	return losingSlot{slot, d}, err
}

func (s losingSlot) Run(k device.Kernel, c *device.Call) error {
	s.d.mu.Lock()
	s.d.runs++
	lost := s.d.runs == s.d.lostAt
	s.d.mu.Unlock()
	if lost {
		return device.ErrLost
	}
	return s.Slot.Run(k, c)
}

func (*losing) Close() error { return nil } // by the test's end

// addTask is a task of addProgram: n values from first, and all of them above the limit.
type addTask struct {
	first, n int32
	k        int32
	ended    func(*addTask, error)
	wrong    int
}

func (a *addTask) CopyIn(s device.Slot, c *device.Call) error {
	for i := range a.n {
		binary.NativeEndian.PutUint32(s.Input(0)[4*i:], uint32(a.first+i))
	}
	c.InputBytes[0] = int(4 * a.n)
	c.Scalars = append(c.Scalars[:0], int64(a.n), -1)
	return nil
}

func (a *addTask) CopyOut(s device.Slot, _ *device.Call) error {
	if got := int32(binary.NativeEndian.Uint32(s.Output(0))); got != a.n {
		a.wrong++
	}
	for i := range a.n {
		if got := int32(binary.NativeEndian.Uint32(s.Output(1)[4*i:])); got != a.first+i+a.k {
			a.wrong++
		}
	}
	return nil
}

func (a *addTask) Done(_ device.Stages, err error) { a.ended(a, err) }

// The pipeline over a real driver: tasks in order, and once more after a loss, a reset and
// a probe.
func TestPipelineOverDriver(t *testing.T) {
	const tasks, values = 200, 1000
	up := make(chan bool, 2)
	p := device.Start(&losing{Device: open(t, Options{}), lostAt: 60}, device.Config{Changed: func(now bool, _ error) { up <- now }})
	defer p.Close()
	k := make([]byte, 4)
	binary.NativeEndian.PutUint32(k, 9)
	sizes := device.Sizes{Input: []int{4 * values}, Output: []int{4, 4 * values}}
	plan, err := p.Plan(addProgram, sizes, k)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	right, next := 0, int32(0)
	var back []*addTask
	ended := func(a *addTask, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			back = append(back, a)
		case a.wrong > 0:
			t.Errorf("task at %d: %d wrong values", a.first, a.wrong)
		default:
			right++
			if a.first < next {
				t.Errorf("task at %d came after the one before %d", a.first, next)
			}
			next = a.first + a.n
		}
	}
	for i := range int32(tasks) {
		a := &addTask{first: i * values, n: values - i, k: 9, ended: ended}
		for err := plan.Submit(a); err != nil; err = plan.Submit(a) {
			if now := <-up; now {
				t.Fatal("up without having been down:", err)
			}
			if now := <-up; !now {
				t.Fatal("not up again:", p.Stats().Reason)
			}
		}
	}
	for s := p.Stats(); s.Tasks+s.Returned < tasks; s = p.Stats() {
		time.Sleep(time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	if s := p.Stats(); right+len(back) != tasks || s.Resets != 1 || s.State != device.Up || right < tasks-device.DepthMax {
		t.Errorf("%d right, %d handed back, %+v", right, len(back), s)
	}
}

// sumProgram adds its input to a state that stays on the device, and gives the sums.
var sumProgram = &device.Program{
	Key: "test/sum",
	Source: `
KERNEL sum(GLOBAL const i32 *in, GLOBAL i32 *out, GLOBAL i32 *state, i32 n) {
  i32 g = ITEM;
  if (g >= n) return;
  state[g] += in[g];
  out[g] = state[g];
}`,
	Launches: []device.Launch{{Entry: "sum", Items: device.Extent{Each: 1}, Group: 64, Args: []device.Arg{
		{Kind: device.InputArg}, {Kind: device.OutputArg}, {Kind: device.ResidentArg}, {Kind: device.Int32Arg}}}},
	Outputs:  []device.Extent{{Each: 4}},
	Resident: 1,
	Mutable:  []bool{true},
}

// sumTask adds 1, 2, 3, ... to the state.
type sumTask struct {
	n, times int // values, and how often they were added with this task
	wrong    int
	ended    chan error
}

func (a *sumTask) CopyIn(s device.Slot, c *device.Call) error {
	for i := range a.n {
		binary.NativeEndian.PutUint32(s.Input(0)[4*i:], uint32(i+1))
	}
	c.InputBytes[0], c.Scalars = 4*a.n, append(c.Scalars[:0], int64(a.n))
	return nil
}

func (a *sumTask) CopyOut(s device.Slot, _ *device.Call) error {
	for i := range a.n {
		if got := int(binary.NativeEndian.Uint32(s.Output(0)[4*i:])); got != a.times*(i+1) {
			a.wrong++
		}
	}
	return nil
}

func (a *sumTask) Done(_ device.Stages, err error) { a.ended <- err }

// State that kernels write outlives the device, and the CPU takes turns with it.
func TestStateOverDriver(t *testing.T) {
	const tasks, values = 60, 500
	up := make(chan bool, 8)
	p := device.Start(&losing{Device: open(t, Options{}), lostAt: 20}, device.Config{Changed: func(now bool, _ error) { up <- now }})
	defer p.Close()
	sizes := device.Sizes{Input: []int{4 * values}, Output: []int{4 * values}}
	plan, err := p.Plan(sumProgram, sizes, make([]byte, 4*values))
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= tasks; i++ {
		a := &sumTask{n: values, times: i, ended: make(chan error, 1)}
		if i%7 == 0 {
			state := plan.State(0)
			for k := range values {
				binary.NativeEndian.PutUint32(state[4*k:], binary.NativeEndian.Uint32(state[4*k:])+uint32(k+1))
			}
			if err := plan.Update(0, state); err != nil {
				t.Fatal(err)
			}
			continue
		}
		err := plan.Submit(a)
		if err == nil {
			err = <-a.ended
		}
		if a.wrong > 0 {
			t.Errorf("task %d: %d wrong values", i, a.wrong)
		}
		if err == nil {
			continue
		}
		for now := range up {
			if now {
				break
			}
		}
		i-- // once more
	}
	state := plan.State(0)
	for k := range values {
		if got := binary.NativeEndian.Uint32(state[4*k:]); got != uint32(tasks*(k+1)) {
			t.Fatalf("value %d of the state is %d", k, got)
		}
	}
	if s := p.Stats(); s.Resets != 1 || s.State != device.Up {
		t.Errorf("%+v", s)
	}
}
