// Package traffic makes the input of the Linear Road benchmark: cars on expressways that
// report where they are every half a minute, and their requests. The same options and
// seed give the same records. Expressways, reports and requests are those of Arasu et
// al., "Linear Road: A Stream Data Management Benchmark", VLDB 2004; the simulation of
// the cars is this package's own and much simpler than the benchmark's.
//
// Options.Run is the entry point; Write puts a whole data set into a folder.
package traffic

import (
	"fmt"
	"strconv"
	"strings"
)

// Geometry of an expressway. Positions are whole feet from its western end.
const (
	Segments     = 100  // of an expressway, each in both directions
	SegmentFeet  = 5280 // a mile
	ReportEvery  = 30   // seconds between two reports of a car
	HistoryDays  = 69   // days before today of which tolls are known
	laneEntrance = 0
	LaneExit     = 4 // the exit ramp's lane
)

// Kind is the type of a record, the number that the benchmark gives it.
type Kind int32

// The kinds of records. The benchmark's fourth request, for estimates of travel time, is
// left out, as it is by everybody who published results.
const (
	Report      Kind = 0 // a car tells its position
	Balance     Kind = 2 // a car asks for the tolls it was charged so far
	Expenditure Kind = 3 // a car asks for its tolls of an earlier day on one expressway
)

// Record is one line of the input.
type Record struct {
	Kind    Kind
	Time    int32 // seconds since the start
	Vehicle int32
	Speed   int32 // miles per hour
	Xway    int32 // expressway
	Lane    int32 // 0 entrance ramp, 1 to 3, 4 exit ramp
	Dir     int32 // 0 east, segments rise; 1 west
	Segment int32
	Feet    int32 // position
	Query   int32 // number of a request
	Day     int32 // of an Expenditure: 1 is yesterday, 69 the earliest
}

// AppendCSV appends the record as a line with the benchmark's fifteen fields: type, time,
// vid, speed, xway, lane, dir, seg, pos, qid, s_init, s_end, dow, tod, day. Fields that the
// kind does not have are empty.
func (r *Record) AppendCSV(b []byte) []byte {
	number := func(n int32) { b = append(strconv.AppendInt(b, int64(n), 10), ',') }
	number(int32(r.Kind))
	number(r.Time)
	number(r.Vehicle)
	switch r.Kind {
	case Report:
		number(r.Speed)
		number(r.Xway)
		number(r.Lane)
		number(r.Dir)
		number(r.Segment)
		number(r.Feet)
		return append(b, ",,,,,\n"...)
	case Balance:
		b = append(b, ",,,,,,"...)
		number(r.Query)
		return append(b, ",,,,\n"...)
	default:
		b = append(b, ',')
		number(r.Xway)
		b = append(b, ",,,,"...)
		number(r.Query)
		b = append(b, ",,,,"...)
		return append(strconv.AppendInt(b, int64(r.Day), 10), '\n')
	}
}

// ParseCSV reads a line that AppendCSV wrote, or one of the benchmark's own generator,
// which has -1 where a field is empty here.
func ParseCSV(line string) (Record, error) {
	fields := strings.Split(strings.TrimRight(line, "\r\n"), ",")
	if len(fields) != 15 {
		return Record{}, fmt.Errorf("expected 15 fields, found %d in %q", len(fields), line)
	}
	var v [15]int32
	for i, f := range fields {
		if f == "" {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 32)
		if err != nil {
			return Record{}, fmt.Errorf("field %d of %q: %w", i+1, line, err)
		}
		v[i] = int32(n)
	}
	return Record{Kind: Kind(v[0]), Time: v[1], Vehicle: v[2], Speed: v[3], Xway: v[4], Lane: v[5], Dir: v[6],
		Segment: v[7], Feet: v[8], Query: v[9], Day: v[14]}, nil
}
