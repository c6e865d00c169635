package reference

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"trim":  func(a []stream.Value, _ stream.Type) (stream.Value, string) { return trimmed(a, true, true) },
		"ltrim": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return trimmed(a, true, false) },
		"rtrim": func(a []stream.Value, _ stream.Type) (stream.Value, string) { return trimmed(a, false, true) },

		"left": leftOf, "right": rightOf, "reverse": reverse, "repeat": repeat, "overlay": overlay, "initcap": initcap,
		"lpad":      func(a []stream.Value, _ stream.Type) (stream.Value, string) { return padded(a, true) },
		"rpad":      func(a []stream.Value, _ stream.Type) (stream.Value, string) { return padded(a, false) },
		"translate": translate, "split_index": splitIndex, "split_part": splitPart,
		"octet_length": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return stream.Int(int32(len(a[0].S))), ""
		},
		"ascii": ascii, "chr": chr,
		"ends_with": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return boolean(strings.HasSuffix(a[0].S, a[1].S))
		},
	})
	special["concat_ws"] = concatWS
}

// trimmed cuts the characters of the second argument, or blanks.
func trimmed(a []stream.Value, start, end bool) (stream.Value, string) {
	cut := " "
	if len(a) == 2 {
		cut = a[1].S
	}
	chars := []rune(a[0].S)
	for start && len(chars) > 0 && strings.ContainsRune(cut, chars[0]) {
		chars = chars[1:]
	}
	for end && len(chars) > 0 && strings.ContainsRune(cut, chars[len(chars)-1]) {
		chars = chars[:len(chars)-1]
	}
	return text(string(chars))
}

func leftOf(a []stream.Value, _ stream.Type) (stream.Value, string) {
	chars := []rune(a[0].S)
	return text(string(chars[:firstCount(a[1].I, len(chars))]))
}

func rightOf(a []stream.Value, _ stream.Type) (stream.Value, string) {
	chars := []rune(a[0].S)
	return text(string(chars[len(chars)-firstCount(a[1].I, len(chars)):]))
}

// firstCount is how many of size characters n means: all but -n if it is negative.
func firstCount(n int64, size int) int {
	if n < -int64(size) {
		return 0
	}
	if n < 0 {
		return size + int(n)
	}
	return int(min(n, int64(size)))
}

func reverse(a []stream.Value, _ stream.Type) (stream.Value, string) {
	chars := []rune(a[0].S)
	slices.Reverse(chars)
	return text(string(chars))
}

func repeat(a []stream.Value, _ stream.Type) (stream.Value, string) {
	n := max(a[1].I, 0)
	if a[0].S == "" {
		return text("")
	}
	if n > int64(function.TextBytesMax/len(a[0].S)) {
		return stream.Value{}, function.ErrTooLong
	}
	return text(strings.Repeat(a[0].S, int(n)))
}

func padded(a []stream.Value, front bool) (stream.Value, string) {
	chars, fill := []rune(a[0].S), []rune{' '}
	if len(a) == 3 {
		fill = []rune(a[2].S)
	}
	size := max(a[1].I, 0)
	if int64(len(chars)) >= size || len(fill) == 0 {
		return text(string(chars[:min(size, int64(len(chars)))]))
	}
	if size > function.TextBytesMax {
		return stream.Value{}, function.ErrTooLong // a character has a byte at least
	}
	var padding []rune
	for i := 0; len(chars)+len(padding) < int(size); i++ {
		padding = append(padding, fill[i%len(fill)])
	}
	out := string(chars) + string(padding)
	if front {
		out = string(padding) + string(chars)
	}
	if len(out) > function.TextBytesMax {
		return stream.Value{}, function.ErrTooLong
	}
	return text(out)
}

func overlay(a []stream.Value, _ stream.Type) (stream.Value, string) {
	chars, by, from := []rune(a[0].S), []rune(a[1].S), a[2].I
	length := int64(len(by))
	if len(a) == 4 {
		length = a[3].I
	}
	if from < 1 || length < 0 {
		return domainError()
	}
	head := min(from-1, int64(len(chars)))
	tail := min(length, int64(len(chars))-head) + head
	return text(string(chars[:head]) + string(by) + string(chars[tail:]))
}

func initcap(a []stream.Value, _ stream.Type) (stream.Value, string) {
	chars := []rune(a[0].S)
	for i, c := range chars {
		if i > 0 && (unicode.IsLetter(chars[i-1]) || unicode.IsDigit(chars[i-1])) {
			chars[i] = unicode.ToLower(c)
		} else {
			chars[i] = unicode.ToUpper(c)
		}
	}
	return text(string(chars))
}

func translate(a []stream.Value, _ stream.Type) (stream.Value, string) {
	from, to := []rune(a[1].S), []rune(a[2].S)
	return text(strings.Map(func(c rune) rune {
		switch at := slices.Index(from, c); {
		case at < 0:
			return c
		case at < len(to):
			return to[at]
		}
		return -1
	}, a[0].S))
}

// pieces are the parts of a text cut at every occurrence of another.
func pieces(of, by string) []string {
	if by == "" {
		return []string{of}
	}
	return strings.Split(of, by)
}

func splitIndex(a []stream.Value, t stream.Type) (stream.Value, string) {
	parts := pieces(a[0].S, a[1].S)
	if a[2].I < 0 || a[2].I >= int64(len(parts)) {
		return stream.NullOf(t), ""
	}
	return text(parts[a[2].I])
}

func splitPart(a []stream.Value, _ stream.Type) (stream.Value, string) {
	parts, n := pieces(a[0].S, a[1].S), a[2].I
	switch count := int64(len(parts)); {
	case n == 0:
		return domainError()
	case n > 0 && n <= count:
		return text(parts[n-1])
	case n < 0 && n >= -count:
		return text(parts[count+n])
	}
	return text("")
}

func ascii(a []stream.Value, _ stream.Type) (stream.Value, string) {
	for _, c := range a[0].S {
		return stream.Int(c), ""
	}
	return stream.Int(0), ""
}

func chr(a []stream.Value, _ stream.Type) (stream.Value, string) {
	if a[0].I <= 0 || a[0].I > unicode.MaxRune || !utf8.ValidRune(rune(a[0].I)) {
		return domainError()
	}
	return text(string(rune(a[0].I)))
}

// concatWS evaluates every argument; NULL is left out unless it is the separator.
func concatWS(e *model.Expr, row Row) (stream.Value, string) {
	args, reason := evalAll(e.Args, row)
	if reason != "" {
		return stream.Value{}, reason
	}
	if args[0].Null {
		return stream.NullOf(e.Type), ""
	}
	var parts []string
	for _, v := range args[1:] {
		if !v.Null {
			parts = append(parts, v.S)
		}
	}
	return text(strings.Join(parts, args[0].S))
}
