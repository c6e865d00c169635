package operator

import (
	"slices"

	"github.com/millrace/millrace/stream"
)

// Probing by blocks.
//
// A row of the left side costs three reads at places that nothing foretells: its slot,
// the candidate's key, the candidate's successor in the chain. One row at a time, a
// branch that depends on such a read is mispredicted often, and then nothing behind it
// has been begun. So they are done in passes over a block of left rows: all slots, then
// all candidates, reads that do not depend on one another and no branch; what is left to
// decide is kept in small arrays in the first-level cache. The candidate's successor in
// its chain - another key of the slot, or the same one again - is looked at in the same
// way, needed or not; only rows with more candidates go along their chain.
//
// The key is a single whole number here, which is compared itself and not by its hash;
// NULL is not among stored keys.

// probeRows is the number of left rows of a block.
const probeRows = 512

// probes are a block's candidates.
type probes struct {
	slot   [probeRows]int32    // the first one, as in the index: 0 is none
	second [probeRows]int32    // its successor
	more   [probeRows]int32    // the successor's
	hit    [probeRows][2]uint8 // whether first and second have the key: 0 or 1
}

type keyNumber interface{ int32 | int64 }

// collectWhole adds the pairs whose only key is equal, at most limit.
func (p *pairing) collectWhole(limit int) {
	l, r := &p.rows[0].rows.Cols[p.keys[0][0]], &p.rows[1].rows.Cols[p.keys[1][0]]
	if l.Type.Storage() == stream.Integer {
		collectWhole(p, l.I32, r.I32, limit)
	} else {
		collectWhole(p, l.I64, r.I64, limit)
	}
}

func collectWhole[T keyNumber](p *pairing, l, r []T, limit int) {
	if !chainPairs(p, l, r, limit) {
		return
	}
	p.right = -1
	x := &p.index
	if len(x.next) == 0 {
		p.left = p.rows[0].to - 1
		return
	}
	r = r[x.from : x.from+len(x.next)]
	for {
		from := p.left + 1
		n := min(probeRows, limit-len(p.lay.pairs[0]), p.rows[0].to-from)
		if n <= 0 {
			return
		}
		p.probes.find(x, p.rows[0].hash[from:from+n])
		probeKeys(&p.probes, x, l[from:from+n], r)
		if !emitProbed(p, l[from:from+n], r, limit) {
			return
		}
	}
}

// chainPairs goes on along the chain of the left row; false when the limit is reached in it.
func chainPairs[T keyNumber](p *pairing, l, r []T, limit int) bool {
	for ; p.right >= 0; p.right = p.index.after(p.right) {
		if r[p.right] != l[p.left] {
			continue
		}
		if len(p.lay.pairs[0]) == limit {
			return false
		}
		p.lay.addPair(p.left, p.right)
	}
	return true
}

// find makes slot the first candidates.
func (b *probes) find(x *rowIndex, hash []uint64) {
	slot, first := b.slot[:len(hash)], x.first
	mask := uint64(len(first) - 1)
	for i, h := range hash {
		slot[i] = first[h&mask]
	}
}

// probeKeys compares keys with those of the candidates; l and r begin where the block
// and the index do, and r has a row.
func probeKeys[T keyNumber](b *probes, x *rowIndex, l, r []T) {
	slot, second, more := b.slot[:len(l)], b.second[:len(l)], b.more[:len(l)]
	hit, next := b.hit[:len(l)], x.next[:len(r)]
	for i, k := range l {
		at := slot[i]
		some := int32(uint32(-at) >> 31) // 1 if there is a candidate
		row := int(at - some)
		at = next[row] & -some
		second[i], hit[i][0] = at, uint8(some)&oneIf(r[row] == k)
		some = int32(uint32(-at) >> 31)
		row = int(at - some)
		more[i], hit[i][1] = next[row]&-some, uint8(some)&oneIf(r[row] == k)
	}
}

func oneIf(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// emitProbed adds the pairs of the block behind the left row. It stops early when there is
// no room for a pair of each row that is left; false: in the middle of a chain.
func emitProbed[T keyNumber](p *pairing, l, r []T, limit int) bool {
	b, next, at := &p.probes, p.index.next, len(p.lay.pairs[0])
	left := slices.Grow(p.lay.pairs[0], limit-at)[:limit]
	right := slices.Grow(p.lay.pairs[1], limit-at)[:limit]
	from, base := p.left+1, p.index.from
	i, whole := 0, true
	for ; i < len(l) && len(l)-i <= limit-at; i++ {
		if b.more[i] == 0 && limit-at > 1 {
			left[at], right[at] = int32(from+i), int32(base)+b.slot[i]-1
			at += int(b.hit[i][0])
			left[at], right[at] = int32(from+i), int32(base)+b.second[i]-1
			at += int(b.hit[i][1])
			continue
		}
		for row := b.slot[i] - 1; row >= 0 && whole; row = next[row] - 1 {
			switch {
			case r[row] != l[i]:
			case at == limit:
				whole = false
				p.right = base + int(row)
			default:
				left[at], right[at] = int32(from+i), int32(base)+row
				at++
			}
		}
		if !whole {
			i++ // the left row is the one whose chain goes on
			break
		}
	}
	p.left += i
	p.lay.pairs = [2][]int32{left[:at], right[:at]}
	return whole
}
