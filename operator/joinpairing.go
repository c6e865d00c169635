package operator

import (
	"github.com/millrace/millrace/stream"
)

// pairing puts out the pairs of one window at a time. It belongs to one goroutine.
//
// Pairs move in chunks: candidates by key, by bitmap (joinbits.go) or all pairs, then the
// columns that the residual condition reads are gathered and it selects among them, then
// the output columns of those that are left.
type pairing struct {
	schema *stream.Schema
	keys   [2][]int // columns of the stored rows
	theta  bool     // every pair is a candidate
	lay    layout
	on     residual
	bits   *pairBits // nil: no condition is a test between the sides
	index  rowIndex
	whole  bool // the key is one whole number
	probes probes
	sides  [2]*windowSide // of which only what never changes is read

	number int64 // of the open window
	rows   [2]pairRows
	left   int // cursor: left row, and its next candidate
	right  int
	errors []ErrorRow
	found  foundPairs
	outer  *outerRows // nil: the join is an inner one

	stores [2]*rowStore // of who has to copy a window's rows first
}

// pairRows are one side's rows of a window, and the hashes of their keys if there are
// some. Positions are of the batch.
type pairRows struct {
	rows     *stream.Batch
	hash     []uint64
	from, to int
}

// newPairing compiles the condition; the first call prepares the plan's intakes too.
func (j *joinPlan) newPairing(sides [2]*windowSide) (*pairing, error) {
	force := j.env.Force.Join
	x := &pairing{schema: j.op.Relation.Schema, theta: force == "theta", lay: newLayout(j.inputs, j.need), sides: sides}
	keys, on := x.lay.splitKeys(j.op.Join)
	if err := x.on.compile(j.op.ID, on, &x.lay, x.schema); err != nil {
		return nil, err
	}
	if j.op.Join.Outer {
		x.outer, x.lay.outer = &outerRows{}, true
	}
	for i, side := range j.inputs {
		if j.ins[i] == nil {
			var err error
			w := sides[i]
			if j.ins[i], err = newIntake(j.op.ID, side, x.lay.reads[i], x.lay.absent[i], keys[i], w.order(), w.numberCol); err != nil {
				return nil, err
			}
			j.ins[i].nulls = i == 0 && j.op.Join.Outer
		}
		x.keys[i] = j.ins[i].keyCols
	}
	if len(keys[0]) == 1 && !x.theta && force != "hash" {
		l, r := j.ins[0].schema.Fields[x.keys[0][0]].Type, j.ins[1].schema.Fields[x.keys[1][0]].Type
		x.whole = l == r && integerType(l)
	}
	if len(keys[0]) > 0 || x.theta {
		return x, nil
	}
	var err error
	x.bits, err = newPairBits(on, &x.lay, [2]*stream.Schema{j.ins[0].schema, j.ins[1].schema}, force != "bitmap")
	return x, err
}

// copies returns an empty store for rows of a side.
func (p *pairing) copies(side int, in *intake) *rowStore {
	if p.stores[side] == nil {
		p.stores[side] = newRowStore(in.schema, in.stored, len(in.keyCols) > 0)
	}
	st := p.stores[side]
	clearBatch(st.rows)
	st.hash = st.hash[:0]
	return st
}

// way is how the open window's pairs are found.
func (p *pairing) way() algorithm {
	switch {
	case p.found.known:
		return usedFound
	case p.bits != nil && p.bits.usable && p.bits.ranged():
		return usedRanges
	case p.bits != nil && p.bits.usable:
		return usedBitmaps
	case p.whole:
		return usedBlocks
	case len(p.keys[1]) > 0 && !p.theta:
		return usedHash
	default:
		return usedPairs
	}
}

// open begins a window.
func (p *pairing) open(rows [2]pairRows, number int64) {
	p.rows, p.number, p.found.known = rows, number, false
	p.left, p.right = rows[0].from-1, -1
	r := &p.rows[1]
	if p.outer != nil {
		if p.outer.begin(rows[0].from, nil); r.from == r.to {
			return
		}
	}
	switch {
	case len(p.keys[1]) == 0:
	case p.theta: // one slot: every pair is a candidate
		p.index.buildSlots(r.hash, r.from, r.to, 1)
	default:
		p.index.build(r.hash, r.from, r.to)
	}
	if p.bits != nil {
		p.bits.open(&p.rows)
	}
}

// fill adds the open window's pairs to the output until it is full (false) or the
// window is done.
func (p *pairing) fill(out *outputs) (done bool, err error) {
	switch {
	case p.outer != nil:
		return p.fillOuter(out)
	case p.found.known:
		return p.fillFound(out)
	}
	p.lay.setWindow(p.sides, p.number)
	stores := [2]*stream.Batch{p.rows[0].rows, p.rows[1].rows}
	bits := p.bits != nil && p.bits.usable
	for {
		room := out.room()
		if room == 0 {
			return false, nil
		}
		if p.on.pred != nil && !(bits && p.bits.all) {
			room = min(room, ChunkRows)
		}
		if !p.collect(room) {
			return true, nil
		}
		if p.on.pred == nil || bits && p.bits.all {
			p.lay.appendOutput(out.batch(), stores)
			continue
		}
		p.on.apply(&p.lay, stores, p.schema, func(_ int, e ErrorRow) { p.errors = append(p.errors, e) })
		p.lay.appendOutput(out.batch(), stores)
	}
}

// collect makes the next candidates, at most limit, the pairs; false: there are no more.
func (p *pairing) collect(limit int) bool {
	p.lay.clearPairs()
	switch {
	case p.whole:
		p.collectWhole(limit)
	case len(p.keys[0]) > 0:
		p.collectEqual(limit)
	case p.bits != nil && p.bits.usable:
		p.collectBits(limit)
	default:
		p.collectAll(limit)
	}
	return len(p.lay.pairs[0]) > 0
}

// takeErrors returns and forgets the pairs that failed. They are valid until the next fill.
func (p *pairing) takeErrors() []ErrorRow {
	e := p.errors
	p.errors = p.errors[:0]
	return e
}

// collectEqual adds candidates whose keys are equal, at most limit.
func (p *pairing) collectEqual(limit int) {
	l, r := &p.rows[0], &p.rows[1]
	for {
		for ; p.right >= 0; p.right = p.index.after(p.right) {
			if r.hash[p.right] != l.hash[p.left] || !p.equalKeys(l.rows, p.left, r.rows, p.right) {
				continue
			}
			if len(p.lay.pairs[0]) == limit {
				return
			}
			p.lay.addPair(p.left, p.right)
		}
		if p.left+1 >= l.to {
			return
		}
		p.left++
		p.right = p.index.lookup(l.hash[p.left])
	}
}

func (p *pairing) equalKeys(l *stream.Batch, a int, r *stream.Batch, b int) bool {
	for k, c := range p.keys[0] {
		if !equalAt(&l.Cols[c], a, &r.Cols[p.keys[1][k]], b) {
			return false
		}
	}
	return true
}

// collectAll adds every pair as a candidate, at most limit.
func (p *pairing) collectAll(limit int) {
	for {
		for ; p.right >= 0 && p.right < p.rows[1].to; p.right++ {
			if len(p.lay.pairs[0]) == limit {
				return
			}
			p.lay.addPair(p.left, p.right)
		}
		if p.left+1 >= p.rows[0].to {
			return
		}
		p.left++
		p.right = p.rows[1].from
	}
}
