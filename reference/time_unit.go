package reference

import (
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/millrace/millrace/stream"
)

func init() {
	fields := map[string]func(t time.Time) int{
		"quarter": func(t time.Time) int { return (int(t.Month())-1)/3 + 1 },
		"week":    func(t time.Time) int { _, w := t.ISOWeek(); return w },
		"isoyear": func(t time.Time) int { y, _ := t.ISOWeek(); return y },
		"dow":     func(t time.Time) int { return int(t.Weekday()) },
		"isodow":  func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 },
		"doy":     time.Time.YearDay,
		"decade":  func(t time.Time) int { return int(math.Floor(float64(t.Year()) / 10)) },
		"century": func(t time.Time) int { return period(t.Year(), 100) }, "millennium": func(t time.Time) int { return period(t.Year(), 1000) },
		"millisecond": func(t time.Time) int { return t.Second()*1000 + t.Nanosecond()/1e6 },
		"microsecond": func(t time.Time) int { return t.Second()*1e6 + t.Nanosecond()/1e3 },
	}
	for name, f := range fields {
		strict["extract_"+name] = func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return stream.Big(int64(f(utc(a[0])))), ""
		}
	}
	register(map[string]call{"date_ceil": dateCeil, "timestamp_add": timestampAdd, "timestamp_diff": timestampDiff})
}

// period counts periods of years that begin with year 1; before it is the -1st.
func period(year, length int) int {
	if year > 0 {
		return (year + length - 1) / length
	}
	return -((length - year) / length)
}

// timestamp is t if it is in range.
func timestamp(t time.Time) (stream.Value, string) {
	micros := new(big.Int).Mul(big.NewInt(t.Unix()), big.NewInt(1e6))
	return whole(micros.Add(micros, big.NewInt(int64(t.Nanosecond()/1000))), stream.Timestamp)
}

// startOf cuts a time down to the beginning of its unit.
func startOf(unit string, t time.Time) (time.Time, bool) {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	nano := 0
	switch unit {
	case "microsecond":
		nano = t.Nanosecond()
	case "millisecond":
		nano = t.Nanosecond() / 1e6 * 1e6
	case "second":
	case "minute":
		second = 0
	case "hour":
		minute, second = 0, 0
	default:
		hour, minute, second = 0, 0, 0
	}
	switch unit {
	case "week":
		day -= (int(t.Weekday()) + 6) % 7
	case "month":
		day = 1
	case "quarter":
		month, day = (month-1)/3*3+1, 1
	case "year":
		month, day = 1, 1
	case "decade":
		year, month, day = int(math.Floor(float64(year)/10))*10, 1, 1
	case "century":
		year, month, day = int(math.Floor(float64(year-1)/100))*100+1, 1, 1
	case "millennium":
		year, month, day = int(math.Floor(float64(year-1)/1000))*1000+1, 1, 1
	case "microsecond", "millisecond", "second", "minute", "hour", "day":
	default:
		return t, false
	}
	return time.Date(year, month, day, hour, minute, second, nano, time.UTC), true
}

// unitSizes are units in microseconds or, negative, in months.
var unitSizes = map[string]int64{
	"microsecond": 1, "millisecond": 1e3, "second": 1e6, "minute": 60e6, "hour": 3600e6, "day": 86400e6, "week": 7 * 86400e6,
	"month": -1, "quarter": -3, "year": -12, "decade": -120, "century": -1200, "millennium": -12000,
}

// shifted is t some units later.
func shifted(t stream.Value, unit string, n int64) (stream.Value, string) {
	size := unitSizes[unit]
	by := new(big.Int).Mul(big.NewInt(size), big.NewInt(n))
	if size > 0 {
		return whole(by.Add(by, bigOf(t)), stream.Timestamp)
	}
	by.Neg(by)
	if by.CmpAbs(big.NewInt(12*1_000_000)) > 0 {
		return whole(new(big.Int).Lsh(by, 64), stream.Timestamp) // beyond all years
	}
	return timestamp(monthsLater(utc(t), int(by.Int64())))
}

// monthsLater keeps the day unless the month is too short for it.
func monthsLater(t time.Time, n int) time.Time {
	day := t.Day()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}

func timestampAdd(a []stream.Value, _ stream.Type) (stream.Value, string) {
	unit := strings.ToLower(a[0].S)
	if unitSizes[unit] == 0 {
		return domainError()
	}
	return shifted(a[2], unit, a[1].I)
}

func dateCeil(a []stream.Value, _ stream.Type) (stream.Value, string) {
	unit := strings.ToLower(a[0].S)
	start, ok := startOf(unit, utc(a[1]))
	if !ok {
		return domainError()
	}
	v, reason := timestamp(start)
	if reason != "" || v.I == a[1].I {
		return v, reason
	}
	return shifted(v, unit, 1)
}

func timestampDiff(a []stream.Value, t stream.Type) (stream.Value, string) {
	size := unitSizes[strings.ToLower(a[0].S)]
	from, to := utc(a[1]), utc(a[2])
	switch {
	case size == 0:
		return domainError()
	case size > 0:
		d := new(big.Int).Sub(bigOf(a[2]), bigOf(a[1]))
		return whole(d.Quo(d, big.NewInt(size)), t)
	}
	n := (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
	for n > 0 && monthsLater(from, n).After(to) {
		n--
	}
	for n < 0 && monthsLater(from, n).Before(to) {
		n++
	}
	return stream.Big(int64(n) / -size), ""
}
