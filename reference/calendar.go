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
