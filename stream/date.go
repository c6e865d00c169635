package stream

import "strings"

// Dates and times of day. Years have four digits, in text and in values, so that every
// DATE is a TIMESTAMP too.
const (
	DateMin      = -719_162  // 0001-01-01
	DateMax      = 2_932_896 // 9999-12-31
	MicrosPerDay = 86_400_000_000

	microsPerSecond = 1_000_000
)

// DaysFromCivil counts the days from 1970-01-01 to a date of the proleptic Gregorian
// calendar, years from 1 on. The year is taken to begin in March, so that the leap day
// is its last.
func DaysFromCivil(year, month, day int) int64 {
	if month <= 2 {
		year--
	}
	dayOfYear := (153*((month+9)%12)+2)/5 + day - 1
	return int64(year*365+year/4-year/100+year/400+dayOfYear) - 719_468
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int) {
	z := int(days) + 719_468
	era := z / 146_097
	dayOfEra := z - era*146_097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	year, month, day = yearOfEra+era*400, m+3, dayOfYear-(153*m+2)/5+1
	if month > 12 {
		year, month = year+1, month-12
	}
	return year, month, day
}

func daysIn(year, month int) int {
	switch {
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	case month != 2:
		return 31
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	}
	return 28
}

// AppendDate appends a date as 2026-01-02.
func AppendDate(dst []byte, days int64) []byte {
	year, month, day := CivilFromDays(days)
	dst = appendTwo(appendTwo(dst, year/100), year%100)
	dst = appendTwo(append(dst, '-'), month)
	return appendTwo(append(dst, '-'), day)
}

// ParseDate reads what AppendDate writes, as days since 1970-01-01; blanks around it
// are allowed.
func ParseDate(s string) (days int64, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, year, month, day := twoDigits(s, 0), twoDigits(s, 2), twoDigits(s, 5), twoDigits(s, 8)
	if century < 0 || year < 0 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year += century * 100
	if year == 0 || day > daysIn(year, month) {
		return 0, false
	}
	return DaysFromCivil(year, month, day), true
}

// AppendTime appends a time of day as 03:04:05, with as many fraction digits (3 or 6)
// as it needs.
func AppendTime(dst []byte, micros int64) []byte {
	seconds, frac := int(micros/microsPerSecond), int(micros%microsPerSecond)
	dst = appendTwo(dst, seconds/3600)
	dst = appendTwo(append(dst, ':'), seconds/60%60)
	dst = appendTwo(append(dst, ':'), seconds%60)
	if frac == 0 {
		return dst
	}
	dst = append(append(dst, '.'), byte('0'+frac/100_000), byte('0'+frac/10_000%10), byte('0'+frac/1000%10))
	if frac %= 1000; frac != 0 {
		dst = append(dst, byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
	return dst
}

// ParseTime reads 03:04[:05[.frac]] as microseconds since midnight; blanks around it are
// allowed. Digits past microseconds are cut.
func ParseTime(s string) (micros int64, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 8 && len(s) < 10 || s[2] != ':' {
		return 0, false
	}
	hour, minute, second := twoDigits(s, 0), twoDigits(s, 3), 0
	if len(s) > 5 {
		if s[5] != ':' {
			return 0, false
		}
		second = twoDigits(s, 6)
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, false
	}
	micros = int64(hour*3600+minute*60+second) * microsPerSecond
	if len(s) > 8 {
		if s[8] != '.' {
			return 0, false
		}
		unit := int64(microsPerSecond / 10)
		for i := 9; i < len(s); i++ {
			d := s[i] - '0'
			if d > 9 {
				return 0, false
			}
			micros, unit = micros+int64(d)*unit, unit/10
		}
	}
	return micros, true
}

func appendTwo(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

// twoDigits reads the two digits at s[at:], or returns a number less than zero.
func twoDigits(s string, at int) int {
	hi, lo := s[at]-'0', s[at+1]-'0'
	if hi > 9 || lo > 9 {
		return -1 << 20
	}
	return int(hi)*10 + int(lo)
}
