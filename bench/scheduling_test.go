package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestScheduling(t *testing.T) {
	rows, err := Scheduling{Workers: 4, Tasks: 2000}.Run()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
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
