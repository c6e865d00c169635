package sql

// orderNode is what stands behind a query: ORDER BY, OFFSET and LIMIT.
type orderNode struct {
	span          span
	word          string // what it begins with, for messages
	keys          []orderKey
	offset, limit int64 // limit < 0: all
}

type orderKey struct {
	expr                   *expr
	descending, nullsFirst bool
}

// order reads [ORDER BY ..] [OFFSET ..] [LIMIT .. | FETCH FIRST ..]; nil if there is
// nothing of it.
func (p *parser) order() *orderNode {
	t := p.peek()
	if !p.isWord("order", "limit", "offset", "fetch") {
		return nil
	}
	o := &orderNode{word: upper(t.text), limit: -1}
	if p.acceptWords("order") {
		o.word = "ORDER BY"
		p.expectWord("by")
		for p.err == nil {
			o.keys = append(o.keys, p.orderKey())
			if !p.accept(",") {
				break
			}
		}
	}
	p.rowCounts(o)
	o.span = t.span.join(p.last())
	return o
}

func (p *parser) orderKey() orderKey {
	k := orderKey{expr: p.expression()}
	if k.descending = p.acceptWords("desc"); !k.descending {
		p.acceptWords("asc")
	}
	k.nullsFirst = k.descending
	if p.acceptWords("nulls") {
		if k.nullsFirst = p.acceptWords("first"); !k.nullsFirst {
			p.expectWord("last")
		}
	}
	return k
}

// rowCounts reads LIMIT and OFFSET, each once, in any order.
func (p *parser) rowCounts(o *orderNode) {
	limited, moved := false, false
	for p.err == nil {
		t := p.peek()
		switch {
		case p.isWord("limit", "fetch"):
			if limited {
				p.fail(t.span, "", "the number of rows is given twice")
			}
			limited = true
			o.limit = p.limit()
		case p.isWord("offset"):
			if moved {
				p.fail(t.span, "", "OFFSET is given twice")
			}
			moved = true
			p.next()
			o.offset = p.rows()
			p.acceptRows()
		default:
			return
		}
	}
}

// limit reads LIMIT n, LIMIT ALL or FETCH FIRST [n] ROWS ONLY.
func (p *parser) limit() int64 {
	if p.acceptWords("limit") {
		if p.acceptWords("all") {
			return -1
		}
		return p.rows()
	}
	p.next()
	if !p.acceptWords("first") {
		p.expectWord("next")
	}
	n := int64(1)
	if !p.isWord("row", "rows") {
		n = p.rows()
	}
	p.acceptRows()
	if p.isWord("with") {
		p.fail(p.peek().span, "write ONLY", "WITH TIES is not supported yet")
	}
	p.expectWord("only")
	return n
}

func (p *parser) rows() int64 {
	at := p.peek().span
	n := p.signed(func() int64 { return p.integer("a number of rows") })
	if n < 0 {
		p.fail(at.join(p.last()), "", "a number of rows is not negative")
	}
	return n
}

func (p *parser) acceptRows() {
	if !p.acceptWords("rows") {
		p.acceptWords("row")
	}
}
