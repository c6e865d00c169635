package stream

import (
	"testing"
	"time"
)

// TestDates compares the calendar and text of dates with package time's, over all years
// for some days of each and over all days of some years.
func TestDates(t *testing.T) {
	at := func(days int64) time.Time { return time.Unix(days*86_400, 0).UTC() }
	check := func(days int64) {
		want := at(days).Format("2006-01-02")
		if got := string(AppendDate(nil, days)); got != want {
			t.Fatalf("day %d is %s, not %s", days, got, want)
		}
		if back, ok := ParseDate(" " + want); !ok || back != days {
			t.Fatalf("%s is day %d (%t), not %d", want, back, ok, days)
		}
	}
	for days := int64(DateMin); days <= DateMax; days += 59 {
		check(days)
	}
	for days := int64(-800_000 / 2); days < -390_000; days++ {
		check(days)
	}
	check(DateMin)
	check(DateMax)
	for _, bad := range []string{"", "2026-1-02", "2026-13-01", "2026-00-01", "2026-02-29", "1900-02-29", "2026-04-31", "0000-01-01", "2026-01-00", "02026-01-01", "2026/01/01", "2026-01-0a", "-026-01-01"} {
		if days, ok := ParseDate(bad); ok {
			t.Errorf("%q is read as day %d", bad, days)
		}
	}
	if days, ok := ParseDate("2000-02-29"); !ok || !at(days).Equal(time.Date(2000, 2, 29, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("2000-02-29 is day %d", days)
	}
}

func TestTimesOfDay(t *testing.T) {
	for text, micros := range map[string]int64{
		"00:00:00": 0, "23:59:59.999999": MicrosPerDay - 1, "03:04:05.500": 11_045_500_000, "12:00:00.000001": MicrosPerDay/2 + 1,
	} {
		if got := string(AppendTime(nil, micros)); got != text {
			t.Errorf("%d is %s, not %s", micros, got, text)
		}
		if got, ok := ParseTime(text); !ok || got != micros {
			t.Errorf("%s is %d (%t), not %d", text, got, ok, micros)
		}
	}
	for text, micros := range map[string]int64{"03:04": 11_040_000_000, " 00:00:01.5 ": 1_500_000, "00:00:00.1234567": 123_456} {
		if got, ok := ParseTime(text); !ok || got != micros {
			t.Errorf("%s is %d (%t), not %d", text, got, ok, micros)
		}
	}
	for _, bad := range []string{"", "24:00:00", "12", "12:60", "12:00:60", "1:00:00", "12:00:00.", "12:00:00.x", "12-00-00", "12:00:0", "+1:00:00", "12:00:00+01"} {
		if micros, ok := ParseTime(bad); ok {
			t.Errorf("%q is read as %d", bad, micros)
		}
	}
}
