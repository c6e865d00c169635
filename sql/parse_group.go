package sql

// maxGroupingSets bounds how many groupings a GROUP BY makes.
const maxGroupingSets = 64

// groupBy reads expressions, GROUPING SETS (..), ROLLUP (..) and CUBE (..). Each entry is
// a list of alternatives; the groupings are all ways to choose one of each entry.
func (p *parser) groupBy(s *selectNode) {
	product, several := [][]*expr{nil}, false
	for p.err == nil {
		at := p.peek().span
		sets, special := p.groupingSets(s)
		if !special {
			sets = [][]*expr{{p.groupingKey(s)}}
		}
		several = several || special
		var next [][]*expr
		for _, a := range product {
			for _, b := range sets {
				next = append(next, append(append([]*expr(nil), a...), b...))
			}
		}
		if product = next; len(product) > maxGroupingSets {
			p.fail(at.join(p.last()), "write fewer columns, or a SELECT for the groupings that matter", "GROUP BY has %d groupings, and at most %d are possible", len(product), maxGroupingSets)
		}
		if !p.accept(",") {
			break
		}
	}
	if several {
		s.sets = product
	}
}

// groupingKey reads an expression to group by.
func (p *parser) groupingKey(s *selectNode) *expr {
	if p.isSymbol("(") && p.peekAt(1).text == ")" {
		p.fail(p.peek().span, "leave GROUP BY out", "an empty grouping is not supported")
	}
	e := p.expression()
	s.groupBy = append(s.groupBy, e)
	return e
}

// groupingSets reads what makes several groupings, if that comes next.
func (p *parser) groupingSets(s *selectNode) (sets [][]*expr, ok bool) {
	switch {
	case p.isWord("grouping") && p.isWordAt(1, "sets"):
		p.next()
		p.next()
		p.expect("(")
		for p.err == nil {
			more, special := p.groupingSets(s)
			if !special {
				more = [][]*expr{p.groupingList(s)}
			}
			sets = append(sets, more...)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	case p.isWord("rollup") && p.peekAt(1).text == "(":
		p.next()
		parts := p.groupingParts(s)
		for n := len(parts); n >= 0; n-- {
			sets = append(sets, joined(parts[:n], ^0))
		}
	case p.isWord("cube") && p.peekAt(1).text == "(":
		at := p.next().span
		parts := p.groupingParts(s)
		if 1<<min(len(parts), 30) > maxGroupingSets {
			p.fail(at.join(p.last()), "write GROUPING SETS with the groupings that matter", "CUBE has more than %d groupings", maxGroupingSets)
			return nil, true
		}
		for without := range 1 << len(parts) { // the first part is left out last
			sets = append(sets, joined(parts, reversed(^without, len(parts))))
		}
	default:
		return nil, false
	}
	return sets, true
}

// reversed are the lowest n bits of a number in the other order.
func reversed(bits, n int) int {
	out := 0
	for i := range n {
		out |= bits >> i & 1 << (n - 1 - i)
	}
	return out
}

// joined are the parts whose bit is set, one behind the other.
func joined(parts [][]*expr, bits int) []*expr {
	out := []*expr{}
	for i, p := range parts {
		if bits>>i&1 == 1 {
			out = append(out, p...)
		}
	}
	return out
}

func (p *parser) groupingParts(s *selectNode) (parts [][]*expr) {
	p.expect("(")
	for p.err == nil {
		parts = append(parts, p.groupingList(s))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return parts
}

// groupingList reads an expression, or several in parentheses, or ().
func (p *parser) groupingList(s *selectNode) []*expr {
	if !p.isSymbol("(") {
		return []*expr{p.groupingKey(s)}
	}
	at, keys := p.at, len(s.groupBy)
	p.next()
	list := []*expr{}
	for p.err == nil && !p.isSymbol(")") {
		list = append(list, p.groupingKey(s))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.err == nil && !p.isSymbol(",") && !p.isSymbol(")") { // (a + b) * 2
		p.at, s.groupBy = at, s.groupBy[:keys]
		return []*expr{p.groupingKey(s)}
	}
	return list
}
