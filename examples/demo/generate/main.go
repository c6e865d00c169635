// Command generate writes the recording that the demonstration reads: an hour of
// vehicles on two highways, each telling its speed every half a minute, while a broken
// down lorry and roadworks slow some of them down. The same seed gives the same file.
//
// Reports arrive up to four seconds late, as they do over radio; a few arrive far too
// late, and two lines are damaged, to show what an engine does with those.
package main

//go:generate go run . ../vehicles.csv

import (
	"bufio"
	"cmp"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

const (
	roadKm      = 20 // length of a highway; a segment is one kilometre
	hour        = 3600
	reportEvery = 30 // seconds
	arrivalGap  = 21 // seconds between vehicles on one carriageway, on average
)

// carriageway is one direction of a highway.
type carriageway struct {
	highway, direction string
	slow               []slowdown
}

// slowdown is a stretch of slow traffic. Its head stays at headKm; its tail grows
// backward from start to peak and shrinks until end.
type slowdown struct {
	start, peak, end int // seconds
	headKm, lengthKm float64
	speed            float64 // km/h inside
}

var carriageways = []carriageway{
	{"A1", "east", []slowdown{{start: 600, peak: 1800, end: 2700, headKm: 14.6, lengthKm: 3.4, speed: 17}}},
	{"A1", "west", nil},
	{"A2", "north", []slowdown{{start: 1200, peak: 1500, end: 3000, headKm: 6.98, lengthKm: 0.98, speed: 31}}},
	{"A2", "south", nil},
}

// report is one line of the recording.
type report struct {
	at, arrives float64 // seconds since the recording began
	vehicle     int
	road        *carriageway
	km, speed   float64
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: generate FILE")
	}
	if err := write(os.Args[1], record()); err != nil {
		log.Fatal(err)
	}
}

// record returns the reports in the order in which they arrive.
func record() []report {
	random := rand.New(rand.NewPCG(1, 2))
	var reports []report
	vehicle := 100
	for i := range carriageways {
		// vehicles that entered up to ten minutes before the recording are on the road
		for enters := -600.0; enters < hour; enters += random.ExpFloat64() * arrivalGap {
			vehicle++
			reports = drive(reports, random, vehicle, &carriageways[i], enters)
		}
	}
	slices.SortFunc(reports, func(a, b report) int {
		return cmp.Or(cmp.Compare(a.arrives, b.arrives), a.vehicle-b.vehicle)
	})
	return reports
}

// drive moves a vehicle second by second to the end of its road.
func drive(reports []report, random *rand.Rand, vehicle int, road *carriageway, enters float64) []report {
	wanted := 105 + 12*random.NormFloat64()
	if random.IntN(5) == 0 {
		wanted = 84 + 3*random.NormFloat64() // a lorry
	}
	next := random.Float64() * reportEvery
	km := 0.0
	for t := 0.0; km < roadKm && enters+t < hour; t++ {
		at := enters + t
		speed := max(0, min(wanted, road.limit(at, km))*(1+0.05*random.NormFloat64()))
		if t >= next && at >= 0 {
			arrives := at + 4*random.Float64()*random.Float64()
			if random.IntN(3000) == 0 {
				arrives += 60 // a dead spot
			}
			reports = append(reports, report{at, arrives, vehicle, road, km, speed})
		}
		if t >= next {
			next += reportEvery
		}
		km += speed / 3600
	}
	return reports
}

// limit is the speed that traffic allows.
func (c *carriageway) limit(at, km float64) float64 {
	for _, s := range c.slow {
		if at < float64(s.start) || at > float64(s.end) {
			continue
		}
		length := s.lengthKm * min((at-float64(s.start))/float64(s.peak-s.start), (float64(s.end)-at)/float64(s.end-s.peak))
		if km <= s.headKm && km >= s.headKm-length {
			return s.speed
		}
	}
	return math.Inf(1)
}

func write(name string, reports []report) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	begin := time.Date(2026, 5, 4, 7, 0, 0, 0, time.UTC)
	fmt.Fprintln(w, "ts,vehicle,highway,direction,segment,speed")
	for i, r := range reports {
		switch i {
		case 4711:
			fmt.Fprintln(w, "2026-05-04 07:1") // cut off
		case 9001:
			fmt.Fprintln(w, "2026-05-04 07:32:10,n/a,A1,east,11,fast")
		}
		at := begin.Add(time.Duration(r.at) * time.Second).Format("2006-01-02 15:04:05")
		fmt.Fprintf(w, "%s,%d,%s,%s,%d,%.0f\n", at, r.vehicle, r.road.highway, r.road.direction, int(r.km), r.speed)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
