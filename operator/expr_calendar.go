package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Dates and times of day: conversions, and arithmetic that is not that of whole numbers.

// argTypes are the types of a function's two arguments.
type argTypes = [2]stream.Type

var timeSums = map[argTypes]kernel{
	{stream.TimeOfDay, stream.Interval}: turnClock(0, 1, 1),
	{stream.Interval, stream.TimeOfDay}: turnClock(1, 0, 1),
	{stream.Date, stream.TimeOfDay}:     dateAtTime(0, 1),
	{stream.TimeOfDay, stream.Date}:     dateAtTime(1, 0),
}

var timeDifferences = map[argTypes]kernel{
	{stream.TimeOfDay, stream.Interval}: turnClock(0, 1, -1),
}

// orTimes prepares a kernel of the table, for other arguments as general does.
func orTimes(kernels map[argTypes]kernel, general prepare) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		if len(e.Args) == 2 {
			if run := kernels[argTypes{e.Args[0].Type, e.Args[1].Type}]; run != nil {
				in.run = run
				return nil
			}
		}
		return general(b, e, in)
	}
}

// turnClock adds an interval, or takes it away, and begins anew at midnight.
func turnClock(clock, interval int, sign int64) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		out.I64 = resize(out.I64, s.n)
		a, b := s.arg(in, clock).I64[:s.n], s.arg(in, interval).I64[:s.n]
		for i := range out.I64 {
			out.I64[i] = floorMod(a[i]+sign*(b[i]%microsPerDay), microsPerDay)
		}
	}
}

func dateAtTime(date, clock int) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		out.I64 = resize(out.I64, s.n)
		days, micros := s.arg(in, date).I32[:s.n], s.arg(in, clock).I64[:s.n]
		for i := range out.I64 {
			out.I64[i] = int64(days[i])*microsPerDay + micros[i]
		}
	}
}

var timeCasts = map[castPair]kernel{
	{stream.Date, stream.Timestamp}:      midnights,
	{stream.Timestamp, stream.Date}:      datesOfTimestamps,
	{stream.Timestamp, stream.TimeOfDay}: clocksOfTimestamps,
}

func midnights(s *ProgramScratch, in *instr) {
	_, o, a := oneOf[int64, int32](s, in)
	for i, days := range a {
		o[i] = int64(days) * microsPerDay
	}
}

func datesOfTimestamps(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[int32, int64](s, in)
	for i, micros := range a {
		days := floorDiv(micros, microsPerDay)
		if o[i] = int32(days); days < stream.DateMin || days > stream.DateMax {
			s.failCast(out, in, i, function.ErrOverflow)
		}
	}
}

func clocksOfTimestamps(s *ProgramScratch, in *instr) {
	_, o, a := oneOf[int64, int64](s, in)
	for i, micros := range a {
		o[i] = floorMod(micros, microsPerDay)
	}
}
