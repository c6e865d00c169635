package operator

import (
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

// Predicate is a list of conjuncts with the rule of SQL's WHERE: a row passes if all
// are TRUE; FALSE or NULL in any of them wins over a failure in any other. It is
// immutable and may be shared.
type Predicate struct {
	prog *Program
}

// CompilePredicate prepares conjuncts over rows of the given schema. No conjuncts let
// every row pass.
func CompilePredicate(conjuncts []*model.Expr, in *stream.Schema) (*Predicate, error) {
	prog, err := Compile(conjuncts, in)
	if err != nil {
		return nil, err
	}
	return &Predicate{prog}, nil
}

// NewScratch returns working memory for one goroutine.
func (p *Predicate) NewScratch() *ProgramScratch {
	return p.prog.NewScratch()
}

// Eval returns, in sel's memory, the rows where all conjuncts are TRUE, ascending. bad is nil or has the rows that failed; it is valid until the next Eval.
func (p *Predicate) Eval(s *ProgramScratch, cols []stream.Column, n int, sel []int32) ([]int32, *Failures) {
	p.prog.start(s, cols, n)
	s.pass, s.alive = resize(s.pass, s.words), resize(s.alive, s.words)
	s.pass.SetFirst(n)
	s.alive.SetFirst(n)
	failed, from := false, 0
	for k, r := range p.prog.roots {
		p.prog.run(s, from, p.prog.ends[k])
		from = p.prog.ends[k]
		v := &s.regs[r]
		failed = failed || v.fail != nil
		if s.conjunct(v) == 0 {
			return sel[:0], nil
		}
	}
	var bad *Failures
	if failed {
		bad = p.failures(s)
	}
	return selectOnes(sel, s.pass[:s.words]), bad
}

// conjunct narrows pass (all TRUE so far) and alive (none FALSE or NULL so far) by
// one conjunct; the result is zero when no row is alive.
func (s *ProgramScratch) conjunct(v *vector) uint64 {
	var some uint64
	switch {
	case v.fail != nil:
		for i, w := range v.Bits[:s.words] {
			if v.Valid != nil {
				w &= v.Valid[i]
			}
			s.pass[i] &= w &^ v.fail[i]
			s.alive[i] &= w | v.fail[i]
			some |= s.alive[i]
		}
	case v.Valid != nil:
		for i, w := range v.Bits[:s.words] {
			w &= v.Valid[i]
			s.pass[i] &= w
			s.alive[i] &= w
			some |= s.alive[i]
		}
	default:
		for i, w := range v.Bits[:s.words] {
			s.pass[i] &= w
			s.alive[i] &= w
			some |= s.alive[i]
		}
	}
	return some
}

// failures collects the rows that are alive but did not pass, with the reason of the
// first conjunct that failed.
func (p *Predicate) failures(s *ProgramScratch) *Failures {
	var bad *Failures
	for _, r := range p.prog.roots {
		v := &s.regs[r]
		if v.fail == nil {
			continue
		}
		some := uint64(0)
		for i := range s.words {
			s.a[i] = v.fail[i] & s.alive[i]
			some |= s.a[i]
		}
		if some != 0 {
			bad = s.addFailures(bad, &vector{fail: s.a, why: v.why})
		}
	}
	return bad
}

// selectOnes returns the positions of the ones in words, ascending, in sel's memory.
// Where many bits of a word are set it writes all 64 candidates and moves on by those
// that count, without a branch; elsewhere it jumps from one to the next.
func selectOnes(sel []int32, words stream.Bitmap) []int32 {
	count := 0
	for _, m := range words {
		count += bits.OnesCount64(m)
	}
	sel = resize(sel, count)
	n, room := 0, sel[:cap(sel)]
	for w, m := range words {
		base, ones := int32(w<<6), bits.OnesCount64(m)
		switch {
		case ones == 64:
			d := (*[64]int32)(room[n:])
			for i := range d {
				d[i] = base + int32(i)
			}
		case ones > denseOnesMin && n+64 <= len(room):
			d, at := (*[64]int32)(room[n:]), 0
			for i := range d {
				d[at&63] = base + int32(i)
				at += int(m & 1)
				m >>= 1
			}
		default:
			d := room[n : n+ones]
			for i := range d {
				d[i] = base + int32(trailing(m))
				m &= m - 1
			}
		}
		n += ones
	}
	return sel
}

// denseOnesMin is the number of ones in a word above which looking at every bit is
// faster than jumping.
const denseOnesMin = 24
