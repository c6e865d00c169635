package device_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/sim"
)

const slotBytes = 2 * bytes

// Memory for two slots, a pipeline of five: shallower, and right.
func TestShallower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 5 * slotBytes / 2
		d, p := start(t, c, device.Config{Depth: 5, MemoryShare: 1})
		took := bench(t, p, plan(t, p, adder("add", 0)), 100, ms)
		if took < 245*ms || took > 260*ms {
			t.Errorf("took %v, with two slots it should be 250 ms", took)
		}
		if s := p.Stats(); s.UsedBytes != 2*slotBytes || s.UsedBytes != d.UsedBytes() {
			t.Errorf("uses %d bytes, the device says %d", s.UsedBytes, d.UsedBytes())
		}
		stop(t, d, p)
		if n := d.UsedBytes(); n != 0 {
			t.Errorf("%d bytes are left", n)
		}
	})
}

// A second plan gets memory from a deep pipeline; without any it is told so.
func TestPlansShareMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 3 * slotBytes
		d, p := start(t, c, device.Config{Depth: 4, MemoryShare: 1})
		a, b := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0))
		finished := make(map[*device.Plan]int)
		submit := func(pl *device.Plan) error {
			return pl.Submit(&job{done: func(*job, device.Stages, error) { finished[pl]++ }})
		}
		for range 3 {
			if err := submit(a); err != nil {
				t.Fatal(err)
			}
		}
		if err := submit(b); !errors.Is(err, device.ErrNoMemory) {
			t.Errorf("all memory is in use: %v", err)
		}
		time.Sleep(5 * ms)
		for range 3 {
			if err := errors.Join(submit(a), submit(b)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if finished[a] != 6 || finished[b] != 3 {
			t.Errorf("finished %d and %d", finished[a], finished[b])
		}
		if s := p.Stats(); s.Refused != 1 || s.UsedBytes > c.MemoryBytes {
			t.Errorf("%+v", s)
		}
		a.Close()
		b.Close()
		if s := p.Stats(); s.UsedBytes != 0 || d.UsedBytes() != 0 {
			t.Errorf("%d bytes are used by no plan, the device says %d", s.UsedBytes, d.UsedBytes())
		}
		stop(t, d, p)
	})
}

func image(n uint64, size int) []byte {
	b := make([]byte, size)
	binary.LittleEndian.PutUint64(b, n)
	return b
}

// A plan without its buffers takes no tasks; with them it is as any other. It gets them once.
func TestFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 4 * bytes
		d, p := start(t, c, device.Config{MemoryShare: 1})
		pl := plan(t, p, adder("add", 1))
		if err := pl.Submit(&job{}); err == nil {
			t.Error("a plan without buffers takes a task")
		}
		var refused *device.Refusal
		for _, images := range [][][]byte{{}, {image(0, 8), image(0, 8)}, {image(0, 3*bytes)}} {
			if err := pl.Fill(sizes, images...); err == nil || errors.As(err, &refused) != (len(images) == 1) {
				t.Errorf("filled with %d buffers: %v", len(images), err)
			}
		}
		if err := pl.Fill(sizes, image(0, 2*bytes)); err != nil {
			t.Fatal(err)
		}
		bench(t, p, pl, 10, 0)
		if pl.ResidentBytes() != 2*bytes || pl.Fill(sizes, image(0, 8)) == nil {
			t.Errorf("%d bytes, filled again", pl.ResidentBytes())
		}
		stop(t, d, p)
	})
}

// More resident state than memory: plans take turns, and always see their own.
func TestResidentStateIsSwapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const plans, size = 8, 4 * bytes
		c := equal()
		c.MemoryBytes = 3*(size+bytes) + 3*slotBytes
		d, p := start(t, c, device.Config{Depth: 2, MemoryShare: 1})
		var list []*device.Plan
		for i := range uint64(plans) {
			list = append(list, plan(t, p, adder(fmt.Sprint(i), 2), image(100*i, size), image(1, bytes)))
		}
		right := 0
		for round := range uint64(5) {
			for i, pl := range list {
				if round == 3 {
					if err := pl.Update(0, image(7000*uint64(i), size)); err != nil {
						t.Fatal(err)
					}
				}
				base := 100 * uint64(i)
				if round >= 3 {
					base = 7000 * uint64(i)
				}
				for k := range uint64(3) {
					j := &job{value: k, want: base + k + 1, done: func(j *job, _ device.Stages, err error) {
						if err != nil || j.wrong {
							t.Errorf("plan %d, round %d: %v, wrong %v", i, round, err, j.wrong)
						}
						right++
					}}
					for err := pl.Submit(j); err != nil; err = pl.Submit(j) {
						if !errors.Is(err, device.ErrNoMemory) {
							t.Fatal(err)
						}
						time.Sleep(ms)
					}
				}
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		s := p.Stats()
		if right != plans*5*3 || s.Evictions < plans {
			t.Errorf("%d results, %d evictions", right, s.Evictions)
		}
		if err := list[0].Update(0, nil); err == nil {
			t.Error("an update of another length has to be refused")
		}
		stop(t, d, p)
	})
}

