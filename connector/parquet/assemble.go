package parquet

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// leafCursor goes through the entries of a leaf, page by page.
type leafCursor struct {
	column
	nestedLeaf
	entries entries // of page `at`
	pos     int     // the entry at hand
	value   int     // the value at hand, or behind
	row     int64   // of the group, that began last before the entry at hand, or -1
	plain   stream.Column
	words   stream.Column // of wordsOf, the dictionary
	wordsOf *values
}

// seek moves to the first entry of a row.
func (l *leafCursor) seek(r io.ReaderAt, rows, row int64) error {
	if err := l.chunk.load(r, rows); err != nil {
		return err
	}
	if l.at >= 0 && l.row < row { // it is in this page or a later one
		p := l.chunk.pages[l.at]
		if row < p.first+p.rows {
			return l.skipTo(row)
		}
	}
	at, _ := slices.BinarySearchFunc(l.chunk.pages, row, func(p page, row int64) int {
		if p.first+p.rows <= row {
			return -1
		}
		return 1
	})
	if at == len(l.chunk.pages) {
		return errDamaged
	}
	if l.at != at {
		if err := l.open(r, at); err != nil {
			return err
		}
	}
	l.pos, l.value, l.row = 0, 0, l.chunk.pages[at].first-1
	return l.skipTo(row)
}

// skipTo passes the entries before a row that begins in the page.
func (l *leafCursor) skipTo(row int64) error {
	reps, defs := l.entries.reps, l.entries.defs
	for ; l.pos < len(reps); l.pos++ {
		if reps[l.pos] == 0 {
			if l.row+1 == row {
				return nil
			}
			l.row++
		}
		if int(defs[l.pos]) == l.def {
			l.value++
		}
	}
	return errDamaged
}

// open reads and decodes a page.
func (l *leafCursor) open(r io.ReaderAt, at int) error {
	l.at, l.pos, l.value = -1, 0, 0
	if at >= len(l.chunk.pages) {
		return errDamaged
	}
	p := l.chunk.pages[at]
	b, err := l.reader.readEntries(r, l.chunk, p, &l.entries)
	if err != nil {
		return err
	}
	goesOn := len(l.entries.reps) > 0 && l.entries.reps[0] != 0
	if int64(l.entries.rows) != p.rows || goesOn != p.goesOn {
		return fmt.Errorf("%w: a page has %d rows instead of %d", errDamaged, l.entries.rows, p.rows)
	}
	l.coded = b.encoding == format.RLEDictionary || b.encoding == plainDictionary
	if !l.coded {
		if err := l.own.decode(l.read, b); err != nil {
			return err
		}
		l.own.fill(&l.plain, l.read.target)
		l.at = at
		return nil
	}
	if l.dict, err = l.chunk.loadDictionary(r, l.read); err != nil {
		return err
	}
	if l.wordsOf != l.dict {
		l.dict.fill(&l.words, l.read.target)
		l.wordsOf = l.dict
	}
	if err := l.decodeCodes(b); err != nil {
		return err
	}
	l.at = at
	return nil
}

// fill makes a column of all values of a page or dictionary.
func (v *values) fill(out *stream.Column, t stream.Type) {
	out.Reset(t)
	prepare(out, v.count)
	v.appendTo(out, t, nil, nil, 0, 0, v.count)
}

// next is the repetition level of the entry at hand; 0 at the end.
func (l *leafCursor) next(r io.ReaderAt) (int, error) {
	if l.pos < len(l.entries.reps) {
		return int(l.entries.reps[l.pos]), nil
	}
	pages := l.chunk.pages
	if l.at+1 == len(pages) || !pages[l.at+1].goesOn {
		return 0, nil
	}
	if err := l.open(r, l.at+1); err != nil {
		return 0, err
	}
	return int(l.entries.reps[0]), nil
}

// assembler makes values of a nested column. Its first error ends it.
type assembler struct {
	nest   *nesting
	leaves []leafCursor
	source io.ReaderAt
	dst    []byte
	bad    *form // of a value of the row that is none; nil: there is none
	err    error
}

var errLevels = fmt.Errorf("%w: the levels of its leaves contradict each other", errDamaged)

// bind makes the assembler one of a column of a group.
func (a *assembler) bind(nest *nesting, g *group) {
	if a.nest != nest {
		a.nest = nest
		a.leaves = slices.Grow(a.leaves[:0], len(nest.leaves))[:len(nest.leaves)]
	}
	for i, l := range nest.leaves {
		c := &a.leaves[i]
		c.nestedLeaf, c.chunk, c.at = l, &g.chunks[l.place], -1
	}
}

