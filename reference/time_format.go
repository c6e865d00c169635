package reference

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"date_format": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return formatted(a, function.CompileTime)
		},
		"to_char": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return formatted(a, function.CompileTemplate)
		},
		"to_timestamp": readTime,
	})
}

func formatted(a []stream.Value, compile func(string) ([]function.TimeField, error)) (stream.Value, string) {
	fields, err := compile(a[1].S)
	if err != nil {
		return patternError()
	}
	out := ""
	for _, f := range fields {
		out += shownField(f, utc(a[0]))
	}
	return text(out)
}

// layouts are fields as package time writes them.
var layouts = map[function.TimeKind]string{
	function.TimeMonthName: "January", function.TimeMonthShort: "Jan", function.TimeWeekdayName: "Monday", function.TimeWeekdayShort: "Mon",
	function.TimeMonth: "1", function.TimeDay: "2", function.TimeDayOfYear: "002", function.TimeHour: "15", function.TimeHour12: "3",
	function.TimeMinute: "4", function.TimeSecond: "5", function.TimeFraction: ".000000000", function.TimeHalf: "PM",
}

func shownField(f function.TimeField, t time.Time) string {
	shown := t.Format(layouts[f.Kind])
	isoYear, isoWeek := t.ISOWeek()
	var number int
	switch f.Kind {
	case function.TimeText:
		return f.Text
	case function.TimeFraction:
		return shown[1 : f.Width+1]
	case function.TimeYear:
		if number = t.Year(); f.Width == 2 {
			number = (number%100 + 100) % 100
		}
	case function.TimeISOYear:
		number = isoYear
	case function.TimeQuarter:
		number = (int(t.Month()) + 2) / 3
	case function.TimeWeek:
		number = isoWeek
	case function.TimeWeekday:
		number = int(t.Weekday()) + 1
	case function.TimeISOWeekday:
		number = (int(t.Weekday())+6)%7 + 1
	case function.TimeMonthName, function.TimeMonthShort, function.TimeWeekdayName, function.TimeWeekdayShort, function.TimeHalf:
		if f.Case == function.UpperCase {
			shown = strings.ToUpper(shown)
		} else if f.Case == function.LowerCase {
			shown = strings.ToLower(shown)
		}
		if f.Pad {
			shown = fmt.Sprintf("%-9s", shown)
		}
		return shown
	default:
		number, _ = strconv.Atoi(shown)
	}
	if number < 0 {
		return "-" + fmt.Sprintf("%0*d", f.Width, -number)
	}
	return fmt.Sprintf("%0*d", f.Width, number)
}

// readTime takes field by field from the front of the text, each with an expression of
// its own.
func readTime(a []stream.Value, _ stream.Type) (stream.Value, string) {
	pattern := function.DefaultTimePattern
	if len(a) == 2 {
		pattern = a[1].S
	}
	fields, err := function.CompileTimeReader(pattern)
	if err != nil {
		return patternError()
	}
	said, rest := map[function.TimeKind]int{function.TimeYear: 1970, function.TimeMonth: 1, function.TimeDay: 1}, a[0].S
	for _, f := range fields {
		found := regexp.MustCompile("^(?:" + expressionOf(f) + ")").FindString(rest)
		if found == "" && f.Kind != function.TimeText {
			return stream.Value{}, function.ErrFormat
		}
		if f.Kind == function.TimeText && found != f.Text {
			return stream.Value{}, function.ErrFormat
		}
		rest = rest[len(found):]
		noteField(said, f, found)
	}
	hour, twelve := said[function.TimeHour12]
	if !twelve {
		hour = said[function.TimeHour]
	} else if hour < 1 || hour > 12 {
		return stream.Value{}, function.ErrFormat
	} else if hour %= 12; said[function.TimeHalf] == 1 {
		hour += 12
	}
	year, month, day := said[function.TimeYear], time.Month(said[function.TimeMonth]), said[function.TimeDay]
	t := time.Date(year, month, day, hour, said[function.TimeMinute], said[function.TimeSecond], said[function.TimeFraction], time.UTC)
	if rest != "" || t.Month() != month || t.Day() != day || t.Hour() != hour || t.Minute() != said[function.TimeMinute] || t.Second() != said[function.TimeSecond] {
		return stream.Value{}, function.ErrFormat
	}
	return timestamp(t)
}

// namesOf are the names that a field can show, as long as it shows them.
func namesOf(f function.TimeField) []string {
	names := function.MonthNames
	switch f.Kind {
	case function.TimeWeekdayName, function.TimeWeekdayShort:
		names = function.WeekdayNames
	case function.TimeHalf:
		return []string{"AM", "PM"}
	}
	out := slices.Clone(names)
	for i := range out {
		if f.Kind == function.TimeMonthShort || f.Kind == function.TimeWeekdayShort {
			out[i] = out[i][:3]
		}
	}
	return out
}

func expressionOf(f function.TimeField) string {
	switch f.Kind {
	case function.TimeText:
		return regexp.QuoteMeta(f.Text)
	case function.TimeMonthName, function.TimeMonthShort, function.TimeWeekdayName, function.TimeWeekdayShort, function.TimeHalf:
		out := strings.Join(namesOf(f), "|") // (?i) would take more than ASCII's letters
		return regexp.MustCompile("[A-Za-z]").ReplaceAllStringFunc(out, func(c string) string { return "[" + strings.ToUpper(c) + strings.ToLower(c) + "]" })
	case function.TimeFraction:
		return fmt.Sprintf("[0-9]{%d}", f.Width)
	}
	if f.Width > 1 {
		return fmt.Sprintf("[0-9]{%d}", f.Width)
	}
	if f.Kind == function.TimeYear {
		return "[0-9]{1,4}"
	}
	return "[0-9]{1,2}"
}

func noteField(said map[function.TimeKind]int, f function.TimeField, found string) {
	number, err := strconv.Atoi(found)
	switch f.Kind {
	case function.TimeText, function.TimeWeekdayName, function.TimeWeekdayShort:
	case function.TimeMonthName, function.TimeMonthShort:
		said[function.TimeMonth] = 1 + slices.IndexFunc(namesOf(f), func(n string) bool { return strings.EqualFold(n, found) })
	case function.TimeHalf:
		said[f.Kind] = 0
		if strings.EqualFold(found, "PM") {
			said[f.Kind] = 1
		}
	case function.TimeFraction:
		nanos, _ := strconv.Atoi((found + "000000000")[:9])
		said[f.Kind] = nanos / 1000 * 1000
	default:
		if err == nil && f.Kind == function.TimeYear && f.Width == 2 {
			number += 2000
		}
		said[f.Kind] = number
	}
}
