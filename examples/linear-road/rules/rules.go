// Package rules says what the right outputs of the Linear Road benchmark are: a plain
// simulation of the published rules (Arasu et al., "Linear Road: A Stream Data Management
// Benchmark", VLDB 2004), one record after the other, that shares nothing with the engine.
// Compare holds an engine's outputs against it.
//
// The rules, with minutes counted from 0 and time in seconds:
//
//   - A car enters a segment with a report from another segment than that of its report
//     30 seconds before, or if it has none.
//   - A car has stopped after four reports in a row from one position (expressway,
//     direction, lane, feet). There is an accident while two or more cars stand at one.
//   - An accident is in force in a minute if it was there when the minute before ended. A
//     car that enters a segment in that minute, not on the exit lane, up to four segments
//     upstream of it or in its own, is told the nearest one's segment.
//   - The statistics of a minute are those of the minutes before: cars are the vehicles
//     that reported from the segment in the last one, and LAV is the mean, over those of the last five
//     minutes with reports, of the mean over vehicles of their mean speed, rounded down. Without reports it is 0.
//   - A car that enters a segment, not on the exit lane, is told LAV and the toll:
//     2 (cars - 50)^2 if LAV < 40, cars > 50 and no accident of which it is told; else 0.
//   - When it enters the next one (any lane), it is charged what it was told. A car that
//     leaves by the exit of a segment is not charged for that segment.
//   - A balance is the sum of the charges up to and with the second of the request, an
//     expenditure what the table of earlier tolls has for vehicle, day and expressway.
package rules

import (
	"maps"
	"math/big"
	"slices"

	"github.com/millrace/millrace/examples/linear-road/traffic"
)

// Answer is a row of an output: the second of the report or request, and what stands in
// the Query's Columns.
type Answer [4]int32

// Query is one of the four outputs.
type Query int

// The outputs.
const (
	Tolls Query = iota
	Alerts
	Balances
	Expenditures
	Queries // how many there are
)

// String returns the name of the query's output, without .csv.
func (q Query) String() string {
	return [...]string{"tolls", "alerts", "balances", "expenditures"}[q]
}

// Columns returns how many columns the output has: tolls (time, vid, lav, toll), alerts (time, vid,
// seg), balances (time, qid, vid, balance), expenditures (time, qid, vid, toll).
func (q Query) Columns() int {
	if q == Alerts {
		return 3
	}
	return 4
}

// Day is a car's day on an expressway, the key of the table of earlier tolls.
type Day struct{ Vehicle, Day, Xway int32 }

// Road is the state of the expressways. Its zero value is not ready: use New.
type Road struct {
	Answers [Queries][]Answer
	Crashes int // accidents in force, summed over minutes

	history map[Day]int32
	minute  int32
	cars    map[int32]*car
	stopped map[place]map[int32]*car
	speeds  map[segment]map[int32]*speed // of this minute
	means   [5]map[segment]*big.Rat      // of the last five, by minute modulo 5
	counts  map[segment]int32            // of the last minute
	crashes []segment                    // accidents in force
}

// segment is one in one direction.
type segment struct{ xway, dir, number int32 }

// place is where a car can stand.
type place struct{ xway, dir, lane, feet int32 }

// speed is a car's in a segment, in one minute.
type speed struct{ sum, reports int64 }

// car is what is remembered of a vehicle.
type car struct {
	reported int32 // second
	in       segment
	at       place
	inRow    int   // reports from this place
	toll     int32 // that it was told for this segment
	charged  int32
}

// New returns empty roads and the table of earlier tolls.
func New(history map[Day]int32) *Road {
	return &Road{history: history, cars: map[int32]*car{}, stopped: map[place]map[int32]*car{}, speeds: map[segment]map[int32]*speed{},
		counts: map[segment]int32{}}
}

// Add takes the next record; time never goes back.
func (r *Road) Add(t *traffic.Record) {
	for r.minute < t.Time/60 {
		r.endMinute()
	}
	switch t.Kind {
	case traffic.Report:
		r.report(t)
	case traffic.Balance:
		balance := int32(0)
		if c := r.cars[t.Vehicle]; c != nil {
			balance = c.charged
		}
		r.answer(Balances, t.Time, t.Query, t.Vehicle, balance)
	case traffic.Expenditure:
		if toll, ok := r.history[Day{t.Vehicle, t.Day, t.Xway}]; ok {
			r.answer(Expenditures, t.Time, t.Query, t.Vehicle, toll)
		}
	}
}

func (r *Road) answer(q Query, a, b, c, d int32) {
	r.Answers[q] = append(r.Answers[q], Answer{a, b, c, d})
}

