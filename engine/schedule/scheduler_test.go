package schedule

import (
	"sync"
	"testing"
	"time"
)

const (
	gpu = Processor(1)
	ms  = time.Millisecond
)

func two(q int) *Table {
	t := NewTable(1, 1)
	for i := range q {
		t.SetAble(i, gpu, true)
	}
	return t
}

func take(t *testing.T, s *Scheduler, p Processor, now time.Duration, want Unit) {
	t.Helper()
	if u, ok := s.Take(p, now); !ok || u != want {
		t.Fatalf("processor %d at %v got %v %v, want %v", p, now, u, ok, want)
	}
}

func TestFirstResultWins(t *testing.T) {
	table := two(1)
	table.Observe(0, CPU, 1, ms, 0)
	s := New(HLS{}, table)
	s.Push(Unit{Index: 7})
	copied := Unit{Index: 7, Copy: true}
	take(t, s, gpu, 0, copied) // it has never run the pipeline
	take(t, s, CPU, 0, copied)
	if _, ok := s.Take(gpu, 0); ok {
		t.Error("there is nothing left to take")
	}
	if !s.Done(CPU, copied, 1, ms, ms) {
		t.Error("the first result is the one to use")
	}
	if s.Done(gpu, copied, 1, 5*ms, 5*ms) {
		t.Error("the second result is too late")
	}
	if s.Done(gpu, copied, 1, ms, 6*ms) {
		t.Error("nobody runs it any more")
	}
	if got := table.Rate(0, gpu); got < 199 || got > 201 {
		t.Errorf("the device was observed to do %v tasks a second, want 200", got)
	}
}

func TestProbeFinishesFirst(t *testing.T) {
	table := two(1)
	table.Observe(0, CPU, 1, 50*ms, 0)
	s := New(HLS{}, table)
	s.Push(Unit{Index: 1})
	s.Push(Unit{Index: 2})
	take(t, s, gpu, 0, Unit{Index: 1, Copy: true})
	if s.Waiting() != 2 {
		t.Fatal("a probed task stays available")
	}
	if !s.Done(gpu, Unit{Index: 1}, 1, ms, ms) || s.Waiting() != 1 {
		t.Error("a task whose probe is done does not wait any more")
	}
	take(t, s, gpu, ms, Unit{Index: 2})
}

func TestReturn(t *testing.T) {
	table := two(1)
	table.Observe(0, gpu, 1, ms, 0)
	table.Observe(0, CPU, 1, ms, 0)
	s := New(HLS{}, table)
	for i := range 3 {
		s.Push(Unit{Index: i})
	}
	take(t, s, gpu, 0, Unit{Index: 0})
	take(t, s, gpu, 0, Unit{Index: 1})
	table.SetUp(gpu, false)
	for _, i := range []int{1, 0} {
		if !s.Return(gpu, Unit{Index: i}, ms) {
			t.Errorf("task %d goes back to the queue", i)
		}
	}
	if s.Return(gpu, Unit{Index: 0}, ms) {
		t.Error("a task was handed back twice")
	}
	if _, ok := s.Take(gpu, ms); ok {
		t.Error("a lost device gets nothing")
	}
	for i := range 3 {
		take(t, s, CPU, ms, Unit{Index: i})
	}
}

func TestReturnOfACopy(t *testing.T) {
	table := two(1)
	table.Observe(0, CPU, 1, ms, 0)
	s := New(HLS{}, table)
	s.Push(Unit{Index: 7})
	take(t, s, gpu, 0, Unit{Index: 7, Copy: true})
	take(t, s, CPU, 0, Unit{Index: 7, Copy: true})
	if s.Return(gpu, Unit{Index: 7}, ms) || s.Waiting() != 0 {
		t.Error("the CPU still runs it")
	}
	if !s.Return(CPU, Unit{Index: 7}, ms) || s.Waiting() != 1 {
		t.Error("nobody runs it any more")
	}
}

func TestHeadIsRunAgain(t *testing.T) {
	table := two(1)
	table.Observe(0, CPU, 1, 10*ms, 0)
	table.Observe(0, gpu, 1, ms, 0)
	s := New(HLS{}, table)
	s.Push(Unit{Index: 1})
	take(t, s, gpu, 0, Unit{Index: 1})
	s.HoldsUp(Unit{Index: 1})
	s.HoldsUp(Unit{Index: 1})
	if _, ok := s.Take(CPU, ms/2); ok {
		t.Error("the device will be done sooner than the CPU")
	}
	late := Recheck + 10*ms
	take(t, s, CPU, late, Unit{Index: 1, Copy: true})
	if u, ok := s.Take(CPU, late); ok {
		t.Errorf("a task is run again once, got %v", u)
	}
	if !s.Done(CPU, Unit{Index: 1}, 1, 10*ms, 2*late) || s.Pending() {
		t.Error("the head is done")
	}
}

