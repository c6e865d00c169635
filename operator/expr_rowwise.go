package operator

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Functions that are long for a row, such as those of text, are written for one row:
// they read argument k of row i with s.text(in, k, i) and the like, and the kernels
// here call them for the rows that are neither NULL nor failed by their arguments.

// nullRow is what such a function gives as the reason where the result is NULL.
const nullRow = "\x00"

type (
	// textRow appends the result of row i to dst; where reason is not empty, what it
	// appended is dropped.
	textRow func(s *ProgramScratch, in *instr, i int, dst []byte) (out []byte, reason string)
	// fixedRow gives the result of row i.
	fixedRow[T fixed] func(s *ProgramScratch, in *instr, i int) (v T, reason string)
	// boolRow gives the result of row i.
	boolRow func(s *ProgramScratch, in *instr, i int) (v bool, reason string)
)

func (s *ProgramScratch) text(in *instr, k, i int) []byte { return s.regs[in.args[k]].Text(i) }
func (s *ProgramScratch) i64(in *instr, k, i int) int64   { return s.regs[in.args[k]].I64[i] }

// computes reports whether row i of a strict result is neither NULL nor failed.
func (s *ProgramScratch) computes(out *vector, i int) bool {
	return (out.Valid == nil || out.Valid.Get(i)) && (out.fail == nil || !out.fail.Get(i))
}

// without makes row i of out NULL or failed, as a function for one row says.
func (s *ProgramScratch) without(out *vector, i int, reason string) {
	if reason != nullRow {
		s.failRow(out, i, reason)
		return
	}
	if out.Valid == nil || len(out.validBuf) == 0 || &out.Valid[0] != &out.validBuf[0] {
		own := s.ownValid(out)
		if out.Valid == nil {
			copy(own, s.ones)
		} else {
			copy(own, out.Valid)
		}
		out.Valid = own
	}
	out.Valid.Clear(i)
}

func eachText(f textRow) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		s.texts(out, in, f)
	}
}

func (s *ProgramScratch) texts(out *vector, in *instr, f textRow) {
	w := s.writeText(out)
	for i := range s.n {
		if s.computes(out, i) {
			var reason string
			if w.bytes, reason = f(s, in, i, w.bytes); reason != "" {
				w.bytes = w.bytes[:w.off[i]]
				s.without(out, i, reason)
			}
		}
		w.end(s, out, i)
	}
	w.finish(out)
}

func eachFixed[T fixed](f fixedRow[T]) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		p := values[T](&out.Column)
		*p = resize(*p, s.n)
		o := *p
		for i := range o {
			o[i] = 0
			if !s.computes(out, i) {
				continue
			}
			v, reason := f(s, in, i)
			if o[i] = v; reason != "" {
				s.without(out, i, reason)
			}
		}
	}
}

func eachBool(f boolRow) kernel {
	return func(s *ProgramScratch, in *instr) {
		s.bools(s.strict(in), in, f)
	}
}

func (s *ProgramScratch) bools(out *vector, in *instr, f boolRow) {
	out.Bits = resize(out.Bits, s.words)
	clear(out.Bits)
	for i := range s.n {
		if !s.computes(out, i) {
			continue
		}
		switch v, reason := f(s, in, i); {
		case reason != "":
			s.without(out, i, reason)
		case v:
			out.Bits.Set(i)
		}
	}
}

// prepareTyped checks that the arguments have the types given; those behind the first
// least ones can be absent.
func prepareTyped(run kernel, least int, types ...stream.Type) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = run
		return checkTypes(e, least, types...)
	}
}

func checkTypes(e *model.Expr, least int, types ...stream.Type) error {
	var got []stream.Type
	for _, a := range e.Args {
		got = append(got, a.Type)
	}
	if len(got) < least || len(got) > len(types) || !slices.Equal(got, types[:len(got)]) {
		return fmt.Errorf("arguments of types %v, it needs %v", got, types)
	}
	return nil
}
