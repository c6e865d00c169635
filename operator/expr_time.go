package operator

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var timeFunctions = map[string]prepare{
	"to_timestamp_ltz": prepareToTimestamp,
	"date_trunc":       prepareDateTrunc,
	"extract_epoch":    prepareExtract(epochDoubles),
	"extract_year":     prepareExtract(extractDate(func(y, _, _ int64) int64 { return y })),
	"extract_month":    prepareExtract(extractDate(func(_, m, _ int64) int64 { return m })),
	"extract_day":      prepareExtract(extractDate(func(_, _, d int64) int64 { return d })),
	"extract_hour":     prepareExtract(extractClock(microsPerDay, microsPerHour)),
	"extract_minute":   prepareExtract(extractClock(microsPerHour, microsPerMinute)),
	"extract_second":   prepareExtract(extractClock(microsPerMinute, microsPerSecond)),
}

func prepareExtract(run kernel) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		if len(e.Args) != 1 || e.Args[0].Type.Storage() != stream.BigInt {
			return fmt.Errorf("it needs a timestamp or interval")
		}
		in.run = run
		return nil
	}
}

func epochDoubles(s *ProgramScratch, in *instr) {
	_, o, a := oneOf[float64, int64](s, in)
	for i, micros := range a {
		o[i] = float64(micros) / microsPerSecond
	}
}

func extractDate(pick func(year, month, day int64) int64) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a := oneOf[int64, int64](s, in)
		for i, micros := range a {
			o[i] = pick(civil(floorDiv(micros, microsPerDay)))
		}
	}
}

// extractClock counts units within the larger unit.
func extractClock(within, unit int64) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a := oneOf[int64, int64](s, in)
		for i, micros := range a {
			o[i] = floorMod(micros, within) / unit
		}
	}
}

// microsByPrecision is the length of TO_TIMESTAMP_LTZ's unit.
var microsByPrecision = map[int32]int64{0: microsPerSecond, 3: 1000, 6: 1}

func prepareToTimestamp(_ *builder, e *model.Expr, in *instr) error {
	if len(e.Args) != 2 || e.Args[0].Type != stream.BigInt || e.Args[1].Type != stream.Integer {
		return fmt.Errorf("it needs a BIGINT and an INTEGER")
	}
	in.run = runToTimestamp
	return nil
}

func runToTimestamp(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[int64, int64](s, in)
	last, micros := int32(0), int64(microsPerSecond)
	for i, p := range s.arg(in, 1).I32[:s.n] {
		if p != last {
			last, micros = p, microsByPrecision[p]
		}
		o[i] = a[i] * micros
		switch {
		case micros == 0:
			s.failOwn(out, i, function.ErrDomain)
		case mulOverflow(a[i], micros) != 0:
			s.failOwn(out, i, function.ErrOverflow)
		}
	}
}

// truncators cut a timestamp down to the unit. Before the first timestamp there is
// they wrap around to a greater one.
var truncators = map[string]func(micros int64) int64{
	"second":      func(t int64) int64 { return t - floorMod(t, microsPerSecond) },
	"minute":      func(t int64) int64 { return t - floorMod(t, microsPerMinute) },
	"hour":        func(t int64) int64 { return t - floorMod(t, microsPerHour) },
	"day":         func(t int64) int64 { return t - floorMod(t, microsPerDay) },
	"microsecond": func(t int64) int64 { return t },
	"millisecond": func(t int64) int64 { return t - floorMod(t, 1000) },
	"week": func(t int64) int64 {
		day := floorDiv(t, microsPerDay)
		return (day - floorMod(day+3, 7)) * microsPerDay
	},
	"quarter": func(t int64) int64 {
		y, m, _ := civil(floorDiv(t, microsPerDay))
		return dayOf(y, (m-1)/3*3+1, 1) * microsPerDay
	},
	"decade":     truncateYear(func(y int64) int64 { return floorDiv(y, 10) * 10 }),
	"century":    truncateYear(func(y int64) int64 { return floorDiv(y-1, 100)*100 + 1 }),
	"millennium": truncateYear(func(y int64) int64 { return floorDiv(y-1, 1000)*1000 + 1 }),
	"month": func(t int64) int64 {
		day := floorDiv(t, microsPerDay)
		_, _, d := civil(day)
		return (day - d + 1) * microsPerDay
	},
	"year": func(t int64) int64 {
		y, _, _ := civil(floorDiv(t, microsPerDay))
		return dayOfYearStart(y) * microsPerDay
	},
}

func truncateYear(start func(year int64) int64) func(int64) int64 {
	return func(t int64) int64 {
		y, _, _ := civil(floorDiv(t, microsPerDay))
		return dayOfYearStart(start(y)) * microsPerDay
	}
}

func prepareDateTrunc(b *builder, e *model.Expr, in *instr) error {
	if len(e.Args) != 2 || e.Args[0].Type != stream.Varchar || e.Args[1].Type != stream.Timestamp {
		return fmt.Errorf("it needs a unit and a timestamp")
	}
	in.run = runDateTrunc
	if unit, ok := b.literalOf(in.args[0]); ok {
		in.data = unit.S
	}
	return nil
}

func runDateTrunc(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.I64 = resize(out.I64, s.n)
	unit, constant := in.data.(string)
	cut := truncators[strings.ToLower(unit)]
	units, a := &s.arg(in, 0).Column, s.arg(in, 1).I64
	for i, t := range a[:s.n] {
		if !constant {
			cut = truncators[strings.ToLower(string(units.Text(i)))]
		}
		if cut == nil {
			out.I64[i] = 0
			s.failOwn(out, i, function.ErrDomain)
			continue
		}
		if out.I64[i] = cut(t); out.I64[i] > t {
			s.failOwn(out, i, function.ErrOverflow)
		}
	}
}
