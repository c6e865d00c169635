package schedule

import (
	"sync"
	"testing"
)

func TestOrderOfUnits(t *testing.T) {
	q := NewQueue(FirstCome{})
	q.Push(Unit{Pipeline: 1, Kind: Compute, Index: 1})
	q.Push(Unit{Pipeline: 1, Kind: Compute, Index: 2})
	q.Push(Unit{Pipeline: 2, Kind: Drain})
	q.Push(Unit{Pipeline: 3, Kind: Lane, Index: 4})
	want := []Unit{{Pipeline: 2, Kind: Drain}, {Pipeline: 3, Kind: Lane, Index: 4}, {Pipeline: 1, Index: 1}, {Pipeline: 1, Index: 2}}
	for _, w := range want {
		if got, ok := q.Take(0); !ok || got != w {
			t.Fatalf("got %v, want %v: in-order parts go before tasks, tasks oldest first", got, w)
		}
	}
}

// second takes the second-oldest task if there is one.
type second struct{}

func (second) Name() string { return "second" }
func (second) Pick(_ Processor, v *View) Decision {
	if len(v.Tasks) < 2 {
		return Decision{}
	}
	return Decision{Take, 1}
}

func TestPolicyMayDecline(t *testing.T) {
	q := NewQueue(second{})
	q.Push(Unit{Index: 1})
	q.Push(Unit{Index: 2})
	q.Push(Unit{Index: 3})
	for _, w := range []int{2, 3} {
		if got, _ := q.Take(0); got.Index != w {
			t.Fatalf("got task %d, want %d", got.Index, w)
		}
	}
	if n := q.Waiting(); n != 1 {
		t.Fatalf("%d tasks wait, want the one that nobody wants", n)
	}
}

func TestEachUnitOnce(t *testing.T) {
	const units, workers = 10_000, 4
	q := NewQueue(FirstCome{})
	var seen [units]int32
	var mu sync.Mutex
	var wg, all sync.WaitGroup
	all.Add(units)
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				u, ok := q.Take(CPU)
				if !ok {
					return
				}
				mu.Lock()
				seen[u.Index]++
				mu.Unlock()
				all.Done()
			}
		}()
	}
	for i := 0; i < units; i++ {
		q.Push(Unit{Index: i, Kind: Kind(i % 2)})
	}
	all.Wait()
	q.Close()
	wg.Wait()
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("unit %d was taken %d times", i, n)
		}
	}
}
