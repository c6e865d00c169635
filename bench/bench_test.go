package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func quick() Config {
	return Config{Workers: 1, Ingest: "both", Windows: 2, Seconds: 0.02, Warmup: 20 * time.Millisecond}
}

func find(t *testing.T, name string) *Workload {
	t.Helper()
	w, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkloads(t *testing.T) {
	for _, name := range append(Names(), Micros()...) {
		if w := find(t, name); strings.Contains(strings.NewReplacer("${source}", "", "${folder}", "").Replace(w.SQL), "${") {
			t.Errorf("%s: a placeholder is left in %s", name, w.SQL)
		}
	}
	for name, why := range map[string]string{
		"LRB3": "not built yet", "nx7": "not built yet", "CM9": "there is no workload", "FILTER:65": "from 1 to 64", "AVG:x": "from 1 to 60",
	} {
		if _, err := Find(name); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", name, err, why)
		}
	}
}

func TestRun(t *testing.T) {
	var results []*Result
	workloads := []*Workload{find(t, "ME1"), find(t, "FILTER:2")}
	err := Run(context.Background(), workloads, quick(), func(r *Result) error {
		results = append(results, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 4 {
		t.Fatalf("%d results, want share and copy of two", len(results))
	}
	for i, r := range results {
		var out bytes.Buffer
		var line map[string]any
		if err := WriteJSON(&out, r); err != nil || json.Unmarshal(out.Bytes(), &line) != nil {
			t.Errorf("%v: %s", err, out.String())
		}
		for _, key := range []string{"workload", "ingest", "set", "workers", "rows", "seconds", "rows_per_second", "rows_per_second_min", "peak_bytes", "checksum"} {
			if _, ok := line[key]; !ok {
				t.Errorf("no %s in %s", key, out.String())
			}
		}
		if r.RowsPerSecond.Median <= 0 || r.Whole.Rows == 0 || r.Latency != nil && r.Latency.P99 < r.Latency.P50 || r.CheckedRows == 0 || r.Checksum != results[i/2*2].Checksum {
			t.Errorf("%+v", r)
		}
	}
}

// TestWrongAnswer: a query whose rows differ from the reference's is never measured.
func TestWrongAnswer(t *testing.T) {
	w := find(t, "FILTER:2")
	folder := t.TempDir()
	if err := WriteInputs(folder, w); err != nil {
		t.Fatal(err)
	}
	r := &runner{config: quick(), folder: folder, known: map[string]bool{}}
	want, err := r.collect(context.Background(), w, "copy", "reference")
	if err != nil {
		t.Fatal(err)
	}
	changed := append([]string(nil), want...)
	changed[1] += "0"
	for _, c := range []struct {
		rows []string
		ok   bool
	}{{want, true}, {changed, false}, {want[:len(want)-1], false}} {
		if _, err := r.check(context.Background(), w, "share", c.rows); (err == nil) != c.ok {
			t.Errorf("%d rows: %v", len(c.rows), err)
		}
	}
}

// TestReferenceIsKept: what the reference gave is the same when it is needed again.
func TestReferenceIsKept(t *testing.T) {
	r, remove, err := newRunner(quick())
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	w := find(t, "ME1")
	first, err := r.reference(context.Background(), w)
	if err != nil || len(first) == 0 {
		t.Fatal(len(first), err)
	}
	if again, err := r.reference(context.Background(), w); err != nil || !slices.Equal(first, again) {
		t.Errorf("%d rows, then %d, %v", len(first), len(again), err)
	}
	if _, err := r.check(context.Background(), w, "share", first); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	for _, s := range Sweeps() {
		if err := s.Check(nil); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	for _, name := range []string{"predicates", "task-size"} {
		s, err := FindSweep(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check([]string{"CM9"}); err == nil {
			t.Errorf("%s takes an unknown workload", name)
		}
	}
	if _, err := FindSweep("colour"); err == nil {
		t.Error("an unknown sweep is found")
	}
}

func TestWriteSVG(t *testing.T) {
	chart := &Chart{Title: "a < b", XLabel: "n"}
	for i, x := range []float64{1, 4, 64} {
		rate := float64(i+1) * 1e8
		chart.add("one", x, &Result{RowsPerSecond: Spread{rate, rate * 0.9, rate * 1.2}})
		chart.add("two", x, &Result{RowsPerSecond: Spread{rate / 3, rate / 3, rate / 3}, Latency: &Latency{P50: 1, P99: 2}})
	}
	var out bytes.Buffer
	if err := chart.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(&out)
	counts := map[string]int{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			counts[e.Name.Local]++
		}
	}
	if counts["circle"] != 6 {
		t.Errorf("%d dots, want one for each of 6 points", counts["circle"])
	}
}

func TestNiceStep(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 0.7: 1, 1: 1, 1.1: 2, 34: 50, 60: 100, 0.003: 0.005} {
		if got := niceStep(v); math.Abs(got-want) > want*1e-9 {
			t.Errorf("niceStep(%g) = %g, want %g", v, got, want)
		}
	}
}

func TestDecades(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		want     []float64
	}{
		{44, 1944, []float64{20, 50, 100, 200, 500, 1000, 2000}}, {10, 200, []float64{10, 20, 50, 100, 200}},
		{0.3, 7, []float64{0.2, 0.5, 1, 2, 5, 10}}, {3, 1e5, []float64{1, 10, 100, 1000, 1e4, 1e5}},
	} {
		got := decades(c.from, c.to)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) <= b*1e-9 }) {
			t.Errorf("decades(%g, %g) = %g, want %g", c.from, c.to, got, c.want)
		}
	}
}

// TestScales: series of which one has 40 times the values of the other are both legible.
func TestScales(t *testing.T) {
	for ratio, logarithmic := range map[float64]bool{2: false, 40: true} {
		chart := &Chart{}
		chart.add("one", 1, &Result{RowsPerSecond: Spread{1e7, 1e7, 1e7}})
		chart.add("two", 1, &Result{RowsPerSecond: Spread{1e7 * ratio, 1e7 * ratio, 1e7 * ratio}})
		d := chart.diagram(chart.panels()[0], 0)
		if d.logY != logarithmic || d.y(10) > plotHeight || d.y(10*ratio) < -1e-9 || d.y(10)-d.y(10*ratio) < plotHeight/4 {
			t.Errorf("ratio %g: logarithmic %t, dots at %g and %g", ratio, d.logY, d.y(10), d.y(10*ratio))
		}
	}
}
