package operator

import (
	"math"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// unitFunctions count in units of time, and fields of timestamps beyond the first ones.
var unitFunctions = map[string]prepare{
	"extract_quarter":     prepareExtract(extractDate(func(_, m, _ int64) int64 { return (m + 2) / 3 })),
	"extract_decade":      prepareExtract(extractDate(func(y, _, _ int64) int64 { return floorDiv(y, 10) })),
	"extract_century":     prepareExtract(extractDate(countYears(100))),
	"extract_millennium":  prepareExtract(extractDate(countYears(1000))),
	"extract_week":        prepareExtract(extractDay(func(day int64) int64 { _, w := isoWeek(day); return w })),
	"extract_isoyear":     prepareExtract(extractDay(func(day int64) int64 { y, _ := isoWeek(day); return y })),
	"extract_dow":         prepareExtract(extractDay(func(day int64) int64 { return floorMod(day+4, 7) })),
	"extract_isodow":      prepareExtract(extractDay(func(day int64) int64 { return floorMod(day+3, 7) + 1 })),
	"extract_doy":         prepareExtract(extractDay(dayOfYear)),
	"extract_millisecond": prepareExtract(extractClock(microsPerMinute, 1000)),
	"extract_microsecond": prepareExtract(extractClock(microsPerMinute, 1)),

	"date_ceil":      prepareTyped(eachFixed(ceilTime), 2, stream.Varchar, stream.Timestamp),
	"timestamp_add":  prepareTyped(eachFixed(addUnits), 3, stream.Varchar, stream.BigInt, stream.Timestamp),
	"timestamp_diff": prepareTyped(eachFixed(countUnits), 3, stream.Varchar, stream.Timestamp, stream.Timestamp),
}

func extractDay(pick func(day int64) int64) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a := oneOf[int64, int64](s, in)
		for i, micros := range a {
			o[i] = pick(floorDiv(micros, microsPerDay))
		}
	}
}

func dayOfYear(day int64) int64 {
	y, _, _ := civil(day)
	return day - dayOfYearStart(y) + 1
}

// countYears counts periods of years: the first begins with year 1, the one before it
// is the -1st.
func countYears(length int64) func(y, _, _ int64) int64 {
	return func(y, _, _ int64) int64 {
		n := floorDiv(y-1, length) + 1
		if n < 1 {
			n-- // there is no period 0
		}
		return n
	}
}

// unitLength is the length of a unit in microseconds or, for longer ones, in months.
type unitLength struct{ micros, months int64 }

var unitLengths = map[string]unitLength{
	"microsecond": {micros: 1}, "millisecond": {micros: 1000}, "second": {micros: microsPerSecond}, "minute": {micros: microsPerMinute},
	"hour": {micros: microsPerHour}, "day": {micros: microsPerDay}, "week": {micros: 7 * microsPerDay},
	"month": {months: 1}, "quarter": {months: 3}, "year": {months: 12}, "decade": {months: 120}, "century": {months: 1200}, "millennium": {months: 12000},
}

// unitOf is the unit that the first argument of row i names, in lower case.
func (s *ProgramScratch) unitOf(in *instr, i int) (name string, u unitLength, ok bool) {
	text := s.text(in, 0, i)
	if u, ok = unitLengths[string(text)]; ok {
		return string(text), u, true
	}
	name = strings.ToLower(string(text))
	u, ok = unitLengths[name]
	return name, u, ok
}

// later is t with n units added.
func (u unitLength) later(t, n int64) (moved int64, ok bool) {
	by := u.micros
	if u.months > 0 {
		by = u.months
	}
	if mulOverflow(by, n) != 0 {
		return 0, false
	}
	if u.months > 0 {
		return addMonths(t, by*n)
	}
	moved = t + by*n
	return moved, (moved > t) == (n > 0) || n == 0
}

func addUnits(s *ProgramScratch, in *instr, i int) (int64, string) {
	_, u, ok := s.unitOf(in, i)
	if !ok {
		return 0, function.ErrDomain
	}
	t, ok := u.later(s.i64(in, 2, i), s.i64(in, 1, i))
	if !ok {
		return 0, function.ErrOverflow
	}
	return t, ""
}

func ceilTime(s *ProgramScratch, in *instr, i int) (int64, string) {
	name, u, ok := s.unitOf(in, i)
	if !ok {
		return 0, function.ErrDomain
	}
	t := s.i64(in, 1, i)
	start := truncators[name](t)
	if start == t {
		return t, ""
	}
	next, ok := u.later(start, 1)
	if start > t || !ok {
		return 0, function.ErrOverflow
	}
	return next, ""
}

func countUnits(s *ProgramScratch, in *instr, i int) (int64, string) {
	_, u, ok := s.unitOf(in, i)
	a, b := s.i64(in, 1, i), s.i64(in, 2, i)
	switch {
	case !ok:
		return 0, function.ErrDomain
	case u.months > 0:
		return monthsBetween(a, b) / u.months, ""
	case b >= a:
		n := (uint64(b) - uint64(a)) / uint64(u.micros)
		if n > math.MaxInt64 {
			return 0, function.ErrOverflow
		}
		return int64(n), ""
	}
	n := (uint64(a) - uint64(b)) / uint64(u.micros)
	if n > 1<<63 {
		return 0, function.ErrOverflow
	}
	return -int64(n), ""
}

// monthsBetween is how many months can be added to a without passing b.
func monthsBetween(a, b int64) int64 {
	ya, ma, _ := civil(floorDiv(a, microsPerDay))
	yb, mb, _ := civil(floorDiv(b, microsPerDay))
	n := yb*12 + mb - ya*12 - ma
	switch t, ok := addMonths(a, n); {
	case b >= a && (!ok || t > b):
		n--
	case b < a && (!ok || t < b):
		n++
	}
	return n
}
