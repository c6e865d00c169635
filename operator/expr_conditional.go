package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var conditionalFunctions = map[string]prepare{
	"case":     prepareCase,
	"coalesce": prepareCoalesce,
	"nullif":   prepareNullIf,
	"greatest": prepareExtreme(true),
	"least":    prepareExtreme(false),
	"in":       prepareIn,
}

// Conditional functions compute every branch for every row and then pick: pick[i] is
// the argument that row i takes, or nothing when the row has failed on the way. Values,
// NULLs and failures of the branches not taken are dropped.

// nothing in pick: the row has no branch, its value stays unspecified.
const nothing = -1

func prepareCase(_ *builder, e *model.Expr, in *instr) error {
	if len(e.Args)%2 == 0 {
		return fmt.Errorf("%d arguments, it needs pairs and an else", len(e.Args))
	}
	for i, a := range e.Args {
		want := e.Type
		if i%2 == 0 && i < len(e.Args)-1 {
			want = stream.Boolean
		}
		if a.Type != want {
			return fmt.Errorf("argument %d has type %s, not %s", i+1, a.Type, want)
		}
	}
	in.run = runCase
	return nil
}

func runCase(s *ProgramScratch, in *instr) {
	out := s.result(in)
	last := len(in.args) - 1
	s.pick = resize(s.pick, s.n)
	open, taken := s.a[:s.words], s.b[:s.words]
	copy(open, s.ones)
	fillPick(s.pick, nothing)
	for k := 0; k < last; k += 2 {
		cond := s.arg(in, k)
		s.inheritWhere(out, cond, open)
		for i := range open {
			open[i] &^= failWord(cond, i)
			taken[i] = open[i] & cond.Bits[i] & validWord(cond, i)
			open[i] &^= taken[i]
		}
		setPick(s.pick, taken, k+1)
		s.inheritWhere(out, s.arg(in, k+1), taken)
	}
	setPick(s.pick, open, last)
	s.inheritWhere(out, s.arg(in, last), open)
	s.merge(out, in)
}

func prepareCoalesce(_ *builder, e *model.Expr, in *instr) error {
	in.run = runCoalesce
	return sameTypes(append([]*model.Expr{{Type: e.Type}}, e.Args...), 2)
}

func runCoalesce(s *ProgramScratch, in *instr) {
	out := s.result(in)
	s.pick = resize(s.pick, s.n)
	open, taken := s.a[:s.words], s.b[:s.words]
	copy(open, s.ones)
	fillPick(s.pick, 0) // all NULL: the first is as good as any
	for k := range in.args {
		v := s.arg(in, k)
		s.inheritWhere(out, v, open)
		for i := range open {
			open[i] &^= failWord(v, i)
			taken[i] = open[i] & validWord(v, i)
			open[i] &^= taken[i]
		}
		setPick(s.pick, taken, k)
	}
	s.merge(out, in)
}

func fillPick(pick []int32, k int32) {
	for i := range pick {
		pick[i] = k
	}
}

// setPick makes the rows in mask take argument k.
func setPick(pick []int32, mask stream.Bitmap, k int) {
	for w, m := range mask {
		if m == ^uint64(0) {
			fillPick(pick[w<<6:w<<6+64], int32(k))
			continue
		}
		for ; m != 0; m &= m - 1 {
			pick[w<<6+trailing(m)] = int32(k)
		}
	}
}

// merge gives every row of out the value and validity of the argument it picked.
func (s *ProgramScratch) merge(out *vector, in *instr) {
	s.mergeValid(out, in)
	switch out.Type.Storage() {
	case stream.Boolean:
		out.Bits = resize(out.Bits, s.words)
		clear(out.Bits)
		for i, k := range s.pick {
			if k >= 0 {
				out.Bits[i>>6] |= s.arg(in, int(k)).Bits[i>>6] & (1 << (uint(i) & 63))
			}
		}
	case stream.Integer:
		mergeFixed[int32](s, out, in)
	case stream.BigInt:
		mergeFixed[int64](s, out, in)
	case stream.Real:
		mergeFixed[float32](s, out, in)
	case stream.Double:
		mergeFixed[float64](s, out, in)
	case stream.Varchar:
		w := s.writeText(out)
		for i, k := range s.pick {
			if k >= 0 {
				w.bytes = append(w.bytes, s.arg(in, int(k)).Text(i)...)
			}
			w.end(s, out, i)
		}
		w.finish(out)
	}
}

func (s *ProgramScratch) mergeValid(out *vector, in *instr) {
	out.Valid = nil
	for k := range in.args {
		if s.arg(in, k).Valid != nil {
			out.Valid = s.ownValid(out)
		}
	}
	if out.Valid == nil {
		return
	}
	clear(out.Valid)
	for i, k := range s.pick {
		if k >= 0 {
			out.Valid[i>>6] |= validWord(s.arg(in, int(k)), i>>6) & (1 << (uint(i) & 63))
		}
	}
}

func mergeFixed[T fixed](s *ProgramScratch, out *vector, in *instr) {
	p := values[T](&out.Column)
	*p = resize(*p, s.n)
	o := *p
	for k := range in.args {
		if v := s.arg(in, k); v.Type == out.Type {
			a := (*values[T](&v.Column))[:len(o)]
			for i, pick := range s.pick[:len(o)] {
				if pick == int32(k) {
					o[i] = a[i]
				}
			}
		}
	}
}

func prepareNullIf(_ *builder, e *model.Expr, in *instr) error {
	in.run = runNullIf
	return sameTypes(e.Args, 2)
}

func runNullIf(s *ProgramScratch, in *instr) {
	out := s.result(in)
	a, b := s.arg(in, 0), s.arg(in, 1)
	s.inherit(out, a)
	s.inherit(out, b)
	s.pick = resize(s.pick, s.n)
	fillPick(s.pick, 0)
	s.merge(out, &instr{args: in.args[:1]})
	s.compare(s.a[:s.words], a, b, cmpEqual, 0)
	valid := s.ownValid(out)
	for i := range valid {
		valid[i] = validWord(a, i) &^ (s.a[i] & validWord(b, i))
	}
	out.Valid = valid
}

// prepareExtreme: the greatest or least argument, the first of equal ones.
func prepareExtreme(greatest bool) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.data, in.run = greatest, runExtreme
		return sameTypes(e.Args, 1)
	}
}

func runExtreme(s *ProgramScratch, in *instr) {
	out := s.result(in)
	greatest := in.data.(bool)
	s.pick = resize(s.pick, s.n)
	fillPick(s.pick, 0)
	for k := 1; k < len(in.args); k++ {
		s.merge(out, in)
		a, b := out, s.arg(in, k)
		if !greatest {
			a, b = b, a
		}
		s.compare(s.c[:s.words], a, b, cmpLess, 0)
		for i := range s.words {
			s.c[i] &= s.ones[i]
		}
		setPick(s.pick, s.c[:s.words], k)
	}
	s.merge(out, in)
	s.strict(in)
}
