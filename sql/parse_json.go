package sql

import (
	"strings"

	"github.com/millrace/millrace/stream"
)

// jsonClauses is what may stand behind the path of JSON_VALUE and JSON_QUERY: RETURNING
// type, and what is given ON EMPTY and ON ERROR; nil is NULL, which is what happens anyway.
type jsonClauses struct {
	returning        *typeNode
	empty, erroneous *expr
}

// jsonClauses reads them. Only JSON_VALUE has DEFAULT.
func (p *parser) jsonClauses(fn string) (c jsonClauses) {
	if p.acceptWords("returning") {
		t := p.typeName()
		c.returning = &t
	}
	for p.err == nil && (p.isWord("null") || p.isWord("default") && fn == "json_value") {
		var value *expr
		if p.next().text == "default" {
			value = p.expression()
		}
		p.expectWord("on")
		switch {
		case p.acceptWords("empty"):
			c.empty = value
		case p.acceptWords("error"):
			c.erroneous = value
		default:
			p.fail(p.peek().span, "", "expected EMPTY or ERROR, found %s", p.peek().show())
		}
	}
	if p.isWord("default", "error", "empty", "with", "without") {
		p.fail(p.peek().span, "leave it out; COALESCE gives another value for NULL", "%s is not supported here", upper(p.peek().text))
	}
	return c
}

// jsonCall puts the clauses around a call. As in Flink a lax path is empty where there is
// no number, string or Boolean; a strict one that finds none is an error, and so are a text
// that is no JSON and a value that is none of the type returned.
func (p *parser) jsonCall(e *expr, c jsonClauses) *expr {
	value := e
	if c.returning != nil {
		value = p.castTo(e, *c.returning, true)
	}
	if c.empty == nil && c.erroneous == nil || len(e.args) != 2 {
		return value
	}
	at := e.span
	null := &expr{kind: literalExpr, span: at, value: stream.NullOf(stream.Invalid)}
	for _, v := range []**expr{&c.empty, &c.erroneous} {
		if *v == nil {
			*v = null
		}
	}
	text, path := e.args[0], e.args[1]
	missing := c.empty
	if path.kind == literalExpr && strings.HasPrefix(strings.TrimSpace(path.value.S), "strict") {
		missing = c.erroneous
	}
	none := operator(at, "and", operator(at, "is_null", e), operator(at, "is_not_null", text))
	out := &expr{kind: caseExpr, span: at, args: []*expr{
		operator(at, "not", operator(at, "is_json", text)), c.erroneous,
		none, missing,
		operator(at, "and", operator(at, "is_null", value), operator(at, "is_not_null", text)), c.erroneous,
		value,
	}}
	return p.measured(out)
}
