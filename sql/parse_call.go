package sql

import "github.com/millrace/millrace/stream"

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
	default:
		p.arguments(e)
	}
	e.span = t.span.join(p.expect(")"))
	p.afterCall(e)
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
	if p.isWord("order") {
		p.fail(p.peek().span, "", "ORDER BY inside a function call is not supported yet")
	}
}

func (p *parser) afterCall(e *expr) {
	if p.isWord("within", "respect", "ignore") && p.peekAt(1).kind == wordToken {
		p.fail(p.peek().span, "", "%s %s is not supported yet", upper(p.peek().text), upper(p.peekAt(1).text))
	}
	if p.acceptWords("filter") {
		p.expect("(")
		p.expectWord("where")
		e.filter = p.expression()
		e.span = e.span.join(p.expect(")"))
	}
	if p.isWord("over") {
		p.fail(p.peek().span, "aggregate in a window instead: FROM s [ROWS n] or s [RANGE d]", "OVER windows are not supported yet")
	}
}

var extractFields = map[string]string{
	"epoch": "extract_epoch", "year": "extract_year", "month": "extract_month", "day": "extract_day",
	"hour": "extract_hour", "minute": "extract_minute", "second": "extract_second",
}

func (p *parser) extract(e *expr) {
	t := p.next()
	if t.kind != wordToken && t.kind != stringToken {
		p.fail(t.span, "", "expected a field such as EPOCH or HOUR, found %s", t.show())
		return
	}
	fn, ok := extractFields[t.text]
	if !ok {
		p.fail(t.span, suggest(upper(t.text), []string{"EPOCH", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}), "EXTRACT has no field %s", upper(t.text))
		return
	}
	e.fn, e.operator = fn, true
	p.expectWord("from")
	e.args = []*expr{p.expression()}
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
