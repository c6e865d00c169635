package operator

import (
	"bytes"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var textFunctions = map[string]prepare{
	"lower":       prepareText(1, mapKernel(lowerText)),
	"upper":       prepareText(1, mapKernel(upperText)),
	"length":      prepareLength,
	"concat":      prepareConcat,
	"replace":     prepareText(3, runReplace),
	"starts_with": prepareText(2, runStartsWith),
	"substring":   prepareSubstring,
	"like":        prepareLike,
}

// prepareLength counts characters of texts, and bytes of bytes.
func prepareLength(_ *builder, e *model.Expr, in *instr) error {
	in.run = runLength
	if len(e.Args) > 0 && e.Args[0].Type == stream.Bytes {
		in.run = eachFixed(octetLength)
	}
	return textOrBytes(e)
}

func prepareConcat(_ *builder, e *model.Expr, in *instr) error {
	in.run = runConcat
	if len(e.Args) > 0 && e.Args[0].Type == stream.Bytes {
		return sameTypes(e.Args, 1)
	}
	return sameTypes(append([]*model.Expr{{Type: stream.Varchar}}, e.Args...), 2)
}

// textOrBytes checks for one argument of VARCHAR or BYTEA.
func textOrBytes(e *model.Expr) error {
	if checkTypes(e, 1, stream.Bytes) == nil {
		return nil
	}
	return checkTypes(e, 1, stream.Varchar)
}

// prepareEither is for functions of a text or of bytes.
func prepareEither(run kernel) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = run
		return textOrBytes(e)
	}
}

// substringBytes is SUBSTRING of a BYTEA.
func substringBytes(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	b, from := s.text(in, 0, i), s.i64(in, 1, i)
	count := uint64(len(b))
	if len(in.args) == 3 {
		length := s.i64(in, 2, i)
		if length < 0 {
			return dst, function.ErrDomain
		}
		count = uint64(length)
		if from < 1 { // positions in front of the first count
			count -= min(count, uint64(1)-uint64(from))
		}
	}
	b = b[min(uint64(max(from, 1))-1, uint64(len(b))):]
	return append(dst, b[:min(count, uint64(len(b)))]...), ""
}

// prepareText: all arguments are texts, at least n of them.
func prepareText(n int, run kernel) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = run
		return sameTypes(append([]*model.Expr{{Type: stream.Varchar}}, e.Args...), n+1)
	}
}

func mapKernel(f func(dst, text []byte) []byte) kernel {
	return func(s *ProgramScratch, in *instr) { s.mapTexts(in, f) }
}

// mapTexts computes a text from a text; f appends the result to dst.
func (s *ProgramScratch) mapTexts(in *instr, f func(dst, text []byte) []byte) {
	out, a := s.strict(in), &s.arg(in, 0).Column
	w := s.writeText(out)
	for i := range s.n {
		w.bytes = f(w.bytes, a.Text(i))
		w.end(s, out, i)
	}
	w.finish(out)
}

func lowerText(dst, text []byte) []byte {
	from := len(dst)
	dst = append(dst, text...)
	all := byte(0)
	for i, c := range dst[from:] {
		all |= c
		dst[from+i] = c + (bit('A' <= c)&bit(c <= 'Z'))<<5
	}
	if all >= utf8.RuneSelf {
		return append(dst[:from], bytes.ToLower(text)...)
	}
	return dst
}

func upperText(dst, text []byte) []byte {
	from := len(dst)
	dst = append(dst, text...)
	all := byte(0)
	for i, c := range dst[from:] {
		all |= c
		dst[from+i] = c - (bit('a' <= c)&bit(c <= 'z'))<<5
	}
	if all >= utf8.RuneSelf {
		return append(dst[:from], bytes.ToUpper(text)...)
	}
	return dst
}

func runLength(s *ProgramScratch, in *instr) {
	out, a := s.strict(in), &s.arg(in, 0).Column
	out.I32 = resize(out.I32, s.n)
	for i := range out.I32 {
		out.I32[i] = int32(utf8.RuneCount(a.Text(i)))
	}
}

func runConcat(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	w := s.writeText(out)
	for i := range s.n {
		for _, r := range in.args {
			w.bytes = append(w.bytes, s.regs[r].Text(i)...)
		}
		w.end(s, out, i)
	}
	w.finish(out)
}

func runReplace(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	a, old, by := &s.arg(in, 0).Column, &s.arg(in, 1).Column, &s.arg(in, 2).Column
	w := s.writeText(out)
	for i := range s.n {
		w.bytes = appendReplaced(w.bytes, a.Text(i), old.Text(i), by.Text(i))
		w.end(s, out, i)
	}
	w.finish(out)
}

func appendReplaced(dst, text, old, by []byte) []byte {
	for len(old) > 0 {
		at := bytes.Index(text, old)
		if at < 0 {
			break
		}
		dst = append(append(dst, text[:at]...), by...)
		text = text[at+len(old):]
	}
	return append(dst, text...)
}

func runStartsWith(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	a, prefix := &s.arg(in, 0).Column, &s.arg(in, 1).Column
	out.Bits = resize(out.Bits, s.words)
	clear(out.Bits)
	for i := range s.n {
		if bytes.HasPrefix(a.Text(i), prefix.Text(i)) {
			out.Bits.Set(i)
		}
	}
}

func prepareSubstring(_ *builder, e *model.Expr, in *instr) error {
	in.run = runSubstring
	if len(e.Args) > 0 && e.Args[0].Type == stream.Bytes {
		in.run = eachText(substringBytes)
		return checkTypes(e, 2, stream.Bytes, stream.BigInt, stream.BigInt)
	}
	return checkTypes(e, 2, stream.Varchar, stream.BigInt, stream.BigInt)
}

func runSubstring(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	a, start := &s.arg(in, 0).Column, s.arg(in, 1).I64
	w := s.writeText(out)
	for i := range s.n {
		if out.Valid == nil || out.Valid.Get(i) {
			text := a.Text(i)
			switch {
			case len(in.args) == 2:
				text = text[skipRunes(text, uint64(max(start[i], 1)-1)):]
			case s.arg(in, 2).I64[i] < 0:
				s.failRow(out, i, function.ErrDomain)
				text = nil
			default:
				text = substring(text, start[i], s.arg(in, 2).I64[i])
			}
			w.bytes = append(w.bytes, text...)
		}
		w.end(s, out, i)
	}
	w.finish(out)
}

// substring is the characters start .. start+length-1, counted from 1.
func substring(text []byte, start, length int64) []byte {
	count := uint64(length)
	if start < 1 {
		before := uint64(1) - uint64(start) // positions in front of the text
		if before >= count {
			return nil
		}
		count, start = count-before, 1
	}
	text = text[skipRunes(text, uint64(start-1)):]
	return text[:skipRunes(text, count)]
}

// skipRunes is the byte position behind the first n characters.
func skipRunes(text []byte, n uint64) int {
	if n >= uint64(len(text)) {
		return len(text)
	}
	at := 0
	for ; n > 0 && at < len(text); n-- {
		if text[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}
