package sql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // identifier or keyword; text is folded to lower case
	quotedToken           // "identifier" or `identifier`
	stringToken           // text without quotes, '' undone
	numberToken
	symbolToken
)

type token struct {
	kind tokenKind
	text string
	span span
}

// show names a token in an error message.
func (t token) show() string {
	switch t.kind {
	case endToken:
		return "the end of the script"
	case stringToken:
		return "the text '" + shorten(t.text) + "'"
	default:
		return `"` + shorten(t.text) + `"`
	}
}

// shownCharacters is how much of a long name or text an error message repeats.
const shownCharacters = 40

func shorten(s string) string {
	if utf8.RuneCountInString(s) <= shownCharacters {
		return s
	}
	return string([]rune(s)[:shownCharacters]) + ".."
}

// symbols, longest first.
var symbols = []string{"->>", "!~*", "->", "!~", "~*", "<<", ">>", "<>", "!=", "<=", ">=", "||", "::", "=>", "(", ")", "[", "]", ",", ";", ".", "*", "+", "-", "/", "%", "=", "<", ">", "&", "|", "#", "~"}

type lexer struct {
	text   *text
	script int
	src    string
	at     int
	tokens []token
}

// lex cuts a script into tokens; the last is an endToken just behind the one before.
func lex(t *text, script int) ([]token, error) {
	l := &lexer{text: t, script: script, src: t.expanded}
	l.src = strings.TrimPrefix(l.src, "\ufeff")
	l.at = len(t.expanded) - len(l.src)
	l.src = t.expanded
	for {
		if err := l.skipBlank(); err != nil {
			return nil, err
		}
		if l.at >= len(l.src) {
			break
		}
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	end := 0
	if n := len(l.tokens); n > 0 {
		end = l.tokens[n-1].span.to
	}
	return append(l.tokens, token{kind: endToken, span: span{script, end, end}}), nil
}

func (l *lexer) skipBlank() error {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r):
			l.at += n
		case strings.HasPrefix(rest, "--"):
			l.at += lengthUntil(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.text.failHint(l.at, l.at+2, "close it with */", "this comment does not end")
			}
			l.at += end + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) emit(kind tokenKind, text string, to int) {
	l.tokens = append(l.tokens, token{kind, text, span{l.script, l.at, to}})
	l.at = to
}

func (l *lexer) next() error {
	rest := l.src[l.at:]
	r, n := utf8.DecodeRuneInString(rest)
	switch {
	case r == '\'':
		return l.quoted(stringToken, '\'', "text", "a ' inside is written ''")
	case r == '"' || r == '`':
		return l.quoted(quotedToken, byte(r), "quoted name", "")
	case isDigit(rest[0]) || r == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number()
	case isIdentifierStart(r):
		end := strings.IndexFunc(rest, func(c rune) bool { return !isIdentifierPart(c) })
		if end < 0 {
			end = len(rest)
		}
		l.emit(wordToken, strings.ToLower(rest[:end]), l.at+end)
		return nil
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s) {
			l.emit(symbolToken, s, l.at+len(s))
			return nil
		}
	}
	if strings.HasPrefix(rest, "${") {
		return l.text.failHint(l.at, l.at+2, "a variable is written ${name}", "this variable is malformed")
	}
	return l.text.failHint(l.at, l.at+n, foreignCharacters[r], "the character %q has no meaning here", r)
}

// quoted reads from an opening quote to the closing one; a doubled quote is one of the
// content.
func (l *lexer) quoted(kind tokenKind, quote byte, what, hint string) error {
	var content strings.Builder
	for i := l.at + 1; i < len(l.src); i++ {
		if l.src[i] != quote {
			content.WriteByte(l.src[i])
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == quote {
			content.WriteByte(quote)
			i++
			continue
		}
		if kind == quotedToken && content.Len() == 0 {
			return l.text.fail(l.at, i+1, "a name cannot be empty")
		}
		l.emit(kind, content.String(), i+1)
		return nil
	}
	end := l.at + lengthUntil(l.src[l.at:], "\n")
	if hint != "" {
		hint = "; " + hint
	}
	return l.text.failHint(l.at, end, "close it with "+string(quote)+hint, "this %s does not end", what)
}

func (l *lexer) number() error {
	i := l.at
	digits := func() {
		for i < len(l.src) && isDigit(l.src[i]) {
			i++
		}
	}
	digits()
	if i < len(l.src) && l.src[i] == '.' {
		i++
		digits()
	}
	if i < len(l.src) && (l.src[i] == 'e' || l.src[i] == 'E') {
		j := i + 1
		if j < len(l.src) && (l.src[j] == '+' || l.src[j] == '-') {
			j++
		}
		if j < len(l.src) && isDigit(l.src[j]) {
			i = j
			digits()
		}
	}
	if r, _ := utf8.DecodeRuneInString(l.src[i:]); i < len(l.src) && isIdentifierPart(r) {
		end := strings.IndexFunc(l.src[i:], func(c rune) bool { return !isIdentifierPart(c) })
		if end < 0 {
			end = len(l.src) - i
		}
		return l.text.failHint(l.at, i+end, "separate it with a blank, or put it into quotes", "%q is not a number", shorten(l.src[l.at:i+end]))
	}
	l.emit(numberToken, l.src[l.at:i], i)
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdentifierStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func isIdentifierPart(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r)
}
