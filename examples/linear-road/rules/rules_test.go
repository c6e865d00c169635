package rules_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/examples/linear-road/rules"
	"github.com/millrace/millrace/examples/linear-road/traffic"
)

// scene is a few minutes made by hand, with what must be said worked out by hand.
//
// Fifty-two cars crawl at 30 through segment 10 eastward from the first second on, and cars 900 to 903 see what
// follows from it. Cars 901 and 902 crash in segment 50 westward.
type scene struct{ records []traffic.Record }

func (s *scene) report(time, vehicle, speed, lane, dir, feet int32) {
	s.records = append(s.records, traffic.Record{Time: time, Vehicle: vehicle, Speed: speed, Lane: lane, Dir: dir,
		Segment: feet / traffic.SegmentFeet, Feet: feet})
}

func (s *scene) ask(kind traffic.Kind, time, vehicle, query, day int32) {
	s.records = append(s.records, traffic.Record{Kind: kind, Time: time, Vehicle: vehicle, Query: query, Day: day})
}

const mile = traffic.SegmentFeet

func newScene() *scene {
	s := &scene{}
	for v := int32(1); v <= 52; v++ {
		s.report(5, v, 29, 1, 0, 10*mile+v)
		s.report(35, v, 31, 1, 0, 10*mile+50+v)
	}
	for t := int32(7); t < 300; t += 30 { // two cars that stand in one place until second 217, the second since 37
		if t <= 217 {
			s.report(t, 901, 0, 2, 1, 50*mile)
		} else {
			s.report(t, 901, 20, 2, 1, 50*mile-t)
		}
		if t >= 37 {
			s.report(t, 902, 0, 2, 1, 50*mile)
		}
	}
	s.report(65, 900, 60, 1, 0, 9*mile)        // segment 9 is empty
	s.report(95, 900, 60, 1, 0, 10*mile+2000)  // 52 cars in the minute before: 8
	s.report(125, 900, 60, 1, 0, 11*mile+1000) // and is charged
	s.ask(traffic.Balance, 125, 900, 1, 0)
	s.ask(traffic.Balance, 126, 1, 2, 0)
	s.ask(traffic.Expenditure, 127, 900, 3, 5)
	s.ask(traffic.Expenditure, 128, 900, 4, 6) // of which nothing is known
	s.report(155, 900, 60, traffic.LaneExit, 0, 12*mile)

	// The crash is complete with the fourth report of car 902, second 127, and counts from minute 3 to 4.
	s.report(170, 903, 60, 1, 1, 53*mile+100) // minute 2: not yet
	s.report(200, 903, 60, 1, 1, 52*mile+100)
	s.report(230, 903, 60, traffic.LaneExit, 1, 51*mile+100) // the exit lane is told nothing
	s.report(240, 904, 60, 1, 1, 54*mile+100)                // the car left in second 247: minute 4 still counts
	s.report(241, 905, 60, 1, 1, 55*mile+100)                // too far
	s.report(242, 906, 60, 1, 0, 50*mile+100)                // the other direction
	s.report(243, 907, 60, 1, 1, 49*mile+100)                // past it
	s.report(300, 908, 60, 1, 1, 54*mile+100)
	slices.SortStableFunc(s.records, func(a, b traffic.Record) int { return int(a.Time - b.Time) })
	return s
}

