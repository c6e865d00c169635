package operator

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// changeFunctions make texts of others.
var changeFunctions = map[string]prepare{
	"reverse":      prepareText(1, mapKernel(reverseText)),
	"initcap":      prepareText(1, mapKernel(initcapText)),
	"repeat":       prepareTyped(eachText(repeatText), 2, stream.Varchar, stream.BigInt),
	"lpad":         prepareTyped(eachText(padText(true)), 2, stream.Varchar, stream.BigInt, stream.Varchar),
	"rpad":         prepareTyped(eachText(padText(false)), 2, stream.Varchar, stream.BigInt, stream.Varchar),
	"overlay":      prepareTyped(eachText(overlayText), 3, stream.Varchar, stream.Varchar, stream.BigInt, stream.BigInt),
	"translate":    prepareTyped(eachText(translateText), 3, stream.Varchar, stream.Varchar, stream.Varchar),
	"concat_ws":    prepareConcatWS,
	"octet_length": prepareEither(eachFixed(octetLength)),
	"chr":          prepareTyped(eachText(chrText), 1, stream.BigInt),
}

func reverseText(dst, text []byte) []byte {
	for len(text) > 0 {
		_, n := utf8.DecodeLastRune(text)
		dst = append(dst, text[len(text)-n:]...)
		text = text[:len(text)-n]
	}
	return dst
}

func initcapText(dst, text []byte) []byte {
	inside := false
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			inside = false
			dst = append(dst, text[:n]...)
		case inside:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		default:
			inside = true
			dst = utf8.AppendRune(dst, unicode.ToUpper(r))
		}
		text = text[n:]
	}
	return dst
}

func repeatText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, n := s.text(in, 0, i), s.i64(in, 1, i)
	if n <= 0 || len(text) == 0 {
		return dst, ""
	}
	if n > function.TextBytesMax || n*int64(len(text)) > function.TextBytesMax {
		return dst, function.ErrTooLong
	}
	for range n {
		dst = append(dst, text...)
	}
	return dst, ""
}

// padText fills a text up to a number of characters.
func padText(front bool) textRow {
	return func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
		text, n, fill := s.text(in, 0, i), s.i64(in, 1, i), []byte{' '}
		if len(in.args) == 3 {
			fill = s.text(in, 2, i)
		}
		text = text[:skipRunes(text, uint64(max(n, 0)))]
		missing := n - int64(utf8.RuneCount(text))
		if missing <= 0 || len(fill) == 0 {
			return append(dst, text...), ""
		}
		from := len(dst)
		if !front {
			dst = append(dst, text...)
		}
		for size := int64(utf8.RuneCount(fill)); missing >= size; missing -= size {
			if dst = append(dst, fill...); len(dst)-from > function.TextBytesMax {
				return dst, function.ErrTooLong
			}
		}
		dst = append(dst, fill[:skipRunes(fill, uint64(missing))]...)
		if front {
			dst = append(dst, text...)
		}
		if len(dst)-from > function.TextBytesMax {
			return dst, function.ErrTooLong
		}
		return dst, ""
	}
}

func overlayText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, by, from := s.text(in, 0, i), s.text(in, 1, i), s.i64(in, 2, i)
	length := int64(utf8.RuneCount(by))
	if len(in.args) == 4 {
		length = s.i64(in, 3, i)
	}
	if from < 1 || length < 0 {
		return dst, function.ErrDomain
	}
	head := skipRunes(text, uint64(from-1))
	tail := head + skipRunes(text[head:], uint64(length))
	return append(append(append(dst, text[:head]...), by...), text[tail:]...), ""
}

func translateText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, from, to := s.text(in, 0, i), s.text(in, 1, i), s.text(in, 2, i)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		dst = appendTranslated(dst, r, text[:n], from, to)
		text = text[n:]
	}
	return dst, ""
}

func appendTranslated(dst []byte, r rune, char, from, to []byte) []byte {
	for len(from) > 0 {
		f, n := utf8.DecodeRune(from)
		size := 0
		if len(to) > 0 {
			_, size = utf8.DecodeRune(to)
		}
		if f == r {
			return append(dst, to[:size]...)
		}
		from, to = from[n:], to[size:]
	}
	return append(dst, char...)
}

func prepareConcatWS(_ *builder, e *model.Expr, in *instr) error {
	if len(e.Args) < 2 {
		return fmt.Errorf("%d arguments, it needs 2", len(e.Args))
	}
	in.run = runConcatWS
	return sameTypes(append([]*model.Expr{{Type: stream.Varchar}}, e.Args...), 3)
}

// runConcatWS is NULL only where the separator is, and fails where any argument did.
func runConcatWS(s *ProgramScratch, in *instr) {
	out, by := s.result(in), s.arg(in, 0)
	out.Valid = nil
	s.andValid(out, by)
	for k := range in.args {
		s.inherit(out, s.arg(in, k))
	}
	s.texts(out, in, func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
		some := false
		for _, r := range in.args[1:] {
			if s.regs[r].IsNull(i) {
				continue
			}
			if some {
				dst = append(dst, s.text(in, 0, i)...)
			}
			dst, some = append(dst, s.regs[r].Text(i)...), true
		}
		return dst, ""
	})
}

func octetLength(s *ProgramScratch, in *instr, i int) (int32, string) {
	return int32(len(s.text(in, 0, i))), ""
}

func chrText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	c := s.i64(in, 0, i)
	if c < 1 || c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
		return dst, function.ErrDomain
	}
	return utf8.AppendRune(dst, rune(c)), ""
}
