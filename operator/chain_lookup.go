package operator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// A lookup as a step: rows of the chunk are joined with a complete table and go on
// through the steps behind, so that nothing between a filter and an aggregate is ever
// written to a batch. A chunk that a table multiplies goes on in pieces of ChunkRows.

// Lookups are the tables of the lookups among a side's steps, in the order of their
// inputs. The chain that is made of the side fills them in; it is made once.
type Lookups struct {
	ops    []*model.Operator
	sides  []Side
	tables []*Table
}

// Add tells the table side of one more lookup.
func (l *Lookups) Add(op *model.Operator, side Side) {
	l.ops, l.sides, l.tables = append(l.ops, op), append(l.sides, side), append(l.tables, nil)
}

// lookup prepares a step that joins with the table of one of the lookups.
func (st *step) lookup(op *model.Operator, in *stream.Schema, all *Lookups, keeps, must []bool) error {
	at := -1
	if all != nil {
		at = slices.Index(all.ops, op)
	}
	switch {
	case at < 0 || all.tables[at] != nil:
		return fmt.Errorf("a lookup among the steps without a table of its own")
	case !op.KeysOnly():
		return fmt.Errorf("a lookup among the steps that compares more than keys")
	}
	width := in.Len()
	copy(st.reads, keeps[:width])
	copy(st.must, must[:width])
	st.mark(op.Join.LeftKeys...)
	var err error
	if st.table, err = newTable(op, all.sides[at], keeps[width:], op.Join.RightKeys); err != nil {
		return err
	}
	all.tables[at], st.outer = st.table, op.Join.Outer
	st.prog, err = Compile(op.Join.LeftKeys, in)
	for i := range op.Join.LeftKeys {
		st.keys = append(st.keys, i)
	}
	return err
}

// stepProbe is what a worker needs of a lookup among the steps.
type stepProbe struct {
	probe
	nonNull []int32
	base    []int32 // of the chunk
	from    []int32 // of the chunk in front
	left    []stream.Bitmap
	outer   outerRows
}

// beginLookup evaluates the keys of the chunk.
func (st *step) beginLookup(s *ChainScratch, sc *stepScratch) {
	ch, p := &s.chunk, &sc.join
	p.cols, _ = st.prog.Eval(sc.prog, ch.Cols, ch.Len)
	p.keys = st.keys
	var sel []int32
	if anyNulls(p.cols) {
		p.nonNull = p.nonNull[:0]
		for i := range ch.Len {
			if !nullAmong(p.cols, i) {
				p.nonNull = append(p.nonNull, int32(i))
			}
		}
		if sel = p.nonNull; len(sel) == 0 {
			if !st.outer {
				ch.Len = 0
			}
			p.begin(0, nil)
			return
		}
	}
	if st.table.how == tableHashes {
		p.hash = resize(p.hash, ch.Len)
		clear(p.hash)
		for i := range p.cols {
			hashColumn(p.hash, &p.cols[i], ch.Len)
		}
	}
	p.begin(ch.Len, sel)
}

func anyNulls(cols []stream.Column) bool {
	for i := range cols {
		if cols[i].Valid != nil {
			return true
		}
	}
	return false
}

func nullAmong(cols []stream.Column, row int) bool {
	for i := range cols {
		if cols[i].IsNull(row) {
			return true
		}
	}
	return false
}

// runLookup sends the chunk through the lookup that is step i, and through the steps
// behind.
func (c *Chain) runLookup(s *ChainScratch, i int, emit func(*Chunk) error) error {
	st, sc := &c.steps[i], &s.steps[i]
	st.beginLookup(s, sc)
	if s.chunk.Len == 0 {
		return nil
	}
	from, p := s.chunk, &sc.join
	if !st.table.complete {
		return errors.New("a lookup's stream was read before its table had ended")
	}
	p.from = p.from[:0]
	p.outer.begin(0, nil)
	for more := true; more; p.reset() {
		more = st.table.more(&p.probe)
		if st.outer {
			if err := c.runOuter(s, i, &from, more, emit); err != nil {
				return err
			}
			continue
		}
		if len(p.pairs[0]) == 0 {
			continue
		}
		st.lookupPiece(s, sc, &from)
		if err := c.runSteps(s, i+1, emit); err != nil {
			return err
		}
	}
	return nil
}

// runOuter sends the pairs found on, with the rows that have none among them; more: there are
// further pairs.
func (c *Chain) runOuter(s *ChainScratch, i int, from *Chunk, more bool, emit func(*Chunk) error) error {
	st, sc := &c.steps[i], &s.steps[i]
	p := &sc.join
	p.outer.add(p.pairs, st.table.nulls())
	if !more {
		p.outer.end(from.Len, st.table.nulls())
	}
	own := p.pairs
	defer func() { p.pairs = own }()
	for p.pairs = p.outer.take(ChunkRows); len(p.pairs[0]) > 0; p.pairs = p.outer.take(ChunkRows) {
		st.lookupPiece(s, sc, from)
		if err := c.runSteps(s, i+1, emit); err != nil {
			return err
		}
	}
	return nil
}

// lookupPiece makes the pairs found the current chunk; from is the one in front. Where
// every row has found one, columns are passed on as they are.
func (st *step) lookupPiece(s *ChainScratch, sc *stepScratch, from *Chunk) {
	p, ch := &sc.join, &s.chunk
	left, right := p.pairs[0], p.pairs[1]
	whole := len(left) == from.Len && st.table.unique
	width := len(st.reads)
	for i, keep := range st.keeps {
		switch {
		case !keep || i >= width && sc.late != nil && sc.late[i-width]:
			sc.cols[i] = stream.Column{}
			continue
		case i >= width:
			selectColumn(&sc.rows[i], &st.table.rows.rows.Cols[i-width], right)
		case whole || from.Cols[i].Absent():
			sc.cols[i] = from.Cols[i]
			continue
		default:
			selectColumn(&sc.rows[i], &from.Cols[i], left)
		}
		sc.cols[i] = sc.rows[i]
	}
	ch.Cols, ch.Len, ch.Time = sc.cols, len(left), nil
	if whole {
		return
	}
	if len(p.from) == 0 {
		p.from = append(p.from, from.Positions()...)
	}
	p.base = resize(p.base, len(left))
	for i, l := range left {
		p.base[i] = p.from[l]
	}
	ch.base, ch.rows, ch.left = p.base, len(left), p.left[:0]
}

func selectColumn(dst, src *stream.Column, sel []int32) {
	dst.Reset(src.Type)
	dst.AppendSelected(src, sel, 0)
}
