package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var logicFunctions = map[string]prepare{
	"and":      prepareLogic(runJunction, 0),
	"or":       prepareLogic(runJunction, ^uint64(0)),
	"not":      prepareLogic(runNot, 0),
	"is_true":  prepareLogic(runIs, 0),
	"is_false": prepareLogic(runIs, ^uint64(0)),
}

func prepareLogic(run kernel, flip uint64) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		for _, a := range e.Args {
			if a.Type != stream.Boolean {
				return fmt.Errorf("argument of type %s", a.Type)
			}
		}
		in.run, in.flip = run, flip
		return nil
	}
}

// runJunction computes AND; OR is the same with every truth value inverted (flip).
// An argument that decides (FALSE in AND) wins over NULL and failure in the others, a
// failure over NULL.
func runJunction(s *ProgramScratch, in *instr) {
	out := s.result(in)
	out.Bits = resize(out.Bits, s.words)
	out.Valid = nil
	if s.allPlain(in) {
		s.plainJunction(out, in)
		return
	}
	valid, open := s.ownValid(out), s.a[:s.words]
	for i := range out.Bits {
		truth, known, decided := ^uint64(0), ^uint64(0), uint64(0)
		for _, r := range in.args {
			v := &s.regs[r]
			ok, t := validWord(v, i)&^failWord(v, i), v.Bits[i]^in.flip
			truth, known, decided = truth&t, known&ok, decided|ok&^t
		}
		out.Bits[i] = truth&^decided ^ in.flip
		valid[i] = decided | known
		open[i] = ^decided
	}
	out.Valid = valid
	for k := range in.args {
		s.inheritWhere(out, s.arg(in, k), open)
	}
}

// allPlain reports whether no argument has a NULL or a failure.
func (s *ProgramScratch) allPlain(in *instr) bool {
	for _, r := range in.args {
		if v := &s.regs[r]; v.Valid != nil || v.fail != nil {
			return false
		}
	}
	return true
}

func (s *ProgramScratch) plainJunction(out *vector, in *instr) {
	copy(out.Bits, s.arg(in, 0).Bits[:s.words])
	for _, r := range in.args[1:] {
		b := s.regs[r].Bits[:s.words]
		for i := range out.Bits {
			out.Bits[i] = (out.Bits[i]^in.flip)&(b[i]^in.flip) ^ in.flip
		}
	}
}

func failWord(v *vector, i int) uint64 {
	if v.fail == nil {
		return 0
	}
	return v.fail[i]
}

func runNot(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	for i, w := range s.arg(in, 0).Bits[:s.words] {
		out.Bits[i] = ^w
	}
}

// runIs computes IS TRUE, with flip IS FALSE.
func runIs(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Valid = nil
	out.Bits = resize(out.Bits, s.words)
	a := s.arg(in, 0)
	for i, w := range a.Bits[:s.words] {
		out.Bits[i] = (w ^ in.flip) & validWord(a, i)
	}
}
