package operator

import (
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Table is a bounded relation that is read whole before a stream is joined with it. While
// it is read it belongs to one goroutine; once complete it never changes and any number
// of workers probe it.
//
// Rows are found in one of three ways, chosen when the table is complete:
//
//	direct    one integer key whose values lie close together: an array by key
//	integers  one integer key: chains by a multiplicative hash, keys beside them
//	hashes    anything else: chains by the hash of all keys
//
// Chains list rows ascending, so that duplicates come in the table's order. Rows with a
// NULL key are not kept: they match nothing. Behind the rows of an outer lookup's table that is
// complete stands one of NULLs, which no index has: the partner of rows without one.
type Table struct {
	op       *model.Operator
	in       *intake
	rows     *rowStore
	complete bool
	count    int // rows of a complete one, without that of NULLs

	how    tableForm
	unique bool // no two rows have equal keys
	first  []int32
	next   []int32 // by row+1: the following row+1 of the same slot
	keys   []int64 // integers: by row+1
	low    int64   // direct: the least key
	shift  uint    // integers: first has 2^(64-shift) slots
	index  rowIndex
}

type tableForm uint8

const (
	tableHashes tableForm = iota
	tableDirect
	tableIntegers
)

// A table is direct if its keys span at most directSpanMin values, or directSpanPerRow
// for each row. Small tables of integers get sparse slots, which stay in the cache.
const (
	directSpanMin    = 1 << 12
	directSpanPerRow = 4
	sparseRowsMax    = 1 << 12
)

// newTable prepares the table of a lookup; need are the columns of its side's output
// that are put out, keys the expressions that are compared.
func newTable(op *model.Operator, side Side, need []bool, keys []*model.Expr) (*Table, error) {
	in, err := newIntake(op.ID, side, need, nil, keys, orderNone, -1)
	if err != nil {
		return nil, err
	}
	return &Table{op: op, in: in, rows: newRowStore(in.schema, in.stored, len(keys) > 0)}, nil
}

// add takes over a task's rows; end says that they are the last.
func (t *Table) add(part *rowPart, end bool, env *Env) error {
	t.rows.add(part)
	t.in.put(part)
	if err := env.bounded("lookup table", t.rows.sizeBytes()); err != nil {
		return err
	}
	if end {
		t.finish()
	}
	return t.rows.checkText("lookup table")
}

// finish makes the index.
func (t *Table) finish() {
	t.complete, t.count = true, t.rows.rows.Len
	if t.op.Join.Outer {
		defer t.addNulls()
	}
	t.how, t.unique = tableHashes, false
	switch cols := t.in.keyCols; {
	case len(cols) == 0:
		return
	case len(cols) > 1 || !integerType(t.in.schema.Fields[cols[0]].Type):
		t.index.build(t.rows.hash, 0, t.count)
		return
	}
	t.gatherKeys()
	if !t.buildDirect() {
		t.buildIntegers()
	}
}

// addNulls adds the row of NULLs. The store's order, which says how many rows are kept, does
// not count it.
func (t *Table) addNulls() {
	rows := t.rows.rows
	for c := range rows.Cols {
		if col := &rows.Cols[c]; !col.Absent() {
			col.AppendNull(rows.Len)
		}
	}
	rows.Len++
}

// nulls is the number of the row of NULLs.
func (t *Table) nulls() int32 { return int32(t.count) }

func (t *Table) snapshot(w *state.Writer) {
	w.Bool(t.complete)
	t.rows.snapshot(w)
}

func (t *Table) restore(r *state.Reader) error {
	complete := r.Bool()
	if err := t.rows.restore(r); err != nil {
		return err
	}
	if complete {
		t.finish()
	}
	return nil
}

func integerType(t stream.Type) bool {
	return t.Storage() == stream.Integer || t.Storage() == stream.BigInt
}

func (t *Table) gatherKeys() {
	col := &t.rows.rows.Cols[t.in.keyCols[0]]
	t.keys = append(t.keys[:0], 0)
	if col.Type.Storage() != stream.Integer {
		t.keys = append(t.keys, col.I64...)
		return
	}
	for _, v := range col.I32 {
		t.keys = append(t.keys, int64(v))
	}
}

// buildDirect makes first an array by key - low, with one more element that is always
// empty for the keys outside, if the keys are close enough.
func (t *Table) buildDirect() bool {
	n := len(t.keys) - 1
	if n == 0 {
		t.how, t.low, t.first, t.next, t.unique = tableDirect, 0, []int32{0}, []int32{0}, true
		return true
	}
	lo, hi := t.keys[1], t.keys[1]
	for _, k := range t.keys[1:] {
		lo, hi = min(lo, k), max(hi, k)
	}
	span := uint64(hi) - uint64(lo)
	if span >= uint64(max(directSpanMin, directSpanPerRow*n)) {
		return false
	}
	t.how, t.low = tableDirect, lo
	t.chain(int(span)+2, func(k int64) uint64 { return uint64(k) - uint64(lo) })
	return true
}

func (t *Table) buildIntegers() {
	n := len(t.keys) - 1
	size := 2 * n
	if n <= sparseRowsMax {
		size = 8 * n
	}
	t.shift = uint(64 - bits.Len(uint(size-1)))
	t.how = tableIntegers
	t.chain(1<<(64-t.shift), func(k int64) uint64 { return slotOf(k, t.shift) })
}

// slotOf is Fibonacci hashing (Knuth, TAOCP 3, 6.4) with the high half of the key mixed
// into the low one, so that multiples of large powers of two spread, too.
func slotOf(k int64, shift uint) uint64 {
	v := uint64(k)
	return (v ^ v>>32) * hashSeed >> (shift & 63)
}

// chain links the rows of each slot and finds out whether keys repeat.
func (t *Table) chain(slots int, slot func(k int64) uint64) {
	t.first, t.next = make([]int32, slots), make([]int32, len(t.keys))
	t.unique = true
	for r := len(t.keys) - 1; r > 0; r-- {
		head := &t.first[slot(t.keys[r])]
		for o := *head; o != 0 && t.unique; o = t.next[o] {
			t.unique = t.keys[o] != t.keys[r]
		}
		t.next[r] = *head
		*head = int32(r)
	}
}

// probe is where a worker is with the rows that it looks up in a table, and the pairs
// found since the last reset: row of the stream, row of the table.
type probe struct {
	n     int     // rows of the stream
	sel   []int32 // those to look up; nil: all
	cols  []stream.Column
	keys  []int // columns of cols
	hash  []uint64
	at    int   // next row, or next of sel
	rest  int32 // row+1 of the table: candidates for the row before that are left
	pairs [2][]int32
}

// begin makes the probe stand before the first row.
func (p *probe) begin(n int, sel []int32) {
	p.n, p.sel, p.at, p.rest = n, sel, 0, 0
	p.reset()
}

// reset forgets the pairs.
func (p *probe) reset() { p.pairs[0], p.pairs[1] = p.pairs[0][:0], p.pairs[1][:0] }

func (p *probe) add(row int32, r int32) {
	p.pairs[0], p.pairs[1] = append(p.pairs[0], row), append(p.pairs[1], r)
}

// more finds pairs until there are ChunkRows of them (true: there may be more) or every
// row has been looked up.
func (t *Table) more(p *probe) bool {
	if t.how != tableHashes && t.unique && p.at == 0 && p.n <= ChunkRows {
		t.matchUnique(p)
		p.at = p.n
		return false
	}
	count := p.n
	if p.sel != nil {
		count = len(p.sel)
	}
	for {
		if p.rest != 0 && !t.follow(p) {
			return true
		}
		if p.at == count {
			return false
		}
		p.rest = t.candidate(p, p.row(p.at))
		p.at++
	}
}

func (p *probe) row(at int) int32 {
	if p.sel != nil {
		return p.sel[at]
	}
	return int32(at)
}

// follow adds the row's pairs from the candidate rest on; false: there was no room.
func (t *Table) follow(p *probe) bool {
	row := p.row(p.at - 1)
	for r := p.rest; r != 0; r = t.following(r) {
		if len(p.pairs[0]) == ChunkRows {
			p.rest = r
			return false
		}
		if t.equal(p, row, r) {
			p.add(row, r-1)
		}
	}
	p.rest = 0
	return true
}

// candidate returns the first row+1 that may match a row of the stream.
func (t *Table) candidate(p *probe, row int32) int32 {
	switch {
	case len(p.keys) == 0:
		return int32(min(t.count, 1))
	case t.how == tableHashes:
		return int32(t.index.lookup(p.hash[row]) + 1)
	}
	k := integerAt(&p.cols[p.keys[0]], row)
	if t.how == tableDirect {
		return t.first[min(uint64(k)-uint64(t.low), uint64(len(t.first)-1))]
	}
	return t.first[slotOf(k, t.shift)]
}

func (t *Table) following(r int32) int32 {
	switch {
	case len(t.in.keyCols) == 0:
		if int(r) == t.count {
			return 0
		}
		return r + 1
	case t.how == tableHashes:
		return int32(t.index.after(int(r-1)) + 1)
	}
	return t.next[r]
}

func (t *Table) equal(p *probe, row, r int32) bool {
	if t.how != tableHashes {
		return t.keys[r] == integerAt(&p.cols[p.keys[0]], row)
	}
	if len(p.keys) > 0 && t.rows.hash[r-1] != p.hash[row] {
		return false
	}
	for k, c := range p.keys {
		if !equalAt(&p.cols[c], int(row), &t.rows.rows.Cols[t.in.keyCols[k]], int(r-1)) {
			return false
		}
	}
	return true
}

func integerAt(c *stream.Column, row int32) int64 {
	if c.Type.Storage() == stream.Integer {
		return int64(c.I32[row])
	}
	return c.I64[row]
}

// matchUnique finds the pairs of up to ChunkRows rows, at most one each.
func (t *Table) matchUnique(p *probe) {
	for i := range p.pairs {
		if cap(p.pairs[i]) < ChunkRows {
			p.pairs[i] = make([]int32, ChunkRows)
		}
		p.pairs[i] = p.pairs[i][:ChunkRows]
	}
	col, n := &p.cols[p.keys[0]], 0
	switch {
	case p.sel != nil:
		for _, row := range p.sel {
			r := t.candidate(p, row)
			for r != 0 && t.keys[r] != integerAt(col, row) {
				r = t.next[r]
			}
			if r != 0 {
				p.pairs[0][n], p.pairs[1][n] = row, r-1
				n++
			}
		}
	case t.how == tableDirect && col.Type.Storage() == stream.Integer:
		n = matchDirect(p, col.I32[:p.n], t.first, t.low)
	case t.how == tableDirect:
		n = matchDirect(p, col.I64[:p.n], t.first, t.low)
	case col.Type.Storage() == stream.Integer:
		n = matchIntegers(p, col.I32[:p.n], t)
	default:
		n = matchIntegers(p, col.I64[:p.n], t)
	}
	p.pairs[0], p.pairs[1] = p.pairs[0][:n], p.pairs[1][:n]
}

// matchDirect writes a pair for every row and moves on by those that match.
func matchDirect[T int32 | int64](p *probe, keys []T, first []int32, low int64) int {
	left, right := (*[ChunkRows]int32)(p.pairs[0]), (*[ChunkRows]int32)(p.pairs[1])
	n, last := 0, uint64(len(first)-1)
	for i, k := range keys {
		r := first[min(uint64(int64(k))-uint64(low), last)]
		left[n&(ChunkRows-1)], right[n&(ChunkRows-1)] = int32(i), r-1
		if r != 0 {
			n++
		}
	}
	return n
}

// matchIntegers looks at the first row of every key's slot, then again at the few that
// hold another key's, and leaves those out that have none: a branch per key would be
// mispredicted at every key that sits behind another.
func matchIntegers[T int32 | int64](p *probe, keys []T, t *Table) int {
	left, right := (*[ChunkRows]int32)(p.pairs[0]), (*[ChunkRows]int32)(p.pairs[1])
	first, have, shift := t.first, t.keys, t.shift
	others, none := 0, 0
	for i, k := range keys {
		r := first[slotOf(int64(k), shift)]
		right[i&(ChunkRows-1)] = r - 1
		left[others&(ChunkRows-1)] = int32(i)
		other, empty := 0, 0
		if have[r] != int64(k) {
			other = 1
		}
		if r == 0 {
			empty = 1
		}
		others += other &^ empty
		none += empty
	}
	for _, i := range left[:others] {
		k, r := int64(keys[i]), t.next[right[i&(ChunkRows-1)]+1]
		for r != 0 && have[r] != k {
			r = t.next[r]
		}
		right[i&(ChunkRows-1)] = r - 1
		if r == 0 {
			none++
		}
	}
	if none == 0 {
		return copy(left[:len(keys)], rowNumbers[:])
	}
	n := 0
	for i, r := range right[:len(keys)] {
		left[n&(ChunkRows-1)], right[n&(ChunkRows-1)] = int32(i), r
		if r >= 0 {
			n++
		}
	}
	return n
}

// rowNumbers are the numbers of a chunk's rows.
var rowNumbers = func() (n [ChunkRows]int32) {
	for i := range n {
		n[i] = int32(i)
	}
	return n
}()
