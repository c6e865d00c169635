package random

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Columns and expressions of nested types: ai ARRAY<INTEGER>, av ARRAY<VARCHAR>,
// ro ROW<a INTEGER, "b c" VARCHAR>. Devices hold none of them, so they are drawn seldom.

var nestedColumns = []string{"ai", "av", "ro"}

// nestedRow adds the values of these columns, as JSON.
func nestedRow(r *rand.Rand, row map[string]cell, null func() bool) {
	list := func(items ...string) string {
		var out []string
		for range r.IntN(4) {
			out = append(out, items[r.IntN(len(items))])
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	row["ai"] = cell{text: list("1", "2", "3", "-7", "null", "2147483647"), null: null()}
	row["av"] = cell{text: list(`"red"`, `"a,b"`, `""`, `"12"`, `"Zoë"`, "null", `"x\u0000\""`), null: null()}
	row["ro"] = cell{text: fmt.Sprintf(`{"a": %s, "b c": %s}`, []string{"1", "2", "null"}[r.IntN(3)], []string{`"red"`, `"blue"`, "null"}[r.IntN(3)]), null: null()}
	if r.IntN(60) == 0 {
		row["ai"] = cell{text: []string{"[]", "[1.0]", "[2147483648]", "{}", "[[1]]"}[r.IntN(5)]}
		row["ro"] = cell{text: []string{`{"b c":"x"}`, `{"z":[1,{}],"a":3}`, `{"a":"x"}`, "[]"}[r.IntN(4)]}
	}
}

// seldom is true for one of about as many expressions as may be of nested types.
func (e exprs) seldom() bool { return e.r.IntN(16) == 0 }

// ints is an expression of type ARRAY<INTEGER>.
func (e exprs) ints(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("ai"), e.col("ai"), "ARRAY["+e.col("k")+", NULL, 2]", "CAST('[3, null]' AS INT[])")
	}
	a := e.ints(depth - 1)
	switch e.r.IntN(9) {
	case 0:
		return fmt.Sprintf("(%s || %s)", a, e.pick(e.ints(0), e.integer(0)))
	case 1:
		return fmt.Sprintf("(%s || %s)", e.col("k"), a)
	case 2:
		return fmt.Sprintf("%s(%s)", e.pick("ARRAY_SORT", "ARRAY_DISTINCT", "ARRAY_REVERSE"), a)
	case 3:
		return fmt.Sprintf("ARRAY_SORT(%s, %s, %s)", a, e.pick("TRUE", "FALSE", e.col("b")), e.pick("TRUE", "FALSE"))
	case 4:
		return fmt.Sprintf("ARRAY_SLICE(%s, %s, %s)", a, e.integer(0), e.integer(0))
	case 5:
		return fmt.Sprintf("ARRAY_REMOVE(%s, %s)", a, e.integer(0))
	case 6:
		return fmt.Sprintf("%s(%s AS ARRAY<INT>)", e.pick("CAST", "TRY_CAST"), e.pick(e.texts(0), "CAST("+a+" AS VARCHAR)", e.col("g")))
	case 7:
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", e.boolean(0), a, e.ints(0))
	}
	return a
}

// texts is an expression of type ARRAY<VARCHAR>.
func (e exprs) texts(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("av"), e.col("av"), "SPLIT("+e.col("g")+", 'e')", "STRING_TO_ARRAY("+e.col("g")+", ',')", "SPLIT("+e.col("g")+", '')")
	}
	a := e.texts(depth - 1)
	switch e.r.IntN(5) {
	case 0:
		return fmt.Sprintf("(%s || %s)", a, e.text(0))
	case 1:
		return fmt.Sprintf("CAST(%s AS VARCHAR ARRAY)", e.ints(depth-1))
	case 2:
		return fmt.Sprintf("COALESCE(%s, %s)", a, e.texts(0))
	}
	return a
}

// record is an expression of type ROW<a INTEGER, "b c" VARCHAR>.
func (e exprs) record() string {
	return e.pick(e.col("ro"), e.col("ro"), fmt.Sprintf(`CAST(ROW(%s, %s) AS ROW<a INT, "b c" VARCHAR>)`, e.integer(0), e.col("g")))
}

// nested is an expression of a nested type, or one made from them.
func (e exprs) nested(depth int) string {
	d := max(depth-1, 0)
	switch e.r.IntN(14) {
	case 0, 1:
		return e.ints(depth)
	case 2, 3:
		return e.texts(depth)
	case 4, 5:
		return e.record()
	case 6:
		return fmt.Sprintf("ARRAY[%s, %s]", e.record(), e.col("ro"))
	case 7:
		return fmt.Sprintf("%s[%s]", e.pick(e.ints(d), e.texts(d)), e.pick("1", "2", "-1", e.col("k")))
	case 8:
		return e.pick(e.col("ro")+".a", e.col("ro")+`."b c"`, "("+e.record()+").a", "ARRAY["+e.col("ro")+"][1].a")
	case 9:
		return fmt.Sprintf("ARRAY_JOIN(%s, '-'%s)", e.pick(e.ints(d), e.texts(d)), e.pick("", ", '?'"))
	case 10:
		return fmt.Sprintf("%s(%s)", e.pick("ELEMENT", "ARRAY_MIN", "ARRAY_MAX"), e.pick(e.ints(d), e.texts(d)))
	case 11:
		return fmt.Sprintf("CAST(%s AS VARCHAR)", e.pick(e.ints(d), e.texts(d), e.record()))
	case 12:
		return fmt.Sprintf("ARRAY_POSITION(%s, %s)", e.ints(d), e.integer(0))
	default:
		return fmt.Sprintf("CARDINALITY(%s)", e.pick(e.ints(d), e.texts(d)))
	}
}

// nestedCondition compares nested values, or looks into them.
func (e exprs) nestedCondition(depth int) string {
	switch e.r.IntN(6) {
	case 0:
		return fmt.Sprintf("%s %s %s", e.ints(depth), e.compare(), e.ints(0))
	case 1:
		return fmt.Sprintf("%s = ANY(%s)", e.integer(0), e.ints(depth))
	case 2:
		return fmt.Sprintf("%s <> ALL(%s)", e.text(0), e.texts(depth))
	case 3:
		return fmt.Sprintf("ARRAY_CONTAINS(%s, %s)", e.texts(depth), e.pick(e.col("g"), "NULL", "'red'"))
	case 4:
		return fmt.Sprintf("%s %s %s", e.record(), e.pick("=", "<>", "IS DISTINCT FROM"), e.col("ro"))
	default:
		return fmt.Sprintf("%s.a %s %s", e.col("ro"), e.compare(), e.integer(0))
	}
}