// report moves a car.
func (r *Road) report(t *traffic.Record) {
	in, at := segment{t.Xway, t.Dir, t.Segment}, place{t.Xway, t.Dir, t.Lane, t.Feet}
	c := r.cars[t.Vehicle]
	if c == nil {
		c = &car{reported: -traffic.ReportEvery - 1}
		r.cars[t.Vehicle] = c
	}
	goesOn := t.Time-c.reported == traffic.ReportEvery
	if goesOn && c.at == at {
		c.inRow++
	} else {
		r.leave(t.Vehicle, c)
		c.inRow = 1
	}
	if c.inRow == 4 {
		if r.stopped[at] == nil {
			r.stopped[at] = map[int32]*car{}
		}
		r.stopped[at][t.Vehicle] = c
	}
	if !goesOn || c.in != in {
		if goesOn {
			c.charged += c.toll
		}
		c.toll = r.enter(t, in)
	}
	c.reported, c.in, c.at = t.Time, in, at

	if r.speeds[in] == nil {
		r.speeds[in] = map[int32]*speed{}
	}
	if r.speeds[in][t.Vehicle] == nil {
		r.speeds[in][t.Vehicle] = &speed{}
	}
	r.speeds[in][t.Vehicle].sum += int64(t.Speed)
	r.speeds[in][t.Vehicle].reports++
}

// leave takes the car off the place where it stood.
func (r *Road) leave(vehicle int32, c *car) {
	delete(r.stopped[c.at], vehicle)
	if len(r.stopped[c.at]) == 0 {
		delete(r.stopped, c.at)
	}
}

// enter tells a car what awaits it in a segment and returns the toll.
func (r *Road) enter(t *traffic.Record, in segment) (toll int32) {
	if t.Lane == traffic.LaneExit {
		return 0
	}
	lav, cars := r.lav(in), r.counts[in]
	crash := r.crashAhead(in)
	switch {
	case crash >= 0:
		r.answer(Alerts, t.Time, t.Vehicle, crash, 0)
	case lav < 40 && cars > 50:
		toll = 2 * (cars - 50) * (cars - 50)
	}
	r.answer(Tolls, t.Time, t.Vehicle, lav, toll)
	return toll
}

// crashAhead returns the segment of the nearest accident that counts in a segment, or -1.
func (r *Road) crashAhead(in segment) int32 {
	nearest := int32(5)
	for _, c := range r.crashes {
		ahead := c.number - in.number
		if in.dir == 1 {
			ahead = -ahead
		}
		if c.xway == in.xway && c.dir == in.dir && ahead >= 0 && ahead < nearest {
			nearest = ahead
		}
	}
	switch {
	case nearest == 5:
		return -1
	case in.dir == 1:
		return in.number - nearest
	}
	return in.number + nearest
}

// lav returns the latest average velocity of a segment.
func (r *Road) lav(in segment) int32 {
	sum, minutes := new(big.Rat), int64(0)
	for _, m := range r.means {
		if mean := m[in]; mean != nil {
			sum.Add(sum, mean)
			minutes++
		}
	}
	if minutes == 0 {
		return 0
	}
	sum.Quo(sum, big.NewRat(minutes, 1))
	return int32(new(big.Int).Div(sum.Num(), sum.Denom()).Int64())
}

// endMinute makes this minute's reports statistics, and its accidents count.
func (r *Road) endMinute() {
	end := (r.minute + 1) * 60
	means := map[segment]*big.Rat{}
	clear(r.counts)
	for s, cars := range r.speeds {
		bySize := map[int64]int64{} // sum of the speeds of cars that reported so often
		for _, v := range cars {
			bySize[v.reports] += v.sum
		}
		mean := new(big.Rat)
		for _, n := range slices.Sorted(maps.Keys(bySize)) {
			mean.Add(mean, big.NewRat(bySize[n], n))
		}
		means[s] = mean.Quo(mean, big.NewRat(int64(len(cars)), 1))
		r.counts[s] = int32(len(cars))
	}
	r.means[r.minute%5] = means
	clear(r.speeds)

	r.crashes = r.crashes[:0]
	for at, cars := range r.stopped {
		standing := 0
		for _, c := range cars {
			if c.reported >= end-traffic.ReportEvery {
				standing++
			}
		}
		if standing >= 2 {
			r.crashes = append(r.crashes, segment{at.xway, at.dir, at.feet / traffic.SegmentFeet})
		}
	}
	r.Crashes += len(r.crashes)
	r.minute++
}
