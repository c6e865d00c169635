package model

import (
	"fmt"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	endOfLine   tokenKind = iota
	wordToken             // abc, $2, a/b
	textToken             // "quoted"; text holds the value
	numberToken           // 12, -3.5e7, -Infinity
	hashToken             // #12; text holds the digits
	signToken             // ( ) , : = . * <-
	badToken              // text holds the complaint
)

type token struct {
	kind   tokenKind
	text   string
	column int // 0-based
}

// scanner cuts one line into tokens. The first mistake is kept in err; after it every
// token is endOfLine, so that nothing loops.
type scanner struct {
	line   string
	number int // of the line, 1-based
	pos    int // behind tok
	tok    token
	err    error
}

func (s *scanner) fail(format string, args ...any) { s.failAt(s.tok.column, format, args...) }

func (s *scanner) failAt(column int, format string, args ...any) {
	if s.err == nil {
		s.err = &ParseError{Line: s.number, Column: column + 1, Message: fmt.Sprintf(format, args...)}
	}
	s.tok, s.pos = token{column: len(s.line)}, len(s.line)
}

// next moves to the next token.
func (s *scanner) next() {
	for s.pos < len(s.line) && (s.line[s.pos] == ' ' || s.line[s.pos] == '\t') {
		s.pos++
	}
	rest := s.line[s.pos:]
	if rest == "" || strings.HasPrefix(rest, "--") {
		s.tok, s.pos = token{column: s.pos}, len(s.line)
		return
	}
	t := scanToken(rest)
	if t.kind == badToken {
		s.failAt(s.pos, "%s", t.text)
		return
	}
	length := t.column // scanToken puts the length here
	t.column = s.pos
	s.tok, s.pos = t, s.pos+length
}

// scanToken reads the token at the start of text, which is not empty. The length goes
// into column.
func scanToken(text string) token {
	switch c := text[0]; {
	case wordByte(c, true):
		n := 1
		for n < len(text) && (wordByte(text[n], false) || hyphen(text[n:])) {
			n++
		}
		return token{wordToken, text[:n], n}
	case c == '"':
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return token{kind: badToken, text: "this text in quotes does not end, or has a wrong escape"}
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return token{kind: badToken, text: "this text in quotes has a wrong escape"}
		}
		return token{textToken, value, len(quoted)}
	case c == '#':
		n := digits(text[1:])
		if n == 0 {
			return token{kind: badToken, text: "# is followed by an operator's number"}
		}
		return token{hashToken, text[1 : 1+n], 1 + n}
	case c == '-' || digits(text) > 0:
		if n := numberLength(text); n > 0 {
			return token{numberToken, text[:n], n}
		}
	case strings.HasPrefix(text, "<-"):
		return token{signToken, "<-", 2}
	case strings.IndexByte("(),:=.*", c) >= 0:
		return token{signToken, text[:1], 1}
	}
	return token{kind: badToken, text: fmt.Sprintf("unexpected character %q", []rune(text)[0])}
}

// hyphen: a single hyphen inside a word, as in rows-instant.
func hyphen(text string) bool { return len(text) > 1 && text[0] == '-' && wordByte(text[1], true) }

func digits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// numberLength is the length of the number at the start of text, or 0.
func numberLength(text string) int {
	if strings.HasPrefix(text, "-Infinity") {
		return len("-Infinity")
	}
	n := 0
	if text[0] == '-' {
		n = 1
	}
	whole := digits(text[n:])
	if whole == 0 {
		return 0
	}
	n += whole
	if n < len(text) && text[n] == '.' {
		n += 1 + digits(text[n+1:])
	}
	if n < len(text) && (text[n] == 'e' || text[n] == 'E') {
		sign := n + 1
		if sign < len(text) && (text[sign] == '-' || text[sign] == '+') {
			sign++
		}
		if exponent := digits(text[sign:]); exponent > 0 {
			n = sign + exponent
		}
	}
	return n
}

// followedBy reports whether the byte right behind the token is c.
func (s *scanner) followedBy(c byte) bool { return s.pos < len(s.line) && s.line[s.pos] == c }

// skip moves past the word or sign if it is next.
func (s *scanner) skip(text string) bool {
	if (s.tok.kind == wordToken || s.tok.kind == signToken) && s.tok.text == text {
		s.next()
		return true
	}
	return false
}

func (s *scanner) expect(text string) {
	if s.err == nil && !s.skip(text) {
		s.fail("%q is missing here", text)
	}
}

func (s *scanner) end() {
	if s.err == nil && s.tok.kind != endOfLine {
		s.fail("the line should end here")
	}
}

// take returns the token's text if it has one of the kinds and moves on.
func (s *scanner) take(what string, kinds ...tokenKind) string {
	if s.err != nil {
		return ""
	}
	for _, k := range kinds {
		if s.tok.kind == k {
			text := s.tok.text
			s.next()
			return text
		}
	}
	s.fail("%s is missing here", what)
	return ""
}

func (s *scanner) word(what string) string { return s.take(what, wordToken) }
func (s *scanner) name(what string) string { return s.take(what, wordToken, textToken) }
func (s *scanner) text(what string) string { return s.take(what, textToken) }

func (s *scanner) hash() OpID {
	at := s.tok.column
	text := s.take("# and an operator's number", hashToken)
	return OpID(s.number32(at, text))
}

// index reads a number from 0.
func (s *scanner) index() int {
	at := s.tok.column
	text := s.take("a number", numberToken)
	return s.number32(at, text)
}

func (s *scanner) number32(at int, text string) int {
	if s.err != nil {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		s.failAt(at, "%s is no number from 0 to 2147483647", text)
	}
	return int(n)
}

// columnNumber reads $3.
func (s *scanner) columnNumber() int {
	at := s.tok.column
	text := s.word("a column such as $0")
	if s.err != nil {
		return 0
	}
	if !strings.HasPrefix(text, "$") || digits(text[1:]) != len(text)-1 {
		s.failAt(at, "%s is no column such as $0", text)
		return 0
	}
	return s.number32(at, text[1:])
}

func (s *scanner) int64(what string) int64 {
	at := s.tok.column
	text := s.take(what, numberToken)
	if s.err != nil {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.failAt(at, "%s is no whole number of 64 bits", text)
	}
	return n
}
