package reference

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// castTextBytesMax is how much of a value the reason of a failed cast shows; the rest
// is cut, at a character's border, and replaced by "...".
const castTextBytesMax = 64

// cast converts a value that is not NULL.
func cast(v stream.Value, t stream.Type) (stream.Value, string) {
	switch {
	case v.Type == t:
		return v, ""
	case t == stream.Bytes:
		return stream.Blob(v.S), ""
	case v.Type == stream.Bytes:
		if !utf8.ValidString(v.S) {
			return cannotCast(v, t)
		}
		return stream.Text(v.S), ""
	case t == stream.JSON:
		text, ok := compactJSON(v.S)
		if !ok {
			return cannotCast(v, t)
		}
		return stream.Value{Type: t, S: text}, ""
	case t == stream.Varchar:
		return stream.Text(v.String()), ""
	case v.Type.IsNested():
		return castItems(v, t)
	case v.Type == stream.Varchar:
		return castText(v, t)
	case v.Type.IsDecimal() || t.IsDecimal():
		return castDecimal(v, t)
	case v.Type.IsTime() && t.IsTime():
		return castTime(v, t)
	case v.Type == stream.Boolean && t.IsInteger():
		return stream.Value{Type: t, I: v.I}, ""
	case v.Type.IsInteger() && t == stream.Boolean:
		return stream.Bool(v.I != 0), ""
	case v.Type.IsInteger() && t.IsInteger():
		return whole(bigOf(v), t)
	case v.Type.IsInteger() && t == stream.Real:
		return stream.Float(float32(v.I)), ""
	case v.Type.IsInteger() && t == stream.Double:
		return stream.Dbl(float64(v.I)), ""
	case v.Type.IsFloat() && t.IsInteger():
		if !isFinite(v.F) {
			return stream.Value{}, function.ErrOverflow
		}
		x, _ := big.NewFloat(v.F).Int(nil)
		return whole(x, t)
	case v.Type.IsFloat() && t.IsFloat():
		f := float(v.F, t)
		if math.IsInf(f.F, 0) && isFinite(v.F) {
			return stream.Value{}, function.ErrOverflow
		}
		return f, ""
	}
	return cannotCast(v, t)
}

var wholeNumber = regexp.MustCompile(`^[+-]?[0-9]+$`)

// castText reads a value from text, with blanks around it allowed.
func castText(v stream.Value, t stream.Type) (stream.Value, string) {
	s := strings.TrimSpace(v.S)
	if t.IsNested() {
		if raw, ok := stream.ParseNested(nil, t, []byte(v.S)); ok {
			return stream.Value{Type: t, S: string(raw)}, ""
		}
		return cannotCast(v, t)
	}
	if t.IsDecimal() {
		if d, reason, ok := decimalOfText(s, t); ok {
			return d, reason
		}
	}
	switch t {
	case stream.Boolean:
		switch strings.ToLower(s) {
		case "true", "t", "yes", "1":
			return stream.Bool(true), ""
		case "false", "f", "no", "0":
			return stream.Bool(false), ""
		}
	case stream.TinyInt, stream.SmallInt, stream.Integer, stream.BigInt:
		if wholeNumber.MatchString(s) {
			x, _ := new(big.Int).SetString(s, 10)
			return whole(x, t)
		}
	case stream.Real, stream.Double:
		bits := 64
		if t == stream.Real {
			bits = 32
		}
		if f, ok := stream.ParseDouble(s, bits); ok {
			return float(f, t), ""
		}
	case stream.Date:
		if days, ok := stream.ParseDate(s); ok {
			return stream.Value{Type: t, I: days}, ""
		}
	case stream.TimeOfDay:
		if micros, ok := stream.ParseTime(s); ok {
			return stream.Value{Type: t, I: micros}, ""
		}
	case stream.Timestamp:
		if micros, ok := stream.ParseTimestamp(s); ok {
			return stream.Time(micros), ""
		}
	case stream.Interval:
		if micros, ok := stream.ParseInterval(s); ok {
			return stream.Duration(micros), ""
		}
	}
	return cannotCast(v, t)
}

func cannotCast(v stream.Value, t stream.Type) (stream.Value, string) {
	s := v.String()
	if len(s) > castTextBytesMax {
		cut := castTextBytesMax
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "..."
	}
	return stream.Value{}, function.ErrCast + " '" + s + "' to " + t.String()
}
