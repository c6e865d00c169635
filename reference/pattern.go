package reference

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"similar": similar, "regexp_like": regexpLike, "regexp_extract": regexpExtract,
		"regexp_replace": regexpReplace, "regexp_count": regexpCount,
	})
}

func patternError() (stream.Value, string) { return stream.Value{}, function.ErrPattern }

func similar(a []stream.Value, _ stream.Type) (stream.Value, string) {
	escape := `\`
	if len(a) == 3 {
		escape = a[2].S
	}
	p, err := function.CompileSimilar(a[1].S, escape)
	if err != nil {
		return patternError()
	}
	return boolean(p.MatchString(a[0].S))
}

func regexpLike(a []stream.Value, _ stream.Type) (stream.Value, string) {
	flags := ""
	if len(a) == 3 {
		flags = a[2].S
	}
	p, err := function.CompilePattern(a[1].S, flags)
	if err != nil {
		return patternError()
	}
	return boolean(p.MatchString(a[0].S))
}

func regexpExtract(a []stream.Value, t stream.Type) (stream.Value, string) {
	group := int64(0)
	if len(a) == 3 {
		group = a[2].I
	}
	p, err := function.CompilePattern(a[1].S, "")
	if err != nil {
		return patternError()
	}
	match := p.FindStringSubmatchIndex(a[0].S)
	if group < 0 || group >= int64(len(match)/2) || match[2*group] < 0 {
		return stream.NullOf(t), ""
	}
	return text(a[0].S[match[2*group]:match[2*group+1]])
}

func regexpCount(a []stream.Value, _ stream.Type) (stream.Value, string) {
	p, err := function.CompilePattern(a[1].S, "")
	if err != nil {
		return patternError()
	}
	return stream.Int(int32(len(p.FindAllString(a[0].S, -1)))), ""
}

// regexpReplace writes the replacement anew as a template of package regexp, in which a
// $ is doubled and groups stand in braces.
func regexpReplace(a []stream.Value, _ stream.Type) (stream.Value, string) {
	p, err := function.CompilePattern(a[1].S, "")
	if err != nil {
		return patternError()
	}
	template, ok := templateOf(a[2].S, p)
	if !ok {
		return domainError()
	}
	out := p.ReplaceAllString(a[0].S, template)
	if len(out) > function.TextBytesMax && len(out) > len(a[0].S) {
		return stream.Value{}, function.ErrTooLong
	}
	return text(out)
}

func templateOf(by string, p *regexp.Regexp) (string, bool) {
	var b strings.Builder
	chars := []rune(by)
	digit := func(i int) bool { return i < len(chars) && chars[i] >= '0' && chars[i] <= '9' }
	for i := 0; i < len(chars); i++ {
		c := chars[i]
		switch {
		case (c == '$' || c == '\\') && digit(i+1):
			i++
			group := int(chars[i] - '0')
			for c == '$' && digit(i+1) && group*10+int(chars[i+1]-'0') <= p.NumSubexp() {
				i++
				group = group*10 + int(chars[i]-'0')
			}
			if group > p.NumSubexp() {
				return "", false
			}
			b.WriteString("${" + strconv.Itoa(group) + "}")
			continue
		case c == '\\' && i+1 < len(chars):
			i++
			c = chars[i]
		}
		if b.WriteRune(c); c == '$' {
			b.WriteByte('$')
		}
	}
	return b.String(), true
}
