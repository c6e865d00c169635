package device_test

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
)

// fpga takes precompiled programs, holds one, and needs as long as 200 tasks to load it.
func fpga(keys ...string) sim.Config {
	c := equal()
	c.Precompiled, c.OneProgram, c.LoadTime = append([]string{}, keys...), true, 200*ms
	return c
}

const hold = 20 * 200 * ms // that a program stays

// user submits tasks to a plan until a time, one every pause, and drops those that the
// device does not take.
type user struct {
	t               *testing.T
	plan            *device.Plan
	done, elsewhere int
	ask             time.Duration // between two refused ones; 0: as NotLoaded says
}

func (u *user) run(until time.Time, pause time.Duration) {
	for i := uint64(0); time.Now().Before(until); i++ {
		j := &job{value: i, want: i, done: func(j *job, _ device.Stages, err error) {
			if err == nil && !j.wrong {
				u.done++
			} else {
				u.t.Errorf("task %d: %v, wrong %v", j.value, err, j.wrong)
			}
		}}
		from := time.Now()
		err := u.plan.Submit(j)
		var other *device.NotLoaded
		if errors.As(err, &other) {
			u.elsewhere++
			if waited := time.Since(from); waited > 5*ms {
				u.t.Errorf("a task waited %v for a load", waited)
			}
			time.Sleep(max(pause, cmp.Or(u.ask, other.Retry)))
			continue
		}
		if err != nil {
			u.t.Error(err)
		}
		time.Sleep(pause)
	}
}

// users runs several for a while on one device, each with a pause of its own, and gives
// the tasks that each had done there.
func users(t *testing.T, d *sim.Device, p *device.Processor, during time.Duration, pauses ...time.Duration) []int {
	t.Helper()
	var list []*user
	until := time.Now().Add(during)
	for i, pause := range pauses {
		u := &user{t: t, plan: plan(t, p, adder(fmt.Sprint(i), 0))}
		if pause == 0 {
			u.ask = ms // those in a hurry have no advantage
		}
		list = append(list, u)
		go u.run(until, pause)
	}
	time.Sleep(during + time.Second)
	synctest.Wait()
	var done []int
	for _, u := range list {
		done = append(done, u.done)
	}
	if most := int(during/hold) + 1; d.Loads() > most || p.Stats().Loads != d.Loads() {
		t.Errorf("%d loads in %v, %d counted; at most %d are allowed", d.Loads(), during, p.Stats().Loads, most)
	}
	t.Logf("%v: %d loads, tasks done %v", during, d.Loads(), done)
	return done
}

func TestOneProgramAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, fpga("a", "b"), device.Config{})
		from := time.Now()
		_, err := p.Plan(adder("c", 0), sizes)
		var refused *device.Refusal
		if !errors.As(err, &refused) || !strings.Contains(refused.Error(), "precompiled") {
			t.Errorf("a program that was not made ahead of time: %v", err)
		}
		a, b := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0))
		for _, step := range []struct {
			plan *device.Plan
			at   time.Duration
			says string
		}{
			{a, 0, "is loading program a"},
			{b, 10 * ms, "has no program loaded, not b"},
			{a, 199 * ms, "is loading program a"},
			{b, 201 * ms, "has program a loaded, not b"},
		} {
			time.Sleep(time.Until(from.Add(step.at)))
			var other *device.NotLoaded
			if err := step.plan.Submit(&job{}); !errors.As(err, &other) || !strings.Contains(err.Error(), step.says) {
				t.Errorf("at %v: %v, want %q", step.at, err, step.says)
			}
		}
		bench(t, p, a, 100, ms)
		stop(t, d, p)
	})
}

// Two busy queries take turns, and loading costs a twentieth.
func TestProgramsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const during = 40 * hold
		d, p := start(t, fpga("0", "1"), device.Config{Depth: 4})
		done := users(t, d, p, during, 0, 0)
		if least := int(during / ms * 9 / 10); done[0]+done[1] < least || min(done[0], done[1]) < least*2/5 {
			t.Errorf("%v tasks done; without loads there would be %d", done, during/ms)
		}
		stop(t, d, p)
	})
}

