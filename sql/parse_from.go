package sql

import "slices"

// from reads the relations of FROM. A tree of inner joins is the list of its leaves and the
// list of its conditions. A LEFT JOIN has one leaf on its right, which keeps the condition:
// a JOIN (b LEFT JOIN c ON p) ON q has the rows of (a JOIN b ON q) LEFT JOIN c ON p.
func (p *parser) from(s *selectNode) {
	p.joinTree(s)
	for p.err == nil && p.accept(",") {
		p.joinTree(s)
	}
}

func (p *parser) joinTree(s *selectNode) {
	p.enter()
	defer func() { p.depth-- }()
	p.joinOperand(s)
	for p.err == nil {
		t := p.peek()
		switch {
		case p.acceptWords("left", "join") || p.acceptWords("left", "outer", "join"):
			p.outerOperand(s)
			continue
		case p.isWord("right"):
			p.rightJoin(s)
			continue
		case p.isWord("full"):
			p.fail(t.span, "write LEFT JOIN for all rows of one side", "FULL JOIN is not supported yet")
		case p.isWord("natural"):
			p.fail(t.span, "write JOIN .. ON a.x = b.x", "NATURAL JOIN is not supported")
		case p.acceptWords("cross", "join"):
			p.joinOperand(s)
			continue
		case p.acceptWords("inner", "join") || p.acceptWords("join"):
			p.joinOperand(s)
			p.joinCondition(s)
			continue
		}
		return
	}
}

