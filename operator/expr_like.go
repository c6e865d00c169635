package operator

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// likePattern is a LIKE pattern cut at its runs (%): parts must appear in order, the
// first at the start unless the pattern begins with a run, the last at the end unless
// it ends with one. Taking each part at its first place is right because what follows
// then has the most text left.
type likePattern struct {
	parts              []likePart
	openHead, openTail bool // begins, ends with a run
	bad                bool // it ends in the escape, or the escape is not one character
}

// likePart matches text without runs. If it has no _ it is just text.
type likePart struct {
	text []byte
	ones []bool // by character: any one; nil if there is none
}

const defaultEscape = `\`

// parse reads a pattern, reusing p.
func (p *likePattern) parse(pattern, escape []byte) {
	*p = likePattern{parts: p.parts[:0]}
	esc, size := utf8.DecodeRune(escape)
	if size == 0 || size != len(escape) {
		p.bad = true
		return
	}
	var part likePart
	started, chars := false, 0
	flush := func() {
		if started {
			p.parts = append(p.parts, part)
		}
		part, started, chars = likePart{}, false, 0
	}
	for first := true; len(pattern) > 0; first = false {
		r, n := utf8.DecodeRune(pattern)
		literal := true
		switch {
		case r == esc:
			pattern = pattern[n:]
			if len(pattern) == 0 {
				p.bad = true
				return
			}
			_, n = utf8.DecodeRune(pattern)
		case r == '%':
			p.openHead = p.openHead || first
			p.openTail = len(pattern) == n
			flush()
			pattern = pattern[n:]
			continue
		case r == '_':
			literal = false
		}
		started = true
		part.add(pattern[:n], chars, literal)
		chars++
		pattern = pattern[n:]
	}
	flush()
}

// add appends a character to the part, chars of them being there.
func (p *likePart) add(char []byte, chars int, literal bool) {
	if !literal && p.ones == nil {
		p.ones = make([]bool, chars)
	}
	if p.ones != nil {
		p.ones = append(p.ones, !literal)
	}
	p.text = append(p.text, char...)
}

// match reports whether the whole text matches.
func (p *likePattern) match(text []byte) bool {
	parts := p.parts
	if len(parts) == 0 {
		return p.openHead || len(text) == 0
	}
	if !p.openHead {
		n := parts[0].prefix(text)
		if n < 0 {
			return false
		}
		text, parts = text[n:], parts[1:]
		if len(parts) == 0 {
			return p.openTail || len(text) == 0
		}
	}
	if !p.openTail {
		last := parts[len(parts)-1]
		at := last.suffix(text)
		if at < 0 {
			return false
		}
		text, parts = text[:at], parts[:len(parts)-1]
	}
	for _, part := range parts {
		end := part.find(text)
		if end < 0 {
			return false
		}
		text = text[end:]
	}
	return true
}

// prefix returns the length of the match at the start of text, or -1.
func (p *likePart) prefix(text []byte) int {
	if p.ones == nil {
		if bytes.HasPrefix(text, p.text) {
			return len(p.text)
		}
		return -1
	}
	at, pattern := 0, p.text
	for _, any := range p.ones {
		if at == len(text) {
			return -1
		}
		r, n := utf8.DecodeRune(text[at:])
		want, m := utf8.DecodeRune(pattern)
		if !any && r != want {
			return -1
		}
		at, pattern = at+n, pattern[m:]
	}
	return at
}

// suffix returns where the match at the end of text begins, or -1.
func (p *likePart) suffix(text []byte) int {
	if p.ones == nil {
		if bytes.HasSuffix(text, p.text) {
			return len(text) - len(p.text)
		}
		return -1
	}
	at := len(text)
	for range p.ones {
		if at == 0 {
			return -1
		}
		_, n := utf8.DecodeLastRune(text[:at])
		at -= n
	}
	if p.prefix(text[at:]) != len(text)-at {
		return -1
	}
	return at
}

// find returns the end of the first match in text, or -1.
func (p *likePart) find(text []byte) int {
	if p.ones == nil {
		if at := bytes.Index(text, p.text); at >= 0 {
			return at + len(p.text)
		}
		return -1
	}
	for at := 0; ; {
		if n := p.prefix(text[at:]); n >= 0 {
			return at + n
		}
		if at == len(text) {
			return -1
		}
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
}

// prepareLike parses a constant pattern once.
func prepareLike(b *builder, e *model.Expr, in *instr) error {
	if len(e.Args) != 2 && len(e.Args) != 3 {
		return fmt.Errorf("%d arguments, it needs 2 or 3", len(e.Args))
	}
	in.run = runLike
	pattern, ok := b.literalOf(in.args[1])
	escape := stream.Text(defaultEscape)
	if len(in.args) == 3 && ok {
		escape, ok = b.literalOf(in.args[2])
	}
	if ok {
		p := &likePattern{}
		p.parse([]byte(pattern.S), []byte(escape.S))
		in.data = p
	}
	return sameTypes(append([]*model.Expr{{Type: stream.Varchar}}, e.Args...), 3)
}

func runLike(s *ProgramScratch, in *instr) {
	out, a := s.strict(in), &s.arg(in, 0).Column
	out.Bits = resize(out.Bits, s.words)
	clear(out.Bits)
	p, constant := in.data.(*likePattern)
	if !constant {
		p = &likePattern{}
	}
	for i := range s.n {
		if out.Valid != nil && !out.Valid.Get(i) {
			continue
		}
		if !constant {
			escape := []byte(defaultEscape)
			if len(in.args) == 3 {
				escape = s.arg(in, 2).Text(i)
			}
			p.parse(s.arg(in, 1).Text(i), escape)
		}
		switch {
		case p.bad:
			s.failRow(out, i, function.ErrDomain)
		case p.match(a.Text(i)):
			out.Bits.Set(i)
		}
	}
}
