package reference

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"zone_reading": func(a []stream.Value, t stream.Type) (stream.Value, string) {
			return inZone(a[1], func(l *time.Location) (stream.Value, string) { return whole(readingOf(bigOf(a[0]), l), t) })
		},
		"zone_instant": func(a []stream.Value, t stream.Type) (stream.Value, string) {
			return inZone(a[1], func(l *time.Location) (stream.Value, string) { return whole(instantOf(bigOf(a[0]), l), t) })
		},
		"zone_text": zoneText, "zone_read": zoneRead, "time_cut": timeCut,
		"zone_try_read": func(a []stream.Value, t stream.Type) (stream.Value, string) {
			v, reason := zoneRead(a, t)
			if strings.HasPrefix(reason, function.ErrCast) {
				return stream.NullOf(t), ""
			}
			return v, reason
		},
	})
	strict["zone_ceil"] = func(a []stream.Value, t stream.Type) (stream.Value, string) { return byClock(a, t, dateCeil) }
	strict["zone_trunc"] = func(a []stream.Value, t stream.Type) (stream.Value, string) { return byClock(a, t, dateTrunc) }
}

var offsetForm = regexp.MustCompile(`^(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?(?::?([0-5]\d))?$`)

// locations are those that were asked for, by name; there are as many as the database has.
var locations sync.Map

// location is the zone of a name or an offset, nil if there is none.
func location(name string) *time.Location {
	if name == "Z" {
		return time.UTC
	}
	if m := offsetForm.FindStringSubmatch(name); m != nil {
		colons, digits := strings.Count(name, ":"), len(m[2]+m[3]+m[4])
		if len(m[2]) == 1 && m[3] != "" || colons > 0 && colons != digits/2-1 {
			return nil
		}
		seconds := 0
		for i, unit := range []int{3600, 60, 1} {
			n, _ := strconv.Atoi("0" + m[i+2])
			seconds += n * unit
		}
		if seconds > 18*3600 {
			return nil
		}
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone(name, seconds)
	}
	if name == "" || name == "Local" {
		return nil
	}
	if known, ok := locations.Load(name); ok {
		return known.(*time.Location)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	locations.Store(strings.Clone(name), l)
	return l
}

func inZone(name stream.Value, f func(*time.Location) (stream.Value, string)) (stream.Value, string) {
	l := location(name.S)
	if l == nil {
		return stream.Value{}, function.ErrZone
	}
	return f(l)
}

// offsetAt is the offset of a zone at an instant, in microseconds.
func offsetAt(instant *big.Int, l *time.Location) *big.Int {
	seconds := new(big.Int).Div(instant, big.NewInt(1e6))
	_, offset := time.Unix(seconds.Int64(), 0).In(l).Zone()
	return big.NewInt(int64(offset) * 1e6)
}

func readingOf(instant *big.Int, l *time.Location) *big.Int {
	return new(big.Int).Add(instant, offsetAt(instant, l))
}

// instantOf tries the offsets that the zone has within a day and more of a reading: the
// latest instant with that reading is it. If there is none, the clock skips the reading,
// and its offset is that of the last instant at which the clock showed less.
func instantOf(reading *big.Int, l *time.Location) *big.Int {
	var latest, skipped *big.Int
	for hours := int64(-27); hours <= 27; hours += 3 {
		at := new(big.Int).Add(reading, big.NewInt(hours*3600e6))
		candidate := new(big.Int).Sub(reading, offsetAt(at, l))
		if readingOf(candidate, l).Cmp(reading) == 0 && (latest == nil || candidate.Cmp(latest) > 0) {
			latest = candidate
		}
		if readingOf(at, l).Cmp(reading) < 0 {
			skipped = candidate
		}
	}
	if latest != nil {
		return latest
	}
	return skipped
}

func zoneText(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return inZone(a[1], func(l *time.Location) (stream.Value, string) {
		if _, reason := whole(readingOf(bigOf(a[0]), l), stream.Timestamp); reason != "" {
			return stream.Value{}, reason
		}
		t := time.UnixMicro(a[0].I).In(l)
		layout := "2006-01-02T15:04:05"
		switch micros := t.Nanosecond() / 1000; {
		case micros%1000 != 0:
			layout += ".000000"
		case micros != 0:
			layout += ".000"
		}
		_, offset := t.Zone()
		sign := "+"
		if offset < 0 {
			sign, offset = "-", -offset
		}
		shown := fmt.Sprintf("%s%02d:%02d:%02d", sign, offset/3600, offset/60%60, offset%60)
		return text(t.Format(layout) + shown[:6] + strings.TrimSuffix(shown[6:], ":00"))
	})
}

var zonedText = regexp.MustCompile(`^(\d{4}-\d\d-\d\d(?:[T ][0-9:.,]*\d)?)(?: *(Z|[+-][0-9:]+)| +([A-Za-z][A-Za-z0-9/_+:-]*))?$`)

func zoneRead(a []stream.Value, t stream.Type) (stream.Value, string) {
	return inZone(a[1], func(l *time.Location) (stream.Value, string) {
		m := zonedText.FindStringSubmatch(strings.TrimSpace(a[0].S))
		if m == nil {
			return cannotCast(a[0], stream.TimestampLTZ)
		}
		if name := m[2] + m[3]; name != "" {
			l = location(name)
		}
		reading, ok := stream.ParseTimestamp(m[1])
		if l == nil || !ok {
			return cannotCast(a[0], stream.TimestampLTZ)
		}
		return whole(instantOf(big.NewInt(reading), l), t)
	})
}

// byClock is DATE_TRUNC or CEIL of the reading of a clock. A unit of an hour or less is
// counted with the offset that the instant has.
func byClock(a []stream.Value, t stream.Type, f call) (stream.Value, string) {
	return inZone(a[2], func(l *time.Location) (stream.Value, string) {
		size := unitSizes[strings.ToLower(a[0].S)]
		if size == 0 {
			return domainError()
		}
		reading, reason := whole(readingOf(bigOf(a[1]), l), t)
		if reason != "" {
			return reading, reason
		}
		changed, reason := f([]stream.Value{a[0], reading}, t)
		if reason != "" {
			return changed, reason
		}
		if size > 0 && size <= 3600e6 {
			return whole(new(big.Int).Sub(bigOf(changed), offsetAt(bigOf(a[1]), l)), t)
		}
		return whole(instantOf(bigOf(changed), l), t)
	})
}

func timeCut(a []stream.Value, t stream.Type) (stream.Value, string) {
	if a[1].I < 0 || a[1].I > 6 {
		return domainError()
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(6-a[1].I), nil)
	n := new(big.Int).Div(bigOf(a[0]), unit)
	return whole(n.Mul(n, unit), t)
}
