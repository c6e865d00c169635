package traffic

import (
	"errors"
	"math/rand/v2"
)

// Options say what traffic to make.
type Options struct {
	Xways   int
	Minutes int
	Seed    uint64

	// Cars is how many are on an expressway at the end, in both directions: 51,000, with
	// which it sends 1,700 reports a second as the benchmark's does after its three hours,
	// if 0. The number grows evenly from a hundredth of it.
	Cars int

	// AccidentGap is the mean number of seconds between two accidents in one direction of an
	// expressway: 600 if 0.
	AccidentGap int
}

const (
	requestShare  = 0.01 // of reports that come with a request
	balanceShare  = 5.0 / 6
	returnShare   = 0.1 // of cars that were on an expressway before
	townWest      = 40  // segments of the town: half of all trips begin there
	townEast      = 59
	tripSegments  = 24 // the longest trip is one less
	accidentLeast = 150
	accidentMost  = 600 // seconds that an accident lasts
	feetPerReport = 44  // feet that one mile per hour covers between two reports
	catchUpFeet   = 90 * feetPerReport
	carsPerSpeed  = 4 // cars in a segment that make it slower by one mile per hour
	freeSpeed     = 68
	slowSpeed     = 14
	jamSpeed      = 12 // behind an accident
	seekSeconds   = 90 // a car that stopped waits so long for another to run into it
	awaySeconds   = 60 // a car comes back after so long at least
)

// car is one that is on the road. Positions run along its direction: feet from the end
// where it begins.
type car struct {
	vehicle        int32
	lane           int32
	feet           int32
	exit           int32 // segment, along the direction
	stoppedUntil   int32 // 0 if it drives
	entered, leave bool
}

// carriageway is one direction of an expressway.
type carriageway struct {
	xway, dir    int32
	phases       [ReportEvery][]car // by the second of the half minute in which they report
	active       int
	inSegment    [Segments]int32
	jam          [Segments]int32 // accident in it until this second
	nextAccident int32
	seeking      *wreck // a car that stopped and that no other has hit yet
}

// wreck is a place where a car stands.
type wreck struct {
	feet, lane   int32
	until, since int32
}

// gone is a car that left and may come back.
type gone struct{ vehicle, at int32 }

type simulation struct {
	Options
	random   *rand.Rand
	roads    []*carriageway
	emit     func(*Record)
	vehicles int32
	queries  int32
	gone     []gone
}

// Run calls emit with every record in the order of time. The record is emit's only
// during the call.
func (o Options) Run(emit func(*Record)) error {
	if o.Xways < 1 || o.Xways > 250 || o.Minutes < 1 || o.Minutes > 24*60 {
		return errors.New("there must be 1 to 250 expressways and 1 to 1440 minutes")
	}
	if o.Cars == 0 {
		o.Cars = 51000
	}
	if o.AccidentGap == 0 {
		o.AccidentGap = 600
	}
	s := &simulation{Options: o, random: rand.New(rand.NewPCG(o.Seed, 0x4c52)), emit: emit}
	for x := range int32(o.Xways) {
		for dir := range int32(2) {
			s.roads = append(s.roads, &carriageway{xway: x, dir: dir, nextAccident: s.pause() / 4})
		}
	}
	for t := range int32(o.Minutes * 60) {
		for _, r := range s.roads {
			s.enter(r, t)
			s.second(r, t)
		}
	}
	return nil
}

// pause returns the seconds until another accident.
func (s *simulation) pause() int32 {
	return int32(float64(s.AccidentGap) * (0.5 + s.random.Float64()))
}

// enter puts as many cars on the road as are missing at second t; in the first half
// minute they come little by little.
func (s *simulation) enter(r *carriageway, t int32) {
	most := float64(s.Cars) / 2
	wanted := int(most * (0.01 + 0.99*float64(t)/float64(s.Minutes*60)))
	if t < ReportEvery {
		wanted = wanted * int(t+1) / ReportEvery
	}
	for ; r.active < wanted; r.active++ {
		segment := s.random.Int32N(Segments)
		if s.random.IntN(2) == 0 {
			segment = townWest + s.random.Int32N(townEast-townWest+1)
		}
		exit := min(segment+1+s.random.Int32N(tripSegments-1), Segments-1)
		r.inSegment[segment]++
		r.phases[t%ReportEvery] = append(r.phases[t%ReportEvery], car{
			vehicle: s.vehicle(t), feet: segment*SegmentFeet + s.random.Int32N(1000), exit: exit})
	}
}

