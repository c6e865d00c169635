package operator

import (
	"bytes"
	"unicode/utf8"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// partFunctions find and cut parts of texts.
var partFunctions = map[string]prepare{
	"trim":        prepareTrim(bytes.Trim),
	"ltrim":       prepareTrim(bytes.TrimLeft),
	"rtrim":       prepareTrim(bytes.TrimRight),
	"left":        prepareTyped(eachText(leftText), 2, stream.Varchar, stream.BigInt),
	"right":       prepareTyped(eachText(rightText), 2, stream.Varchar, stream.BigInt),
	"position":    prepareTyped(eachFixed(positionOf), 2, stream.Varchar, stream.Varchar, stream.BigInt),
	"split_index": prepareTyped(eachText(splitIndex), 3, stream.Varchar, stream.Varchar, stream.BigInt),
	"split_part":  prepareTyped(eachText(splitPart), 3, stream.Varchar, stream.Varchar, stream.BigInt),
	"ends_with":   prepareTyped(eachBool(endsWith), 2, stream.Varchar, stream.Varchar),
	"ascii":       prepareTyped(eachFixed(firstCodePoint), 1, stream.Varchar),
}

// prepareTrim cuts blanks, or the characters of the second argument.
func prepareTrim(cut func(text []byte, characters string) []byte) prepare {
	return prepareTyped(eachText(func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
		characters := " "
		if len(in.args) == 2 {
			characters = string(s.text(in, 1, i))
		}
		return append(dst, cut(s.text(in, 0, i), characters)...), ""
	}), 1, stream.Varchar, stream.Varchar)
}

func leftText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, n := s.text(in, 0, i), s.i64(in, 1, i)
	return append(dst, text[:splitAt(text, n)]...), ""
}

func rightText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, n := s.text(in, 0, i), s.i64(in, 1, i)
	if n >= 0 {
		n = -n // all but the last n characters go
	} else if n = -n; n < 0 {
		return dst, ""
	}
	if n == 0 {
		return dst, ""
	}
	return append(dst, text[splitAt(text, n):]...), ""
}

// splitAt is the byte position behind the first n characters of text, or in front of
// the last -n if n is negative.
func splitAt(text []byte, n int64) int {
	if n >= 0 {
		return skipRunes(text, uint64(n))
	}
	if n <= -int64(len(text)) {
		return 0
	}
	at := len(text)
	for ; n < 0 && at > 0; n++ {
		_, size := utf8.DecodeLastRune(text[:at])
		at -= size
	}
	return at
}

// positionOf: the needle is the first argument.
func positionOf(s *ProgramScratch, in *instr, i int) (int32, string) {
	text, before := s.text(in, 1, i), 0
	if len(in.args) == 3 {
		from := s.i64(in, 2, i)
		if from < 1 {
			return 0, ""
		}
		before = skipRunes(text, uint64(from-1))
		if from > 1 && before == len(text) && int64(utf8.RuneCount(text)) < from-1 {
			return 0, ""
		}
	}
	at := bytes.Index(text[before:], s.text(in, 0, i))
	if at < 0 {
		return 0, ""
	}
	return int32(utf8.RuneCount(text[:before+at])) + 1, ""
}

// piece is piece n, from 0, of text cut at every occurrence of by.
func piece(text, by []byte, n int64) (part []byte, ok bool) {
	for len(by) > 0 {
		at := bytes.Index(text, by)
		if at < 0 {
			break
		}
		if n == 0 {
			return text[:at], true
		}
		text = text[at+len(by):]
		n--
	}
	return text, n == 0
}

func splitIndex(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	part, ok := piece(s.text(in, 0, i), s.text(in, 1, i), s.i64(in, 2, i))
	if !ok {
		return dst, nullRow
	}
	return append(dst, part...), ""
}

func splitPart(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, by, n := s.text(in, 0, i), s.text(in, 1, i), s.i64(in, 2, i)
	switch {
	case n == 0:
		return dst, function.ErrDomain
	case n < 0:
		pieces := int64(1)
		if len(by) > 0 {
			pieces += int64(bytes.Count(text, by))
		}
		if n += pieces + 1; n < 1 {
			return dst, ""
		}
	}
	if part, ok := piece(text, by, n-1); ok {
		dst = append(dst, part...)
	}
	return dst, ""
}

func endsWith(s *ProgramScratch, in *instr, i int) (bool, string) {
	return bytes.HasSuffix(s.text(in, 0, i), s.text(in, 1, i)), ""
}

func firstCodePoint(s *ProgramScratch, in *instr, i int) (int32, string) {
	text := s.text(in, 0, i)
	if len(text) == 0 {
		return 0, ""
	}
	r, _ := utf8.DecodeRune(text)
	return r, ""
}
