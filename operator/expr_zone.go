package operator

import (
	"strings"

	"github.com/millrace/millrace/internal/zone"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var zoneFunctions = map[string]prepare{
	"zone_reading":  prepareZone(eachFixed(zoneReading), stream.Timestamp, stream.Varchar),
	"zone_instant":  prepareZone(eachFixed(zoneInstant), stream.Timestamp, stream.Varchar),
	"zone_text":     prepareZone(eachText(zoneText), stream.Timestamp, stream.Varchar),
	"zone_read":     prepareZone(eachFixed(zoneRead(false)), stream.Varchar, stream.Varchar),
	"zone_try_read": prepareZone(eachFixed(zoneRead(true)), stream.Varchar, stream.Varchar),
	"zone_trunc":    prepareZone(eachFixed(zoneTrunc), stream.Varchar, stream.Timestamp, stream.Varchar),
	"zone_ceil":     prepareZone(eachFixed(zoneCeil), stream.Varchar, stream.Timestamp, stream.Varchar),
	"time_cut":      prepareTimeCut,
}

// prepareZone is for calls whose last argument is a zone; a constant one is loaded here.
func prepareZone(run kernel, types ...stream.Type) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		if err := checkTypes(e, len(types), types...); err != nil {
			return err
		}
		in.run = run
		if name, ok := b.literalOf(in.args[len(in.args)-1]); ok {
			if z, err := zone.Load(name.S); err == nil {
				in.data = z
			}
		}
		return nil
	}
}

// zoneOf is the zone of row i, nil if there is none of that name.
func (s *ProgramScratch) zoneOf(in *instr, i int) *zone.Zone {
	if z, ok := in.data.(*zone.Zone); ok {
		return z
	}
	z, err := zone.Load(borrow(s.text(in, len(in.args)-1, i)))
	if err != nil {
		return nil
	}
	return z
}

func inRange(v int64, ok bool) (int64, string) {
	if !ok {
		return 0, function.ErrOverflow
	}
	return v, ""
}

func zoneReading(s *ProgramScratch, in *instr, i int) (int64, string) {
	z := s.zoneOf(in, i)
	if z == nil {
		return 0, function.ErrZone
	}
	return inRange(z.Reading(s.i64(in, 0, i)))
}

func zoneInstant(s *ProgramScratch, in *instr, i int) (int64, string) {
	z := s.zoneOf(in, i)
	if z == nil {
		return 0, function.ErrZone
	}
	return inRange(z.Instant(s.i64(in, 0, i)))
}

func zoneText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	z := s.zoneOf(in, i)
	if z == nil {
		return dst, function.ErrZone
	}
	instant := s.i64(in, 0, i)
	span := z.At(instant)
	reading, ok := span.Reading(instant)
	if !ok {
		return dst, function.ErrOverflow
	}
	dst = stream.AppendTimestamp(dst, reading)
	return zone.AppendOffset(dst[:len(dst)-1], span.Offset), "" // for the Z
}

func zoneRead(try bool) fixedRow[int64] {
	return func(s *ProgramScratch, in *instr, i int) (int64, string) {
		z := s.zoneOf(in, i)
		if z == nil {
			return 0, function.ErrZone
		}
		text := s.text(in, 0, i)
		t, ok := zone.Parse(borrow(text), z, stream.ParseTimestamp)
		switch {
		case ok:
			return t, ""
		case try:
			return 0, nullRow
		}
		return 0, cannotCast(text, stream.TimestampLTZ)
	}
}

// byClock applies a function to the clock's reading of the instant that is argument 1.
// Units of an hour and less keep the instant's offset, so that an hour that is there
// twice is two hours.
func (s *ProgramScratch) byClock(in *instr, i int, change func(unit string, t int64) (int64, string)) (int64, string) {
	z := s.zoneOf(in, i)
	unit := strings.ToLower(string(s.text(in, 0, i)))
	switch {
	case z == nil:
		return 0, function.ErrZone
	case truncators[unit] == nil:
		return 0, function.ErrDomain
	}
	instant := s.i64(in, 1, i)
	span := z.At(instant)
	reading, ok := span.Reading(instant)
	if !ok {
		return 0, function.ErrOverflow
	}
	changed, reason := change(unit, reading)
	if reason != "" {
		return 0, reason
	}
	if u := unitLengths[unit]; u.months == 0 && u.micros <= microsPerHour {
		by := changed - reading
		return inRange(instant+by, (instant+by >= instant) == (by >= 0))
	}
	return inRange(z.Instant(changed))
}

func zoneTrunc(s *ProgramScratch, in *instr, i int) (int64, string) {
	return s.byClock(in, i, func(unit string, t int64) (int64, string) {
		start := truncators[unit](t)
		return inRange(start, start <= t)
	})
}

func zoneCeil(s *ProgramScratch, in *instr, i int) (int64, string) {
	return s.byClock(in, i, func(unit string, t int64) (int64, string) {
		start := truncators[unit](t)
		if start == t {
			return t, ""
		}
		next, ok := unitLengths[unit].later(start, 1)
		return inRange(next, ok && start <= t)
	})
}

// digitMicros is the length of the last digit of a second's fraction of so many digits.
var digitMicros = [...]int64{1_000_000, 100_000, 10_000, 1000, 100, 10, 1}

func prepareTimeCut(_ *builder, e *model.Expr, in *instr) error {
	in.run = eachFixed(timeCut)
	if len(e.Args) > 0 && e.Args[0].Type == stream.TimeOfDay {
		return checkTypes(e, 2, stream.TimeOfDay, stream.Integer)
	}
	return checkTypes(e, 2, stream.Timestamp, stream.Integer)
}

func timeCut(s *ProgramScratch, in *instr, i int) (int64, string) {
	digits := s.regs[in.args[1]].I32[i]
	if digits < 0 || int(digits) >= len(digitMicros) {
		return 0, function.ErrDomain
	}
	t := s.i64(in, 0, i)
	start := t - floorMod(t, digitMicros[digits])
	return inRange(start, start <= t)
}