// An update waits for the tasks before it and is seen by those behind it.
func TestUpdateIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p := start(t, equal(), device.Config{Depth: 4})
		pl := plan(t, p, adder("add", 1), image(10, 8))
		n := 0
		for i := range uint64(30) {
			base := uint64(10)
			if i >= 10 {
				base = 10 + i/10
			}
			if i%10 == 0 && i > 0 {
				if err := pl.Update(0, image(base, 8)); err != nil {
					t.Fatal(err)
				}
			}
			j := &job{value: i, want: i + base, done: func(j *job, _ device.Stages, err error) {
				n++
				if err != nil || j.wrong {
					t.Errorf("task %d: %v, wrong %v", j.value, err, j.wrong)
				}
			}}
			if err := pl.Submit(j); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n != 30 {
			t.Errorf("%d results", n)
		}
		stop(t, d, p)
	})
}

// Memory runs out at each allocation in turn, whether the device says so when it is asked
// or when a task is launched or executed: fewer tasks in flight, no task lost, and the
// device stays up.
func TestNoMemoryAtEachAllocation(t *testing.T) {
	for _, at := range []sim.Event{sim.Allocate, sim.Launch, sim.Execute} {
		for n := 1; n <= 12; n++ {
			synctest.Test(t, func(t *testing.T) {
				c := equal()
				c.Faults = []sim.Fault{{At: at, N: n, Effect: sim.Full}}
				d, p := start(t, c, device.Config{Depth: 4})
				list := []*device.Plan{plan(t, p, adder("a", 1), image(1, 8)), plan(t, p, adder("b", 2), image(1, 8), image(2, 8))}
				want := []uint64{1, 3}
				accepted, ended, failed, refused := 0, 0, 0, 0
				for i := range 30 {
					j := &job{value: uint64(i), want: uint64(i) + want[i%2], done: func(j *job, _ device.Stages, err error) {
						ended++
						switch {
						case errors.Is(err, device.ErrNoMemory):
							failed++
						case err != nil || j.wrong:
							t.Errorf("task %d: %v, wrong %v", j.value, err, j.wrong)
						}
					}}
					switch err := list[i%2].Submit(j); {
					case err == nil:
						accepted++
					case errors.Is(err, device.ErrNoMemory):
						refused++
						time.Sleep(100 * ms)
					default:
						t.Fatal(err)
					}
				}
				time.Sleep(3 * time.Second)
				synctest.Wait()
				if accepted != ended || at != sim.Allocate && (failed+refused < 1 || failed > 1) {
					t.Errorf("event %d, number %d: accepted %d, ended %d, handed back %d, refused %d", at, n, accepted, ended, failed, refused)
				}
				bench(t, p, plan(t, p, adder("c", 0)), 20, 0)
				if s := p.Stats(); s.State != device.Up || s.UsedBytes != d.UsedBytes() {
					t.Errorf("event %d, number %d: %+v, the device counts %d", at, n, s, d.UsedBytes())
				}
				stop(t, d, p)
			})
		}
	}
}

// Memory is taken from an idle plan while the device hangs, which nobody knows yet, and
// its driver does not come back from freeing: the deadline holds for everybody.
func TestEvictionWhileHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 2 * slotBytes
		c.Faults = []sim.Fault{{At: sim.Execute, N: 2, Effect: sim.Hang}}
		d, p := start(t, c, device.Config{MemoryShare: 1, Deadline: 50 * ms})
		idle, hangs, needs := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0)), plan(t, p, adder("c", 0))
		bench(t, p, idle, 1, 0)
		from, ended := time.Now(), make(chan error, 1)
		if err := hangs.Submit(&job{done: func(_ *job, _ device.Stages, err error) { ended <- err }}); err != nil {
			t.Fatal(err)
		}
		if err := needs.Submit(&job{}); !errors.Is(err, device.ErrTimeout) && !errors.Is(err, device.ErrLost) {
			t.Errorf("Submit: %v", err)
		}
		if err := <-ended; !errors.Is(err, device.ErrTimeout) {
			t.Errorf("Done: %v", err)
		}
		if took := time.Since(from); took > 60*ms {
			t.Errorf("took %v", took)
		}
		bench(t, p, needs, 10, 0)
		stop(t, d, p)
	})
}

// Memory that a plan gives up is free on the device at once, not when somebody asks again.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := equal()
		c.MemoryBytes = 3 * slotBytes
		c.Faults = []sim.Fault{{At: sim.Execute, N: 4, Effect: sim.Full}}
		d, p := start(t, c, device.Config{Depth: 4, MemoryShare: 1})
		a, b := plan(t, p, adder("a", 0)), plan(t, p, adder("b", 0))
		failed := 0
		submit := func(pl *device.Plan) error {
			return pl.Submit(&job{done: func(_ *job, _ device.Stages, err error) {
				if err != nil {
					failed++
				}
			}})
		}
		for range 3 {
			if err := submit(a); err != nil {
				t.Fatal(err)
			}
		}
		if err := submit(b); !errors.Is(err, device.ErrNoMemory) {
			t.Errorf("all memory is in use: %v", err)
		}
		time.Sleep(20 * ms)
		synctest.Wait()
		if n := d.UsedBytes(); n != 2*slotBytes {
			t.Errorf("%d bytes are used, one slot should make way", n)
		}
		if err := submit(a); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * ms)
		synctest.Wait()
		if n := d.UsedBytes(); failed != 1 || n != slotBytes {
			t.Errorf("%d failed, %d bytes are used", failed, n)
		}
		stop(t, d, p)
	})
}
