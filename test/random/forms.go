package random

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
)

// forms are calls of the functions beyond those that every kind of expression is made
// of, by what they give. {t} stands for a text, {i} for an INTEGER, {n} for a small
// number, {y} for a BYTEA, {j} for a JSON, {f} for a number, {b} for a BOOLEAN, {s} for a TIMESTAMP, {v} for an INTERVAL,
// {a} for an INT[] and {x} for a VARCHAR[].
var forms = map[byte][]string{
	't': {
		"TRIM(BOTH 'gn' FROM {t})", "TRIM(LEADING 'g' FROM {t})", "RTRIM({t}, 'n')", "BTRIM({t})", "LEFT({t}, {n})", "RIGHT({t}, {n})",
		"REVERSE({t})", "REPEAT({t}, {n})", "LPAD({t}, {n})", "LPAD({t}, 7, {t})", "RPAD({t}, {n}, 'é')", "OVERLAY({t} PLACING 'xy' FROM {n} FOR {n})",
		"OVERLAY({t} PLACING 'xy' FROM 2)", "INITCAP({t})", "TRANSLATE({t}, 'gre', 'ö')", "CONCAT_WS('-', {t}, {t}, {t})", "SPLIT_INDEX({t}, 'e', {n})",
		"SPLIT_PART({t}, 'e', {n})", "CHR({i})", "CHR(100 + {n})", "REGEXP_EXTRACT({t}, 'e+')", "REGEXP_EXTRACT({t}, '(g)(r|e)', {n})",
		"REGEXP_REPLACE({t}, '([aeiou])', '<$1>')", "REGEXP_REPLACE({t}, {t}, '')", "CONCAT({t}, {t})",
		"ENCODE({y}, 'hex')", "ENCODE({y}, 'base64')", "DECODE({y}, 'UTF-8')", "DECODE({y}, 'UTF-16BE')", "DECODE({y}, 'ISO-8859-1')", "TO_BASE64({y})", "FROM_BASE64(TO_BASE64({t}))", "FROM_BASE64({t})", "HEX({y})", "HEX({i})", "HEX({t})", "MD5({y})", "HEX(UNHEX({t}))",
		"({j} ->> 'a')", "({j} ->> 0)", "JSON_VALUE({j}, '$.a[1]')", "JSON_QUERY({j}, '$.a')", "CAST({j} AS VARCHAR)",
		"MD5({t})", "SHA1({t})", "SHA224({t})", "SHA256({t})", "SHA384({t})", "SHA512({t})",
		"JSON_VALUE('{\"a\": [\"' || {t} || '\"]}', '$.a[0]')", "JSON_QUERY('{\"a\": [' || {t} || ']}', '$.a')", "('[\"' || {t} || '\", 2]') -> 0", "('{\"a\": \"' || {t} || '\"}') ->> 'a'",
		"DATE_FORMAT({s}, 'yyyy-MM-dd EEE hh:mm:ss.SSS a')", "TO_CHAR({s}, 'FMDay, DD Mon YYYY HH24:MI:SS.US IW')", "FROM_UNIXTIME({i})", "DATE_FORMAT({s}, UPPER({t}))",
	},
	'i': {
		"OCTET_LENGTH({t})", "OCTET_LENGTH({y})", "LENGTH({y})", "ASCII({t})", "LOCATE('e', {t}, {n})", "STRPOS({t}, 'e')", "REGEXP_COUNT({t}, '[aeiou]')",
		"BITAND({i}, {i})", "({i} & {i})", "({i} | {i})", "({i} # {i})", "(~ {i})", "({i} << {n})", "({i} >> {n})", "ROUND({i}, {n})", "TRUNCATE({i})",
		"WIDTH_BUCKET({f}, 0, 10, 5)", "TRUNC({i}, {n})",
	},
	'l': {
		"CRC32({t})", "CRC32({y})", "XXHASH64({t})", "JSON_VALUE('{\"a\":' || {t} || '}', '$.a' RETURNING BIGINT)",
		"EXTRACT(QUARTER FROM {s})", "WEEK({s})", "EXTRACT(ISOYEAR FROM {s})", "DAYOFWEEK({s})", "EXTRACT(ISODOW FROM {s})", "DAYOFYEAR({s})", "DATE_PART('decade', {s})",
		"EXTRACT(CENTURY FROM {s})", "EXTRACT(MILLENNIUM FROM {s})", "EXTRACT(MILLISECOND FROM {s})", "EXTRACT(MICROSECOND FROM {s})", "YEAR({s})", "MONTH({s})", "DAYOFMONTH({s})", "HOUR({s})",
		"TIMESTAMPDIFF(SECOND, {s}, {s})", "TIMESTAMPDIFF(MONTH, {s}, {s})", "UNIX_TIMESTAMP(DATE_FORMAT({s}, 'yyyy-MM-dd HH:mm:ss'))", "UNIX_TIMESTAMP({t})",
	},
	's': {
		"FLOOR({s} TO WEEK)", "CEIL({s} TO QUARTER)", "CEIL({s} TO MINUTE)", "TIMESTAMPADD(MONTH, {i}, {s})", "TIMESTAMPADD(HOUR, {n}, {s})",
		"TO_TIMESTAMP(DATE_FORMAT({s}, 'dd.MM.yyyy H:m'), 'dd.MM.yyyy H:m')", "TO_TIMESTAMP({t}, 'yyyy')", "CAST({s} AS TIMESTAMP({d}))",
		"({s} AT TIME ZONE '{z}')", "(TO_TIMESTAMP_LTZ({o}, 0) AT TIME ZONE 'Europe/Zurich' AT TIME ZONE 'Europe/Zurich')", "(CAST({s} AS TIMESTAMP_LTZ) AT TIME ZONE '{z}')", "DATE_TRUNC('day', {s}, '{z}')", "CAST(CAST({s} AS VARCHAR) AS TIMESTAMP_LTZ({d}))", "TRY_CAST({t} AS TIMESTAMPTZ)",
	},
	'f': {
		"ROUND({f}, {n})", "TRUNCATE({f}, {n})", "TRUNCATE({f})", "CBRT({f})", "LOG(2, {f})", "LOG({f}, 7)", "LOG2({f})", "LOG10({f})", "SIN({f})", "COS({f})", "TAN({f})", "COT({f})",
		"ASIN({f} / 100)", "ACOS({f} / 100)", "ATAN({f})", "ATAN2({f}, {f})", "SINH({f} / 10)", "COSH({f} / 10)", "TANH({f})", "DEGREES({f})", "RADIANS({f})", "PI()", "E()", "SQRT(ABS({f}))", "EXP({f} / 100)", "POWER({f}, 2)", "HAVERSINE({f} / 10, {f}, {f} / 10, {f})",
	},
	'a': {
		"ARRAY_APPEND({a}, {i})", "ARRAY_PREPEND({a}, {i})", "ARRAY_CONCAT({a}, {a})", "ARRAY_CONCAT({x}, {x})", "ARRAY_REMOVE({a}, {i})", "ARRAY_REVERSE({x})",
		"ARRAY_JOIN({x}, '-')", "ARRAY_JOIN({a}, ', ', '?')", "CARDINALITY({a})", "CARDINALITY({x})", "ELEMENT({a})", "STRING_TO_ARRAY({t}, 'e')", "ARRAY_DISTINCT({a})", "ARRAY_SORT({x})",
		"ARRAY_MIN({a})", "ARRAY_MAX({x})", "ARRAY_SLICE({a}, {n}, {n})", "ARRAY_POSITION({x}, {t})", "ARRAY_CONTAINS({a}, {i})", "{a}[{n}]", "SPLIT({t}, 'r')",
	},
	'b': {
		"ENDS_WITH({t}, 'n')", "{t} ~ 'e+'", "{t} ~* 'E'", "{t} !~ '^g'", "REGEXP({t}, {t})", "REGEXP_LIKE({t}, 'R', 'i')", "{t} SIMILAR TO '%(re|bl)%'",
		"{t} NOT SIMILAR TO 'g#%' ESCAPE '#'", "{t} ILIKE 'G%'", "{i} BETWEEN SYMMETRIC {n} AND {i}", "{b} IS NOT UNKNOWN",
		"{t} IS JSON", "{j} IS JSON ARRAY", "JSON_EXISTS({j}, '$.a')", "('[' || {t} || ']') IS NOT JSON ARRAY", "JSON_EXISTS('{\"a\": [\"' || {t} || '\"]}', '$.a[1]')",
	},
}

