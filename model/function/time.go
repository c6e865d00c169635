package function

func field(name, doc string) Function {
	return Function{Name: "extract_" + name, SQL: "EXTRACT(" + upper(name) + " FROM ..)", Syntax: true, Category: "time",
		Signatures: []Signature{sig(in8, tim)}, Doc: doc}
}

func upper(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] -= 'a' - 'A'
	}
	return string(b)
}

// times are the functions of time beyond the core.
var times = []Function{
	field("quarter", "quarter 1-4"),
	field("week", "ISO week 1-53; also WEEK(ts)"),
	field("isoyear", "year that the ISO week belongs to"),
	field("dow", "day of the week, 0 (Sunday) to 6; DAYOFWEEK(ts) is one more"),
	field("isodow", "day of the week, 1 (Monday) to 7"),
	field("doy", "day of the year 1-366; also DAYOFYEAR(ts)"),
	field("decade", "year divided by ten, down"),
	field("century", "century; the 21st began in 2001, before the first is the -1st"),
	field("millennium", "millennium; the third began in 2001"),
	field("millisecond", "milliseconds with those of the second's, 0-59999"),
	field("microsecond", "microseconds with those of the second's, 0-59999999"),
	{Name: "date_ceil", SQL: "CEIL(ts TO unit)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, tim)}, Doc: "the first start of such a unit that is not before ts; units are DATE_TRUNC's"},
	{Name: "timestamp_add", SQL: "TIMESTAMPADD(unit, n, ts)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, in8, tim)},
		Doc: "n units later, from MICROSECOND to YEAR; a day that the month does not have becomes its last; out of range is an error"},
	{Name: "timestamp_diff", SQL: "TIMESTAMPDIFF(unit, a, b)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(in8, txt, tim, tim)},
		Doc: "whole units from a to b: as many as can be added to a without passing b; negative if b is before a"},
	{Name: "date_format", SQL: "DATE_FORMAT", Category: "time", MayErr: true, Signatures: []Signature{sig(txt, tim, txt)},
		Doc: "text of a timestamp (UTC) by Flink's (Java's) patterns: y M d D H h m s S a E Q and 'text'; another letter is an error; FROM_UNIXTIME(seconds, pattern) is DATE_FORMAT of such a timestamp"},
	{Name: "to_char", SQL: "TO_CHAR", Category: "time", MayErr: true, Signatures: []Signature{sig(txt, tim, txt)},
		Doc: "text of a timestamp (UTC) by PostgreSQL's patterns: YYYY YY IYYY Q MM MONTH MON IW DD DDD D ID DAY DY HH24 HH12 HH MI SS MS US AM PM, FM before one of them, and \"text\"; names in the case of the pattern"},
	{Name: "to_timestamp", SQL: "TO_TIMESTAMP", Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt), sig(tim, txt, txt)},
		Doc: "timestamp (UTC) of a text by DATE_FORMAT's patterns, 'yyyy-MM-dd HH:mm:ss' without one; a text that does not fit is an error; UNIX_TIMESTAMP(text, pattern) is its whole seconds since 1970"},
}

// Units are those of DATE_TRUNC, DATE_CEIL, TIMESTAMPADD and TIMESTAMPDIFF, in lower case.
var Units = []string{"microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century", "millennium"}

// DefaultTimePattern is TO_TIMESTAMP's and FROM_UNIXTIME's.
const DefaultTimePattern = "yyyy-MM-dd HH:mm:ss"
