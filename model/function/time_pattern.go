package function

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// TimeField is a part of a pattern of times.
type TimeField struct {
	Kind  TimeKind
	Width int      // least number of digits; of a fraction, all of them
	Case  NameCase // of names
	Pad   bool     // a name is filled with blanks up to the longest one
	Text  string   // of TimeText
}

// TimeKind is what a field shows.
type TimeKind uint8

// The kinds.
const (
	TimeText TimeKind = iota
	TimeYear          // Width 2: its last two digits
	TimeISOYear
	TimeQuarter
	TimeMonth
	TimeMonthName  // January
	TimeMonthShort // Jan
	TimeWeek       // ISO
	TimeDay        // of the month
	TimeDayOfYear
	TimeWeekday      // 1 is Sunday
	TimeISOWeekday   // 1 is Monday
	TimeWeekdayName  // Monday
	TimeWeekdayShort // Mon
	TimeHour         // 0-23
	TimeHour12       // 1-12
	TimeMinute
	TimeSecond
	TimeFraction // of the second, cut after Width digits
	TimeHalf     // AM or PM
)

// NameCase is how a name is written.
type NameCase uint8

// The cases.
const (
	TitleCase NameCase = iota
	UpperCase
	LowerCase
)

// MonthNames and WeekdayNames are those that patterns show, from January and Sunday on;
// short ones are their first three letters.
var (
	MonthNames   = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	WeekdayNames = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// timePatternMax bounds the fields and widths of a pattern.
const timePatternMax = 1000

// CompileTime reads DATE_FORMAT's patterns: a run of one letter is a field, text stands
// in single quotes.
func CompileTime(pattern string) ([]TimeField, error) {
	var out []TimeField
	for len(pattern) > 0 {
		r, size := utf8.DecodeRuneInString(pattern)
		n := size
		switch {
		case len(pattern) > timePatternMax:
			return nil, fmt.Errorf("it is longer than %d bytes", timePatternMax)
		case r == '\'':
			text, rest, err := quotedText(pattern[1:])
			if err != nil {
				return nil, err
			}
			out, pattern = append(out, TimeField{Text: text}), rest
			continue
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			for n < len(pattern) && rune(pattern[n]) == r {
				n++
			}
			f, ok := letterField(r, n)
			if !ok {
				return nil, fmt.Errorf("%s is no field of it", pattern[:n])
			}
			out = append(out, f)
		default:
			out = append(out, TimeField{Text: pattern[:n]})
		}
		pattern = pattern[n:]
	}
	return out, nil
}

// CompileTimeReader is CompileTime for texts that are read: fields that do not say a time
// by themselves are none of it.
func CompileTimeReader(pattern string) ([]TimeField, error) {
	fields, err := CompileTime(pattern)
	for _, f := range fields {
		if f.Kind == TimeQuarter || f.Kind == TimeDayOfYear {
			return nil, errors.New("quarters and days of the year cannot be read")
		}
	}
	return fields, err
}

// quotedText reads up to the closing quote; two quotes are one, everywhere.
func quotedText(s string) (text, rest string, err error) {
	if strings.HasPrefix(s, "'") {
		return "'", s[1:], nil
	}
	var b strings.Builder
	for {
		at := strings.IndexByte(s, '\'')
		if at < 0 {
			return "", "", errors.New("a quote is not closed")
		}
		b.WriteString(s[:at])
		if s = s[at+1:]; !strings.HasPrefix(s, "'") {
			return b.String(), s, nil
		}
		b.WriteByte('\'')
		s = s[1:]
	}
}

// letterField is the field of n letters r.
func letterField(r rune, n int) (TimeField, bool) {
	f := TimeField{Width: n}
	most := 2
	switch r {
	case 'y', 'u':
		f.Kind, most = TimeYear, 4
	case 'Q':
		f.Kind = TimeQuarter
	case 'M', 'L':
		f.Kind, most = TimeMonth, 4
		if n == 3 {
			f.Kind = TimeMonthShort
		} else if n == 4 {
			f.Kind = TimeMonthName
		}
	case 'd':
		f.Kind = TimeDay
	case 'D':
		f.Kind, most = TimeDayOfYear, 3
	case 'E':
		f.Kind, most = TimeWeekdayShort, 4
		if n == 4 {
			f.Kind = TimeWeekdayName
		}
	case 'H':
		f.Kind = TimeHour
	case 'h':
		f.Kind = TimeHour12
	case 'm':
		f.Kind = TimeMinute
	case 's':
		f.Kind = TimeSecond
	case 'S':
		f.Kind, most = TimeFraction, 9
	case 'a':
		f.Kind, f.Case, most = TimeHalf, UpperCase, 1
	default:
		return f, false
	}
	return f, n <= most && !(f.Kind == TimeYear && n == 3)
}

// templates are TO_CHAR's fields, longer ones before their beginnings.
var templates = []struct {
	name  string
	field TimeField
}{
	{"YYYY", TimeField{Kind: TimeYear, Width: 4}}, {"IYYY", TimeField{Kind: TimeISOYear, Width: 4}}, {"YY", TimeField{Kind: TimeYear, Width: 2}},
	{"MONTH", TimeField{Kind: TimeMonthName, Pad: true}}, {"MON", TimeField{Kind: TimeMonthShort}}, {"MM", TimeField{Kind: TimeMonth, Width: 2}},
	{"MI", TimeField{Kind: TimeMinute, Width: 2}}, {"MS", TimeField{Kind: TimeFraction, Width: 3}}, {"US", TimeField{Kind: TimeFraction, Width: 6}},
	{"DDD", TimeField{Kind: TimeDayOfYear, Width: 3}}, {"DD", TimeField{Kind: TimeDay, Width: 2}}, {"DAY", TimeField{Kind: TimeWeekdayName, Pad: true}},
	{"DY", TimeField{Kind: TimeWeekdayShort}}, {"D", TimeField{Kind: TimeWeekday, Width: 1}}, {"ID", TimeField{Kind: TimeISOWeekday, Width: 1}},
	{"IW", TimeField{Kind: TimeWeek, Width: 2}}, {"HH24", TimeField{Kind: TimeHour, Width: 2}}, {"HH12", TimeField{Kind: TimeHour12, Width: 2}},
	{"HH", TimeField{Kind: TimeHour12, Width: 2}}, {"SS", TimeField{Kind: TimeSecond, Width: 2}}, {"Q", TimeField{Kind: TimeQuarter, Width: 1}},
	{"AM", TimeField{Kind: TimeHalf}}, {"PM", TimeField{Kind: TimeHalf}},
}

// CompileTemplate reads TO_CHAR's patterns. Numbers and names can be in any case, which
// is that of the names shown; text stands in double quotes, and everything else that is
// no field is itself, but for letters.
func CompileTemplate(pattern string) ([]TimeField, error) {
	var out []TimeField
	if len(pattern) > timePatternMax {
		return nil, fmt.Errorf("it is longer than %d bytes", timePatternMax)
	}
	for len(pattern) > 0 {
		if pattern[0] == '"' {
			end := strings.IndexByte(pattern[1:], '"')
			if end < 0 {
				return nil, errors.New("a quote is not closed")
			}
			out, pattern = append(out, TimeField{Text: pattern[1 : end+1]}), pattern[end+2:]
			continue
		}
		rest, plain := pattern, false
		if len(rest) > 2 && strings.EqualFold(rest[:2], "FM") {
			rest, plain = rest[2:], true
		}
		f, n := template(rest)
		switch {
		case n > 0 && plain:
			f.Pad = false
			if f.Kind != TimeFraction && !(f.Kind == TimeYear && f.Width == 2) {
				f.Width = 0
			}
			out, pattern = append(out, f), rest[n:]
		case n > 0:
			out, pattern = append(out, f), rest[n:]
		default:
			r, size := utf8.DecodeRuneInString(pattern)
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return nil, fmt.Errorf("%s is no field of it; text stands in double quotes", pattern[:size])
			}
			out, pattern = append(out, TimeField{Text: pattern[:size]}), pattern[size:]
		}
	}
	return out, nil
}

// template is the field that s begins with, and its length.
func template(s string) (TimeField, int) {
	for _, t := range templates {
		if len(s) < len(t.name) || !strings.EqualFold(s[:len(t.name)], t.name) {
			continue
		}
		f, n := t.field, len(t.name)
		switch {
		case s[0] >= 'a':
			f.Case = LowerCase
		case s[1%n] < 'a' || f.Kind == TimeHalf:
			f.Case = UpperCase
		}
		return f, n
	}
	return TimeField{}, 0
}
