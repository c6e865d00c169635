package device_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
)

const (
	ms    = time.Millisecond
	bytes = 1 << 14 // of a task, in and out
)

// adder adds a scalar and, if there is resident state, its first word.
func adder(key string, residents int) *device.Program {
	return &device.Program{Key: key, Resident: residents, Host: func(b *device.Buffers) error {
		n := binary.LittleEndian.Uint64(b.Input[0]) + uint64(b.Call.Scalars[0])
		for _, r := range b.Resident {
			n += binary.LittleEndian.Uint64(r)
		}
		binary.LittleEndian.PutUint64(b.Output[0], n)
		return nil
	}}
}

var sizes = device.Sizes{Input: []int{bytes}, Output: []int{bytes}}

// job is a task of an adder.
type job struct {
	value, add, want uint64
	copyTime         time.Duration
	done             func(*job, device.Stages, error)
	refuse           error // CopyIn's
	spill            error // CopyOut's
	wrong            bool
}

func (j *job) CopyIn(s device.Slot, c *device.Call) error {
	if j.refuse != nil {
		return j.refuse
	}
	time.Sleep(j.copyTime)
	binary.LittleEndian.PutUint64(s.Input(0), j.value)
	c.InputBytes[0] = bytes
	c.Scalars = append(c.Scalars[:0], int64(j.add))
	return nil
}

func (j *job) CopyOut(s device.Slot, _ *device.Call) error {
	time.Sleep(j.copyTime)
	j.wrong = binary.LittleEndian.Uint64(s.Output(0)) != j.want
	return j.spill
}

func (j *job) Done(s device.Stages, err error) { j.done(j, s, err) }

// equal is a device whose three stages take 1 ms for a task.
func equal() sim.Config {
	return sim.Config{ID: "sim:0", MemoryBytes: 1 << 30, MoveIn: bytes * 1000, MoveOut: bytes * 1000, RateOther: bytes * 1000}
}

// bench runs n tasks and returns the time that they took.
func bench(t *testing.T, p *device.Processor, pl *device.Plan, n int, copyTime time.Duration) time.Duration {
	t.Helper()
	start, next := time.Now(), uint64(0)
	all := make(chan bool, n)
	for i := range uint64(n) {
		if err := p.Admit(); err != nil {
			t.Fatal(err)
		}
		j := &job{value: i, add: 5, want: i + 5, copyTime: copyTime}
		j.done = func(j *job, _ device.Stages, err error) {
			if err != nil || j.wrong || j.value != next {
				t.Errorf("task %d, expected %d: %v, wrong %v", j.value, next, err, j.wrong)
			}
			next++
			all <- true
		}
		err := pl.Submit(j)
		for ; errors.Is(err, device.ErrNoMemory); err = pl.Submit(j) {
			time.Sleep(100 * ms)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		<-all
	}
	return time.Since(start)
}

func start(t *testing.T, c sim.Config, pc device.Config) (*sim.Device, *device.Processor) {
	d := sim.New(c)
	return d, device.Start(d, pc)
}

// stop closes and checks that the device was used as its contract says and nothing is left.
func stop(t *testing.T, d *sim.Device, p *device.Processor) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	synctest.Wait()
	if m := d.Misuses(); len(m) > 0 {
		t.Errorf("the device was misused: %v", m)
	}
	if n := d.Alive(); n > 0 {
		t.Errorf("%d slots, buffers and kernels were not freed", n)
	}
}

func plan(t *testing.T, p *device.Processor, program *device.Program, images ...[]byte) *device.Plan {
	t.Helper()
	pl, err := p.Plan(program, sizes, images...)
	if err != nil {
		t.Fatal(err)
	}
	return pl
}

