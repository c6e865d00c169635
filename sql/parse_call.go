package sql

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// call reads name(..), with the forms that have keywords inside.
func (p *parser) call() *expr {
	t := p.next()
	e := &expr{kind: callExpr, fn: t.text, fnAt: t.span}
	p.expect("(")
	switch t.text {
	case "extract":
		p.extract(e)
	case "position":
		needle := p.binary(comparePower)
		if !p.acceptWords("in") {
			p.expect(",")
		}
		e.args = []*expr{needle, p.expression()}
		if p.accept(",") {
			e.args = append(e.args, p.expression())
		}
	case "substring", "substr":
		p.substring(e)
	case "trim":
		p.trim(e)
	case "overlay":
		p.overlay(e)
	case "floor", "ceil", "ceiling":
		p.rounding(e)
	case "timestampadd", "timestampdiff":
		p.unitFirst(e)
	default:
		p.arguments(e)
		p.aggregateClauses(e)
	}
	json := t.text == "json_value" || t.text == "json_query"
	var clauses jsonClauses
	if json {
		clauses = p.jsonClauses(t.text)
	}
	e.span = t.span.join(p.expect(")"))
	p.afterCall(e)
	if json {
		return p.jsonCall(e, clauses)
	}
	return e
}

func (p *parser) arguments(e *expr) {
	if p.accept("*") {
		e.star = true
		return
	}
	if p.isSymbol(")") {
		return
	}
	if p.isWord("select", "with") {
		p.refuseSubquery()
	}
	if p.acceptWords("distinct") {
		e.distinct = true
	} else {
		p.acceptWords("all")
	}
	for p.err == nil {
		e.args = append(e.args, p.expression())
		if !p.accept(",") {
			break
		}
	}
}

// aggregateClauses reads what stands behind the arguments of STRING_AGG and ARRAY_AGG:
// ORDER BY, GROUP_CONCAT's SEPARATOR, and ARRAY_AGG's RESPECT or IGNORE NULLS.
func (p *parser) aggregateClauses(e *expr) {
	p.nullsClause(e)
	if p.isWord("order") && !aggregateNames[e.fn].Orders() {
		p.fail(p.peek().span, "", "ORDER BY inside a call of %s is not supported", upper(e.fn))
	}
	if p.acceptWords("order") {
		p.orderKeys(e)
	}
	if e.fn == "group_concat" && len(e.args) == 1 && p.acceptWords("separator") {
		e.args = append(e.args, p.expression())
	}
}

// nullsClause reads RESPECT NULLS or IGNORE NULLS, within the parentheses or behind them.
func (p *parser) nullsClause(e *expr) {
	if !p.isWord("respect", "ignore") || p.peekAt(1).text != "nulls" || aggregateNames[e.fn] != model.ArrayAgg {
		return
	}
	if e.nulls != "" {
		p.fail(p.peek().span, "", "%s is told twice what to do with NULLS", upper(e.fn))
	}
	e.nulls = p.next().text
	e.span = e.span.join(p.next().span)
}

func (p *parser) orderKeys(e *expr) {
	p.expectWord("by")
	for p.err == nil {
		e.order = append(e.order, p.orderKey())
		if !p.accept(",") {
			break
		}
	}
}

// withinGroup reads WITHIN GROUP (ORDER BY ..).
func (p *parser) withinGroup(e *expr) {
	p.next()
	p.expectWord("group")
	p.expect("(")
	p.expectWord("order")
	if e.order != nil {
		p.fail(p.last(), "", "%s has two orders", upper(e.fn))
	}
	e.order, e.within = nil, true
	p.orderKeys(e)
	e.span = e.span.join(p.expect(")"))
}

func (p *parser) afterCall(e *expr) {
	_, aggregate := aggregateNames[e.fn]
	if aggregate && p.isWord("within") {
		p.withinGroup(e)
	}
	p.nullsClause(e)
	if aggregate && p.isWord("within", "respect", "ignore") && p.peekAt(1).kind == wordToken {
		p.fail(p.peek().span, "", "%s %s is not supported yet", upper(p.peek().text), upper(p.peekAt(1).text))
	}
	if p.acceptWords("filter") {
		p.expect("(")
		p.expectWord("where")
		e.filter = p.expression()
		e.span = e.span.join(p.expect(")"))
	}
	if p.isWord("over") {
		p.over(e)
	}
}

// extractFields are other names of fields; a field is a function of the model.
var extractFields = map[string]string{
	"dayofweek": "dow", "dayofyear": "doy", "milliseconds": "millisecond", "microseconds": "microsecond", "isodayofweek": "isodow",
}

