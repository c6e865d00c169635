package operator

import (
	"slices"

	"github.com/millrace/millrace/stream"
)

// ProgramScratch is one goroutine's working memory for a Program.
type ProgramScratch struct {
	n       int
	words   int
	regs    []vector
	filled  int // rows that literal registers are filled for
	bad     Failures
	out     []stream.Column
	ones    stream.Bitmap   // the first n bits
	a, b, c stream.Bitmap   // free for one instruction's use
	pass    stream.Bitmap   // rows for which every conjunct so far is TRUE
	alive   stream.Bitmap   // rows for which no conjunct so far is FALSE or NULL
	pick    []int32         // argument that each row takes, for conditional functions
	spares  []stream.Bitmap // for conditions within others, the first spared of them taken
	spared  int
	// compiled are patterns that are not constant; at most compiledMax.
	compiled     map[compiledKey]*compiledPattern
	timePatterns map[compiledKey]*timePattern
	jsonPaths    map[string]*jsonPath

	// of nested types
	item        []byte
	found       stream.Column
	list        []stream.Items
	seen        map[string]struct{}
	nestedCasts map[*instr]*nestedCastScratch
}

// vector is a register: a column and its failures. An input's column aliases the
// caller's; every other one owns its buffers.
type vector struct {
	stream.Column
	validBuf stream.Bitmap
	fail     stream.Bitmap // nil: no row failed
	failBuf  stream.Bitmap
	why      []string // reason of each row in fail
}

// Failures tells the rows in which an expression failed.
type Failures struct {
	Rows  stream.Bitmap // no bits past the last row
	Count int
	why   []string
}

// Reason is why the row failed.
func (f *Failures) Reason(row int) string { return f.why[row] }

// NewScratch returns working memory for one goroutine.
func (p *Program) NewScratch() *ProgramScratch {
	s := &ProgramScratch{regs: make([]vector, len(p.regs)), out: make([]stream.Column, len(p.roots))}
	for i, t := range p.regs {
		s.regs[i].Type = t
	}
	return s
}

// Eval evaluates every expression over n rows of cols. Results alias the scratch or
// the input and are valid until the next Eval. bad is nil when no row failed; else it
// has a bit for each row in which an expression did, whose values are unspecified.
func (p *Program) Eval(s *ProgramScratch, cols []stream.Column, n int) (out []stream.Column, bad *Failures) {
	p.start(s, cols, n)
	p.run(s, 0, len(p.code))
	for i, r := range p.roots {
		v := &s.regs[r]
		s.out[i] = v.Column
		if v.fail != nil {
			bad = s.addFailures(bad, v)
		}
	}
	return s.out, bad
}

// start binds the inputs and fills what does not change from row to row.
func (p *Program) start(s *ProgramScratch, cols []stream.Column, n int) {
	s.n, s.words = n, stream.WordsFor(n)
	if n > s.filled {
		p.fill(s, max(n, min(2*s.filled, ChunkRows)))
	}
	s.ones.SetFirst(n)
	for _, f := range p.failures {
		s.regs[f.reg].fail = s.ones
	}
	for _, in := range p.inputs {
		s.regs[in.reg].Column = cols[in.column]
	}
}

// fill makes room for n rows.
func (p *Program) fill(s *ProgramScratch, n int) {
	s.ones = stream.NewBitmap(n)
	s.a, s.b, s.c = stream.NewBitmap(n), stream.NewBitmap(n), stream.NewBitmap(n)
	for _, l := range p.literals {
		s.regs[l.reg].fill(l.value, n)
	}
	for _, f := range p.failures {
		r := &s.regs[f.reg]
		r.fill(stream.NullOf(r.Type), n)
		r.why = slices.Repeat([]string{f.reason}, n)
	}
	s.filled = n
}

func (p *Program) run(s *ProgramScratch, from, to int) {
	for i := from; i < to; i++ {
		in := &p.code[i]
		s.regs[in.out].fail = nil
		in.run(s, in)
	}
}

// addFailures adds the failures of v to those collected in the scratch.
func (s *ProgramScratch) addFailures(bad *Failures, v *vector) *Failures {
	if bad == nil {
		bad = &s.bad
		bad.Rows, bad.Count = resize(bad.Rows, s.words), 0
		bad.why = resize(bad.why, s.n)
		clear(bad.Rows)
	}
	for w, f := range v.fail[:s.words] {
		f &^= bad.Rows[w]
		bad.Rows[w] |= f
		for ; f != 0; f &= f - 1 {
			i := w<<6 + trailing(f)
			bad.why[i] = v.why[i]
			bad.Count++
		}
	}
	return bad
}

// fill makes every one of n values v.
func (r *vector) fill(v stream.Value, n int) {
	r.Column.Reset(r.Type)
	for i := 0; i < n; i++ {
		r.Column.AppendValue(v, i)
	}
}

// arg returns argument k of an instruction.
func (s *ProgramScratch) arg(in *instr, k int) *vector { return &s.regs[in.args[k]] }

// result returns the register an instruction computes.
func (s *ProgramScratch) result(in *instr) *vector { return &s.regs[in.out] }

// strict gives the result the validity and failures that follow from the arguments
// alone: NULL where one is NULL, failed where one failed.
func (s *ProgramScratch) strict(in *instr) *vector {
	out := s.result(in)
	out.Valid = nil
	for k := range in.args {
		s.andValid(out, s.arg(in, k))
		s.inherit(out, s.arg(in, k))
	}
	return out
}

// andValid makes rows of out NULL where v is.
func (s *ProgramScratch) andValid(out, v *vector) {
	if v.Valid == nil {
		return
	}
	if out.Valid == nil {
		out.Valid = v.Valid[:s.words]
		return
	}
	dst := s.ownValid(out)
	for i, w := range out.Valid[:s.words] {
		dst[i] = w & v.Valid[i]
	}
	out.Valid = dst
}

// ownValid returns the register's own validity buffer, contents unspecified unless
// it is already in use.
func (s *ProgramScratch) ownValid(v *vector) stream.Bitmap {
	v.validBuf = resize(v.validBuf, s.words)
	return v.validBuf
}

// inherit makes rows of out fail where v failed, unless they have failed before.
func (s *ProgramScratch) inherit(out, v *vector) {
	if v.fail != nil {
		s.inheritWhere(out, v, s.ones)
	}
}

// inheritWhere is inherit for the rows in mask only.
func (s *ProgramScratch) inheritWhere(out, v *vector, mask stream.Bitmap) {
	if v.fail == nil {
		return
	}
	for w, f := range v.fail[:s.words] {
		for f &= mask[w]; f != 0; f &= f - 1 {
			i := w<<6 + trailing(f)
			s.failRow(out, i, v.why[i])
		}
	}
}

// failRow makes row i of out fail for the reason, unless it has failed before.
func (s *ProgramScratch) failRow(out *vector, i int, reason string) {
	if out.fail == nil {
		out.failBuf = resize(out.failBuf, s.words)
		out.why = resize(out.why, s.n)
		out.fail = out.failBuf
		clear(out.fail)
	}
	if !out.fail.Get(i) {
		out.fail.Set(i)
		out.why[i] = reason
	}
}

// failOwn makes row i of a strict result fail, unless it is NULL.
func (s *ProgramScratch) failOwn(out *vector, i int, reason string) {
	if out.Valid == nil || out.Valid.Get(i) {
		s.failRow(out, i, reason)
	}
}

// resize returns a slice of n elements, contents unspecified, reusing s.
func resize[S ~[]T, T any](s S, n int) S {
	if n <= cap(s) {
		return s[:n]
	}
	return make(S, n, max(n, ChunkRows))
}
