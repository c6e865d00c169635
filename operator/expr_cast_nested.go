package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// A CAST from one nested type to another converts element by element. The elements of all
// rows are put into columns, one for each member, the columns converted as any others
// are, and the results written back: an inner program of one expression for each member
// does the work. The first element that fails is the reason of its row; with TRY_CAST the
// row is NULL then.

// nestedCast is a prepared conversion.
type nestedCast struct {
	caster
	prog *Program
}

// nestedCastScratch is what one goroutine needs for it.
type nestedCastScratch struct {
	scratch *ProgramScratch
	cols    []stream.Column
	counts  []int // of items in each row; -1: not computed
}

// nestedParts are the types of what is converted: of the one element, or of each member.
func nestedParts(t stream.Type) []stream.Type {
	if t.IsArray() {
		return []stream.Type{t.Element()}
	}
	var out []stream.Type
	for _, m := range t.Members() {
		out = append(out, m.Type)
	}
	return out
}

func prepareNestedCast(e *model.Expr, in *instr, try bool) error {
	from, to := nestedParts(e.Args[0].Type), nestedParts(e.Type)
	schema := &stream.Schema{}
	var exprs []*model.Expr
	for i, t := range from {
		schema.Fields = append(schema.Fields, stream.Field{Type: t})
		col := model.Col(i, t)
		if t != to[i] {
			col = model.Call("cast", to[i], col)
		}
		exprs = append(exprs, col)
	}
	prog, err := Compile(exprs, schema)
	in.run, in.data = runNestedCast, &nestedCast{caster{try, e.Type}, prog}
	return err
}

func runNestedCast(s *ProgramScratch, in *instr) {
	c := in.data.(*nestedCast)
	out := s.strict(in)
	m := s.nestedCasts[in]
	if m == nil {
		m = &nestedCastScratch{scratch: c.prog.NewScratch(), cols: make([]stream.Column, len(c.prog.roots))}
		if s.nestedCasts == nil {
			s.nestedCasts = map[*instr]*nestedCastScratch{}
		}
		s.nestedCasts[in] = m
	}
	n := m.unpack(s, in, out)
	results, bad := c.prog.Eval(m.scratch, m.cols, n)
	w := s.writeText(out)
	at := 0
	for i := range s.n {
		if m.counts[i] >= 0 {
			to := at + m.counts[i]
			if reason := firstFailure(bad, at, to); reason == "" {
				w.bytes = pack(w.bytes, c.to, results, at, to)
			} else if c.try {
				s.without(out, i, nullRow)
			} else {
				s.failOwn(out, i, reason)
			}
			at = to
		}
		w.end(s, out, i)
	}
	w.finish(out)
}

// unpack puts the items of all rows that are computed into columns and returns how many
// rows these have.
func (m *nestedCastScratch) unpack(s *ProgramScratch, in *instr, out *vector) (n int) {
	t := s.nestedType(in, 0)
	for k, part := range nestedParts(t) {
		m.cols[k].Reset(part)
	}
	m.counts = resize(m.counts, s.n)
	array := t.IsArray()
	for i := range s.n {
		m.counts[i] = -1
		if !s.computes(out, i) {
			continue
		}
		m.counts[i] = 0
		k := 0
		for it := s.items(in, 0, i); it.Next(); {
			if it.Null {
				m.cols[k].AppendNull(n)
			} else {
				m.cols[k].AppendFromRaw(it.Raw, n)
			}
			if array {
				n, m.counts[i] = n+1, m.counts[i]+1
			} else {
				k++
			}
		}
		if !array {
			n, m.counts[i] = n+1, 1
		}
	}
	return n
}

func firstFailure(bad *Failures, from, to int) string {
	for i := from; bad != nil && i < to; i++ {
		if bad.Rows.Get(i) {
			return bad.Reason(i)
		}
	}
	return ""
}

// pack writes rows [from, to) of the columns as one value.
func pack(dst []byte, t stream.Type, cols []stream.Column, from, to int) []byte {
	for i := from; i < to; i++ {
		for k := range cols {
			if cols[k].IsNull(i) {
				dst = stream.AppendItem(dst, nil, true)
				continue
			}
			dst = cols[k].AppendRaw(stream.AppendItem(dst, nil, false), i)
		}
	}
	if t.IsArray() {
		return stream.EndArray(dst)
	}
	return dst
}

// nestedToText and textToNested go by way of JSON.
func nestedToText(s *ProgramScratch, in *instr) {
	t := s.nestedType(in, 0)
	out := s.strict(in)
	s.texts(out, in, func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
		return stream.AppendNested(dst, t, s.text(in, 0, i)), ""
	})
}

func textToNested(s *ProgramScratch, in *instr) {
	c := in.data.(caster)
	out := s.strict(in)
	s.texts(out, in, func(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
		text := s.text(in, 0, i)
		dst, ok := stream.ParseNested(dst, c.to, text)
		switch {
		case ok:
			return dst, ""
		case c.try:
			return dst, nullRow
		}
		return dst, cannotCast(text, c.to)
	})
}
