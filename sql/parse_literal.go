package sql

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/millrace/millrace/stream"
)

// unitMicros are the units of intervals, singular.
var unitMicros = map[string]int64{
	"microsecond": 1, "millisecond": 1e3, "second": 1e6, "minute": 60e6, "hour": 3600e6, "day": 86400e6, "week": 7 * 86400e6,
}

// shortUnits are accepted inside quoted durations only.
var shortUnits = map[string]string{
	"us": "microsecond", "ms": "millisecond", "s": "second", "sec": "second", "secs": "second",
	"m": "minute", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour", "d": "day", "w": "week",
}

// unit returns the microseconds of a unit word, singular or plural.
func unit(word string) (int64, bool) {
	m, ok := unitMicros[strings.TrimSuffix(word, "s")]
	return m, ok
}

const calendarReason = "months and years have no fixed length"

func isCalendarUnit(word string) bool {
	switch strings.TrimSuffix(word, "s") {
	case "month", "year", "quarter":
		return true
	}
	return false
}

// unitWord reads a unit.
func (p *parser) unitWord() int64 {
	t := p.next()
	if m, ok := unit(t.text); ok && t.kind == wordToken {
		return m
	}
	if t.kind == wordToken && isCalendarUnit(t.text) {
		p.fail(t.span, "write a number of DAYS", "%s is not a unit of an interval here: %s", upper(t.text), calendarReason)
		return 0
	}
	if t.kind == wordToken {
		p.fail(t.span, suggest(t.text, upperKeys(unitMicros)), "unit %q does not exist", t.text)
		return 0
	}
	p.fail(t.span, "", "expected a unit such as SECONDS, found %s", t.show())
	return 0
}

func upperKeys(m map[string]int64) []string {
	var out []string
	for _, k := range keys(m) {
		out = append(out, upper(k))
	}
	return out
}

