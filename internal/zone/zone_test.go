package zone

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func load(t *testing.T, name string) *Zone {
	t.Helper()
	z, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func micros(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// Readings that do not exist, or exist twice, as PostgreSQL 17 takes them.
func TestChangesOfTheOffset(t *testing.T) {
	for _, c := range []struct{ zone, reading, instant string }{
		{"Europe/Zurich", "2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z"},
		{"Europe/Zurich", "2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z"},
		{"Europe/Zurich", "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"}, // not there: 03:30
		{"Europe/Zurich", "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"},
		{"Europe/Zurich", "2026-10-25T01:59:59Z", "2026-10-24T23:59:59Z"},
		{"Europe/Zurich", "2026-10-25T02:30:00Z", "2026-10-25T01:30:00Z"}, // twice: the later
		{"Europe/Zurich", "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
		{"America/New_York", "2026-03-08T02:30:00Z", "2026-03-08T07:30:00Z"},
		{"America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T06:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05T01:45:00Z", "2026-04-04T15:15:00Z"}, // half an hour
		{"Europe/Moscow", "2014-10-26T01:30:00Z", "2014-10-25T22:30:00Z"},       // both are standard time
		{"Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T22:00:00Z"},        // a day that was left out
		{"Europe/Zurich", "2150-07-01T12:00:00Z", "2150-07-01T10:00:00Z"},       // beyond the horizon
		{"Asia/Kathmandu", "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z"},
		{"+05:45", "2026-01-01T00:00:00Z", "2025-12-31T18:15:00Z"},
		{"UTC-3", "2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z"},
	} {
		at, ok := load(t, c.zone).Instant(micros(t, c.reading))
		if want := micros(t, c.instant); !ok || at != want {
			t.Errorf("%s in %s is %v, want %s", c.reading, c.zone, time.UnixMicro(at).UTC(), c.instant)
		}
	}
}

// Every zone agrees with package time about readings, and an instant's reading leads back
// to it or to one with the same reading.
func TestEveryZone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range Names() {
		z := load(t, name)
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			at := r.Int64N(400*365*microsPerDay) - 150*365*microsPerDay
			if r.IntN(2) == 0 {
				at = z.spans[r.IntN(len(z.spans))].End - r.Int64N(3)
			}
			if at > math.MaxInt64-microsPerDay || at < math.MinInt64+microsPerDay {
				continue
			}
			reading, ok := z.Reading(at)
			_, offset := time.UnixMicro(at).In(location).Zone()
			if !ok || reading != at+int64(offset)*microsPerSecond {
				t.Fatalf("%s at %v shows %d, want an offset of %d s", name, time.UnixMicro(at).UTC(), reading, offset)
			}
			back, ok := z.Instant(reading)
			if again, _ := z.Reading(back); !ok || again != reading || back < at {
				t.Fatalf("%s shows %v at %v and, it says, at %v", name, time.UnixMicro(reading).UTC(), time.UnixMicro(at).UTC(), time.UnixMicro(back).UTC())
			}
		}
	}
}

func TestOutOfRange(t *testing.T) {
	east, west := load(t, "+01:00"), load(t, "-01:00")
	for name, got := range map[string]func() (int64, bool){
		"reading after the last": func() (int64, bool) { return east.Reading(math.MaxInt64) }, "reading before the first": func() (int64, bool) { return west.Reading(math.MinInt64) },
		"instant after the last": func() (int64, bool) { return west.Instant(math.MaxInt64) }, "instant before the first": func() (int64, bool) { return east.Instant(math.MinInt64) },
	} {
		if v, ok := got(); ok {
			t.Errorf("%s: %d", name, v)
		}
	}
	if v, ok := load(t, "Europe/Zurich").Reading(math.MinInt64); !ok || v < math.MinInt64+microsPerSecond {
		t.Errorf("the first instant in Zurich: %d, %v", v, ok)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "Local", "europe/zurich", "Europe/Zürich", "+25", "+02:60", "+2:00", "UTC+", "CEST", "../etc/passwd", "+02:00:00:00"} {
		if z, err := Load(name); err == nil {
			t.Errorf("%q is a zone: %v", name, z)
		}
	}
	for name, want := range map[string]string{"Z": "+00:00", "UTC": "UTC", "+2": "+02:00", "-0330": "-03:30", "GMT+01:00": "+01:00", "Etc/GMT+5": "Etc/GMT+5", "-00:34:08": "-00:34:08", "EST5EDT": "EST5EDT"} {
		if z := load(t, name); z.String() != want {
			t.Errorf("%q is %q, want %q", name, z, want)
		}
	}
}
