package reference

import (
	"math/big"
	"strings"
	"time"

	"github.com/millrace/millrace/stream"
)

func toTimestamp(a []stream.Value, t stream.Type) (stream.Value, string) {
	micros := map[int64]int64{0: 1e6, 3: 1e3, 6: 1}[a[1].I]
	if micros == 0 {
		return domainError()
	}
	return whole(new(big.Int).Mul(bigOf(a[0]), big.NewInt(micros)), t)
}

func extractEpoch(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Dbl(float64(a[0].I) / 1e6), ""
}

// yearStart is the day, counted from 1970-01-01, on which a year begins.
func yearStart(year int) int64 {
	return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

// midnight is the timestamp at which a date begins.
func midnight(v stream.Value) stream.Value {
	return stream.Time(time.Unix(0, 0).UTC().AddDate(0, 0, int(v.I)).UnixMicro())
}

// castTime converts between dates, times of day and timestamps.
func castTime(v stream.Value, t stream.Type) (stream.Value, string) {
	if v.Type == stream.Date {
		return midnight(v), ""
	}
	at := utc(v)
	begin := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	if t == stream.Date {
		return whole(big.NewInt(begin.Unix()/(24*60*60)), t)
	}
	return stream.Value{Type: t, I: at.Sub(begin).Microseconds()}, ""
}

func utc(v stream.Value) time.Time { return time.UnixMicro(v.I).UTC() }

func extractYear(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Year())), ""
}

func extractMonth(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Month())), ""
}

func extractDay(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Day())), ""
}

func extractHour(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Hour())), ""
}

func extractMinute(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Minute())), ""
}

func extractSecond(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Big(int64(utc(a[0]).Second())), ""
}

func dateTrunc(a []stream.Value, _ stream.Type) (stream.Value, string) {
	start, ok := startOf(strings.ToLower(a[0].S), utc(a[1]))
	if !ok {
		return domainError()
	}
	return timestamp(start)
}