var placeholder = regexp.MustCompile(`\{[a-z]\}`)

// form is one of the forms of a kind.
func (e exprs) form(kind byte, depth int) string {
	of := forms[kind]
	return e.filled(of[e.r.IntN(len(of))], depth)
}

// filled is a form with expressions for what stands for them.
func (e exprs) filled(form string, depth int) string {
	return placeholder.ReplaceAllStringFunc(form, func(hole string) string {
		switch hole[1] {
		case 't':
			return e.text(depth)
		case 'y':
			return e.bytes(depth)
		case 'j':
			return e.json(depth)
		case 'a':
			return e.ints(depth)
		case 'x':
			return e.texts(depth)
		case 'i':
			return e.integer(depth)
		case 'n':
			return fmt.Sprint(e.r.IntN(5) - 1)
		case 'f':
			return e.number(depth)
		case 's':
			return e.timestamp(depth)
		case 'z':
			return e.pick(zones...)
		case 'o':
			return fmt.Sprintf("(%s + %s * 337)", e.pick("1774746000", "1792887000", "1772953200", "1793510000", "1775318400", "1771119900"), e.col("x"))
		case 'd':
			return fmt.Sprint(e.r.IntN(7))
		case 'v':
			return e.interval(depth)
		default:
			return e.boolean(depth)
		}
	})
}