// unnest reads [LATERAL] UNNEST(array) [WITH ORDINALITY] [AS alias [(column, ..)]].
func (p *parser) unnest() *tableRef {
	start := p.peek().span
	p.acceptWords("lateral")
	p.next()
	r := &tableRef{unnest: &unnestNode{}}
	p.expect("(")
	r.unnest.array = p.expression()
	if p.isSymbol(",") {
		p.fail(p.peek().span, "UNNEST each WITH ORDINALITY, and compare the numbers in WHERE", "UNNEST of several arrays is not supported yet")
	}
	p.expect(")")
	if p.acceptWords("with") {
		p.expectWord("ordinality")
		r.unnest.ordinality = true
	}
	if r.alias = p.alias(); r.alias != nil && p.accept("(") {
		for p.err == nil {
			r.unnest.columns = append(r.unnest.columns, p.name("the name of a column"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.isSymbol("[") {
		p.fail(p.peek().span, "put the window on the stream, or UNNEST in a sub-query and window that", "UNNEST has no window")
	}
	r.span = start.join(p.last())
	return r
}

// joinOperand reads one relation, or a join in parentheses.
func (p *parser) joinOperand(s *selectNode) {
	if p.isWord("unnest") || p.isWord("lateral") && p.isWordAt(1, "unnest") {
		s.from = append(s.from, p.unnest())
		return
	}
	if p.isWord("lateral") {
		p.fail(p.peek().span, "join streams, views and sub-queries", "LATERAL is not supported yet")
	}
	if p.isSymbol("(") && !p.queryAhead() {
		p.next()
		p.joinTree(s)
		p.expect(")")
		return
	}
	s.from = append(s.from, p.relation())
}

// outerOperand reads the right side of a LEFT JOIN, and its condition.
func (p *parser) outerOperand(s *selectNode) {
	if p.isSymbol("(") && !p.queryAhead() {
		p.fail(p.peek().span, "write it as a sub-query: LEFT JOIN (SELECT .. FROM ..) AS x ON ..", "a join on the right of a LEFT JOIN is not supported")
		return
	}
	n := len(s.from)
	p.joinOperand(s)
	if p.err == nil {
		s.from[n].outer, s.from[n].on = true, p.onCondition()
	}
}

// rightJoin reads a RIGHT JOIN b ON .. as b LEFT JOIN a ON ..
func (p *parser) rightJoin(s *selectNode) {
	at := p.next().span
	p.acceptWords("outer")
	p.expectWord("join")
	if p.err == nil && len(s.from) != 1 {
		p.fail(at, "write it first, or the other way round as LEFT JOIN", "RIGHT JOIN is supported between the first two relations of FROM only")
		return
	}
	if p.outerOperand(s); p.err == nil && s.from[1].unnest != nil {
		p.fail(s.from[1].span, "write LEFT JOIN UNNEST(..) ON TRUE", "the elements of an array have no rows but those of their array, so they cannot be on the left")
	} else if p.err == nil {
		left, right := s.from[0], s.from[1]
		left.outer, left.on, right.outer, right.on = true, right.on, false, nil
		s.from[0], s.from[1], s.swapped = right, left, true
	}
}

func (p *parser) joinCondition(s *selectNode) {
	if on := p.onCondition(); on != nil {
		s.on = append(s.on, on)
	}
}

// onCondition reads ON and a join's condition; nil if they are not there.
func (p *parser) onCondition() *expr {
	if p.isWord("using") {
		p.fail(p.peek().span, "write ON a.x = b.x", "JOIN .. USING is not supported yet")
	}
	if !p.isWord("on") {
		p.unexpected("ON and the join's condition")
		return nil
	}
	p.next()
	return p.expression()
}

// queryAhead tells a sub-query in parentheses from a join in parentheses.
func (p *parser) queryAhead() bool {
	for n := 0; ; n++ {
		if t := p.peekAt(n); t.kind != symbolToken || t.text != "(" {
			return p.isWordAt(n, "select", "with", "values")
		}
	}
}

// streamName reads the name of a stream, or of a file in single quotes.
func (p *parser) streamName(r *tableRef) {
	if p.peek().kind == stringToken {
		t := p.next()
		r.name, r.file = name{t.text, t.span}, true
		return
	}
	r.name = p.name("the name of a stream")
}

// relation reads one leaf of FROM with its window and alias, in either order.
func (p *parser) relation() *tableRef {
	start := p.peek().span
	r := &tableRef{}
	switch {
	case p.isSymbol("("):
		p.next()
		r.query = p.query()
		p.expect(")")
	case p.isWord("table") && p.peekAt(1).text == "(":
		p.next()
		p.next()
		r = p.windowFunction()
		p.expect(")")
	case p.isWindowFunction():
		r = p.windowFunction()
	default:
		p.streamName(r)
		if p.isSymbol("(") {
			hint := "there are TUMBLE, HOP, CUMULATE and SESSION: FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10' SECOND))"
			if p.isWordAt(1, "range", "rows", "size", "partition") {
				hint = "write the window in brackets: " + r.name.text + " [RANGE 60 SECONDS]"
			}
			p.fail(r.name.span, hint, "table function %q does not exist", r.name.text)
		}
		if p.isSymbol(".") {
			hint := "use its plain name"
			if ending := p.peekAt(1).text; slices.Contains(fileEndings, ending) {
				hint = "a file is named in single quotes: '" + r.name.text + "." + ending + "'"
			}
			p.fail(p.peek().span, hint, "streams have no catalog or schema in their name")
		}
	}
	for {
		switch {
		case p.isSymbol("["):
			w := p.bracketWindow()
			if r.window != nil {
				p.fail(w.span, "window a sub-query: (SELECT * FROM s [..]) AS t [..]", "a relation has one window")
			}
			r.window = w
		case p.isWord("for") && p.isWordAt(1, "system_time"):
			p.next()
			p.next()
			p.expectWord("as")
			p.expectWord("of")
			r.asOf = p.binary(comparePower)
		case r.alias == nil && (p.isName() && !p.isWord("match_recognize", "tablesample") || p.isWord("as")):
			r.alias = p.alias()
			if p.isSymbol("(") {
				p.fail(p.peek().span, "name the columns with AS in the SELECT", "an alias with column names is not supported")
			}
		case p.isWord("match_recognize", "tablesample"):
			hint := ""
			if p.isWord("tablesample") {
				hint = "filter with WHERE"
			}
			p.fail(p.peek().span, hint, "%s is not supported yet", upper(p.peek().text))
			return r
		default:
			r.span = start.join(p.last())
			return r
		}
	}
}