// write puts the scene where Expect and the script find it.
func (s *scene) write(t *testing.T) (folder string) {
	folder = t.TempDir()
	var input []byte
	for i := range s.records {
		input = s.records[i].AppendCSV(input)
	}
	segments := "xway,dir,seg\n"
	for i := range 2 * traffic.Segments {
		segments += "0," + string(rune('0'+i%2)) + "," + string(rune('0'+i/20)) + string(rune('0'+i/2%10)) + "\n"
	}
	for name, text := range map[string]string{"input.csv": string(input), "segments.csv": segments, "history.csv": "vid,day,xway,toll\n900,5,0,77\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// wanted is what the scene's cars must be told, but for those 52 and what is told of segments without traffic: their toll is 0.
var wanted = map[rules.Query][]rules.Answer{
	rules.Tolls:        {{95, 900, 30, 8}},
	rules.Alerts:       {{200, 903, 50}, {240, 904, 50}},
	rules.Balances:     {{125, 1, 900, 8}, {126, 2, 1, 0}},
	rules.Expenditures: {{127, 3, 900, 77}},
}

func check(t *testing.T, who string, got [rules.Queries][]rules.Answer) {
	t.Helper()
	if len(got[rules.Tolls]) != 52+13 {
		t.Errorf("%s: %d tolls, want one for each of 52 cars, 3 for the two of the crash (901 goes on in segment 49) and 10 more", who, len(got[rules.Tolls]))
	}
	got[rules.Tolls] = slices.DeleteFunc(slices.Clone(got[rules.Tolls]), func(a rules.Answer) bool { return a[3] == 0 })
	for q, want := range wanted {
		if !slices.Equal(got[q], want) {
			t.Errorf("%s, %s: %v, want %v", who, q, got[q], want)
		}
	}
}

// run runs the script on a data set in this process.
func run(t *testing.T, engine, data string, workers int) (got [rules.Queries][]rules.Answer) {
	t.Helper()
	text, err := os.ReadFile("../linear-road.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	script := strings.NewReplacer("examples/linear-road/zone.csv", "../zone.csv", "${data}", data, "${out}", out).Replace(string(text))
	input, err := os.Open(filepath.Join(data, "input.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	plan, err := millrace.Prepare([]millrace.Script{{Name: "linear-road.sql", Text: script}},
		millrace.Options{Engine: engine, Workers: workers, Stdin: input})
	if err != nil {
		t.Fatal(err)
	}
	job, err := plan.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, err = rules.ReadAnswers(out); err != nil {
		t.Fatal(err)
	}
	return got
}

// The rules, the engine and the reference say of a scene what was worked out by hand.
func TestScene(t *testing.T) {
	folder := newScene().write(t)
	road, err := rules.Expect(folder)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "rules", road.Answers)
	check(t, "engine", run(t, millrace.EngineMillrace, folder, 2))
	check(t, "reference", run(t, millrace.EngineReference, folder, 1))
}

// The reference agrees on generated traffic that it can bear.
func TestReference(t *testing.T) {
	folder := t.TempDir()
	if _, err := (traffic.Options{Xways: 1, Minutes: 8, Cars: 100, AccidentGap: 60, Seed: 3}).Write(folder); err != nil {
		t.Fatal(err)
	}
	road, err := rules.Expect(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, millrace.EngineReference, folder, 1)
	for _, d := range rules.Compare(&road.Answers, &got) {
		if !d.Equal() {
			t.Error(d.String())
		}
	}
}

// A busy expressway with everything in it, at both numbers of workers.
func TestTraffic(t *testing.T) {
	folder := t.TempDir()
	if _, err := (traffic.Options{Xways: 1, Minutes: 10, Cars: 8000, AccidentGap: 120, Seed: 2}).Write(folder); err != nil {
		t.Fatal(err)
	}
	road, err := rules.Expect(folder)
	if err != nil {
		t.Fatal(err)
	}
	paid := func(q rules.Query) (n int) {
		for _, a := range road.Answers[q] {
			if a[3] > 0 {
				n++
			}
		}
		return n
	}
	if road.Crashes == 0 || len(road.Answers[rules.Alerts]) < 100 || paid(rules.Tolls) < 100 || paid(rules.Balances) < 10 || paid(rules.Expenditures) < 50 {
		t.Fatalf("%d accidents, %d alerts, %d tolls, %d balances above 0, %d expenditures: too few to show anything",
			road.Crashes, len(road.Answers[rules.Alerts]), paid(rules.Tolls), paid(rules.Balances), paid(rules.Expenditures))
	}
	for workers := 1; workers <= 2; workers++ {
		got := run(t, millrace.EngineMillrace, folder, workers)
		for _, d := range rules.Compare(&road.Answers, &got) {
			if !d.Equal() {
				t.Errorf("%d workers: %s", workers, d.String())
			}
		}
	}
}

// A comparison finds an answer that is missing, one that is wrong, and one that is there twice.
func TestCompare(t *testing.T) {
	want := [rules.Queries][]rules.Answer{rules.Tolls: {{1, 1, 0, 0}, {2, 2, 30, 8}}, rules.Alerts: {{1, 1, 5}}}
	got := [rules.Queries][]rules.Answer{rules.Tolls: {{2, 2, 30, 9}, {1, 1, 0, 0}}, rules.Alerts: {{1, 1, 5}, {1, 1, 5}}}
	d := rules.Compare(&want, &got)
	if d[rules.Tolls].Right != 1 || d[rules.Tolls].Missing != 1 || d[rules.Tolls].Wrong != 1 || d[rules.Alerts].Wrong != 1 || !d[rules.Balances].Equal() {
		t.Errorf("%+v", d)
	}
}