// Five stages of a millisecond: a pipeline of depth d has a result every max(1, 5/d) ms.
// docs/devices.md has the table.
func TestStagesOverlap(t *testing.T) {
	document, err := os.ReadFile("../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	for depth := 1; depth <= 5; depth++ {
		synctest.Test(t, func(t *testing.T) {
			const n = 500
			d, p := start(t, equal(), device.Config{Depth: depth})
			took := bench(t, p, plan(t, p, adder("add", 0)), n, ms)
			ideal := n * ms * 5 / time.Duration(depth)
			if off := math.Abs(took.Seconds()/ideal.Seconds() - 1); off > 0.02 {
				t.Errorf("depth %d: %v, ideal %v", depth, took, ideal)
			}
			row := fmt.Sprintf("| %d | %.3f ms | %.3f ms | %.1f %% |\n", depth, 5/float64(depth), 1e3*took.Seconds()/n, 100*ideal.Seconds()/took.Seconds())
			if !strings.Contains(string(document), row) {
				t.Errorf("docs/devices.md lacks the row %s", row)
			}
			s := p.Stats()
			if want := ms * n; s.Tasks != n || s.Stages.Execute != want || s.Stages.CopyOut != want || s.BytesIn != n*bytes {
				t.Errorf("depth %d: counted %+v", depth, s)
			}
			stop(t, d, p)
		})
	}
}

func TestDepthIsFound(t *testing.T) {
	for _, c := range []struct {
		copyTime time.Duration
		rate     float64 // of the kernel
		unified  bool
		want     int
	}{
		{ms, bytes * 1000, false, 5},
		{0, bytes * 1000, true, 1},
		{ms, bytes * 1000, true, 3},
		{ms / 10, bytes * 100, false, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			conf := equal()
			conf.RateOther, conf.Unified = c.rate, c.unified
			d, p := start(t, conf, device.Config{})
			bench(t, p, plan(t, p, adder("add", 0)), 200, c.copyTime)
			if got := p.Stats().Depth; got != c.want {
				t.Errorf("%+v: depth %d", c, got)
			}
			stop(t, d, p)
		})
	}
}

func TestInterval(t *testing.T) {
	s := device.Stages{CopyIn: ms, Timing: device.Timing{MoveIn: 2 * ms, Execute: 4 * ms, MoveOut: 2 * ms}, CopyOut: ms}
	for depth, want := range []time.Duration{10 * ms, 10 * ms, 5 * ms, 4 * ms, 4 * ms} {
		if got := s.Interval(depth); got != want {
			t.Errorf("depth %d: %v, want %v", depth, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.Refuse = map[string]string{"double": "needs double precision"}
		c.Precompiled = []string{"add", "double"}
		c.LoadTime = 2 * time.Second
		d, p := start(t, c, device.Config{})
		for key, want := range map[string]string{"double": "needs double precision", "other": "precompiled"} {
			_, err := p.Plan(adder(key, 0), sizes)
			var r *device.Refusal
			if !errors.As(err, &r) || !strings.Contains(r.Error(), want) {
				t.Errorf("%s: %v", key, err)
			}
		}
		if _, err := p.Plan(adder("add", 0), device.Sizes{Input: []int{1 << 30}}); err == nil {
			t.Error("a plan that can never fit has to be refused")
		}
		if _, err := p.Plan(adder("add", 2), sizes, nil); err == nil {
			t.Error("a resident buffer without content has to be refused")
		}
		from := time.Now()
		bench(t, p, plan(t, p, adder("add", 0)), 3, 0)
		if got := time.Since(from); got < c.LoadTime {
			t.Errorf("loading took %v", got)
		}
		stop(t, d, p)
	})
}

// Errors of the caller leave the device in use.
func TestOwnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{Depth: 1})
		pl := plan(t, p, adder("add", 0))
		mine := errors.New("mine")
		if err := pl.Submit(&job{refuse: mine}); !errors.Is(err, mine) {
			t.Errorf("Submit: %v", err)
		}
		got := make(chan error, 1)
		j := &job{spill: mine, done: func(_ *job, _ device.Stages, err error) { got <- err }}
		if err := pl.Submit(j); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, mine) {
			t.Errorf("Done: %v", err)
		}
		bench(t, p, pl, 10, 0)
		if s := p.Stats(); s.State != device.Up || s.Returned != 1 || s.Tasks != 10 {
			t.Errorf("%+v", s)
		}
		stop(t, d, p)
		if err := pl.Submit(j); !errors.Is(err, device.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := p.Admit(); !errors.Is(err, device.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

// A device that is lost or hangs is reset, probed and used again; one that computes
// wrongly after a reset, or cannot be reset, is given up.
func TestRejoins(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []sim.Fault
		failed int
		state  device.State
		resets int
	}{
		{"lost", []sim.Fault{{At: sim.Execute, N: 10, Effect: sim.Lose}}, 0, device.Up, 1},
		{"lost at launch", []sim.Fault{{At: sim.Launch, N: 10}}, 0, device.Up, 1},
		{"hung", []sim.Fault{{At: sim.Execute, N: 10, Effect: sim.Hang}}, 0, device.Up, 1},
		{"reset fails twice", []sim.Fault{{At: sim.Execute, N: 10, Effect: sim.Lose}}, 2, device.Up, 3},
		{"reset never works", []sim.Fault{{At: sim.Execute, N: 10, Effect: sim.Hang}}, 100, device.Off, device.ResetsMax},
		{"hung again", []sim.Fault{{At: sim.Launch, N: 10}, {At: sim.Execute, N: 10, Effect: sim.Hang}}, 0, device.Up, 2},
		{"wrong after reset", []sim.Fault{{At: sim.Launch, N: 10}, {At: sim.Execute, N: 10, Effect: sim.Wrong}}, 0, device.Up, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rejoin(t, c.faults, c.failed, c.state, c.resets) })
		})
	}
}