// vehicle returns the number of a car that enters: a new one, or one that left a while
// ago.
func (s *simulation) vehicle(t int32) int32 {
	if len(s.gone) > 0 && s.gone[0].at+awaySeconds <= t && s.random.Float64() < returnShare {
		v := s.gone[0].vehicle
		s.gone = s.gone[1:]
		return v
	}
	s.vehicles++
	return s.vehicles
}

// second lets the cars report whose turn it is in second t.
func (s *simulation) second(r *carriageway, t int32) {
	cars := r.phases[t%ReportEvery]
	kept := cars[:0]
	for i := range cars {
		c := cars[i]
		speed := s.move(r, &c, t)
		s.report(r, &c, t, speed)
		if c.leave {
			r.inSegment[c.feet/SegmentFeet]--
			r.active--
			s.gone = append(s.gone, gone{c.vehicle, t})
			continue
		}
		kept = append(kept, c)
	}
	r.phases[t%ReportEvery] = kept
}

// move brings the car to where it is after half a minute and returns its speed there.
func (s *simulation) move(r *carriageway, c *car, t int32) (speed int32) {
	if !c.entered {
		c.entered, c.lane = true, laneEntrance
		return 10 + s.random.Int32N(20)
	}
	if c.stoppedUntil > t {
		return 0
	}
	c.stoppedUntil = 0
	c.lane = 1 + s.random.Int32N(3)
	before := c.feet / SegmentFeet
	if s.crash(r, c, t) {
		r.inSegment[before]--
		r.inSegment[c.feet/SegmentFeet]++
		return s.random.Int32N(10)
	}
	speed = max(freeSpeed-r.inSegment[before]/carsPerSpeed, slowSpeed) + s.random.Int32N(13) - 6
	if r.jam[before] > t {
		speed = jamSpeed + s.random.Int32N(7) - 3
	}
	c.feet += speed*feetPerReport + s.random.Int32N(feetPerReport)
	if end := (c.exit + 1) * SegmentFeet; c.feet/SegmentFeet >= c.exit && (c.feet >= end || s.random.IntN(2) == 0) {
		c.feet, c.leave, c.lane = min(c.feet, end-1), true, LaneExit
	}
	r.inSegment[before]--
	r.inSegment[c.feet/SegmentFeet]++
	return speed
}

// crash decides whether the car stops now: as the first of an accident, or because it
// runs into one that stands. Some that stop are not hit in time, and go on after a while.
func (s *simulation) crash(r *carriageway, c *car, t int32) bool {
	if w := r.seeking; w != nil {
		if t > w.since+seekSeconds {
			r.seeking = nil
			return false
		}
		if c.feet >= w.feet || w.feet-c.feet > catchUpFeet || w.feet/SegmentFeet > c.exit {
			return false
		}
		c.feet, c.lane, c.stoppedUntil = w.feet, w.lane, w.until
		for i := max(w.feet/SegmentFeet-4, 0); i <= w.feet/SegmentFeet; i++ {
			r.jam[i] = w.until
		}
		r.seeking = nil
		return true
	}
	if t < r.nextAccident {
		return false
	}
	r.nextAccident = t + s.pause()
	c.stoppedUntil = t + accidentLeast + s.random.Int32N(accidentMost-accidentLeast)
	r.seeking = &wreck{feet: c.feet, lane: c.lane, until: c.stoppedUntil, since: t}
	return true
}

// report emits the car's report, and now and then a request.
func (s *simulation) report(r *carriageway, c *car, t, speed int32) {
	feet := c.feet
	if r.dir == 1 {
		feet = Segments*SegmentFeet - 1 - feet
	}
	s.emit(&Record{Kind: Report, Time: t, Vehicle: c.vehicle, Speed: speed, Xway: r.xway, Lane: c.lane, Dir: r.dir,
		Segment: feet / SegmentFeet, Feet: feet})
	if s.random.Float64() >= requestShare {
		return
	}
	s.queries++
	request := Record{Kind: Balance, Time: t, Vehicle: c.vehicle, Query: s.queries}
	if s.random.Float64() >= balanceShare {
		request.Kind, request.Xway, request.Day = Expenditure, r.xway, 1+s.random.Int32N(HistoryDays)
	}
	s.emit(&request)
}
