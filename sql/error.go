package sql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/internal/typo"
)

// Error is a mistake in a script. Line and Column count from 1, Column and Length in
// characters of the script as it was written, before variables were replaced.
type Error struct {
	File         string
	Line, Column int
	Length       int // characters the caret line marks, at least 1
	Message      string
	Hint         string // how to fix it, or ""
	SourceLine   string
	More         []*Error // further mistakes of the script, of the one that was found first
}

func newError(file, src string, from, to int, message, hint string) *Error {
	from = min(from, len(src))
	to = min(max(to, from), len(src))
	lineStart := strings.LastIndexByte(src[:from], '\n') + 1
	line := src[lineStart:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	line = strings.TrimSuffix(line, "\r")
	at := min(from-lineStart, len(line))
	end := min(max(to-lineStart, at), len(line))
	return &Error{
		File:       file,
		Line:       strings.Count(src[:from], "\n") + 1,
		Column:     utf8.RuneCountInString(line[:at]) + 1,
		Length:     max(1, utf8.RuneCountInString(line[at:end])),
		Message:    message,
		Hint:       hint,
		SourceLine: line,
	}
}

// A longer source line is shown in part: lineBefore characters before the mistake,
// lineShown in all.
const (
	lineShown  = 160
	lineBefore = 60
)

// Error prints file:line:column, the message and the hint, then the source line with
// its number and carets under the mistake. Tabs before the mistake are kept as tabs,
// so that the carets stand where they should.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	line, at := e.excerpt()
	number := fmt.Sprint(e.Line)
	fmt.Fprintf(&b, "\n  %s | %s\n  %s | ", number, string(line), strings.Repeat(" ", len(number)))
	for _, c := range line[:at] {
		if c == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString(strings.Repeat("^", max(1, min(e.Length, len(line)-at))))
	return b.String()
}

// excerpt returns what is shown of the source line and where in it the mistake is.
func (e *Error) excerpt() (line []rune, at int) {
	line, at = []rune(e.SourceLine), e.Column-1
	if len(line) <= lineShown {
		return line, at
	}
	from := max(0, at-lineBefore)
	shown := append([]rune(nil), line[from:min(len(line), from+lineShown)]...)
	if from+lineShown < len(line) {
		shown = append(shown, '.', '.')
	}
	if from > 0 {
		return append([]rune(".."), shown...), at - from + 2
	}
	return shown, at
}

// suggest returns `did you mean "x"?` for the candidate nearest to name, or "".
func suggest(name string, candidates []string) string {
	best, bestDistance := "", max(1, min(len(name)/3, 3))+1
	for _, c := range candidates {
		if d := typo.Distance(strings.ToLower(name), strings.ToLower(c), bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best == "" || len(name) < 2 && bestDistance > 0 {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}
