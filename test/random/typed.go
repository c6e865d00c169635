package random

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Columns and expressions of the types that are carried as another's: dt DATE, tm TIME,
// sm SMALLINT, ti TINYINT; dc DECIMAL(12,3), dw DECIMAL(30,8); bt BYTEA and js JSON.

var typedColumns = []string{"dt", "tm", "sm", "ti", "dc", "dw", "bt", "js"}

// typedRow adds the values of these columns, near each other or odd.
func (d *data) typedRow(r *rand.Rand, row map[string]cell, ms int64, null func() bool) {
	day := time.UnixMilli(ms).UTC().AddDate(0, 0, r.IntN(4)-1).Format("2006-01-02")
	clock := fmt.Sprintf("%02d:%02d:%02d", 8+r.IntN(3), 30*r.IntN(2), 20*r.IntN(3))
	small, tiny := fmt.Sprint(r.IntN(2000)-1000), fmt.Sprint(r.IntN(12)-4)
	if r.IntN(40) == 0 {
		day = []string{"0001-01-01", "9999-12-31", "1969-12-31", "2023-02-29"}[r.IntN(4)]
		clock = []string{"00:00:00", "23:59:59.999999", "12:00:00.5", "24:00:00"}[r.IntN(4)]
		small, tiny = []string{"32767", "-32768", "32768"}[r.IntN(3)], []string{"127", "-128", "-129"}[r.IntN(3)]
	}
	row["dc"] = cell{text: fmt.Sprintf("%d.%03d", r.IntN(40)-20, 125*r.IntN(8)), null: null()}
	row["dw"] = cell{text: fmt.Sprintf("%d.%08d", r.IntN(4)-2, 12_500_000*r.IntN(3)), null: null()}
	if r.IntN(40) == 0 {
		row["dc"] = cell{text: []string{"999999999.999", "-999999999.999", "1e9", "0.0005", "-0", "12.3456"}[r.IntN(6)]}
		row["dw"] = cell{text: []string{"9999999999999999999999.99999999", "-9999999999999999999999.99999999", "1e-8", "12345678901234567890.5"}[r.IntN(4)]}
	}
	row["bt"] = cell{text: base64.StdEncoding.EncodeToString([]byte(blobs[r.IntN(len(blobs))])), null: null(), quoted: true}
	row["js"] = cell{text: jsons[r.IntN(len(jsons))], null: null()}
	if r.IntN(60) == 0 {
		row["bt"], row["js"] = cell{text: []string{"%", "YQ", "YQ=="}[r.IntN(3)], quoted: true}, cell{text: []string{`[`, "{}", `{"a":01}`}[r.IntN(3)]}
	}
	row["dt"] = cell{text: day, null: null(), quoted: true}
	row["tm"] = cell{text: clock, null: null(), quoted: true}
	row["sm"] = cell{text: small, null: null()}
	row["ti"] = cell{text: tiny, null: null()}
}

var (
	blobs = []string{"", "a", "green", "\x00", "\xff\x00", "\xc3", "é", "\x00a", "\xd8\x3d\xde\x00"}
	jsons = []string{`{"a": [1, "x"], "b": null}`, `[true, {"a": 1.50}]`, `"green"`, "12", "{}", `{"a":"\u00e9"}`, "[ ]", "-0"}
)

// bytes is an expression of type BYTEA.
func (e exprs) bytes(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("bt"), e.col("bt"), "X'00c3'", "'\\x61'::BYTEA", "BYTEA 'green'")
	}
	a := e.bytes(depth - 1)
	switch e.r.IntN(7) {
	case 0:
		return fmt.Sprintf("(%s || %s)", a, e.bytes(0))
	case 1:
		return fmt.Sprintf("SUBSTRING(%s, %d%s)", a, e.r.IntN(4)-1, e.pick("", ", 1", ", 2", ", -1"))
	case 2:
		return fmt.Sprintf("CAST(%s AS BYTEA)", e.text(depth-1))
	case 3:
		return e.pick("ENCODE("+e.text(depth-1)+", "+e.pick("'UTF-8'", "'US-ASCII'", "'ISO-8859-1'", "'UTF-16BE'", "'utf-16le'")+")", "DECODE(ENCODE("+a+", 'base64'), 'base64')", "DECODE("+e.text(0)+", 'hex')", "UNHEX("+e.pick("HEX("+a+")", e.text(0))+")")
	case 4:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF", "COALESCE"), a, e.bytes(0))
	case 5:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", e.boolean(0), a, e.bytes(0))
	default:
		return a
	}
}

// json is an expression of type JSON.
func (e exprs) json(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("js"), e.col("js"), `JSON '{"a": [1, "x"]}'`)
	}
	a := e.json(depth - 1)
	switch e.r.IntN(5) {
	case 0:
		return fmt.Sprintf("(%s -> %s)", a, e.pick("'a'", "'b'", "0", "-1"))
	case 1:
		return fmt.Sprintf("%s(%s AS JSON)", e.pick("CAST", "TRY_CAST"), e.pick("CAST("+a+" AS VARCHAR)", "'[' || "+e.text(0)+" || ']'"))
	case 2:
		return fmt.Sprintf("COALESCE(%s, '[ 1 ]')", a)
	case 3:
		return fmt.Sprintf("CASE WHEN %s THEN %s END", e.boolean(0), a)
	default:
		return a
	}
}

