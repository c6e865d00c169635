package connector

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/stream"
)

// roomy returns text with bytes behind it, as a cell in a block has.
func roomy(text string) []byte {
	return append([]byte(text), ",987654321.123456789,x"...)[:len(text)]
}

func numberTexts() []string {
	texts := []string{"", "-", "+", ".", "-.", "0", "-0", "00", "-00.0", "1.", ".5", "-.5", "1..2", "1.2.3", "1e5", "-1E-5", "1_0",
		"0x1p3", " 7", "7 ", "+7", "NaN", "inf", "-Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"2147483647", "2147483648", "-2147483648", "-2147483649", "16777217", "16777216.5", "0.1", "3.4028235e38", "3.4028236e38",
		"1e400", "123456789012345678", "1234567890123456789", "9007199254740993", "0.00000000000000001", "1,2", "a", "12a", "1234567a",
		"12345678a", "\x00", "é", "--1", "1-", "99999999", "100000000", "1234567890123456", "12345678901234567", "8388608.5"}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		switch r.IntN(6) {
		case 0:
			plus, minus := r.Int64()>>r.IntN(64), r.Int64()>>r.IntN(64)
			texts = append(texts, strconv.FormatInt(plus-minus, 10))
		case 1:
			texts = append(texts, strconv.FormatFloat(r.NormFloat64()*math.Pow(10, float64(r.IntN(12)-4)), 'f', r.IntN(12), 64))
		case 2:
			texts = append(texts, strconv.FormatFloat(math.Float64frombits(r.Uint64()), 'g', -1, 64))
		case 3:
			texts = append(texts, strconv.FormatFloat(float64(math.Float32frombits(r.Uint32())), 'g', -1, 32))
		default:
			text := make([]byte, r.IntN(12))
			for i := range text {
				text[i] = "0123456789012345678901234567890123456789.-e+ /:"[r.IntN(47)]
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}

func TestNumbersAsTheSlowPathReadsThem(t *testing.T) {
	for _, text := range numberTexts() {
		for _, b := range [][]byte{[]byte(text), roomy(text)} {
			want, wantOK := parseIntSlow([]byte(text))
			if got, ok := parseInt64(b, 0); ok != wantOK || ok && got != want {
				t.Fatalf("BIGINT %q: got %d %v, want %d %v", text, got, ok, want, wantOK)
			}
			want32 := wantOK && want == int64(int32(want))
			if got, ok := parseInt32(b, 0); ok != want32 || ok && int64(got) != want {
				t.Fatalf("INTEGER %q: got %d %v, want %d %v", text, got, ok, want, want32)
			}
			f, fOK := stream.ParseDouble(text, 64)
			if got, ok := parseFloat64(b, 0); ok != fOK || ok && math.Float64bits(got) != math.Float64bits(f) {
				t.Fatalf("DOUBLE %q: got %v %v, want %v %v", text, got, ok, f, fOK)
			}
			f, fOK = stream.ParseDouble(text, 32)
			if got, ok := parseFloat32(b, 0); ok != fOK || ok && math.Float32bits(got) != math.Float32bits(float32(f)) {
				t.Fatalf("REAL %q: got %v %v, want %v %v", text, got, ok, f, fOK)
			}
		}
	}
}

func TestIntegral(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-0.0": 0, "1.0": 1, "1e3": 1000, "-25e-1": -1, "1.50e1": 15, "100e-2": 1,
		"9007199254740993": 9007199254740993, "9223372036854775807.0": math.MaxInt64, "12345678901234567.0": 12345678901234567, "0e999": 0} {
		got, ok := parseIntegral([]byte(text))
		if text == "-25e-1" {
			if ok {
				t.Errorf("%s is not whole", text)
			}
			continue
		}
		if !ok || got != want {
			t.Errorf("%s: got %d %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"1.5", "1e-1", "1e19", "9223372036854775808", "1e400", "-1e300"} {
		if got, ok := parseIntegral([]byte(text)); ok {
			t.Errorf("%s: got %d", text, got)
		}
	}
}

func TestTimestampsAsPackageStream(t *testing.T) {
	texts := []string{"2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.1", "2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.1234567",
		"2026-02-29 00:00:00", "2024-02-29 00:00:00", "1900-02-29 00:00:00", "2000-02-29 00:00:00", "2026-13-01 00:00:00", "2026-00-01 00:00:00",
		"2026-01-00 00:00:00", "2026-01-32 00:00:00", "2026-04-31 00:00:00", "2026-01-02 24:00:00", "2026-01-02 23:60:00", "2026-01-02 23:59:60",
		"2026-01-02", "2026-01-02 03:04", "2026-01-02T03:04:05+02:00", "0000-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.5",
		"2026-01-02 03:04:05.", "2026-01-02 03:04:05,5", " 2026-01-02 03:04:05", "2026/01/02 03:04:05", "x", "", "2026-01-02 03:04:0x", "202a-01-02 03:04:05"}
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		texts = append(texts, time.UnixMicro(r.Int64N(4e17)-6e16).UTC().Format("2006-01-02 15:04:05.999999"))
	}
	for _, text := range texts {
		want, wantOK := stream.ParseTimestamp(text)
		if got, ok := parseTimestamp([]byte(text)); ok != wantOK || ok && got != want {
			t.Fatalf("%q: got %d %v, want %d %v", text, got, ok, want, wantOK)
		}
		if wantOK {
			if got, want := string(appendTimestamp(nil, want)), stream.FormatTimestamp(want); got != want {
				t.Fatalf("written %s, want %s", got, want)
			}
		}
	}
	for _, micros := range []int64{math.MinInt64, math.MaxInt64, -62135596800000000, -62135596800000001, 253402300799999999, 253402300800000000, -1, 0} {
		if got, want := string(appendTimestamp(nil, micros)), stream.FormatTimestamp(micros); got != want {
			t.Errorf("%d: written %s, want %s", micros, got, want)
		}
	}
}

func TestFloatsAsPackageStream(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 300000 {
		f := math.Float64frombits(r.Uint64())
		switch r.IntN(5) {
		case 0:
			f = math.Round(r.NormFloat64()*1e6) / pow10[r.IntN(7)]
		case 2:
			f = float64(r.IntN(18_000_000)-9_000_000) / 1000
		case 3:
			f = math.Nextafter(float64(r.IntN(10_000_000))/1000, float64(r.IntN(2))*1e9)
		case 1:
			f = float64(r.IntN(1<<25) - 1<<24)
		}
		if got, want := string(appendFloat(nil, f, 64)), string(stream.AppendDouble(nil, f, 64)); got != want {
			t.Fatalf("DOUBLE: got %s, want %s", got, want)
		}
		f = float64(float32(f))
		if got, want := string(appendFloat(nil, f, 32)), string(stream.AppendDouble(nil, f, 32)); got != want {
			t.Fatalf("REAL: got %s, want %s", got, want)
		}
	}
}