// formed is a projection of forms, so that every one is drawn often enough.
func (g *generator) formed() *query {
	d, e := g.any(), g.exprs("")
	return newQuery("SELECT "+g.list(3, func() string { return e.anyForm(g.r.IntN(2)) })+" FROM "+d.name, "project", "none", []*data{d})
}

// zones are time zones: with summer time, without, of half an hour and of seconds.
var zones = []string{"Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "-03:30", "+00:34:08"}

// zonedForms depend on the session's time zone; {o} is a number of seconds around a change
// of some zone's offset, early in 2026 or late.
var zonedForms = []string{
	"CAST(TO_TIMESTAMP_LTZ({o}, 0) AS VARCHAR)", "CEIL(TO_TIMESTAMP_LTZ({o}, 0) TO HOUR)", "CEIL(TO_TIMESTAMP_LTZ({o}, 0) TO WEEK)", "FLOOR(TO_TIMESTAMP_LTZ({o}, 0) TO HOUR)", "DATE_TRUNC('month', TO_TIMESTAMP_LTZ({o}, 0))",
	"HOUR(TO_TIMESTAMP_LTZ({o}, 0))", "CAST(TO_TIMESTAMP_LTZ({o}, 0) AS DATE)", "CAST(TO_TIMESTAMP_LTZ({o}, 0) AS TIME({d}))", "CAST(TO_TIMESTAMP_LTZ({o}, 0) AS TIMESTAMP)", "(TO_TIMESTAMP_LTZ({o}, 0) - {s})",
	"CAST(CAST(TO_TIMESTAMP_LTZ({o}, 0) AS TIMESTAMP) AS TIMESTAMP_LTZ)", "(TO_TIMESTAMP_LTZ({o}, 0) > {s})", "FROM_UNIXTIME({o})", "UNIX_TIMESTAMP(FROM_UNIXTIME({o}))", "CONVERT_TZ(FROM_UNIXTIME({o}), '{z}', '{z}')",
	"TIMESTAMPADD(DAY, {n}, TO_TIMESTAMP_LTZ({o}, 0))", "TIMESTAMPADD(HOUR, {n}, TO_TIMESTAMP_LTZ({o}, 0))", "TIMESTAMPDIFF(DAY, {s}, TO_TIMESTAMP_LTZ({o}, 0))", "COALESCE({s}, TO_TIMESTAMP_LTZ({o}, 0))",
	"CAST(SUBSTRING(CAST(TO_TIMESTAMP_LTZ({o}, 0) AS VARCHAR) FROM 1 FOR 19) AS TIMESTAMP_LTZ)", "TRY_CAST(FROM_UNIXTIME({o}) AS TIMESTAMPTZ)", "(TO_TIMESTAMP_LTZ({o}, 0) AT TIME ZONE '{z}')",
}

// zoned is a projection of what depends on the session's time zone.
func (g *generator) zoned() *query {
	d, e := g.any(), g.exprs("")
	return newQuery("SELECT "+g.list(5, func() string { return e.filled(zonedForms[g.r.IntN(len(zonedForms))], 1) })+" FROM "+d.name, "project", "none", []*data{d})
}

// anyForm is a form of any kind.
func (e exprs) anyForm(depth int) string {
	kinds := "ttiffbblsa"
	return e.form(kinds[e.r.IntN(len(kinds))], depth)
}

// functionCount counts the functions of models.
type functionCount map[string]int

var modelCall = regexp.MustCompile(`[a-z][a-z0-9_]*\(`)

// add counts the calls in a model's text.
func (c functionCount) add(text string) {
	for _, name := range modelCall.FindAllString(text, -1) {
		c[name[:len(name)-1]]++
	}
}

// assert fails for functions that no query calls.
func (c functionCount) assert(t *testing.T) {
	for _, f := range function.All() {
		if c[f.Name] == 0 {
			t.Errorf("coverage: no query calls %s", f.Name)
		}
	}
	for _, f := range model.AggFuncs {
		if c[string(f)] == 0 {
			t.Errorf("coverage: no query calls %s", f)
		}
	}
}
