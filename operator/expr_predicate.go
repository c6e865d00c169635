package operator

import (
	"math/bits"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

func trailing(w uint64) int { return bits.TrailingZeros64(w) }

// Predicate is a list of conjuncts with the rule of SQL's WHERE: a row passes if all
// are TRUE; FALSE or NULL in any of them wins over a failure in any other. Because of
// that rule simple conjuncts can go first, whatever their place in the list. It is
// immutable and may be shared.
type Predicate struct {
	simple []condition
	prog   *Program // the other conjuncts
}

// CompilePredicate prepares conjuncts over rows of the given schema. No conjuncts let
// every row pass.
func CompilePredicate(conjuncts []*model.Expr, in *stream.Schema) (*Predicate, error) {
	if _, err := Compile(conjuncts, in); err != nil {
		return nil, err
	}
	simple, rest := splitConditions(conjuncts)
	prog, err := Compile(rest, in)
	return &Predicate{simple, prog}, err
}

// NewScratch returns working memory for one goroutine.
func (p *Predicate) NewScratch() *ProgramScratch {
	return p.prog.NewScratch()
}

// Eval returns, in sel's memory, the rows where all conjuncts are TRUE, ascending. bad
// is nil or has the rows that failed; it is valid until the next Eval.
func (p *Predicate) Eval(s *ProgramScratch, cols []stream.Column, n int, sel []int32) ([]int32, *Failures) {
	pass, count, bad := p.Select(s, cols, n)
	sel = resize(sel, count)
	if count > 0 {
		vec.IndicesOf(sel[:cap(sel)], pass)
	}
	return sel, bad
}

// Select returns the rows where all conjuncts are TRUE as bits, without any behind row
// n, and how many there are. bad is nil or has the rows that failed. Both are valid until
// the next call.
func (p *Predicate) Select(s *ProgramScratch, cols []stream.Column, n int) (pass stream.Bitmap, count int, bad *Failures) {
	s.words = stream.WordsFor(n)
	s.pass = resize(s.pass, s.words)
	s.pass.SetFirst(n)
	for i := range p.simple {
		p.simple[i].narrow(s, s.pass, cols, n)
		if !some(s.pass) {
			return s.pass, 0, nil
		}
	}
	if len(p.prog.roots) > 0 {
		bad = p.others(s, cols, n)
	}
	return s.pass, vec.Count(s.pass), bad
}

// others narrows what the simple conjuncts have let pass by the other ones.
func (p *Predicate) others(s *ProgramScratch, cols []stream.Column, n int) (bad *Failures) {
	p.prog.start(s, cols, n)
	s.alive = resize(s.alive, s.words)
	copy(s.alive, s.pass)
	failed, from := false, 0
	for k, r := range p.prog.roots {
		p.prog.run(s, from, p.prog.ends[k])
		from = p.prog.ends[k]
		v := &s.regs[r]
		failed = failed || v.fail != nil
		if s.conjunct(v) == 0 {
			return nil
		}
	}
	if failed {
		bad = p.failures(s)
	}
	return bad
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
