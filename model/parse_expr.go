package model

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/stream"
)

func (p *parser) sqlType() stream.Type {
	at := p.tok.column
	if p.tok.kind == wordToken && p.followedBy('<') {
		return p.nestedType()
	}
	name := p.word("a type")
	if name == "DECIMAL" && p.skip("(") {
		precision := p.index()
		p.expect(",")
		name = fmt.Sprintf("DECIMAL(%d,%d)", precision, p.index())
		p.expect(")")
	}
	t, ok := stream.ParseType(name)
	if p.err == nil && (!ok || name != t.String()) {
		p.failAt(at, "there is no type %q", name)
	}
	return t
}

func (p *parser) nestedType() stream.Type {
	at := p.tok.column
	t, rest, ok := stream.CutType(p.line[at:])
	if text := p.line[at : len(p.line)-len(rest)]; !ok || text != t.String() {
		p.failAt(at, "this is no type")
		return stream.Invalid
	}
	p.pos = len(p.line) - len(rest)
	p.next()
	return t
}

// expr reads an expression; after a mistake what it returns is of no use.
func (p *parser) expr() *Expr { return p.exprAt(0) }

func (p *parser) exprAt(depth int) *Expr {
	if depth > ExprDepthMax {
		p.fail("the expression nests deeper than %d", ExprDepthMax)
	}
	start := p.tok
	if p.err != nil {
		return &Expr{}
	}
	switch {
	case p.tok.kind == endOfLine:
		p.fail("an expression is missing here")
		return &Expr{}
	case (p.tok.kind == wordToken || p.tok.kind == textToken) && p.followedBy('('):
		return p.call(depth)
	case p.tok.kind == wordToken && strings.HasPrefix(p.tok.text, "$"):
		column := p.columnNumber()
		p.expect(":")
		return Col(column, p.sqlType())
	}
	p.next()
	p.expect(":")
	t := p.sqlType()
	if p.err != nil {
		return &Expr{}
	}
	v, ok := parseLiteral(start, t)
	if !ok {
		p.failAt(start.column, "%s is no literal of type %s", start.text, t)
	}
	return Lit(v)
}

func (p *parser) call(depth int) *Expr {
	e := &Expr{Kind: CallExpr, Func: p.tok.text}
	p.next()
	p.expect("(")
	if !p.skip(")") {
		e.Args = append(e.Args, p.exprAt(depth+1))
		for p.skip(",") {
			e.Args = append(e.Args, p.exprAt(depth+1))
		}
		p.expect(")")
	}
	p.expect(":")
	e.Type = p.sqlType()
	return e
}

// parseLiteral is the inverse of literalText.
func parseLiteral(t token, typ stream.Type) (stream.Value, bool) {
	v := stream.Value{Type: typ}
	if t.kind == wordToken && t.text == "NULL" {
		return stream.NullOf(typ), true
	}
	var err error
	var ok bool
	switch {
	case typ == stream.Boolean:
		ok = t.kind == wordToken && (t.text == "TRUE" || t.text == "FALSE")
		if t.text == "TRUE" {
			v.I = 1
		}
	case typ.Storage() == stream.Varchar && !typ.IsDecimal() && !typ.IsNested():
		v.S, ok = t.text, t.kind == textToken
	case typ.IsNested():
		raw, read := stream.ParseNested(nil, typ, []byte(t.text))
		if v.S = string(raw); !read {
			v.S, read = t.text, stream.ValidNested(typ, []byte(t.text))
		}
		ok = read && t.kind == textToken
	case typ.IsFloat():
		v.F, ok = parseFloat(t, floatBits(typ))
	case typ == stream.Timestamp && t.kind == textToken:
		v.I, ok = stream.ParseTimestamp(t.text)
	case typ == stream.Interval && t.kind == textToken:
		v.I, ok = stream.ParseInterval(t.text)
	case typ == stream.Date && t.kind == textToken:
		v.I, ok = stream.ParseDate(t.text)
	case typ == stream.TimeOfDay && t.kind == textToken:
		v.I, ok = stream.ParseTime(t.text)
	case typ.IsDecimal():
		x, fits, read := stream.ParseDecimal(typ, t.text)
		v = stream.DecimalOf(typ, x)
		ok = t.kind == numberToken && fits && read && v.String() == t.text
	default:
		v.I, err = strconv.ParseInt(t.text, 10, 64)
		low, high, _ := typ.Range()
		ok = t.kind == numberToken && v.I >= low && v.I <= high
	}
	return v, ok && err == nil
}

func parseFloat(t token, bits int) (float64, bool) {
	named := t.kind == wordToken && (t.text == "NaN" || t.text == "Infinity")
	if t.kind != numberToken && !named {
		return 0, false
	}
	return stream.ParseDouble(t.text, bits)
}
