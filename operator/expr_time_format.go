package operator

import (
	"strconv"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var formatFunctions = map[string]prepare{
	"date_format":  prepareFormat(eachText(formatTime), 'f', 1, stream.Timestamp, stream.Varchar),
	"to_char":      prepareFormat(eachText(formatTime), 'c', 1, stream.Timestamp, stream.Varchar),
	"to_timestamp": prepareFormat(eachFixed(readTime), 't', 1, stream.Varchar, stream.Varchar),
}

// timePattern is a compiled pattern of times, or why there is none.
type timePattern struct {
	fields []function.TimeField
	reason string
}

// timeUse is how a call comes to its pattern; use tells the kinds of patterns apart.
type timeUse struct {
	use      byte
	constant *timePattern
}

func (u *timeUse) compile(pattern string) *timePattern {
	compile := function.CompileTime
	switch u.use {
	case 'c':
		compile = function.CompileTemplate
	case 't':
		compile = function.CompileTimeReader
	}
	fields, err := compile(pattern)
	if err != nil {
		return &timePattern{reason: function.ErrPattern}
	}
	return &timePattern{fields: fields}
}

func prepareFormat(run kernel, use byte, least int, types ...stream.Type) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		in.run = run
		u := &timeUse{use: use}
		if len(in.args) == 1 {
			u.constant = u.compile(function.DefaultTimePattern)
		} else if pattern, ok := b.literalOf(in.args[1]); ok {
			u.constant = u.compile(pattern.S)
		}
		in.data = u
		return checkTypes(e, least, types...)
	}
}

func (s *ProgramScratch) timePatternOf(in *instr, i int) *timePattern {
	u := in.data.(*timeUse)
	if u.constant != nil {
		return u.constant
	}
	key := compiledKey{use: u.use, text: string(s.text(in, 1, i))}
	if p, ok := s.timePatterns[key]; ok {
		return p
	}
	p := u.compile(key.text)
	if s.timePatterns == nil {
		s.timePatterns = map[compiledKey]*timePattern{}
	} else if len(s.timePatterns) >= compiledMax {
		clear(s.timePatterns)
	}
	s.timePatterns[key] = p
	return p
}

func formatTime(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	p := s.timePatternOf(in, i)
	if p.reason != "" {
		return dst, p.reason
	}
	t := s.i64(in, 0, i)
	for k := range p.fields {
		dst = appendTime(dst, &p.fields[k], t)
	}
	return dst, ""
}

// appendTime appends what a field shows of a timestamp.
func appendTime(dst []byte, f *function.TimeField, t int64) []byte {
	day, clock := floorDiv(t, microsPerDay), floorMod(t, microsPerDay)
	hour := clock / microsPerHour
	switch f.Kind {
	case function.TimeText:
		return append(dst, f.Text...)
	case function.TimeMonthName, function.TimeMonthShort:
		_, m, _ := civil(day)
		return appendName(dst, f, function.MonthNames[m-1], f.Kind == function.TimeMonthShort)
	case function.TimeWeekdayName, function.TimeWeekdayShort:
		return appendName(dst, f, function.WeekdayNames[floorMod(day+4, 7)], f.Kind == function.TimeWeekdayShort)
	case function.TimeHalf:
		name := "AM"
		if hour >= 12 {
			name = "PM"
		}
		return appendName(dst, f, name, false)
	case function.TimeFraction:
		digits := strconv.AppendInt(nil, clock%microsPerSecond*1000+1e9, 10)
		return append(dst, digits[1:f.Width+1]...)
	}
	n := numberField(f.Kind, day, clock)
	if f.Width == 2 && f.Kind == function.TimeYear {
		n = floorMod(n, 100)
	}
	return appendPadded(dst, n, f.Width)
}

// numberField is the number that a field of numbers shows.
func numberField(kind function.TimeKind, day, clock int64) int64 {
	y, m, d := civil(day)
	switch kind {
	case function.TimeYear:
		return y
	case function.TimeISOYear:
		y, _ = isoWeek(day)
		return y
	case function.TimeQuarter:
		return (m + 2) / 3
	case function.TimeMonth:
		return m
	case function.TimeWeek:
		_, w := isoWeek(day)
		return w
	case function.TimeDay:
		return d
	case function.TimeDayOfYear:
		return dayOfYear(day)
	case function.TimeWeekday:
		return floorMod(day+4, 7) + 1
	case function.TimeISOWeekday:
		return floorMod(day+3, 7) + 1
	case function.TimeHour:
		return clock / microsPerHour
	case function.TimeHour12:
		return (clock/microsPerHour+11)%12 + 1
	case function.TimeMinute:
		return clock / microsPerMinute % 60
	default:
		return clock / microsPerSecond % 60
	}
}