// nested fills a nested column with the rows of a unit.
func (d *Decoder) nested(r io.ReaderAt, i int, u Unit, out *stream.Column) error {
	g, c := &d.file.groups[u.Group], &d.columns[i]
	if c.nest == nil {
		c.nest = &assembler{}
	}
	a := c.nest
	if c.chunk == nil { // the first unit of a group
		a.bind(d.file.bound[i].nest, g)
		c.chunk = a.leaves[0].chunk
	}
	rows := int(u.To - u.From)
	prepare(out, rows)
	a.source, a.dst, a.err = r, out.Bytes, nil
	for k := range a.leaves {
		if err := a.leaves[k].seek(r, g.rows, u.From); err != nil {
			return err
		}
	}
	for row := range rows {
		a.bad = nil
		null := a.row()
		if a.err != nil {
			return a.err
		}
		if null {
			markNulls(out, nullLevel, row, rows)
		}
		out.Off = append(out.Off, int32(len(a.dst)))
		if a.bad != nil {
			d.failures = append(d.failures, Failure{Row: row, Reason: a.bad.reason(d.file.bound[i].name)})
		}
	}
	out.Bytes, a.dst = a.dst, nil
	return nil
}

var nullLevel = []byte{0}

// row appends the value of the row at hand; of NULL, nothing.
func (a *assembler) row() (null bool) {
	for k := range a.leaves {
		l := &a.leaves[k]
		if l.pos == len(l.entries.reps) {
			a.try(l.open(a.source, l.at+1))
		}
		if l.row++; a.err != nil {
			return false
		}
	}
	null = a.value(&a.nest.root, 0, 0)
	for k := range a.leaves {
		if rep := a.next(&a.leaves[k]); rep != 0 {
			a.try(errLevels)
		}
	}
	return null
}

func (a *assembler) try(err error) {
	if a.err == nil {
		a.err = err
	}
}

func (a *assembler) next(l *leafCursor) int {
	if a.err != nil {
		return 0
	}
	rep, err := l.next(a.source)
	a.try(err)
	return rep
}

// value appends the value of a part and passes its entries, the first of which have
// repetition level rep and definition level `least` or more. Of NULL nothing is appended.
func (a *assembler) value(n *nest, rep, least int) (null bool) {
	first := &a.leaves[n.first]
	got := a.next(first)
	if a.err != nil {
		return false
	}
	if got != rep || first.pos == len(first.entries.defs) || int(first.entries.defs[first.pos]) < least {
		a.err = errLevels
		return false
	}
	def := first.entries.defs[first.pos]
	switch {
	case int(def) < n.def:
		a.skip(n, rep, def)
		return true
	case n.full > 0:
		if int(def) < n.full {
			a.skip(n, rep, def)
		} else {
			a.item(&n.parts[0], rep, n.full)
			for a.next(first) == n.rep && a.err == nil {
				a.item(&n.parts[0], n.rep, n.full)
			}
		}
		a.dst = stream.EndArray(a.dst)
	case n.parts != nil:
		for i := range n.parts {
			a.item(&n.parts[i], rep, n.def)
		}
	default:
		a.leaf(first)
	}
	return false
}

// item appends a part as an item of what it is part of.
func (a *assembler) item(n *nest, rep, least int) {
	at := len(a.dst)
	a.dst = stream.AppendItem(a.dst, nil, false)
	if a.err == nil && a.value(n, rep, least) {
		a.dst = stream.AppendItem(a.dst[:at], nil, true)
	}
}

// skip passes the entries that stand for a part that is not there, one in each leaf.
func (a *assembler) skip(n *nest, rep int, def byte) {
	for k := n.first; k < n.end; k++ {
		l := &a.leaves[k]
		got := a.next(l)
		if a.err != nil {
			return
		}
		if got != rep || l.pos == len(l.entries.defs) || l.entries.defs[l.pos] != def {
			a.err = errLevels
			return
		}
		l.pos++
	}
}

var errNestedBytes = errors.New("the values of its rows take more than 2 GiB")

// leaf appends the value at hand and passes its entry.
func (a *assembler) leaf(l *leafCursor) {
	at, from, bad := l.value, &l.plain, l.own.bad
	if l.coded {
		at, from, bad = int(l.codes[at]), &l.words, l.dict.bad
	}
	if len(bad) > 0 {
		if _, found := slices.BinarySearch(bad, int32(at)); found {
			a.bad = &l.read
		}
	}
	a.dst = from.AppendRaw(a.dst, at)
	if len(a.dst) > math.MaxInt32 {
		a.err = errNestedBytes
	}
	l.pos++
	l.value++
}
