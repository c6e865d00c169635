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
