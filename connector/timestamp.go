package connector

import "github.com/millrace/millrace/stream"

const (
	microsPerSecond = 1_000_000
	secondsPerDay   = 86_400
)

// parseTimestamp reads a timestamp as stream.ParseTimestamp does; the common form
// YYYY-MM-DD[T ]HH:MM:SS[.digits][Z] without help from it.
func parseTimestamp(b []byte) (int64, bool) {
	n := len(b)
	if n > 0 && b[n-1] == 'Z' {
		n--
	}
	if n < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' || b[13] != ':' || b[16] != ':' {
		return stream.ParseTimestamp(string(b))
	}
	year, month, day := pair(b, 0)*100+pair(b, 2), pair(b, 5), pair(b, 8)
	hour, minute, second := pair(b, 11), pair(b, 14), pair(b, 17)
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) ||
		uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return stream.ParseTimestamp(string(b))
	}
	micros := int64(0)
	if n > 19 {
		var ok bool
		if micros, ok = fraction(b[19:n]); !ok {
			return stream.ParseTimestamp(string(b))
		}
	}
	seconds := daysFromCivil(year, month, day)*secondsPerDay + int64(hour*3600+minute*60+second)
	return seconds*microsPerSecond + micros, true
}

// pair reads two digits, or returns a negative number below -1000.
func pair(b []byte, at int) int {
	hi, lo := b[at]-'0', b[at+1]-'0'
	if hi > 9 || lo > 9 {
		return -1 << 20
	}
	return int(hi)*10 + int(lo)
}

// fraction reads .d to .dddddd as microseconds.
func fraction(b []byte) (int64, bool) {
	if len(b) < 2 || len(b) > 7 || b[0] != '.' {
		return 0, false
	}
	micros := int64(0)
	for i := 1; i <= 6; i++ {
		micros *= 10
		if i < len(b) {
			d := b[i] - '0'
			if d > 9 {
				return 0, false
			}
			micros += int64(d)
		}
	}
	return micros, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysFromCivil counts days since 1970-01-01 of the proleptic Gregorian calendar. The
// year is taken to begin in March, so that the leap day is its last.
func daysFromCivil(year, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146097 + int64(dayOfEra) - 719468
}

// appendTimestamp writes what stream.AppendTimestamp writes.
func appendTimestamp(dst []byte, micros int64) []byte {
	seconds, frac := micros/microsPerSecond, micros%microsPerSecond
	if frac < 0 {
		seconds, frac = seconds-1, frac+microsPerSecond
	}
	days, rest := seconds/secondsPerDay, int(seconds%secondsPerDay)
	if rest < 0 {
		days, rest = days-1, rest+secondsPerDay
	}
	if days < -719_000 || days > 2_900_000 {
		return stream.AppendTimestamp(dst, micros)
	}
	year, month, day := civilFromDays(days)
	dst = append(dst, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-',
		byte('0'+month/10), byte('0'+month%10), '-', byte('0'+day/10), byte('0'+day%10), 'T',
		byte('0'+rest/36000), byte('0'+rest/3600%10), ':', byte('0'+rest%3600/600), byte('0'+rest%3600/60%10), ':',
		byte('0'+rest%60/10), byte('0'+rest%10))
	if frac != 0 {
		dst = append(dst, '.', byte('0'+frac/100000), byte('0'+frac/10000%10), byte('0'+frac/1000%10))
		if frac%1000 != 0 {
			dst = append(dst, byte('0'+frac/100%10), byte('0'+frac/10%10), byte('0'+frac%10))
		}
	}
	return append(dst, 'Z')
}

// civilFromDays is the inverse of daysFromCivil for years 1 to 9999.
func civilFromDays(days int64) (year, month, day int) {
	z := int(days) + 719468
	era := z / 146097
	dayOfEra := z - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*m+2)/5 + 1
	month = m + 3
	if month > 12 {
		month -= 12
	}
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// nanosecondUnit stands for timestamp_unit = 'ns', which is less than a microsecond.
const nanosecondUnit = -1000

// parseEventTime reads a timestamp; with a unit (microseconds in one, or
// nanosecondUnit) whole numbers count it since 1970.
func parseEventTime(b []byte, unit int64) (int64, bool) {
	if unit == 0 || len(b) > 4 && b[4] == '-' {
		return parseTimestamp(b)
	}
	v, ok := parseInt(b)
	if !ok {
		return 0, false
	}
	return epochMicros(v, unit)
}

// epochMicros turns a count of units since 1970 into microseconds.
func epochMicros(v, unit int64) (int64, bool) {
	if unit == nanosecondUnit {
		micros := v / 1000
		if v%1000 < 0 {
			micros--
		}
		return micros, true
	}
	micros := v * unit
	return micros, micros/unit == v
}
