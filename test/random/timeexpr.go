package random

import "fmt"

// timestamp is an expression of type TIMESTAMP; depth 0 gives columns and literals.
func (e exprs) timestamp(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("w"), e.col("w"), "TIMESTAMP '2026-01-01 00:00:10'", "TO_TIMESTAMP_LTZ("+e.col("ms")+", 3)")
	}
	if e.r.IntN(6) == 0 {
		return e.form('s', depth-1)
	}
	a := e.timestamp(depth - 1)
	switch e.r.IntN(9) {
	case 0:
		return fmt.Sprintf("(%s + %s)", a, e.interval(depth-1))
	case 1:
		return fmt.Sprintf("(%s - INTERVAL '%d' SECOND)", a, e.r.IntN(100))
	case 2:
		return fmt.Sprintf("DATE_TRUNC('%s', %s)", e.pick("second", "minute", "hour", "day", "month", "year"), a)
	case 3:
		return fmt.Sprintf("COALESCE(%s, %s)", a, e.timestamp(0))
	case 4:
		return fmt.Sprintf("%s(%s, %s)", e.pick("GREATEST", "LEAST", "NULLIF"), a, e.timestamp(0))
	case 5:
		return fmt.Sprintf("CASE WHEN %s THEN %s END", e.boolean(0), a)
	case 6:
		return fmt.Sprintf("%s(%s AS TIMESTAMP)", e.pick("CAST", "TRY_CAST"), e.text(0))
	case 7:
		return fmt.Sprintf("TO_TIMESTAMP_LTZ(%s, %s)", e.pick(e.col("y"), e.col("ms"), "CAST("+e.col("x")+" AS BIGINT)"), e.pick("0", "3", "6"))
	default:
		return a
	}
}

// interval is an expression of type INTERVAL.
func (e exprs) interval(depth int) string {
	if depth <= 0 {
		return e.pick(e.col("v"), e.col("v"), "INTERVAL '90' SECOND", "INTERVAL '1 day 2 hours'")
	}
	a := e.interval(depth - 1)
	switch e.r.IntN(9) {
	case 0:
		return fmt.Sprintf("(%s + %s)", a, e.interval(0))
	case 1:
		return fmt.Sprintf("(%s - %s)", a, e.interval(0))
	case 2:
		return fmt.Sprintf("(%s - %s)", e.timestamp(depth-1), e.timestamp(0))
	case 3:
		return fmt.Sprintf("(%s * %s)", a, e.integer(0))
	case 4:
		return fmt.Sprintf("(%s / %s)", a, e.integer(0))
	case 5:
		return fmt.Sprintf("(-(%s))", a)
	case 6:
		return fmt.Sprintf("COALESCE(%s, %s)", a, e.interval(0))
	case 7:
		return fmt.Sprintf("TRY_CAST(%s AS INTERVAL)", e.text(0))
	default:
		return a
	}
}

// part is a field of a timestamp, as BIGINT.
func (e exprs) part() string {
	return fmt.Sprintf("EXTRACT(%s FROM %s)", e.pick("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"), e.timestamp(1))
}