// output is any expression that is not compared.
func (e exprs) output(depth int) string {
	if e.r.IntN(14) == 0 {
		return e.json(depth)
	}
	return e.scalar(depth)
}

// date is an expression of type DATE; depth 0 gives columns and literals.
func (e exprs) date(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("dt"), e.col("dt"), "DATE '2026-01-01'")
	}
	a := e.date(depth - 1)
	switch e.r.IntN(8) {
	case 0:
		return fmt.Sprintf("(%s %s %s)", a, e.pick("+", "-"), e.integer(0))
	case 1:
		return fmt.Sprintf("(%s + %s)", e.small(0), a)
	case 2:
		return fmt.Sprintf("%s(%s AS DATE)", e.pick("CAST", "TRY_CAST"), e.pick(e.timestamp(depth-1), e.text(0), "CAST("+a+" AS VARCHAR)"))
	case 3:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF", "COALESCE"), a, e.date(0))
	case 4:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", e.boolean(0), a, e.date(0))
	default:
		return a
	}
}

// clock is an expression of type TIME.
func (e exprs) clock(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("tm"), e.col("tm"), "TIME '08:30:00'")
	}
	a := e.clock(depth - 1)
	switch e.r.IntN(7) {
	case 0:
		return fmt.Sprintf("(%s %s %s)", a, e.pick("+", "-"), e.interval(0))
	case 1:
		return fmt.Sprintf("(%s + %s)", e.interval(0), a)
	case 2:
		return fmt.Sprintf("%s(%s AS TIME)", e.pick("CAST", "TRY_CAST"), e.pick(e.timestamp(depth-1), e.text(0), "CAST("+a+" AS VARCHAR)"))
	case 3:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF", "COALESCE"), a, e.clock(0))
	default:
		return a
	}
}

// small is an expression of type SMALLINT or TINYINT.
func (e exprs) small(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("sm"), e.col("ti"), e.col("ti"))
	}
	a, b := e.small(depth-1), e.small(depth-1)
	switch e.r.IntN(8) {
	case 0:
		return fmt.Sprintf("(%s %s %s)", a, e.pick("+", "-", "*", "/", "%"), b)
	case 1:
		return fmt.Sprintf("%s(%s)", e.pick("-", "ABS", "SIGN"), a)
	case 2:
		return fmt.Sprintf("%s(%s AS %s)", e.pick("CAST", "TRY_CAST"), e.pick(e.number(depth-1), e.text(0), e.boolean(0), a), e.pick("SMALLINT", "TINYINT"))
	case 3:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF", "COALESCE"), a, b)
	default:
		return a
	}
}

// decimal is an expression of type DECIMAL.
func (e exprs) decimal(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("dc"), e.col("dc"), e.col("dw"), "CAST(1.25 AS DECIMAL(5, 2))")
	}
	a, b := e.decimal(depth-1), e.pick(e.decimal(depth-1), e.decimal(0), e.integer(0), e.col("sm"), "0.5")
	switch e.r.IntN(10) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", a, e.pick("+", "-", "*"), b)
	case 2:
		return fmt.Sprintf("(%s %s %s)", b, e.pick("+", "-", "*"), a)
	case 3:
		return fmt.Sprintf("(%s %s %s)", a, e.pick("/", "%"), b)
	case 4:
		if e.r.IntN(4) == 0 {
			return fmt.Sprintf("ROUND(%s, %d)", a, e.r.IntN(4))
		}
		return fmt.Sprintf("%s(%s)", e.pick("-", "ABS", "FLOOR", "CEIL", "ROUND", "SIGN", "TRUNC"), a)
	case 5:
		return fmt.Sprintf("%s(%s AS DECIMAL(%s))", e.pick("CAST", "TRY_CAST"), e.pick(e.number(depth-1), e.text(0), a), e.pick("4", "9, 2", "18, 6", "38, 10", "20, 20"))
	case 6:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF", "COALESCE"), a, b)
	default:
		return a
	}
}

