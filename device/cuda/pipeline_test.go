//go:build !nogpu

package cuda

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/device"
)

// addTask is a task of addProgram: n values from first, and all of them above the limit.
type addTask struct {
	first, n, k int32
	ended       func(*addTask, error)
	wrong       int
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

// The pipeline over the driver's interface: tasks in order, and once more after a kernel
// that faults, a reset and a probe.
func TestPipelineSurvivesFault(t *testing.T) {
	const tasks, values = 200, 1000
	s := newStandIn(t)
	d, err := s.library(t).open("cuda:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan bool, 2)
	p := device.Start(d, device.Config{Changed: func(now bool, _ error) { up <- now }})
	defer p.Close()
	k := make([]byte, 4)
	binary.NativeEndian.PutUint32(k, 9)
	plan, err := p.Plan(addProgram, device.Sizes{Input: []int{4 * values}, Output: []int{4, 4 * values}}, k)
	if err != nil {
		t.Fatal(err)
	}
	s.faultAt(120) // the sixtieth task's
	var mu sync.Mutex
	right, next, back := 0, int32(0), 0
	ended := func(a *addTask, err error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			back++
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
	for stats := p.Stats(); stats.Tasks+stats.Returned < tasks; stats = p.Stats() {
		time.Sleep(time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	if stats := p.Stats(); right+back != tasks || back == 0 || stats.Resets != 1 || stats.State != device.Up || right < tasks-device.DepthMax {
		t.Errorf("%d right, %d handed back, %+v", right, back, stats)
	}
}

// A kernel that hangs is given up at its deadline; the device goes on.
func TestPipelineSurvivesHang(t *testing.T) {
	s := newStandIn(t)
	d, err := s.library(t).open("cuda:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan bool, 2)
	p := device.Start(d, device.Config{Deadline: 200 * time.Millisecond, Changed: func(now bool, _ error) {
		if !now {
			s.hang(0)
		}
		up <- now
	}})
	defer p.Close()
	plan, err := p.Plan(addProgram, device.Sizes{Input: []int{400}, Output: []int{4, 400}}, make([]byte, 4))
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, 1)
	s.hang(1)
	task := &addTask{n: 100, ended: func(_ *addTask, err error) { ends <- err }}
	if err := plan.Submit(task); err != nil {
		t.Fatal(err)
	}
	if err := <-ends; err == nil {
		t.Error("a task that hangs has a result")
	}
	if first, second := <-up, <-up; first || !second {
		t.Errorf("up: %v, then %v", first, second)
	}
	if err := plan.Submit(task); err != nil {
		t.Fatal(err)
	}
	if err := <-ends; err != nil || task.wrong > 0 {
		t.Errorf("after a reset: %v, %d wrong values", err, task.wrong)
	}
}
