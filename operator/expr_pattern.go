package operator

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var patternFunctions = map[string]prepare{
	"similar":        preparePattern(eachBool(matchPattern), 2, stream.Varchar, stream.Varchar, stream.Varchar),
	"regexp_like":    preparePattern(eachBool(matchPattern), 2, stream.Varchar, stream.Varchar, stream.Varchar),
	"regexp_extract": preparePattern(eachText(extractPattern), 2, stream.Varchar, stream.Varchar, stream.BigInt),
	"regexp_replace": preparePattern(eachText(replacePattern), 3, stream.Varchar, stream.Varchar, stream.Varchar),
	"regexp_count":   preparePattern(eachFixed(countPattern), 2, stream.Varchar, stream.Varchar),
}

// compiledMax is how many compiled patterns, paths and formats a scratch keeps that
// are not constant; with one more it begins anew.
const compiledMax = 64

// compiledPattern is what a text compiles to, or why it does not.
type compiledPattern struct {
	pattern *regexp.Regexp
	reason  string
}

// preparePattern compiles a constant pattern, with its constant flags or escape.
func preparePattern(run kernel, least int, types ...stream.Type) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		in.run = run
		pattern, ok := b.literalOf(in.args[1])
		extra := stream.Text("")
		if modified(e.Func) && len(in.args) == 3 && ok {
			extra, ok = b.literalOf(in.args[2])
		}
		in.data = &patternUse{similar: e.Func == "similar", extra: modified(e.Func) && len(in.args) == 3}
		if ok {
			in.data.(*patternUse).constant = in.data.(*patternUse).compile(pattern.S, extra.S)
		}
		return checkTypes(e, least, types...)
	}
}

// modified: the third argument says how the pattern is read.
func modified(f string) bool { return f == "similar" || f == "regexp_like" }

// patternUse is how a call comes to its pattern.
type patternUse struct {
	similar, extra bool
	constant       *compiledPattern // nil: the pattern differs from row to row
}

func (u *patternUse) compile(pattern, extra string) *compiledPattern {
	c := &compiledPattern{}
	var err error
	if u.similar {
		if !u.extra {
			extra = defaultEscape
		}
		c.pattern, err = function.CompileSimilar(pattern, extra)
	} else {
		c.pattern, err = function.CompilePattern(pattern, extra)
	}
	if err != nil {
		c.reason = function.ErrPattern
	}
	return c
}

// compiledKey tells apart what is kept: equal texts can mean a regular expression, a
// pattern of SIMILAR TO, and so on.
type compiledKey struct {
	use         byte
	text, extra string
}

// patternOf is the pattern of row i.
func (s *ProgramScratch) patternOf(in *instr, i int) *compiledPattern {
	u := in.data.(*patternUse)
	if u.constant != nil {
		return u.constant
	}
	key := compiledKey{use: 'r', text: string(s.text(in, 1, i))}
	if u.similar {
		key.use = 's'
	}
	if u.extra {
		key.extra = string(s.text(in, 2, i))
	}
	if c, ok := s.compiled[key]; ok {
		return c
	}
	c := u.compile(key.text, key.extra)
	if s.compiled == nil {
		s.compiled = map[compiledKey]*compiledPattern{}
	} else if len(s.compiled) >= compiledMax {
		clear(s.compiled)
	}
	s.compiled[key] = c
	return c
}

func matchPattern(s *ProgramScratch, in *instr, i int) (bool, string) {
	c := s.patternOf(in, i)
	if c.reason != "" {
		return false, c.reason
	}
	return c.pattern.Match(s.text(in, 0, i)), ""
}

func extractPattern(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	c, group := s.patternOf(in, i), int64(0)
	if len(in.args) == 3 {
		group = s.i64(in, 2, i)
	}
	switch text := s.text(in, 0, i); {
	case c.reason != "":
		return dst, c.reason
	case group < 0 || group > int64(c.pattern.NumSubexp()):
		return dst, nullRow
	case group == 0: // without memory for the groups
		found := c.pattern.FindIndex(text)
		if found == nil {
			return dst, nullRow
		}
		return append(dst, text[found[0]:found[1]]...), ""
	default:
		at := c.pattern.FindSubmatchIndex(text)
		if at == nil || at[2*group] < 0 {
			return dst, nullRow
		}
		return append(dst, text[at[2*group]:at[2*group+1]]...), ""
	}
}

func countPattern(s *ProgramScratch, in *instr, i int) (int32, string) {
	c := s.patternOf(in, i)
	if c.reason != "" {
		return 0, c.reason
	}
	return int32(len(c.pattern.FindAllIndex(s.text(in, 0, i), -1))), ""
}

func replacePattern(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	c, text, by := s.patternOf(in, i), s.text(in, 0, i), s.text(in, 2, i)
	if c.reason != "" {
		return dst, c.reason
	}
	from, done := len(dst), 0
	groups := c.pattern.NumSubexp()
	if !groupsExist(by, groups) {
		return dst, function.ErrDomain
	}
	for _, at := range c.pattern.FindAllSubmatchIndex(text, -1) {
		dst = append(dst, text[done:at[0]]...)
		dst = appendExpanded(dst, by, text, at)
		if done = at[1]; len(dst)-from > function.TextBytesMax {
			return dst, function.ErrTooLong
		}
	}
	if dst = append(dst, text[done:]...); len(dst)-from > function.TextBytesMax && len(text) < len(dst)-from {
		return dst, function.ErrTooLong
	}
	return dst, ""
}

// groupsExist reports whether the groups that a replacement names do.
func groupsExist(by []byte, groups int) bool {
	for len(by) > 0 {
		group, n := replacementAt(by, groups)
		if group > groups {
			return false
		}
		by = by[n:]
	}
	return true
}

// replacementAt reads the next part of a replacement, n bytes: a group, or -1 for text.
// Digits behind a $ count as long as there is such a group.
func replacementAt(by []byte, groups int) (group, n int) {
	if (by[0] != '$' && by[0] != '\\') || len(by) == 1 || by[1] < '0' || by[1] > '9' {
		if by[0] == '\\' && len(by) > 1 {
			_, size := utf8.DecodeRune(by[1:])
			return -1, 1 + size
		}
		return -1, 1
	}
	group, n = int(by[1]-'0'), 2
	for by[0] == '$' && n < len(by) && strings.IndexByte("0123456789", by[n]) >= 0 && group*10+int(by[n]-'0') <= groups {
		group = group*10 + int(by[n]-'0')
		n++
	}
	return group, n
}

func appendExpanded(dst, by, text []byte, at []int) []byte {
	for len(by) > 0 {
		group, n := replacementAt(by, len(at)/2-1)
		switch {
		case group < 0 && n > 1: // behind a backslash
			dst = append(dst, by[1:n]...)
		case group < 0:
			dst = append(dst, by[0])
		case at[2*group] >= 0:
			dst = append(dst, text[at[2*group]:at[2*group+1]]...)
		}
		by = by[n:]
	}
	return dst
}