// appendPadded appends a number of at least width digits.
func appendPadded(dst []byte, n int64, width int) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	from := len(dst)
	dst = strconv.AppendInt(dst, n, 10)
	for missing := width - (len(dst) - from); missing > 0; missing-- {
		dst = append(dst, '0')
		copy(dst[from+1:], dst[from:])
		dst[from] = '0'
	}
	return dst
}

// nameWidth is that of the longest month and weekday.
const nameWidth = 9

func appendName(dst []byte, f *function.TimeField, name string, short bool) []byte {
	if short {
		name = name[:3]
	}
	switch f.Case {
	case function.UpperCase:
		dst = upperText(dst, []byte(name))
	case function.LowerCase:
		dst = lowerText(dst, []byte(name))
	default:
		dst = append(dst, name...)
	}
	for n := len(name); f.Pad && n < nameWidth; n++ {
		dst = append(dst, ' ')
	}
	return dst
}

// timeParts are what fields have said so far.
type timeParts struct {
	year, month, day, hour, minute, second, micros int64
	half, twelve                                   bool // PM was read; the hour is one of twelve
}

func readTime(s *ProgramScratch, in *instr, i int) (int64, string) {
	p := s.timePatternOf(in, i)
	if p.reason != "" {
		return 0, p.reason
	}
	text := string(s.text(in, 0, i))
	parts := timeParts{year: 1970, month: 1, day: 1}
	for k := range p.fields {
		n := parts.read(&p.fields[k], text)
		if n < 0 {
			return 0, function.ErrFormat
		}
		text = text[n:]
	}
	if parts.twelve {
		if parts.hour < 1 || parts.hour > 12 {
			return 0, function.ErrFormat
		}
		parts.hour %= 12
		if parts.half {
			parts.hour += 12
		}
	}
	if text != "" || parts.month < 1 || parts.month > 12 || parts.day < 1 || parts.day > daysIn(parts.year, parts.month) ||
		parts.hour > 23 || parts.minute > 59 || parts.second > 59 {
		return 0, function.ErrFormat
	}
	return dayOf(parts.year, parts.month, parts.day)*microsPerDay + parts.hour*microsPerHour + parts.minute*microsPerMinute +
		parts.second*microsPerSecond + parts.micros, ""
}

// read reads a field at the start of text and returns its length, -1 if it is not there.
func (p *timeParts) read(f *function.TimeField, text string) int {
	switch f.Kind {
	case function.TimeText:
		if !strings.HasPrefix(text, f.Text) {
			return -1
		}
		return len(f.Text)
	case function.TimeMonthName, function.TimeMonthShort:
		k, n := nameAt(text, function.MonthNames, f.Kind == function.TimeMonthShort)
		p.month = int64(k) + 1
		return n
	case function.TimeWeekdayName, function.TimeWeekdayShort:
		_, n := nameAt(text, function.WeekdayNames, f.Kind == function.TimeWeekdayShort)
		return n
	case function.TimeHalf:
		k, n := nameAt(text, []string{"AM", "PM"}, false)
		p.half = k == 1
		return n
	}
	least, most := f.Width, f.Width
	if f.Width == 1 && f.Kind != function.TimeFraction {
		most = 2
		if f.Kind == function.TimeYear {
			most = 4
		}
	}
	v, n := int64(0), 0
	for n < most && n < len(text) && text[n] >= '0' && text[n] <= '9' {
		v = v*10 + int64(text[n]-'0')
		n++
	}
	if n < least {
		return -1
	}
	p.set(f, v)
	return n
}

func (p *timeParts) set(f *function.TimeField, v int64) {
	switch f.Kind {
	case function.TimeYear:
		if p.year = v; f.Width == 2 {
			p.year += 2000
		}
	case function.TimeMonth:
		p.month = v
	case function.TimeDay:
		p.day = v
	case function.TimeHour:
		p.hour = v
	case function.TimeHour12:
		p.hour, p.twelve = v, true
	case function.TimeMinute:
		p.minute = v
	case function.TimeSecond:
		p.second = v
	case function.TimeFraction:
		for range 6 - f.Width {
			v *= 10
		}
		for range f.Width - 6 {
			v /= 10
		}
		p.micros = v
	}
}

// nameAt is which name text begins with, in any case, and its length; -1 if none.
func nameAt(text string, names []string, short bool) (k, n int) {
	for k, name := range names {
		if short {
			name = name[:3]
		}
		if len(text) >= len(name) && strings.EqualFold(text[:len(name)], name) {
			return k, len(name)
		}
	}
	return -1, -1
}
