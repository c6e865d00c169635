package sql

import "github.com/millrace/millrace/stream"

// nestedType reads ARRAY<type> and ROW<name type, ..>, whose keyword is t; ROW takes
// parentheses, too.
func (p *parser) nestedType(t token) typeNode {
	n := typeNode{span: t.span}
	p.enter()
	defer func() { p.depth-- }()
	if t.text == "array" {
		p.expect("<")
		element := p.typeName()
		n.length = element.length
		p.closeAngle()
		n.span = n.span.join(p.last())
		n.typ = p.boundedType(n.span, stream.Array(element.typ))
		return n
	}
	round := p.accept("(")
	if !round {
		p.expect("<")
	}
	var members []stream.Member
	seen := map[string]bool{}
	for p.err == nil {
		name := p.name("the name of a member")
		if seen[name.text] {
			p.fail(name.span, "", "the row has two members %q", name.text)
		}
		seen[name.text] = true
		member := p.typeName()
		n.length = n.length || member.length
		members = append(members, stream.Member{Name: name.text, Type: member.typ})
		if !p.accept(",") {
			break
		}
	}
	if round {
		p.expect(")")
	} else {
		p.closeAngle()
	}
	n.span = n.span.join(p.last())
	n.typ = p.boundedType(n.span, stream.RowOf(members...))
	return n
}

// closeAngle reads a >, of which two may stand in one symbol.
func (p *parser) closeAngle() {
	if t := p.peek(); p.err == nil && p.isSymbol(">>") {
		p.tokens[p.at] = token{symbolToken, ">", span{t.span.script, t.span.from + 1, t.span.to}}
		return
	}
	p.expect(">")
}

func (p *parser) boundedType(at span, t stream.Type) stream.Type {
	if why, instead := unfitPart(t); p.err == nil && why != "" {
		p.fail(at, "use "+instead, "%s", why)
		return t
	}
	if p.err == nil && !t.Valid() {
		p.fail(at, "", "a type nests at most %d deep, and a row has at most %d members", stream.NestingDepthMax, stream.RowMembersMax)
	}
	return t
}

// arraySuffixes reads the ARRAY or [] behind the type of an element.
func (p *parser) arraySuffixes(n typeNode) typeNode {
	for p.err == nil {
		switch {
		case p.isWord("array"):
			p.next()
		case p.isSymbol("[") && p.peekAt(1).text == "]":
			p.next()
			p.next()
		default:
			return n
		}
		n.span = n.span.join(p.last())
		n.typ = p.boundedType(n.span, stream.Array(n.typ))
	}
	return n
}

// arrayForm reads ARRAY[..].
func (p *parser) arrayForm() *expr {
	start := p.next().span
	e := operator(start, "array")
	p.expect("[")
	for p.err == nil && !p.isSymbol("]") {
		e.args = append(e.args, p.expression())
		if !p.accept(",") {
			break
		}
	}
	e.span = start.join(p.expect("]"))
	return e
}

// rowForm reads ROW(..).
func (p *parser) rowForm() *expr {
	start := p.next().span
	e := operator(start, "row")
	p.expect("(")
	for p.err == nil {
		e.args = append(e.args, p.expression())
		if !p.accept(",") {
			break
		}
	}
	e.span = start.join(p.expect(")"))
	return e
}

// parts reads [n] and .name behind an operand. The bracket of a window is left.
func (p *parser) parts(e *expr) *expr {
	for p.err == nil {
		switch {
		case p.isSymbol("[") && !p.isWordAt(1, "rows", "range", "session", "partition", "now", "unbounded"):
			at := p.next().span
			index := p.expression()
			e = operator(at, "element_at", e, index)
			e.span = e.span.join(p.expect("]"))
		case p.isSymbol(".") && e.kind != literalExpr:
			p.next()
			member := p.name("the name of a member")
			e = &expr{kind: memberExpr, args: []*expr{e}, path: []name{member}, span: e.span.join(member.span)}
		default:
			return e
		}
	}
	return e
}

// quantified reads ANY(array) or ALL(array) behind a comparison; nil if there is none.
func (p *parser) quantified(t token, left *expr) *expr {
	if !p.isWord("any", "some", "all") || p.peekAt(1).text != "(" {
		return nil
	}
	word := p.next()
	p.next()
	if p.isWord("select", "with") {
		p.refuseSubquery()
	}
	e := operator(t.span, "equals_any", left, p.expression())
	e.span = e.span.join(p.expect(")"))
	all := word.text == "all"
	switch {
	case t.text == "=" && !all:
		return e
	case (t.text == "<>" || t.text == "!=") && all:
		return operator(t.span, "not", e)
	}
	p.fail(t.span.join(word.span), "there are = ANY and <> ALL", "%s %s is not supported yet", t.text, upper(word.text))
	return e
}
