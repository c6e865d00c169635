package stream

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestTimestampText(t *testing.T) {
	for text, micros := range map[string]int64{
		"1970-01-01T00:00:00Z":        0,
		"2026-01-02T03:04:05Z":        1767323045000000,
		"2026-01-02T03:04:05.678Z":    1767323045678000,
		"2026-01-02T03:04:05.678901Z": 1767323045678901,
		"1969-12-31T23:59:59.999999Z": -1,
		"0001-01-01T00:00:00Z":        -62135596800000000,
		"9999-12-31T23:59:59.999999Z": 253402300799999999,
	} {
		if got := FormatTimestamp(micros); got != text {
			t.Errorf("%d is %s, not %s", micros, got, text)
		}
		if got, ok := ParseTimestamp(text); !ok || got != micros {
			t.Errorf("%s is %d %v, not %d", text, got, ok, micros)
		}
	}
	for text, want := range map[string]string{
		"2026-01-02":                     "2026-01-02T00:00:00Z",
		" 2026-01-02 03:04 ":             "2026-01-02T03:04:00Z",
		"2026-01-02 03:04:05":            "2026-01-02T03:04:05Z",
		"2026-01-02 03:04:05+02:00":      "2026-01-02T01:04:05Z",
		"2026-01-02T03:04:05.123456789Z": "2026-01-02T03:04:05.123456Z",
		"2026-01-02T03:04:05.1-00:30":    "2026-01-02T03:34:05.100Z",
		"2024-02-29":                     "2024-02-29T00:00:00Z",
	} {
		got, ok := ParseTimestamp(text)
		if !ok || FormatTimestamp(got) != want {
			t.Errorf("%q is %s %v, not %s", text, FormatTimestamp(got), ok, want)
		}
	}
	for _, text := range []string{"", "2026", "2026-13-01", "2025-02-29", "2026-01-02T25:00:00", "2026-01-02x", "20260102T000000", "02-01-2026 00:00"} {
		if got, ok := ParseTimestamp(text); ok {
			t.Errorf("%q is %s", text, FormatTimestamp(got))
		}
	}
}

func TestIntervalText(t *testing.T) {
	for text, micros := range map[string]int64{
		"00:00:00":                   0,
		"00:00:05":                   5_000_000,
		"-00:00:00.000001":           -1,
		"01:02:03.5":                 3723_500_000,
		"1 02:03:04.5":               93784_500_000,
		"-1 00:00:00":                -86400_000_000,
		"106751991 04:00:54.775807":  math.MaxInt64,
		"-106751991 04:00:54.775808": math.MinInt64,
	} {
		if got := FormatInterval(micros); got != text {
			t.Errorf("%d is %s, not %s", micros, got, text)
		}
		if got, ok := ParseInterval(text); !ok || got != micros {
			t.Errorf("%s is %d %v, not %d", text, got, ok, micros)
		}
	}
	for _, text := range []string{"", "5", "00:00", "00:60:00", "00:00:60", "1 2 00:00:00", "x 00:00:00", "--1 00:00:00", "00:00:00.1234567", "106751991 04:00:54.775808", "4000000000 00:00:00", "00:00:00.-1"} {
		if got, ok := ParseInterval(text); ok {
			t.Errorf("%q is %s", text, FormatInterval(got))
		}
	}
}

func TestDoubleText(t *testing.T) {
	for _, c := range []struct {
		f    float64
		bits int
		want string
	}{
		{0, 64, "0"}, {math.Copysign(0, -1), 64, "-0"}, {1.5, 64, "1.5"}, {0.1, 64, "0.1"}, {float64(float32(0.1)), 32, "0.1"},
		{1e20, 64, "100000000000000000000"}, {1e21, 64, "1e+21"}, {1e-6, 64, "0.000001"}, {1e-7, 64, "1e-07"},
		{math.NaN(), 64, "NaN"}, {math.Inf(1), 32, "Infinity"}, {math.Inf(-1), 64, "-Infinity"},
	} {
		if got := string(AppendDouble(nil, c.f, c.bits)); got != c.want {
			t.Errorf("%v is %s, not %s", c.f, got, c.want)
		}
	}
	for _, text := range []string{"", "1_000", "0x10", "1p3", "one", "1e999", "1 2"} {
		if f, ok := ParseDouble(text, 64); ok {
			t.Errorf("%q is %v", text, f)
		}
	}
	if _, ok := ParseDouble("1e39", 32); ok {
		t.Error("1e39 is a REAL")
	}
	if f, ok := ParseDouble(" +infinity ", 64); !ok || !math.IsInf(f, 1) {
		t.Error("infinity is not read")
	}
}

// TestValuesReadBack: text of any value reads back to the same value.
func TestValuesReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		micros := int64(r.Uint64()) >> r.IntN(64)
		if got, ok := ParseInterval(FormatInterval(micros)); !ok || got != micros {
			t.Fatalf("interval %d reads back as %d", micros, got)
		}
		if micros > -62135596800000000 && micros < 253402300800000000 {
			if got, ok := ParseTimestamp(FormatTimestamp(micros)); !ok || got != micros {
				t.Fatalf("timestamp %d reads back as %d", micros, got)
			}
		}
		f := math.Float64frombits(r.Uint64())
		if got, ok := ParseDouble(string(AppendDouble(nil, f, 64)), 64); !ok || got != f && f == f {
			t.Fatalf("%v reads back as %v", f, got)
		}
		g := float64(math.Float32frombits(r.Uint32()))
		if got, ok := ParseDouble(string(AppendDouble(nil, g, 32)), 32); !ok || got != g && g == g {
			t.Fatalf("REAL %v reads back as %v", g, got)
		}
	}
	for v, want := range map[Value]string{
		NullOf(Double): "NULL", Bool(true): "true", Int(-5): "-5", Big(math.MinInt64): "-9223372036854775808",
		Float(0.1): "0.1", Text("a b"): "a b", Time(0): "1970-01-01T00:00:00Z", Duration(1): "00:00:00.000001",
	} {
		if v.String() != want {
			t.Errorf("%v is not %s", v, want)
		}
	}
}
