// Package zone converts between instants and the clocks of time zones: IANA names, from a
// database that is part of the binary, and fixed offsets from UTC.
//
// Instants and clock readings are microseconds, since 1970-01-01 UTC and since 1970-01-01
// on that clock. Most instants have one reading and the other way round, but where a
// zone's offset grows a span of readings does not exist, and where it shrinks a span is
// there twice. Such readings mean what they mean to PostgreSQL: one that does not exist
// is taken with the offset before the change, one that is there twice is the later
// instant, which has the offset after it.
package zone

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the database, for machines that have none
)

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
	offsetMax       = 18 * 3600 // seconds; further from UTC no clock was ever set
)

// Span is time during which a zone has one offset: the instants before End that no earlier
// span has. The last one ends at math.MaxInt64 and includes it.
type Span struct {
	End    int64
	Offset int64 // microseconds east of UTC
}

// Zone is a time zone. It is immutable.
type Zone struct {
	name     string
	location *time.Location // nil where the offset is fixed
	spans    []Span         // in order, up to horizon
}

// horizon is the year up to which the changes of a zone are listed; later ones follow a
// rule and are asked of package time.
const horizon = 2100

// UTC is the zone of that name.
var UTC = &Zone{name: "UTC", spans: []Span{{math.MaxInt64, 0}}}

//go:embed names.txt
var nameList string

// Names are the IANA names there are, sorted.
var Names = sync.OnceValue(func() []string { return strings.Fields(nameList) })

var (
	mutex  sync.RWMutex
	loaded = map[string]*Zone{"UTC": UTC} // at most as many as there are names and offsets
)

// Load returns the zone of a name: an IANA name as it is written there, or an offset that
// ParseOffset reads, with UTC or GMT before it if you like. Offsets are east of UTC.
func Load(name string) (*Zone, error) {
	mutex.RLock()
	z := loaded[name]
	mutex.RUnlock()
	if z != nil {
		return z, nil
	}
	key, z, err := build(name)
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	if known := loaded[key]; known != nil {
		return known, nil
	}
	loaded[key] = z
	return z, nil
}

