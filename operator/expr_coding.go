package operator

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// codingFunctions turn bytes into texts and back.
var codingFunctions = map[string]prepare{
	"encode":      prepareCoding(encodeBytes, encodeText),
	"decode":      prepareCoding(decodeBytes, decodeText),
	"to_base64":   prepareEither(mapKernel(base64.StdEncoding.AppendEncode)),
	"from_base64": prepareTyped(eachText(fromBase64), 1, stream.Varchar),
	"hex":         prepareHex,
	"unhex":       prepareTyped(eachText(unhexText), 1, stream.Varchar),
}

// prepareCoding takes one function for bytes, and one for texts.
func prepareCoding(ofBytes, ofText textRow) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = eachText(ofText)
		if len(e.Args) > 0 && e.Args[0].Type == stream.Bytes {
			in.run = eachText(ofBytes)
			return checkTypes(e, 2, stream.Bytes, stream.Varchar)
		}
		return checkTypes(e, 2, stream.Varchar, stream.Varchar)
	}
}

// named is which of the names the text is, in any case; -1: none.
func named(names []string, text []byte) int {
	for i, name := range names {
		if bytes.EqualFold(text, []byte(name)) {
			return i
		}
	}
	return -1
}

func encodeBytes(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	switch b := s.text(in, 0, i); named(function.Codings, s.text(in, 1, i)) {
	case 0:
		return hex.AppendEncode(dst, b), ""
	case 1:
		return base64.StdEncoding.AppendEncode(dst, b), ""
	}
	return dst, function.ErrDomain
}

func decodeText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	var err error
	switch text := s.text(in, 0, i); named(function.Codings, s.text(in, 1, i)) {
	case 0:
		dst, err = hex.AppendDecode(dst, text)
	case 1:
		dst, err = base64.StdEncoding.AppendDecode(dst, text)
	default:
		return dst, function.ErrDomain
	}
	if err != nil {
		return dst, function.ErrFormat
	}
	return dst, ""
}

// encodeText writes a text in a charset.
func encodeText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, charset := s.text(in, 0, i), named(function.Charsets, s.text(in, 1, i))
	if charset <= 0 {
		if charset < 0 {
			return dst, function.ErrDomain
		}
		return append(dst, text...), ""
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		switch {
		case charset == 1 && r < utf8.RuneSelf, charset == 2 && r <= 0xff:
			dst = append(dst, byte(r))
		case charset < 3:
			return dst, function.ErrFormat
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				if charset == 4 {
					unit = unit>>8 | unit<<8
				}
				dst = append(dst, byte(unit>>8), byte(unit))
			}
		}
	}
	return dst, ""
}

// decodeBytes reads a text of a charset.
func decodeBytes(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	b, charset := s.text(in, 0, i), named(function.Charsets, s.text(in, 1, i))
	switch charset {
	case -1:
		return dst, function.ErrDomain
	case 0:
		if !utf8.Valid(b) {
			return dst, function.ErrFormat
		}
		return append(dst, b...), ""
	case 1, 2:
		for _, c := range b {
			if c >= utf8.RuneSelf && charset == 1 {
				return dst, function.ErrFormat
			}
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst, ""
	}
	return decodeUnits(dst, b, charset == 4)
}

func decodeUnits(dst, b []byte, little bool) ([]byte, string) {
	unit := func() rune {
		u := rune(b[0])<<8 | rune(b[1])
		if little {
			u = rune(b[1])<<8 | rune(b[0])
		}
		b = b[2:]
		return u
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return dst, function.ErrFormat
		}
		r := unit()
		if utf16.IsSurrogate(r) {
			if len(b) < 2 {
				return dst, function.ErrFormat
			}
			if r = utf16.DecodeRune(r, unit()); r == utf8.RuneError {
				return dst, function.ErrFormat
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, ""
}

func fromBase64(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	from := len(dst)
	dst, err := base64.StdEncoding.AppendDecode(dst, s.text(in, 0, i))
	if err != nil || !utf8.Valid(dst[from:]) {
		return dst, function.ErrFormat
	}
	return dst, ""
}

func prepareHex(_ *builder, e *model.Expr, in *instr) error {
	if checkTypes(e, 1, stream.BigInt) == nil {
		in.run = eachText(func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
			from := len(dst)
			dst = strconv.AppendUint(dst, uint64(s.i64(in, 0, i)), 16)
			capitals(dst[from:])
			return dst, ""
		})
		return nil
	}
	in.run = mapKernel(func(dst, b []byte) []byte {
		from := len(dst)
		dst = hex.AppendEncode(dst, b)
		capitals(dst[from:])
		return dst
	})
	return textOrBytes(e)
}

// capitals makes hexadecimal digits large.
func capitals(digits []byte) {
	for i, c := range digits {
		if c >= 'a' {
			digits[i] = c - 'a' + 'A'
		}
	}
}

func unhexText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text := s.text(in, 0, i)
	if len(text)%2 != 0 {
		text = append([]byte{'0'}, text...)
	}
	dst, err := hex.AppendDecode(dst, text)
	if err != nil {
		return dst, nullRow
	}
	return dst, ""
}
