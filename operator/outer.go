package operator

import "github.com/millrace/millrace/stream"

// outerRows puts the left rows without partner among the pairs of an outer join, each at its
// place.
//
// Pairs come in the order of the left rows, a chunk at a time, and the rows of one left row may
// be in several chunks: whether a row has a partner is known when one behind it has a pair, or
// at the end. So a row is looked at when the next event - a pair, or a pair that failed - is of
// a later row, and everything in between is without partner.
//
//	pairs     2,7  2,9      |        5,1
//	failed             3,8  |
//	out       0,- 1,- 2,7 2,9        4,- 5,1
//
// The zero value has nothing; begin makes it ready. It belongs to one goroutine.
type outerRows struct {
	next    int32 // the first left row that has not been decided about
	matched bool  // it has a pair, or one that failed
	ended   bool
	failed  []int32 // left rows of the pairs that have failed since the last chunk, ascending
	gone    []int32 // left rows that do not exist, ascending
	pairs   [2][]int32
	at      int // pairs before it have been taken
}

// begin forgets everything; the first left row is from. Rows in gone are left out.
func (o *outerRows) begin(from int, gone []int32) {
	o.next, o.matched, o.ended, o.at, o.gone = int32(from), false, false, 0, gone
	o.failed, o.pairs = o.failed[:0], [2][]int32{o.pairs[0][:0], o.pairs[1][:0]}
}

// fail says that a pair of the chunk that is added next has failed.
func (o *outerRows) fail(row int32) { o.failed = append(o.failed, row) }

// add takes the pairs of a chunk; none stands for the partner of those that have none.
func (o *outerRows) add(pairs [2][]int32, none int32) {
	if o.at == len(o.pairs[0]) {
		o.at, o.pairs = 0, [2][]int32{o.pairs[0][:0], o.pairs[1][:0]}
	}
	failed := o.failed
	for i, row := range pairs[0] {
		for len(failed) > 0 && failed[0] <= row {
			o.reach(failed[0], none)
			failed = failed[1:]
		}
		o.reach(row, none)
		o.put(row, pairs[1][i])
	}
	for _, row := range failed {
		o.reach(row, none)
	}
	o.failed = o.failed[:0]
}

// end says that the left rows end before to.
func (o *outerRows) end(to int, none int32) {
	o.add([2][]int32{}, none)
	o.reach(int32(to), none)
	o.ended = true
}

// reach decides about the rows before one that has a partner, or whose pair has failed.
func (o *outerRows) reach(row, none int32) {
	for ; o.next < row; o.next++ {
		for len(o.gone) > 0 && o.gone[0] < o.next {
			o.gone = o.gone[1:]
		}
		if !o.matched && (len(o.gone) == 0 || o.gone[0] != o.next) {
			o.put(o.next, none)
		}
		o.matched = false
	}
	o.matched = true
}

func (o *outerRows) put(left, right int32) {
	o.pairs[0], o.pairs[1] = append(o.pairs[0], left), append(o.pairs[1], right)
}

// take returns the next pairs to be put out, at most n. They are valid until the next add.
func (o *outerRows) take(n int) [2][]int32 {
	from := o.at
	o.at = min(from+n, len(o.pairs[0]))
	return [2][]int32{o.pairs[0][from:o.at], o.pairs[1][from:o.at]}
}

// nobodyThere is the partner of left rows of a window that have none.
const nobodyThere = -1

// appendOptional is AppendSelected with a NULL for each index that is nobodyThere.
func appendOptional(dst, src *stream.Column, sel []int32, n int) {
	for from := 0; from < len(sel); {
		to := from
		for to < len(sel) && sel[to] >= 0 {
			to++
		}
		dst.AppendSelected(src, sel[from:to], n+from)
		for ; to < len(sel) && sel[to] < 0; to++ {
			dst.AppendNull(n + to)
		}
		from = to
	}
}

// appendOptionalConstant is appendConstant likewise.
func appendOptionalConstant(dst *stream.Column, v int64, sel []int32, n int) {
	for i, row := range sel {
		if row < 0 {
			dst.AppendNull(n + i)
		} else {
			appendConstant(dst, v, n+i, 1)
		}
	}
}

// fillOuter is fill of an outer join.
func (p *pairing) fillOuter(out *outputs) (done bool, err error) {
	p.lay.setWindow(p.sides, p.number)
	stores := [2]*stream.Batch{p.rows[0].rows, p.rows[1].rows}
	for {
		room := out.room()
		if room == 0 {
			return false, nil
		}
		own := p.lay.pairs
		if p.lay.pairs = p.outer.take(room); len(p.lay.pairs[0]) > 0 {
			p.lay.appendOutput(out.batch(), stores)
		}
		taken := len(p.lay.pairs[0])
		p.lay.pairs = own
		switch {
		case taken > 0:
		case p.outer.ended:
			return true, nil
		default:
			if err := p.findOuter(stores); err != nil {
				return false, err
			}
		}
	}
}

// findOuter finds the next pairs of an outer join, or that there are no more.
func (p *pairing) findOuter(stores [2]*stream.Batch) error {
	switch f := &p.found; {
	case f.known && f.at < len(f.rows[0]):
		p.takeFound(min(ChunkRows, len(f.rows[0])-f.at))
		if err := p.failAgain(stores); err != nil {
			return err
		}
	case f.known || p.rows[1].from == p.rows[1].to || !p.collect(ChunkRows):
		p.outer.end(p.rows[0].to, nobodyThere)
		return nil
	default:
		p.dropNullKeys()
		if p.on.pred != nil && !(p.bits != nil && p.bits.usable && p.bits.all) {
			p.on.apply(&p.lay, stores, p.schema, func(pair int, e ErrorRow) {
				p.errors = append(p.errors, e)
				p.outer.fail(p.lay.pairs[0][pair])
			})
		}
	}
	p.outer.add(p.lay.pairs, nobodyThere)
	return nil
}

// dropNullKeys drops the pairs whose left key is NULL: an outer join stores such rows.
func (p *pairing) dropNullKeys() {
	cols := p.rows[0].rows.Cols
	for _, k := range p.keys[0] {
		if cols[k].Valid == nil {
			continue
		}
		n := 0
		for i, row := range p.lay.pairs[0] {
			if !cols[k].IsNull(int(row)) {
				p.lay.pairs[0][n], p.lay.pairs[1][n] = row, p.lay.pairs[1][i]
				n++
			}
		}
		p.lay.pairs[0], p.lay.pairs[1] = p.lay.pairs[0][:n], p.lay.pairs[1][:n]
	}
}
