package sql

// maxDepth bounds how deeply expressions and queries may be nested; a deeper script is
// refused, so that no script can exhaust the stack.
const maxDepth = 200

// parser reads the tokens of one script. The first error of a statement sticks: after it
// every token is the end, so that all loops finish, and only it is reported.
type parser struct {
	text     *text
	tokens   []token
	at       int
	depth    int
	err      error
	failedAt int // the token at which err was found
}

// parse returns the statements of a script, and the first mistake of each that has one.
func parse(t *text, script int) (out []*statement, errs []error) {
	tokens, err := lex(t, script)
	if err != nil {
		return nil, []error{err}
	}
	p := &parser{text: t, tokens: tokens}
	for {
		for p.accept(";") || p.statementSetMark() {
		}
		if p.peek().kind == endToken {
			return out, errs
		}
		s := p.statement()
		if p.peek().kind != endToken && !p.isSymbol(";") {
			p.unexpected(`";" or the end of the statement`)
		}
		if p.err == nil {
			out = append(out, s)
			continue
		}
		errs = append(errs, p.err)
		p.skipStatement()
	}
}

// skipStatement goes on behind the statement in which a mistake was found.
func (p *parser) skipStatement() {
	p.err, p.depth, p.at = nil, 0, p.failedAt
	for p.peek().kind != endToken && !p.isSymbol(";") {
		p.next()
	}
}

func (p *parser) peek() token { return p.peekAt(0) }

func (p *parser) peekAt(n int) token {
	last := len(p.tokens) - 1
	if p.err != nil {
		return p.tokens[last]
	}
	return p.tokens[min(p.at+n, last)]
}

func (p *parser) next() token {
	t := p.peek()
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

// last is the span of the token read last.
func (p *parser) last() span { return p.tokens[max(p.at-1, 0)].span }

func (p *parser) fail(s span, hint, format string, args ...any) {
	if p.err == nil {
		p.failedAt = p.at
		p.err = p.text.failHint(s.from, s.to, hint, format, args...)
	}
}

func (p *parser) unexpected(wanted string) {
	t := p.peek()
	p.fail(t.span, p.habit(wanted, t), "expected %s, found %s", wanted, t.show())
}

// enter counts a level of nesting; the caller leaves with p.depth--.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.peek().span, "", "the script is nested more than %d levels deep here", maxDepth)
	}
}

func (p *parser) isSymbol(s string) bool {
	t := p.peek()
	return t.kind == symbolToken && t.text == s
}

func (p *parser) accept(symbol string) bool {
	if p.isSymbol(symbol) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(symbol string) span {
	if !p.isSymbol(symbol) {
		p.unexpected(`"` + symbol + `"`)
	}
	return p.next().span
}

func (p *parser) isWordAt(n int, words ...string) bool {
	t := p.peekAt(n)
	if t.kind != wordToken {
		return false
	}
	for _, w := range words {
		if t.text == w {
			return true
		}
	}
	return false
}

func (p *parser) isWord(words ...string) bool { return p.isWordAt(0, words...) }

// acceptWords reads a sequence of keywords if all of it is there.
func (p *parser) acceptWords(words ...string) bool {
	for i, w := range words {
		if !p.isWordAt(i, w) {
			return false
		}
	}
	for range words {
		p.next()
	}
	return true
}

func (p *parser) expectWord(word string) span {
	if !p.isWord(word) {
		p.unexpected(upper(word))
	}
	return p.next().span
}

// reserved words are not names unless quoted.
var reserved = setOf("select", "from", "where", "group", "having", "union", "except", "intersect", "join", "inner",
	"left", "right", "full", "cross", "on", "using", "order", "limit", "offset", "fetch", "as", "and", "or", "not", "in", "is",
	"like", "between", "case", "when", "then", "else", "end", "cast", "with", "distinct", "create", "insert", "into",
	"filter", "over", "window", "for", "natural", "null", "true", "false", "match_recognize", "outer", "values", "by", "all")

func setOf(words ...string) map[string]bool {
	m := map[string]bool{}
	for _, w := range words {
		m[w] = true
	}
	return m
}

func (p *parser) isName() bool {
	t := p.peek()
	return t.kind == quotedToken || t.kind == wordToken && !reserved[t.text]
}

// name reads an identifier; what says in an error what it would name.
func (p *parser) name(what string) name {
	if p.isName() {
		t := p.next()
		return name{t.text, t.span}
	}
	if t := p.peek(); t.kind == wordToken {
		p.fail(t.span, `quote it to use it as a name: "`+t.text+`"`, "expected %s, found the keyword %s", what, upper(t.text))
		return name{}
	}
	p.unexpected(what)
	return name{}
}

func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 32
		}
	}
	return string(b)
}
