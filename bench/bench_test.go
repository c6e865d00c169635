package bench

import (
	"bytes"
	"context"
	"encoding/json"
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
		if r.RowsPerSecond.Median <= 0 || r.CheckedRows == 0 || r.Checksum != results[i/2*2].Checksum {
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
	r := &runner{config: quick(), folder: folder}
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