var shownFields = []string{"EPOCH", "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "DOW", "ISODOW", "ISOYEAR", "HOUR", "MINUTE", "SECOND",
	"MILLISECOND", "MICROSECOND", "DECADE", "CENTURY", "MILLENNIUM"}

// extractFunction is the model's function for a field of EXTRACT.
func extractFunction(field string) (string, bool) {
	if other, ok := extractFields[field]; ok {
		field = other
	}
	_, ok := function.Lookup("extract_" + field)
	return "extract_" + field, ok
}

func (p *parser) extract(e *expr) {
	t := p.next()
	if t.kind != wordToken && t.kind != stringToken {
		p.fail(t.span, "", "expected a field such as EPOCH or HOUR, found %s", t.show())
		return
	}
	fn, ok := extractFunction(strings.ToLower(t.text))
	if !ok {
		p.fail(t.span, suggest(upper(t.text), shownFields), "EXTRACT has no field %s", upper(t.text))
		return
	}
	e.fn, e.operator = fn, true
	p.expectWord("from")
	e.args = []*expr{p.expression()}
}

// rounding reads FLOOR(x) and CEIL(x), and FLOOR(ts TO unit).
func (p *parser) rounding(e *expr) {
	p.arguments(e)
	if len(e.args) != 1 || !p.acceptWords("to") {
		return
	}
	e.fn, e.args = map[bool]string{true: "date_trunc", false: "date_ceil"}[e.fn == "floor"], []*expr{p.timeUnit(), e.args[0]}
	e.operator = true
}

// unitFirst reads TIMESTAMPADD(unit, n, ts) and TIMESTAMPDIFF(unit, a, b).
func (p *parser) unitFirst(e *expr) {
	e.fn, e.operator = "timestamp_"+strings.TrimPrefix(e.fn, "timestamp"), true
	unit := p.timeUnit()
	p.expect(",")
	p.arguments(e)
	e.args = append([]*expr{unit}, e.args...)
}

// timeUnit reads a unit of time as a text.
func (p *parser) timeUnit() *expr {
	t := p.next()
	unit := strings.ToLower(t.text)
	if !slices.Contains(function.Units, unit) {
		unit = strings.TrimSuffix(strings.TrimPrefix(unit, "sql_tsi_"), "s")
	}
	if t.kind != wordToken && t.kind != stringToken || !slices.Contains(function.Units, unit) {
		var units []string
		for _, u := range function.Units {
			units = append(units, upper(u))
		}
		p.fail(t.span, suggest(upper(t.text), units), "expected a unit of time such as HOUR, found %s", t.show())
	}
	return &expr{kind: literalExpr, span: t.span, value: stream.Text(unit)}
}

// substring reads SUBSTRING(x FROM a FOR b) and the form with commas.
func (p *parser) substring(e *expr) {
	e.fn = "substring"
	e.args = []*expr{p.expression()}
	switch {
	case p.acceptWords("from"):
		e.args = append(e.args, p.expression())
		if p.acceptWords("for") {
			e.args = append(e.args, p.expression())
		}
	case p.acceptWords("for"):
		one := &expr{kind: literalExpr, span: p.last(), value: stream.Int(1)}
		e.args = append(e.args, one, p.expression())
	default:
		for p.accept(",") {
			e.args = append(e.args, p.expression())
		}
	}
}

// trim reads TRIM(x), TRIM(x, characters) and TRIM([BOTH|LEADING|TRAILING] [characters]
// FROM x).
func (p *parser) trim(e *expr) {
	if p.isWord("both", "leading", "trailing") {
		switch p.next().text {
		case "leading":
			e.fn = "ltrim"
		case "trailing":
			e.fn = "rtrim"
		}
	}
	if p.acceptWords("from") {
		e.args = []*expr{p.expression()}
		return
	}
	first := p.expression()
	e.args = []*expr{first}
	if p.acceptWords("from") {
		e.args = []*expr{p.expression(), first}
		return
	}
	for p.accept(",") {
		e.args = append(e.args, p.expression())
	}
}

// overlay reads OVERLAY(x PLACING y FROM n FOR m) and the form with commas.
func (p *parser) overlay(e *expr) {
	e.args = []*expr{p.expression()}
	if !p.acceptWords("placing") {
		for p.accept(",") {
			e.args = append(e.args, p.expression())
		}
		return
	}
	e.args = append(e.args, p.expression())
	p.expectWord("from")
	e.args = append(e.args, p.expression())
	if p.acceptWords("for") {
		e.args = append(e.args, p.expression())
	}
}
