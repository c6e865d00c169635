package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func play(t *testing.T, s *Scenario, policy string) *Result {
	t.Helper()
	r, err := s.Run(policy)
	if err != nil {
		t.Fatal(policy, err)
	}
	return r
}

// What HLS may lose to a perfect plan: the first tasks, when nothing is known, and probes.
const ofOptimum = 1.05

func TestBetterThanOthers(t *testing.T) {
	read := func(name string) *Scenario {
		file, err := os.Open("../testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		f, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		return &f.Scenario
	}
	scenarios := map[string]*Scenario{"three": read("three.txt"), "eight": read("eight.txt")}
	for _, workers := range []int{1, 2, 16} {
		scenarios[fmt.Sprintf("W1, %d workers", workers)] = W1(10_000, workers)
		scenarios[fmt.Sprintf("W2, %d workers", workers)] = W2(10_000, workers)
	}
	for name, s := range scenarios {
		best := Optimum(s.Rates())
		hls := play(t, s, "hls").Finish
		for _, p := range Policies() {
			if r := play(t, s, p); hls > r.Finish {
				t.Errorf("%s: hls needs %v, %s %v", name, hls, p, r.Finish)
			}
		}
		if hls.Seconds() > ofOptimum*best {
			t.Errorf("%s: hls needs %v, the optimum is %.3fs", name, hls, best)
		}
	}
}

// Each processor alone, then both: whatever the ratio of speeds, a slow processor must not
// hold up a fast one.
func TestHybridIsNeverWorse(t *testing.T) {
	for _, workers := range []int{1, 2, 16} {
		for step := -20; step <= 20; step += 2 {
			ratio := math.Pow(10, float64(step)/10)
			s := Single(4000, workers, ratio)
			better := 4000 * min(s.speed(0, 0, 0), s.speed(0, 1, 0))
			if r := play(t, s, "hls"); r.Finish.Seconds() > better.Seconds()/0.97 {
				t.Errorf("%d workers, device at %.2f: hybrid needs %v, the better one alone %v", workers, ratio, r.Finish, better)
			}
		}
	}
}

func TestRefusalCostsNothing(t *testing.T) {
	for _, workers := range []int{1, 2, 16} {
		s := Single(1000, workers, 1)
		s.Queries[0].Speed[0].Task[1] = 0
		alone := *s
		alone.Processors = s.Processors[:1]
		if a, b := play(t, &alone, "hls").Finish, play(t, s, "hls").Finish; a != b {
			t.Errorf("%d workers: %v without a device, %v with one that refuses", workers, a, b)
		}
	}
}

// A query's times change every 8 s; two measuring intervals (1 s) later its throughput is
// what the new times allow.
func TestChangesAreFollowed(t *testing.T) {
	const hold, ms = 8 * time.Second, time.Millisecond
	times := [][]time.Duration{{2 * ms, 4 * ms}, {40 * ms, 4 * ms}, {2 * ms, 100 * ms}, {2 * ms, ms}, {30 * ms, 2 * ms}, {2 * ms, 2 * ms}}
	for _, workers := range []int{1, 2, 16} {
		q := Query{Name: "q", Ring: Ring(workers)}
		for i, v := range times {
			q.Speed = append(q.Speed, Speed{hold * time.Duration(i), v})
		}
		s := &Scenario{Processors: hybrid(workers), Queries: []Query{q}, Until: hold * time.Duration(len(times))}
		r := play(t, s, "hls")
		for i, v := range times {
			from, to := hold*time.Duration(i)+2*time.Second, hold*time.Duration(i+1)
			n := r.Shares(from, to)[0]
			alone := float64(to-from) / float64(min(v[0], v[1]))
			if got := float64(n[0] + n[1]); got < 0.97*alone {
				t.Errorf("%d workers, %v: %v tasks, the better processor alone does %.0f", workers, v, n, alone)
			}
		}
	}
}

func TestProbesAreBounded(t *testing.T) {
	s := W1(20_000, 2)
	r := play(t, s, "hls")
	probes, busy := make([]int, 2), make([]time.Duration, 2)
	flight := map[[2]int]time.Duration{}
	for _, x := range r.Runs {
		if !x.Copy || x.First {
			continue
		}
		at := [2]int{x.Query, x.Processor}
		if x.Start < flight[at] {
			t.Errorf("two probes of query %d on processor %d at %v", x.Query, x.Processor, x.Start)
		}
		flight[at] = x.End
		probes[x.Processor]++
		busy[x.Processor] += x.End - x.Start
	}
	for p, d := range busy {
		lanes := time.Duration(s.Processors[p].Lanes)
		if share := (d / lanes).Seconds() / r.Finish.Seconds(); share > 0.02 {
			t.Errorf("processor %d: %d copies took %.1f %% of its time", p, probes[p], 100*share)
		}
	}
}

// Random machines and queries, with processors that refuse and speeds that change: every
// task's result is used once, and nothing gets stuck.
func TestRandomScenarios(t *testing.T) {
	for seed := range uint64(120) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := randomScenario(rng)
		for _, p := range append(Policies(), "hls-first-fit") {
			r, err := s.Run(p)
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, p, err)
			}
			checkOnce(t, fmt.Sprintf("seed %d, %s", seed, p), s, r)
		}
	}
}

