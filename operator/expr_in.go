package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// inListMin is the number of constants from which IN looks values up in a set instead
// of comparing with each.
const inListMin = 8

// inSet is a list of constants to look up; NULLs in it are only counted.
type inSet struct {
	numbers map[int64]struct{}
	texts   map[string]struct{}
	hasNull bool
}

func prepareIn(b *builder, e *model.Expr, in *instr) error {
	in.run = runIn
	if set, ok := b.constantSet(e, in); ok {
		in.data, in.run, in.args = set, runInSet, in.args[:1]
	}
	return sameTypes(e.Args, 2)
}

// constantSet makes a set of a long list of constants of a type whose equality is
// identity.
func (b *builder) constantSet(e *model.Expr, in *instr) (*inSet, bool) {
	t := e.Args[0].Type
	if len(e.Args) <= inListMin || t.IsFloat() || t == stream.Boolean {
		return nil, false
	}
	set := &inSet{numbers: map[int64]struct{}{}, texts: map[string]struct{}{}}
	for k, a := range e.Args[1:] {
		v, ok := b.literalOf(in.args[k+1])
		switch {
		case ok && t.Storage() == stream.Varchar:
			set.texts[v.S] = struct{}{}
		case ok:
			set.numbers[v.I] = struct{}{}
		case a.Kind == model.LiteralExpr: // NULL
			set.hasNull = true
		default:
			return nil, false
		}
	}
	return set, true
}

func runInSet(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	clear(out.Bits)
	set, a := in.data.(*inSet), s.arg(in, 0)
	for i := range s.n {
		var found bool
		switch a.Type.Storage() {
		case stream.Varchar:
			_, found = set.texts[string(a.Text(i))]
		case stream.Integer:
			_, found = set.numbers[int64(a.I32[i])]
		default:
			_, found = set.numbers[a.I64[i]]
		}
		out.Bits[i>>6] |= uint64(bit(found)) << (uint(i) & 63)
	}
	if set.hasNull { // not found is unknown
		valid := s.ownValid(out)
		for i := range valid {
			valid[i] = out.Bits[i] & validWord(a, i)
		}
		out.Valid = valid
	}
}

// runIn compares with every value: an equal one wins over one that fails, and that
// over NULL.
func runIn(s *ProgramScratch, in *instr) {
	out, x := s.result(in), s.arg(in, 0)
	out.Bits, out.Valid = resize(out.Bits, s.words), nil
	found, known, open := s.a[:s.words], s.b[:s.words], s.c[:s.words]
	for i := range found {
		found[i], known[i] = 0, ^uint64(0)
	}
	for k := 1; k < len(in.args); k++ {
		v := s.arg(in, k)
		s.compare(out.Bits, x, v, cmpEqual, 0)
		for i := range found {
			ok := validWord(x, i) & validWord(v, i) &^ failWord(v, i)
			found[i] |= out.Bits[i] & ok
			known[i] &= ok
		}
	}
	valid := s.ownValid(out)
	for i := range found {
		out.Bits[i] = found[i]
		valid[i] = found[i] | known[i]
		open[i] = ^found[i]
	}
	out.Valid = valid
	s.inherit(out, x)
	for k := 1; k < len(in.args); k++ {
		s.inheritWhere(out, s.arg(in, k), open)
	}
}
