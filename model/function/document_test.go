package function

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var rewrite = flag.Bool("rewrite", false, "write docs/functions.md anew")

// document is where the table stands for users.
const document = "../../docs/functions.md"

func TestDocumentIsTheTable(t *testing.T) {
	want := documentText()
	if *rewrite {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(document)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the table says (%v): run go test ./model/function -rewrite", document, err)
	}
}

func documentText() string {
	var b strings.Builder
	b.WriteString(`# Functions and operators

Written from the table in ` + "`model/function/function.go`" + ` by ` + "`go test ./model/function -rewrite`" + `; change it there.

NULL as an argument gives NULL, unless the description says otherwise. *number* is INTEGER, BIGINT, REAL or DOUBLE, the same on both sides: operands of
different types meet in the wider one ([semantics.md](semantics.md#numbers-and-casts)). *any* is every type, the same one throughout. A function that can fail
makes an error row of the rows it fails for.
`)
	category := ""
	for _, f := range All() {
		if f.Category != category {
			category = f.Category
			fmt.Fprintf(&b, "\n## %s%s\n\n| | arguments | result | can fail | |\n|---|---|---|---|---|\n", strings.ToUpper(category[:1]), category[1:])
		}
		arguments, results := shapes(f)
		fails := ""
		if f.MayErr {
			fails = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", strings.ReplaceAll(f.SQL, "|", `\|`), arguments, results, fails, plain(f.Doc))
	}
	b.WriteString(`
POW, CEILING, LENGTH, CHARACTER_LENGTH, SUBSTR, IFNULL, NVL, STARTSWITH, RLIKE and TRUNC are other names of POWER, CEIL, CHAR_LENGTH, SUBSTRING, COALESCE, STARTS_WITH,
REGEXP_LIKE and TRUNCATE. MOD(x, y) is x % y, CONCAT(x, y) is x || y, IF(c, x, y) and DECODE(x, a, b, .., other) are CASEs, in DECODE NULL is equal to NULL, PI() and E() are numbers. x ILIKE p is LOWER(x) LIKE LOWER(p), x BETWEEN
SYMMETRIC a AND b takes its bounds in any order, IS UNKNOWN is IS NULL. YEAR(ts), QUARTER, MONTH, WEEK, DAYOFMONTH, DAYOFYEAR, DAYOFWEEK, HOUR, MINUTE, SECOND and
DATE_PART('field', ts) are EXTRACT. TRUNCATE(x) of a DECIMAL is one without digits behind the point, ROUND(x, n) with a constant n from 0 on one with n of them, SIGN(x) a
DECIMAL(1, 0). Patterns, paths and units that are literals are compiled once, and refused where they are malformed; of others the last 64 are
kept.

## Aggregates

| | arguments | result | can fail | |
|---|---|---|---|---|
| ` + "`COUNT(*)`, `COUNT(x)`" + ` | any | BIGINT | | rows; rows in which x is not NULL |
| ` + "`SUM`" + ` | INTEGER, BIGINT | BIGINT | yes | exact; a result out of range makes an error row of its group in its window |
| | REAL, DOUBLE | DOUBLE | | in about 106 bits, rounded once |
| | INTERVAL | INTERVAL | yes | exact |
| ` + "`AVG`" + ` | INTEGER, BIGINT, REAL, DOUBLE | DOUBLE | | the sum divided once |
| | INTERVAL | INTERVAL | | toward zero |
| ` + "`MIN`, `MAX`" + ` | any | that type | | the first of equal values |
| ` + "`VAR_POP`, `VAR_SAMP`, `STDDEV_POP`, `STDDEV_SAMP`" + ` | whole numbers, REAL, DOUBLE | DOUBLE | | (n \* sum of squares - sum \* sum) / (n \* n), or n \* (n-1) for a sample, and its root: dividend and divisor exact for whole numbers, in about 106 bits for floats, each rounded once; NaN if a square is not finite; samples of one value are NULL; a DECIMAL counts as its DOUBLE; VARIANCE and STDDEV are those of samples |
| ` + "`BOOL_AND`, `BOOL_OR`" + ` | BOOLEAN | BOOLEAN | | whether all are, or one is, TRUE; EVERY and SOME are other names |
| ` + "`FIRST_VALUE`, `LAST_VALUE`" + ` | any | that type | | the first or last that is not NULL, in the order of rows |
| ` + "`APPROX_COUNT_DISTINCT`" + ` | any | BIGINT | | number of different values, by HyperLogLog with 4,096 registers: a standard error of 1.6 %, the same on every run |
| ` + "`STRING_AGG(x, between)`" + ` | VARCHAR, a constant | VARCHAR | yes | the texts in the order of rows, or ` + "`STRING_AGG(x, ',' ORDER BY y DESC)`" + `; a result longer than 256 KiB makes an error row of its group in its window: text too long. ` + "`LISTAGG(x)`, `LISTAGG(x, between) WITHIN GROUP (ORDER BY y)` and `GROUP_CONCAT`" + ` are the same; without a second argument a comma stands between |
| ` + "`ARRAY_AGG(x)`" + ` | any but JSON, TIMESTAMP\_LTZ | ARRAY of that type | yes | the values in the order of rows, NULLs among them, or ` + "`ARRAY_AGG(x ORDER BY y DESC)`, or without them, `ARRAY_AGG(x IGNORE NULLS)`" + `; a result of more than 256 KiB makes an error row of its group in its window: array too long |
| ` + "`MIN_BY(x, y)`, `MAX_BY(x, y)`" + ` | any, any | type of x | | x, which may be NULL, in the first row with the least or greatest y; ARG_MIN and ARG_MAX are other names |
| ` + "`APPROX_PERCENTILE(x, p)`" + ` | numbers, a constant from 0 to 1 | DOUBLE | | about the value that a share p of the values are not greater than, by DDSketch: at most 1/128 (0.8 %) off, between the least and the greatest value; values nearer to 0 than the greatest of their sign by more than 2^63 count as the least that is told apart. The same on every run. PERCENTILE\_APPROX and APPROX\_QUANTILE are other names, APPROX\_MEDIAN(x) is that for 0.5 |
| ` + "`PERCENTILE_CONT(p) WITHIN GROUP (ORDER BY x)`" + ` | numbers, a constant from 0 to 1 | DOUBLE | yes | the value at p of the way through the values in order, between two of them where that is; more than 1,048,576 values make an error row of their group in its window: too many values. Also ` + "`PERCENTILE_CONT(x, p)` and `PERCENTILE(x, p)`" + `; MEDIAN(x) is that for 0.5 |
| ` + "`PERCENTILE_DISC(p) WITHIN GROUP (ORDER BY x)`" + ` | any, a constant from 0 to 1 | type of x | yes | the first value, in order, that at least a share p of the values do not come after; limited as PERCENTILE_CONT is |
| ` + "`COVAR_POP(x, y)`, `COVAR_SAMP(x, y)`, `CORR(x, y)`" + ` | numbers | DOUBLE | | of rows in which neither is NULL: covariance and Pearson's correlation, from sums in about 106 bits as variances are; NaN if a square is not finite; CORR is NULL where one does not vary |

COUNT_IF(c) is COUNT(\*) FILTER (WHERE c), ANY_VALUE(x) is FIRST_VALUE(x).

Each takes FILTER (WHERE ..). DISTINCT goes with those of one argument; it changes nothing for BOOL_AND, BOOL_OR, FIRST_VALUE, LAST_VALUE, APPROX_COUNT_DISTINCT, MIN, MAX,
MIN_BY and MAX_BY, and STRING_AGG(DISTINCT x) and ARRAY_AGG(DISTINCT x) have each value where it comes first. All but ARRAY_AGG pass over NULL. Without any value they are NULL, and counts are 0.
`)
	return b.String()
}

// shapes says what a function takes and gives, overloads one below the other.
func shapes(f *Function) (arguments, results string) {
	switch f.Name {
	case "row":
		return "any type each", "ROW"
	case "member":
		return "ROW", "that of the member"
	case "case":
		return "BOOLEAN, any, .., any", "any"
	case "cast", "try_cast":
		return "any", "the type named"
	}
	var args, gives []string
	numbers := 0
	for _, s := range f.Signatures {
		in, out := make([]string, len(s.Args)), shown(s.Result)
		alike := s.Result.IsNumeric() && len(s.Args) > 0
		for i, a := range s.Args {
			in[i], alike = shown(a), alike && a == s.Result
		}
		list := strings.Join(in, ", ")
		if s.Variadic {
			list += ", .."
		}
		if alike && len(f.Signatures) >= 4 {
			if numbers++; numbers > 1 {
				continue
			}
			list, out = strings.ReplaceAll(list, in[0], "number"), "number"
		}
		args, gives = append(args, list), append(gives, out)
	}
	return strings.Join(args, "<br>"), strings.Join(gives, "<br>")
}

func shown(t stream.Type) string {
	switch t {
	case stream.Invalid:
		return "any"
	case array:
		return "ARRAY of any"
	}
	return t.String()
}

// plain keeps Markdown from reading marks into a description.
func plain(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, `\`, `\\`).Replace(s)
}