// build makes a zone; key is its name as it is kept, so that forms of one offset are one.
func build(name string) (key string, z *Zone, err error) {
	text := name
	if len(name) > 3 && (name[:3] == "UTC" || name[:3] == "GMT") && name[3] != 'Z' {
		text = name[3:]
	}
	if offset, ok := ParseOffset(text); ok {
		key = string(AppendOffset(nil, offset))
		return key, &Zone{name: key, spans: []Span{{math.MaxInt64, offset}}}, nil
	}
	i, known := slices.BinarySearch(Names(), name)
	if !known {
		return "", nil, fmt.Errorf("there is no time zone %q", name)
	}
	name = Names()[i] // that is kept, whatever becomes of the text asked with
	location, err := time.LoadLocation(name)
	if err != nil {
		return "", nil, fmt.Errorf("time zone %q cannot be read: %w", name, err)
	}
	z = &Zone{name: name, location: location}
	end := time.Date(horizon, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	for at := int64(math.MinInt64); ; {
		s := z.ask(at)
		if last := len(z.spans) - 1; last >= 0 && z.spans[last].Offset == s.Offset {
			z.spans[last].End = s.End
		} else {
			z.spans = append(z.spans, s)
		}
		if s.End >= end {
			return name, z, nil
		}
		at = s.End
	}
}

// ask finds a span with package time, which may say that one ends earlier than it does: by
// its rule for later years each year's last one ends 365 days after the year began.
func (z *Zone) ask(at int64) Span {
	t := time.UnixMicro(at).In(z.location)
	_, offset := t.Zone()
	s := Span{End: math.MaxInt64, Offset: int64(offset) * microsPerSecond}
	if _, end := t.ZoneBounds(); !end.IsZero() && end.Unix() < math.MaxInt64/microsPerSecond {
		if s.End = end.UnixMicro(); s.End <= at {
			s.End = at + 3600*microsPerSecond
		}
	}
	return s
}

// String is the name: an IANA one, or an offset such as +02:00.
func (z *Zone) String() string { return z.name }

// At returns the span that an instant is in.
func (z *Zone) At(instant int64) Span {
	i := sort.Search(len(z.spans), func(i int) bool { return z.spans[i].End > instant })
	if i < len(z.spans) {
		return z.spans[i]
	}
	if last := z.spans[len(z.spans)-1]; last.End == math.MaxInt64 {
		return last
	}
	return z.ask(instant)
}

// Reading is what the clock shows at an instant of the span; ok is false if that is out of
// range.
func (s Span) Reading(instant int64) (reading int64, ok bool) { return plus(instant, s.Offset) }

// Reading is what the zone's clock shows at an instant; ok is false if that is out of range.
func (z *Zone) Reading(instant int64) (reading int64, ok bool) {
	return z.At(instant).Reading(instant)
}

// Instant is when the zone's clock shows a reading; ok is false if that is out of range.
func (z *Zone) Instant(reading int64) (instant int64, ok bool) {
	before, ok := plus(reading, -microsPerDay)
	if !ok {
		before = math.MinInt64
	}
	for s := z.At(before); ; {
		early, ok := plus(reading, -s.Offset)
		if s.End == math.MaxInt64 {
			return early, ok
		}
		next := z.At(s.End)
		late, fits := plus(reading, -next.Offset)
		switch {
		case ok && early < s.End && fits && late >= s.End: // there twice
			return late, true
		case !ok || early < s.End:
			return early, ok
		case !fits || late < s.End: // not there
			return early, true
		}
		s = next
	}
}

func plus(a, b int64) (sum int64, ok bool) {
	sum = a + b
	return sum, (sum >= a) == (b >= 0)
}

// ParseOffset reads an offset from UTC, Z, +02, +0200, +02:00 or +02:00:30, in microseconds
// east of UTC. The empty text is none.
func ParseOffset(s string) (micros int64, ok bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	digits := s[1:]
	switch {
	case len(digits) == 5 && digits[2] == ':', len(digits) == 8 && digits[2] == ':' && digits[5] == ':':
		digits = strings.ReplaceAll(digits, ":", "")
	case len(digits) == 1:
		digits = "0" + digits
	}
	if len(digits)%2 != 0 || len(digits) > 6 {
		return 0, false
	}
	seconds, unit := int64(0), int64(3600)
	for i := 0; i < len(digits); i += 2 {
		hi, lo := digits[i]-'0', digits[i+1]-'0'
		if hi > 9 || lo > 9 || i > 0 && hi > 5 {
			return 0, false
		}
		seconds, unit = seconds+unit*int64(hi*10+lo), unit/60
	}
	if seconds > offsetMax {
		return 0, false
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds * microsPerSecond, true
}

// AppendOffset appends an offset as +02:00, with seconds where it has some.
func AppendOffset(dst []byte, micros int64) []byte {
	seconds, sign := micros/microsPerSecond, byte('+')
	if seconds < 0 {
		seconds, sign = -seconds, '-'
	}
	two := func(v int64) { dst = append(dst, byte('0'+v/10), byte('0'+v%10)) }
	dst = append(dst, sign)
	two(seconds / 3600)
	dst = append(dst, ':')
	two(seconds / 60 % 60)
	if seconds%60 != 0 {
		dst = append(dst, ':')
		two(seconds % 60)
	}
	return dst
}

// Parse reads an instant: the reading of a clock, which parse knows, and behind it Z, an
// offset, or a blank and the name of a zone. Without these it is the given zone's clock.
func Parse(s string, in *Zone, parse func(string) (int64, bool)) (instant int64, ok bool) {
	s = strings.TrimSpace(s)
	const date = len("2006-01-02")
	if len(s) < date {
		return 0, false
	}
	clock := s
	if at := strings.LastIndexByte(s, ' '); at >= date && (s[at+1] > '9' || s[at+1] < '0') {
		clock = strings.TrimRight(s[:at], " ")
	} else if at := strings.LastIndexAny(s[date:], "+-Z"); at >= 0 {
		clock = s[:date+at]
	}
	if len(clock) < date || clock[len(clock)-1] > '9' || clock[len(clock)-1] < '0' || strings.ContainsAny(clock[date:], "+-Z") {
		return 0, false
	}
	if name := strings.TrimLeft(s[len(clock):], " "); name != "" {
		var err error
		if in, err = Load(name); err != nil {
			return 0, false
		}
	}
	if instant, ok = parse(clock); !ok {
		return 0, false
	}
	return in.Instant(instant)
}