func randomScenario(rng *rand.Rand) *Scenario {
	s := &Scenario{Processors: []Processor{{"CPU", 1 + rng.IntN(4), 0}}}
	for range rng.IntN(4) {
		s.Processors = append(s.Processors, Processor{"D", 1, rng.IntN(6)})
	}
	for range 1 + rng.IntN(5) {
		q := Query{Name: "q", Tasks: 1 + rng.IntN(200), Ring: rng.IntN(40)}
		for i := range 1 + rng.IntN(3) {
			v := Speed{From: time.Duration(i) * 50 * time.Millisecond}
			for p := range s.Processors {
				d := time.Duration(math.Pow(10, 4*rng.Float64())) * time.Microsecond
				if p > 0 && (i == 0 && rng.IntN(4) == 0 || i > 0 && q.Speed[0].Task[p] == 0) {
					d = 0
				}
				v.Task = append(v.Task, d)
			}
			q.Speed = append(q.Speed, v)
		}
		s.Queries = append(s.Queries, q)
	}
	return s
}

func checkOnce(t *testing.T, what string, s *Scenario, r *Result) {
	t.Helper()
	used := map[[2]int]int{}
	for _, x := range r.Runs {
		if s.speed(x.Query, x.Processor, x.Start) == 0 {
			t.Fatalf("%s: processor %d ran query %d, which it refuses", what, x.Processor, x.Query)
		}
		if x.First {
			used[[2]int{x.Query, x.Task}]++
		}
	}
	for q := range s.Queries {
		for i := range s.Queries[q].Tasks {
			if n := used[[2]int{q, i}]; n != 1 {
				t.Fatalf("%s: the result of task %d of query %d was used %d times", what, i, q, n)
			}
		}
	}
}

// Optimum against all ways to split in steps of a 200th, for two processors.
func TestOptimum(t *testing.T) {
	const steps = 200
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		tasks := [2]float64{1 + 9*rng.Float64(), 1 + 9*rng.Float64()}
		var rate [2][]float64
		for q := range rate {
			rate[q] = []float64{0.1 + rng.Float64(), 0.1 + rng.Float64()}
		}
		least := math.Inf(1)
		for a := 0.0; a <= steps; a++ {
			for b := 0.0; b <= steps; b++ {
				x, y := a/steps*tasks[0], b/steps*tasks[1]
				least = min(least, max(x/rate[0][0]+y/rate[1][0], (tasks[0]-x)/rate[0][1]+(tasks[1]-y)/rate[1][1]))
			}
		}
		if got := Optimum(tasks, rate); got > least*(1+1e-9) || got < least*0.97 {
			t.Fatalf("tasks %v, rates %v: optimum %.4f, by trying %.4f", tasks, rate, got, least)
		}
	}
	if got := Optimum([2]float64{6, 1}, [2][]float64{{0, 2}, {1, 0}}); got != 3 {
		t.Errorf("each query on the only processor that takes it: %v, want 3", got)
	}
	if got := Optimum([2]float64{1, 1}, [2][]float64{{0, 0}, {1, 1}}); !math.IsInf(got, 1) {
		t.Errorf("nobody takes the first query: %v", got)
	}
}
