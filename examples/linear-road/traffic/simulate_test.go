package traffic

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// record returns all records of the options.
func record(t *testing.T, o Options) (all []Record) {
	t.Helper()
	if err := o.Run(func(r *Record) { all = append(all, *r) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// Cars report every half a minute while they are on the road, never leap over a segment,
// drive in their direction, begin on the entrance and end on the exit lane.
func TestCarsBehave(t *testing.T) {
	all := record(t, Options{Xways: 2, Minutes: 20, Cars: 2000, AccidentGap: 100, Seed: 7})
	last := map[int32]Record{}
	trips, returns := 0, 0
	for i, r := range all {
		if i > 0 && r.Time < all[i-1].Time {
			t.Fatalf("record %d goes back from second %d to %d", i, all[i-1].Time, r.Time)
		}
		if r.Kind != Report {
			continue
		}
		before, known := last[r.Vehicle]
		last[r.Vehicle] = r
		ahead := r.Feet - before.Feet
		if r.Dir == 1 {
			ahead = -ahead
		}
		switch {
		case r.Segment != r.Feet/SegmentFeet || r.Segment < 0 || r.Segment >= Segments:
			t.Fatalf("%+v: wrong segment", r)
		case !known || before.Lane == LaneExit:
			trips++
			if known {
				returns++
			}
			if r.Lane != laneEntrance || known && r.Time-before.Time < awaySeconds {
				t.Fatalf("%+v: a trip begins behind %+v", r, before)
			}
		case r.Time-before.Time != ReportEvery || r.Xway != before.Xway || r.Dir != before.Dir || ahead < 0 || ahead >= SegmentFeet:
			t.Fatalf("%+v behind %+v", r, before)
		}
	}
	if trips < 2000 || returns == 0 {
		t.Errorf("%d trips, %d of cars that were there before", trips, returns)
	}
}

func TestSameSeedSameRecords(t *testing.T) {
	o := Options{Xways: 1, Minutes: 3, Cars: 1000, Seed: 1}
	a, b := record(t, o), record(t, o)
	o.Seed = 2
	if c := record(t, o); !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the seed does not decide")
	}
}

func TestCSVGoesBothWays(t *testing.T) {
	kinds := map[Kind]int{}
	for _, r := range record(t, Options{Xways: 1, Minutes: 5, Cars: 2000, Seed: 1}) {
		kinds[r.Kind]++
		if got, err := ParseCSV(string(r.AppendCSV(nil))); err != nil || got != r {
			t.Fatalf("%+v, %v; want %+v", got, err, r)
		}
	}
	if len(kinds) != 3 {
		t.Errorf("kinds %v", kinds)
	}
	original, err := ParseCSV("2,10,5,-1,-1,-1,-1,-1,-1,77,-1,-1,-1,-1,-1\r\n")
	if err != nil || original.Kind != Balance || original.Query != 77 {
		t.Errorf("%+v, %v", original, err)
	}
	for _, bad := range []string{"", "0,1,2", "0,x,2,,,,,,,,,,,,"} {
		if _, err := ParseCSV(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// Every request of an earlier day has its row.
func TestHistoryCoversRequests(t *testing.T) {
	o, folder := Options{Xways: 1, Minutes: 5, Cars: 2000, Seed: 1}, t.TempDir()
	n, err := o.Write(folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "history.csv"))
	if err != nil {
		t.Fatal(err)
	}
	all := record(t, o)
	if n != len(all) {
		t.Errorf("%d records, want %d", n, len(all))
	}
	for _, r := range all {
		row := fmt.Sprintf("\n%d,%d,%d,%d\n", r.Vehicle, r.Day, r.Xway, HistoryToll(r.Vehicle, r.Day, r.Xway))
		if r.Kind == Expenditure && !strings.Contains(string(text), row) {
			t.Errorf("no row for %+v", r)
		}
	}
	if err := (Options{Xways: 0, Minutes: 1}).Run(nil); err == nil {
		t.Error("no expressway was accepted")
	}
}
