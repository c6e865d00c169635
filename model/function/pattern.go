package function

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

// patterns are the functions of regular expressions.
var patterns = []Function{
	{Name: "similar", SQL: "SIMILAR TO", Syntax: true, Category: "regular expressions", MayErr: true, Signatures: []Signature{sig(boo, txt, txt), sig(boo, txt, txt, txt)},
		Doc: "whether the whole text matches SQL's pattern: % any run, _ any one, and | * + ? {m,n} ( ) [..] as in regular expressions; \\ (or the third argument) takes the next literally"},
	{Name: "regexp_like", SQL: "REGEXP_LIKE", Category: "regular expressions", MayErr: true, Signatures: []Signature{sig(boo, txt, txt), sig(boo, txt, txt, txt)},
		Doc: "whether the text has a match of the pattern (RE2); flags i, m and s as RE2's; also x ~ p, x ~* p (any case), x !~ p, REGEXP(x, p)"},
	{Name: "regexp_extract", SQL: "REGEXP_EXTRACT", Category: "regular expressions", MayErr: true, MayNull: true, Signatures: []Signature{sig(txt, txt, txt), sig(txt, txt, txt, in8)},
		Doc: "what the first match has in group n (0: all of it); NULL without a match, of a group that took no part and of one that does not exist; also REGEXP_SUBSTR"},
	{Name: "regexp_replace", SQL: "REGEXP_REPLACE", Category: "regular expressions", MayErr: true, Signatures: []Signature{sig(txt, txt, txt, txt)},
		Doc: "every match replaced by the third text, in which $1 or \\1 is the first group, $0 all of the match, and \\ takes another character literally; a group that does not exist and more than 256 KiB are errors"},
	{Name: "regexp_count", SQL: "REGEXP_COUNT", Category: "regular expressions", MayErr: true, Signatures: []Signature{sig(in4, txt, txt)}, Doc: "number of matches that do not overlap"},
}

// PatternArgument is which argument of a function is its pattern.
var PatternArgument = map[string]int{"similar": 1, "regexp_like": 1, "regexp_extract": 1, "regexp_replace": 1, "regexp_count": 1}

// CompilePattern compiles a regular expression with flags out of i, m and s.
func CompilePattern(pattern, flags string) (*regexp.Regexp, error) {
	if strings.Trim(flags, "ims") != "" {
		return nil, errors.New("flags are i, m and s")
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	return regexp.Compile(pattern)
}

// CompileSimilar compiles a pattern of SIMILAR TO. Everything is itself but the marks
// of patterns, inside brackets everything that can be.
func CompileSimilar(pattern, escape string) (*regexp.Regexp, error) {
	if utf8.RuneCountInString(escape) != 1 {
		return nil, errors.New("an escape is one character")
	}
	var b strings.Builder
	b.WriteString(`^(?s:`)
	escaped, inside := false, false
	for _, c := range pattern {
		switch char := string(c); {
		case escaped:
			b.WriteString(regexp.QuoteMeta(char))
			escaped = false
		case char == escape:
			escaped = true
		case inside:
			inside = c != ']'
			b.WriteString(strings.ReplaceAll(char, `\`, `\\`))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteByte('.')
		case strings.ContainsRune("|*+?{}()[]", c):
			inside = c == '['
			b.WriteString(char)
		default:
			b.WriteString(regexp.QuoteMeta(char))
		}
	}
	if escaped {
		return nil, errors.New("it ends in the escape")
	}
	b.WriteString(`)$`)
	return regexp.Compile(b.String())
}
