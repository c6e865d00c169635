package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
)

// Two seconds after a change both processors do what they can: 250 tasks a second on the
// device, and on the CPU 500 while they are cheap there, 25 while they are not.
func checkSelectivity(t *testing.T, r SchedulingRow) {
	t.Helper()
	if math.Mod(r.From, 5) < 2 {
		return
	}
	cpu, gpu := float64(r.Counts[0][0])/r.Seconds, float64(r.Counts[0][1])/r.Seconds
	if gpu < 240 || r.CPUTask == 2 && cpu < 450 || r.CPUTask == 40 && cpu > 40 {
		t.Errorf("from %v s on, %v ms a task on the CPU: %v and %v tasks a second", r.From, r.CPUTask, cpu, gpu)
	}
}

// The picture in the documents is what the command draws.
func TestSchedulingPicture(t *testing.T) {
	want, err := os.ReadFile("../docs/scheduling.svg")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Scheduling{Workers: 16, Tasks: 10_000}.Run()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := WriteSchedulingSVG(&got, rows); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/scheduling.svg is another one: millrace bench scheduling --plot docs/scheduling.svg")
	}
}

func TestScheduling(t *testing.T) {
	rows, err := Scheduling{Workers: 4, Tasks: 2000}.Run()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Table == "selectivity" {
			checkSelectivity(t, r)
			continue
		}
		least := 0.97
		if r.Table == "workloads" {
			least = 0.95
		}
		if r.Policy == "hls" && (r.Better < least || r.Better > r.Most*1.001) {
			t.Errorf("%s: hls is at %.3f, between %v and %.3f it should be", r.Workload, r.Better, least, r.Most)
		}
	}
	var text, lines, picture bytes.Buffer
	if err := errors.Join(WriteScheduling(&text, rows), WriteSchedulingJSON(&lines, rows), WriteSchedulingSVG(&picture, rows)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"W1: projection and grouped aggregation, 2000 tasks of each, 4 workers\n", "\n    100  ", "projection, 4 columns  "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &text)
		}
	}
	for d := json.NewDecoder(&lines); d.More(); {
		var r SchedulingRow
		if err := d.Decode(&r); err != nil || r.Policy == "" || r.Seconds <= 0 || r.Table == "selectivity" && r.CPUTask == 0 {
			t.Fatal(r, err)
		}
	}
	d := xml.NewDecoder(&picture)
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
