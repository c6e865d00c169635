package reference

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/stream"
)

func text(s string) (stream.Value, string) { return stream.Text(s), "" }

func lower(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return text(strings.ToLower(a[0].S))
}

func upper(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return text(strings.ToUpper(a[0].S))
}

func length(a []stream.Value, _ stream.Type) (stream.Value, string) {
	if a[0].Type == stream.Bytes {
		return stream.Int(int32(len(a[0].S))), ""
	}
	return stream.Int(int32(utf8.RuneCountInString(a[0].S))), ""
}

// substring counts characters from 1; those before the first count toward the length.
func substring(a []stream.Value, t stream.Type) (stream.Value, string) {
	if len(a) == 3 && a[2].I < 0 {
		return domainError()
	}
	var out []rune
	chars := []rune(a[0].S)
	if t == stream.Bytes {
		chars = latin(a[0].S)
	}
	for i, c := range chars {
		at := int64(i) + 1
		// at >= 1, so neither difference overflows once at >= a[1].I is known, but for a
		// start near the least BIGINT.
		if at < a[1].I {
			continue
		}
		if len(a) == 3 && uint64(at)-uint64(a[1].I) >= uint64(a[2].I) {
			continue
		}
		out = append(out, c)
	}
	if t == stream.Bytes {
		s, _ := bytesOfLatin(out)
		return stream.Blob(s), ""
	}
	return text(string(out))
}

func concat(a []stream.Value, t stream.Type) (stream.Value, string) {
	s := ""
	for _, v := range a {
		s += v.S
	}
	return stream.Value{Type: t, S: s}, ""
}

func replace(a []stream.Value, _ stream.Type) (stream.Value, string) {
	if a[1].S == "" {
		return a[0], ""
	}
	return text(strings.ReplaceAll(a[0].S, a[1].S, a[2].S))
}

// position is the character position of the first argument in the second, from the
// third on; nothing is found at once.
func position(a []stream.Value, _ stream.Type) (stream.Value, string) {
	needle, chars := []rune(a[0].S), []rune(a[1].S)
	from := int64(1)
	if len(a) == 3 {
		from = a[2].I
	}
	last := int64(len(chars) - len(needle))
	for at := from - 1; from > 0 && at <= last; at++ {
		if slices.Equal(chars[at:at+int64(len(needle))], needle) {
			return stream.Int(int32(at) + 1), ""
		}
	}
	return stream.Int(0), ""
}

func startsWith(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return boolean(strings.HasPrefix(a[0].S, a[1].S))
}

// like matches by characters. The pattern is checked first, so that a bad one fails
// for every text.
func like(a []stream.Value, _ stream.Type) (stream.Value, string) {
	escape := []rune{'\\'}
	if len(a) == 3 {
		escape = []rune(a[2].S)
	}
	if len(escape) != 1 {
		return domainError()
	}
	var pattern []likeItem
	for p := []rune(a[1].S); len(p) > 0; p = p[1:] {
		switch {
		case p[0] == escape[0]:
			if len(p) == 1 {
				return domainError()
			}
			p = p[1:]
			pattern = append(pattern, likeItem{kind: likeLiteral, char: p[0]})
		case p[0] == '%':
			pattern = append(pattern, likeItem{kind: likeRun})
		case p[0] == '_':
			pattern = append(pattern, likeItem{kind: likeOne})
		default:
			pattern = append(pattern, likeItem{kind: likeLiteral, char: p[0]})
		}
	}
	return boolean(likeMatch(pattern, []rune(a[0].S)))
}

type likeKind int

const (
	likeLiteral likeKind = iota // the character char
	likeOne                     // any character
	likeRun                     // any characters, or none
)

type likeItem struct {
	kind likeKind
	char rune
}

// likeMatch follows the pattern over the text, keeping at every item the set of
// places in the text that can be reached: reached[i] means that the items so far can
// match exactly the first i characters.
func likeMatch(pattern []likeItem, text []rune) bool {
	reached := make([]bool, len(text)+1)
	reached[0] = true
	for _, item := range pattern {
		next := make([]bool, len(text)+1)
		for i := range next {
			switch item.kind {
			case likeRun:
				next[i] = reached[i] || i > 0 && next[i-1]
			case likeOne:
				next[i] = i > 0 && reached[i-1]
			default:
				next[i] = i > 0 && reached[i-1] && text[i-1] == item.char
			}
		}
		reached = next
	}
	return reached[len(text)]
}
