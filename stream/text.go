package stream

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/stream/decimal"
)

// This file is the one definition of how values look as text: in files, results,
// casts and error messages.

// AppendTimestamp appends a timestamp as ISO-8601 UTC: 2026-01-02T03:04:05Z, with
// as many fraction digits (3 or 6) as it needs.
func AppendTimestamp(dst []byte, micros int64) []byte {
	t := time.UnixMicro(micros).UTC()
	switch frac := t.Nanosecond() / 1000; {
	case frac == 0:
		return t.AppendFormat(dst, "2006-01-02T15:04:05Z")
	case frac%1000 == 0:
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	default:
		return t.AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	}
}

// FormatTimestamp is AppendTimestamp as a string.
func FormatTimestamp(micros int64) string { return string(AppendTimestamp(nil, micros)) }

var timestampLayouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	"2006-01-02",
}

// ParseTimestamp reads 2026-01-02, 2026-01-02 03:04[:05[.frac]] with a blank or T
// and an optional Z or +hh:mm. Without a zone it is UTC. Digits past microseconds
// are cut.
func ParseTimestamp(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if len(s) < 10 || s[4] != '-' {
		return 0, false
	}
	for _, layout := range timestampLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}

// AppendInterval appends an interval as [-][D ]HH:MM:SS[.frac], PostgreSQL's form
// with days as a bare number: "1 02:03:04.5".
func AppendInterval(dst []byte, micros int64) []byte {
	u := uint64(micros)
	if micros < 0 {
		dst, u = append(dst, '-'), -u
	}
	sec, frac := u/1e6, u%1e6
	if days := sec / 86400; days > 0 {
		dst = append(strconv.AppendUint(dst, days, 10), ' ')
	}
	two := func(v uint64) { dst = append(dst, byte('0'+v/10), byte('0'+v%10)) }
	two(sec % 86400 / 3600)
	dst = append(dst, ':')
	two(sec % 3600 / 60)
	dst = append(dst, ':')
	two(sec % 60)
	if frac != 0 {
		digits := strconv.FormatUint(1e6+frac, 10)[1:]
		dst = append(append(dst, '.'), strings.TrimRight(digits, "0")...)
	}
	return dst
}

// FormatInterval is AppendInterval as a string.
func FormatInterval(micros int64) string { return string(AppendInterval(nil, micros)) }

// ParseInterval reads what AppendInterval writes.
func ParseInterval(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	var days uint64
	if d, rest, ok := strings.Cut(s, " "); ok {
		n, err := strconv.ParseUint(d, 10, 32)
		if err != nil {
			return 0, false
		}
		days, s = n, rest
	}
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, false
	}
	whole, frac, _ := strings.Cut(parts[2], ".")
	h, e1 := strconv.ParseUint(parts[0], 10, 32)
	m, e2 := strconv.ParseUint(parts[1], 10, 32)
	sec, e3 := strconv.ParseUint(whole, 10, 32)
	if e1 != nil || e2 != nil || e3 != nil || m > 59 || sec > 59 || len(frac) > 6 {
		return 0, false
	}
	f, err := strconv.ParseUint((frac + "000000")[:6], 10, 32)
	if err != nil {
		return 0, false
	}
	total := days*86400 + h*3600 + m*60 + sec
	if total > math.MaxInt64/1_000_000 {
		return 0, false
	}
	micros := total*1e6 + f
	switch {
	case neg && micros <= 1<<63:
		return int64(-micros), true
	case micros <= math.MaxInt64:
		return int64(micros), true
	}
	return 0, false
}

// AppendDouble appends a float in its shortest form that reads back exactly (bits is
// 32 for REAL, 64 for DOUBLE), without an exponent where the number is of ordinary
// size; NaN, Infinity and -Infinity by name.
func AppendDouble(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// ParseDouble reads a float as SQL casts do: surrounding blanks allowed, NaN and
// [+-]Infinity in any case, no hexadecimal, no underscores. A number too large for
// the type (bits is 32 or 64) is refused.
func ParseDouble(s string, bits int) (float64, bool) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "_xXpP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	return f, err == nil
}

// AppendValue appends v as a CAST to VARCHAR gives it, nested types as JSON; NULL as "NULL",
// and a BYTEA, of which that need not be text, as AppendHex.
func AppendValue(dst []byte, v Value) []byte {
	if v.Null {
		return append(dst, "NULL"...)
	}
	switch v.Type {
	case Boolean:
		return strconv.AppendBool(dst, v.I != 0)
	case Real:
		return AppendDouble(dst, v.F, 32)
	case Double:
		return AppendDouble(dst, v.F, 64)
	case Varchar, JSON:
		return append(dst, v.S...)
	case Bytes:
		return AppendHex(dst, v.S)
	case Timestamp:
		return AppendTimestamp(dst, v.I)
	case Date:
		return AppendDate(dst, v.I)
	case TimeOfDay:
		return AppendTime(dst, v.I)
	case Interval:
		return AppendInterval(dst, v.I)
	default:
		if v.Type.IsDecimal() {
			return decimal.Append(dst, v.Decimal(), v.Type.Scale())
		}
		if v.Type.IsNested() {
			return AppendNested(dst, v.Type, []byte(v.S))
		}
		return strconv.AppendInt(dst, v.I, 10)
	}
}

func (v Value) String() string { return string(AppendValue(nil, v)) }
