package optest

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var regexps = []string{"a", "b+", "(a)(b)?", "^a|b$", "[é世]", "", "x*", "(?i)ab", "(", "a{2}", `\d+`, "^.*$"}

var similars = []string{"%", "a%", "_b", "(a|b)+", "[ab]*", "a{2}b", "%(é|世)_", `\%`, `a\`, "[", "a#%", "."}

var (
	timePatterns  = []string{"yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "yy-M-d H:m:s", "dd MMM yyyy hh:mm a", "EEEE, d MMMM y", "Q D EEE S", "h 'o''clock' a", "yyyyMMddHHmmssSSS", "x", "'a", ""}
	timeTemplates = []string{"YYYY-MM-DD HH24:MI:SS.US", "FMDay, FMDD Month YYYY", "dy DD mon YY HH12:MI am", "IYYY-IW ID", "MONTH DAY D DDD Q", "\"at\" HH PM MS", "x", "\"a", "é", "fmMM/FMHH24"}
	timeTexts     = []string{"2026-01-02 03:04:05", "2024-02-29 23:59:59", "2023-02-29 00:00:00", "2026-01-02", "2026-01-02T03:04:05.123456", "26-1-2 3:4:5",
		"99-12-31 23:59:60", "02 JAN 2026 12:30 am", "31 dec 1999 11:59 PM", "31 xyz 1999 11:59 PM", "Friday, 2 January 2026", "monday, 31 APRIL 5", "20260102030405678", "5 o'clock PM", ""}
)

var (
	jsons = []string{`{"a": 1, "b": [1, {"a": "x"}, {"a": "y"}], "é": null}`, ` [1, "two" , [3], {"a":{"b":true}}] `, `{"a":{"a":[1.50,-2e3]},"a":{"b":"\u00e9\n\"]}"}}`, `"s"`, "12", "null", "{}", "[]",
		`{"a":[]}`, `{"x y": {"a": [ ]}, "b":false}`, `{"a":1`, "", `[1 ,2]`, `{"\u0061":7}`, `{"b":"}],"}`}
	paths = []string{"$", "$.a", "$.b", "$.b[1].a", "$.b.a", "$.a.b", "$[0]", "$[2][0]", "$[*]", "strict $.a", "strict $.b.a", "lax $.a[0]", `$."x y".a`, `$."é"`, "$.é", "$.a.a[1]", "$[", "a", "$.b[*].a"}
)

// coded are texts of bytes, good and bad.
var coded = []string{"", "00", "0aFF", "aff", "YWJj", "w6k=", "/w==", "YQ", "x", "é", "6162 63", "YW Jj"}

var replacements = []string{"", "x", "<$0>", `\1`, "$1", "$12", `\\`, "$", "é", `\`}

// sensible is an argument of a kind that the function is made for; nil: any will do.
func (g *Gen) sensible(f string, i int, t stream.Type) *model.Expr {
	at, pattern := function.PatternArgument[f]
	switch {
	case pattern && i == at && f == "similar":
		return model.Lit(stream.Text(pick(g, similars)))
	case pattern && i == at:
		return model.Lit(stream.Text(pick(g, regexps)))
	case f == "similar" && i == 2:
		return model.Lit(stream.Text(pick(g, []string{"#", `\`, "", "##"})))
	case f == "regexp_like" && i == 2:
		return model.Lit(stream.Text(pick(g, []string{"i", "", "ims", "x"})))
	case f == "regexp_replace" && i == 2:
		return model.Lit(stream.Text(pick(g, replacements)))
	case t == stream.JSON && i == 0:
		return model.Lit(g.Value(t, 10))
	case (f == "encode" || f == "decode") && i == 1:
		name := pick(g, slices.Concat(function.Codings, function.Charsets, []string{"UTF-8", "Hex", "x"}))
		return model.Lit(stream.Text(name))
	case (f == "decode" || f == "unhex" || f == "from_base64") && t == stream.Varchar:
		return model.Lit(stream.Text(pick(g, coded)))
	case strings.HasPrefix(f, "json_") && i == 0, f == "is_json" && i == 0:
		return model.Lit(stream.Text(pick(g, jsons)))
	case (f == "json_get" || f == "json_get_text") && t == stream.Varchar:
		return model.Lit(stream.Text(pick(g, []string{"a", "b", "é", "", "x y"})))
	case f == "json_get" || f == "json_get_text":
		return model.Lit(stream.Big(g.Int64N(5) - 2))
	case strings.HasPrefix(f, "json_"):
		return model.Lit(stream.Text(pick(g, paths)))
	case f == "is_json":
		return model.Lit(stream.Text(pick(g, function.JSONKinds)))
	case (f == "date_ceil" || f == "timestamp_add" || f == "timestamp_diff" || f == "date_trunc" || f == "zone_trunc" || f == "zone_ceil") && i == 0:
		unit := pick(g, function.Units)
		if g.IntN(4) == 0 {
			unit = strings.ToUpper(unit)
		}
		return model.Lit(stream.Text(unit))
	case f == "time_cut" && i == 1:
		return model.Lit(stream.Int(pick(g, []int32{0, 1, 2, 3, 4, 5, 6, 7, -1})))
	case (f == "zone_read" || f == "zone_try_read") && i == 0:
		return model.Lit(stream.Text(pick(g, zonedTexts)))
	case strings.HasPrefix(f, "zone_") && t == stream.Varchar:
		return model.Lit(stream.Text(pick(g, zoneNames)))
	case strings.HasPrefix(f, "zone_") && g.IntN(3) == 0:
		return model.Lit(stream.Time(pick(g, zoneChanges) + g.Int64N(8)*900e6 - 3600e6))
	case f == "timestamp_add" && i == 1:
		return model.Lit(stream.Big(pick(g, []int64{0, 1, -1, 2, 11, -13, 100, 40000, -1 << 63, 1<<63 - 1})))
	case f == "date_format" && i == 1:
		return model.Lit(stream.Text(pick(g, timePatterns)))
	case f == "to_char" && i == 1:
		return model.Lit(stream.Text(pick(g, timeTemplates)))
	case f == "to_timestamp" && i == 0:
		return model.Lit(stream.Text(pick(g, timeTexts)))
	case f == "to_timestamp" && i == 1:
		return model.Lit(stream.Text(pick(g, timePatterns)))
	case (f == "repeat" || f == "lpad" || f == "rpad") && i == 1:
		return model.Lit(stream.Big(pick(g, []int64{0, 1, 2, 3, 7, 20, -1, 300 << 10, 1 << 62})))
	case counted[f] && t == stream.BigInt && i > 0:
		return model.Lit(stream.Big(g.Int64N(9) - 3))
	}
	return nil
}

// counted are functions whose numbers behind the first argument are few.
var counted = map[string]bool{
	"left": true, "right": true, "split_index": true, "split_part": true, "overlay": true, "position": true,
	"element_at": true, "array_slice": true, "round_to": true, "truncate_to": true, "regexp_extract": true,
}

// zoneNames are zones of all kinds, and texts that are none; zoneChanges are around what
// their offsets do: instants, and the readings that are skipped or repeated there.
var (
	zoneNames = []string{"UTC", "Europe/Zurich", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "Europe/Dublin",
		"Etc/GMT+5", "+02", "-03:30", "GMT+01:00", "+00:34:08", "Z", "Europe/Zürich", "europe/zurich", "", "+25", "CEST", "UTCZ"}
	zoneChanges = []int64{1774746000e6, 1774749600e6, 1792890000e6, 1792893600e6, 1772953200e6, 1772935200e6, 1793512800e6, 1775318400e6, 1325239200e6, 1325203200e6, -2429826952e6}
	zonedTexts  = []string{"2026-01-01", "2026-03-29 02:30:00", "2026-10-25T02:30:00", " 2026-10-25 02:30 ", "2026-01-01 10:00:00.123456+02", "2026-01-01T10:00:00Z", "2026-01-01 10:00 +0530",
		"2026-01-01 10:00:00 Europe/Zurich", "2026-07-01 Asia/Kathmandu", "2026-01-01 10:00:00  -03:30", "2026-01-01+01", "2026-01-01 10:00:00-00:34:08", "2026-01-01 10:00:00 CEST",
		"2026-01-01 10:00:00Z Europe/Zurich", "2026-01-01 10:00:00Europe/Zurich", "2026-02-30", "2026-01-01 10:00:00+2:00", "", "x", "10:00+02", "0001-01-01 00:00:00+18", "9999-12-31 23:59:59.999999-18"}
)