// Nobody among many starves.
func TestProgramsStandInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, fpga("0", "1", "2", "3", "4"), device.Config{})
		done := users(t, d, p, 50*hold, 0, 0, ms, 2*ms, 0)
		for i, n := range done {
			if turns := n / int(hold/ms); turns < 2 {
				t.Errorf("query %d had %d turns of 50", i, turns)
			}
		}
		stop(t, d, p)
	})
}

// A query with a task now and then leaves the device to a busy one, and gets it when
// nobody is busy.
func TestRareTasksDoNotUnload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, fpga("0", "1"), device.Config{})
		done := users(t, d, p, 10*hold, ms, hold/3)
		loads := d.Loads()
		if loads > 2 || done[1] > 4 { // the rare one may be the first to ask
			t.Errorf("%d loads, tasks done %v", d.Loads(), done)
		}
		rare := &user{t: t, plan: plan(t, p, adder("1", 0))}
		rare.run(time.Now().Add(10*hold), hold/3)
		synctest.Wait()
		if d.Loads() != loads+1 || rare.done < 25 {
			t.Errorf("alone: %d loads, %d tasks", d.Loads(), rare.done)
		}
		stop(t, d, p)
	})
}

// Loads are lost or hang, at each one in turn, tasks run on, and state survives.
func TestLoadFails(t *testing.T) {
	for _, effect := range []sim.Effect{sim.Lose, sim.Hang} {
		for n := 1; n <= 3; n++ {
			synctest.Test(t, func(t *testing.T) {
				const tasks = 600
				c := fpga("a", "b")
				c.Faults = []sim.Fault{{At: sim.Load, N: n, Effect: effect}}
				d, p := start(t, c, device.Config{Deadline: 50 * ms})
				a, b := newCounter(t, p, "a", tasks), newCounter(t, p, "b", tasks)
				ended := make(chan bool)
				for _, c := range []*counter{a, b} {
					go func() {
						c.run(func(int) bool { time.Sleep(20 * ms); return false })
						ended <- true
					}()
				}
				<-ended
				<-ended
				a.check()
				b.check()
				s := p.Stats()
				if a.onDevice < 50 || b.onDevice < 50 || s.Resets != 1 || s.State != device.Up {
					t.Errorf("effect %d at load %d: %d and %d tasks on the device, %+v", effect, n, a.onDevice, b.onDevice, s)
				}
				stop(t, d, p)
			})
		}
	}
}

// The device is lost while a load waits for the last task of the program before: one program
// is loaded after the reset, not one after another.
func TestLostBeforeALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tasks = 20
		conf := fpga("a", "b", "c")
		conf.Faults = []sim.Fault{{At: sim.Execute, N: tasks, Effect: sim.Lose}}
		d, p := start(t, conf, device.Config{})
		a, b, c := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0)), plan(t, p, adder("c", 0))
		ask := func(pl *device.Plan) bool {
			return pl.Submit(&job{done: func(*job, device.Stages, error) {}}) == nil
		}
		ask(a)
		time.Sleep(200*ms + hold - (tasks-1)*50*ms)
		for range tasks {
			if !ask(a) {
				t.Error("a is not loaded")
			}
			ask(b)
			time.Sleep(50 * ms)
		}
		for range 100 {
			ask(c)
			time.Sleep(10 * ms)
		}
		if s := p.Stats(); s.Resets != 1 || d.Loads() != 2 {
			t.Errorf("%d resets, %d loads", s.Resets, d.Loads())
		}
		time.Sleep(ms * 10)
		stop(t, d, p)
	})
}

// Closing does not wait for more than the load under way, and a plan that is closed is
// not loaded.
func TestCloseWhileLoading(t *testing.T) {
	for _, after := range []time.Duration{0, ms, 199 * ms, 250 * ms} {
		synctest.Test(t, func(t *testing.T) {
			d, p := start(t, fpga("a", "b"), device.Config{})
			a, b := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0))
			_ = a.Submit(&job{})
			time.Sleep(after)
			_ = b.Submit(&job{})
			b.Close()
			a.Close()
			stop(t, d, p)
		})
	}
}
