package sql

import "github.com/millrace/millrace/model"

// query reads [WITH ..] SELECT .. [UNION ALL SELECT ..] [ORDER BY ..] [LIMIT ..].
func (p *parser) query() *query {
	p.enter()
	defer func() { p.depth-- }()
	start := p.peek().span
	q := &query{}
	if p.acceptWords("with") {
		if p.isWord("recursive") {
			p.fail(p.peek().span, "", "recursive queries are not supported yet")
		}
		for p.err == nil {
			q.with = append(q.with, p.commonTable())
			if !p.accept(",") {
				break
			}
		}
	}
	q.branches = append(q.branches, p.branch())
	for p.err == nil && p.isWord("union", "except", "intersect", "minus") {
		t := p.next()
		if t.text == "except" && p.isSymbol("(") && !p.queryAhead() {
			p.fail(t.span, "name the columns that you want", "SELECT * EXCEPT is not supported")
		}
		if t.text != "union" {
			p.fail(t.span, "join the two sides and filter, or use UNION ALL", "%s is not supported yet", upper(t.text))
		}
		if !p.acceptWords("all") {
			p.fail(t.span, "write UNION ALL, and SELECT DISTINCT in a window around it where repeats matter", "UNION without ALL is not supported yet")
		}
		q.branches = append(q.branches, p.branch())
	}
	q.order = p.order()
	q.span = start.join(p.last())
	return q
}

func (p *parser) commonTable() *cte {
	c := &cte{name: p.name("the name of a WITH query")}
	if p.isSymbol("(") {
		p.fail(p.peek().span, "name the columns with AS in the SELECT", "a WITH query takes its columns' names from its SELECT")
	}
	p.expectWord("as")
	p.expect("(")
	c.query = p.query()
	p.expect(")")
	return c
}

func (p *parser) branch() *branch {
	if p.accept("(") {
		b := &branch{query: p.query()}
		p.expect(")")
		return b
	}
	if p.isWord("values") {
		p.fail(p.peek().span, "read the rows from a file", "VALUES is not supported yet")
	}
	return &branch{sel: p.selectForm()}
}

func (p *parser) selectForm() *selectNode {
	start := p.peek().span
	s := &selectNode{}
	p.expectWord("select")
	p.emitMode(s)
	if p.acceptWords("distinct") {
		s.distinct = true
		if p.isWord("on") {
			p.fail(p.peek().span, "use GROUP BY with MIN or MAX", "DISTINCT ON is not supported")
		}
	} else if !(p.isWord("all") && p.peekAt(1).text == ",") {
		p.acceptWords("all")
	}
	for p.err == nil {
		s.items = append(s.items, p.item())
		if !p.accept(",") {
			break
		}
	}
	if p.acceptWords("from") {
		p.from(s)
	}
	if p.acceptWords("where") {
		s.where = p.expression()
	}
	if p.acceptWords("group") {
		p.expectWord("by")
		p.groupBy(s)
	}
	if p.acceptWords("having") {
		s.having = p.expression()
	}
	if p.isWord("window", "qualify") {
		p.fail(p.peek().span, "put the window behind the stream: FROM s [RANGE 10 SECONDS SLIDE 1 SECOND]", "the %s clause is not supported yet", upper(p.peek().text))
	}
	s.span = start.join(p.last())
	return s
}

// emitMode reads CQL's ISTREAM, RSTREAM and DSTREAM, which are words only where an
// expression or DISTINCT follows.
func (p *parser) emitMode(s *selectNode) {
	if n := p.peekAt(1); n.kind == endToken || n.kind == symbolToken && n.text != "*" && n.text != "(" && n.text != "-" || p.isWordAt(1, "from", "as") {
		return
	}
	t := p.peek()
	mode := model.Istream
	switch {
	case p.isWord("istream"):
	case p.isWord("rstream"):
		mode = model.Rstream
	case p.isWord("dstream"):
		mode = model.Dstream
	default:
		return
	}
	p.next()
	s.mode, s.modeAt = &mode, t.span
}

func (p *parser) item() item {
	start := p.peek().span
	if p.accept("*") {
		return item{star: true, span: start}
	}
	if n, m := p.peekAt(1), p.peekAt(2); p.isName() && n.kind == symbolToken && n.text == "." && m.kind == symbolToken && m.text == "*" {
		table := p.name("a relation")
		p.next()
		p.next()
		return item{star: true, table: &table, span: start.join(p.last())}
	}
	it := item{expr: p.expression()}
	it.alias = p.alias()
	it.span = start.join(p.last())
	return it
}

// alias reads [AS] name.
func (p *parser) alias() *name {
	if p.acceptWords("as") {
		n := p.name("an alias")
		return &n
	}
	if p.isName() {
		n := p.name("an alias")
		return &n
	}
	return nil
}