func TestDoneHeadIsNotRunAgain(t *testing.T) {
	table := NewTable(1, 1, 1)
	for p := range Processor(3) {
		table.SetAble(0, p, true)
		table.Observe(0, p, 1, ms, 0)
	}
	s := New(HLS{}, table)
	s.Push(Unit{Index: 1})
	take(t, s, gpu, 0, Unit{Index: 1})
	s.HoldsUp(Unit{Index: 1})
	late := 2 * Recheck
	take(t, s, CPU, late, Unit{Index: 1, Copy: true})
	if !s.Done(CPU, Unit{Index: 1}, 1, ms, late+ms) {
		t.Error("the copy was first")
	}
	s.HoldsUp(Unit{Index: 1}) // by somebody who does not know yet
	if u, ok := s.Take(2, 2*late); ok {
		t.Errorf("%v is run again, and is done", u)
	}
}

func TestStaticFallsBack(t *testing.T) {
	table := two(2)
	s := New(Static{Home: []Processor{gpu, gpu}}, table)
	table.SetAble(1, gpu, false)
	for q := range 3 {
		s.Push(Unit{Pipeline: q})
	}
	take(t, s, gpu, 0, Unit{Pipeline: 0})
	take(t, s, CPU, 0, Unit{Pipeline: 1})
	take(t, s, CPU, 0, Unit{Pipeline: 2})
	if _, ok := s.Take(gpu, 0); ok {
		t.Error("nothing is at home on the device")
	}
}

func TestLookAheadIsBounded(t *testing.T) {
	table := two(2)
	for q, d := range []time.Duration{ms, 9 * ms} {
		table.Observe(q, CPU, 1, d, 0)
		table.Observe(q, gpu, 1, 10*ms-d, 0)
	}
	s := New(HLS{LookAhead: 4}, table)
	for i := range 4 {
		s.Push(Unit{Index: i})
	}
	s.Push(Unit{Pipeline: 1, Index: 4})
	if u, ok := s.Take(gpu, ms); ok {
		t.Errorf("took %v, which is beyond the look-ahead", u)
	}
	s.Push(Unit{Pipeline: 1, Index: 5})
	take(t, s, CPU, ms, Unit{Index: 0})
	take(t, s, gpu, ms, Unit{Pipeline: 1, Index: 4})
}

// Real threads: two CPU workers, a device, tasks that are handed back now and then.
func TestHybridQueue(t *testing.T) {
	const units, pipelines = 2000, 3
	table := NewTable(2, 1)
	for i := range pipelines {
		table.SetAble(i, gpu, i > 0)
	}
	q := NewHybridQueue(HLS{}, table)
	var mu sync.Mutex
	var wg, all sync.WaitGroup
	wins := make([]int, units)
	all.Add(units)
	work := func(p Processor) {
		defer wg.Done()
		for n := 0; ; n++ {
			u, ok := q.Take(p)
			if !ok {
				return
			}
			if p == gpu && n%7 == 0 {
				q.Return(p, u)
				continue
			}
			time.Sleep(time.Duration(1+(u.Pipeline+int(p))%pipelines) * 10 * time.Microsecond)
			if q.Done(p, u, 1, 20*time.Microsecond) {
				mu.Lock()
				wins[u.Index]++
				mu.Unlock()
				all.Done()
			}
		}
	}
	for _, p := range []Processor{CPU, CPU, gpu} {
		wg.Add(1)
		go work(p)
	}
	for i := range units {
		u := Unit{Pipeline: i % pipelines, Index: i}
		q.Push(u)
		q.HoldsUp(u)
		if i == units/2 {
			q.Change(func(t *Table) { t.SetUp(gpu, false) })
		}
	}
	all.Wait()
	q.Close()
	wg.Wait()
	for i, n := range wins {
		if n != 1 {
			t.Fatalf("unit %d won %d times", i, n)
		}
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	table := two(2)
	s := New(HLS{}, table)
	now := time.Duration(0)
	step := func() {
		for q := range 2 {
			for i := range 8 {
				s.Push(Unit{Pipeline: q, Index: i})
			}
		}
		for s.Waiting() > 0 {
			for p := range Processor(2) {
				now += ms
				if u, ok := s.Take(p, now); ok {
					s.HoldsUp(u)
					s.Done(p, u, 1, ms*time.Duration(1+(u.Pipeline+int(p))%2), now)
				}
			}
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n > 0 {
		t.Errorf("%v allocations for 16 tasks", n)
	}
}

// A task taken and done, with 16 pipelines waiting, of which the device prefers half.
func BenchmarkTask(b *testing.B) {
	const pipelines, waiting = 16, 8
	for _, p := range []Policy{FirstCome{}, HLS{}} {
		b.Run(p.Name(), func(b *testing.B) {
			table := NewTable(16, 1)
			s := New(p, table)
			for q := range pipelines {
				table.SetAble(q, gpu, true)
				table.Observe(q, CPU, 1, ms*time.Duration(16*(1+q%2)), 0)
				table.Observe(q, gpu, 1, ms*time.Duration(2-q%2), 0)
				for i := range waiting {
					s.Push(Unit{Pipeline: q, Index: i})
				}
			}
			now := time.Duration(0)
			for b.Loop() {
				now += ms / 2
				for p := range Processor(2) {
					u, ok := s.Take(p, now)
					if !ok {
						b.Fatal("there is something for everybody")
					}
					if s.Done(p, u, 1, ms, now) {
						u.Copy = false
						s.Push(u)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/task")
		})
	}
}
