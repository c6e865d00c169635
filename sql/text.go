package sql

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// maxScriptBytes bounds one script after substitution; a longer one is refused.
const maxScriptBytes = 4 << 20

// span is a piece of an expanded script: byte offsets into text.expanded.
type span struct {
	script   int
	from, to int
}

func (s span) join(o span) span { return span{s.script, min(s.from, o.from), max(s.to, o.to)} }

// text is one script with its variables replaced, and the way back to the original.
type text struct {
	name     string
	line     int // lines before it
	original string
	expanded string
	pieces   []piece // by at
}

// piece says that expanded[at:] came from original[from:]. A variable's piece stands
// for original[from:from+length] as a whole.
type piece struct {
	at, from, length int
	variable         bool
}

// expand replaces ${name} outside comments. Inside a quoted string the value's quotes
// are doubled, so that a value is always content and never ends the string.
func expand(s Script, vars map[string]string) (*text, error) {
	t := &text{name: s.Name, line: s.Line, original: s.Text}
	src := s.Text
	if !utf8.ValidString(src) {
		at := 0
		for r, n := utf8.DecodeRuneInString(src[at:]); r != utf8.RuneError || n != 1; r, n = utf8.DecodeRuneInString(src[at:]) {
			at += n
		}
		t.pieces, t.expanded = []piece{{0, 0, len(src), false}}, src
		return nil, t.fail(at, at+1, "the script is not valid UTF-8 text")
	}
	var out strings.Builder
	copied := 0
	flush := func(to int) {
		t.pieces = append(t.pieces, piece{out.Len(), copied, to - copied, false})
		out.WriteString(src[copied:to])
		copied = to
	}
	for _, v := range findVariables(src) {
		flush(v.from)
		value, ok := vars[v.name]
		if !ok {
			t.pieces = append(t.pieces, piece{out.Len(), copied, len(src) - copied, false})
			t.expanded = out.String() + src[copied:]
			at := out.Len()
			hint := suggest(v.name, keys(vars))
			if hint == "" {
				hint = fmt.Sprintf("give it with --set %s=value", v.name)
			}
			return nil, t.failHint(at, at+v.to-v.from, hint, "the variable %q has no value", v.name)
		}
		if v.quote != 0 {
			value = strings.ReplaceAll(value, string(v.quote), string(v.quote)+string(v.quote))
		}
		t.pieces = append(t.pieces, piece{out.Len(), v.from, v.to - v.from, true})
		out.WriteString(value)
		copied = v.to
	}
	flush(len(src))
	t.expanded = out.String()
	if len(t.expanded) > maxScriptBytes {
		return nil, t.fail(0, 0, "the script has %d bytes, more than the limit of %d", len(t.expanded), maxScriptBytes)
	}
	if !utf8.ValidString(t.expanded) {
		return nil, t.fail(0, 0, "a variable's value is not valid UTF-8 text")
	}
	return t, nil
}

// unused returns, for every variable that no script mentions, a warning.
func unused(scripts []Script, vars map[string]string) (warnings []string) {
	mentioned := map[string]string{}
	for _, s := range scripts {
		for _, v := range findVariables(s.Text) {
			mentioned[v.name] = ""
		}
	}
	for _, name := range keys(vars) {
		if _, ok := mentioned[name]; ok {
			continue
		}
		hint := suggest(name, keys(mentioned))
		if hint == "" {
			hint = "it changes nothing"
		}
		warnings = append(warnings, fmt.Sprintf("--set %s: the script does not mention ${%s}; %s", name, name, hint))
	}
	return warnings
}

type variable struct {
	from, to int
	name     string
	quote    byte // the quotes it stands in, 0 for none
}

// findVariables returns the ${name} of a script that stand outside comments.
func findVariables(src string) []variable {
	var out []variable
	var quote byte
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '$' && strings.HasPrefix(src[i:], "${"):
			end := strings.IndexByte(src[i:], '}')
			if end < 0 || !isVariableName(src[i+2:i+end]) {
				continue
			}
			out = append(out, variable{i, i + end + 1, src[i+2 : i+end], quote})
			i += end
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case strings.HasPrefix(src[i:], "--"):
			i += lengthUntil(src[i:], "\n")
		case strings.HasPrefix(src[i:], "/*"):
			i += 1 + lengthUntil(src[i+2:], "*/") + 2
		}
	}
	return out
}

func isVariableName(s string) bool {
	for _, c := range s {
		if !isIdentifierPart(c) && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

// lengthUntil is the offset of the end mark, or of the end of s.
func lengthUntil(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i
	}
	return len(s)
}

// origin maps an offset of the expanded text to the original: the offset itself, and
// where the piece of the original that it stands for ends.
func (t *text) origin(at int) (from, to int) {
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].at > at }) - 1
	for i > 0 && !t.pieces[i].variable && at-t.pieces[i].at > t.pieces[i].length {
		i--
	}
	if i < 0 {
		return 0, 0
	}
	p := t.pieces[i]
	if p.variable {
		return p.from, p.from + p.length
	}
	return p.from + at - p.at, p.from + at - p.at
}

func (t *text) fail(from, to int, format string, args ...any) *Error {
	return t.failHint(from, to, "", format, args...)
}

// failHint makes the error for expanded[from:to].
func (t *text) failHint(from, to int, hint, format string, args ...any) *Error {
	start, end := t.origin(from)
	if to > from {
		last, lastEnd := t.origin(to - 1)
		end = max(end, lastEnd, last+1)
	}
	e := newError(t.name, t.original, start, end, fmt.Sprintf(format, args...), hint)
	e.Line += t.line
	return e
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
