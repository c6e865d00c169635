package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// An unnest as a step: the rows of a chunk are repeated once per element of their array and
// go on through the steps behind, in pieces of at most ChunkRows. Elements are written from
// the arrays' bytes straight into columns.

// expand prepares a step that repeats rows.
func (st *step) expand(u *model.Unnest, in *stream.Schema, keeps, must []bool) (err error) {
	width := in.Len()
	copy(st.reads, keeps[:width])
	copy(st.must, must[:width])
	st.mark(u.Array)
	st.unnest, st.added = u, u.Columns()
	st.record.columns = referenced(in, fallibleExprs([]*model.Expr{u.Array}))
	st.prog, err = Compile([]*model.Expr{u.Array}, in)
	return err
}

// stepUnnest is what a worker needs of an unnest among the steps.
type stepUnnest struct {
	sel  []int32 // row of the chunk in front of each row of the piece
	base []int32 // of the piece
	from []int32 // of the chunk in front, once somebody needs it
	left []stream.Bitmap
}

// runUnnest sends the chunk through the unnest that is step i, and through the steps
// behind.
func (c *Chain) runUnnest(s *ChainScratch, i int, emit func(*Chunk) error) error {
	st, sc := &c.steps[i], &s.steps[i]
	out, bad := st.prog.Eval(sc.prog, s.chunk.Cols, s.chunk.Len)
	if bad != nil {
		s.fail(st, bad)
	}
	from, arrays := s.chunk, &out[0]
	p := &sc.open
	p.from = append(p.from[:0], from.Positions()...)
	st.beginPiece(sc)
	flush := func() error {
		if len(p.sel) == 0 {
			return nil
		}
		st.unnestPiece(s, sc, &from)
		if err := c.runSteps(s, i+1, emit); err != nil {
			return err
		}
		st.beginPiece(sc)
		return nil
	}
	for row := range from.Len {
		if bad != nil && bad.Rows.Get(row) {
			continue
		}
		n := int32(0)
		if !arrays.IsNull(row) {
			for it := stream.ItemsOf(arrays.Type, arrays.Text(row)); it.Next(); {
				n++
				st.putElement(sc, int32(row), n, &it)
				if len(p.sel) == ChunkRows {
					if err := flush(); err != nil {
						return err
					}
				}
			}
		}
		if n > 0 || !st.unnest.Outer {
			continue
		}
		st.putNone(sc, int32(row))
		if len(p.sel) == ChunkRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// beginPiece empties the piece.
func (st *step) beginPiece(sc *stepScratch) {
	sc.open.sel = sc.open.sel[:0]
	width := len(st.reads)
	for i, t := range st.added {
		sc.rows[width+i].Reset(t)
	}
}

// putElement adds the element at hand, which is the n-th of the row, to the piece.
func (st *step) putElement(sc *stepScratch, row, n int32, it *stream.Items) {
	at, p := len(st.reads), &sc.open
	have := len(p.sel)
	put := func(null bool, raw []byte) {
		switch {
		case !st.keeps[at]:
		case null:
			sc.rows[at].AppendNull(have)
		default:
			sc.rows[at].AppendFromRaw(raw, have)
		}
		at++
	}
	switch {
	case !it.Type.IsRow():
		put(it.Null, it.Raw)
	case it.Null:
		for range it.Type.Members() {
			put(true, nil)
		}
	default:
		for member := stream.ItemsOf(it.Type, it.Raw); member.Next(); {
			put(member.Null, member.Raw)
		}
	}
	if st.unnest.Ordinality && st.keeps[at] {
		sc.rows[at].AppendValue(stream.Int(n), have)
	}
	p.sel = append(p.sel, row)
}

// putNone adds a row without element to the piece.
func (st *step) putNone(sc *stepScratch, row int32) {
	for at := len(st.reads); at < len(st.keeps); at++ {
		if st.keeps[at] {
			sc.rows[at].AppendNull(len(sc.open.sel))
		}
	}
	sc.open.sel = append(sc.open.sel, row)
}

// unnestPiece makes the piece the current chunk; from is the one in front.
func (st *step) unnestPiece(s *ChainScratch, sc *stepScratch, from *Chunk) {
	p, ch, width := &sc.open, &s.chunk, len(st.reads)
	for i, keep := range st.keeps {
		switch {
		case !keep:
			sc.cols[i] = stream.Column{}
			continue
		case i >= width:
		case from.Cols[i].Absent():
			sc.cols[i] = from.Cols[i]
			continue
		default:
			selectColumn(&sc.rows[i], &from.Cols[i], p.sel)
		}
		sc.cols[i] = sc.rows[i]
	}
	p.base = resize(p.base, len(p.sel))
	for i, row := range p.sel {
		p.base[i] = p.from[row]
	}
	ch.Cols, ch.Len, ch.Time = sc.cols, len(p.sel), nil
	ch.base, ch.rows, ch.left = p.base, len(p.sel), p.left[:0]
}