// typed is any expression of these types, or one of another type made from them.
func (e exprs) typed(depth int) string {
	d := max(depth-1, 0)
	if e.seldom() {
		return e.nested(depth)
	}
	switch e.r.IntN(16) {
	case 14:
		return e.bytes(depth)
	case 15:
		return e.pick("LENGTH("+e.bytes(d)+")", "CAST("+e.bytes(d)+" AS VARCHAR)")
	case 10, 11, 12:
		return e.decimal(depth)
	case 13:
		return fmt.Sprintf("CAST(%s AS %s)", e.decimal(d), e.pick("INTEGER", "BIGINT", "TINYINT", "REAL", "DOUBLE", "VARCHAR"))
	case 0, 1:
		return e.date(depth)
	case 2, 3:
		return e.clock(depth)
	case 4, 5:
		return e.small(depth)
	case 6:
		return fmt.Sprintf("(%s %s %s)", e.small(d), e.pick("+", "-", "*"), e.pick(e.integer(0), e.number(0)))
	case 7:
		return e.pick(fmt.Sprintf("(%s - %s)", e.date(d), e.date(0)), fmt.Sprintf("(%s - %s)", e.clock(d), e.clock(0)))
	case 8:
		return e.pick(fmt.Sprintf("(%s + %s)", e.date(d), e.clock(0)), fmt.Sprintf("(%s - %s)", e.date(d), e.interval(0)), fmt.Sprintf("DATE_TRUNC('month', %s)", e.date(d)))
	default:
		return e.pick(fmt.Sprintf("EXTRACT(%s FROM %s)", e.pick("YEAR", "MONTH", "DAY", "EPOCH"), e.date(d)), fmt.Sprintf("EXTRACT(%s FROM %s)", e.pick("HOUR", "MINUTE", "SECOND", "EPOCH"), e.clock(d)))
	}
}

// typedCondition compares values of these types.
func (e exprs) typedCondition(depth int) string {
	if e.seldom() {
		return e.nestedCondition(depth)
	}
	switch e.r.IntN(8) {
	case 7:
		return e.pick(e.bytes(depth)+" "+e.compare()+" "+e.bytes(0), e.bytes(0)+" IN ("+e.bytes(depth)+", X'61', NULL)", e.json(depth)+" IS NOT NULL")
	case 5, 6:
		return fmt.Sprintf("%s %s %s", e.decimal(depth), e.compare(), e.pick(e.decimal(0), e.integer(0), e.col("y"), e.col("d"), "0.125"))
	case 0:
		return fmt.Sprintf("%s %s %s", e.date(depth), e.compare(), e.pick(e.date(0), e.timestamp(0), "'2026-01-01'"))
	case 1:
		return fmt.Sprintf("%s BETWEEN '08:00' AND %s", e.clock(depth), e.clock(0))
	case 2:
		return fmt.Sprintf("%s IN (%s, %s, NULL)", e.date(depth), e.date(0), e.date(0))
	default:
		return fmt.Sprintf("%s %s %s", e.small(depth), e.compare(), e.pick(e.small(0), e.integer(0), e.number(0)))
	}
}

// typeUse counts in how many models values of a type are columns, keys of groups and of
// joins, arguments of aggregates, and arguments of functions.
type typeUse map[string]int

var typeUses = []string{"column", "key", "join key", "aggregate", "argument"}

func (u typeUse) add(t *testing.T, text string) {
	m, err := model.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	note := func(how string, t stream.Type) { seen[how+" "+kindName(t)] = true }
	expr := func(how string, e *model.Expr) {
		if e == nil {
			return
		}
		note(how, e.Type)
		e.Walk(func(x *model.Expr) {
			for _, a := range x.Args {
				note("argument", a.Type)
			}
		})
	}
	for _, op := range m.Ops {
		for _, f := range op.Relation.Schema.Fields {
			note("column", f.Type)
		}
		for _, e := range op.Project {
			expr("column", e)
		}
		if a := op.Aggregate; a != nil {
			for _, k := range a.Keys {
				expr("key", k)
			}
			for _, g := range a.Aggs {
				expr("aggregate", g.Arg)
			}
		}
		if op.Join != nil {
			for _, k := range op.Join.LeftKeys {
				expr("join key", k)
			}
		}
	}
	for row := range seen {
		u[row]++
	}
}

func kindName(t stream.Type) string { return t.String() }

// typeUseMin is in how many cases of a full test a type must have been used in each way.
const typeUseMin = 3

// assert fails for uses of a type that were drawn too seldom.
func (u typeUse) assert(t *testing.T) {
	t.Helper()
	for _, typ := range stream.Types {
		for _, how := range typeUses {
			if how == "join key" && (typ == stream.Real || typ == stream.BigInt) {
				continue // carried as DOUBLE and INTERVAL are
			}
			if typ == stream.JSON && (how == "key" || how == "join key") {
				continue // it is not compared
			}
			want := typeUseMin
			if how == "join key" || how == "key" && typ.IsNested() {
				want = 1
			}
			if row := how + " " + kindName(typ); u[row] < want {
				t.Errorf("coverage: %q in %d cases, want %d", row, u[row], want)
			}
		}
	}
}

// typedKey joins by a column of any type.
func (g *generator) typedKey(left, right string) string {
	columns := append([]string{"k", "w", "v", "b"}, typedColumns[:len(typedColumns)-1]...) // a JSON is not compared
	if g.r.IntN(8) == 0 {
		columns = nestedColumns
	}
	c := columns[g.r.IntN(len(columns))]
	return fmt.Sprintf("%s.%s = %s.%s", left, c, right, c)
}
