package sql

import (
	"strings"

	"github.com/millrace/millrace/internal/zone"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Binding powers of the binary operators, loosest first.
const (
	orPower = iota + 1
	andPower
	notPower
	comparePower
	concatPower
	addPower
	mulPower
	zonePower
	signPower
	castPower
)

type infix struct {
	power int
	fn    string
}

var infixes = map[string]infix{
	"=": {comparePower, "eq"}, "<>": {comparePower, "ne"}, "!=": {comparePower, "ne"},
	"<": {comparePower, "lt"}, "<=": {comparePower, "le"}, ">": {comparePower, "gt"}, ">=": {comparePower, "ge"},
	"||": {concatPower, "concat"}, "+": {addPower, "add"}, "-": {addPower, "sub"},
	"&": {concatPower, "bit_and"}, "|": {concatPower, "bit_or"}, "#": {concatPower, "bit_xor"}, "<<": {concatPower, "shift_left"}, ">>": {concatPower, "shift_right"},
	"~": {concatPower, "regexp_like"}, "~*": {concatPower, "regexp_like"}, "!~": {concatPower, "regexp_like"}, "!~*": {concatPower, "regexp_like"},
	"->": {concatPower, "json_get"}, "->>": {concatPower, "json_get_text"},
	"*": {mulPower, "mul"}, "/": {mulPower, "div"}, "%": {mulPower, "mod"}, "::": {castPower, ""},
}

func (p *parser) expression() *expr { return p.binary(0) }

// binary reads an expression of operators that bind more tightly than power.
func (p *parser) binary(power int) *expr {
	p.enter()
	defer func() { p.depth-- }()
	left := p.prefix()
	for p.err == nil {
		if left = p.measured(left); p.err != nil {
			break
		}
		t := p.peek()
		switch {
		case t.kind == symbolToken:
			op, ok := infixes[t.text]
			if !ok || op.power <= power {
				return left
			}
			p.next()
			if t.text == "::" {
				left = p.castTo(left, p.typeName(), false)
				break
			}
			if op.power == comparePower {
				if q := p.quantified(t, left); q != nil {
					left = q
					break
				}
			}
			left = infixCall(t, op.fn, left, p.binary(op.power))
		case t.kind != wordToken:
			return left
		case t.text == "or" && power < orPower:
			p.next()
			left = operator(t.span, "or", left, p.binary(orPower))
		case t.text == "and" && power < andPower:
			p.next()
			left = operator(t.span, "and", left, p.binary(andPower))
		case power < zonePower && p.isWord("at") && p.isWordAt(1, "time", "local"):
			left = p.zoned(left)
		case power < comparePower && p.isPredicate():
			left = p.predicate(left)
		default:
			return left
		}
	}
	return left
}

// maxConjuncts bounds a chain of ANDs, the one thing that may nest more deeply than
// maxExprDepth: conditions are taken apart at their ANDs.
const (
	maxExprDepth = 500
	maxConjuncts = 10000
)

// measured notes how deeply an expression is nested, and refuses what no later step
// could walk through. Operators of one precedence nest to the left without recursion
// of the parser.
func (p *parser) measured(e *expr) *expr {
	if e.depth > 0 {
		return e
	}
	limit := maxExprDepth
	for _, a := range e.args {
		e.depth = max(e.depth, p.measured(a).depth)
	}
	if e.operator && e.fn == "and" {
		limit = maxConjuncts
	}
	if e.filter != nil {
		e.depth = max(e.depth, p.measured(e.filter).depth)
	}
	for _, k := range e.order {
		e.depth = max(e.depth, p.measured(k.expr).depth)
	}
	if e.depth++; e.depth > limit {
		p.fail(e.span, "compute parts of it in a sub-query", "this expression is nested more than %d levels deep", limit)
	}
	return e
}

// operator makes a call of a model function for an operator; its position is all of it.
func operator(at span, fn string, args ...*expr) *expr {
	e := &expr{kind: callExpr, fn: fn, fnAt: at, operator: true, args: args, span: at}
	for _, a := range args {
		e.span = e.span.join(a.span)
	}
	return e
}

// infixCall is operator for a symbol, of which some mean more than a function's name.
func infixCall(t token, fn string, left, right *expr) *expr {
	e := operator(t.span, fn, left, right)
	if strings.HasSuffix(t.text, "~*") {
		e.args = append(e.args, &expr{kind: literalExpr, span: t.span, value: stream.Text("i")})
	}
	if strings.HasPrefix(t.text, "!~") {
		e = operator(t.span, "not", e)
	}
	return e
}

func (p *parser) castTo(e *expr, t typeNode, try bool) *expr {
	return &expr{kind: castExpr, span: e.span.join(t.span), args: []*expr{e}, typ: t, try: try}
}

func (p *parser) isPredicate() bool {
	return p.isWord("is", "in", "like", "between", "ilike", "similar", "overlaps") ||
		p.isWord("not") && p.isWordAt(1, "in", "like", "between", "ilike", "similar")
}

// predicate reads IS .., [NOT] IN, [NOT] LIKE and [NOT] BETWEEN behind an operand.
func (p *parser) predicate(left *expr) *expr {
	if p.isWord("is") {
		return p.isForm(left)
	}
	start := p.peek().span
	not := p.acceptWords("not")
	t := p.next()
	var e *expr
	switch t.text {
	case "in":
		e = p.inList(t.span, left)
	case "like":
		e = p.withEscape(operator(t.span, "like", left, p.binary(comparePower)))
	case "ilike":
		e = p.withEscape(operator(t.span, "like", left, p.binary(comparePower)))
		for i, a := range e.args {
			e.args[i] = operator(a.span, "lower", a)
		}
	case "similar":
		p.expectWord("to")
		e = p.withEscape(operator(t.span, "similar", left, p.binary(comparePower)))
	case "between":
		symmetric := p.acceptWords("symmetric")
		p.acceptWords("asymmetric")
		low := p.binary(comparePower)
		p.expectWord("and")
		high := p.binary(comparePower)
		e = operator(t.span, "and", operator(t.span, "ge", left, low), operator(t.span, "le", left, high))
		if symmetric {
			e = operator(t.span, "or", e, operator(t.span, "and", operator(t.span, "ge", left, high), operator(t.span, "le", left, low)))
		}
	default:
		p.fail(t.span, "compare the ends of both", "%s is not supported yet", upper(t.text))
		return left
	}
	if not {
		e = operator(start, "not", e)
	}
	return e
}

// withEscape reads the ESCAPE of a pattern.
func (p *parser) withEscape(e *expr) *expr {
	if p.acceptWords("escape") {
		e.args = append(e.args, p.binary(comparePower))
		e.span = e.span.join(p.last())
	}
	return e
}

func (p *parser) inList(at span, left *expr) *expr {
	p.expect("(")
	if p.isWord("select", "with") {
		p.refuseSubquery()
	}
	e := operator(at, "in", left)
	for p.err == nil {
		e.args = append(e.args, p.expression())
		if !p.accept(",") {
			break
		}
	}
	e.span = e.span.join(p.expect(")"))
	return e
}

// isForm reads IS [NOT] NULL, TRUE, FALSE, UNKNOWN and DISTINCT FROM.
func (p *parser) isForm(left *expr) *expr {
	at := p.next().span
	not := p.acceptWords("not")
	t := p.next()
	var e *expr
	switch t.text {
	case "null", "unknown":
		if not {
			e, not = operator(at, "is_not_null", left), false
		} else {
			e = operator(at, "is_null", left)
		}
	case "true":
		e = operator(at, "is_true", left)
	case "false":
		e = operator(at, "is_false", left)
	case "json":
		kind := &expr{kind: literalExpr, span: t.span, value: stream.Text("value")}
		if p.isWord(function.JSONKinds...) {
			kind.value, kind.span = stream.Text(p.peek().text), p.next().span
		}
		e = operator(at, "is_json", left, kind)
	case "distinct":
		p.expectWord("from")
		fn := "distinct"
		if not {
			fn = "not_distinct"
		}
		return operator(at, fn, left, p.binary(comparePower))
	default:
		p.fail(t.span, "", "expected NULL, TRUE, FALSE, UNKNOWN, JSON or DISTINCT FROM after IS, found %s", t.show())
		return left
	}
	e.span = e.span.join(t.span)
	if not {
		e = operator(at, "not", e)
	}
	return e
}

func (p *parser) prefix() *expr {
	t := p.peek()
	switch {
	case p.isSymbol("-"):
		p.next()
		if n := p.peek(); n.kind == numberToken {
			p.next()
			return &expr{kind: literalExpr, span: t.span.join(n.span), value: p.numberLiteral(n, true)}
		}
		return operator(t.span, "neg", p.binary(signPower))
	case p.isSymbol("~"):
		p.next()
		return operator(t.span, "bit_not", p.binary(signPower))
	case p.isSymbol("+"):
		p.next()
		return p.binary(signPower)
	case p.isWord("not"):
		p.next()
		return operator(t.span, "not", p.binary(notPower))
	}
	return p.parts(p.primary())
}

func (p *parser) primary() *expr {
	t := p.peek()
	switch t.kind {
	case numberToken:
		p.next()
		return &expr{kind: literalExpr, span: t.span, value: p.numberLiteral(t, false)}
	case stringToken:
		p.next()
		return &expr{kind: literalExpr, span: t.span, value: stream.Text(t.text)}
	case symbolToken:
		if t.text == "(" {
			return p.parenthesised()
		}
	case wordToken:
		if e, ok := p.keywordExpression(t); ok {
			return e
		}
		if n := p.peekAt(1); n.kind == symbolToken && n.text == "(" && (!reserved[t.text] || t.text == "left" || t.text == "right") {
			return p.call()
		}
	}
	if t.kind == quotedToken || t.kind == wordToken && !reserved[t.text] {
		return p.columnName()
	}
	p.unexpected("an expression")
	return &expr{kind: literalExpr, span: t.span}
}

func (p *parser) parenthesised() *expr {
	open := p.next().span
	if p.isWord("select", "with") {
		p.refuseSubquery()
	}
	e := p.expression()
	if p.isSymbol(",") {
		p.fail(p.peek().span, "compare the columns one by one, joined by AND", "row values are not supported")
	}
	c := *e
	c.span = open.join(p.expect(")"))
	return &c
}

func (p *parser) refuseSubquery() {
	p.fail(p.peek().span, "put the query into FROM and join with it", "a sub-query inside an expression is not supported yet")
}

func (p *parser) columnName() *expr {
	e := &expr{kind: nameExpr}
	for {
		e.path = append(e.path, p.name("the name of a column"))
		if !p.isSymbol(".") {
			break
		}
		p.next()
	}
	e.span = e.path[0].span.join(p.last())
	return e
}

// keywordExpression reads what begins with a word and is no plain call or column.
func (p *parser) keywordExpression(t token) (*expr, bool) {
	literal := func(v stream.Value) (*expr, bool) {
		return &expr{kind: literalExpr, span: t.span.join(p.last()), value: v}, true
	}
	text := p.peekAt(1).kind == stringToken
	switch t.text {
	case "null":
		p.next()
		return literal(stream.NullOf(stream.Invalid))
	case "true", "false":
		p.next()
		return literal(stream.Bool(t.text == "true"))
	case "case":
		return p.caseForm(), true
	case "cast", "try_cast":
		return p.castForm(), true
	case "interval":
		if text || p.peekAt(1).kind == numberToken || p.peekAt(1).kind == symbolToken && p.peekAt(1).text == "-" && p.peekAt(2).kind == stringToken {
			return literal(stream.Duration(p.intervalLiteral()))
		}
	case "timestamp":
		if text {
			return p.timestampLiteral(t), true
		}
		if p.isWordAt(1, "with") && (p.isWordAt(2, "time") && p.isWordAt(3, "zone") && p.peekAt(4).kind == stringToken) {
			p.at += 3
			return p.instantLiteral(t), true
		}
	case "timestamp_ltz", "timestamptz":
		if text {
			return p.instantLiteral(t), true
		}
	case "date", "time":
		if text {
			return p.dateLiteral(t), true
		}
	case "x":
		if text && p.peekAt(1).span.from == t.span.to {
			return p.hexLiteral(t), true
		}
	case "bytea", "json":
		if text {
			return p.textLiteral(t), true
		}
	case "exists":
		p.fail(t.span, "put the query into FROM and join with it", "EXISTS is not supported yet")
	case "current_timestamp", "localtimestamp", "current_date", "current_time", "current_row_timestamp", "localtime":
		p.fail(t.span, "use the stream's event-time column, or window_end", "%s is not supported yet: results depend on the data alone", upper(t.text))
	case "array", "row", "map":
		n := p.peekAt(1)
		switch {
		case n.kind != symbolToken:
		case t.text == "array" && n.text == "[":
			return p.arrayForm(), true
		case t.text == "row" && n.text == "(":
			return p.rowForm(), true
		case n.text == "[" || n.text == "(":
			p.fail(t.span, "", "%s values are not supported yet", upper(t.text))
		}
	}
	return nil, false
}

func (p *parser) timestampLiteral(t token) *expr {
	p.next()
	s := p.next()
	v, ok := stream.ParseTimestamp(s.text)
	if !ok {
		v, ok = zone.Parse(s.text, zone.UTC, stream.ParseTimestamp)
	}
	if !ok {
		p.fail(s.span, "write TIMESTAMP '2026-01-02 03:04:05'", "'%s' is not a timestamp", shorten(s.text))
	}
	return &expr{kind: literalExpr, span: t.span.join(s.span), value: stream.Time(v)}
}

// instantLiteral reads the text of TIMESTAMP WITH TIME ZONE '..'.
func (p *parser) instantLiteral(t token) *expr {
	p.next()
	s := p.next()
	if _, ok := zone.Parse(s.text, zone.UTC, stream.ParseTimestamp); !ok {
		p.fail(s.span, "write TIMESTAMP WITH TIME ZONE '2026-01-02 03:04:05+01', or a blank and the name of a zone at the end", "'%s' is not a timestamp", shorten(s.text))
	}
	text := &expr{kind: literalExpr, span: s.span, value: stream.Text(s.text)}
	return &expr{kind: castExpr, span: t.span.join(s.span), args: []*expr{text}, typ: typeNode{typ: ltz, span: t.span}}
}

// atTimeZone is the operator AT TIME ZONE.
const atTimeZone = "at time zone"

// zoned reads AT TIME ZONE behind a timestamp.
func (p *parser) zoned(left *expr) *expr {
	at := p.next().span
	if p.isWord("local") {
		p.fail(at.join(p.peek().span), "write AT TIME ZONE 'Europe/Zurich', or CAST between TIMESTAMP and TIMESTAMP_LTZ", "AT LOCAL is not supported")
	}
	p.next()
	p.expectWord("zone")
	if p.isWord("interval") {
		p.fail(p.peek().span, "write '+02:00'", "an interval as a time zone is not supported")
	}
	return operator(at.join(p.last()), atTimeZone, left, p.binary(zonePower))
}

// dateLiteral reads DATE '..' or TIME '..'.
func (p *parser) dateLiteral(t token) *expr {
	p.next()
	s := p.next()
	v := stream.Value{Type: stream.Date}
	parse, example := stream.ParseDate, "2026-01-02"
	if t.text == "time" {
		v.Type, parse, example = stream.TimeOfDay, stream.ParseTime, "03:04:05"
	}
	var ok bool
	if v.I, ok = parse(s.text); !ok {
		p.fail(s.span, "write "+v.Type.String()+" '"+example+"'", "'%s' is not a %s", shorten(s.text), t.text)
	}
	return &expr{kind: literalExpr, span: t.span.join(s.span), value: v}
}

// hexLiteral reads X'0aff'.
func (p *parser) hexLiteral(t token) *expr {
	p.next()
	s := p.next()
	b, ok := stream.ParseHex(`\x` + s.text)
	if !ok {
		p.fail(s.span, "write X'0aff', two digits for each byte", "'%s' is not a row of bytes in hexadecimal digits", shorten(s.text))
	}
	return &expr{kind: literalExpr, span: t.span.join(s.span), value: stream.Blob(b)}
}

// textLiteral reads BYTEA '..' or JSON '..'.
func (p *parser) textLiteral(t token) *expr {
	p.next()
	s := p.next()
	v, why := ofText(s.text, columnTypes[t.text])
	if why != "" {
		p.fail(s.span, "", "'%s' %s", shorten(s.text), why)
	}
	return &expr{kind: literalExpr, span: t.span.join(s.span), value: v}
}

// caseForm reads CASE; a simple CASE becomes comparisons with its operand.
func (p *parser) caseForm() *expr {
	start := p.next().span
	var operand *expr
	if !p.isWord("when") {
		operand = p.expression()
	}
	e := &expr{kind: caseExpr}
	for p.err == nil && p.isWord("when") {
		at := p.next().span
		condition := p.expression()
		if operand != nil {
			condition = operator(at, "eq", operand, condition)
			condition.span = condition.args[1].span
		}
		p.expectWord("then")
		e.args = append(e.args, condition, p.expression())
	}
	if len(e.args) == 0 {
		p.unexpected("WHEN")
	}
	if p.acceptWords("else") {
		e.args = append(e.args, p.expression())
	} else {
		e.args = append(e.args, &expr{kind: literalExpr, span: start, value: stream.NullOf(stream.Invalid)})
	}
	e.span = start.join(p.expectWord("end"))
	return e
}

func (p *parser) castForm() *expr {
	start := p.next()
	p.expect("(")
	arg := p.expression()
	p.expectWord("as")
	e := p.castTo(arg, p.typeName(), strings.HasPrefix(start.text, "try"))
	e.span = start.span.join(p.expect(")"))
	return e
}