// scale returns number*micros if it is a whole number of microseconds.
func scale(number string, micros int64) (int64, bool) {
	if len(number) > 40 || strings.ContainsAny(number, "eExX/_") {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(strings.TrimSpace(number))
	if !ok {
		return 0, false
	}
	r.Mul(r, new(big.Rat).SetInt64(micros))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// intervalLiteral reads INTERVAL '5' SECOND, INTERVAL '5 seconds' or INTERVAL 5 SECOND.
func (p *parser) intervalLiteral() int64 {
	p.expectWord("interval")
	negative := p.accept("-")
	t := p.next()
	if t.kind != stringToken && t.kind != numberToken {
		p.fail(t.span, "write INTERVAL '5' SECOND", "expected the text of an interval, found %s", t.show())
		return 0
	}
	var micros int64
	if p.peek().kind == wordToken && (unitMicros[strings.TrimSuffix(p.peek().text, "s")] > 0 || isCalendarUnit(p.peek().text)) {
		first := p.peek()
		m := p.unitWord()
		if p.acceptWords("to") {
			micros = p.intervalOf(t, first)
			if negative {
				micros = -micros
			}
			return micros
		}
		if p.isSymbol("(") {
			p.fail(p.peek().span, "leave it out: intervals have microseconds", "a precision of intervals is not supported")
		}
		v, ok := scale(t.text, m)
		if !ok {
			p.fail(t.span, "", "%s is not a number of this unit, or out of range", t.show())
		}
		micros = v
	} else if v, why := parseDuration(t.text); why == "" && t.kind == stringToken {
		micros = v
	} else if why == calendarReason {
		p.fail(t.span, "write a number of days", "this interval cannot be used: %s", why)
	} else {
		p.fail(t.span.join(p.last()), "write INTERVAL '5' SECOND or INTERVAL '5 seconds'", "this interval has no unit that is understood")
	}
	if negative {
		micros = -micros
	}
	return micros
}

// clockUnits are the units of intervals of several units, longest first, with how many
// make one of the unit before.
var clockUnits = []struct {
	name   string
	micros int64
	in     int64
}{{"day", 86400e6, 0}, {"hour", 3600e6, 24}, {"minute", 60e6, 60}, {"second", 1e6, 60}}

// intervalOf reads the last unit of INTERVAL '1 02:03:04.5' DAY TO SECOND and the text
// before: numbers of every unit between, of which only the last has a fraction.
func (p *parser) intervalOf(text, first token) int64 {
	last := p.next()
	at := func(t token) int {
		for i, u := range clockUnits {
			if strings.TrimSuffix(t.text, "s") == u.name {
				return i
			}
		}
		return -1
	}
	from, to := at(first), at(last)
	if from < 0 || to <= from {
		p.fail(first.span.join(last.span), "write INTERVAL '1 02:03:04' DAY TO SECOND", "an interval goes from one of DAY, HOUR and MINUTE to a shorter one of HOUR, MINUTE and SECOND")
		return 0
	}
	s := strings.TrimSpace(text.text)
	rest, negative := strings.CutPrefix(s, "-")
	total, good := int64(0), true
	for i := from; i <= to && good; i++ {
		separator := ":"
		if i == 0 {
			separator = " "
		}
		part, behind, more := strings.Cut(rest, separator)
		var v int64
		v, good = scale(part, clockUnits[i].micros)
		fraction := strings.Contains(part, ".") && clockUnits[i].name != "second"
		within := i == from || v < clockUnits[i].in*clockUnits[i].micros
		good = good && more == (i < to) && !fraction && within && v >= 0 && !strings.HasPrefix(part, "+") && total <= math.MaxInt64-v
		total, rest = total+v, behind
	}
	if !good {
		p.fail(text.span, "write INTERVAL '1 02:03:04' DAY TO SECOND", "%s is not an interval from %s to %s", text.show(), upper(first.text), upper(last.text))
		return 0
	}
	if negative {
		total = -total
	}
	return total
}

// parseDuration reads "5 seconds", "1 hour 30 minutes", "100ms" or the form that
// intervals are printed in. The reason is empty when it could.
func parseDuration(s string) (micros int64, reason string) {
	if v, ok := stream.ParseInterval(s); ok {
		return v, ""
	}
	rest := strings.ToLower(strings.TrimSpace(s))
	if rest == "" {
		return 0, "it is empty"
	}
	for rest != "" {
		i := strings.IndexFunc(rest, func(r rune) bool { return r >= 'a' && r <= 'z' || r == ' ' || r == '\t' })
		if i <= 0 {
			return 0, "a number has no unit"
		}
		number := rest[:i]
		rest = strings.TrimLeft(rest[i:], " \t")
		end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		rest = strings.TrimLeft(rest[end:], " \t,")
		if isCalendarUnit(word) {
			return 0, calendarReason
		}
		if long, ok := shortUnits[word]; ok {
			word = long
		}
		m, ok := unit(word)
		if !ok {
			return 0, "the unit is not understood"
		}
		v, ok := scale(number, m)
		if !ok || micros > 0 && v > math.MaxInt64-micros || micros < 0 && v < math.MinInt64-micros {
			return 0, "the number is not understood or out of range"
		}
		micros += v
	}
	return micros, ""
}

// integer reads a whole number of at most 18 digits.
func (p *parser) integer(what string) int64 {
	t := p.next()
	if t.kind != numberToken {
		p.fail(t.span, "", "expected %s, found %s", what, t.show())
		return 0
	}
	v, err := strconv.ParseInt(t.text, 10, 64)
	if err != nil {
		p.fail(t.span, "", "%q is not a whole number in range", t.text)
	}
	return v
}

// numberLiteral makes the value of a number token: INTEGER if it fits, else BIGINT;
// with a point or an exponent DOUBLE.
func (p *parser) numberLiteral(t token, negative bool) stream.Value {
	text := t.text
	if negative {
		text = "-" + text
	}
	if strings.ContainsAny(text, ".eE") {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.fail(t.span, "", "the number %s is out of the range of DOUBLE", shorten(text))
		}
		return stream.Dbl(f)
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		p.fail(t.span, "write "+shorten(text)+".0 for a DOUBLE", "the number %s is out of the range of BIGINT", shorten(text))
	}
	if v >= math.MinInt32 && v <= math.MaxInt32 {
		return stream.Int(int32(v))
	}
	return stream.Big(v)
}