// A reset that never ends is given up, and so is the device.
func TestResetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.Faults, c.ResetHangs = []sim.Fault{{At: sim.Execute, N: 1, Effect: sim.Hang}}, true
		d, p := start(t, c, device.Config{Deadline: 50 * ms})
		from, ended := time.Now(), make(chan error, 1)
		if err := plan(t, p, adder("add", 0)).Submit(&job{done: func(_ *job, _ device.Stages, err error) { ended <- err }}); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, device.ErrTimeout) {
			t.Errorf("handed back with %v", err)
		}
		if err := p.Admit(); !errors.Is(err, device.ErrTimeout) || p.Stats().State != device.Off {
			t.Errorf("%v, the device is %v", err, p.Stats().State)
		}
		if took := time.Since(from); took > time.Minute {
			t.Errorf("given up after %v", took)
		}
		stop(t, d, p)
	})
}

func rejoin(t *testing.T, faults []sim.Fault, failing int, want device.State, resets int) {
	c := equal()
	c.Faults, c.ResetFailing = faults, failing
	var changes []string
	d, p := start(t, c, device.Config{Depth: 4, Deadline: 50 * ms, Changed: func(up bool, _ error) { changes = append(changes, fmt.Sprint(up)) }})
	pl := plan(t, p, adder("add", 0))
	accepted, done, failed, refused := 0, 0, 0, 0
	for i := range uint64(40) {
		j := &job{value: i, want: i, done: func(j *job, _ device.Stages, err error) {
			switch {
			case err == nil && !j.wrong:
				done++
			case errors.Is(err, device.ErrLost) || errors.Is(err, device.ErrTimeout):
				failed++
			default:
				t.Errorf("task %d: %v, wrong %v", j.value, err, j.wrong)
			}
		}}
		if pl.Submit(j) == nil {
			accepted++
		} else {
			refused++
			time.Sleep(ms)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
	if accepted != done+failed || failed+refused == 0 || done == 0 {
		t.Errorf("accepted %d, done %d, handed back %d, refused %d", accepted, done, failed, refused)
	}
	if s := p.Stats(); s.State != want || s.Resets != resets {
		t.Errorf("%v after %d resets, want %v after %d: %v", s.State, s.Resets, want, resets, s.Reason)
	}
	if want == device.Up {
		if fmt.Sprint(changes) != "[false true]" {
			t.Errorf("said: up %v", changes)
		}
		bench(t, p, pl, 20, 0)
	} else if err := p.Admit(); err == nil {
		t.Error("a device that was given up admits nothing")
	}
	stop(t, d, p)
}
