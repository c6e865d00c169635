package sql

import (
	"strings"
	"unicode/utf8"
)

// Split cuts a script into pieces that can run one after the other: single statements, and
// statement sets (BEGIN STATEMENT SET; .. END;) as a whole. Each keeps its place in the
// script, so that errors point there. rest is what stands behind the last ";": a statement
// that is not complete, or blank. Blanks and comments between statements belong to the
// statement behind them. A line that begins with \ where a statement could begin is a piece of
// its own: the shell has commands of that form.
func Split(s Script) (pieces []Script, rest Script) {
	c := &cutter{src: s.Text, blank: true}
	from := 0
	for c.at < len(c.src) {
		if !c.step() {
			continue
		}
		if !c.blank {
			pieces = append(pieces, cut(s, from, c.at))
		}
		from, c.blank = c.at, true
	}
	return pieces, cut(s, from, len(s.Text))
}

// IsBlank reports whether a script holds nothing but blanks, comments and semicolons.
func IsBlank(text string) bool {
	c := &cutter{src: text, blank: true}
	for c.at < len(text) && c.blank {
		c.step()
	}
	return c.blank
}

// cut makes the script of text[from:to] without the blanks around it. What stands before it
// in its line becomes blanks.
func cut(s Script, from, to int) Script {
	text := s.Text[from:to]
	from += len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	text = strings.TrimSpace(text)
	if text == "" {
		return Script{Name: s.Name, Line: s.Line + strings.Count(s.Text, "\n")}
	}
	before := s.Text[:from]
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return Script{
		Name: s.Name, Text: strings.Repeat(" ", column) + text, Line: s.Line + strings.Count(before, "\n"),
	}
}

// cutter walks over a script's quotes, comments, words and semicolons. It knows as much of
// the grammar as it takes to find the end of a statement, and never fails: what is wrong,
// the parser says.
type cutter struct {
	src   string
	at    int
	blank bool // since the last piece

	words []string // of the statement, as many as tell a statement set
	set   bool     // within a statement set
}

// step goes over one token and reports whether it ended a piece.
func (c *cutter) step() (ended bool) {
	rest := c.src[c.at:]
	switch b := rest[0]; {
	case b == ' ' || b == '\t' || b == '\r' || b == '\n':
		c.at++
	case strings.HasPrefix(rest, "--"):
		c.at += lengthUntil(rest, "\n")
	case strings.HasPrefix(rest, "/*"):
		c.at += min(len(rest), 2+lengthUntil(rest[2:], "*/")+2)
	case b == ';':
		c.at++
		ended = c.semicolon()
	case b == '\\' && c.blank && !c.set:
		c.at, c.blank, ended = c.at+lengthUntil(rest, "\n"), false, true
	case b == '\'' || b == '"' || b == '`':
		c.blank = false
		c.at += min(len(rest), 1+lengthUntil(rest[1:], string(b))+1)
	case isWordByte(b):
		c.word(rest)
	default:
		c.blank = false
		c.at++
	}
	return ended
}

func isWordByte(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || isDigit(b) || b >= utf8.RuneSelf
}

// setWords is how many words a statement set begins with.
const setWords = 4

func (c *cutter) word(rest string) {
	n := 0
	for n < len(rest) && (isWordByte(rest[n]) || rest[n] == '$') {
		n++
	}
	c.at += n
	c.blank = false
	if len(c.words) <= setWords {
		c.words = append(c.words, strings.ToLower(rest[:n]))
	}
	if !c.set && strings.Join(c.words, " ") == "execute statement set begin" {
		c.set, c.words = true, nil
	}
}

func (c *cutter) semicolon() (ended bool) {
	words := strings.Join(c.words, " ")
	c.words = nil
	switch {
	case c.set && words == "end":
		c.set = false
	case c.set:
		return false
	case words == "begin statement set":
		c.set = true
		return false
	}
	return true
}

// Verb is what a statement does to a session.
type Verb uint8

// The verbs.
const (
	VerbQuery   Verb = iota // SELECT, INSERT, EXPLAIN, SHOW, DESCRIBE
	VerbDeclare             // CREATE
	VerbDrop
	VerbSet
	VerbReset
)

// Statement is what a session has to know of a statement before it is resolved.
type Statement struct {
	Verb Verb
	Name string // of what is declared, dropped or set; RESET of everything: ""
	// Kind is stream, table or view, as VerbDeclare and VerbDrop write it.
	Kind string
	// Replace is CREATE OR REPLACE; Lenient is IF NOT EXISTS and IF EXISTS.
	Replace, Lenient bool

	text *text
	at   span
}

// Statements parses a script. A mistake in it is an *Error.
func Statements(s Script, vars map[string]string) ([]Statement, error) {
	t, err := expand(s, vars)
	if err != nil {
		return nil, err
	}
	parsed, errs := parse(t, 0)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	var out []Statement
	for _, p := range parsed {
		n := Statement{Name: p.name.text, Kind: p.word, Replace: p.orReplace, Lenient: p.ifNotExists || p.ifExists, text: t, at: p.name.span}
		switch p.kind {
		case createStream, createView:
			n.Verb = VerbDeclare
		case dropStatement:
			n.Verb = VerbDrop
		case setStatement, resetStatement:
			n.Verb, n.Name, n.at = VerbSet, p.setting.key, p.setting.keyAt
			if p.kind == resetStatement {
				n.Verb = VerbReset
			}
		}
		if p.explain {
			n.Verb = VerbQuery
		}
		out = append(out, n)
	}
	return out, nil
}

// View reports whether a view is declared or dropped.
func (s Statement) View() bool { return s.Kind == "view" }

// Fail makes the error that a statement's name is wrong.
func (s Statement) Fail(hint, format string, args ...any) error {
	return s.text.failHint(s.at.from, s.at.to, hint, format, args...)
}

// Suggest returns `did you mean "x"?` for the candidate nearest to a name, or "".
func Suggest(name string, candidates []string) string { return suggest(name, candidates) }

// Mentioned returns the variables that a script mentions.
func Mentioned(vars map[string]string, s Script) map[string]string {
	out := map[string]string{}
	for _, v := range findVariables(s.Text) {
		if value, ok := vars[v.name]; ok {
			out[v.name] = value
		}
	}
	return out
}

// OneLine writes a script in one line that means the same: line ends become blanks, and
// comments up to the end of their line those between /* and */. Line ends in quotes become
// blanks, too.
func OneLine(text string) string {
	var out strings.Builder
	c := &cutter{src: strings.TrimSpace(text)}
	for c.at < len(c.src) {
		from := c.at
		c.step()
		token := c.src[from:c.at]
		if comment, ok := strings.CutPrefix(token, "--"); ok {
			token = "/*" + strings.ReplaceAll(comment, "*/", "* /") + " */"
		}
		if strings.TrimSpace(token) != "" {
			out.WriteString(strings.Join(strings.FieldsFunc(token, isLineEnd), " "))
		} else if !strings.HasSuffix(out.String(), " ") {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }
