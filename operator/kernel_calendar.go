package operator

// Microseconds of the units of time.
const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
)

// civil is the date of a day counted from 1970-01-01, in the Gregorian calendar
// extended both ways. Years are counted from March, so that the leap day is the last
// of its year; 400 of them (an era) have always 146,097 days, and the months from
// March on follow a straight line of 153 days in five months.
func civil(day int64) (year, month, dayOfMonth int64) {
	day += 719468 // days from 0000-03-01 to 1970-01-01
	era := floorDiv(day, 146097)
	inEra := day - era*146097
	yearOfEra := (inEra - inEra/1460 + inEra/36524 - inEra/146096) / 365
	inYear := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*inYear + 2) / 153
	dayOfMonth = inYear - (153*fromMarch+2)/5 + 1
	year, month = yearOfEra+era*400, fromMarch+3
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, dayOfMonth
}

// dayOfYearStart is the day, counted from 1970-01-01, of the given civil date's first
// of January.
func dayOfYearStart(year int64) int64 {
	before := year - 1
	return before*365 + floorDiv(before, 4) - floorDiv(before, 100) + floorDiv(before, 400) - 719162
}

// dayOf is the day, counted from 1970-01-01, of a date; months are 1 to 12.
func dayOf(year, month, dayOfMonth int64) int64 {
	return dayOfYearStart(year) + daysBefore(year, month) + dayOfMonth - 1
}

// daysBefore are the days of a year before the month.
func daysBefore(year, month int64) int64 {
	if month < 3 {
		return (month - 1) * 31
	}
	days := (153*(month-3)+2)/5 + 59
	if leap(year) {
		days++
	}
	return days
}

func leap(year int64) bool {
	return floorMod(year, 4) == 0 && (floorMod(year, 100) != 0 || floorMod(year, 400) == 0)
}

// daysIn is how long a month is.
func daysIn(year, month int64) int64 {
	if month == 12 {
		return 31
	}
	return daysBefore(year, month+1) - daysBefore(year, month)
}

// isoWeek is the week of a day, and the year that the week belongs to: that of its
// Thursday.
func isoWeek(day int64) (year, week int64) {
	thursday := day - floorMod(day+3, 7) + 3
	year, _, _ = civil(thursday)
	return year, (thursday-dayOfYearStart(year))/7 + 1
}

// addMonths moves a timestamp by months; a day that the month does not have becomes its
// last. ok is false out of range.
func addMonths(t, months int64) (moved int64, ok bool) {
	const most = 12 * 1_000_000 // months of more years than there are timestamps
	if months > most || months < -most {
		return 0, false
	}
	day := floorDiv(t, microsPerDay)
	y, m, d := civil(day)
	total := y*12 + m - 1 + months
	y, m = floorDiv(total, 12), floorMod(total, 12)+1
	return microsOf(dayOf(y, m, min(d, daysIn(y, m))), floorMod(t, microsPerDay))
}

// microsOf is the timestamp of a time of a day.
func microsOf(day, micros int64) (t int64, ok bool) {
	if day < 0 { // the first day there is begins out of range
		day, micros = day+1, micros-microsPerDay
	}
	t = day*microsPerDay + micros
	return t, mulOverflow(day, microsPerDay) == 0 && (t >= day*microsPerDay) == (micros >= 0)
}
